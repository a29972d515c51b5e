"""The wall clock of the daemon jumps by an hour, to and fro, under load: waits and deadlines of the machinery
go by the monotonic clock, ids stay unique, and a limit falls due when the clock says so."""
import os
import struct
import tempfile
import time

import pytest
from lib.stack import ROOT, Stack
from lib.wait import wait_for
from load import Load
from scale import scale
from verdict import Verdict, quiet

RATE, JUMPS = 300, scale(2, 10)
HOUR_US = 3600 * 10**6
STALL_S = 5.0   # of an hour, on a busy machine


class Jumps:
	def __init__(self, stack, clock):
		self.stack, self.clock, self.stalls = stack, clock, {}
		self.load, self.pid = Load(stack, RATE), stack.pid()
		self.load.start("c")
		self.flows()
		for i in range(JUMPS):
			for name, us in (("an hour on", HOUR_US), ("an hour back", 0), ("an hour before", -HOUR_US), ("right again", 0)):
				since = time.monotonic()
				self.jump(us)
				self.flows()
				times = [t for t in self.load.receipt_times if t >= since - 0.5]
				self.stalls[f"{name}, {i}"] = max(b - a for a, b in zip(times, times[1:]))
		assert self.load.drain(), f"{len(self.load.reports)} reports have no receipt"
		quiet(stack, self.load)
		self.load.close()
		self.verdict = Verdict(stack, self.load)

	def jump(self, us):
		self.clock.seek(0)
		self.clock.write(struct.pack("=q", us))
		self.clock.flush()

	def flows(self):
		seen = len(self.load.receipt_times)
		wait_for(lambda: len(self.load.receipt_times) > seen + RATE // 2, 20, "work under way", every=0.01)


@pytest.fixture(scope="module")
def jumps():
	with tempfile.NamedTemporaryFile(prefix="needle-clock-") as clock:
		clock.write(bytes(8))
		clock.flush()
		stack = Stack(os.path.join(ROOT, "build", "run", f"clock-{os.getpid()}"), environment={"NEEDLE_CLOCK": clock.name})
		try:
			yield Jumps(stack.up(), clock)
		finally:
			stack.down()


def test_the_clock_really_jumped(jumps):
	rows = jumps.stack.db().one("SELECT max(at) - min(at) AS span FROM needle.history")
	assert 7200 < rows["span"].total_seconds() < 9000, rows


def test_a_jump_of_the_clock_costs_no_time_and_no_message(jumps, capsys):
	with capsys.disabled():
		print(f"\n{len(jumps.stalls)} jumps of the clock by an hour: longest wait for a receipt {max(jumps.stalls.values()):.2f} s; "
		      f"{jumps.verdict.line('c')}")
	assert jumps.stack.pid() == jumps.pid and jumps.stack.running()
	assert max(jumps.stalls.values()) < STALL_S, jumps.stalls
	jumps.verdict.must_be_good()


def test_a_limit_falls_due_when_the_clock_says_so(jumps):
	"""Two months on everything is late; what rang is not unrung, nor rings again, when the clock goes back."""
	db = jumps.stack.db()
	number = jumps.load.receipts[next(k for k in jumps.load.receipts if k[1] == "n")][1]
	jumps.jump(60 * 24 * HOUR_US)
	overdue = "SELECT count(*) FROM needle.history WHERE kind = 'overdue'"
	wait_for(lambda: db.value(overdue) > 0, 20, "limits that are over")
	wait_for(lambda: db.value("SELECT count(*) FROM needle.timer WHERE due_at < now() + interval '59 days'") == 0, 60, "all of them")
	jumps.jump(0)
	seen = db.value(overdue)
	case = jumps.stack.client("in-patrol").report("patrol", "after", {"id": "after-1", "text": "之后"})["case"]
	assert case != number and db.value("SELECT count(*) FROM needle.history WHERE number = %s", case) >= 1
	assert db.value(overdue) == seen
	twice = db.all("SELECT number, kind, note, leg, count(*) FROM (SELECT h.number, h.kind, h.note, h.detail::text AS leg FROM needle.history h"
		       " WHERE kind = 'overdue') h GROUP BY 1, 2, 3, 4 HAVING count(*) > 1")
	assert not twice, twice[:3]
