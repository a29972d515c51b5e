"""A simulated street has one time, however many daemons it has and whichever of them works."""
from lib.wait import wait_for

STACK = {"simulate": "2026-11-23 09:00:00"}


def now(office, instance):
	return office.stack.ctl_json("clock", "show", instance=instance)["now"][:16]


def test_the_daemon_that_takes_over_goes_on_from_the_time_of_the_other(office):
	office.stack.up(instance="b")
	case = office.case(text="路灯不亮", category="市政/路灯")
	office.clock("set", "2026-11-23 11:00")
	assert now(office, "a") == "2026-11-23T11:00"
	wait_for(lambda: office.db.value("select now_at >= '2026-11-23 11:00+08' from needle.sim_clock"), what="the clock to be stored")
	office.stack.kill(instance="a")
	wait_for(lambda: office.stack.http("/readyz", "b")[0] == 200, 10, "the takeover")
	assert now(office, "b") == "2026-11-23T11:00"
	office.stack.ctl("clock", "set", "2026-11-23 14:30", instance="b")       # 4 working hours are over
	assert office.event(case, "overdue", "chengguan", clock="accept")
	office.stack.up()
	assert now(office, "a") == "2026-11-23T14:30"


def test_time_that_is_moved_at_the_standby_moves_for_both(office):
	assert office.stack.http("/readyz")[0] == 503, "a stands by since"
	case = office.case(text="路灯不亮", category="市政/路灯")
	office.clock("set", "2026-11-24 14:30")
	wait_for(lambda: now(office, "b") == "2026-11-24T14:30", 10, "the time at b")
	assert office.event(case, "overdue", "chengguan", clock="accept")
