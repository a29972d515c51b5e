"""Moving a simulated office's clock."""
import datetime

from lib.wait import wait_for


def now(office):
	return datetime.datetime.fromisoformat(office.stack.ctl_json("clock", "show")["now"])


def go(office, at):
	"""Moves the clock and waits until the gateway has looked at what is due."""
	office.clock("set", at.isoformat())
	mark = office.case(text="时间到")
	office.event(mark, "assigned")
	overdue = "select count(*) from needle.timer where due_at <= %s"
	wait_for(lambda: office.db.value(overdue, at) == 0, what="timers to fire")
