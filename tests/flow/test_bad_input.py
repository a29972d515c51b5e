"""Everything odd that can be sent, each with its verdict; after each the next good message is a case at once.

A dead letter keeps topic and bytes as they came, has a stable code and a reason that quotes nothing; what has an
id and something to do is kept, however odd the rest; a command is refused or bad; some things the broker refuses.
"""
import gzip
import json
import os
import signal
import time

import pytest

from lib.folder import adds, demo
from lib.raw import Raw
from lib.stack import BUILD
from lib.wait import wait_for

SOON_S = 3 if os.path.basename(BUILD) == "san" else 1
SQL = "'); DROP TABLE needle.cases; --"
HTML = '<script>alert("1")</script><img src=x onerror=alert(1)>&amp;'
CASE = "JYL261120000001"
MANY = 100000
LIST = b"[" + b",".join([b"1"] * MANY) + b"]"


def demo_with_an_old_platform(folder):
	return demo(folder, {"channels.yaml": adds("\n  oldcity: {name: 老平台, codec: json, charset: gb18030}\n")})


STACK = {"config": demo_with_an_old_platform}


def odd(**members):
	"""A report that is good but for these members; `id` comes with the test."""
	return dict({"text": "井盖破损"}, **members)


# ---- dead: name, payload, code, id in the receipt ---------------------------------------------------

DEAD = (
	("nothing at all", b"", "empty", None),
	("no JSON", b"hello", "not-json", None),
	("JSON that breaks off", b'{"id":"x","text":"ab', "not-json", None),
	("a member twice", b'{"id":"twice","text":"a","id":"thrice"}', "not-json", None),
	("a member twice deep inside", b'{"id":"x","text":"a","place":{"grid":"1","grid":"2"}}', "not-json", None),
	("two objects", b'{"id":"x","text":"a"}{"id":"y","text":"b"}', "not-json", None),
	("a comma too many", b'{"id":"x","text":"a",}', "not-json", None),
	("single quotes", b"{'id':'x','text':'a'}", "not-json", None),
	("a comment", b'{"id":"x",/* hi */"text":"a"}', "not-json", None),
	("an array", b'[{"id":"x","text":"a"}]', "not-json", None),
	("an array of 100,000", LIST, "not-json", None),
	("a number", b"42", "not-json", None),
	("a text", b'"text"', "not-json", None),
	("null", b"null", "not-json", None),
	("NaN", b'{"id":"x","text":"a","n":NaN}', "not-json", None),
	("Infinity", b'{"id":"x","text":"a","n":-Infinity}', "not-json", None),
	("bytes that are no UTF-8", b'{"id":"x","text":"\xff\xfe"}', "bad-utf8", None),
	("an overlong slash", b'{"id":"x","text":"\xc0\xaf"}', "bad-utf8", None),
	("a surrogate in UTF-8", b'{"id":"x","text":"\xed\xa0\x80"}', "bad-utf8", None),
	("a character beyond Unicode", b'{"id":"x","text":"\xf4\x90\x80\x80"}', "bad-utf8", None),
	("half a character at the end", '{"id":"x","text":"井'.encode()[:-1], "bad-utf8", None),
	("GB18030 where UTF-8 is due", '{"id":"x","text":"井盖破损"}'.encode("gb18030"), "bad-utf8", None),
	("UTF-16", '{"id":"x","text":"a"}'.encode("utf-16"), "bad-text", None),
	("half a character, escaped", b'{"id":"x","text":"\\ud83d"}', "not-json", None),
	("two halves the wrong way", b'{"id":"x","text":"\\udc00\\ud800"}', "not-json", None),
	("a NUL", b'{"id":"x","text":"a\x00b"}', "bad-text", None),
	("a NUL, escaped", b'{"id":"x","text":"a\\u0000b"}', "bad-text", None),
	("a NUL in a name", b'{"id":"x","text":"a","n\\u0000":1}', "bad-text", None),
	("10,000 arrays deep", b'{"id":"x","text":"a","d":' + b"[" * 10000 + b"]" * 10000 + b"}", "too-deep", None),
	("10,000 objects deep", b'{"d":' * 10000 + b"1" + b"}" * 10000, "too-deep", None),
	("10,000 brackets and no end", b"[" * 10000, "too-deep", None),
	("300 kB", b'{"id":"x","text":"' + b"a" * 300000 + b'"}', "too-big", None),
	("1 MB", b'{"id":"x","text":"' + b"a" * 1000000 + b'"}', "too-big", None),
	("compressed bytes", gzip.compress(b'{"id":"x","text":"a"}', mtime=0), "bad-text", None),
	("random bytes without a NUL", bytes.fromhex("8e1fc35ab0774de96b02f9d8a4319c66"), "bad-utf8", None),
	("no id", b'{"text":"a"}', "no-id", None),
	("id null", b'{"id":null,"text":"a"}', "no-id", None),
	("id empty", b'{"id":"","text":"a"}', "no-id", None),
	("id of blanks", '{"id":" \u3000 ","text":"a"}'.encode(), "no-id", None),
	("id of 10 kB", b'{"id":"' + b"x" * 10240 + b'","text":"a"}', "bad-id", None),
	("id of 129 bytes", b'{"id":"' + b"x" * 129 + b'","text":"a"}', "bad-id", None),
	("id with a line break", b'{"id":"a\\nb","text":"a"}', "bad-id", None),
	("id with DEL", b'{"id":"a\\u007fb","text":"a"}', "bad-id", None),
	("id a fraction", b'{"id":1.5,"text":"a"}', "bad-id", None),
	("id true", b'{"id":true,"text":"a"}', "bad-id", None),
	("id an object", b'{"id":{"n":1},"text":"a"}', "bad-id", None),
	("id an array", b'{"id":["x"],"text":"a"}', "bad-id", None),
	("id an array of 100,000", b'{"id":' + LIST + b',"text":"a"}', "bad-id", None),
	("nothing to do", b'{"id":"d-1"}', "no-text", "d-1"),
	("text empty", b'{"id":"d-2","text":""}', "no-text", "d-2"),
	("text of blanks", b'{"id":"d-3","text":" \\t \\n "}', "no-text", "d-3"),
	("text an object", b'{"id":"d-4","text":{"zh":"a"}}', "no-text", "d-4"),
	("kind unknown", b'{"id":"d-5","kind":"explode","text":"a"}', "bad-kind", "d-5"),
	("kind a number", b'{"id":"d-6","kind":7,"text":"a"}', "bad-kind", "d-6"),
	("kind as somebody else's word", b'{"id":"d-7","kind":"REPORT","text":"a"}', "bad-kind", "d-7"),
	("an urge of nothing", b'{"id":"d-8","kind":"urge"}', "no-case", "d-8"),
	("an urge of no case number", b'{"id":"d-9","kind":"urge","case":"../../etc"}', "no-case", "d-9"),
	("an urge of an unknown case", b'{"id":"d-10","kind":"urge","case":"JYL200101000001"}', "unknown-case", "d-10"),
	("an urge of SQL", b"""{"id":"d-11","kind":"urge","about":"x' OR '1'='1"}""", "unknown-case", "d-11"),
	("a rating without a score", b'{"id":"d-12","kind":"rate","case":"JYL261120000001"}', "bad-score", "d-12"),
	("a rating of great", b'{"id":"d-13","kind":"rate","case":"JYL261120000001","score":"great"}', "bad-score", "d-13"),
)

# ---- dead on a channel whose charset is gb18030: name, the text's bytes ------------------------------

BROKEN_GB18030 = (
	("a byte that begins nothing", b"\x81\x20"),
	("half a character", b"\x81"),
	("half of four bytes", b"\x81\x30\x81"),
	("a byte that is none", b"\xff"),
	("a code beyond Unicode", b"\xe3\x32\x9a\x36"),
	("UTF-8", "井".encode()),
)

# ---- kept: name, report, what must hold of (v_case row, report row, person row) ----------------------

KEPT = (
	("id a number", odd(id=12345), lambda c, r, p: r["id"] == "12345"),
	("id of 128 bytes", odd(id="y" * 128), lambda c, r, p: len(r["id"]) == 128),
	("id with blanks around", odd(id="  around \n"), lambda c, r, p: r["id"] == "around"),
	*((f"id {name!r}", odd(id=name), lambda c, r, p, name=name: r["id"] == name) for name in (
		"a+b", "a#b", "#", "+", "$SYS/x", "../..", ".", "a/b/c", SQL, HTML, "😀", "%s%n", "${secret:mqtt_password}", "null")),
	("a byte-order mark", b'\xef\xbb\xbf{"id":"bom-1","text":"a"}', lambda c, r, p: r["id"] == "bom-1"),
	("time in the year 0", odd(time="0000-01-01T00:00:00Z"), lambda c, r, p: set(c["extra"]["marks"]) & {"time-bad", "time-old"}),
	("time in the year 9999", odd(time="9999-12-31T23:59:59+08:00"), lambda c, r, p: set(c["extra"]["marks"]) & {
		"time-bad", "time-future"}),
	("time 0", odd(time=0), lambda c, r, p: c["extra"]["marks"] == ["time-old"]),
	("time below zero", odd(time=-1), lambda c, r, p: c["extra"]["marks"] == ["time-bad"]),
	("time beyond all", odd(time=1e300), lambda c, r, p: c["extra"]["marks"] == ["time-bad"]),
	("30 February", odd(time="2026-02-30T00:00:00+08:00"), lambda c, r, p: c["extra"]["marks"] == ["time-bad"]),
	("time an object", odd(time={"$date": 1}), lambda c, r, p: c["extra"]["time"] == {"$date": 1}),
	("a grid that is none", odd(place={"grid": "999999999999999"}), lambda c, r, p: c["extra"]["marks"] == ["grid-unknown"]),
	("a grid of SQL", odd(place={"grid": SQL}), lambda c, r, p: r["grid"] == SQL and c["grid"] is None),
	("a category that is none", odd(category="没有/这一类"), lambda c, r, p: c["extra"]["marks"] == ["category-unknown"]),
	("a category of HTML", odd(category=HTML), lambda c, r, p: r["category"] == HTML),
	("a category of 10 kB", odd(category="类" * 3500), lambda c, r, p: len(c["category"]) <= 40),
	("an urgency that is none", odd(urgency="asap"), lambda c, r, p: c["urgency"] == "normal" and c["extra"]["marks"] == [
		"urgency-unknown"]),
	("an urgency of 9", odd(urgency=9), lambda c, r, p: c["urgency"] == "normal" and c["extra"]["urgency"] == 9),
	("a phone that is none", odd(reporter={"phone": "call me"}), lambda c, r, p: "phone-odd" in c["extra"]["marks"]),
	("a phone of 200 digits", odd(reporter={"phone": "1" * 200}), lambda c, r, p: len(p["phone"]) < 40),
	("a reporter that is a text", odd(reporter="李某"), lambda c, r, p: p["name"] == "李某"),
	("a reporter that is a list", odd(reporter=[1, 2]), lambda c, r, p: c["state"] == "assigned"),
	("a place that is a text", odd(place="东门"), lambda c, r, p: p["address"] == "东门"),
	("a place that is a number", odd(place=7), lambda c, r, p: c["state"] == "assigned"),
	("places beyond the earth", odd(place={"lat": 999, "lon": -999}), lambda c, r, p: not p or p["lat"] is None),
	("a latitude of NaN", odd(place={"lat": "NaN", "lon": "Infinity"}), lambda c, r, p: not p or p["lat"] is None),
	("a place at 0, 0", odd(place={"lat": 0, "lon": 0}), lambda c, r, p: not p or p["lat"] is None),
	("media that are none", odd(media="https://x"), lambda c, r, p: c["extra"]["media"] == "https://x"),
	("media of junk", odd(media=[None, 7, {"url": HTML}]), lambda c, r, p: r["media"] == [None, 7, {"url": HTML}]),
	("100,000 media", b'{"id":"many-media","text":"a","media":' + LIST + b"}", lambda c, r, p: r["media"] == [1] * MANY),
	("an array of 100,000 in a member that nobody knows", b'{"id":"many-extra","text":"a","many":' + LIST + b"}",
	 lambda c, r, p: c["extra"]["many"] == [1] * MANY),
	("a reply_to of 50 kB", odd(reply_to=["x" * 50000]), lambda c, r, p: r["reply_to"] == ["x" * 50000]),
	("another version", odd(v=99), lambda c, r, p: c["extra"]["v"] == 99),
	("a version that is none", odd(v="eins"), lambda c, r, p: c["extra"]["v"] == "eins"),
	("60 deep", odd(d=json.loads("[" * 60 + "]" * 60)), lambda c, r, p: "d" in c["extra"]),
	("5,000 members", odd(**{f"m{n}": n for n in range(5000)}), lambda c, r, p: len(c["extra"]) == 5000),
	("names that mean something elsewhere", odd(**{"": 1, "__proto__": 2, "constructor": 3, "x" * 5000: 4, SQL: 5}),
	 lambda c, r, p: c["extra"][""] == 1 and c["extra"][SQL] == 5),
	("numbers at their ends", odd(big=2**63 - 1, small=-2**63, real=1.7e308, tiny=5e-324), lambda c, r, p: c["extra"]["big"] == 2**63 - 1),
	("a number beyond all bounds", b'{"id":"huge-1","text":"a","n":1e999,"serial":12345678901234567890}',
	 lambda c, r, p: c["extra"]["n"] == "1e999" and c["extra"]["serial"] == "12345678901234567890"),
	("a text of 200 kB", odd(text="长" * 70000), lambda c, r, p: len(r["text"]) == 70000 and len(c["title"]) <= 40),
	("control characters", odd(text="a\u0001\u001b[31m\u202egnihsif\u200b\u2028b"), lambda c, r, p: "gnihsif" in r["text"]),
	("SQL everywhere", odd(text=SQL, category=SQL, urgency=SQL, device=SQL, accused=SQL, about=SQL, comment=SQL, extra=SQL, time=SQL,
			       reporter={"name": SQL, "phone": SQL, "ref": SQL}, place={"address": SQL, "grid": SQL, "crs": SQL},
			       reply_to={SQL: SQL}, media=[{"url": SQL}]), lambda c, r, p: r["text"] == SQL and p["name"] == SQL),
	("HTML everywhere", odd(text=HTML, category=HTML, device=HTML, accused=HTML, reporter={"name": HTML, "ref": HTML},
				place={"address": HTML}, reply_to={HTML: HTML}), lambda c, r, p: r["text"] == HTML and p["ref"] == HTML),
	("a template everywhere", odd(text="{case} {answer} %s %n ${secret:mqtt_password}", reporter={"name": "{department}"}),
	 lambda c, r, p: r["text"].startswith("{case} {answer} %s")),
	("somebody else's tenant", odd(tenant="other", channel="hotline", source="x", number=CASE, state="closed", lead="wuye"),
	 lambda c, r, p: c["tenant"] == "jiyuanlu" and c["channel"] == "patrol" and c["state"] == "assigned" and c["number"] != CASE),
)

# ---- topics: name, topic below needle/, code; None: nobody listens there ------------------------------

TOPICS = (
	("an unknown channel", "jiyuanlu/in/nosuch/x", "unknown-channel"),
	("a channel in capitals", "jiyuanlu/in/PATROL/x", "unknown-channel"),
	("a channel of SQL", f"jiyuanlu/in/{SQL}/x", "unknown-channel"),
	("no source", "jiyuanlu/in/patrol", "wrong-topic"),
	("a level too many", "jiyuanlu/in/patrol/a/b", "wrong-topic"),
	("no channel", "jiyuanlu/in//x", "unknown-channel"),
	("nothing behind in", "jiyuanlu/in", "wrong-topic"),
	("an unknown department", "jiyuanlu/dept/nosuch/cmd", "unknown-department"),
	("another tenant", "other/in/patrol/x", None),
	("no tenant", "in/patrol/x", None),
	("a department's own result", "jiyuanlu/dept/wuye/result", None),
	("the gateway's receipts", "jiyuanlu/receipt/patrol/x", None),
)

# ---- commands: name, payload, result, id of the request in it ------------------------------------------

COMMANDS = (
	("nothing at all", b"", "bad", None),
	("no JSON", b"accept!", "bad", None),
	("bytes", b"\xff\xfe\x00", "bad", None),
	("10,000 deep", b'{"request":"x","d":' + b"[" * 10000 + b"]" * 10000 + b"}", "bad", None),
	("1 MB", b'{"request":"x","note":"' + b"a" * 1000000 + b'"}', "bad", None),
	("no request", {"case": CASE, "action": "accept"}, "bad", None),
	("a request of 10 kB", {"request": "r" * 10240, "case": CASE, "action": "accept"}, "bad", None),
	("a request that is an object", {"request": {}, "case": CASE, "action": "accept"}, "bad", None),
	("an unknown action", {"request": "c-1", "case": CASE, "action": "explode"}, "bad", "c-1"),
	("no action", {"request": "c-2", "case": CASE}, "bad", "c-2"),
	("no case", {"request": "c-3", "action": "accept"}, "bad", "c-3"),
	("a case of SQL", {"request": "c-4", "case": SQL, "action": "accept"}, "bad", "c-4"),
	("a case with wildcards", {"request": "c-5", "case": "JYL+/#", "action": "accept"}, "bad", "c-5"),
	("an unknown case", {"request": "c-6", "case": "JYL200101000001", "action": "accept"}, "refused", "c-6"),
	("another department's case", {"request": "c-7", "case": "THEIRS", "action": "accept"}, "refused", "c-7"),
	("another department's case, in its name", {"request": "c-8", "case": "THEIRS", "action": "accept", "department": "wuye",
						    "by": "wuye", "tenant": "jiyuanlu"}, "refused", "c-8"),
	("another department's record", {"request": "c-9", "case": "THEIRS", "action": "get"}, "refused", "c-9"),
	("a transfer to SQL", {"request": "c-10", "case": "THEIRS", "action": "transfer", "to": SQL}, "refused", "c-10"),
	("a request of SQL", {"request": SQL, "case": "JYL200101000001", "action": "accept", "by": SQL, "note": SQL},
	 "refused", SQL),
	("a note of HTML", {"request": "c-11", "case": "MINE", "action": "progress", "note": HTML, "by": HTML}, "done", "c-11"),
	("a note of 200 kB", {"request": "c-12", "case": "MINE", "action": "progress", "note": "长" * 70000}, "done", "c-12"),
	("100,000 departments", {"request": "c-14", "case": "MINE", "action": "whistle", "task": "x", "departments": [1] * MANY}, "refused", "c-14"),
	("the same department 30,000 times", {"request": "c-15", "case": "MINE", "action": "whistle", "task": "x", "departments": ["wuye"] * 30000},
	 "refused", "c-15"),
	("100,000 parties", {"request": "c-16", "case": "MINE", "action": "consult", "topic": "x", "at": "2099-01-01T09:00:00+08:00",
			     "parties": [1] * MANY}, "refused", "c-16"),
	("an array of 100,000 in a member that nobody knows", {"request": "c-17", "case": "MINE", "action": "progress", "note": "x",
							       "many": [1] * MANY}, "done", "c-17"),
	("members of the wrong kind", {"request": "c-13", "case": "MINE", "action": "progress", "note": "x", "by": [1], "until": {},
				       "answer": 7, "media": "x", "place": None}, "done", "c-13"),
)


@pytest.fixture(autouse=True)
def next_good_one(office):
	yield
	since = time.monotonic()
	case = office.case(text="后面一条好的")
	took = time.monotonic() - since
	assert office.row(case)["state"] == "assigned" and took < SOON_S, f"{took:.1f} s"


def send(office, payload, source, channel="patrol"):
	heard = office.user(f"in-{channel}").collect(f"{office.root}/receipt/{channel}/{source}")
	office.user(f"in-{channel}").publish(f"{office.root}/in/{channel}/{source}", payload)
	return heard.wait().json


def names(table):
	return [row[0] for row in table]


def nothing_lost_its_head(office):
	"""The daemon that began still runs, and all tables are there."""
	assert office.stack.running()
	assert office.db.value("select count(*) from needle.cases") > 0


@pytest.mark.parametrize("n", range(len(DEAD)), ids=names(DEAD))
def test_what_can_never_become_a_case_is_a_dead_letter(office, n):
	_, payload, code, named = DEAD[n]
	source, cases = f"dead-{n}", office.db.value("select count(*) from needle.cases")
	receipt = send(office, payload, source)
	assert receipt["result"] == "dead" and receipt["case"] is None and receipt["id"] == named and receipt["reason"]
	letter, = office.dead(topic=f"{office.root}/in/patrol/{source}")
	assert bytes(letter["payload"]) == payload and bytes(letter["topic_raw"]).decode() == letter["topic"]
	assert letter["channel"] == "patrol" and letter["reason"] == receipt["reason"]
	assert letter["code"] == code
	assert len(letter["reason"]) < 200 and "aaaa" not in letter["reason"]
	assert office.db.value("select count(*) from needle.cases") == cases


@pytest.mark.parametrize("n", range(len(BROKEN_GB18030)), ids=names(BROKEN_GB18030))
def test_broken_gb18030_is_a_dead_letter(office, n):
	payload, cases = b'{"id":"gb","text":"' + BROKEN_GB18030[n][1] + b'"}', office.db.value("select count(*) from needle.cases")
	receipt = send(office, payload, f"gb-{n}", "oldcity")
	letter, = office.dead(topic=f"{office.root}/in/oldcity/gb-{n}")
	assert (receipt["result"], receipt["id"], receipt["reason"]) == ("dead", None, letter["reason"])
	assert letter["code"] == "bad-charset" and letter["channel"] == "oldcity" and bytes(letter["payload"]) == payload
	assert office.db.value("select count(*) from needle.cases") == cases


@pytest.mark.parametrize("n", range(len(KEPT)), ids=names(KEPT))
def test_what_is_only_odd_is_kept_and_marked(office, n):
	_, report, holds = KEPT[n]
	if isinstance(report, dict):
		report = dict({"id": f"kept-{n}"}, **report)
	receipt = send(office, report, f"kept-{n}")
	assert receipt["result"] == "created", receipt
	row = office.row(receipt["case"])
	stored = office.db.one("select * from needle.report where number = %s", receipt["case"])
	person = office.db.one("select * from needle.person where channel = 'patrol' and id = %s", stored["id"])
	assert holds(row, stored, person), (row, {k: str(v)[:200] for k, v in stored.items()}, person)
	assert office.card(receipt["case"], row["lead"])["case"] == receipt["case"]
	nothing_lost_its_head(office)


@pytest.mark.parametrize("n", range(len(TOPICS)), ids=names(TOPICS))
def test_a_topic_that_is_nobodys(office, n):
	_, topic, code = TOPICS[n]
	heard = office.admin.collect(f"{office.root}/receipt/nosuch/x")
	topic, payload = f"needle/{topic}", json.dumps({"id": f"topic-{n}", "text": "a", "request": "t", "kind": "report"}).encode()
	before = office.stack.metric("needle_messages_received_total")
	office.admin.publish(topic, payload)
	if code:
		letter = wait_for(lambda: office.dead(topic=topic), what=f"the dead letter of {topic}")[0]
		assert letter["code"] == code and letter["channel"] is None and bytes(letter["payload"]) == payload
		if topic.endswith("/in/nosuch/x"):
			told = heard.wait().json
			assert told["result"] == "dead" and told["id"] == f"topic-{n}", "who writes to a misspelt channel is told so"
	else:
		office.case()
		assert not office.dead(topic=topic)
		assert office.stack.metric("needle_messages_received_total") == before + 1, "only the good one came"
	assert not office.db.all("select 1 from needle.report where id = %s", f"topic-{n}")


@pytest.mark.parametrize("source", ("BOOK-17", "book 17", "书本", "a" * 200, "$x", SQL, "", ".", "%2e%2e"))
def test_a_source_that_cannot_be_part_of_a_topic_becomes_one_that_can(office, source):
	heard = office.admin.collect(f"{office.root}/receipt/patrol/+")
	named = office.new_id("source")
	office.admin.publish(f"{office.root}/in/patrol/{source}", {"id": named, "text": "a"})
	got = heard.wait(lambda m: m.json["id"] == named)
	assert got.json["result"] == "created"
	assert office.db.value("select source from needle.report where id = %s", named) == got.last
	assert source != "BOOK-17" or got.last == "book-17"
	assert 1 <= len(got.last) <= 64 and all(c in "abcdefghijklmnopqrstuvwxyz0123456789_-" for c in got.last)


@pytest.fixture(scope="module")
def pair(office):
	"""A case of chengguan's and one of wuye's."""
	return {"MINE": office.case(category="市政/路灯"), "THEIRS": office.case(category="物业/漏水")}


@pytest.mark.parametrize("n", range(len(COMMANDS)), ids=names(COMMANDS))
def test_a_bad_command_has_its_result_and_changes_nothing(office, pair, n):
	_, command, verdict, request = COMMANDS[n]
	if isinstance(command, dict):
		command = json.dumps(dict(command, case=pair.get(command.get("case"), command.get("case"))), ensure_ascii=False,
				     separators=(",", ":")).encode()
	before = office.picture(pair["THEIRS"])
	heard = office.user("dept-chengguan").collect(f"{office.root}/dept/chengguan/result")
	office.user("dept-chengguan").publish(f"{office.root}/dept/chengguan/cmd", command)
	result = heard.wait(lambda m: m.json["request"] == request).json
	office.user("dept-chengguan").forget(heard)
	assert result["result"] == verdict and "record" not in result, result
	assert result["reason"] or verdict == "done"
	assert office.picture(pair["THEIRS"]) == before
	if verdict == "bad":
		assert result["case"] == (CASE if CASE.encode() in command else None), "where it can be read"
		letter = office.dead(topic=f"{office.root}/dept/chengguan/cmd")[0]
		assert bytes(letter["payload"]) == command and letter["reason"] == result["reason"]
	nothing_lost_its_head(office)


@pytest.mark.parametrize("wish", ("#", "+", "x" * 2000), ids=("all", "any", "2,000 bytes"))
def test_a_response_topic_that_cannot_be_used_is_ignored_and_counted(office, wish):
	heard, named = office.admin.collect(f"{office.root}/receipt/patrol/respond"), office.new_id("respond")
	ignored = office.stack.metric("needle_response_topics_ignored_total")
	office.user("in-patrol").publish(f"{office.root}/in/patrol/respond", {"id": named, "text": "a"},
					 response_topic=f"{office.root}/receipt/patrol/respond/{wish}")
	assert heard.wait(lambda m: m.json["id"] == named).json["result"] == "created"
	assert office.stack.metric("needle_response_topics_ignored_total") == ignored + 1


def test_correlation_data_of_60_kb_comes_back_whole(office):
	heard, mark = office.admin.collect(f"{office.root}/receipt/patrol/corr"), os.urandom(60000)
	office.user("in-patrol").publish(f"{office.root}/in/patrol/corr", {"id": "corr-1", "text": "a"}, correlation=mark)
	assert heard.wait().correlation == mark


def test_a_retained_report_is_not_taken_again_at_each_start(office):
	topic = f"{office.root}/in/patrol/kept"
	heard = office.admin.collect(f"{office.root}/receipt/patrol/kept")
	office.admin.publish(topic, {"id": "retained-1", "text": "a"}, retain=True)
	heard.wait()
	office.stack.kill(number=signal.SIGTERM)
	office.stack.up()
	office.case()
	assert {m.json["result"] for m in heard} == {"created"}, "a second time it would be a duplicate"
	office.admin.publish(topic, b"", retain=True)


# ---- what the broker refuses --------------------------------------------------------------------------

def raw(office, user="in-patrol"):
	env = office.stack.env
	return Raw(env["NEEDLE_MQTT_HOST"], int(env["NEEDLE_MQTT_PORT"]), user, office.stack.passwords[user])


@pytest.mark.parametrize("topic", (b"needle/jiyuanlu/in/+/x", b"needle/jiyuanlu/in/#", b"needle/jiyuanlu/in/patrol/\xff\xfe",
				   b"needle/jiyuanlu/in/patrol/a\x00b", b""))
def test_a_topic_that_is_none_ends_the_connection(office, topic):
	received = office.stack.metric("needle_messages_received_total")
	assert not raw(office, "admin").publish(topic, b'{"id":"never","text":"a"}')
	office.case()
	assert office.stack.metric("needle_messages_received_total") == received + 1


def test_a_packet_over_the_brokers_limit_ends_the_connection(office):
	assert not raw(office).publish(f"{office.root}/in/patrol/huge", b" " * (1 << 20))


@pytest.mark.parametrize("user,topic", (
	("in-hotline", "needle/jiyuanlu/in/patrol/x"), ("in-patrol", "needle/other/in/patrol/x"), ("in-patrol", "$SYS/broker/uptime"),
	("dept-wuye", "needle/jiyuanlu/dept/chengguan/cmd"), ("dept-wuye", "needle/jiyuanlu/in/patrol/x"),
	("dept-wuye", "needle/jiyuanlu/dept/wuye/queue/JYL261120000001"), ("wall", "needle/jiyuanlu/in/patrol/x"),
	("in-patrol", "needle/jiyuanlu/gateway/a/status"),
))
def test_what_the_access_list_forbids_does_not_arrive(office, user, topic):
	received = office.stack.metric("needle_messages_received_total")
	heard = office.admin.collect(topic)
	raw(office, user).publish(topic, b'{"id":"forbidden","text":"a","request":"x"}')
	office.case()
	assert office.stack.metric("needle_messages_received_total") == received + 1
	assert not heard.find(lambda m: b"forbidden" in m.payload)
