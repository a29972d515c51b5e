"""Where messages come from: the demo's decoders with their samples, and other people's JSON by configuration."""
import json
import os
import re

import pytest

from lib.folder import adds, demo
from lib.stack import ROOT

EXTRA = """
  # made by the test
  meter:
    name: 水表
    codec: json
    subscribe: ["vendor-a/{source}/alarm"]
    map: {id: /msgId, text: /desc, time: /ts, urgency: /level, place.grid: /loc/grid, place.lat: /loc/y, place.lon: /loc/x,
          reporter.name: /who/0/name, reporter.secret: /hide}
    set: {category: 公用/供水}
    formats: {time: "%Y%m%d%H%M%S"}
    codes: {urgency: {"1": normal, "2": urgent, "3": critical}, reporter.secret: {"Y": "yes", "N": "no"}}
  oldcity: {name: 老平台, codec: json, charset: gb18030}
  yard:
    name: 大院
    codec: json
    subscribe: ["yard/+/+/state", "yard-b/+/+/state"]
    source: 2
    map: {id: /id, text: /msg, time: /at}
    formats: {time: unixms}
  serial:
    name: 序列号
    codec: json
    subscribe: ["serial/#"]
    source: /dev/sn
    map: {id: /no, text: /say}
    set: {urgency: urgent, place.address: 东门}
"""


def demo_with_more_channels(folder):
	return demo(folder, {"channels.yaml": adds(EXTRA)})


STACK = {"config": demo_with_more_channels}


def sample(channel, name):
	with open(os.path.join(ROOT, "plugins", channel, "samples", name), encoding="utf-8") as f:
		return json.load(f)


def send(office, channel, message, *named, source="x"):
	"""Publishes in the adapter's name and returns the receipts of the named ids."""
	heard = office.admin.collect(f"{office.root}/receipt/{channel}/{source}")
	office.user(f"in-{channel}").publish(f"{office.root}/in/{channel}/{source}", message)
	got = {}
	for name in named:
		got[name] = heard.wait(lambda m, name=name: m.json["id"] == name, what=f"the receipt of {name}").json
	return [got[name] for name in named]


def nothing_came(office, channel, before, source="x"):
	"""After a good message behind it, nothing but that has been stored."""
	office.case(channel, source, text="后面一条")
	assert office.db.value("select count(*) from needle.report") == before + 1


def stored(office):
	return office.db.value("select count(*) from needle.report")


# ---- the demo's decoders ---------------------------------------------------------------------------

def test_a_hotline_ticket_with_chinese_columns_becomes_a_case(office):
	receipt, = send(office, "hotline", sample("hotline", "chinese.json"), "GD20261120000123")
	assert receipt["result"] == "created" and receipt["department"] == "chengguan"
	row = office.row(receipt["case"])
	assert row["category"] == "城管/占道" and row["urgency"] == "urgent" and row["grid"] == "410106003007012"
	assert row["extra"]["办理时限"] == "5个工作日", "what nobody needs is kept"
	assert "幸福里" in row["title"] or "店外经营" in row["title"]
	person = office.db.one("select * from needle.person where id = 'GD20261120000123'")
	assert person["name"] == "李某" and person["phone"] == "13800000000"
	assert len(office.db.value("select media from needle.report where id = 'GD20261120000123'")) == 2


def test_the_hotlines_second_dispatch_and_its_call_to_the_citizen_open_new_legs(office):
	case = office.db.value("select number from needle.v_case where report = 'GD20261120000123'")
	office.done("chengguan", case, "accept")
	office.done("chengguan", case, "resolve", answer="已劝离")
	again, = send(office, "hotline", sample("hotline", "chinese-again.json"), "GD20261120000123#2")
	assert again["result"] == "updated" and again["case"] == case
	assert office.row(case)["leg"] == 2 and office.row(case)["state"] == "assigned"
	office.done("chengguan", case, "accept")
	office.done("chengguan", case, "resolve", answer="又劝离")
	heard = office.admin.collect(f"{office.root}/receipt/hotline/x")
	office.user("in-hotline").publish(f"{office.root}/in/hotline/x", sample("hotline", "chinese-visit.json"))
	rated = heard.wait(lambda m: m.json["id"].startswith("GD20261120000123#rate#")).json
	assert rated["result"] == "updated" and rated["case"] == case
	assert office.row(case)["leg"] == 3
	assert office.kinds(case).count("rated") == 1 and office.kinds(case).count("reopened") == 2


@pytest.mark.parametrize("name,id_,members", (
	("caller.json", "GZ-2026-004417", {"category": "物业/漏水", "lead": "wuye"}),
	("event.json", "880123", {"grid": "410106003007012"}),
	("pinyin.json", "20261120370102000045", {"urgency": "normal"}),
	("workorder.json", "WX2026112000088", {"channel": "hotline"}),
))
def test_other_cities_tickets_are_read_as_well(office, name, id_, members):
	receipt, = send(office, "hotline", sample("hotline", name), id_)
	assert receipt["result"] == "created"
	row = office.row(receipt["case"])
	assert {k: row[k] for k in members} == members


def test_a_list_of_tickets_is_several_cases(office):
	receipts = send(office, "hotline", sample("hotline", "list.json"), "GD20261120000201", "GD20261120000202")
	assert [r["result"] for r in receipts] == ["created"] * 2 and len({r["case"] for r in receipts}) == 2
	assert [r["department"] for r in receipts] == ["gaizao", "chengguan"]


def test_a_caller_who_wants_secrecy_has_a_sealed_case(office):
	receipt, = send(office, "hotline", sample("hotline", "chinese-secret.json"), "GD20261121000007")
	assert office.row(receipt["case"])["visibility"] == "sealed"


def test_a_list_with_one_bad_ticket_is_taken_whole_or_not_at_all(office):
	tickets = sample("hotline", "list.json")["data"]
	tickets = [dict(tickets[0], **{"工单编号": "L-1"}), {k: v for k, v in tickets[1].items() if k != "工单编号"}]
	before, dead = stored(office), len(office.dead())
	heard = office.admin.collect(f"{office.root}/receipt/hotline/x")
	office.user("in-hotline").publish(f"{office.root}/in/hotline/x", tickets)
	heard.wait(lambda m: m.json["result"] == "dead")
	assert len(office.dead()) == dead + 1
	nothing_came(office, "hotline", before)


def test_wecom_orders_become_cases_with_place_and_way_back(office):
	receipt, = send(office, "wechat", sample("wechat", "order.json"), "order20261120000017")
	row = office.row(receipt["case"])
	assert row["lead"] == "chengguan" and row["urgency"] == "urgent" and row["category"] == "市政/井盖"
	reply = office.reply(receipt["case"], "registered")
	assert reply["to"]["order_id"] == "order20261120000017" and reply["to"]["channel"] == "wecom"
	receipts = send(office, "wechat", sample("wechat", "order-list.json"), "order20261120000018", "order20261120000019")
	assert [r["result"] for r in receipts] == ["created"] * 2


def test_a_chat_with_the_office_is_a_report_and_group_talk_is_not(office):
	for name, id_, result in (("single-text.json", "23456789012345678", "created"),
				  ("group-report.json", "CAQQ1-7002", "created"), ("group-bot.json", "CAQQ1-7003", "created"),
				  ("group-talk.json", "CAQQ1-7001", "updated")):
		receipt, = send(office, "wechat", sample("wechat", name), id_)
		assert receipt["result"] == result and bool(receipt["case"]) == (result == "created"), name
	talk = office.db.one("select * from needle.report where id = 'CAQQ1-7001'")
	assert talk["kind"] == "talk" and talk["number"] is None
	assert not office.db.all("select 1 from needle.person where id = 'CAQQ1-7001'"), "not who said it"


@pytest.mark.parametrize("name,n,ids,categories", (
	("manhole.json", 1, ("ALM-20261120-0007",), ("市政/井盖",)),
	("water.json", 2, ("W-99",), ("应急/积水",)),
	("gateway.json", 1, ("784f394c-42b6-435a-983c-b7beff2784f9",), ("应急/消防",)),
	("batch.json", 2, ("ALM-1", "ALM-2"), ("市政/井盖", None)),
))
def test_three_vendors_alarms_become_cases(office, name, n, ids, categories):
	before = stored(office)
	receipts = send(office, "device", sample("device", name), *ids)
	assert [r["result"] for r in receipts] == ["created"] * len(ids)
	assert tuple(office.row(r["case"])["category"] for r in receipts) == categories
	assert stored(office) == before + n, "what is over or a heartbeat makes nothing"


def test_an_alarm_without_an_id_is_known_by_device_and_time(office):
	alarm = sample("device", "manhole-no-id.json")
	heard = office.admin.collect(f"{office.root}/receipt/device/no-id")
	for n in range(2):
		office.user("in-device").publish(f"{office.root}/in/device/no-id", alarm)
		heard.wait(n=n + 1)
	assert [m.json["result"] for m in heard] == ["created", "duplicate"]


@pytest.mark.parametrize("name,about", (
	("manhole-cleared.json", "ALM-20261120-0007:clear"),
	("gateway-cleared.json", "784f394c-42b6-435a-983c-b7beff2784f9:clear"),
	("level.json", "SW-9:20260720150905:LEVEL_HIGH"),
))
def test_what_a_device_says_beside_alarms_makes_nothing_where_nobody_watches_it(office, name, about):
	before = stored(office)
	message = dict(sample("device", name))
	if "sn" in message:
		message["sn"] = "SW-9"  # the register does not know it
	receipt, = send(office, "device", message, about)
	assert (receipt["result"], receipt["case"]) == ("updated", None) and receipt["reason"]
	assert stored(office) == before


@pytest.mark.parametrize("channel,message", (
	("wechat", sample("wechat", "group-image.json")),
	("hotline", sample("hotline", "chinese-unrated.json")),
	("device", {"sn": "SW-0007", "time": "2026-07-20T15:04:05+08:00", "alarms": []}),
), ids=("a picture in a group", "a call that nobody took", "a logger without alarms"))
def test_what_asks_for_nothing_makes_nothing_and_has_its_receipt_all_the_same(office, channel, message):
	before, dead, heard = stored(office), len(office.dead()), office.admin.collect(f"{office.root}/receipt/{channel}/none")
	office.user(f"in-{channel}").publish(f"{office.root}/in/{channel}/none", message, correlation=b"kept until then")
	got = heard.wait(what="the receipt, for which its adapter waits")
	assert got.correlation == b"kept until then"
	assert {k: got.json[k] for k in ("id", "result", "case")} == {"id": None, "result": "updated", "case": None} and got.json["reason"]
	nothing_came(office, channel, before)
	assert len(office.dead()) == dead and len(heard) == 1


def test_a_channel_with_a_decoder_understands_the_contracts_own_form_too(office):
	for channel in ("hotline", "wechat", "device"):
		assert office.report(channel, text="路灯不亮", category="市政/路灯")["result"] == "created"


# ---- by configuration ------------------------------------------------------------------------------

METER = {"msgId": "m-1", "desc": "水管爆了", "ts": "20261120083107", "level": 2, "hide": "N", "model": "WM-3",
	 "loc": {"grid": "410106003005002", "x": 113.6, "y": "34.75", "floor": 2}, "who": [{"name": "李某某"}]}


def foreign(office, user, topic, message, channel):
	"""Publishes on a topic that is not ours and returns (source, receipt)."""
	heard = office.admin.collect(f"{office.root}/receipt/{channel}/+")
	office.user(user).publish(topic, message)
	got = heard.wait()
	return got.last, got.json


def test_a_map_reads_another_vendors_json_on_the_vendors_own_topic(office):
	source, receipt = foreign(office, "in-meter", "vendor-a/mh-17/alarm", METER, "meter")
	assert source == "mh-17" and receipt["id"] == "m-1" and receipt["result"] == "created"
	row = office.row(receipt["case"])
	assert row["category"] == "公用/供水" and row["urgency"] == "urgent" and row["grid"] == "410106003005002"
	assert row["extra"]["model"] == "WM-3" and row["extra"]["loc"]["floor"] == 2, "what no pointer took is kept"
	report = office.db.one("select * from needle.report where id = 'm-1'")
	assert str(report["at"].astimezone().timestamp()) == "1795134667.0", "a time without zone is Shanghai's"
	person = office.db.one("select * from needle.person where id = 'm-1'")
	assert person["name"] == "李某某" and (person["lat"], person["lon"]) == (34.75, 113.6) and not person["secret"]


def test_codes_translate_and_a_secret_by_code_seals(office):
	_, receipt = foreign(office, "in-meter", "vendor-a/mh-17/alarm", dict(METER, msgId="m-2", level="3", hide="Y"), "meter")
	row = office.row(receipt["case"])
	assert row["urgency"] == "critical" and row["visibility"] == "sealed"


def test_a_code_that_the_table_does_not_have_is_kept_and_marked(office):
	_, receipt = foreign(office, "in-meter", "vendor-a/mh-17/alarm", dict(METER, msgId="m-3", level=9, desc="水表倒转"), "meter")
	row = office.row(receipt["case"])
	assert receipt["result"] == "created" and row["urgency"] == "normal"
	assert "urgency-unknown" in row["extra"]["marks"] and row["extra"]["urgency"] == 9


def test_a_source_with_other_letters_becomes_a_safe_one_of_its_own(office):
	names = ("MH 01/x", "mh-01", "水表", "a" * 100)
	sources = set()
	for n, name in enumerate(names):
		topic = f"vendor-a/{name.replace('/', '_')}/alarm"
		source, receipt = foreign(office, "in-meter", topic, dict(METER, msgId=f"s-{n}", desc=f"{n}号表不走了"), "meter")
		assert receipt["result"] == "created" and re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", source), source
		sources.add(source)
	assert len(sources) == len(names) and "mh-01" in sources


def test_gb18030_is_read_and_answered_in_utf_8(office):
	message = json.dumps({"id": "gb-1", "text": "井盖破损，㐂字路口", "category": "市政/井盖"}, ensure_ascii=False)
	receipt, = send(office, "oldcity", message.encode("gb18030"), "gb-1")
	assert receipt["result"] == "created" and office.row(receipt["case"])["title"] == "井盖破损，㐂字路口"


def test_what_is_not_gb18030_is_a_dead_letter_with_its_bytes(office):
	heard = office.admin.collect(f"{office.root}/receipt/oldcity/x")
	office.user("in-oldcity").publish(f"{office.root}/in/oldcity/x", b'{"id":"gb-2","text":"\x81\x20"}')
	assert heard.wait().json["result"] == "dead"
	letter = office.dead(channel="oldcity")[0]
	assert letter["code"] == "bad-charset" and bytes(letter["payload"]) == b'{"id":"gb-2","text":"\x81\x20"}'


def test_the_source_may_be_a_level_of_the_topic(office):
	source, receipt = foreign(office, "in-yard", "yard/north/gate-3/state",
				  {"id": "y-1", "msg": "门坏了", "at": 1795134667123}, "yard")
	assert source == "gate-3" and receipt["result"] == "created"
	assert office.db.value("select extract(epoch from at)::int8 from needle.report where id = 'y-1'") == 1795134667
	assert foreign(office, "in-yard", "yard-b/north/gate-4/state", {"id": "y-2", "msg": "门坏了"}, "yard")[0] == "gate-4"


def test_the_source_may_be_in_the_message(office):
	source, receipt = foreign(office, "in-serial", "serial/any/depth/at/all",
				  {"no": 77, "say": "没电了", "dev": {"sn": "sn-9"}}, "serial")
	assert source == "sn-9" and receipt["id"] == "77" and receipt["result"] == "created"
	assert office.row(receipt["case"])["urgency"] == "urgent"


def test_a_foreign_dead_letter_is_answered_and_kept_as_well(office):
	_, receipt = foreign(office, "in-serial", "serial/x", {"say": "没有编号", "dev": {"sn": "sn-9"}}, "serial")
	assert receipt["result"] == "dead" and receipt["id"] is None
	assert office.dead(channel="serial")[0]["topic"] == "serial/x"


def test_explain_reads_the_channels_map_constants_too(office):
	said = office.stack.ctl_json("explain", "--channel", "meter", "--text", "水管爆了")
	assert said["department"] == "chengguan", "category 公用/供水 is set"
