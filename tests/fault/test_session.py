"""What a broker does now and then, and a network: it takes the session away, says no, keeps its answers to itself, is silent in
the middle of a look at what it retains. Somebody on the wire (lib/between.py) plays that. The gateway says what is
wrong, tells nobody anything false, and when all is well again nothing is missing.
"""
import os
import re
import signal
import time

import pytest
from lib.between import TAKEN_OVER, Between
from lib.daemon import Daemon
from lib.folder import edit
from lib.office import Office
from lib.wait import wait_for

MAIN, AUDIT = "needle-", "-audit-"


class Wire(Between):
	"""With the gateway's own words for what it says."""

	def __init__(self, stack):
		super().__init__(int(stack.env["NEEDLE_MQTT_PORT"]))
		self.stack, self.main = stack, f"needle-{stack.tenant}"

	def of_gateway(self, c):
		return c.name == self.main

	def gateway(self):
		return next(c for c in reversed(self.connections) if self.of_gateway(c))

	def hold_answers(self):
		"""The broker has what the gateway sends, and the gateway does not hear that."""
		self.rule = lambda c, up, p: self.of_gateway(c) and not up and p.kind == "puback"


@pytest.fixture(scope="module")
def wire(stack):
	there = Wire(stack)
	yield there
	there.close()


@pytest.fixture(scope="module")
def office(stack):
	return Office(stack)


@pytest.fixture
def gateway(stack, wire):
	"""A daemon whose broker is the wire; not started yet."""
	wire.quiet()
	with Daemon(stack) as daemon:
		edit(os.path.join(stack.env["NEEDLE_CONFIG"], "needle.yaml"), lambda text: re.sub(r"(?m)^(broker: .*port: )\d+", rf"\g<1>{wire.port}", text))
		daemon.since = len(stack.log())
		yield daemon
		wire.quiet()


def said(stack, gateway, words, bound=20):
	wait_for(lambda: words in stack.log()[gateway.since:], bound, f"“{words}” in the log")


def all_told(stack, db, bound=40):
	wait_for(lambda: db.value("SELECT count(*) FROM needle.outbox") == 0 and not stack.ctl_json("status")["outbox"], bound, "an empty outbox")


# The first of this module: once a broker has passed, it is not asked for a day.
def test_a_broker_that_drops_what_it_queues_is_told_from_one_that_only_went_away(stack, gateway, wire):
	seen = {"asked": 0, "given": 0, "cut": False}

	def rule(c, up, p):
		if p.kind != "publish" or "/probe/" not in p.topic:
			return False
		if up:
			seen["asked"] += p.payload != b""
			if seen["asked"] == 300 or (not p.payload and not seen["cut"]):
				seen["cut"] |= not p.payload
				seen["asked"] += 1
				c.cut()
			return False
		seen["given"] += 1
		return seen["given"] % 20000 > 1000             # what Mosquitto does by default

	wire.rule = rule
	gateway.start()
	said(stack, gateway, "the broker delivered 10", 60)
	assert seen["cut"]
	wait_for(lambda: "the broker drops queued messages" in stack.http("/readyz")[1], what="what /readyz says")
	wire.quiet()
	wire.gateway().cut()
	gateway.ready(60)
	assert gateway.stop() == 0


def test_a_session_that_another_takes_comes_back_to_who_holds_the_lock(stack, gateway, wire, office, db):
	gateway.start().ready()
	was = wire.gateway()
	was.down(TAKEN_OVER)
	was.cut()
	said(stack, gateway, "another daemon took the session")
	wait_for(lambda: wire.gateway() is not was and stack.http("/readyz")[0] == 200, 20, "the session")
	office.event(office.case("letter", category="市政/路灯", text="路灯不亮"), "assigned", "chengguan")
	all_told(stack, db)
	assert gateway.stop() == 0


def test_cards_are_mended_though_the_broker_first_keeps_what_it_retains_to_itself(stack, gateway, wire, office, db):
	"""It does not let the second session in; then that session never hears its own marker; then it hears everything twice.
	A stranger's word in the marker's place is not taken for it."""
	gateway.start().ready()
	case = office.case("letter", category="市政/路灯", text="路灯不亮")
	office.card(case, "chengguan", state="assigned")
	assert gateway.stop() == 0
	stale, marker = f"{office.root}/dept/chengguan/queue/YZT-0000", f"{office.root}/gateway/a/marker"
	office.admin.publish(stale, b'{"old": true}', retain=True)
	office.admin.publish(f"{office.root}/dept/chengguan/queue/{case}", b'{"forged": true}', retain=True)
	office.admin.publish(marker, str(time.monotonic_ns() // 1000).encode(), retain=True)

	def twice(c, up, p):
		if AUDIT in c.name and not up and p.retain and "/queue/" in p.topic:
			c.down(p.raw)

	wire.shut = AUDIT
	gateway.start()
	said(stack, gateway, "could not connect to the broker", 30)
	wire.rule = lambda c, up, p: AUDIT in c.name and up and p.topic.endswith("/marker")
	wire.shut = ""
	said(stack, gateway, "did not deliver the retained messages", 60)
	assert stack.http("/readyz")[0] == 503
	wire.rule = twice
	gateway.ready(30)
	office.card(case, "chengguan", state="assigned")
	wait_for(lambda: not office.admin.retained(stale, office.admin), what="the end of the stale card")
	office.admin.publish(marker, b"", retain=True)
	all_told(stack, db)
	assert gateway.stop() == 0


def test_what_the_broker_refuses_stays_and_is_told_when_its_access_list_is_mended(stack, gateway, wire, office, db):
	wrong = ("/receipt/", "/event/", "/queue/", "/summary")

	def rule(c, up, p):
		if not (wire.of_gateway(c) and up and p.id and any(part in p.topic for part in wrong)):
			return False
		c.down(p.refusal)
		return True

	gateway.start().ready()
	wire.rule = rule
	name = office.new_id()
	office.user("in-letter").publish(f"{office.root}/in/letter/desk", {"id": name, "category": "市政/路灯", "text": "路灯不亮"})
	for what in ("an answer", "an event", "a card", "a message"):
		said(stack, gateway, f"the broker refused {what} (MQTT reason 135): check the ACL of the gateway's user")
	case = db.value("SELECT number FROM needle.report WHERE id = %s", name)
	assert db.value("SELECT count(*) FROM needle.outbox WHERE number = %s", case) > 0, "it waits"
	wire.quiet()
	assert office.report("letter", "desk", id=name, category="市政/路灯", text="路灯不亮")["case"] == case
	office.event(case, "assigned", "chengguan", bound=40)
	office.card(case, "chengguan", state="assigned")
	all_told(stack, db)
	assert gateway.stop() == 0


def test_who_is_ended_while_no_answer_comes_ends_in_time_and_the_next_tells_all(stack, gateway, wire, office, db):
	gateway.start().ready()
	wire.hold_answers()
	name = office.new_id()
	office.user("in-letter").publish(f"{office.root}/in/letter/desk", {"id": name, "category": "市政/路灯", "text": "路灯不亮"})
	case = wait_for(lambda: db.value("SELECT number FROM needle.report WHERE id = %s", name), what="the case")
	wait_for(lambda: stack.ctl_json("status")["outbox"] > 0, what="events under way")
	assert gateway.stop(bound=40) == 0, "systemd waits for 45 s"
	wire.quiet()
	gateway.start().ready()
	office.event(case, "assigned", "chengguan")
	office.card(case, "chengguan", state="assigned")
	all_told(stack, db)
	assert gateway.stop() == 0


def lost_in_flight(stack, gateway, wire, office, n):
	"""Reports whose answers, events and cards are on their way when the broker goes; their ids."""
	gateway.start().ready()
	wire.hold_answers()
	names = [office.new_id() for _ in range(n)]
	for name in names:
		office.user("in-letter").publish(f"{office.root}/in/letter/desk", {"id": name, "category": "市政/路灯", "text": "路灯不亮"})
	wait_for(lambda: office.db.value("SELECT count(*) FROM needle.report WHERE id = ANY(%s)", names) == n, what="the cases")
	wait_for(lambda: stack.ctl_json("status")["outbox"] >= n, what="events under way")
	wire.shut = MAIN
	wire.gateway().cut()
	wait_for(lambda: stack.metric("needle_publish_retries_total") >= n, 20, "the loss of what was under way")
	return names


def told_of(stack, office, db, names):
	for row in db.all("SELECT number FROM needle.report WHERE id = ANY(%s)", names):
		office.event(row["number"], "assigned", "chengguan", bound=40)
		office.card(row["number"], "chengguan", state="assigned")


def test_what_was_under_way_when_the_broker_went_is_sent_again(stack, gateway, wire, office, db):
	names = lost_in_flight(stack, gateway, wire, office, 30)
	wire.quiet()
	told_of(stack, office, db, names)
	all_told(stack, db)
	assert gateway.stop() == 0


def test_what_was_under_way_is_told_by_the_next_daemon_when_this_one_ends_without_its_broker(stack, gateway, wire, office, db):
	names = lost_in_flight(stack, gateway, wire, office, 5)
	assert gateway.stop() == 0
	wire.quiet()
	gateway.start().ready()
	told_of(stack, office, db, names)
	all_told(stack, db)
	assert gateway.stop() == 0


def test_what_was_under_way_is_told_by_the_other_daemon_when_this_one_is_no_longer_active(stack, gateway, wire, office, db):
	names = lost_in_flight(stack, gateway, wire, office, 5)
	gateway.child.send_signal(signal.SIGSTOP)
	wire.quiet()
	try:
		for row in db.all("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"):
			db.value("SELECT pg_terminate_backend(%s)", row["pid"])
		stack.up(instance="b")
		wait_for(lambda: stack.http("/readyz", "b")[0] == 200, 20, "the other daemon")
	finally:
		gateway.child.send_signal(signal.SIGCONT)
	wait_for(lambda: stack.ctl_json("status")["active"] is False and not stack.ctl_json("status")["outbox"], 20, "the first to let go")
	told_of(stack, office, db, names)
	stack.kill(instance="b", number=signal.SIGTERM)
	gateway.ready()
	all_told(stack, db)
	assert gateway.stop() == 0
