"""PostgreSQL is away for ten seconds under load, or for a minute: the inbox carries what comes, the daemon says that it is
not ready, and stores everything once the database is back."""
import signal
import time

from lib.wait import wait_for
from load import Load
from scale import scale
from verdict import Verdict, quiet

RATE, AWAY_S = scale((400, 10), (1000, 60))


def rss_mib(pid):
	with open(f"/proc/{pid}/status", encoding="ascii") as f:
		return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:")) // 1024


def test_the_inbox_carries_what_comes_without_the_database(stack, capsys):
	load, pid = Load(stack, RATE, window=2 * RATE * AWAY_S, resend=False), stack.pid()
	load.start("a")
	wait_for(lambda: len(load.receipts) > RATE, 20, "work under way")
	since = time.monotonic()
	stack.kill("postgres", number=signal.SIGINT)
	wait_for(lambda: stack.http("/readyz")[0] == 503, 5, "unready")
	unready = time.monotonic() - since
	most, answers = 0, []

	def away_long_enough():
		nonlocal most
		most = max(most, stack.ctl_json("status")["inbox"])
		answers.append(stack.http("/readyz"))
		return time.monotonic() > since + AWAY_S
	wait_for(away_long_enough, AWAY_S + 5, "the database being away", every=0.1)
	assert {code for code, _ in answers} == {503} and "database" in answers[-1][1], answers[-1]
	assert most > RATE, "the inbox took nothing"
	rss = rss_mib(pid)
	stack.up()
	back = time.monotonic()
	assert load.drain(), f"{len(load.reports)} reports have no receipt"
	first = next(t for t in load.receipt_times if t > back)
	quiet(stack, load)
	load.close()
	verdict = Verdict(stack, load)
	with capsys.disabled():
		print(f"\nPostgreSQL away for {AWAY_S} s: unready after {unready:.2f} s, {most} messages in the inbox, {rss} MiB; first"
		      f" receipt {first - back:.2f} s after its return; {verdict.line('a')}")
	assert stack.pid() == pid and stack.http("/readyz")[0] == 200
	verdict.must_be_good()
