"""Clocks running while two daemons, the broker and PostgreSQL are killed: a street whose minute is a second, cases
that meet their limits, miss them, are extended, suspended, returned, whistled for, handled again. What the daemons
wrote down is compared with a simulation by the pure core of the same reports and commands (tests/fault/lives.c):
every step of every ladder happened, once, in order, and nothing else did."""
import collections
import json
import os
import random
import signal
import subprocess
import time

import pytest
from lib.stack import BUILD, ROOT, Stack, gone
from lib.wait import wait_for
from load import CHANNEL
from scale import scale
from street import SPEED, START, Lives, folder
from verdict import Verdict, quiet

RATE = 12                               # new cases a second; each says and hears some ten things
SEED = int(os.environ.get("NEEDLE_SEED") or time.time())
ACCIDENTS = collections.Counter(scale({"kill": 9, "point": 4, "end": 4, "freeze": 2, "standby": 4, "postgres": 1, "broker": 1},
				      {"kill": 65, "point": 25, "end": 30, "freeze": 16, "standby": 24, "postgres": 20, "broker": 20}))
LADDER = ("due_soon", "overdue", "reminded", "escalated", "supervised", "cleared")
POINTS = ("before-commit", "after-commit", "before-publish", "before-outbox-delete")


class Pair:
	"""Two daemons of one street, and what can happen to them."""

	def __init__(self, stack, seed, env=None):
		self.stack, self.dice, self.env, self.n = stack, random.Random(seed), env or {}, 0
		for instance in "ab":
			self.up(instance)

	def up(self, instance, env=None):
		self.stack.up(instance, dict(self.env, **(env or {})))

	def roles(self):
		"""(who works, who stands by), once one of them does."""
		def active():
			for instance in "ab":
				if self.stack.running(instance=instance) and self.is_active(instance):
					return instance
			return None
		works = wait_for(active, 20, "a daemon that works")
		return works, "b" if works == "a" else "a"

	def is_active(self, instance):
		done = self.stack.ctl("status", "--format", "json", instance=instance)
		return done.returncode in (0, 1) and json.loads(done.stdout)["active"]

	def both(self):
		for instance in "ab":
			if not self.stack.running(instance=instance):
				self.up(instance)

	def happen(self, accident):
		self.both()
		works, stands_by = self.roles()
		getattr(self, accident)(works, stands_by)
		self.n += 1

	# ---- accidents ----
	def kill(self, works, stands_by):
		self.stack.kill(instance=works)
		self.up(works)

	def point(self, works, stands_by):
		"""Who takes over dies at a named point of its work, too."""
		self.stack.kill(instance=stands_by)
		point, log = self.dice.choice(POINTS), self.stack.log_size(stands_by)
		self.up(stands_by, {"NEEDLE_FAULT": f"{point}:{self.dice.randint(1, 9)}"})
		self.stack.kill(instance=works)
		wait_for(lambda: not self.stack.running(instance=stands_by), 20, "the end at that point")
		assert self.stack.faults(log, stands_by) == [point], f"it ended elsewhere than at {point}: {self.stack.log(stands_by)[-2000:]}"
		self.both()

	def end(self, works, stands_by):
		self.stack.kill(instance=works, number=signal.SIGTERM)
		self.up(works)

	def standby(self, works, stands_by):
		self.stack.kill(instance=stands_by)
		self.up(stands_by)

	def freeze(self, works, stands_by):
		"""It sleeps, its sessions are ended, the other takes over; then it wakes and believes that it is active."""
		pid = self.stack.pid(instance=works)
		os.kill(pid, signal.SIGSTOP)
		db = self.stack.db()
		for row in db.all("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"):
			db.value("SELECT pg_terminate_backend(%s)", row["pid"])
		wait_for(lambda: gone(self.stack.pid(instance=stands_by)) or self.is_active(stands_by), 20, "the takeover")
		os.kill(pid, signal.SIGCONT)

	def postgres(self, works, stands_by):
		self.stack.kill("postgres")
		time.sleep(self.dice.uniform(0, 2))     # limits pass while it is away
		self.stack.up()

	def broker(self, works, stands_by):
		self.stack.kill("broker")
		time.sleep(self.dice.uniform(0, 2))
		self.stack.up()

	def stand_still(self):
		"""Both go on with a clock that stands."""
		for instance in "ab":
			if self.stack.running(instance=instance):
				self.stack.kill(instance=instance)
		self.stack.options[self.stack.options.index("--speed") + 1] = "0"
		for instance in "ab":
			self.stack.up(instance, self.env)


class Judgement(Verdict):
	"""A case may be resolved and rated in each of its legs; whether it was, the simulation says."""

	def look_at_histories(self):
		rows = self.db.all("SELECT number, min(seq) AS low, max(seq) AS high, count(*) AS n FROM needle.history"
				   " GROUP BY number")
		self.fault("histories with a hole", [r for r in rows if r["low"] != 1 or r["high"] != r["n"]])


class Comparison:
	"""Histories as stored, and as they must be."""

	def __init__(self, stack, load):
		db = stack.db()
		self.load, self.stored, self.faults = load, collections.defaultdict(list), []
		for h in db.all("SELECT number, needle.micros(at) AS at, kind, department, by, note, detail"
				" FROM needle.history ORDER BY number, seq"):
			self.stored[h.pop("number")].append([h["at"], h["kind"], h["department"], h["by"], h["note"], h["detail"]])
		self.commands = {r["request"]: r for r in
				 db.all("SELECT request, needle.micros(at) AS at, result FROM needle.command")}
		self.received = {r["report"]: r["at"] for r in
				 db.all("SELECT report, needle.micros(received_at) AS at FROM needle.cases")}
		self.end = db.value("SELECT needle.micros(now_at) FROM needle.sim_clock")
		self.folder = stack.env["NEEDLE_CONFIG"]
		self.compare()

	def instant(self, key, rows):
		"""When an act was carried out; None: it left no trace."""
		if key in self.commands:
			at = self.commands[key]["at"]
			return at if any(row[0] == at for row in rows) else None
		return next((row[0] for row in rows if row[5] and row[5].get("id") == key and row[5].get("channel") == CHANNEL), None)

	def life(self, life):
		"""As lives.c reads it: acts and looks in the order in which they left their rows."""
		rows, acts = self.stored[life.case], collections.defaultdict(list)
		first, *others = life.acts.items()
		for key, (topic, payload) in others:
			at = self.instant(key, rows)
			if at is None and '"kind": "withdraw"' in payload:
				at = next((row[0] for row in rows if row[1] == "closed" and row[4] == "withdrawn"), None)
			acts[at].append({"at": at, "topic": topic, "payload": payload})
		acts.pop(None, None)
		course = [{"at": rows[0][0], "topic": first[1][0], "payload": first[1][1]}]
		until = 0       # two daemons' clocks may differ by a moment: what one has seen pass is over for both
		for at in dict.fromkeys(row[0] for row in rows[1:] if row[0] != rows[0][0]):
			until = max(until, at)
			course += [dict(act, until=until) for act in acts.get(at) or [{"at": at}]]
		return {"number": life.case, "received_at": self.received[life.key], "opened_at": rows[0][0], "end": self.end, "acts": course}

	def simulated(self, lives, how):
		said = "".join(json.dumps(life, ensure_ascii=False) + "\n" for life in lives)
		done = subprocess.run([os.path.join(BUILD, "torture", "lives"), self.folder, how], input=said, capture_output=True,
				      text=True, check=False)
		assert done.returncode == 0, done.stderr
		return {life["number"]: life["rows"] for life in map(json.loads, done.stdout.splitlines())}

	def compare(self):
		self.cases = [life for life in self.load.lives.values() if life.case]
		lives = [self.life(life) for life in self.cases]
		by_look, by_wake = self.simulated(lives, "looks"), self.simulated(lives, "wakes")
		self.missed = self.doubled = self.steps = 0
		self.other, self.disordered = [], []
		for life in self.cases:
			rows = self.stored[life.case]
			if rows != by_look[life.case]:
				i = next((i for i, (a, b) in enumerate(zip(rows, by_look[life.case])) if a != b),
					 min(len(rows), len(by_look[life.case])))
				self.other.append((life.script.__name__, life.case, i, rows[i:i + 1], by_look[life.case][i:i + 1]))
			have, must = ladder(rows), ladder(by_wake[life.case])
			self.missed += (collections.Counter(must) - collections.Counter(have)).total()
			self.doubled += (collections.Counter(have) - collections.Counter(must)).total()
			self.steps += len(must)
			if have != must:
				self.disordered.append((life.script.__name__, life.case, [x for x in zip(have, must) if x[0] != x[1]][:1]))

	def marked_late(self):
		"""Steps that nobody was there to take in time."""
		return sum(1 for rows in self.stored.values() for row in rows
			   if row[1] in LADDER and row[1] != "cleared" and row[5] and row[5].get("late"))

	def line(self):
		kinds = collections.Counter(row[1] for rows in self.stored.values() for row in rows if row[1] in LADDER)
		return (f"{len(self.cases)} cases, {sum(map(len, self.stored.values()))} rows, {self.steps} steps of ladders compared:"
			f" {self.missed} missed, {self.doubled} doubled; {self.marked_late()} marked late; "
			+ ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items())))


def ladder(rows):
	"""What clocks did, leg by leg, in order. An order's own limit counts from when it was given, which is when
	somebody was there to give it: that part is compared at the instants of the real looks only."""
	leg, found = 1, []
	for _, kind, department, _, note, detail in rows:
		if kind == "reopened":
			leg += 1
		if kind in LADDER and detail and "clock" in detail and detail["clock"] != "order":
			found.append((leg, kind, department, note, detail["clock"], detail.get("due")))
	return found


class Story:
	def __init__(self, stack, accidents, seconds, env=None):
		self.stack, since = stack, time.monotonic()
		self.pair = Pair(stack, SEED, env)
		self.load = Lives(stack, RATE, SEED)
		self.load.start("l")
		self.progress(15)
		plan = list(accidents.elements())
		self.pair.dice.shuffle(plan)
		for accident in plan:
			self.pair.happen(accident)
			self.progress(1)
		self.pair.both()
		wait_for(lambda: time.monotonic() > since + seconds, seconds + 1, "limits to pass", every=0.1)
		assert self.load.end(), f"{len(self.load.reports)} reports, {len(self.load.commands)} commands without an answer"
		self.pair.stand_still()
		stack.ctl("clock", "add", "3 小时")
		quiet(stack, self.load, 90, "ab", due="needle.timer, needle.sim_clock WHERE due_at <= now_at")
		self.load.close()
		self.seconds = time.monotonic() - since
		self.comparison = Comparison(stack, self.load)

	def progress(self, n):
		seen = len(self.load.receipt_times) + len(self.load.results)
		def more():
			self.pair.both()
			return len(self.load.receipt_times) + len(self.load.results) > seen + n
		wait_for(more, 40, "work under way", every=0.1)


def street(name, tmp_path_factory):
	return Stack(os.path.join(ROOT, "build", "run", f"{name}-{os.getpid()}"), config=folder(tmp_path_factory.mktemp("config")),
		     simulate=START, speed=SPEED)


@pytest.fixture(scope="module")
def story(tmp_path_factory):
	stack = street("lives", tmp_path_factory)
	try:
		yield Story(stack.up(), ACCIDENTS, scale(30, 300))
	finally:
		stack.down()


def test_every_step_of_every_ladder_happened_once_and_in_order(story, capsys):
	c = story.comparison
	with capsys.disabled():
		print(f"\nseed {SEED}: {story.pair.n} accidents in {story.seconds:.0f} s: {c.line()}; {len(story.load.denied)} commands refused")
	assert story.pair.n == ACCIDENTS.total() == scale(25, 200)
	assert (c.missed, c.doubled) == (0, 0), c.disordered[:5]
	assert not c.disordered, c.disordered[:3]
	assert c.steps > 5 * len(c.cases) // 2 and c.marked_late() > 0, "the clocks had hardly anything to do"


def test_the_histories_are_those_of_the_simulation_row_by_row(story):
	assert not story.comparison.other, f"{len(story.comparison.other)}: {story.comparison.other[:3]}"


def test_departments_heard_all_of_it(story):
	Judgement(story.stack, story.load).must_be_good()


def test_a_daemon_that_forgets_what_it_has_done_is_found_out(tmp_path_factory, capsys):
	stack = street("forgetful", tmp_path_factory)
	try:
		forgets = {"NEEDLE_BREAK": "forget-fired"}
		c = Story(stack.up(env=forgets), collections.Counter(), 8, forgets).comparison
	finally:
		stack.down()
	with capsys.disabled():
		print(f"\nwhat has happened is not saved: {c.line()}")
	assert c.doubled > 0
