"""Supervision: orders with limits of their own, what brings them, and limits that are met after all."""
import datetime

from lib.moments import go, now

STACK = {"simulate": "2026-11-23 09:00:00"}                    # a Monday
LAMP = {"category": "市政/路灯", "text": "路灯不亮"}            # chengguan, superior dangzheng
DAY = datetime.timedelta(days=1)


def resolved(office, case):
	office.done("chengguan", case, "accept")
	office.done("chengguan", case, "contact", note="已联系")
	office.done("chengguan", case, "resolve", answer="已修好")


def kinds_since(office, case, seen):
	return office.kinds(case)[seen:]


def test_an_order_is_answered_in_words(office):
	case = office.case(**LAMP)
	assert "supervisor" in office.refused("chengguan", case, "supervise", order="x")
	assert office.done("ducha", case, "supervise", order="今天说明情况", within="4 工作小时", by=None) == "assigned"
	told = office.event(case, "supervised", "chengguan")
	assert told["to"] == "lead" and told["order"]["text"] == "今天说明情况" and told["order"]["from"] == "ducha"
	assert office.event(case, "supervised", "ducha")["role"] == "supervisor"
	assert office.done("chengguan", case, "answer", answer="配件明天到", by="wang") == "assigned"
	assert office.event(case, "answered", "ducha")["why"] == "配件明天到"
	row = office.history(case)[-1]
	assert (row["kind"], row["by"], row["note"], row["detail"]["late"]) == ("answered", "wang", "配件明天到", False)
	assert office.refused("chengguan", case, "answer", answer="再说一遍")


def test_an_unanswered_order_is_late_raised_and_ended_by_the_work(office):
	case = office.case(**LAMP)
	office.done("chengguan", case, "accept")
	office.done("chengguan", case, "contact", note="已联系")
	office.done("ducha", case, "supervise", order="限期办结", within="4 工作小时")
	seen = len(office.kinds(case))
	go(office, now(office) + DAY)
	assert kinds_since(office, case, seen) == ["overdue", "escalated"]
	assert office.event(case, "overdue", "chengguan", clock="order")
	assert office.event(case, "overdue", "ducha", clock="order")
	assert office.event(case, "escalated", "dangzheng", clock="order")["to"] == "leader"
	seen = len(office.kinds(case))
	office.done("chengguan", case, "resolve", answer="已修好")
	assert kinds_since(office, case, seen) == ["resolved", "answered", "cleared"]
	assert office.event(case, "cleared", "ducha")["clock"] == "order"


def test_the_ladders_order_has_a_limit_and_all_of_it_is_told_once_over_restarts(office):
	case = office.case(**LAMP)
	office.done("chengguan", case, "accept")
	office.done("chengguan", case, "contact", note="已联系")
	resolve = office.row(case)["due_resolve"]
	go(office, resolve + DAY * 3)                           # over a weekend, if there is one: the order is heard
	order = office.event(case, "supervised", "ducha", level=2)["order"]
	assert order["text"] and datetime.datetime.fromisoformat(order["due"]) > now(office)
	office.stack.kill()
	office.stack.up()
	go(office, datetime.datetime.fromisoformat(order["due"]))
	office.stack.kill()
	office.stack.up()
	go(office, now(office) + datetime.timedelta(minutes=5))
	of_orders = [e for e in office.events(case) if e.get("clock") == "order"]
	assert [(e["kind"], e["department"]) for e in of_orders] == [
		("overdue", "chengguan"), ("overdue", "ducha"), ("escalated", "chengguan"), ("escalated", "dangzheng")]


def test_who_is_dissatisfied_twice_brings_an_order_thrice_the_leader(office):
	case = office.case(**LAMP)
	for wanted in (None, "supervised", "escalated"):
		resolved(office, case)
		seen = len(office.kinds(case))
		office.say(case, "rate", score="dissatisfied")
		new = kinds_since(office, case, seen)
		assert new[:2] == ["rated", "reopened"] and new[2:] == ([wanted] if wanted else [])
	assert office.event(case, "supervised", "ducha")["why"]
	assert office.event(case, "escalated", "dangzheng")["to"] == "leader"


def test_the_fifth_urge_reaches_the_leader_also_when_it_is_not_forwarded(office):
	case = office.case(**LAMP)
	for n in range(5):
		assert not office.events(case, "escalated")
		office.say(case, "urge", text="还没修好")
	assert len(office.events(case, "urged", "chengguan")) == 3
	assert office.event(case, "escalated", "chengguan")["to"] == "leader"


def test_a_limit_met_after_all_is_told_to_who_heard_that_it_was_missed(office):
	case = office.case(**LAMP)
	resolve = office.row(case)["due_resolve"]
	go(office, resolve)
	assert office.event(case, "escalated", "dangzheng")
	office.done("chengguan", case, "accept")
	assert office.event(case, "cleared", "chengguan", clock="accept")
	office.done("chengguan", case, "contact", note="已联系")
	go(office, resolve + datetime.timedelta(hours=1))
	office.done("chengguan", case, "resolve", answer="已修好")
	assert office.event(case, "cleared", "dangzheng", clock="resolve")
	late = {r["late"] for r in office.db.all("select late from needle.v_late where number = %s", case)}
	assert late == {"accepted", "contacted", "closed"}


def test_five_kinds_of_late_are_counted_apart(office):
	case = office.case(**LAMP)
	late = "select late from needle.v_late where number = %s order by late"
	resolve = office.row(case)["due_resolve"]
	go(office, resolve)
	assert {r["late"] for r in office.db.all(late, case)} == {"accepted", "contacted", "open"}
	office.done("chengguan", case, "accept")
	office.done("chengguan", case, "contact", note="已联系")
	go(office, now(office) + datetime.timedelta(hours=1))
	office.done("chengguan", case, "resolve", answer="已修好")
	feedback = office.row(case)["due_feedback"]
	go(office, feedback)
	assert office.event(case, "overdue", "chengguan", clock="feedback")
	go(office, feedback + datetime.timedelta(hours=1))
	assert office.done("chengguan", case, "contact", note="已回访") == "resolved"
	assert office.event(case, "cleared", "chengguan", clock="feedback")
	assert [r["late"] for r in office.db.all(late, case)] == ["accepted", "closed", "contacted", "fed_back"]


def test_what_fell_due_before_a_command_is_told_before_it(office):
	"""Also where the command is worked on first, as after an outage."""
	case = office.case(**LAMP)
	accept = office.row(case)["due_accept"]
	office.clock("set", (accept + datetime.timedelta(hours=1)).isoformat())
	office.done("chengguan", case, "accept")
	kinds = office.kinds(case)
	assert kinds.index("overdue") < kinds.index("accepted") and kinds[-1] == "cleared"
