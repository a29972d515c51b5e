"""needle-wechat between a platform and the gateway: what people say becomes cases, and answers reach them."""
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from lib.stack import BUILD, ROOT
from lib.wait import wait_for
from lib.wechat import KEY, Wechat

JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 50


@pytest.fixture(scope="module")
def wechat(stack, tmp_path_factory):
	w = Wechat(stack, tmp_path_factory.mktemp("wechat")).start()
	for account in w.mp, w.clear, w.app:
		account.patience = 15
	yield w
	w.close()


@pytest.fixture(autouse=True)
def accident(request):
	"""Each test kills the bridge once: when the first message is on its disk and nobody else knows of it."""
	if "wechat" in request.fixturenames:
		request.getfixturevalue("wechat").bridge.accident("bridge-taken")


def person(n=iter(range(1, 10000))):
	return f"oPerson{next(n):04d}"


def case_of(office, id):
	return wait_for(lambda: office.db.value("select number from needle.v_case where channel = 'wechat' and report = %s", id), 20,
			f"a case of {id}")


def number_in(said):
	found = re.search(r"JYL\d{12}", said or "")
	assert found, said
	return found[0]


def tell(office, account, user, text):
	"""Says it and returns the case; how it was answered is another matter, and the machine may be busy."""
	msgid = next(account.numbers)
	account.say(user, text, msgid=msgid)
	return case_of(office, f"{account.path.rpartition('/')[2]}-{msgid}")


def lead_takes(office, case):
	lead = office.row(case)["lead"]
	office.done(lead, case, "accept")
	return lead


def test_the_file_that_is_shipped_has_nothing_wrong(tmp_path):
	shutil.copy(os.path.join(ROOT, "plugins", "wechat", "example", "wechat.yaml"), tmp_path)
	with open(tmp_path / "wechat.yaml", encoding="utf-8") as f:
		names = set(re.findall(r"\$\{secret:(\w+)\}", f.read()))
	os.makedirs(tmp_path / "secrets")
	for name in names:
		with open(os.open(tmp_path / "secrets" / name, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as f:
			f.write(KEY if "aes" in name else "https://qyapi.weixin.qq.com/x" if "robot" in name else "secret")

	def check():
		return subprocess.run([os.path.join(BUILD, "needle-wechat"), "-t", "-c", str(tmp_path / "wechat.yaml")], capture_output=True,
				      text=True, check=False)
	done = check()
	assert done.returncode == 0, done.stderr
	with open(tmp_path / "secrets" / "wechat_aes_key", "w", encoding="utf-8") as f:
		f.write("too-short")
	done = check()
	assert done.returncode == 78 and "EncodingAESKey" in done.stderr and "too-short" not in done.stderr


def test_a_changed_conversation_is_taken_by_sighup_and_a_broken_office_is_not(stack, tmp_path):
	folder = shutil.copytree(stack.env["NEEDLE_CONFIG"], tmp_path / "office")
	lines, rules = folder / "needle.yaml", folder / "rules.yaml"
	w = Wechat(stack, tmp_path, office=str(folder)).start()
	try:
		first = w.mp.say(person(), "你好")
		whole = rules.read_text(encoding="utf-8")
		rules.write_text(whole + "nonsense: 1\n", encoding="utf-8")
		w.bridge.child.send_signal(signal.SIGHUP)
		wait_for(lambda: "the file is not taken" in w.bridge.log(), 30, "the broken office to be left")
		assert "has errors" in w.bridge.log() and w.mp.say(person(), "你好") == first
		rules.write_text(whole, encoding="utf-8")
		(folder / "words.yaml").write_text("conversation: {lines: {greeting: 您好，这里是街道}}\n", encoding="utf-8")
		text = lines.read_text(encoding="utf-8")
		lines.write_text(re.sub(r"(?m)^include: \[", "include: [words.yaml, ", text), encoding="utf-8")
		w.bridge.child.send_signal(signal.SIGHUP)
		wait_for(lambda: w.bridge.log().count("bridge.start") == 2 and w.bridge.is_ready(), 30, "the new words")
		assert w.mp.say(person(), "你好") == "您好，这里是街道"
	finally:
		w.close()


# ---- in ----

def test_a_platform_asks_whether_the_address_is_ours(wechat):
	clear, sealed = wechat.clear, wechat.app
	assert clear.request("GET", dict(clear.query(), echostr="5935258138")) == (200, "5935258138")
	echo = sealed.seal("1616140317555161061")
	assert sealed.request("GET", dict(sealed.query(echo), echostr=echo)) == (200, "1616140317555161061")
	assert sealed.request("GET", dict(sealed.query(echo, sign="0" * 40), echostr=echo))[0] == 403


def test_what_a_resident_says_is_a_case_and_the_answer_carries_its_number(wechat, office):
	for msgid in range(7001, 7031):         # a busy gateway may be too late for one or the other
		said = wechat.mp.say(person(), f"幸福里{msgid}号楼前井盖破损", msgid=msgid)
		case = case_of(office, f"fwh-{msgid}")
		if said:
			break
	assert number_in(said) == case
	wait_for(lambda: office.db.value("SELECT note FROM needle.v_history WHERE number = %s AND kind = 'delivered' LIMIT 1", case),
		 20, "the delivery in the history")
	assert office.db.value("SELECT split_part(note, ' ', 3) FROM needle.v_history WHERE number = %s AND kind = 'delivered'", case) == "passive"


def test_the_place_is_asked_for_once(wechat, office):
	user, heard = person(), office.admin.collect(f"{office.root}/in/wechat/bridge")
	assert wechat.mp.say(user, "井盖坏了", msgid=7050) == "请问在什么位置？可以发送定位，或写明小区、楼号、路段。"
	wechat.mp.send(user, "location", Location_X="34.7504", Location_Y="113.6201", Scale="15", Label="幸福里小区东门")
	case = case_of(office, "fwh-7050")
	assert office.row(case)["title"].startswith("井盖坏了")
	sent = heard.wait(lambda m: m.json.get("reporter", {}).get("ref") == user, 10).json
	assert sent["place"] == {"address": "幸福里小区东门", "lat": 34.7504, "lon": 113.6201, "crs": "gcj02"}


def test_urge_status_and_rating(wechat, office):
	user = person()
	case = tell(office, wechat.mp, user, "济源路58号天花板漏水")
	assert wechat.mp.say(user, "催") == "已为您催办。"
	wait_for(lambda: "urged" in office.kinds(case), 20, "the urge")
	lead = lead_takes(office, case)
	office.done(lead, case, "resolve", answer="已修好")
	service = "/cgi-bin/message/custom/send"
	wait_for(lambda: any("满意" in m["text"]["content"] for m in wechat.platform.sent(service) if m["touser"] == user), 20,
		 "the question for a rating")
	assert any("已修好" in m["text"]["content"] for m in wechat.platform.sent(service) if m["touser"] == user)
	assert wechat.mp.say(user, "3") == "感谢您的评价。"
	wait_for(lambda: "rated" in office.kinds(case), 20, "the rating")
	wait_for(lambda: any(case in m["text"]["content"] for m in wechat.platform.sent("/robot")), 20, "the alarm in the leaders' group")


def test_the_same_callback_again_is_answered_the_same_and_nothing_is_done_twice(wechat, office):
	user = person()
	xml = wechat.mp.xml(user, "text", {"Content": "井盖坏了"}, msgid=7100)
	query, body = wechat.mp.wrap(xml)
	first = wechat.mp.said(wechat.mp.request("POST", query, body))
	assert first and first == wechat.mp.said(wechat.mp.request("POST", query, body))     # the platform's own next try
	assert first == wechat.mp.said(wechat.mp.post(xml))                                   # sealed anew
	assert wechat.mp.say(user, "撤") == "好的，这条不再上报。"


def test_a_picture_is_kept_by_its_hash_and_goes_with_the_report(wechat, office):
	user = person()
	wechat.platform.answers["/pic"] = JPEG
	wechat.mp.say(user, "幸福里5号楼墙皮脱落", msgid=7200)
	case = case_of(office, "fwh-7200")
	assert wechat.mp.send(user, "image", PicUrl=f"{wechat.platform.url}/pic", MediaId="M1") is None
	wait_for(lambda: "supplemented" in office.kinds(case), 20, "the picture as a supplement")
	name = hashlib.sha256(JPEG).hexdigest()
	with open(os.path.join(wechat.bridge.folder, "state", "media", name[:2], name + ".jpg"), "rb") as f:
		assert f.read() == JPEG


def test_what_is_no_picture_is_not_kept(wechat, office):
	user = person()
	wechat.platform.answers["/evil"] = b"<html><script>alert(1)</script>"
	wechat.platform.answers["/cgi-bin/media/get"] = {"errcode": 40007, "errmsg": "invalid media_id"}
	wechat.mp.say(user, "幸福里6号楼墙皮脱落", msgid=7300)
	case = case_of(office, "fwh-7300")
	wechat.mp.send(user, "image", PicUrl=f"{wechat.platform.url}/evil", MediaId="M1")
	wait_for(lambda: "supplemented" in office.kinds(case), 20, "the supplement without a file")
	names = [f for _, _, files in os.walk(os.path.join(wechat.bridge.folder, "state", "media")) for f in files]
	assert names and all(n.endswith(".jpg") for n in names)


def test_a_voice_that_was_understood(wechat, office):
	wechat.platform.answers["/cgi-bin/media/get"] = b"#!AMR\n" + b"x" * 100
	assert wechat.mp.send(person(), "voice", MediaId="V1", Format="amr", Recognition="幸福里8号楼电梯停了", MsgId=7400) is None
	case = case_of(office, "fwh-7400")
	assert office.row(case)["title"].startswith("幸福里8号楼电梯停了")


def test_subscribing_is_greeted_and_makes_nothing(wechat, office):
	user = person()
	assert wechat.mp.send(user, "event", Event="subscribe") == "您好，请描述问题和位置，我们会尽快办理。"
	assert wechat.mp.send(user, "event", Event="VIEW", EventKey="https://x") is None
	assert wechat.mp.say(user, "催").startswith("没有找到您的诉求")


def test_a_member_of_the_app_is_answered_by_the_app(wechat, office):
	user = person()
	case = case_of(office, (wechat.app.say(user, "幸福里9号楼停水", msgid=7500), "app-7500")[1])
	lead = lead_takes(office, case)
	office.done(lead, case, "resolve", answer="来水了")
	sent = wait_for(lambda: [m for m in wechat.platform.sent("/cgi-bin/message/send") if "来水了" in m["text"]["content"]], 20, "the answer")
	assert sent[0]["touser"] == user and sent[0]["agentid"] == 1000002


def test_orders_of_residents_reports_are_fetched_once(wechat, office):
	order = {"order_id": "order77", "desc": "幸福里3号楼前井盖破损", "urge_type": 2, "create_time": int(time.time()), "reporter_mobile": "13600000000"}
	pages = {"": {"errcode": 0, "next_cursor": "C1", "order_list": [{"order_id": "order77", "create_time": order["create_time"]}]},
		 "C1": {"errcode": 0, "next_cursor": "", "order_list": [{"order_id": "order78", "create_time": order["create_time"]}]}}
	wechat.platform.answers["/cgi-bin/report/resident/get_order_info"] = lambda q, b: {
		"errcode": 0, "order_info": dict(order, order_id=json.loads(b)["order_id"])}
	wechat.platform.answers["/cgi-bin/report/resident/get_order_list"] = lambda q, b: pages[json.loads(b).get("cursor") or ""]
	case_of(office, "order77")
	case_of(office, "order78")
	before = len(wechat.platform.sent("/cgi-bin/report/resident/get_order_list"))
	wait_for(lambda: len(wechat.platform.sent("/cgi-bin/report/resident/get_order_list")) > before + 2, 20, "two more looks")
	asked = [call["order_id"] for call in wechat.platform.sent("/cgi-bin/report/resident/get_order_info")]
	assert set(asked) == {"order77", "order78"} and len(asked) <= 3         # the one in which the bridge died, once more
	wechat.platform.answers["/cgi-bin/report/resident/get_order_list"] = {"errcode": 0, "order_list": []}


def kf_text(id, user, text):
	return {"msgid": id, "open_kfid": "wk1", "external_userid": user, "send_time": int(time.time()), "origin": 3, "msgtype": "text",
		"text": {"content": text}}


def test_customer_service_is_read_by_its_cursor_and_answered(wechat, office):
	user = person()
	pages = {"": ([kf_text("k1", user, "幸福里1号楼路灯不亮")], "P1", 1), "P1": ([dict(kf_text("k2", user, "x"), origin=5)], "P2", 0),
		 "P2": ([], "P2", 0)}

	def sync(_, body):
		messages, cursor, more = pages[json.loads(body)["cursor"]]
		return {"errcode": 0, "msg_list": messages, "next_cursor": cursor, "has_more": more}
	wechat.platform.answers["/cgi-bin/kf/sync_msg"] = sync
	assert wechat.app.send("sys", "event", Event="kf_msg_or_event", Token="T1", OpenKfId="wk1") is None
	case = case_of(office, "app-k1")
	sent = wait_for(lambda: [m for m in wechat.platform.sent("/cgi-bin/kf/send_msg") if m["touser"] == user], 20, "the answer")
	assert case in sent[0]["text"]["content"] and sent[0]["open_kfid"] == "wk1"
	pages["P2"] = ([kf_text("k3", user, "还是不亮")], "P3", 0)
	wechat.app.send("sys", "event", Event="kf_msg_or_event", Token="T2", OpenKfId="wk1")
	wait_for(lambda: "supplemented" in office.kinds(case), 20, "the supplement")


# ---- the ladder ----

def test_when_customer_service_is_no_longer_allowed_a_template_carries_it_and_then_staff(wechat, office):
	user = person()
	case = tell(office, wechat.mp, user, "幸福里2号楼漏水")
	service, template = "/cgi-bin/message/custom/send", "/cgi-bin/message/template/send"
	wechat.platform.answers[service] = {"errcode": 45015, "errmsg": "response out of time limit"}
	try:
		lead = lead_takes(office, case)
		notices = wait_for(lambda: [m for m in wechat.platform.sent("/cgi-bin/message/subscribe/bizsend") if m["touser"] == user], 20,
				   "the subscribed notice")
		assert notices[0]["template_id"] == "TM2"
		office.done(lead, case, "resolve", answer="已经修好")
		sent = wait_for(lambda: [m for m in wechat.platform.sent(template) if m["touser"] == user], 20, "the template")
		assert sent[0]["template_id"] == "TM1" and sent[0]["data"]["character_string2"]["value"] == case
		# There is a template for `resolved` only: the question for a rating is a task for staff.
		wait_for(lambda: any(case in m["text"]["content"] and "未送达" in m["text"]["content"] for m in wechat.platform.sent("/robot")),
			 90, "the task for staff")
	finally:
		del wechat.platform.answers[service]


def test_five_messages_after_the_last_word_and_no_more(wechat, office):
	user = person()
	case = tell(office, wechat.clear, user, "幸福里4号楼漏水")
	lead = lead_takes(office, case)
	for n in range(8):
		office.done(lead, case, "progress", note=f"第{n}步")
	office.done(lead, case, "resolve", answer="已经修好")
	service = "/cgi-bin/message/custom/send"
	wait_for(lambda: wechat.bridge.metric("needle_bridge_replies_waiting") == 0, 90, "all replies to be settled")
	assert len([m for m in wechat.platform.sent(service) if m["touser"] == user]) <= 5


@pytest.mark.parametrize("trouble", [500, "drop", "slow", {"errcode": -1}, {"errcode": 45009}, b"<html>502 Bad Gateway"],
			 ids=["500", "nothing", "slow", "busy", "quota", "html"])
def test_a_platform_in_trouble_gets_the_reply_when_it_is_well_again(wechat, office, trouble):
	service, user = "/cgi-bin/message/custom/send", person()
	wechat.platform.answers[service] = trouble
	try:
		before = len(wechat.platform.sent(service))
		case = tell(office, wechat.mp, user, "幸福里7号楼漏水")
		lead = lead_takes(office, case)
		office.done(lead, case, "resolve", answer=f"修好了{user}")
		wait_for(lambda: len(wechat.platform.sent(service)) > before, 30, "a try")
		# Callbacks are taken all the while.
		assert wechat.mp.say(person(), "你好")
	finally:
		del wechat.platform.answers[service]
	wait_for(lambda: any(user in m["text"]["content"] for m in wechat.platform.sent(service) if m["touser"] == user), 60, "the answer")


def test_a_token_that_is_no_longer_good_is_fetched_again(wechat, office):
	service, user, seen = "/cgi-bin/message/custom/send", person(), []

	def answer(query, _):
		seen.append(query["access_token"])
		return {"errcode": 42001, "errmsg": "access_token expired"} if len(set(seen)) == 1 else {"errcode": 0}
	case = tell(office, wechat.mp, user, "幸福里10号楼漏水")
	wechat.platform.answers[service] = answer
	try:
		lead = lead_takes(office, case)
		office.done(lead, case, "resolve", answer="修好了")
		wait_for(lambda: len(set(seen)) > 1, 30, "another token")
	finally:
		del wechat.platform.answers[service]


def test_a_robot_is_told_no_more_than_its_minute_allows(wechat, office):
	for _ in range(8):
		wechat.mp.say(person(), "幸福里11号楼没人管")
	wait_for(lambda: len(wechat.platform.times("/slow")) >= 3, 20, "the first alarms")
	times = wechat.platform.times("/slow")
	assert all(b - a > 59 for a, b in zip(times, times[3:])), [t - times[0] for t in times]


def test_no_secret_is_ever_written(wechat):
	held = wechat.bridge.log() + "".join(
		open(os.path.join(folder, f), errors="replace").read() for folder, _, files in os.walk(os.path.join(wechat.bridge.folder, "state"))
		for f in files)
	for secret in ("secret-token", "very-secret", "robot-key", KEY, "toKen"):
		assert secret not in held, secret
	assert "幸福里" not in wechat.bridge.log()
