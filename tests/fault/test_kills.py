"""kill -9 under load: of the daemon at any moment and at each named point, of PostgreSQL, of the broker.
Nothing that was sent by a producer who keeps its word is lost, nothing happens twice."""
import os
import time

import pytest
from accidents import POINTS, Accidents
from lib.wait import wait_for
from load import Load
from scale import scale
from verdict import Verdict, quiet

RATE = int(os.environ.get("NEEDLE_LOAD") or scale(1000, 2000))
SEED = int(os.environ.get("NEEDLE_SEED") or time.time())
FLOOR = min(250, RATE / 2)      # reports a second that the broker takes at least, whatever else the machine does: README.md has what is reached
AT_POINTS, AT_RANDOM, OF_POSTGRES, OF_BROKER = scale((4, 17, 5, 5), (12, 103, 20, 20))


class Story:
	"""One long load with every kind of kill in it; the tests look at its parts."""

	def __init__(self, stack):
		self.since = time.monotonic()
		self.load = Load(stack, RATE)
		self.accidents = Accidents(stack, self.load, SEED)
		self.parts, self.reached = {}, {}
		for phase, name, happen in (("k", "needled", self.of_needled), ("p", "postgres", self.of_postgres),
					    ("b", "broker", self.of_broker)):
			self.part(stack, phase, name, happen)
		self.load.drain()
		quiet(stack, self.load)
		self.load.close()
		self.seconds = time.monotonic() - self.since
		self.verdict = Verdict(stack, self.load)

	def part(self, stack, phase, name, happen):
		since, kills = time.monotonic(), len(self.accidents.moments)
		self.load.start(phase)
		happen(stack)
		self.works()
		recovery = self.accidents.recovery(kills)
		assert self.load.drain(), f"{name}: {len(self.load.reports)} reports have no receipt"
		quiet(stack, self.load)
		sent, connected = sum(p == phase for p in self.load.attempted.values()), self.load.connected_s[phase]
		self.reached[phase] = self.load.taken[phase] / connected
		self.parts[phase] = (f"{len(self.accidents.moments) - kills} × kill -9 of {name} in {time.monotonic() - since:.0f} s, {self.reached[phase]:.0f} reports/s"
				     f" ({sent / connected:.0f} of them new) in the {connected:.0f} s in which the load had its broker", recovery)

	def works(self):
		seen = len(self.load.receipt_times)
		wait_for(lambda: len(self.load.receipt_times) > seen + RATE // 5, 20, "work under way")

	def of_needled(self, stack):
		plan = list(POINTS) * AT_POINTS + [None] * AT_RANDOM
		self.accidents.dice.shuffle(plan)
		db = stack.db()
		wait_for(lambda: db.value("SELECT count(*) FROM needle.queue") > 2 * POINTS["in-reconcile"], 30, "cards enough")
		self.accidents.kill()
		for point in plan:
			if point:
				self.accidents.at_point(point)
			else:
				self.accidents.at_random()
		stack.up()

	def of_server(self, stack, what, n):
		for i in range(n):
			self.works()
			if what == "broker" and i % 2:  # after the kill it knows what was under way
				self.load.save_broker()
			self.accidents.kill(what)
			stack.up()

	def of_postgres(self, stack):
		self.of_server(stack, "postgres", OF_POSTGRES)

	def of_broker(self, stack):
		self.of_server(stack, "broker", OF_BROKER)


@pytest.fixture(scope="module")
def story(stack):
	return Story(stack)


def tell(capsys, story, phase):
	what, recovery = story.parts[phase]
	with capsys.disabled():
		print(f"\n{what}: {story.verdict.line(phase)}; {recovery}")
	assert story.reached[phase] >= FLOOR, "that was hardly a load"


def test_kills_of_the_daemon(story, capsys):
	tell(capsys, story, "k")
	assert len(story.accidents.moments) == AT_POINTS * len(POINTS) + AT_RANDOM + 1 + OF_POSTGRES + OF_BROKER == scale(60, 240)


def test_kills_of_postgres(story, capsys):
	tell(capsys, story, "p")


def test_kills_of_the_broker(story, capsys):
	tell(capsys, story, "b")


def test_every_promise_holds_at_the_end(story, capsys):
	v = story.verdict
	with capsys.disabled():
		print(f"\nseed {SEED}: {len(v.cases)} cases, {v.heard} events heard, {v.repeated} of them again, {len(v.early)} before"
		      f" the one before them, {v.cards} cards; {len(story.load.results)} commands; {story.seconds:.0f} s")
	v.must_be_good()
	assert not v.early, "a department heard of something before what it should have known"
