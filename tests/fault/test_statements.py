"""Any statement may be refused by the database: a deadlock, a server that shuts down, a right that is missing for a minute.
The transaction that it stood in is over. Nobody outside may see more of it than that it took longer; a tool says so and exits
with 75, having done nothing.

The daemon is linked with fail.c: each of its statements is refused in its first, third, ninth … run.
"""
import json
import os
import re
import subprocess
import sys

import pytest
from lib.daemon import Daemon
from lib.office import Office
from lib.stack import BUILD, ROOT, Stack
from lib.wait import wait_for
from load import Load
from scale import FULL, scale
from verdict import Verdict, quiet

TORTURE = os.path.join(BUILD, "torture")
# SQLSTATE, what is spared: who starts with no right to look at the schema does not start, and is right.
REFUSALS = {"40001": ",sim_clock,", "57P01": ",sim_clock,", "42501": ",sim_clock,version_exists,version_read,"}
RATE, TRIES = 150, scale(6, 60)
# Together these pass nearly every statement of the daemon.
FLOWS = ("life", "commands", "triage", "orders", "partners", "devices", "timers", "revision", "statistics", "hotwords", "points",
	 "same", "votes")


@pytest.fixture(scope="module")
def office(stack):
	return Office(stack)


def rss_kib(pid):
	with open(f"/proc/{pid}/status", encoding="ascii") as f:
		return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))


def names(place):
	with open(place, encoding="utf-8") as f:
		return set(f.read().splitlines())


@pytest.fixture
def fresh():
	"""Every state begins with an empty database: the load numbers its reports from 1, and what is known already is not stored again."""
	s = Stack(os.path.join(ROOT, "build", "run", f"refused-{os.getpid()}"))
	try:
		yield s.up()
	finally:
		s.down()


@pytest.mark.parametrize("state", REFUSALS if FULL else ["40001"])
def test_a_refused_statement_loses_nothing_and_does_nothing_twice(fresh, capsys, state):
	stack = fresh
	seen = stack.path(f"names-{state}")
	with Daemon(stack, FAIL_STATEMENTS=state, FAIL_SPARE=REFUSALS[state], FAIL_NAMES=seen, FAIL_PREPARE="1", **({} if FULL else {"FAIL_RUNS": "1"})) as daemon:
		daemon.argv[0] = os.path.join(TORTURE, "needled")
		load = Load(stack, RATE)
		load.start("s")
		daemon.start().ready(60)
		wait_for(lambda: len(load.receipts) > 4 * RATE, 60, "work under way")
		assert load.drain(60), f"{len(load.reports)} reports have no receipt"
		quiet(stack, load)
		load.close()
		dead = stack.metric("needle_dead_letters_total")
		commands = stack.metric("needle_commands_done_total")
		assert daemon.child.poll() is None, "it went on"
	verdict = Verdict(stack, load)
	with capsys.disabled():
		print(f"\n{len(names(seen))} statements refused with {state}: {verdict.line('s')}")
	assert {"begin", "put_report", "add_cases", "add_history", "outbox_scan", "queue_page", "timers_due", "commit"} <= names(seen)
	assert {"prepare begin", "prepare put_report", "prepare timers_due", "prepare commit"} <= names(seen), "also those of a pipeline"
	assert (dead, commands) == (0, len(load.results)), "what was tried again is counted once"
	verdict.must_be_good()


@pytest.mark.skipif(os.path.basename(BUILD) == "san", reason="what is freed stays with the sanitizer for a while")
def test_a_database_that_refuses_for_hours_costs_no_memory(stack, capsys):
	"""Its disk is full. What came is kept in the inbox, and the batch that is tried every second leaves nothing behind."""
	with Daemon(stack, FAIL_STATEMENTS="53100", FAIL_ONE="add_history", FAIL_AFTER="40") as daemon:
		daemon.argv[0] = os.path.join(TORTURE, "needled")
		daemon.start().ready()
		load = Load(stack, 4000, window=6000, resend=False, officers=False, padding=900)
		load.start("f")
		# What waits is there, and nothing more comes: what grows from now on grows by the tries.
		wait_for(lambda: len(load.reports) == 6000 and stack.metric("needle_inbox_records") == 6000, 60, "batches that cannot be stored")
		tried, before = stack.metric("needle_batches_retried_total"), rss_kib(daemon.child.pid)
		wait_for(lambda: stack.metric("needle_batches_retried_total") >= tried + TRIES, 60, f"{TRIES} tries")
		grown = rss_kib(daemon.child.pid) - before
		assert daemon.stop() == 0
	with capsys.disabled():
		print(f"\n{TRIES} tries of a batch: {grown} KiB more")
	assert load.drain(60), f"{len(load.reports)} reports have no receipt"
	quiet(stack, load)
	load.close()
	assert grown < 600 * TRIES
	assert not {k for k in load.attempted if k not in load.receipts} and not load.dead


def test_a_row_that_the_database_calls_bad_falls_alone(stack, office):
	"""Whatever it is that no check of ours has seen: the others of its batch become cases, and it a dead letter with its bytes."""
	with Daemon(stack, FAIL_STATEMENTS="22P05", FAIL_ONE="put_report", FAIL_ON="毒") as daemon:
		daemon.argv[0] = os.path.join(TORTURE, "needled")
		sender = office.user("in-patrol")
		heard = office.admin.collect(f"{office.root}/receipt/patrol/bad")
		for i in range(60):     # while the daemon is away, so that they come as few batches
			sender.publish(f"{office.root}/in/patrol/bad", json.dumps({"id": f"bad-{i}", "text": "毒" if i in (7, 30) else "路灯不亮"}))
		daemon.start().ready()
		wait_for(lambda: len(heard) >= 60, 30, "60 receipts")
		results = {m.json["id"]: m.json for m in heard}
		dead = {k for k, r in results.items() if r["result"] == "dead"}
		assert dead == {"bad-7", "bad-30"} and {r["result"] for k, r in results.items() if k not in dead} == {"created"}
		assert all("refused" in results[k]["reason"] for k in dead)
		assert stack.metric("needle_batches_split_total") > 0 and stack.metric("needle_dead_letters_total") == 2
		kept = office.dead(topic=f"{office.root}/in/patrol/bad")
		assert len(kept) == 2 and all(json.loads(bytes(row["payload"]))["text"] == "毒" and row["code"] == "22P05" for row in kept)
		assert daemon.stop() == 0


@pytest.mark.parametrize("statement", ["put_report", "timers_due", "series_put", "devices_due", "note_config", "provisional", "forget_take"])
def test_a_right_that_is_missing_once_is_an_error_of_ours_in_the_log_and_no_loss(stack, office, statement):
	log = len(stack.log())
	with Daemon(stack, FAIL_STATEMENTS="42501", FAIL_ONE=statement) as daemon:
		daemon.argv[0] = os.path.join(TORTURE, "needled")
		daemon.start().ready()
		case = office.case("patrol", text="路灯不亮", category="市政/路灯")
		office.event(case, "assigned", "chengguan")
		wait_for(lambda: f"{statement}: database: refused (42501)" in stack.log()[log:], what="a word in the log")
		assert stack.http("/readyz")[0] == 200 and daemon.stop() == 0


@pytest.mark.skipif(not FULL, reason="in make torture alone")
@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("state", ["40001", "57P01"])
def test_people_see_the_same_whatever_statement_is_refused(flow, state, tmp_path):
	env = dict(os.environ, NEEDLE_BUILD=TORTURE, FAIL_STATEMENTS=state, FAIL_SPARE=REFUSALS[state], FAIL_NAMES=str(tmp_path / "names"))
	done = subprocess.run([sys.executable, "-m", "pytest", "-q", os.path.join("tests", "flow", f"test_{flow}.py")], cwd=ROOT, env=env,
			      capture_output=True, text=True, timeout=900, check=False)
	assert done.returncode == 0, done.stdout[-6000:]
	assert len(names(tmp_path / "names")) > 20


# ---- needlectl ------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def known(office):
	"""What the verbs are about."""
	case = office.case("letter", category="市政/路灯", text="路灯不亮")
	office.done("chengguan", case, "accept", by="wang")
	office.admin.publish(f"{office.root}/in/nowhere/x", b"{}")
	dead = wait_for(lambda: office.dead(topic=f"{office.root}/in/nowhere/x"), what="the dead letter")[0]["id"]
	return {"case": case, "dead": str(dead)}


VERBS = ("show {case}", "show --officers chengguan", "deadletter list", "deadletter show {dead}", "deadletter retry {dead}", "audit",
	 "audit {case}", "rates", "rates --by department", "rates --cases --name 满意率", "explain --case {case}", "replay --since 30自然日",
	 "diff running running", "points list", "do {case} get", "migrate", "migrate --check")


def ctl(stack, words, **env):
	return subprocess.run([os.path.join(TORTURE, "ctl"), *words], capture_output=True, text=True, timeout=60, check=False,
			      env=dict(os.environ, NEEDLE_SCHEMA=os.path.join(ROOT, "schema"), FAIL_PREPARE="1", **stack.env, **env))


@pytest.mark.parametrize("verb", VERBS if FULL else VERBS[::4])
def test_a_tool_whose_statement_is_refused_says_so_and_has_done_nothing(stack, known, tmp_path, verb):
	words, seen = verb.format(**known).split(), str(tmp_path / "names")
	whole = ctl(stack, words, FAIL_STATEMENTS="40001", FAIL_ONE="-", FAIL_NAMES=seen)
	assert whole.returncode == 0 and whole.stdout, whole.stderr
	for name in sorted(n for n in names(seen) if FULL or not n.startswith("prepare ")):
		done = ctl(stack, words, FAIL_STATEMENTS="40001", FAIL_ONE=name)
		assert done.returncode == 75, (name, done)
		assert done.stdout == "" and re.fullmatch(r"needlectl: .*database: refused \(40001\)\n", done.stderr), (name, done)
	assert ctl(stack, words).stdout == whole.stdout


def schema_of(db):
	return db.all("SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'needle' ORDER BY 1, 2")


def test_a_migration_that_is_refused_leaves_a_version_that_the_next_goes_on_from(stack, db, tmp_path):
	"""The last of this module: it takes the database apart."""
	seen = str(tmp_path / "names")
	with Daemon(stack):
		whole = schema_of(db)
		db.all("DROP SCHEMA needle CASCADE")
		assert ctl(stack, ["migrate"], FAIL_STATEMENTS="53100", FAIL_ONE="-", FAIL_NAMES=seen).returncode == 0
		version = db.value("SELECT max(version) FROM needle.schema_version")
		assert {"version_lock", "version_record", "BEGIN", "COMMIT"} < names(seen)
		for name in sorted(n for n in names(seen) if FULL or not n.startswith("prepare ")):
			db.all("DROP SCHEMA IF EXISTS needle CASCADE")
			done = ctl(stack, ["migrate"], FAIL_STATEMENTS="53100", FAIL_ONE=name)
			assert done.returncode == 75 and "(53100)" in done.stderr, (name, done)
			there = db.value("SELECT to_regclass('needle.schema_version') IS NOT NULL")
			got = db.all("SELECT version FROM needle.schema_version ORDER BY 1") if there else []
			assert [r["version"] for r in got] == list(range(1, len(got) + 1)), "none without its row, none left out"
			assert ctl(stack, ["migrate"]).returncode == 0
			assert db.value("SELECT max(version) FROM needle.schema_version") == version
			assert schema_of(db) == whole, name
