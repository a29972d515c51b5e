"""Names, phones and citizens' ids are planted through every channel, in every member and by every action. Then
nothing that others read may hold one of them: neither logs nor metrics, no card, no event, no retained topic, no view, no
reason of a dead letter, not the log of PostgreSQL. What is looked for is odd enough to come from nowhere else."""
import json

import pytest

STACK = {"simulate": "2026-11-23 09:00:00"}        # a Monday
NAME, CALLED, OFFICIAL = "欧阳鸢鸾", "尉迟鸮鸺先生", "上官鹓鶵"
PHONE, LANDLINE, CITIZEN = "13987651234", "0371-67843219", "11010519491231002X"
CANARIES = (NAME, CALLED, "尉迟鸮鸺", PHONE, LANDLINE, "67843219", CITIZEN, CITIZEN[:17])
ALL = f"{NAME} {CALLED} {PHONE} {LANDLINE} {CITIZEN}"
CHANNELS = ("hotline", "wechat", "device", "patrol", "letter", "visit")
# What the reporter's own adapter is told may hold what the reporter said.
PRIVATE = ("/receipt/", "/out/", "/in/", "/cmd", "/result")


def planted(**members):
	"""A report with a canary wherever one fits."""
	return dict({
		"text": f"路灯不亮，我是{NAME}，电话{PHONE}或{LANDLINE}，身份证{CITIZEN}，找{CALLED}", "category": "市政/路灯", "urgency": ALL,
		"reporter": {"name": NAME, "phone": PHONE, "ref": PHONE}, "device": f"{NAME}{PHONE}", "accused": ALL,
		"place": {"address": f"{NAME}家，幸福里3号楼2单元501，{PHONE}", "grid": PHONE, "lat": 34.7, "lon": 113.6, "crs": ALL},
		"media": [{"url": f"https://x.example/{PHONE}/{CITIZEN}.jpg", "type": "image/jpeg"}], "reply_to": {"who": ALL},
		"contact": {"names": [NAME, {"tel": int(PHONE), "id": CITIZEN, NAME: CALLED}]}, "comment": ALL}, **members)


def commands():
	"""Every action with canaries in all its texts, in an order that takes a case through most of its life."""
	texts = {"note": ALL, "answer": ALL, "order": ALL, "text": ALL, "outcome": ALL, "task": ALL, "topic": ALL, "parties": [NAME, ALL],
		 "media": [{"url": f"https://x.example/{PHONE}/{CITIZEN}.jpg", "type": NAME}, f"https://x.example/{NAME}.jpg"],
		 "within": "1 工作日", "until": "2026-12-01T10:00:00+08:00", "at": "2026-11-25T10:00:00+08:00", "category": "市政/路灯"}
	for dept, action, more in (
			("chengguan", "accept", {}), ("chengguan", "contact", {}), ("chengguan", "progress", {}), ("ducha", "supervise", {}),
			("chengguan", "answer", {}), ("chengguan", "whistle", {"departments": ["wuye"]}), ("wuye", "report_in", {}),
			("wuye", "support_done", {}), ("ducha", "lift", {"to": "wuye"}), ("chengguan", "consult", {}),
			("chengguan", "consult_outcome", {}), ("chengguan", "extend", {"reason": ALL}), ("ducha", "deny", {"of": "x"}),
			("chengguan", "suspend", {"reason": ALL}), ("dangzheng", "deny", {"of": "x"}), ("chengguan", "resume", {}),
			("chengguan", "next_step", {}), ("chengguan", "return", {"reason": "not-ours"}), ("chengguan", "return", {"reason": ALL}),
			("dangzheng", "transfer", {"to": "chengguan"}), ("dangzheng", "transfer", {"to": ALL}), ("dangzheng", "join", {"into": ALL}),
			("dangzheng", "split", {"of": ALL}), ("chengguan", "accept", {}), ("chengguan", "get", {}),
			("dangzheng", "amend", {"grid": "410106003007012", "category": "市政/路灯", "place": {"address": f"幸福里4号楼，{NAME}家，{PHONE}"}}),
			("chengguan", "accept", {}), ("chengguan", "resolve", {})):
		yield dept, action, dict(texts, **more)


def live(office, case, about, channel):
	for dept, action, members in commands():
		office.do(dept, case, action, **members)
	for kind, members in (("supplement", {}), ("urge", {}), ("status", {}), ("delivered", {"reply": ALL, "ok": False}),
			      ("rate", {"score": "dissatisfied"}), ("again", {}), ("withdraw", {})):
		office.report(channel, kind=kind, case=case, **{k: v for k, v in planted(**members).items() if k not in ("category", "urgency")})
	office.report(channel, id=about, **planted(text=f"另一段话 {ALL}"))     # the same id with other content


def dead(office):
	"""Messages that can never become a case."""
	user = office.user("in-patrol")
	heard = office.admin.collect(f"{office.root}/receipt/patrol/odd")
	bad = [f"{ALL}", f'{{"id":"{NAME}","text":', json.dumps({"id": ["x", PHONE], "text": ALL}), json.dumps({"id": "d1", "kind": ALL, "text": ALL}),
	       json.dumps({"id": "d2", "kind": "rate", "case": ALL, "score": ALL}), json.dumps({"id": "d3", "kind": "urge", "about": ALL}),
	       json.dumps({"id": "d4"}), json.dumps({"id": "d5", "text": f"{ALL}\u0000"}), ALL.encode("gb18030"),
	       json.dumps({"id": "d6", "text": "x", "reporter": NAME, ALL: ALL, "place": PHONE})]
	for payload in bad:
		user.publish(f"{office.root}/in/patrol/odd", payload if isinstance(payload, bytes) else payload.encode())
	heard.wait(n=len(bad), bound=30, what="a receipt for each bad message")
	for payload in (ALL.encode(), json.dumps({"request": "q1", "case": ALL, "action": ALL, "by": ALL, "note": ALL}).encode(),
			json.dumps({"request": "q2", "case": "JYL261123999999", "action": "accept", "note": ALL}).encode()):
		office.user("dept-chengguan").publish(f"{office.root}/dept/chengguan/cmd", payload)
	office.user("in-patrol").publish(f"{office.root}/in/patrol/{PHONE}", json.dumps(planted(id="d7")).encode())


@pytest.fixture(scope="module")
def lived(office):
	everything = office.admin.collect(f"{office.root}/#")
	cases = []
	for secret in (False, True):
		for channel in CHANNELS:
			about = office.new_id("canary")
			said = planted()
			if secret:
				said["reporter"] = dict(said["reporter"], secret=True)
			receipt = office.report(channel, id=about, **said)
			if receipt["result"] == "created":
				cases.append(receipt["case"])
				live(office, receipt["case"], about, channel)
	assert len(cases) >= 8, "the plugins refuse some forms; the plain channels must not"
	dead(office)
	office.clock("add", "30 工作日")
	office.witness.quiet()
	return cases, everything


def assert_none(text, where):
	for word in CANARIES:
		at = text.find(word)
		assert at < 0, f"{where} holds {word}: …{text[max(0, at - 300):at + 60]}…"


def test_no_event_card_or_other_topic_holds_a_canary(office, lived):
	seen = 0
	for m in lived[1]:
		if not any(word in m.topic for word in PRIVATE):
			assert_none(m.topic + " " + m.payload.decode(errors="replace"), m.topic)
			seen += 1
	assert seen > 100


def test_nothing_retained_holds_a_canary(office, lived):
	found = office.stack.client("admin").retained(f"{office.root}/#", office.admin)
	assert found
	for topic, payload in found.items():
		assert_none(topic + " " + payload.decode(errors="replace"), topic)


def test_no_view_holds_a_canary(office, lived):
	for view in ("v_case", "v_history", "v_queue"):
		rows = office.db.all(f"select * from needle.{view}")
		assert rows
		for row in rows:
			assert_none(json.dumps(row, default=str, ensure_ascii=False), view)
	reasons = office.db.all("select code, reason from needle.v_dead_letter")
	assert len(reasons) >= 8
	assert_none(json.dumps(reasons, ensure_ascii=False), "the reasons of dead letters")


def test_no_log_and_no_figure_holds_a_canary(office, lived):
	for name in ("needled-a.log", "postgres.log", "mosquitto.log"):
		with open(office.stack.path(name), encoding="utf-8", errors="replace") as f:
			assert_none(f.read(), name)
	for path in ("/metrics", "/readyz", "/api/v1/summary"):
		assert_none(office.stack.http(path)[1], path)


def test_what_operators_print_holds_no_canary(office, lived):
	for case in lived[0]:
		shown = office.stack.ctl("show", case)
		assert shown.returncode == 0
		assert_none(shown.stdout + shown.stderr, f"show {case}")
	for words in (("status",), ("audit",), ("deadletter", "list"), ("show", "--officers", "chengguan")):
		assert_none(office.stack.ctl(*words, "--format", "json").stdout, words)


def test_a_sealed_case_tells_nothing_but_its_category(office, lived):
	rows = office.db.all("select * from needle.v_case where visibility = 'sealed'")
	assert rows
	for row in rows:
		assert row["title"] == row["category"] and row["place"] is None and row["grid"] is None and row["extra"] is None
		for h in office.history(row["number"]):
			assert "路灯" not in (h["note"] or "") and "段话" not in (h["note"] or "")


def test_the_canaries_were_really_there(office, lived):
	"""The net catches: what was planted is in the database, where only `get` of an open case reads it."""
	assert office.db.value("select count(*) from needle.person where phone = %s", PHONE) >= 8
	assert office.db.value("select count(*) from needle.report where text like %s", f"%{NAME}%") >= 8
