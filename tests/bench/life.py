"""The life of cases under load: how fast departments are served, how late clocks fire with a million of them
running, how long a start takes over a million open cases."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from datetime import datetime

from lib.wait import wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = 20000                           # of a run of transitions; four transitions each
OPEN = 1000000                          # open cases
CARDS = 20000                           # of them with cards, in one department
SILENT = "minsheng"                     # the department that has the rest, cards: off
DUE_PER_S, DUE_FOR_S = 500, 40


def folder(place):
	"""The bench's folder, with one department that reads events only; below the run's own folder."""
	path = os.path.join(place, "config-life")
	shutil.rmtree(path, ignore_errors=True)
	shutil.copytree(os.path.join(HERE, "config"), path, symlinks=False)
	name = os.path.join(path, "departments.yaml")
	with open(name, encoding="utf-8") as f:
		lines = f.read().splitlines()
	with open(name, "w", encoding="utf-8") as f:
		for line in lines:
			f.write(line.rstrip("}") + ", cards: off}\n" if line.strip().startswith(SILENT + ":") else line + "\n")
	return path


def transitions(figures, place, note, wrong):
	"""20,000 cases from accept to closed by a rating, each told with events, cards and results."""
	place.load("--warmup", 0, "--seconds", 600, "--count", CASES)
	stack, words = place.stack, place.stack.passwords
	root = f"needle/{stack.tenant}"
	path = stack.path("cases")
	with open(path, "w", encoding="utf-8") as f:
		for row in place.db.all("SELECT number, lead, channel FROM needle.v_case WHERE state = 'assigned' ORDER BY number"):
			f.write(f"{row['number']} {row['lead']} {row['channel']}\n")
	argv = [os.path.join(place.build, "bench", "steps"), "--port", stack.env["NEEDLE_MQTT_PORT"], "--cases", path]
	for user, password in words.items():
		kind, _, name = user.partition("-")
		if kind == "dept":
			argv += ["--as", f"{user}:{password}:{name}:{root}/dept/{name}/cmd:" +
				 ",".join(f"{root}/dept/{name}/{what}" for what in ("event/+", "queue/+", "result"))]
		elif kind == "in":
			argv += ["--as", f"{user}:{password}:{name}:{root}/in/{name}/city"]
	before = place.cpu()
	done = subprocess.run(argv, capture_output=True, text=True, check=False)
	after = place.cpu()
	if done.returncode:
		raise wrong(f"steps: {done.stderr}")
	result = json.loads(done.stdout)
	closed = place.db.value("SELECT count(*) FROM needle.cases WHERE state = 'closed'")
	if result["transitions"] != 4 * CASES or result["not_done"] or closed != CASES:
		raise wrong(f"not all cases are closed: {closed} of {CASES}, {result}")
	per = {k: (after[k] - before[k]) * 1e6 / result["transitions"] for k in ("gateway", "broker", "database")}
	note(f"    {result['per_s']:.0f} transitions/s, µs each: " + ", ".join(f"{k} {v:.1f}" for k, v in per.items()))
	figures.add("life.transitions_per_s", result["per_s"], "1/s")


def columns(db, table):
	return [r["attname"] for r in db.all("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
					     " AND NOT attisdropped ORDER BY attnum", f"needle.{table}")]


def fill_open(place, note):
	"""A million open cases from a thousand stored ones: accepted, and nothing due for a year."""
	db = place.db
	place.load("--warmup", 0, "--seconds", 60, "--count", 2000, "--no-cards")
	db.all("SET synchronous_commit = off")
	db.all("CREATE TEMP TABLE old_cases AS SELECT row_number() OVER (ORDER BY number) - 1 AS i, c.* FROM needle.cases c"
	       " ORDER BY number LIMIT 1000")
	for t in ("report", "person", "history", "queue", "timer"):
		by = "JOIN old_cases c USING (tenant, number)" if t != "person" else \
			"JOIN old_cases c ON c.tenant = t.tenant AND c.channel = t.channel AND c.report = t.id"
		db.all(f"CREATE TEMP TABLE old_{t} AS SELECT c.i, t.* FROM needle.{t} t {by}")
	lead = f"CASE WHEN n < {CARDS} THEN 'huanwei' ELSE '{SILENT}' END"
	number = "'AAA' || lpad(n::text, 12, '0')"
	year = "date_trunc('second', now() + interval '1 year')"
	# Open and in time: every limit that a template has lies a year ahead.
	per = {"report": {"number": number, "id": "'old-' || n"}, "person": {"id": "'old-' || n"},
	       "cases": {"number": number, "report": "'old-' || n", "lead": lead, "due_accept": year, "due_contact": year, "due_resolve": year},
	       "history": {"number": number, "department": lead},
	       "queue": {"number": number, "department": lead, "due_resolve": year,
			 "card": f"replace(o.card::text, '\"case\":\"' || o.number, '\"case\":\"' || {number})::json"},
	       "timer": {"number": number, "due_at": year}}
	for since in range(0, OPEN, 100000):
		for t, own in per.items():
			one = " AND o.seq = 1" if t == "history" else ""
			db.all(f"INSERT INTO needle.{t} (" + ", ".join(f'"{c}"' for c in columns(db, t)) + ") SELECT " +
			       ", ".join(own.get(c) or f'o."{c}"' for c in columns(db, t)) +
			       f" FROM generate_series({since}, {since + 99999}) n JOIN old_{t} o ON o.i = mod(n, 1000){one}")
	db.all("VACUUM ANALYZE")
	note(f"    {OPEN} open cases")


def forget_cards(stack):
	"""The broker comes back without what it had kept."""
	stack.kill("needled", number=signal.SIGTERM)
	stack.kill("broker")
	with contextlib.suppress(FileNotFoundError):    # it saves by time
		os.unlink(stack.path("mosquitto.db"))


def start(figures, place, note):
	"""Ready over a million open cases; and the cards of a broker that has lost them all."""
	stack = place.stack
	stack.kill("needled", number=signal.SIGTERM)
	since = time.monotonic()
	stack.up()
	wait_for(lambda: stack.http("/readyz")[0] == 200, 60, "readiness")
	ready = time.monotonic() - since
	forget_cards(stack)
	since = time.monotonic()
	stack.up()
	wait_for(lambda: stack.http("/readyz")[0] == 200, 60, "readiness")
	heard = stack.client("admin").collect(f"needle/{stack.tenant}/dept/huanwei/queue/+")
	wait_for(lambda: len(heard) >= CARDS and len({m.topic for m in heard}) >= CARDS, 60, f"{CARDS} cards")
	cards = time.monotonic() - since
	note(f"    ready after {ready:.2f} s, {CARDS} cards again after {cards:.2f} s")
	figures.add("life.start_s", ready, "s")
	figures.add("life.reconcile_s", cards, "s")


def fire(figures, place, note, wrong):
	"""500 limits a second pass, of a million that run, while 1,000 tickets a second come in."""
	stack = place.stack
	heard = stack.client("admin").collect(f"needle/{stack.tenant}/dept/{SILENT}/event/overdue")
	n = DUE_PER_S * DUE_FOR_S
	begin = time.time() + 15
	place.db.all(f"""UPDATE needle.cases SET due_accept = date_trunc('second', to_timestamp({begin}) + (i / {DUE_PER_S}) * interval '1 second')
			FROM (SELECT number AS n, row_number() OVER (ORDER BY number) - 1 AS i FROM needle.cases
			WHERE lead = '{SILENT}' AND number LIKE 'AAA%%' ORDER BY number LIMIT {n}) x WHERE number = x.n""")
	place.db.all("UPDATE needle.timer t SET due_at = c.due_accept FROM needle.cases c WHERE c.number = t.number"
		     " AND c.due_accept < now() + interval '1 hour' AND c.number LIKE 'AAA%%'")
	place.load("--warmup", max(0.0, begin - time.time()), "--seconds", DUE_FOR_S, "--rate", 1000, "--no-cards")
	wait_for(lambda: len(heard) >= n, 30, f"{n} limits that passed")
	since = time.time() - time.monotonic()
	late = [m.at + since - datetime.fromisoformat(m.json["due"]["accept"]).timestamp() for m in heard]
	if len(late) != n:
		raise wrong(f"{len(late)} of {n} limits were told")
	late.sort()
	note(f"    {n} limits at {DUE_PER_S}/s: lag p50 {late[n // 2]:.3f} s, p99 {late[n * 99 // 100]:.3f} s, worst {late[-1]:.3f} s")
	figures.add("life.fire_lag_p99_s", late[n * 99 // 100], "s")


def join(figures, place, note, wrong):
	"""How long it takes to find what a new report may be the same matter as, among a million open cases."""
	argv = [os.path.join(place.build, "bench", "join"), place.stack.env["NEEDLE_PG_DSN"], place.stack.env["NEEDLE_CONFIG"]]
	for what in ("fill", "ask"):
		if what == "ask":
			place.db.all("VACUUM ANALYZE needle.matter, needle.report, needle.person")
		done = subprocess.run([*argv, what, str(OPEN)], capture_output=True, text=True, check=False)
		if done.returncode:
			raise wrong(f"join: {done.stderr}")
	result = json.loads(done.stdout)
	note(f"    {result['asked']} reports among {OPEN} open cases: p50 {result['p50_ms']:.3f} ms, p99 {result['p99_ms']:.3f} ms, "
	     f"{result['candidates']:.1f} candidates each, {result['same']} the same")
	if result["same"] == 0:
		raise wrong("nothing was ever the same matter")
	figures.add("life.join_p99_ms", result["p99_ms"], "ms")


def life(figures, a, make_place, note, wrong):
	for _ in range(a.runs):
		if figures.wanted("life.transitions_per_s"):
			with make_place() as place:
				transitions(figures, place, note, wrong)
		clocks = figures.wanted("life.fire_lag_p99_s", "life.start_s", "life.reconcile_s")
		if clocks or figures.wanted("life.join_p99_ms"):
			with make_place(folder) as place:
				fill_open(place, note)
				if figures.wanted("life.join_p99_ms"):
					join(figures, place, note, wrong)
				if clocks:
					start(figures, place, note)
					fire(figures, place, note, wrong)
