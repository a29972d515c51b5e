"""Queues as retained cards: whole for who comes late, right after every accident, and counted."""
import json
import signal

from lib.wait import wait_for

STACK = {"simulate": "2026-11-23 09:00:00"}
LEAK = {"category": "物业/漏水", "text": "天花板漏水"}
CASES = 120


def fill(office, n=CASES):
	"""n leaks at once, each with its receipt; returns the cases."""
	heard = office.admin.collect(f"{office.root}/receipt/patrol/many")
	names = [office.new_id("many") for _ in range(n)]
	for name in names:
		office.user("in-patrol").publish(f"{office.root}/in/patrol/many", dict(LEAK, id=name), wait=False)
	heard.wait(n=n, bound=30)
	return {m.json["id"]: m.json["case"] for m in heard}.values()


def queue_of(office, department):
	rows = office.db.all("select number, card from needle.v_queue where department = %s", department)
	return {r["number"]: r["card"] for r in rows}


def late_subscriber(office, department, version):
	"""Case -> card, as a screen has them that was switched on just now."""
	screen = office.stack.client(f"dept-{department}", version=version)
	cards = screen.retained(f"{office.root}/dept/{department}/queue/+", office.admin)
	screen.close()
	return {t.rpartition("/")[2]: json.loads(p) for t, p in cards.items()}


def test_who_subscribes_late_has_the_whole_queue_at_once(office):
	cases = fill(office)
	for n, case in enumerate(cases):
		if n % 3 == 0:
			office.done("wuye", case, "accept")
		if n % 6 == 0:
			office.done("wuye", case, "resolve", answer="修好了")
	office.witness.quiet()
	expected = queue_of(office, "wuye")
	assert len(expected) == CASES - CASES // 6
	assert {card["state"] for card in expected.values()} == {"assigned", "accepted"}
	for version in (4, 5):
		assert late_subscriber(office, "wuye", version) == expected


def test_the_card_agrees_with_the_case(office):
	for number, card in queue_of(office, "wuye").items():
		row = office.row(number)
		assert card["case"] == number and card["state"] == row["state"] and card["category"] == row["category"]
		assert card["title"] == row["title"] and card["place"] == row["place"] and card["leg"] == row["leg"]
		assert office.db.value("select %s::timestamptz = %s", card["due"]["resolve"], row["due_resolve"])


def test_a_card_goes_when_its_case_leaves_and_comes_back_with_a_new_leg(office):
	case = office.case(**LEAK)
	office.card(case, "wuye")
	assert case in late_subscriber(office, "wuye", 5)
	office.done("wuye", case, "accept")
	office.done("wuye", case, "resolve", answer="修好了")
	office.card(case, "wuye", present=False)
	assert case not in late_subscriber(office, "wuye", 5)
	office.say(case, "rate", score="dissatisfied")
	office.card(case, "wuye", leg=2)
	assert late_subscriber(office, "wuye", 5)[case]["leg"] == 2


def tamper(office):
	"""What a broker may be left with: a card lost, one old, ones that do not belong. Returns the topics."""
	queue, root = sorted(queue_of(office, "wuye")), f"{office.root}/dept"
	office.admin.publish(f"{root}/wuye/queue/{queue[0]}", b"", retain=True)
	office.admin.publish(f"{root}/wuye/queue/{queue[1]}", b'{"old":true}', retain=True)
	office.admin.publish(f"{root}/wuye/queue/{queue[2]}", b"\xff not even text", retain=True)
	strange = [f"{root}/wuye/queue/JYL200101000001", f"{root}/huanwei/queue/{queue[3]}", f"{root}/wuye/queue/nonsense",
		   f"{root}/no-such-body/queue/JYL200101000002", f"{root}/paichusuo/queue/{queue[4]}"]
	for topic in strange:
		office.admin.publish(topic, json.dumps({"ghost": topic}), retain=True)
	assert office.witness.retained_topics() >= set(strange)
	return strange


def test_cards_that_were_tampered_with_are_right_again_after_a_start(office):
	office.stack.kill(number=signal.SIGTERM)
	tamper(office)
	office.stack.up()
	wait_for(lambda: office.witness.retained() == office.witness.queue(), what="the cards to be right")
	assert office.stack.metric("needle_cards_reconciled_total") == 8


def test_who_dies_while_the_cards_are_put_right_leaves_the_rest_to_the_next(office):
	office.stack.kill(number=signal.SIGTERM)
	strange, log = tamper(office), office.stack.log_size()
	try:
		office.stack.up(env={"NEEDLE_FAULT": "in-reconcile:2"})
	except AssertionError as e:     # it may not have been ready yet
		assert "has ended with -9" in str(e), e
	wait_for(lambda: not office.stack.running(), what="the daemon to fall at the second card")
	assert office.stack.faults(log) == ["in-reconcile"]
	assert office.witness.retained_topics() >= set(strange), "half of the work"
	office.stack.up()
	wait_for(lambda: office.witness.retained() == office.witness.queue(), what="the cards to be right")


def test_a_start_with_nothing_wrong_repairs_nothing(office):
	office.stack.kill(number=signal.SIGTERM)
	office.stack.up()
	assert office.stack.metric("needle_cards_reconciled_total") == 0
	assert office.witness.retained() == office.witness.queue()


def test_what_changed_while_the_daemon_was_away_from_the_broker_is_on_the_cards_later(office):
	"""The daemon is killed between its commit and its publishing: the outbox remembers."""
	case = office.case(**LEAK)
	office.witness.quiet()
	office.stack.kill()
	log = office.stack.log_size()
	office.stack.up(env={"NEEDLE_FAULT": "before-publish:12"})
	office.user("dept-wuye").publish(f"{office.root}/dept/wuye/cmd", {
		"request": "faulty", "case": case, "action": "accept"}, wait=False)
	for n in range(10):
		office.user("in-patrol").publish(f"{office.root}/in/patrol/x", dict(LEAK, id=f"fault-{n}"), wait=False)
	wait_for(lambda: not office.stack.running(), what="the daemon to fall at the fault point")
	assert office.stack.faults(log) == ["before-publish"]
	office.stack.up()
	wait_for(lambda: office.row(case)["state"] == "accepted", what="the command")
	wait_for(lambda: office.db.value("select count(*) from needle.v_case where report like 'fault-%%'") == 10,
		 what="the reports")
	office.card(case, "wuye", state="accepted")


# ---- summaries ------------------------------------------------------------------------------------

def summary(office, department):
	cards = office.admin.retained(f"{office.root}/dept/{department}/summary", office.admin)
	return json.loads(cards[f"{office.root}/dept/{department}/summary"])


def counted(office, department):
	"""The same from the database."""
	now = office.stack.ctl_json("clock", "show")["now"]
	return office.db.one("""select count(*) filter (where state in ('assigned', 'triage')) as to_accept,
		count(*) filter (where state = 'accepted') as in_progress,
		count(*) filter (where due_resolve > %s and due_resolve <= date_trunc('day', %s::timestamptz) + '1 day') as due_today,
		count(*) filter (where due_resolve <= %s) as overdue, count(*) as total
		from needle.v_queue where department = %s""", now, now, now, department)


def agrees(office, department):
	found, expected = summary(office, department), counted(office, department)
	return {k: found[k] for k in expected} == expected and found


def test_a_summary_counts_the_queue(office):
	found = wait_for(lambda: agrees(office, "wuye"), what="the summary of wuye")
	assert found["v"] == 1 and found["at"] and found["total"] > 100 and found["in_progress"] > 0
	assert wait_for(lambda: agrees(office, "xingfuli"), what="one that has nothing")["total"] == 0


def test_a_summary_follows_the_clock(office):
	assert summary(office, "wuye")["overdue"] == 0
	limit = office.db.value("select max(due_resolve) from needle.v_queue where department = 'wuye'")
	office.clock("set", limit.replace(hour=9, minute=0).isoformat())
	assert wait_for(lambda: agrees(office, "wuye"), what="the summary of the day")["due_today"] > 100
	office.clock("set", limit.isoformat())
	assert wait_for(lambda: agrees(office, "wuye"), what="the summary of the evening")["overdue"] > 100


def test_summaries_come_at_most_once_a_second(office):
	heard = office.admin.collect(f"{office.root}/dept/wuye/summary")
	fill(office, 400)
	wait_for(lambda: agrees(office, "wuye"), what="the summary in the end")
	messages = [m for m in heard if not m.retain]
	assert messages and len(messages) <= 2 + (messages[-1].at - messages[0].at)


def test_the_summary_page_counts_the_open_cases(office):
	def page():
		status, body = office.stack.http("/api/v1/summary")
		assert status == 200
		return json.loads(body)
	open_cases = office.db.value("select count(*) from needle.v_case where state in ('assigned', 'accepted', 'triage')")
	wait_for(lambda: page()["open_cases"] == open_cases, what="the page to agree")
	wuye = next(d for d in page()["departments"] if d["department"] == "wuye")
	assert wuye["total"] == counted(office, "wuye")["total"]
	assert office.stack.ctl_json("status")["open_cases"] == open_cases
