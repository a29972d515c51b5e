"""Messages that break off at any byte, and packets that no decent client sends. As in test_bad_input.py
each has its verdict, and the next good message after each is a case at once."""
import json
import os
import struct
import time

import pytest

from lib.raw import Raw, text
from lib.stack import BUILD
from lib.wait import wait_for

SOON_S = 3 if os.path.basename(BUILD) == "san" else 1
WHOLE = json.dumps({"v": 1, "id": "cut-whole", "time": "2026-11-20T08:31:07+08:00", "text": "幸福里3号楼\\井盖\"破损\" \u0001", "n": [1.5e3, True, None],
		    "reporter": {"name": "李某😀", "phone": "13800000000"}}, ensure_ascii=False).encode()
NAME = 0x26


def user_property(name, value):
	return bytes([NAME]) + text(name) + text(value)


def good_one_at_once(office):
	since = time.monotonic()
	case = office.case(text="后面一条好的")
	took = time.monotonic() - since
	assert office.row(case)["state"] == "assigned" and took < SOON_S, f"{took:.1f} s"


def raw(office, version=5, user="in-patrol"):
	env = office.stack.env
	return Raw(env["NEEDLE_MQTT_HOST"], int(env["NEEDLE_MQTT_PORT"]), user, office.stack.passwords[user], version)


def code_of(part):
	try:
		part.decode()
	except UnicodeDecodeError:
		return "bad-utf8"
	return "not-json" if part else "empty"


def test_a_message_that_breaks_off_at_any_byte_is_a_dead_letter_and_the_next_one_a_case(office):
	heard = office.admin.collect(f"{office.root}/receipt/patrol/+")
	for n in range(len(WHOLE)):
		source = f"cut-{n}"
		office.user("in-patrol").publish(f"{office.root}/in/patrol/{source}", WHOLE[:n])
		good_one_at_once(office)
		receipt = heard.wait(lambda m, s=source: m.last == s, what=f"the receipt of the first {n} bytes").json
		assert (receipt["result"], receipt["id"], receipt["case"]) == ("dead", None, None), (n, receipt)
		letter, = office.dead(topic=f"{office.root}/in/patrol/{source}")
		assert bytes(letter["payload"]) == WHOLE[:n] and letter["code"] == code_of(WHOLE[:n]), (n, letter["code"])
	office.user("in-patrol").publish(f"{office.root}/in/patrol/cut-none", WHOLE)
	assert heard.wait(lambda m: m.last == "cut-none").json["result"] == "created"


def test_a_batch_of_broken_messages_harms_none_of_the_good_ones_between_them(office):
	heard, sent = office.admin.collect(f"{office.root}/receipt/patrol/mix"), 0
	for n in range(0, len(WHOLE), 2):
		office.user("in-patrol").publish(f"{office.root}/in/patrol/mix", WHOLE[:n], wait=False)
		office.user("in-patrol").publish(f"{office.root}/in/patrol/mix", {"id": f"mix-{n}", "text": "好的"}, wait=False)
		sent += 1
	receipts = [m.json for m in heard.wait(n=2 * sent, what="every receipt")]
	assert sum(r["result"] == "dead" for r in receipts) == sum(r["result"] == "created" for r in receipts) == sent


# ---- packets: name, topic below the root, MQTT 5 properties, verdict ------------------------------------
# created: a case; dead: a dead letter; broker: the broker refuses it and the gateway never hears of it.

LONG = 65000
PACKETS = (
	("a topic of 65,000 bytes", "in/patrol/" + "x" * LONG, b"", "created"),
	("a topic of 65,000 bytes to nobody's channel", "in/" + "x" * LONG + "/y", b"", "broker"),
	("a topic of 150 levels", "in/patrol/" + "/".join("x" * 150), b"", "dead"),
	("a topic of 300 levels", "in/patrol/" + "/".join("x" * 300), b"", "broker"),
	("one user property of 60 kB", "in/patrol/props", user_property("note", "x" * 60000), "created"),
	("a thousand user properties", "in/patrol/props", user_property("a", "b") * 1000, "created"),
	("ten thousand user properties", "in/patrol/props", user_property("a", "b") * 10000, "created"),
	("user properties of no name", "in/patrol/props", user_property("", "") * 3, "created"),
	("a content type that lies", "in/patrol/props", b"\x03" + text("image/jpeg") + b"\x01\x00", "created"),
	("a message that has expired soon", "in/patrol/props", b"\x02" + struct.pack(">I", 3600), "created"),
	("two response topics", "in/patrol/props", (b"\x08" + text("needle/jiyuanlu/receipt/patrol/props/a")) * 2, "broker"),
	("a response topic with a wildcard", "in/patrol/props", b"\x08" + text("needle/jiyuanlu/receipt/patrol/#"), "created"),
	("a response topic that is empty", "in/patrol/props", b"\x08" + text(""), "created"),
	("a response topic that is no UTF-8", "in/patrol/props", b"\x08" + text(b"\xff\xfe"), "broker"),
	("a property of another packet", "in/patrol/props", b"\x21\x00\x10", "broker"),
	("a property that is none", "in/patrol/props", b"\x7f\x00", "broker"),
	("properties that break off", "in/patrol/props", b"\x26\x00\x50a", "broker"),
	("a topic alias of 0", "in/patrol/props", b"\x23\x00\x00", "broker"),
	("a topic alias beyond the broker's", "in/patrol/props", b"\x23\xff\xff", "broker"),
	("a payload that says it is UTF-8 and is", "in/patrol/props", b"\x01\x01", "created"),
	("a subscription identifier", "in/patrol/props", b"\x0b\x01", "created"),
)


@pytest.mark.parametrize("n", range(len(PACKETS)), ids=[row[0] for row in PACKETS])
def test_a_packet_that_nobody_decent_sends_has_its_verdict(office, n):
	_, topic, properties, verdict = PACKETS[n]
	named, topic = office.new_id("packet"), f"{office.root}/{topic}"
	received = office.stack.metric("needle_messages_received_total")
	letters = office.stack.metric("needle_dead_letters_total")
	taken = raw(office).publish(topic, json.dumps({"id": named, "text": "a"}).encode(), properties=properties)
	good_one_at_once(office)
	if verdict == "created":
		wait_for(lambda: office.db.value("select number from needle.report where id = %s", named), what="its case")
	elif verdict == "dead":
		wait_for(lambda: office.stack.metric("needle_dead_letters_total") == letters + 1, what="its dead letter")
		assert bytes(office.dead(topic=topic)[0]["topic_raw"]) == topic.encode()
	assert taken == (verdict != "broker")
	assert office.stack.metric("needle_messages_received_total") == received + 1 + taken
	assert office.stack.running()


# ---- answers go where the sender may hear, and nowhere else ----------------------------------------------

@pytest.mark.parametrize("wish", (
	"needle/jiyuanlu/receipt/hotline/city", "needle/jiyuanlu/receipt/patrol", "needle/jiyuanlu/receipt/patrol/own2",
	"needle/other/receipt/patrol/own", "needle/jiyuanlu/dept/wuye/event/assigned", "needle/jiyuanlu/in/patrol/own",
	"needle/jiyuanlu/dept/wuye/queue/JYL261120000001", "$SYS/broker/own", "needle/jiyuanlu/receipt/patrol/owner/x", "elsewhere",
))
def test_a_response_topic_outside_the_senders_own_tree_is_ignored_and_counted(office, wish):
	heard, there = office.admin.collect(f"{office.root}/receipt/patrol/own"), office.admin.collect(wish)
	ignored, named = office.stack.metric("needle_response_topics_ignored_total"), office.new_id("own")
	office.user("in-patrol").publish(f"{office.root}/in/patrol/own", {"id": named, "text": "a"}, response_topic=wish,
					 correlation=b"mark")
	assert heard.wait(lambda m: m.json["id"] == named).json["result"] == "created"
	assert office.stack.metric("needle_response_topics_ignored_total") == ignored + 1
	good_one_at_once(office)
	assert not there.find(lambda m: b'"result"' in m.payload and named.encode() in m.payload)
