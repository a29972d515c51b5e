"""A simulated clock that runs: whoever goes on with it is never behind what has been written down already."""
import signal

from lib.wait import wait_for

STACK = {"simulate": "2026-11-23 09:00:00", "speed": 3600}      # a second is an hour


def written(office, case):
	return [h["at"] for h in office.history(case)]


def test_time_does_not_go_back_over_a_kill_or_a_takeover(office):
	office.stack.up(instance="b")
	works, case = "a", office.case(text="路灯不亮", category="市政/路灯")
	for number in (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
		office.say(case, "supplement", text="还没亮")
		office.stack.kill(instance=works, number=number)
		other = "b" if works == "a" else "a"
		wait_for(lambda i=other: office.stack.http("/readyz", i)[0] == 200, 15, "the takeover")
		office.say(case, "supplement", text="还是没亮")
		office.stack.up(instance=works)
		works = other
	found = written(office, case)
	assert found == sorted(found)
