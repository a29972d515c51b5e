"""What the clock does: reminders, limits, the ladder; each once, in order, whatever jumps or restarts.
Time stands until it is told; the module goes through a few weeks from a Monday on."""
import datetime
import signal

import pytest

from lib.moments import go, now
from lib.wait import wait_for

STACK = {"simulate": "2026-11-23 09:00:00"}
LEAK = {"category": "物业/漏水", "text": "天花板漏水"}           # wuye, policy 普通, ladder 标准
RUBBISH = {"category": "环卫/垃圾", "text": "垃圾箱满了"}        # huanwei, policy 当日
LADDER = [("overdue", "contact", None), ("overdue", "accept", None), ("reminded", "accept", None),
	  ("due_soon", "resolve", None), ("overdue", "resolve", None), ("escalated", "resolve", 1),
	  ("supervised", "resolve", 2), ("escalated", "resolve", 3)]
MINUTE = datetime.timedelta(minutes=1)


def jump(office, at):
	"""Moves the clock and waits only until that is stored."""
	office.clock("set", at.isoformat())
	wait_for(lambda: office.db.value("select now_at >= %s from needle.sim_clock", at), what="the clock to be stored")


def morning(office, weekday=0):
	"""The next Monday (or another day) at 09:00."""
	at = now(office)
	days = (weekday - at.weekday()) % 7 or 7
	go(office, (at + datetime.timedelta(days=days)).replace(hour=9, minute=0, second=0, microsecond=0))


def due(office, case, clock):
	return office.row(case)["due_" + clock]


def steps(events):
	"""What the case's clocks said, in the order of the history, each step once. Orders: test_orders.py."""
	found = {e["seq"]: (e["kind"], e["clock"], e.get("level")) for e in events if e.get("clock", "order") != "order"}
	return [found[seq] for seq in sorted(found)]


def test_a_case_left_alone_climbs_the_whole_ladder_step_by_step(office):
	case = office.case("hotline", **LEAK)
	contact, accept, resolve = (due(office, case, c) for c in ("contact", "accept", "resolve"))
	assert contact < accept < resolve
	go(office, contact - MINUTE)
	assert steps(office.events(case)) == []
	go(office, contact)
	assert steps(office.events(case)) == LADDER[:1]
	go(office, accept - MINUTE)
	assert steps(office.events(case)) == LADDER[:1]
	go(office, accept)
	assert steps(office.events(case)) == LADDER[:3]
	assert office.event(case, "reminded", "wuye")["to"] == "lead"

	go(office, resolve.replace(hour=13, minute=29))         # 4 working hours before 17:30
	assert steps(office.events(case)) == LADDER[:3]
	go(office, resolve.replace(hour=13, minute=30))
	assert steps(office.events(case)) == LADDER[:4]
	assert office.event(case, "due_soon", "wuye")
	assert not office.replies(case, "late")

	go(office, resolve)
	assert steps(office.events(case)) == LADDER[:6]
	assert {e["department"]: e["to"] for e in office.events(case, "escalated")} == \
		{"wuye": "leader", "dangzheng": "leader"}, "the leader of the lead, and its superior"
	assert office.row(case)["level"] == 1 and office.card(case, "wuye", level=1)
	assert office.reply(case, "late"), "the reporter hears of it too"
	assert all(h["detail"]["late"] is False for h in office.history(case) if h["kind"] == "overdue")

	morning(office)
	morning(office)
	assert steps(office.events(case)) == LADDER
	assert {e["department"] for e in office.events(case, "supervised")} == {"ducha", "wuye"}
	assert {e["department"] for e in office.events(case, "escalated") if e["level"] == 3} == {"dangzheng"}
	assert office.row(case)["level"] == 3
	morning(office)
	assert steps(office.events(case)) == LADDER, "the end of the ladder is the end"


def test_quiet_hours_hold_an_order_until_the_office_opens_but_not_a_report_to_the_leader(office):
	case = office.case(**LEAK)
	resolve = due(office, case, "resolve")
	assert resolve.strftime("%H:%M") == "17:30"
	go(office, resolve)
	assert office.event(case, "escalated", "wuye", level=1), "raise is excepted"
	evening = resolve + datetime.timedelta(days=1)          # the order falls due at closing time
	go(office, evening)
	go(office, evening.replace(hour=23))
	assert not office.events(case, "supervised")
	opening = (evening + datetime.timedelta(days=1)).replace(hour=8, minute=30)
	go(office, opening - MINUTE)
	assert not office.events(case, "supervised")
	go(office, opening)
	assert {e["department"] for e in office.events(case, "supervised")} == {"ducha", "wuye"}
	morning(office)


def test_a_jump_over_everything_does_every_step_once_in_order_and_marks_it_late(office):
	case = office.case(**LEAK)
	go(office, now(office) + datetime.timedelta(days=25))
	assert steps(office.events(case)) == LADDER
	said = [h for h in office.history(case) if h["detail"] and "clock" in h["detail"]]
	assert [h["kind"] for h in said] == [kind for kind, _, _ in LADDER]
	assert all(h["detail"]["late"] for h in said)
	moments = [h["detail"]["due"] for h in said]
	assert moments == sorted(moments), "in the order in which they fell due"
	morning(office)
	assert steps(office.events(case)) == LADDER


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGKILL))
def test_a_restart_repeats_no_step_and_forgets_none(office, number):
	case = office.case(**LEAK)
	go(office, due(office, case, "accept"))
	assert steps(office.events(case)) == LADDER[:3]
	resolve = due(office, case, "resolve")
	office.stack.kill(number=number)
	office.stack.up()
	go(office, resolve - datetime.timedelta(hours=2))
	assert steps(office.events(case)) == LADDER[:4]
	jump(office, resolve + datetime.timedelta(days=14))
	office.stack.kill(number=number)
	office.stack.up()
	morning(office)
	assert steps(office.events(case)) == LADDER


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGKILL))
def test_the_clock_does_not_go_back_over_a_restart(office, number):
	before = now(office) + datetime.timedelta(hours=5)
	jump(office, before)
	office.stack.kill(number=number)
	office.stack.up()
	assert now(office) >= before


def test_the_clock_is_never_set_back_by_hand(office):
	before = now(office)
	done = office.stack.ctl("clock", "set", (before - MINUTE).isoformat())
	assert done.returncode != 0 and done.stderr
	assert now(office) == before


def test_the_clock_may_be_told_the_time_that_it_shows(office):
	for _ in range(3):
		office.case()
	before = now(office)
	office.clock("set", before.isoformat())
	assert now(office) == before


def test_dead_letters_before_and_after_a_restart_are_all_kept_while_time_stands(office):
	before = len(office.dead())
	for round_ in range(3):
		for n in range(5):
			assert office.report(id=f"no-text-{round_}-{n}")["result"] == "dead"
		office.stack.kill()
		office.stack.up()
	assert len(office.dead()) == before + 15


def test_who_accepts_and_resolves_in_time_hears_nothing(office):
	morning(office)
	case = office.case(**LEAK)
	office.done("wuye", case, "contact", note="已联系")
	office.done("wuye", case, "accept")
	office.done("wuye", case, "resolve", answer="修好了")
	office.say(case, "delivered", reply=office.reply(case, "resolved")["id"], ok=True)
	go(office, now(office) + datetime.timedelta(days=30))
	assert steps(office.events(case)) == []
	assert office.kinds(case) == ["assigned", "contacted", "accepted", "resolved", "delivered", "closed"]


def test_who_accepts_late_is_reminded_once_and_the_rest_of_the_ladder_stays(office):
	morning(office)
	case = office.case(**LEAK)
	go(office, due(office, case, "accept"))
	office.done("wuye", case, "accept")
	assert office.event(case, "cleared", "wuye")["clock"] == "accept"
	go(office, due(office, case, "resolve"))
	assert [s for s in steps(office.events(case)) if s[0] != "cleared"] == LADDER[:6]
	clock = office.do("wuye", case, "get")["clocks"]["accept"]
	assert clock["met"] >= clock["due"]


def test_the_next_department_gets_its_own_time_to_accept(office):
	morning(office)
	case = office.case(**LEAK)
	go(office, due(office, case, "accept"))
	resolve = due(office, case, "resolve")
	office.done("wuye", case, "return", reason="not-ours")
	office.done("dangzheng", case, "transfer", to="huanwei")
	assert due(office, case, "accept") > now(office) and due(office, case, "resolve") == resolve
	go(office, due(office, case, "accept"))
	assert [e["clock"] for e in office.events(case, "overdue", "huanwei")][-1] == "accept"
	assert office.event(case, "reminded", "huanwei")


def test_a_new_leg_climbs_a_ladder_of_its_own(office):
	morning(office)
	case = office.case(**LEAK)
	go(office, due(office, case, "resolve"))
	assert office.row(case)["level"] == 1
	office.done("wuye", case, "accept")
	office.done("wuye", case, "resolve", answer="修好了")
	office.say(case, "rate", score="dissatisfied")
	assert office.row(case)["level"] == 0 and office.row(case)["policy"] == "当日"
	seen = len(office.events(case))
	go(office, due(office, case, "resolve"))
	again = steps(office.events(case)[seen:])
	assert ("overdue", "accept", None) in again and ("escalated", "resolve", 1) in again
	assert office.row(case)["level"] == 1


def test_an_emergency_is_raised_the_moment_it_comes(office):
	case = office.case(text="楼道煤气味")
	assert office.row(case)["lead"] == "yingji" and office.row(case)["urgency"] == "critical"
	for department in ("yingji", "dangzheng"):
		event = office.event(case, "escalated", department)
		assert event["to"] == "leader" and event["level"] == 1
	office.card(case, "yingji", level=1)


def test_rubbish_must_be_gone_the_same_half_day(office):
	morning(office)
	case = office.case(**RUBBISH)
	assert due(office, case, "accept") == now(office) + 30 * MINUTE
	assert due(office, case, "resolve") == now(office).replace(hour=12, minute=0)
	go(office, due(office, case, "resolve") - 30 * MINUTE)
	assert office.event(case, "due_soon", "huanwei")


def test_a_limit_in_a_year_without_a_calendar_is_provisional(office):
	go(office, max(now(office), datetime.datetime.fromisoformat("2026-12-30T10:00:00+08:00")))
	receipt = office.report(**LEAK)
	assert office.card(receipt["case"], "wuye")["due"]["provisional"] is True
	assert office.row(receipt["case"])["provisional"] is True
