"""A street at work, as load: reporters who keep a message until its receipt is there, officers who
accept and resolve, residents who rate, and a listener to all that departments are told.

	load = Load(stack); load.start(); …; load.drain(); load.stop()

Everything that was sent is remembered with the phase in which it was: verdict.py compares it with the
database. The callbacks only file what came; what it means is worked out at the end.
"""
import collections
import json
import os
import signal
import threading
import time

import paho.mqtt.client as paho
from lib.wait import wait_for
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from scale import scale

RESEND_S, RESEND_MAX_S = 2.0, 16.0      # twice as long each time: who does not wait longer keeps a slow gateway slow
CHANNEL, SOURCE = "patrol", "load"
# What of: category (whose department has cards), text. The gas leak's clock rings when the case is made.
MATTERS = (("市政/路灯", "路灯不亮"), ("邻里", "楼上太吵"), ("物业/漏水", "天花板滴水"), ("环卫/垃圾", "垃圾没人收"),
	   ("市政/路灯", "楼道有煤气味"))


class Wire:
	"""One connection to the broker: comes back by itself and subscribes again."""

	def __init__(self, stack, user, filters, on_message, on_acked=None, qos=1, session_s=0):
		self.filters, self.qos, self.on_message = filters, qos, on_message
		self.up, self.ready = threading.Event(), threading.Event()
		self.paho = paho.Client(f"load-{user}-{time.monotonic_ns()}", protocol=paho.MQTTv5)
		self.paho.username_pw_set(user, stack.passwords[user])
		self.paho.max_inflight_messages_set(400)
		self.paho.reconnect_delay_set(0.05, 0.2)
		self.paho.on_connect, self.paho.on_disconnect = self._connected, self._disconnected
		self.paho.on_subscribe = lambda *_: self.ready.set()
		self.paho.on_message = lambda _c, _d, m: self.on_message(m.topic, m.payload)
		if on_acked:
			self.paho.on_publish = lambda _c, _d, mid: on_acked(mid)
		properties = Properties(PacketTypes.CONNECT)
		properties.SessionExpiryInterval = session_s
		self.paho.connect(stack.env["NEEDLE_MQTT_HOST"], int(stack.env["NEEDLE_MQTT_PORT"]), 30,
				  clean_start=not session_s, properties=properties)
		self.paho.loop_start()
		assert self.ready.wait(10), f"{user} cannot subscribe"

	def _connected(self, client, _data, _flags, code, _properties):
		assert code == 0, code
		client.subscribe([(f, paho.SubscribeOptions(qos=self.qos)) for f in self.filters])
		self.up.set()

	def _disconnected(self, *_):
		self.up.clear()

	def publish(self, topic, payload):
		return self.paho.publish(topic, payload, 1).mid

	def close(self):
		self.paho.disconnect()
		self.paho.loop_stop()


class Pending:
	"""What waits for its answer, oldest first; what waits too long is sent again."""

	def __init__(self, send):
		self.send, self.lock, self.waiting = send, threading.Lock(), {}
		self.repeated = set()

	def __len__(self):
		return len(self.waiting)

	def add(self, key, message):
		with self.lock:
			self.waiting[key] = (message, time.monotonic(), RESEND_S)
		self.send(key, message)

	def answered(self, key):
		with self.lock:
			return self.waiting.pop(key, None)

	def repeat(self):
		now, late = time.monotonic(), []
		with self.lock:
			for key, (message, at, patience) in self.waiting.items():
				if at > now - RESEND_S or len(late) == 400:
					break
				if at <= now - patience:
					late.append((key, message, patience))
			for key, message, patience in late:     # to the end: it is the youngest now
				del self.waiting[key]
				self.waiting[key] = (message, now, min(2 * patience, RESEND_MAX_S))
		for key, message, _ in late:
			self.repeated.add(key)
			self.send(key, message)


class Load:
	def __init__(self, stack, rate=1000, window=4000, resend=True, officers=True, padding=0):
		self.stack, self.rate, self.window, self.resend, self.officers = stack, rate, window, resend, officers
		self.padding = "。" * (padding // 3)
		self.root = f"needle/{stack.tenant}"
		self.phase, self.number = "x", 0
		self.attempted, self.receipts, self.dead = {}, {}, []
		self.handed_over, self.mids, self.acked_early, self.mids_lock = set(), {}, set(), threading.Lock()
		self.receipt_times, self.events, self.kept = [], [], []
		self.cases = collections.deque(maxlen=400)      # first reports that supplements may be about
		self.wishes = collections.deque()               # what the pacing thread is to send next
		self.results, self.refused = {}, []
		# By phase, while it flowed: reports that the broker took, those said again among them, and how long it was there.
		self.taken, self.connected_s = collections.Counter(), collections.Counter()
		self.reports, self.commands = Pending(self._send_report), Pending(self._send_command)
		self.producer = Wire(stack, f"in-{CHANNEL}", [f"{self.root}/receipt/{CHANNEL}/{SOURCE}"], self._receipt,
				     self._acked)
		self.officer = Wire(stack, "admin", [f"{self.root}/dept/+/result"], self._result)
		# Two listeners hear what one cannot when the broker is killed. With nothing to send, not even a
		# PUBACK, paho reads all that the broker had written; a session that the broker finds on its
		# disk keeps what is said before the listener is back.
		events = f"{self.root}/dept/+/event/+"
		self.listener = Wire(stack, "admin", [events], self._told, qos=0)
		self.keeper = Wire(stack, "admin", [events], self._kept, session_s=3600)
		self.save_broker()
		self.flowing, self.quit = False, threading.Event()
		self.thread = threading.Thread(target=self._run, daemon=True)
		self.thread.start()

	# ---- paho's threads ----
	def _receipt(self, _topic, payload):
		receipt = json.loads(payload)
		key = receipt["id"]
		if receipt["result"] == "dead":
			self.dead.append(receipt)
		self.reports.answered(key)
		self.receipt_times.append(time.monotonic())
		if key in self.receipts:
			return
		self.receipts[key] = (receipt["result"], receipt["case"])
		if key[1] != "n":
			return
		self.cases.append(key)
		if self.officers and key[-1] == "1" and receipt["department"]:
			self.wishes.append(("accept", receipt["department"], receipt["case"]))

	def _told(self, topic, payload):
		self.events.append((topic, payload))

	def _result(self, topic, payload):
		result = json.loads(payload)
		request, dept = result["request"], topic.split("/")[3]
		if not self.commands.answered(request):
			return
		self.results[request] = result
		if result["result"] != "done":
			self.refused.append(result)
		elif request[0] == "a":
			self.wishes.append(("resolve", dept, result["case"]))
		else:
			self.wishes.append(("rate", dept, result["case"]))

	def _kept(self, topic, payload):
		self.kept.append((topic, payload))

	def _acked(self, mid):
		self.taken[self.phase] += self.flowing
		with self.mids_lock:
			key = self.mids.pop(mid, None)
			if key:
				self.handed_over.add(key)
			else:
				self.acked_early.add(mid)

	# ---- the pacing thread ----
	def _send_report(self, key, message):
		mid = self.producer.publish(f"{self.root}/in/{CHANNEL}/{SOURCE}", message)
		if self.resend:
			return
		with self.mids_lock:            # only a producer that does not repeat needs to know
			if mid in self.acked_early:
				self.acked_early.discard(mid)
				self.handed_over.add(key)
			else:
				self.mids[mid] = key

	def _send_command(self, _key, message):
		self.officer.publish(f"{self.root}/dept/{message[0]}/cmd", message[1])

	def _report(self, kind, members):
		self.number += 1
		key = f"{self.phase}{kind}{self.number}"
		self.attempted[key] = self.phase
		self.reports.add(key, json.dumps(dict(members, id=key), ensure_ascii=False))

	def _wish(self, action, dept, case):
		if action == "rate":
			self._report("r", {"kind": "rate", "case": case, "score": "satisfied"})
			return
		request = f"{action[0]}-{case}"
		command = {"v": 1, "request": request, "case": case, "action": action, "by": "load", "answer": "办好了"}
		self.commands.add(request, (dept, json.dumps(command, ensure_ascii=False)))

	def _one(self):
		"""Two new cases, then three supplements to one of the last few hundred."""
		if self.number % 5 < 2 or not self.cases:
			category, text = MATTERS[self.number // 5 % len(MATTERS)]
			self._report("n", {"category": category, "text": f"{text}，第 {self.number} 件{self.padding}",
					   "reporter": {"name": "李某", "phone": "13800000000"}})
		else:
			about = self.cases[self.number * 7919 % len(self.cases)]
			self._report("s", {"kind": "supplement", "about": about, "text": f"补充 {self.number}{self.padding}"})

	def _run(self):
		since = last = time.monotonic()
		sent, next_repeat = 0, 0
		while not self.quit.wait(0.004):
			now = time.monotonic()
			passed, last = now - last, now
			if not self.producer.up.is_set() or not self.officer.up.is_set():
				since, sent = now, 0
				continue
			self.connected_s[self.phase] += passed if self.flowing else 0
			while self.wishes:
				self._wish(*self.wishes.popleft())
			if now > next_repeat:
				next_repeat = now + 0.05
				self.commands.repeat()
				if self.resend:
					self.reports.repeat()
			owed = int((now - since) * self.rate) - sent
			if not self.flowing or owed > self.rate or now - since > 10:
				since, sent = now, 0    # what could not be sent in time is not made up for
				continue
			for _ in range(min(owed, self.window - len(self.reports))):
				self._one()
				sent += 1

	# ---- ours ----
	def save_broker(self):
		"""The broker writes its sessions and retained messages now."""
		place = os.path.join(self.stack.path("servers"), "mosquitto", "mosquitto.db")
		before = os.stat(place).st_mtime_ns if os.path.exists(place) else 0
		os.kill(self.stack.pid("broker"), signal.SIGUSR1)
		wait_for(lambda: os.path.exists(place) and os.stat(place).st_mtime_ns > before, 10, "the broker's save",
			 every=0.005)

	def start(self, phase):
		self.phase, self.flowing = phase, True

	def drain(self, bound=scale(40, 120)):
		"""No new reports; returns when all that was sent is answered. False: time is over."""
		self.flowing = False
		until = time.monotonic() + bound
		while self.reports or self.commands or self.wishes:
			if time.monotonic() > until:
				return False
			self.quit.wait(0.02)
		return True

	def close(self):
		self.flowing = False
		self.quit.set()
		self.thread.join()
		for wire in (self.producer, self.officer, self.listener, self.keeper):
			wire.close()
