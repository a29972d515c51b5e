"""PostgreSQL is shut down and started again under load, as `systemctl restart postgresql` does it: sessions are told that they
end, wherever they are, often right after a commit. The daemon goes on with what was in work."""
import signal
import time

from lib.wait import wait_for
from load import Load
from scale import scale
from verdict import Verdict, quiet

RATE, RESTARTS = scale((400, 4), (1000, 20))


def test_a_database_that_is_restarted_is_used_again(stack, capsys):
	load, pid, back = Load(stack, RATE), stack.pid(), []
	load.start("r")
	for _ in range(RESTARTS):
		seen = len(load.receipts)
		wait_for(lambda n=seen: len(load.receipts) > n + RATE // 4, 20, "work under way")
		stack.kill("postgres", number=signal.SIGINT)
		stack.up()
		since, seen = time.monotonic(), len(load.receipts)
		wait_for(lambda n=seen: len(load.receipts) > n, 20, "a receipt after the restart")
		back.append(time.monotonic() - since)
	assert load.drain(), f"{len(load.reports)} reports have no receipt"
	quiet(stack, load)
	load.close()
	verdict = Verdict(stack, load)
	with capsys.disabled():
		print(f"\n{RESTARTS} restarts of PostgreSQL: {verdict.line('r')}; a receipt {sorted(back)[len(back) // 2]:.2f} s after (worst {max(back):.2f})")
	assert stack.pid() == pid and stack.http("/readyz")[0] == 200
	verdict.must_be_good()
