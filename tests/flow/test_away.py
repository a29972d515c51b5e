"""Limits that pass while nobody can hear of them: PostgreSQL away, the broker away, the clock moved by an hour and
by a month. What fell due meanwhile is done when it can be: in order, once, and marked late."""
import datetime
import os
import signal

from lib.moments import go, now
from lib.wait import wait_for

STACK = {"simulate": "2026-11-23 09:00:00"}
LEAK = {"category": "物业/漏水", "text": "天花板漏水"}           # wuye, policy 普通, ladder 标准
LADDER = [("overdue", "contact"), ("overdue", "accept"), ("reminded", "accept"), ("due_soon", "resolve"),
	  ("overdue", "resolve"), ("escalated", "resolve"), ("supervised", "resolve"), ("escalated", "resolve")]
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)


def rows(office, case):
	"""What the case's own clocks have done."""
	return [h for h in office.history(case) if h["detail"] and h["detail"].get("clock") in ("accept", "contact", "resolve")]


def steps(found):
	return [(h["kind"], h["detail"]["clock"]) for h in found]


def wait_for_steps(office, case, n):
	return wait_for(lambda: len(rows(office, case)) >= n and rows(office, case), 20, f"{n} steps of {case}")


def all_told(office, case):
	"""What the department has heard, which must be in the order of the history."""
	heard = {e["seq"]: (e["kind"], e["clock"]) for e in office.events(case, department="wuye")
		 if e.get("clock") in ("accept", "contact", "resolve")}
	assert list(heard) == sorted(heard)
	return list(heard.values())


def test_what_falls_due_while_postgres_is_away_is_done_when_it_is_back(office):
	cases = [office.case(**LEAK) for _ in range(3)]
	for clock in ("contact", "accept"):
		go(office, office.row(cases[0])["due_" + clock])
	assert [steps(rows(office, c)) for c in cases] == [LADDER[:3]] * 3
	late_from = office.row(cases[0])["due_resolve"] + 12 * DAY
	office.stack.kill("postgres")
	wait_for(lambda: office.stack.http("/readyz")[0] == 503, 10, "unready")
	for at in (late_from - 10 * DAY, late_from - 5 * DAY, late_from):
		office.clock("set", at.isoformat())
	office.stack.up()
	office.new_database()
	for case in cases:
		found = wait_for_steps(office, case, len(LADDER))
		assert steps(found) == LADDER
		assert [h["detail"]["late"] for h in found] == [False] * 3 + [True] * 5
		assert [h["detail"]["due"] for h in found] == sorted(h["detail"]["due"] for h in found)
		assert all_told(office, case) == LADDER[:6] + [("supervised", "resolve")], "the last step speaks to dangzheng"
	go(office, now(office) + 20 * DAY)
	assert [steps(rows(office, c)) for c in cases] == [LADDER] * 3


def test_what_falls_due_while_the_broker_is_away_is_done_in_time_and_told_when_it_is_back(office):
	case = office.case(**LEAK)
	resolve = office.row(case)["due_resolve"]
	office.witness.quiet()
	os.kill(office.stack.pid("broker"), signal.SIGSTOP)      # a killed one would also forget who listens
	for at, n in ((office.row(case)["due_contact"], 1), (office.row(case)["due_accept"], 3), (resolve - HOUR, 4), (resolve, 6), (resolve + 12 * DAY, 8)):
		office.clock("set", at.isoformat())
		assert steps(wait_for_steps(office, case, n)) == LADDER[:n]
	assert [h["detail"]["late"] for h in rows(office, case)] == [False] * 3 + [True] + [False] * 2 + [True] * 2, \
		"the clock does not wait for the broker: late is only what it was moved over"
	waiting = office.db.value("select count(*) from needle.outbox where number = %s", case)
	assert waiting >= 8, "kept until somebody can hear it"
	os.kill(office.stack.pid("broker"), signal.SIGCONT)
	office.event(case, "supervised", "wuye", bound=30)
	assert all_told(office, case) == LADDER[:6] + [("supervised", "resolve")]
	assert office.event(case, "escalated", "dangzheng", level=3)


def test_an_hour_on_and_the_hour_that_is_refused(office):
	case = office.case(**LEAK)
	due = office.row(case)["due_accept"]
	go(office, due - HOUR)
	for _ in range(2):
		assert ("overdue", "accept") not in steps(rows(office, case))
		before = now(office)
		done = office.stack.ctl("clock", "set", (before - HOUR).isoformat())
		assert done.returncode != 0 and "back" in done.stderr, done.stderr
		assert now(office) == before
	done = office.stack.ctl("clock", "add", "1 小时")
	assert done.returncode == 0 and now(office) == due
	assert office.event(case, "overdue", "wuye", clock="accept")
	found = [h for h in rows(office, case) if h["detail"]["clock"] == "accept"]
	assert [(h["kind"], h["detail"]["late"]) for h in found] == [("overdue", False), ("reminded", False)]


def test_thirty_days_on_everything_is_done_once_in_order_and_marked_late(office):
	go(office, (now(office) + (11 - now(office).weekday()) * DAY).replace(hour=10, minute=30))
	case = office.case(**LEAK)
	assert office.row(case)["due_accept"].strftime("%a %H:%M") == "Fri 16:00", "when the weekly list is made, too"
	assert office.stack.ctl("clock", "add", "30 自然日").returncode == 0
	found = wait_for_steps(office, case, len(LADDER))
	assert steps(found) == LADDER and all(h["detail"]["late"] for h in found)
	dues = [h["detail"]["due"] for h in found]
	assert dues == sorted(dues)
	assert office.stack.ctl("clock", "add", "30 自然日").returncode == 0
	go(office, now(office) + HOUR)
	assert steps(rows(office, case)) == LADDER
