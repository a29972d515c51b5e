"""A report comes in: it has a receipt, a case, a department that knows, and a card."""
import datetime
import json
import subprocess

import pytest

from lib.wait import wait_for

ORDINARY = {"text": "幸福里3号楼前井盖破损", "category": "市政/井盖",
	    "place": {"address": "幸福里3号楼2单元501", "grid": "410106003007012"},
	    "reporter": {"name": "李某某", "phone": "13800000000", "ref": "caller-1"}}


def at_house(n):
	"""The same elsewhere: another matter."""
	return dict(ORDINARY, text=f"幸福里{n}号楼前井盖破损", place=dict(ORDINARY["place"], address=f"幸福里{n}号楼2单元501"))


def test_a_report_has_its_receipt_with_case_department_and_deadlines(office):
	receipt = office.report("hotline", id="in-1", **ORDINARY)
	assert receipt["v"] == 1 and receipt["id"] == "in-1" and receipt["result"] == "created"
	assert receipt["case"].startswith("JYL") and receipt["department"] == "chengguan" and receipt["reason"] is None
	assert set(receipt["due"]) == {"accept", "contact", "resolve", "feedback"}
	assert receipt["due"].pop("feedback") is None, "runs when there is something to tell"
	assert all(at.endswith("+08:00") for at in receipt["due"].values())


def test_the_case_is_in_the_database_as_the_receipt_says(office):
	receipt = office.report("hotline", id="in-2", urgency="urgent", shoe_size=43, **at_house(5))
	row = office.row(receipt["case"])
	assert row["tenant"] == "jiyuanlu" and row["channel"] == "hotline" and row["report"] == "in-2"
	assert row["state"] == "assigned" and row["lead"] == "chengguan" and row["leg"] == 1 and row["level"] == 0
	assert row["category"] == "市政/井盖" and row["grid"] == "410106003007012" and row["urgency"] == "urgent"
	assert row["due_resolve"] == datetime.datetime.fromisoformat(receipt["due"]["resolve"])
	assert row["due_accept"] < row["due_contact"] < row["due_resolve"]
	assert row["extra"] == {"shoe_size": 43}, "unknown members are kept"
	assert [(h["seq"], h["kind"], h["department"]) for h in office.history(receipt["case"])] == \
		[(1, "assigned", "chengguan")]


def test_the_receipt_comes_only_after_the_commit(office):
	for n in range(20):
		receipt = office.report("patrol", id=f"commit-{n}", text="路灯不亮")
		assert office.row(receipt["case"]), "whoever holds a receipt finds the case"


def test_the_department_has_the_event_and_the_card(office):
	case = office.case("hotline", **at_house(7))
	event = office.event(case, "assigned", "chengguan")
	assert event["seq"] == 1 and event["prev"] == 0 and event["role"] == "lead" and event["state"] == "assigned"
	assert event["config"] == office.row(case)["config"] and event["why"]
	card = office.card(case, "chengguan")
	assert card["case"] == case and card["role"] == "lead" and card["state"] == "assigned"
	assert card["leg"] == 1 and card["level"] == 0 and card["reports"] == 1 and card["since"]
	assert card["due"]["provisional"] is False and card["due"]["resolve"] == event["due"]["resolve"]


def test_no_personal_data_reaches_a_department_unasked(office):
	case = office.case("hotline", text="我是李某某，电话13800000000，身份证41010219800101123X，楼道灯坏了", **{
		k: v for k, v in ORDINARY.items() if k != "text"})
	office.card(case, "chengguan")
	office.witness.quiet()
	said = b"".join(m.payload for m in [*office.witness.events, *office.witness.cards] if case.encode() in m.payload)
	row = json.dumps(office.row(case), ensure_ascii=False, default=str)
	for secret in ("李某某", "13800000000", "41010219800101123X", "501", "caller-1"):
		assert secret.encode() not in said and secret not in row, secret


def test_a_category_or_grid_that_nobody_knows_carries_no_personal_data_either(office):
	case = office.case("patrol", text="灯坏了", category="李某某13800000001", place={"grid": "王先生 13800000001"})
	card = json.dumps(office.card(case, "dangzheng"), ensure_ascii=False)
	assert "13800000001" not in card and "王先生" not in card
	assert "13800000001" not in json.dumps(office.event(case, "assigned"), ensure_ascii=False)


def test_the_answer_comes_below_the_receipt_topic_when_mqtt_5_asks_for_it(office):
	adapter = office.user("in-patrol")
	everything = office.admin.collect(f"{office.root}/receipt/patrol/#")
	receipt = adapter.report("patrol", "r5", {"id": "resp-1", "text": "路灯不亮"}, respond="mine/1")
	assert receipt["result"] == "created"
	got = everything.wait(lambda m: m.json["id"] == "resp-1")
	assert got.topic == f"{office.root}/receipt/patrol/r5/mine/1" and len(got.correlation) == 16


def test_correlation_data_comes_back_on_the_receipt_topic_itself_too(office):
	heard = office.admin.collect(f"{office.root}/receipt/patrol/r5b")
	office.user("in-patrol").publish(f"{office.root}/in/patrol/r5b", {"id": "resp-2", "text": "路灯不亮"},
					 response_topic=f"{office.root}/receipt/patrol/r5b", correlation=b"\x00\xff42")
	assert heard.wait(lambda m: m.json["id"] == "resp-2").correlation == b"\x00\xff42"


@pytest.mark.parametrize("n,elsewhere", enumerate((
	"receipt/patrol/other", "receipt/patrol/r6-and-more", "receipt/patrol", "receipt/hotline/r6", "dept/chengguan/cmd",
	"in/patrol/r6", "gateway/a/status", "../other")))
def test_a_response_topic_elsewhere_is_ignored_and_counted(office, n, elsewhere):
	before = office.stack.metric("needle_response_topics_ignored_total")
	heard = office.admin.collect(f"{office.root}/{elsewhere}")
	receipts = office.admin.collect(f"{office.root}/receipt/patrol/r6")
	office.user("in-patrol").publish(f"{office.root}/in/patrol/r6", {"id": f"away-{n}", "text": "路灯不亮"},
					 response_topic=f"{office.root}/{elsewhere}", correlation=b"c")
	got = receipts.wait(lambda m: m.json["id"] == f"away-{n}")
	assert got.json["result"] == "created" and got.correlation == b"c"
	assert office.stack.metric("needle_response_topics_ignored_total") == before + 1
	assert not heard.find(lambda m: m.payload == got.payload)


def test_a_response_topic_in_another_tenants_tree_is_ignored(office):
	heard = office.admin.collect("needle/other/#")
	receipts = office.admin.collect(f"{office.root}/receipt/patrol/r7")
	office.user("in-patrol").publish(f"{office.root}/in/patrol/r7", {"id": "away-t", "text": "路灯不亮"},
					 response_topic="needle/other/receipt/patrol/r7")
	receipts.wait(lambda m: m.json["id"] == "away-t")
	assert not heard.find()


def test_qos_0_has_a_receipt_too(office):
	heard = office.admin.collect(f"{office.root}/receipt/patrol/q0")
	office.user("in-patrol").publish(f"{office.root}/in/patrol/q0", {"id": "q0-1", "text": "路灯不亮"}, qos=0)
	assert heard.wait(lambda m: m.json["id"] == "q0-1").json["result"] == "created"


def test_qos_2_makes_one_case(office):
	heard = office.admin.collect(f"{office.root}/receipt/patrol/q2")
	office.user("in-patrol").publish(f"{office.root}/in/patrol/q2", {"id": "q2-1", "text": "路灯不亮"}, qos=2)
	assert heard.wait(lambda m: m.json["id"] == "q2-1").json["result"] == "created"


def test_talk_makes_no_case(office):
	receipt = office.report("patrol", kind="talk", id="talk-1", text="今天真冷")
	assert receipt["result"] == "updated" and receipt["case"] is None and receipt["reason"]
	assert not office.db.all("select 1 from needle.v_case where report = 'talk-1'")


def test_odd_times_are_kept_and_marked(office):
	for name, time, mark in (("future", "2099-01-01T00:00:00+08:00", "time-future"),
				 ("old", "2011-01-01T00:00:00+08:00", "time-old"), ("bad", "上周五", "time-bad")):
		case = office.case(id=f"time-{name}", time=time)
		assert mark in office.row(case)["extra"]["marks"]
	now = office.db.value("select now()")
	assert abs((office.row(case)["received_at"] - now).total_seconds()) < 30, "deadlines run from the receipt"


def test_case_numbers_are_unique_ordered_and_of_the_day(office):
	def day():
		return "JYL" + office.db.value("select to_char(now() at time zone 'Asia/Shanghai', 'YYMMDD')")
	before = day()
	cases = [office.case() for _ in range(5)]
	assert len(set(cases)) == 5 and sorted(cases) == cases
	assert all(c.startswith((before, day())) and len(c) == 15 for c in cases), "of one or of two days, at midnight"


# ---- as separate programs, with the passwords that a site gives out --------------------------------

def tool(office, name, user, *argv, version="mqttv311", stdin=None):
	env = office.stack.env
	return [name, "-h", env["NEEDLE_MQTT_HOST"], "-p", env["NEEDLE_MQTT_PORT"], "-u", user,
		"-P", office.stack.passwords[user], "-V", version, *argv]


def listen(office, user, version, *topics, n=1):
	"""A mosquitto_sub that has its subscriptions; its output is complete after n messages."""
	topics = [word for t in topics for word in ("-t", f"{office.root}/{t}")]
	child = subprocess.Popen(["stdbuf", "-oL", *tool(office, "mosquitto_sub", user, "-q", "1", "-v", "-d", "-C", str(n),
							 "-W", "20", *topics, version=version)],
				 stdout=subprocess.PIPE, text=True)
	for line in iter(child.stdout.readline, ""):
		if line.startswith("Subscribed"):
			return child
	raise AssertionError(f"{user} could not subscribe to {topics}")


def heard(child):
	"""topic -> payload of what it got, without the lines of -d."""
	out = child.stdout.read()
	child.wait()
	pairs = (line.partition(" ") for line in out.splitlines() if line.startswith("needle/"))
	return {topic: json.loads(payload) for topic, _, payload in pairs}


@pytest.mark.parametrize("version", ("mqttv311", "mqttv5"))
def test_mosquitto_pub_and_sub_are_producer_and_department(office, version):
	named = f"cli-{version}"
	receipts = listen(office, "in-hotline", version, "receipt/hotline/city")
	events = listen(office, "dept-chengguan", version, "dept/chengguan/event/assigned")
	subprocess.run(tool(office, "mosquitto_pub", "in-hotline", "-q", "1", "-t", f"{office.root}/in/hotline/city", "-m",
			    json.dumps({"id": named, "text": "井盖破损", "category": "市政/井盖"}), version=version), check=True)
	receipt = heard(receipts)[f"{office.root}/receipt/hotline/city"]
	assert receipt["id"] == named and receipt["result"] == "created"
	assert heard(events)[f"{office.root}/dept/chengguan/event/assigned"]["case"] == receipt["case"]

	results = listen(office, "dept-chengguan", version, "dept/chengguan/result")
	subprocess.run(tool(office, "mosquitto_pub", "dept-chengguan", "-q", "1", "-t", f"{office.root}/dept/chengguan/cmd",
			    "-m", json.dumps({"request": named, "case": receipt["case"], "action": "accept"}),
			    version=version), check=True)
	assert heard(results)[f"{office.root}/dept/chengguan/result"]["state"] == "accepted"


def test_mosquitto_rr_gets_its_own_receipt(office):
	done = subprocess.run(tool(office, "mosquitto_rr", "in-patrol", "-q", "1", "-W", "10", "-t",
				   f"{office.root}/in/patrol/rr", "-e", f"{office.root}/receipt/patrol/rr/7", "-D", "publish",
				   "correlation-data", "42", "-m", '{"id":"rr-1","text":"三湾街路灯不亮"}', version="mqttv5"),
			      capture_output=True, text=True, check=True)
	assert json.loads(done.stdout)["result"] == "created"


def test_a_department_can_neither_read_nor_command_another(office):
	case = office.case("hotline", **at_house(8))
	office.card(case, "chengguan")
	nosy = subprocess.run(tool(office, "mosquitto_sub", "dept-wuye", "-q", "1", "-v", "-W", "1", "-t",
				   f"{office.root}/dept/chengguan/queue/+", "-t", f"{office.root}/dept/+/queue/+"),
			      capture_output=True, text=True, check=False)
	assert "chengguan/queue" not in nosy.stdout
	subprocess.run(tool(office, "mosquitto_pub", "dept-wuye", "-q", "1", "-t", f"{office.root}/dept/chengguan/cmd", "-m",
			    json.dumps({"request": "forged", "case": case, "action": "accept"})), check=False)
	office.done("chengguan", case, "contact", note="sees that nothing came before it")
	assert office.row(case)["state"] == "assigned"


def test_a_channel_can_not_write_for_another(office):
	for version in ("mqttv311", "mqttv5"):
		subprocess.run(tool(office, "mosquitto_pub", "in-hotline", "-q", "1", "-t", f"{office.root}/in/patrol/x", "-m",
				    json.dumps({"id": "forged-in", "text": "冒名"}), version=version), check=False,
			       capture_output=True)
	office.case()
	assert not office.db.all("select 1 from needle.report where id = 'forged-in'")
	assert not office.dead(topic=f"{office.root}/in/patrol/x")


def test_the_page_of_metrics_counts_what_came(office):
	before = {n: office.stack.metric(n) for n in ("needle_messages_received_total", "needle_reports_created_total")}
	office.case()
	wait_for(lambda: office.stack.metric("needle_reports_created_total") ==
		 before["needle_reports_created_total"] + 1, what="one more case")
	assert office.stack.metric("needle_messages_received_total") == before["needle_messages_received_total"] + 1
