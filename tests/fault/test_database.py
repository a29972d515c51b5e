"""PostgreSQL is away for ten seconds under load, or for a minute: the inbox carries what comes, the daemon says that it is
not ready, and stores everything once the database is back. It has no more memory for it than it ever has."""
import os
import signal
import time

from lib.stack import BUILD
from lib.wait import wait_for
from load import Load
from scale import scale
from verdict import Verdict, quiet

RATE, AWAY_S = scale((400, 10), (1000, 60))
SHARE, MEMORY_MIB = 0.8, 64     # of the rate, on a busy machine


def peak_mib(pid):
	"""The most that it has ever had."""
	with open(f"/proc/{pid}/status", encoding="ascii") as f:
		return next(int(line.split()[1]) for line in f if line.startswith("VmHWM:")) / 1024


def test_the_inbox_carries_what_comes_without_the_database(stack, capsys):
	load, pid = Load(stack, RATE, window=2 * RATE * AWAY_S, resend=False), stack.pid()
	load.start("a")
	wait_for(lambda: len(load.receipts) > RATE, 20, "work under way")
	since, before = time.monotonic(), len(load.handed_over)
	stack.kill("postgres", number=signal.SIGINT)
	wait_for(lambda: stack.http("/readyz")[0] == 503, 5, "unready")
	unready = time.monotonic() - since
	came, most, answers = 0, 0, []

	def away_long_enough():
		nonlocal came, most
		came = len(load.handed_over) - before
		most = max(most, stack.ctl_json("status")["inbox"])
		answers.append(stack.http("/readyz"))
		return time.monotonic() > since + AWAY_S
	wait_for(away_long_enough, AWAY_S + 5, "the database being away", every=0.1)
	assert {code for code, _ in answers} == {503} and "database" in answers[-1][1], answers[-1]
	assert came >= SHARE * RATE * AWAY_S, "the load was not what it should have been"
	assert most >= 0.95 * came, f"the broker was given {came} meanwhile, the inbox has {most}"
	away = peak_mib(pid)
	stack.up()
	back = time.monotonic()
	assert load.drain(), f"{len(load.reports)} reports have no receipt"
	first = next(t for t in load.receipt_times if t > back)
	quiet(stack, load)
	load.close()
	verdict = Verdict(stack, load)
	assert stack.pid() == pid and stack.running() and stack.http("/readyz")[0] == 200
	peak = peak_mib(pid)
	with capsys.disabled():
		print(f"\nPostgreSQL away for {AWAY_S} s: unready after {unready:.2f} s, {most} messages in the inbox; memory at most {away:.1f} MiB"
		      f" until then, {peak:.1f} MiB to the end; first receipt {first - back:.2f} s after its return; {verdict.line('a')}")
	if os.path.basename(BUILD) != "san":    # it keeps what was freed
		assert peak <= MEMORY_MIB
	verdict.must_be_good()
