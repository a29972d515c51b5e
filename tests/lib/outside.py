"""What stands outside of the two bridges in the sample half hour: the city's hotline and WeChat.

	h = Hotline(stack.env); h.drop("导出.csv", rows); h.push(ticket); h.replies()
	w = Wechat(); …make the stack with wechat=w.url…; w.meet(stack.env)
	w.say("oUser", "井盖坏了", "1001"); w.order({"order_id": …}); w.heard()
"""
import csv
import io
import json
import os
import threading
import urllib.error
import urllib.request
from xml.sax.saxutils import escape

from lib.wait import wait_for
from lib.wechat import Account, Platform
from lib.xlsx import Sheet, write

TITLE = "12345 政务服务便民热线工单导出"


class Hotline:
	"""The city's platform: somebody exports tables into the folder, it pushes tickets, and reads the file of replies."""

	def __init__(self, env):
		self.folder, self.url, self.key = env["NEEDLE_HOTLINE_FOLDER"], env["NEEDLE_HOTLINE_PUSH"], env["NEEDLE_HOTLINE_KEY"]
		self.file, self.read_to = env["NEEDLE_HOTLINE_REPLIES"], 0

	def drop(self, name, rows):
		"""An export with a title above its head: XLSX, or CSV as Excel in Chinese saves it. It appears whole."""
		columns = list(dict.fromkeys(c for row in rows for c in row))
		table = [[TITLE], columns] + [[row.get(c, "") for c in columns] for row in rows]
		part = os.path.join(self.folder, f".{name}")
		if name.endswith(".xlsx"):
			write(part, [Sheet("工单", table)])
		else:
			with open(part, "w", encoding="gb18030", newline="") as f:
				csv.writer(f).writerows(table)
		os.rename(part, os.path.join(self.folder, name))

	def report_of(self, name):
		"""What the bridge says of an export that it has taken, and the reasons of the rows that it refuses."""
		done = os.path.join(self.folder, "done", name)
		wait_for(lambda: os.path.exists(done), 20, f"{name} in done/")
		with open(done + ".report.json", encoding="utf-8") as f:
			report = json.load(f)
		reasons = []
		if report["bad"]:
			with open(done + ".rejected.csv", encoding="utf-8-sig", newline="") as f:
				reasons = [row["原因"] for row in csv.DictReader(f)]
		return report, reasons

	def push(self, ticket, xml=False):
		"""(status, answer) of one ticket that is posted."""
		body = json.dumps(ticket, ensure_ascii=False)
		if xml:
			body = "<order>" + "".join(f"<{k}>{escape(str(v))}</{k}>" for k, v in ticket.items()) + "</order>"
		request = urllib.request.Request(self.url, body.encode(), {"X-Api-Key": self.key, "Content-Type": "application/" + ("xml" if xml else "json")})
		try:
			with urllib.request.urlopen(request, timeout=20) as answer:
				return answer.status, json.load(answer)
		except urllib.error.HTTPError as e:
			return e.code, json.load(e)

	def replies(self):
		"""The lines that were added since the last look: dicts by the file's columns."""
		try:
			with open(self.file, encoding="utf-8-sig", newline="") as f:
				text = f.read()
		except FileNotFoundError:
			return []
		rows = list(csv.DictReader(io.StringIO(text[:text.rfind("\n") + 1])))
		new, self.read_to = rows[self.read_to:], len(rows)
		return new


class Wechat:
	"""Tencent's side: residents who speak to an Official Account, orders of residents' reports in WeCom, a group's robot."""

	def __init__(self):
		self.platform, self.orders, self.looked, self.lock = Platform(), {}, 0, threading.Lock()
		self.said = {}          # msgid -> (query, body) of its callback
		self.platform.answers["/cgi-bin/report/resident/get_order_list"] = lambda *_: {
			"errcode": 0, "order_list": [{"order_id": k, "create_time": o["create_time"]} for k, o in self.now().items()]}
		self.platform.answers["/cgi-bin/report/resident/get_order_info"] = lambda _, body: {
			"errcode": 0, "order_info": self.now().get(json.loads(body)["order_id"])}

	@property
	def url(self):
		return self.platform.url

	def now(self):
		with self.lock:
			return dict(self.orders)

	def meet(self, env):
		self.account = Account(env["NEEDLE_WECHAT_CALLBACK"], token=env["NEEDLE_WECHAT_TOKEN"], key=env["NEEDLE_WECHAT_AES"], app="wxneedle")

	def say(self, user, text, msgid):
		"""A signed and sealed callback; what it is answered with, None for nothing."""
		self.said[msgid] = self.account.wrap(self.account.xml(user, "text", {"Content": text}, msgid=msgid))
		return self.again(msgid)

	def again(self, msgid):
		"""The very same callback, as the platform repeats it when it has not heard the answer."""
		query, body = self.said[msgid]
		return self.account.said(self.account.request("POST", query, body))

	def order(self, order):
		with self.lock:
			self.orders[order["order_id"]] = order

	def heard(self):
		"""(who, text) of what came since the last look; who is None for the group's robot."""
		with self.platform.lock:
			calls, self.looked = self.platform.calls[self.looked:], len(self.platform.calls)
		new = []
		for path, _, body, _ in calls:
			if path == "/cgi-bin/message/custom/send":
				m = json.loads(body)
				new.append((m["touser"], m["text"]["content"]))
			elif path == "/robot":
				new.append((None, json.loads(body)["text"]["content"]))
		return new

	def close(self):
		self.platform.close()
