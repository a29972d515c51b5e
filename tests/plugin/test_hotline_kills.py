"""kill -9 of the bridge, the broker and the gateway while tickets are on their way: none is lost, none comes twice.

NEEDLE_KILLS=100 for the long form, which `make torture` takes.
"""
import json
import os
import re
import threading
import time
import urllib.error
import urllib.request

from lib.bridge import Bridge, free_port
from lib.wait import wait_for

KEY = "platform-key-0123456789"
KILLS = int(os.environ.get("NEEDLE_KILLS") or (100 if os.environ.get("NEEDLE_TORTURE") else 12))


class Pusher(threading.Thread):
	"""A platform that sends each ticket again until it is told that it has been taken."""

	def __init__(self, url, prefix):
		super().__init__(daemon=True)
		self.url, self.prefix, self.sent, self.stopped = url, prefix, [], threading.Event()

	def run(self):
		n = 0
		while not self.stopped.is_set():
			n += 1
			number = f"{self.prefix}{n:05}"
			body = json.dumps({"gdbh": number, "gdnr": f"幸福里{n}号井盖破损"}).encode()
			while not self.post(body):
				if self.stopped.wait(0.02):
					return
			self.sent.append(number)

	def post(self, body):
		request = urllib.request.Request(self.url, data=body, headers={"X-Api-Key": KEY})
		try:
			with urllib.request.urlopen(request, timeout=10) as answer:
				return answer.status in (200, 202)
		except (OSError, urllib.error.URLError):
			return False


def start(stack, folder, source, port):
	return Bridge(stack, "hotline", folder, f"""
folder: {{path: {folder}/in, settle: 0, every: 1}}
push: {{listen: "127.0.0.1:{port}", key: "${{secret:push_key}}", wait: 1}}
back: {{file: "{folder}/back.csv"}}
""", secrets={"push_key": KEY}, source=source, resend=1)


def settle(bridge, db, numbers, prefix):
	wait_for(lambda: bridge.metric("needle_bridge_outbox_messages") == 0, 120, "an empty outbox")
	found = [r["id"] for r in db.all("SELECT id FROM needle.report WHERE id LIKE %s AND kind = 'report'", prefix + "%")]
	print({"kills": KILLS, "sent": len(numbers), "cases": len(found), "lost": sorted(set(numbers) - set(found)),
	       "twice": sorted({n for n in found if found.count(n) > 1})})
	assert len(found) == len(set(found)) and set(found) >= set(numbers), f"{len(found)} of {len(numbers)}"
	assert db.value("SELECT count(*) FROM needle.v_case WHERE report LIKE %s", prefix + "%") == len(found)
	return found


def test_kills_of_the_bridge(stack, db, tmp_path):
	port = free_port()
	b = start(stack, tmp_path, "kills", port).start()
	pushers = [Pusher(f"http://127.0.0.1:{port}/12345", f"KB{i}") for i in range(4)]
	for p in pushers:
		p.start()
	files = []
	for i in range(KILLS):
		rows = "".join(f"KF{i:03}{k:03},幸福里{k}号路灯不亮\n" for k in range(40))
		(tmp_path / "in" / f"{i}.part").write_text("工单编号,诉求内容\n" + rows)
		os.rename(tmp_path / "in" / f"{i}.part", tmp_path / "in" / f"{i}.csv")
		files += re.findall(r"KF\d+", rows)
		time.sleep(0.05 + 0.037 * (i % 17))
		b.kill()
		b.start(ready=i % 3 == 0)
	wait_for(b.is_ready, 30, "the bridge")
	wait_for(lambda: not list((tmp_path / "in").glob("*.csv")), 60, "the folder to be empty")
	for p in pushers:
		p.stopped.set()
	for p in pushers:
		p.join(30)
	pushed = [n for p in pushers for n in p.sent]
	assert len(pushed) > KILLS
	found = settle(b, db, pushed, "KB") + settle(b, db, files, "KF")
	# Each reply is in the file once, however often the bridge was killed in between.
	wait_for(lambda: b.metric("needle_bridge_replies_waiting") == 0, 60, "the replies")

	def told():
		return re.findall(r'(?m)^\ufeff?"(K[BF]\d+)"', (tmp_path / "back.csv").read_text(encoding="utf-8"))
	wait_for(lambda: len(set(told())) == len(found), 60, "a line for each ticket")
	assert sorted(told()) == sorted(found)
	assert b.stop() == 0


def test_kills_of_the_broker_and_of_the_gateway(stack, db, tmp_path):
	port = free_port()
	b = start(stack, tmp_path, "around", port).start()
	pushers = [Pusher(f"http://127.0.0.1:{port}/12345", f"KA{i}") for i in range(4)]
	for p in pushers:
		p.start()
	for what in ("needled", "broker", "needled", "broker"):
		before = sum(len(p.sent) for p in pushers)
		wait_for(lambda n=before: sum(len(p.sent) for p in pushers) > n + 10, 60, "tickets on their way")
		stack.kill(what)
		time.sleep(0.3)
		stack.up()
	wait_for(b.is_ready, 60, "the bridge to be connected again")
	for p in pushers:
		p.stopped.set()
	for p in pushers:
		p.join(30)
	settle(b, db, [n for p in pushers for n in p.sent], "KA")
	assert b.stop() == 0
