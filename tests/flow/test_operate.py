"""What operators do and see: reload, stop, start, peers that are away, pages and status."""
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

from lib.daemon import Daemon
from lib.folder import edit
from lib.stack import BUILD
from lib.wait import wait_for

LAMP = {"category": "市政/路灯", "text": "路灯不亮"}


@pytest.fixture
def folder(office):
	"""The configuration in use; put back and loaded again in the end."""
	place = office.stack.env["NEEDLE_CONFIG"]
	saved = place + ".saved"
	shutil.copytree(place, saved)
	yield place
	shutil.rmtree(place)
	os.rename(saved, place)
	assert office.stack.ctl("reload").returncode == 0


def append(folder, name, text):
	with open(os.path.join(folder, name), "a", encoding="utf-8") as f:
		f.write(text)


def status(office):
	return office.stack.ctl_json("status")


# ---- reload ---------------------------------------------------------------------------------------

def lamps_to_huanwei(text):
	return text.replace("rules:\n", "rules:\n  - {id: 路灯给环卫, when: {text: {any: [路灯]}}, then: {dept: huanwei}}\n", 1)


def test_a_good_reload_is_at_work_at_once_and_everywhere(office, folder):
	before, reloads = status(office), office.stack.metric("needle_reloads_total")
	assert office.row(office.case(**LAMP))["lead"] == "chengguan"
	edit(os.path.join(folder, "rules.yaml"), lamps_to_huanwei)
	done = office.stack.ctl_json("reload")
	assert done["ok"] is True and done["config"] != before["config"] and isinstance(done["findings"], list)
	row = office.row(office.case(**LAMP))
	assert row["lead"] == "huanwei" and row["rule"] == "路灯给环卫" and row["config"] == done["config"]
	now = status(office)
	assert now["config"] == done["config"] and now["last_reload"]["ok"] is True and now["last_reload"]["at"]
	assert office.stack.metric("needle_reloads_total") == reloads + 1
	assert office.stack.metric("needle_config_last_reload_successful") == 1

	def said():
		found = office.admin.retained(f"{office.root}/gateway/a/status", office.admin)
		return json.loads(found[f"{office.root}/gateway/a/status"])["config"] == done["config"]
	wait_for(said, what="the retained status with the new hash")


def test_what_is_sent_after_a_reload_works_by_it_whatever_the_daemon_was_at(office, folder):
	waits = "select 1 from pg_stat_activity where application_name = 'needled worker' and wait_event_type = 'Lock'"
	before = office.stack.metric("needle_inbox_records")
	office.db.connection.autocommit = False
	try:
		office.db.all("lock needle.timer in access exclusive mode")
		watcher = office.stack.db()
		wait_for(lambda: watcher.all(waits), what="a daemon that looks at its timers")
		edit(os.path.join(folder, "rules.yaml"), lamps_to_huanwei)
		done = office.stack.ctl_json("reload")
		heard = office.admin.collect(f"{office.root}/receipt/patrol/late")
		office.user("in-patrol").publish(f"{office.root}/in/patrol/late", dict(LAMP, id="late-1"))
		wait_for(lambda: office.stack.metric("needle_inbox_records") > before, what="it to be in the inbox")
	finally:
		office.db.connection.rollback()
		office.db.connection.autocommit = True
	row = office.row(heard.wait().json["case"])
	assert (row["lead"], row["config"]) == ("huanwei", done["config"])


def test_a_bad_reload_changes_nothing_and_is_told_with_file_and_line(office, folder):
	before, failed = status(office), office.stack.metric("needle_reloads_failed_total")
	append(folder, "rules.yaml", "  - {id: 坏的, when: {text: {any: [x]}}, then: {dept: no-such-body}}\nnonsense: 1\n")
	done = office.stack.ctl("reload", "--format", "json")
	answer = json.loads(done.stdout)
	assert done.returncode == 1 and answer["ok"] is False
	found = [f for f in answer["findings"] if f["severity"] == "error"]
	assert found and all(f["code"] and f["message"] and f["line"] > 0 and f["file"].endswith("rules.yaml") for f in found)
	now = status(office)
	assert now["config"] == before["config"]
	assert now["last_reload"]["ok"] is False and now["last_reload"]["findings"]
	assert office.stack.metric("needle_reloads_failed_total") == failed + 1
	assert office.stack.metric("needle_config_last_reload_successful") == 0
	assert office.row(office.case(**LAMP))["config"] == before["config"], "the former one works on"
	words = office.stack.ctl("reload")
	assert words.returncode == 1 and "no-such-body" in words.stdout + words.stderr


def test_a_folder_that_cannot_be_read_is_a_bad_reload(office, folder):
	before = status(office)["config"]
	os.rename(os.path.join(folder, "rules.yaml"), os.path.join(folder, "gone"))
	assert office.stack.ctl("reload").returncode == 1
	assert status(office)["config"] == before
	office.case(**LAMP)


def test_sighup_reloads_too(office, folder):
	before = status(office)["config"]
	append(folder, "rules.yaml", "  - {id: 告示, when: {text: {any: [路灯告示]}}, to: [wuye]}\n")
	os.kill(office.stack.pid(), signal.SIGHUP)
	wait_for(lambda: status(office)["config"] != before, what="the new configuration")
	case = office.case(text="路灯告示")
	assert office.event(case, "copied", "wuye")
	append(folder, "rules.yaml", "broken: [\n")
	os.kill(office.stack.pid(), signal.SIGHUP)
	wait_for(lambda: not status(office)["last_reload"]["ok"], what="the refusal")
	office.case(**LAMP)


def test_who_dies_in_a_reload_has_read_the_folder_and_the_next_works_by_it(office, folder):
	office.stack.kill(number=signal.SIGTERM)
	log = office.stack.log_size()
	office.stack.up(env={"NEEDLE_FAULT": "in-reload"})
	append(folder, "rules.yaml", "broken: [\n")
	assert office.stack.ctl("reload").returncode == 1, "a folder that is refused does not come so far"
	edit(os.path.join(folder, "rules.yaml"), lambda text: text.replace("broken: [", "  - {id: 半途, when: {text: {any: [半途告示]}}, to: [wuye]}"))
	os.kill(office.stack.pid(), signal.SIGHUP)
	wait_for(lambda: not office.stack.running(), what="the daemon to fall in the reload")
	assert office.stack.faults(log) == ["in-reload"]
	office.stack.up()
	assert office.event(office.case(text="半途告示"), "copied", "wuye")


def test_a_reload_changes_what_is_subscribed(office, folder):
	topic = f"{office.root}/extra/mh-9/alarm"
	office.admin.publish(topic, {"no": "before", "say": "井盖"})
	append(folder, "channels.yaml", "  extra: {name: 另一处, codec: json, subscribe: ['needle/jiyuanlu/extra/{source}/alarm'], "
	       "map: {id: /no, text: /say}}\n")
	assert office.stack.ctl_json("reload")["ok"]
	heard = office.admin.collect(f"{office.root}/receipt/extra/mh-9")

	def arrives():
		office.admin.publish(topic, {"no": "during", "say": "井盖"})
		return heard.find(lambda m: m.json["id"] == "during")
	assert wait_for(arrives, what="a report on the new topic")[0].json["case"]
	with open(os.path.join(folder, "channels.yaml"), encoding="utf-8") as f:
		lines = [line for line in f if not line.startswith("  extra:")]
	with open(os.path.join(folder, "channels.yaml"), "w", encoding="utf-8") as f:
		f.writelines(lines)
	assert office.stack.ctl_json("reload")["ok"]
	received = office.stack.metric("needle_messages_received_total")

	def silent():
		nonlocal received
		office.admin.publish(topic, {"no": "after", "say": "井盖"})
		office.case(**LAMP)
		received, last = office.stack.metric("needle_messages_received_total"), received
		return received == last + 1
	wait_for(silent, what="the topic to be left")
	assert not office.db.all("select 1 from needle.report where id in ('before', 'after')")


def test_reloads_under_load_lose_nothing_and_every_case_names_a_configuration_that_was_at_work(office, folder):
	heard = office.admin.collect(f"{office.root}/receipt/patrol/load")
	for n in range(200):
		office.user("in-patrol").publish(f"{office.root}/in/patrol/load", dict(LAMP, id=f"load-{n}"), wait=False)
		if n % 50 == 25:
			append(folder, "rules.yaml", f"  - {{id: 第{n}条, when: {{text: {{any: [第{n}条]}}}}, to: [wuye]}}\n")
			assert office.stack.ctl_json("reload")["ok"]
	assert {m.json["result"] for m in heard.wait(n=200, bound=20)} == {"created"}
	known = {r["hash"] for r in office.db.all("select hash from needle.config_version")}
	used = {r["config"] for r in office.db.all("select config from needle.v_case where report like 'load-%%'")}
	assert used <= known and len(used) > 1


# ---- status and pages ------------------------------------------------------------------------------

def test_status_has_the_contracts_members(office):
	found = status(office)
	assert {"config", "broker", "database", "inbox", "outbox", "open_cases", "last_reload"} <= set(found)
	assert found["broker"]["connected"] is True and found["database"]["connected"] is True
	assert {"at", "ok", "config", "findings"} <= set(found["last_reload"])
	assert all(isinstance(found[name], int) for name in ("inbox", "outbox", "open_cases"))
	wait_for(lambda: status(office)["inbox"] == 0, what="an empty inbox")
	words = office.stack.ctl("status")
	assert words.returncode == 0 and found["config"] in words.stdout


def test_the_page_of_metrics_is_clean_prometheus_text(office):
	code, text = office.stack.http("/metrics")
	assert code == 200 and text.endswith("\n")
	helps, types, samples = {}, {}, set()
	for line in text.splitlines():
		comment = re.fullmatch(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)", line)
		if comment:
			kind, name, rest = comment.groups()
			table = helps if kind == "HELP" else types
			assert name not in table, f"twice: {line}"
			table[name] = rest
			continue
		sample = re.fullmatch(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-z_]+="(?:[^"\\\n]|\\.)*"(?:,[a-z_]+="(?:[^"\\\n]|\\.)*")*\})? '
				      r'([0-9.eE+-]+|NaN|[+-]Inf)', line)
		assert sample, line
		assert (sample[1], sample[2]) not in samples, f"twice: {line}"
		samples.add((sample[1], sample[2]))
		assert sample[1] in types and sample[1] in helps, f"without TYPE or HELP: {line}"
		assert types[sample[1]] in ("counter", "gauge")
		assert sample[1].endswith("_total") == (types[sample[1]] == "counter"), line
	assert set(helps) == set(types) == {name for name, _ in samples} and all(n.startswith("needle_") for n in helps)


def test_other_pages(office):
	assert office.stack.http("/healthz")[0] == 200
	assert office.stack.http("/readyz")[0] == 200
	assert office.stack.http("/nothing-here")[0] == 404


def gateway(office):
	found = office.admin.retained(f"{office.root}/gateway/a/status", office.admin)
	return json.loads(found[f"{office.root}/gateway/a/status"])


def test_the_gateway_says_online_offline_and_by_its_will_that_it_fell(office):
	online = gateway(office)
	assert online["status"] == "online" and online["version"] and online["config"] == status(office)["config"]
	office.stack.kill(number=signal.SIGTERM)
	assert gateway(office)["status"] == "offline"
	office.stack.up()
	wait_for(lambda: gateway(office)["status"] == "online", what="online")
	office.stack.kill(number=signal.SIGKILL)
	wait_for(lambda: gateway(office)["status"] == "offline", what="the will")
	office.stack.up()
	wait_for(lambda: gateway(office)["status"] == "online", what="online again")


# ---- peers that are away ---------------------------------------------------------------------------

def reasons(office):
	code, body = office.stack.http("/readyz")
	assert code == 503, body
	found = json.loads(body)["reasons"]
	assert found and all(isinstance(r, str) for r in found)
	return " ".join(found)


def test_without_the_database_it_is_alive_keeps_what_comes_and_stores_it_later(office):
	pid, heard = office.stack.pid(), office.admin.collect(f"{office.root}/receipt/patrol/pgaway")
	office.stack.kill("postgres")
	wait_for(lambda: office.stack.http("/readyz")[0] == 503, what="not ready")
	assert "database" in reasons(office) and office.stack.http("/healthz")[0] == 200
	for n in range(30):
		office.user("in-patrol").publish(f"{office.root}/in/patrol/pgaway", dict(LAMP, id=f"pg-{n}"))
	wait_for(lambda: status(office)["inbox"] == 30, what="the inbox to hold them")
	assert status(office)["database"]["connected"] is False and not len(heard), "no receipt before the commit"
	office.stack.up()
	assert {m.json["result"] for m in heard.wait(n=30, bound=30)} == {"created"}
	wait_for(lambda: status(office)["inbox"] == 0, what="an empty inbox")
	assert office.stack.pid() == pid and office.stack.http("/readyz")[0] == 200
	office.new_database()
	assert office.db.value("select count(*) from needle.v_case where report like 'pg-%%'") == 30


def test_sigterm_without_the_database_ends_in_time_and_the_next_start_stores_what_was_kept(office):
	with Daemon(office.stack) as d:
		d.start().ready()
		office.stack.kill("postgres")
		wait_for(lambda: office.stack.http("/readyz")[0] == 503, what="not ready")
		office.user("in-patrol").publish(f"{office.root}/in/patrol/kept", dict(LAMP, id="kept-1"))
		wait_for(lambda: office.stack.metric("needle_inbox_records") == 1, what="the inbox to hold it")
		assert d.stop(bound=25) == 0
	office.new_database()
	wait_for(lambda: office.db.value("select number from needle.v_case where report = 'kept-1'"), what="the case")


def test_it_starts_and_waits_when_the_database_is_away(office):
	with Daemon(office.stack) as d:
		office.stack.kill("postgres")
		d.start()
		wait_for(lambda: office.stack.http("/healthz")[0] == 200, what="alive")
		assert "database" in reasons(office)
		start_postgres(office)
		d.ready(30)
		assert d.stop() == 0
	office.new_database()
	office.case(**LAMP)


def start_postgres(office):
	"""Without a daemon beside it: `up` would start one of its own."""
	import importlib.machinery
	import importlib.util
	path = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "stack", "stack")
	loader = importlib.machinery.SourceFileLoader("stack_program", path)
	module = importlib.util.module_from_spec(importlib.util.spec_from_loader("stack_program", loader))
	loader.exec_module(module)
	servers = module.Stack(office.stack.folder, BUILD)
	servers.open()
	servers.start_postgres()


# ---- stopping -------------------------------------------------------------------------------------

def test_sigterm_under_load_exits_0_and_loses_nothing(office):
	heard = office.admin.collect(f"{office.root}/receipt/patrol/drain")
	with Daemon(office.stack) as d:
		d.start().ready()
		for n in range(600):
			office.user("in-patrol").publish(f"{office.root}/in/patrol/drain", dict(LAMP, id=f"drain-{n}"), wait=False)
			if n == 300:
				d.child.send_signal(signal.SIGTERM)
		assert d.end(20) == 0
	# What was stored but not yet acknowledged when it ended is answered again, as a duplicate.
	wait_for(lambda: {m.json["id"] for m in heard} == {f"drain-{n}" for n in range(600)}, 60, "a receipt of each")
	assert {m.json["result"] for m in heard} <= {"created", "duplicate"}
	assert office.db.value("select count(*) from needle.v_case where report like 'drain-%%'") == 600


@pytest.mark.parametrize("how", (signal.SIGINT, "drain"))
def test_sigint_and_drain_stop_it_as_well(office, how):
	with Daemon(office.stack) as d:
		d.start().ready()
		if how == "drain":
			assert office.stack.ctl("drain").returncode == 0
		else:
			d.child.send_signal(how)
		assert d.end() == 0


def test_check_print_version_and_usage_have_their_exit_codes(office, folder):
	def needled(*argv):
		return subprocess.run([os.path.join(BUILD, "needled"), *argv], capture_output=True, text=True, check=False, timeout=60,
				      env=dict(os.environ, NEEDLE_PLUGINS=os.path.join(BUILD, "plugins")))
	assert needled("-V").returncode == 0 and needled("-h").returncode == 0
	assert needled("--no-such-flag").returncode == 2 and needled("-c", folder, "word").returncode == 2
	assert needled("-t", "-c", folder).returncode == 0
	later = needled("-t", "-c", folder, "--simulate", "2031-05-01 09:00")
	assert later.returncode == 0 and "2031" in later.stdout + later.stderr, "the year that is missing is that of the time worked in"
	printed = needled("-T", "-c", folder)
	with open(os.path.join(folder, "secrets", "mqtt_password"), encoding="utf-8") as f:
		password = f.read().strip()
	assert printed.returncode == 0 and "***" in printed.stdout and password not in printed.stdout
	shutil.rmtree(os.path.join(folder, "secrets"))
	assert needled("-t", "-c", folder).returncode == 0 and needled("-T", "-c", folder).returncode == 0, "only looked at"
	assert needled("-c", folder).returncode == 78, "no secrets, no start"
	append(folder, "rules.yaml", "nonsense: 1\n")
	bad = needled("-t", "-c", folder)
	assert bad.returncode == 78 and "rules.yaml" in bad.stderr
	assert needled("-c", folder).returncode == 78, "and it does not start"
	assert needled("-t", "-c", "/nowhere").returncode == 78


@pytest.mark.parametrize("time", ("garbage", "2026-13-01 08:00", ""))
def test_a_start_time_that_is_none_is_wrong_usage_and_leaves_no_trace(office, tmp_path, time):
	env = dict(os.environ, NEEDLE_PLUGINS=os.path.join(BUILD, "plugins"), STATE_DIRECTORY=str(tmp_path / "state"),
		   RUNTIME_DIRECTORY=str(tmp_path / "run"))
	for how in ((), ("-t",)):
		done = subprocess.run([os.path.join(BUILD, "needled"), *how, "-c", office.stack.env["NEEDLE_CONFIG"], "--simulate", time],
				      capture_output=True, text=True, check=False, timeout=60, env=env)
		assert done.returncode == 2 and f"--simulate {time} is not a time" in done.stderr and not os.listdir(tmp_path)


def test_the_broker_comes_back_and_the_daemon_with_it(office):
	pid = office.stack.pid()
	case = office.case(**LAMP)
	office.witness.quiet()
	office.stack.kill("broker")
	wait_for(lambda: office.stack.http("/readyz")[0] == 503, what="not ready")
	assert "broker" in reasons(office) and office.stack.http("/healthz")[0] == 200
	wait_for(lambda: status(office)["broker"]["connected"] is False, what="the status")
	office.stack.up()
	assert office.stack.pid() == pid and office.stack.http("/readyz")[0] == 200
	expected = office.db.value("select count(*) from needle.v_queue where department = 'chengguan'")

	def cards():
		fresh = office.stack.client("admin")
		return fresh.retained(f"{office.root}/dept/chengguan/queue/+", fresh)
	there = wait_for(lambda: len(seen := cards()) == expected and seen, what="all cards, though the broker lost them")
	assert f"{office.root}/dept/chengguan/queue/{case}" in there
