"""needle-hotline as a platform and a clerk meet it: files in a folder, pushes, pulls, replies back."""
import base64
import hashlib
import hmac
import http.client
import inspect
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from lib.bridge import Bridge, free_port
from lib.platform import Platform
from lib.wait import wait_for
from lib.xlsx import Sheet, write

KEY, SECRET = "platform-key-0123456789", "hmac-secret-0123456789"


def cases(db, like):
	return db.all("SELECT report, number, lead, state FROM needle.v_case WHERE report LIKE %s ORDER BY report", like)


def curl(url, body, *headers, method=None):
	"""(status, body) of a real client."""
	argv = ["curl", "-s", "-o", "-", "-w", "\n%{http_code}", "--max-time", "40", "--data-binary", "@-", url]
	for h in headers:
		argv += ["-H", h]
	if method:
		argv += ["-X", method]
	until = time.monotonic() + 15
	while True:
		done = subprocess.run(argv, input=body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode(),
				      capture_output=True, check=False)
		# Nobody there, or gone before it has answered: a platform posts it again.
		if done.returncode not in (7, 52, 56) or time.monotonic() > until:
			break
		time.sleep(0.1)
	text, _, status = done.stdout.decode().rpartition("\n")
	return int(status), text


@pytest.fixture(autouse=True)
def accident(request):
	"""
	Each test kills the bridge once: when the first message is on its disk and nobody else knows of it.
	Those that have `stack` make accidents of their own.
	"""
	for name in {"folder", "push", "pull"} & set(request.fixturenames):
		if "stack" not in inspect.signature(request.function).parameters:
			request.getfixturevalue(name).accident("bridge-taken")


# ---- the folder -------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def folder(stack, tmp_path_factory):
	home = tmp_path_factory.mktemp("folder")
	b = Bridge(stack, "hotline", home, f"folder: {{path: {home}/in, settle: 3, every: 1}}\n", source="folder")
	b.start()
	b.inside = home / "in"
	yield b
	assert b.stop() == 0


def drop(folder, name, data):
	"""As a careful program does: whole under another name, then renamed."""
	(folder.inside / (name + ".part")).write_bytes(data)
	os.rename(folder.inside / (name + ".part"), folder.inside / name)


def report_of(folder, name, into="done", bound=30):
	path = folder.inside / into / (name + ".report.json")
	wait_for(path.exists, bound, f"{path}")
	wait_for(lambda: not (folder.inside / name).exists(), bound, f"{name} to be moved")
	return json.loads(path.read_text())


def test_an_export_becomes_cases(folder, db):
	drop(folder, "热线.csv", "全市12345工单\r\n工单编号,诉求内容\r\nFO1,楼道煤气味\r\nFO2,井盖破损\r\n,没有编号\r\n".encode("gb18030"))
	seen = report_of(folder, "热线.csv")
	assert (seen["ok"], seen["rows"], seen["sent"], seen["bad"]) == (True, 3, 2, 1)
	wait_for(lambda: len(cases(db, "FO_")) == 2, 20, "the cases")
	assert "没有编号" in (folder.inside / "done" / "热线.csv.rejected.csv").read_text(encoding="utf-8-sig")
	assert (folder.inside / "done" / "热线.csv").exists()


def test_the_same_export_again_changes_nothing(folder, db):
	before = cases(db, "FO_")
	drop(folder, "热线.csv", "工单编号,诉求内容\nFO1,楼道煤气味\nFO2,井盖破损\n".encode())
	wait_for(lambda: (folder.metric("needle_bridge_receipts_duplicate_total") or 0) >= 2, 20, "the receipts")
	assert cases(db, "FO_") == before
	# The former file of that name is still there.
	wait_for(lambda: len(list((folder.inside / "done").glob("*热线.csv"))) == 2, 20, "both files")


def test_a_file_that_is_still_written_is_left_alone(folder, db):
	path = folder.inside / "慢.csv"
	with open(path, "w", encoding="utf-8") as f:
		f.write("工单编号,诉求内容\nSL1,井盖")
		f.flush()
		until = time.monotonic() + 6
		while time.monotonic() < until:         # a program that writes on, slower than the folder is looked at
			f.write("破损")
			f.flush()
			time.sleep(0.3)
			assert path.exists() and not cases(db, "SL_")
		f.write("\nSL2,路灯不亮\n")
	assert report_of(folder, "慢.csv")["sent"] == 2
	wait_for(lambda: len(cases(db, "SL_")) == 2, 20, "the cases")


def test_a_broken_file_gives_nothing_at_all(folder, db):
	drop(folder, "坏.csv", "工单编号,诉求内容\nBR1,井盖破损\nBR2,\"引号没有关\nBR3,x\n".encode())
	seen = report_of(folder, "坏.csv", "failed")
	assert not seen["ok"] and "line 3" in seen["reason"] and seen["sent"] == 0
	drop(folder, "半.xlsx", open(write(str(folder.inside / ".tmp.xlsx"), [Sheet("s", [["工单编号", "诉求内容"], ["BR4", "x"]])]), "rb").read()[:700])
	assert not report_of(folder, "半.xlsx", "failed")["ok"]
	assert not cases(db, "BR_")


def test_other_files_are_left_alone(folder):
	for name in "~$热线.xlsx", ".hidden.csv", "说明.docx":
		(folder.inside / name).write_bytes(b"x")
	drop(folder, "后.csv", "工单编号,诉求内容\nOT1,井盖破损\n".encode())
	report_of(folder, "后.csv")
	assert {"~$热线.xlsx", ".hidden.csv", "说明.docx"} <= set(os.listdir(folder.inside))


# ---- push -------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def push(stack, tmp_path_factory):
	home, port = tmp_path_factory.mktemp("push"), free_port()
	b = Bridge(stack, "hotline", home, f"push: {{listen: '127.0.0.1:{port}', key: '${{secret:push_key}}', size: 64 KiB, wait: 2}}\n",
		   secrets={"push_key": KEY}, source="push")
	b.url = f"http://127.0.0.1:{port}/12345"
	yield b.start()
	b.stop()


def post(push, body, *headers):
	return curl(push.url, body, f"X-Api-Key: {KEY}", *headers)


def test_a_push_is_answered_behind_the_receipt(push, db):
	status, text = post(push, {"callerName": "李某", "contactPhone": "13800000000", "appealSubject": "井盖破损",
				   "incidentAddress": "幸福里3号楼", "appealNo": "PU1"})
	answer = json.loads(text)
	# Posted again after the accident: by then the gateway may have had it from the bridge's disk.
	assert status == 200 and answer["success"] and answer["result"] in ("created", "duplicate")
	assert db.value("SELECT number FROM needle.v_case WHERE report = 'PU1'") == answer["case"]
	status, text = post(push, {"callerName": "李某", "contactPhone": "13800000000", "appealSubject": "井盖破损",
				   "incidentAddress": "幸福里3号楼", "appealNo": "PU1"})
	assert (status, json.loads(text)["result"], json.loads(text)["case"]) == (200, "duplicate", answer["case"])


def test_xml_and_lists_are_taken_too(push, db):
	xml = ("<?xml version='1.0' encoding='GBK'?><request><data><row><gdbh>PX1</gdbh><gdnr>路灯不亮 &amp; 井盖</gdnr></row>"
	       "<row><gdbh>PX2</gdbh><gdnr>垃圾</gdnr></row></data></request>")
	assert post(push, xml.encode("gb18030"))[0] == 400      # where the rows are must be said for such an envelope
	status, _ = post(push, "<row><gdbh>PX1</gdbh><gdnr>路灯不亮</gdnr></row>".encode("gb18030"))
	assert status == 200
	status, text = post(push, [{"gdbh": "PL1", "gdnr": "井盖"}, {"gdbh": "PL2", "gdnr": "路灯"}])
	assert status == 200 and json.loads(text)["id"] == "PL1"
	assert len(cases(db, "PL_")) == 2 and len(cases(db, "PX_")) == 1


def test_an_envelope_of_xml(stack, db, tmp_path):
	port = free_port()
	b = Bridge(stack, "hotline", tmp_path, f"push: {{listen: '127.0.0.1:{port}', key: '${{secret:push_key}}', rows: /data/row}}\n",
		   secrets={"push_key": KEY}, source="envelope").start()
	rows = "".join(f"<row><gdbh>EX{i}</gdbh><gdnr><![CDATA[路灯<不>亮 & 井盖]]></gdnr><fj/></row>" for i in range(2))
	for text in rows, rows.replace("EX1", "EX2"):
		body = f"<?xml version='1.0' encoding='GB2312'?><s:Envelope xmlns:s='urn:x'><data>{text}</data></s:Envelope>".encode("gb18030")
		assert curl(f"http://127.0.0.1:{port}/12345", body, f"X-Api-Key: {KEY}")[0] == 200
	assert [c["report"] for c in cases(db, "EX_")] == ["EX0", "EX1", "EX2"]
	assert db.value("SELECT text FROM needle.report WHERE id = 'EX0'") == "路灯<不>亮 & 井盖"
	assert b.stop() == 0


def test_a_list_is_taken_whole_or_not_at_all(push, db):
	status, text = post(push, [{"gdbh": "PN1", "gdnr": "井盖"}, {"gdnr": "没有编号"}])
	assert status == 400 and "ticket 2 of 2" in json.loads(text)["message"]
	assert not cases(db, "PN_")


def test_a_stranger_is_refused(push, db):
	ticket = {"gdbh": "ST1", "gdnr": "井盖"}
	assert curl(push.url, ticket)[0] == 401
	assert curl(push.url, ticket, "X-Api-Key: wrong")[0] == 401
	assert curl(push.url, ticket, f"X-Api-Key: {KEY}x")[0] == 401
	assert curl(push.url.replace("/12345", "/other"), ticket, f"X-Api-Key: {KEY}")[0] == 404
	assert curl(push.url, ticket, f"X-Api-Key: {KEY}", method="PUT")[0] == 405
	assert not cases(db, "ST_") and KEY not in push.log()


def test_without_the_gateway_it_is_taken_and_told_so(push, stack, db):
	stack.kill("needled")
	since = time.monotonic()
	status, text = post(push, {"gdbh": "LA1", "gdnr": "井盖"})
	assert status == 202 and json.loads(text)["result"] == "accepted" and time.monotonic() - since < 20
	assert post(push, {"gdbh": "LA1", "gdnr": "井盖"})[0] == 202      # the platform sends it again
	assert push.metric("needle_bridge_outbox_messages") == 1
	stack.up()
	wait_for(lambda: len(cases(db, "LA_")) == 1, 60, "the case")
	wait_for(lambda: push.metric("needle_bridge_outbox_messages") == 0, 60, "an empty outbox")
	assert post(push, {"gdbh": "LA1", "gdnr": "井盖"})[0] == 200


def test_hmac_templates_and_a_map(stack, db, tmp_path):
	port = free_port()
	b = Bridge(stack, "hotline", tmp_path, f"""
map: {{id: /order/no, text: /content, time: /at, urgency: /level, place.address: /addr, media: /files, dispatch: /times}}
formats: {{time: "%Y年%m月%d日 %H:%M"}}
codes: {{urgency: {{"1": normal, "2": urgent}}}}
set: {{category: 市政/井盖}}
push:
  listen: 127.0.0.1:{port}
  hmac: "${{secret:hmac}}"
  timestamp_header: X-Time
  rows: /data
  type: text/xml
  answer: "<r><code>10000</code><no>{{id}}</no><case>{{case}}</case></r>"
  refused: "<r><code>500</code><msg>{{reason}}</msg></r>"
""", secrets={"hmac": SECRET}, source="mapped").start()
	ticket = {"data": {"order": {"no": 20261120000555}, "content": "井盖破损", "at": "2026年11月20日 08:31", "level": "2",
			   "addr": "幸福里", "files": "http://a/1.jpg，http://a/2.jpg", "times": "1", "区号": "371"}}
	body = json.dumps(ticket).encode()

	def sign(at, text, form=lambda mac: mac.hexdigest()):
		return form(hmac.new(SECRET.encode(), f"{at}\n".encode() + text, hashlib.sha256))
	now = int(time.time())
	url = f"http://127.0.0.1:{port}/12345"
	status, text = curl(url, body, f"X-Time: {now}", f"X-Signature: sha256={sign(now, body)}")
	assert status == 200 and "<code>10000</code><no>20261120000555</no><case>JYL" in text, text
	row = db.one("SELECT urgency, category, extra FROM needle.v_case WHERE report = '20261120000555'")
	assert (row["urgency"], row["category"]) == ("urgent", "市政/井盖") and row["extra"]["区号"] == "371"
	at = db.value("SELECT at FROM needle.report WHERE id = '20261120000555'")
	assert at.isoformat() == "2026-11-20T08:31:00+08:00"
	again = dict(ticket, data=dict(ticket["data"], times="2"))
	body = json.dumps(again).encode()
	mac = sign(now, body, lambda m: base64.b64encode(m.digest()).decode())
	assert curl(url, body, f"X-Time: {now}", f"X-Signature: {mac}")[0] == 200
	assert db.value("SELECT leg FROM needle.v_case WHERE report = '20261120000555'") is not None
	for headers in ([], ["X-Signature: 00"], [f"X-Time: {now}", f"X-Signature: {sign(now, body + b' ')}"],
			[f"X-Time: {now - 400}", f"X-Signature: {sign(now - 400, body)}"], [f"X-Signature: {sign(now, body)}"]):
		status, text = curl(url, body, *headers)
		assert status == 401 and "<code>500</code>" in text, (headers, text)
	del again["data"]["order"]
	body = json.dumps(again).encode()
	assert curl(url, body, f"X-Time: {now}", f"X-Signature: {sign(now, body)}")[0] == 400
	assert b.stop() == 0


def test_too_fast_and_too_large(stack, tmp_path):
	port = free_port()
	b = Bridge(stack, "hotline", tmp_path, f"push: {{listen: '127.0.0.1:{port}', key: '${{secret:push_key}}', rate: 1, burst: 5, size: 1 KiB}}\n",
		   secrets={"push_key": KEY}, source="limited").start()
	url = f"http://127.0.0.1:{port}/12345"
	assert curl(url, {"gdbh": "TL", "gdnr": "x" * 2000}, f"X-Api-Key: {KEY}")[0] == 413
	connection, codes = http.client.HTTPConnection("127.0.0.1", port, timeout=20), []
	for _ in range(200):                    # with a wrong key: nothing is waited for
		connection.request("POST", "/12345", b"{}")
		answer = connection.getresponse()
		codes.append((answer.status, json.loads(answer.read())["success"]))
	assert codes[0] == (401, False) and codes.count((429, False)) > 100, codes
	assert b.stop() == 0


def test_a_full_outbox_says_so_and_loses_nothing(stack, db, tmp_path):
	port = free_port()
	b = Bridge(stack, "hotline", tmp_path, f"push: {{listen: '127.0.0.1:{port}', key: '${{secret:push_key}}', wait: 0}}\n",
		   secrets={"push_key": KEY}, source="full", more=", entries: 100, durability: power").start()
	stack.kill("needled")
	url = f"http://127.0.0.1:{port}/12345"
	batch = [{"gdbh": f"FU{i:03}", "gdnr": "井盖"} for i in range(100)]
	assert curl(url, batch, f"X-Api-Key: {KEY}")[0] == 202
	status, text = curl(url, {"gdbh": "FU999", "gdnr": "井盖"}, f"X-Api-Key: {KEY}")
	assert status == 503 and "full" in json.loads(text)["message"]
	assert b.get("/readyz")[0] == 503
	b.kill()
	b.start(ready=False)
	stack.up()
	wait_for(lambda: b.metric("needle_bridge_outbox_messages") == 0, 60, "an empty outbox")
	assert len(cases(db, "FU%")) == 100
	assert curl(url, {"gdbh": "FU999", "gdnr": "井盖"}, f"X-Api-Key: {KEY}")[0] in (200, 202)
	wait_for(lambda: len(cases(db, "FU%")) == 101, 30, "the last case")
	assert b.stop() == 0


# ---- pull -------------------------------------------------------------------------------------------

class Tickets:
	"""A platform with a list by time and pages, numbers, and single tickets. `late`: not in the list yet."""

	def __init__(self):
		self.rows, self.hidden, self.fail = [], set(), None

	def __call__(self, method, path, query, headers, body):
		if self.fail:
			return self.fail
		if headers.get("X-Token") != "pull-token-987":
			return 401, {}
		if path == "/ids":
			return 200, {"ids": [{"gdbh": r["gdbh"]} for r in self.rows]}
		if path == "/one":
			return 200, {"data": [r for r in self.rows if r["gdbh"] == query["id"]]}
		rows = [r for r in self.rows if r["gdbh"] not in self.hidden and query["since"] <= r["startTime"]]
		page = int(query["page"])
		return 200, {"code": 0, "data": {"list": rows[(page - 1) * 10:page * 10]}}


@pytest.fixture(scope="module")
def pull(stack, tmp_path_factory):
	home, tickets = tmp_path_factory.mktemp("pull"), Tickets()
	platform = Platform(tickets)
	b = Bridge(stack, "hotline", home, f"""
pull:
  url: "{platform.url}/list?since={{since}}&until={{until}}&page={{page}}"
  headers: {{X-Token: "${{secret:token}}"}}
  rows: /data/list
  every: 1
  overlap: 3600
  check: {{url: "{platform.url}/ids", headers: {{X-Token: "${{secret:token}}"}}, ids: /ids, id: /gdbh, every: 2}}
  fetch: {{url: "{platform.url}/one?id={{id}}", headers: {{X-Token: "${{secret:token}}"}}, rows: /data}}
""", secrets={"token": "pull-token-987"}, source="pull")
	b.tickets, b.platform = tickets, platform
	b.start()
	yield b
	b.stop()
	platform.close()


def ticket(number, at=None):
	return {"gdbh": number, "gdnr": "井盖破损", "startTime": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime((at or time.time()) + 8 * 3600))}


def cursor(pull):
	try:
		with open(os.path.join(pull.folder, "state", "pull.json"), encoding="utf-8") as f:
			return json.load(f)["until"]
	except FileNotFoundError:
		return ""


def test_tickets_are_pulled_page_by_page_once(pull, db):
	pull.tickets.rows = [ticket(f"PG{i:02}") for i in range(25)]
	wait_for(lambda: len(cases(db, "PG__")) == 25, 30, "the cases")
	before = cursor(pull)
	wait_for(lambda: cursor(pull) > before, 20, "the cursor to move")
	taken, calls = pull.metric("needle_bridge_reports_taken_total"), pull.platform.count("/list")
	wait_for(lambda: pull.platform.count("/list") > calls + 6, 30, "more looks at the list")
	# The overlap brings them every time; they are not sent every time.
	assert pull.metric("needle_bridge_reports_taken_total") == taken


def test_the_cursor_waits_for_receipts_and_a_restart_goes_on(pull, stack, db):
	stack.kill("needled")
	pull.tickets.rows.append(ticket("PW1"))
	wait_for(lambda: pull.metric("needle_bridge_outbox_messages") == 1, 20, "the ticket to be taken")
	before = cursor(pull)
	pull.kill()
	assert cursor(pull) == before
	stack.up()
	pull.start()
	wait_for(lambda: len(cases(db, "PW_")) == 1 and cursor(pull) > before, 60, "the case and the cursor")


def test_a_platform_that_fails_is_asked_again(pull, db):
	for fail in (500, b"oops"), (200, b"<html><body>Login</body></html>"), (200, b""), (200, b"{"), (302, b""):
		pull.tickets.fail = fail
		calls = pull.platform.count("/list")
		wait_for(lambda n=calls: pull.platform.count("/list") > n, 60, f"another try after {fail}")
	before = cursor(pull)
	pull.tickets.rows.append(ticket("PF1"))
	pull.tickets.fail = None
	wait_for(lambda: len(cases(db, "PF_")) == 1 and cursor(pull) > before, 90, "the case")
	assert "pull-token" not in pull.log()


def test_what_the_list_did_not_show_is_found_and_fetched(pull, db):
	pull.tickets.hidden.add("PM1")
	pull.tickets.rows.append(ticket("PM1", time.time() - 7200))
	wait_for(lambda: len(cases(db, "PM_")) == 1, 60, "the missing case")
	assert "pull.missing" in pull.log()
	checks = pull.log().count("pull.checked")
	wait_for(lambda: pull.log().count("pull.checked") > checks + 1, 30, "another check")
	assert [c[2]["id"] for c in pull.platform.calls if c[1] == "/one"].count("PM1") == 1


def test_a_platform_with_a_cursor_of_its_own(stack, db, tmp_path):
	rows = [{"gdbh": f"CU{i}", "gdnr": "井盖破损"} for i in range(6)]

	def answer(_method, _path, query, _headers, _body):
		at = int(query["c"] or 0)
		return 200, {"rows": rows[at:at + 2], "next": min(at + 2, len(rows))}
	platform = Platform(answer)
	b = Bridge(stack, "hotline", tmp_path, f'pull: {{url: "{platform.url}/l?c={{cursor}}", rows: /rows, next: /next, every: 1}}\n',
		   source="cursor").start()
	wait_for(lambda: len(cases(db, "CU_")) == 6, 30, "the cases")
	wait_for(lambda: platform.calls[-1][2].get("c") == "6", 20, "the end of the list")
	assert b.stop() == 0
	asked = len(platform.calls)
	b.start()
	wait_for(lambda: len(platform.calls) > asked, 20, "the next look")
	assert platform.calls[asked][2]["c"] == "6"
	b.stop()
	platform.close()


# ---- back -------------------------------------------------------------------------------------------

def delivered(db, number):
	return [r["note"] for r in db.all("SELECT note FROM needle.v_history WHERE number = %s AND kind = 'delivered' ORDER BY seq", number)]


def test_replies_go_back_once_through_failures_and_kills(stack, db, tmp_path):
	state = {"mode": "500"}
	told = []

	def answer(_method, _path, _query, headers, body):
		if state["mode"] == "500":
			return 500, b"no"
		if state["mode"] == "no":
			return 200, {"code": 1, "msg": "busy"}
		told.append((headers["Idempotency-Key"], json.loads(body)))
		return 200, {"code": 0}
	platform, port = Platform(answer), free_port()
	b = Bridge(stack, "hotline", tmp_path, f"""
push: {{listen: "127.0.0.1:{port}", key: "${{secret:push_key}}"}}
back:
  url: "{platform.url}/reply/{{number}}"
  headers: {{Content-Type: application/json}}
  body: '{{"no":"{{number}}","step":"{{code}}","text":"{{text}}","id":"{{id}}"}}'
  ok: /code
  ok_value: "0"
  kinds: {{registered: "1", accepted: "2", resolved: "4"}}
""", secrets={"push_key": KEY}, source="back").start()
	number = json.loads(curl(f"http://127.0.0.1:{port}/12345", {"gdbh": "BK1", "gdnr": "楼道\"煤气味\""}, f"X-Api-Key: {KEY}")[1])["case"]
	wait_for(lambda: platform.count("/reply/BK1") >= 2, 30, "two tries")
	assert b.metric("needle_bridge_replies_waiting") == 1 and not delivered(db, number)
	b.kill()                                # the reply is on the disk
	state["mode"] = "no"
	calls = platform.count("/reply/BK1")
	b.start()
	wait_for(lambda: platform.count("/reply/BK1") > calls, 30, "a try of the next life")
	state["mode"] = "yes"
	wait_for(lambda: len(told) == 1, 60, "the reply")
	assert told[0][1] == {"no": "BK1", "step": "1", "text": told[0][1]["text"], "id": told[0][0]} and number in told[0][1]["text"]
	wait_for(lambda: delivered(db, number) == [f"ok {told[0][0]} http"], 30, "the gateway to know")
	dept = stack.client("dept-yingji")
	assert dept.command("yingji", {"case": number, "action": "accept", "by": "x"})["result"] == "done"
	done = dept.command("yingji", {"case": number, "action": "resolve", "by": "x", "answer": "已换阀门"})
	assert done["result"] == "done", done
	wait_for(lambda: [t[1]["step"] for t in told if t[1]["step"] != "1"][-1:] == ["4"], 60, "the resolved reply")
	wait_for(lambda: b.metric("needle_bridge_replies_waiting") == 0, 30, "nothing waiting")
	assert len({t[0] for t in told}) == len(told) and "已换阀门" in told[-1][1]["text"]
	assert b.stop() == 0
	platform.close()


def test_replies_into_a_file_are_there_once_whatever_is_killed(stack, db, tmp_path):
	port = free_port()
	path = tmp_path / "back.csv"
	b = Bridge(stack, "hotline", tmp_path, f"""
push: {{listen: "127.0.0.1:{port}", key: "${{secret:push_key}}"}}
back: {{file: "{path}"}}
""", secrets={"push_key": KEY}, source="file")
	url, number = f"http://127.0.0.1:{port}/12345", 0
	for fault in "back-told", "bridge-settled", "bridge-reply", "back-told:2":
		b.start(ready=False, NEEDLE_FAULT=fault)      # it may meet the point at once
		for _ in range(2):
			number += 1
			while curl(url, {"gdbh": f"BF{number}", "gdnr": "井盖"}, f"X-Api-Key: {KEY}")[0] == 0 and b.running():
				time.sleep(0.02)        # it does not listen yet
		b.child.wait(30)
		b.start()
		for i in range(1, number + 1):
			while curl(url, {"gdbh": f"BF{i}", "gdnr": "井盖"}, f"X-Api-Key: {KEY}")[0] != 200:
				pass
		wait_for(lambda n=number: path.exists() and path.read_text(encoding="utf-8-sig").count('"registered"') >= 2 * n // 2
			 and b.metric("needle_bridge_replies_waiting") == 0 and b.metric("needle_bridge_outbox_messages") == 0, 30,
			 "the replies, and the gateway's receipt of each that is told")
		assert b.stop() == 0
	lines = path.read_text(encoding="utf-8-sig").splitlines()
	assert sorted(re.findall(r'^"(BF\d+)"', "\n".join(lines), re.M)) == sorted(f"BF{i}" for i in range(1, number + 1))
	for case in cases(db, "BF%"):
		assert len(delivered(db, case["number"])) == 1, case


# ---- what is said at the start ----------------------------------------------------------------------

def test_a_wrong_file_is_explained_like_the_folder(stack, tmp_path):
	b = Bridge(stack, "hotline", tmp_path, "push: {listen: 127.0.0.1:1, pathh: /x}\npull: {url: 'http://h/', every: 0}\nbck: {}\n")
	code, said = b.check()
	assert code == 78
	for text in "E10 unknown key “pathh”", "did you mean “path”?", "E12 0 is out of range", "neither key nor hmac", "unknown key “bck”":
		assert text in said, said
	assert re.search(r"hotline\.yaml:10:\d+: error", said)
	assert Bridge(stack, "hotline", tmp_path, "").check()[0] == 78
	secret = Bridge(stack, "hotline", tmp_path, "push: {listen: 127.0.0.1:1, key: hunter2}\n")
	code, said = secret.check()
	assert code == 78 and "E50" in said and "hunter2" not in said


def test_sighup_takes_a_good_file_and_leaves_a_bad_one(stack, db, tmp_path):
	doors, page = (free_port(), free_port()), free_port()
	b = Bridge(stack, "hotline", tmp_path, f"push: {{listen: '127.0.0.1:{doors[0]}', key: '${{secret:push_key}}'}}\n",
		   secrets={"push_key": KEY}, source="hup").start()
	with open(b.file, encoding="utf-8") as f:
		good = f.read()

	def hup(text):
		with open(b.file, "w", encoding="utf-8") as f:
			f.write(text)
		b.child.send_signal(signal.SIGHUP)

	def push_one(number, door):
		b.url = f"http://127.0.0.1:{door}/12345"
		assert post(b, {"appealNo": number, "appealSubject": "井盖破损", "incidentAddress": "幸福里3号楼"})[0] in (200, 202)
		wait_for(lambda: cases(db, number), 30, f"the case of {number}")

	push_one("HUP1", doors[0])
	hup(good.replace("push:", "pushed:"))
	wait_for(lambda: "the file is not taken" in b.log(), 30, "the bad file to be left")
	assert "E10" in b.log() and b.get("/readyz")[0] == 200
	push_one("HUP2", doors[0])
	hup(good.replace(str(doors[0]), str(doors[1])).replace(str(b.port), str(page)))
	b.port = page
	wait_for(b.is_ready, 30, "the good file to be taken")
	push_one("HUP3", doors[1])
	with pytest.raises(ConnectionError):
		socket.create_connection(("127.0.0.1", doors[0]), 5).close()
	with open(f"/proc/{b.child.pid}/cmdline", "rb") as f:
		assert f.read().split(b"\0")[1:3] == [b"-c", b.file.encode()], "the same process, as it was started"
	assert b.stop() == 0 and b.log().count("bridge.start") == 2


def test_two_bridges_never_share_a_state(folder, stack):
	second = Bridge(stack, "hotline", folder.folder, f"folder: {{path: {folder.inside}}}\n", source="folder")
	second.start(ready=False)
	assert second.child.wait(30) == 75
