"""Two daemons of one street: one works, one stands by. Whoever goes, and however, the other takes over
within five seconds and nothing is lost, doubled or left untold."""
import os
import signal
import time

import pytest
from lib.wait import wait_for
from load import Load
from verdict import Verdict, quiet

RATE, BOUND_S = 400, 5.0


class Pair:
	def __init__(self, stack):
		self.stack, self.gaps = stack, {}
		stack.kill()
		self.log = stack.log_size()
		stack.up(env={"NEEDLE_FAULT": f"after-append:{3 * RATE}"})
		stack.up(instance="b")
		self.load = Load(stack, RATE)
		self.load.start("t")
		self.flows()
		self.during("kill -9 of a", self.kill_a)
		stack.up(instance="a")          # stands by now, and empties what its former life left
		self.during("SIGTERM to b", lambda: stack.kill("needled", "b", signal.SIGTERM))
		stack.up(instance="b")
		self.during("a stopped, its database sessions ended", self.freeze_a)
		os.kill(stack.pid(instance="a"), signal.SIGCONT)        # it still believes that it is active
		wait_for(lambda: stack.ctl_json("status", instance="a")["active"] is False, 15, "a gives up")
		self.flows()
		assert self.load.drain(), f"{len(self.load.reports)} reports have no receipt"
		quiet(stack, self.load, instances=("a", "b"))
		self.load.close()
		self.verdict = Verdict(stack, self.load)

	def flows(self):
		seen = len(self.load.receipt_times)
		wait_for(lambda: len(self.load.receipt_times) > seen + RATE, 20, "work under way")

	def during(self, name, accident):
		begin = time.monotonic()
		accident()
		since = time.monotonic()
		wait_for(lambda: len([t for t in self.load.receipt_times[-RATE:] if t > since + 0.2]) > RATE // 4, 20,
			 f"receipts after {name}", every=0.01)
		times = [t for t in self.load.receipt_times if t > begin - 1]
		self.gaps[name] = max(b - a for a, b in zip(times, times[1:]))
		self.flows()

	def kill_a(self):
		"""It kills itself with a message in its inbox that nobody else has."""
		wait_for(lambda: not self.stack.running(), 20, "the end of a", every=0.005)
		assert self.stack.faults(self.log) == ["after-append"], self.stack.log()[-2000:]

	def freeze_a(self):
		os.kill(self.stack.pid(instance="a"), signal.SIGSTOP)
		rows = self.stack.db().all("SELECT l.pid FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted")
		for row in rows:
			self.stack.db().value("SELECT pg_terminate_backend(%s)", row["pid"])


@pytest.fixture(scope="module")
def pair(stack):
	return Pair(stack)


def test_the_other_daemon_works_within_five_seconds(pair, capsys):
	with capsys.disabled():
		print("\ntakeover: " + ", ".join(f"{name} {gap:.2f} s" for name, gap in pair.gaps.items()))
	assert all(gap <= BOUND_S for gap in pair.gaps.values()), pair.gaps


def test_nothing_is_lost_doubled_or_left_untold_by_a_takeover(pair, capsys):
	with capsys.disabled():
		print(f"\ntakeover under {RATE}/s: {pair.verdict.line('t')}")
	pair.verdict.must_be_good()
