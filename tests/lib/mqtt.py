"""A client of the broker, MQTT 5 or 3.1.1, as a producer, a department or an onlooker.

	c = stack.client("in-hotline")
	receipt = c.report("hotline", "city", {"id": "A1", "text": "井盖破损"})
	d = stack.client("dept-chengguan")
	events = d.collect("needle/jiyuanlu/dept/chengguan/event/+")
	event = events.wait(lambda m: m.json["case"] == receipt["case"])
	result = d.command("chengguan", {"case": receipt["case"], "action": "accept"})
	cards = d.retained("needle/jiyuanlu/dept/chengguan/queue/+")
"""
import itertools
import json
import threading
import time
import uuid

import paho.mqtt.client as paho
from lib.wait import wait_for
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

BOUND = 10.0


class Message:
	def __init__(self, m):
		self.topic, self.payload = m.topic, m.payload
		self.qos, self.retain, self.dup = m.qos, bool(m.retain), m.dup
		self.at = time.monotonic()
		self.correlation = getattr(getattr(m, "properties", None), "CorrelationData", None)

	@property
	def json(self):
		return json.loads(self.payload)

	@property
	def last(self):
		"""The topic's last level."""
		return self.topic.rpartition("/")[2]

	def __repr__(self):
		return f"<{self.topic} {self.payload[:200].decode(errors='replace')}>"


class Collected:
	"""What a subscription has brought so far; grows by itself."""

	def __init__(self):
		self.messages, self.changed = [], threading.Condition()

	def add(self, m):
		with self.changed:
			self.messages.append(m)
			self.changed.notify_all()

	def __len__(self):
		return len(self.messages)

	def __iter__(self):
		return iter(list(self.messages))

	def clear(self):
		with self.changed:
			self.messages.clear()

	def find(self, predicate=lambda m: True):
		return [m for m in list(self.messages) if predicate(m)]

	def wait(self, predicate=lambda m: True, bound=BOUND, n=1, what="a message"):
		"""The first message for which predicate holds (n > 1: the first n as a list)."""
		until = time.monotonic() + bound
		with self.changed:
			while True:
				found = [m for m in self.messages if predicate(m)]
				if len(found) >= n:
					return found[0] if n == 1 else found[:n]
				left = until - time.monotonic()
				assert left > 0, f"waited {bound:g} s for {what}; had {self.messages[-5:]}"
				self.changed.wait(left)


class Client:
	numbers = itertools.count(1)

	def __init__(self, host, port, user, password, tenant, version=5, client_id=None, keep_alive=30):
		self.tenant, self.version, self.user = tenant, version, user
		self.root = f"needle/{tenant}"
		self.peer = (host, port)
		protocol = paho.MQTTv5 if version == 5 else paho.MQTTv311
		options = {} if version == 5 else {"clean_session": True}
		self.paho = paho.Client(client_id or f"test-{uuid.uuid4().hex[:16]}", protocol=protocol, **options)
		self.paho.username_pw_set(user, password)
		self.paho.max_inflight_messages_set(200)
		self.lock = threading.Lock()
		self.routes, self.acked, self.reasons = [], {}, {}
		self.answer = threading.Condition(self.lock)
		self.paho.on_message = self._message
		self.paho.on_publish = self._published
		self.paho.on_subscribe = self._subscribed
		self.paho.on_connect = self._connected
		self.connect_code = None
		self.paho.connect(host, port, keep_alive)
		self.paho.loop_start()
		self._wait(lambda: self.connect_code is not None, "the broker's answer")
		if self.connect_code != 0:
			self.close()
			raise ConnectionRefusedError(f"the broker refused {user}: {self.connect_code}")

	# ---- paho's thread ----
	def _connected(self, _client, _data, _flags, code, _properties=None):
		with self.lock:
			filters = {f for f, _ in self.routes}           # of a client that comes back to a broker that came back
			self.connect_code = getattr(code, "value", code)
			self.answer.notify_all()
		if filters:
			self.paho.subscribe([(f, self._qos(1)) for f in filters])

	def _message(self, _client, _data, message):
		with self.lock:
			targets = [c for f, c in self.routes if paho.topic_matches_sub(f, message.topic)]
		for c in targets:
			c.add(Message(message))

	def _published(self, _client, _data, mid, *_):
		with self.lock:
			self.acked[mid] = True
			self.answer.notify_all()

	def _subscribed(self, _client, _data, mid, codes, *_):
		with self.lock:
			self.reasons[mid] = [getattr(c, "value", c) for c in codes]
			self.answer.notify_all()

	def _wait(self, ready, what, bound=BOUND):
		with self.lock:
			if not self.answer.wait_for(ready, bound):
				raise AssertionError(f"waited {bound:g} s for {what}")

	# ---- ours ----
	def publish(self, topic, payload, qos=1, retain=False, response_topic=None, correlation=None, wait=True):
		"""payload: bytes, text, or something for JSON. Returns after the PUBACK unless told otherwise."""
		if not isinstance(payload, (bytes, str)):
			payload = json.dumps(payload, ensure_ascii=False)
		properties = None
		if self.version == 5 and (response_topic or correlation):
			properties = Properties(PacketTypes.PUBLISH)
			if response_topic:
				properties.ResponseTopic = response_topic
			if correlation:
				properties.CorrelationData = correlation
		info = self.paho.publish(topic, payload, qos, retain, properties)
		if wait and qos:
			self._wait(lambda: self.acked.pop(info.mid, False), f"the PUBACK of {topic}")
		return info

	def collect(self, *filters, qos=1):
		"""Subscribes; returns once the broker has said yes."""
		collected = Collected()
		with self.lock:
			self.routes += [(f, collected) for f in filters]
		_, mid = self.paho.subscribe([(f, self._qos(qos)) for f in filters])
		self._wait(lambda: mid in self.reasons, f"the SUBACK of {filters}")
		codes = self.reasons.pop(mid)
		assert max(codes) < 128, f"subscription refused: {dict(zip(filters, codes))}"
		return collected

	def _qos(self, qos):
		return paho.SubscribeOptions(qos=qos) if self.version == 5 else qos

	def forget(self, collected, *filters):
		with self.lock:
			self.routes = [(f, c) for f, c in self.routes if c is not collected]
			wanted = {f for f, _ in self.routes}
		for f in set(filters) - wanted:
			self.paho.unsubscribe(f)

	def report(self, channel, source, report, bound=BOUND, respond=None):
		"""Publishes a report and returns its receipt. respond: a level below the receipt topic, used as
		MQTT 5 Response Topic with Correlation Data; else the receipt topic itself is listened to."""
		topic = f"{self.root}/receipt/{channel}/{source}" + (f"/{respond}" if respond else "")
		receipts = self._listening(topic)
		mark = uuid.uuid4().bytes if respond else None
		self.publish(f"{self.root}/in/{channel}/{source}", report, response_topic=topic if respond else None,
			     correlation=mark)
		named = report.get("id") if isinstance(report, dict) else None

		def mine(m):
			return m.correlation == mark if mark else m.json.get("id") == named
		seen = getattr(self, "_taken", set())
		found = receipts.wait(lambda m: id(m) not in seen and mine(m), bound, what=f"the receipt of {named}")
		self._taken = seen | {id(found)}
		return found.json

	def command(self, dept, command, bound=BOUND):
		"""Sends a department's command and returns its result."""
		command.setdefault("request", f"r{next(self.numbers)}-{uuid.uuid4().hex[:8]}")
		results = self._listening(f"{self.root}/dept/{dept}/result")
		before = len(results)
		self.publish(f"{self.root}/dept/{dept}/cmd", dict({"v": 1}, **command))
		return results.wait(lambda m: m.json.get("request") == command["request"]
				    and m in list(results)[before:], bound, what=f"the result of {command}").json

	def _listening(self, topic):
		known = self.__dict__.setdefault("_answers", {})
		if topic not in known:
			known[topic] = self.collect(topic)
		return known[topic]

	def retained(self, topic_filter, marker):
		"""What is retained under the filter, all of it: topic -> payload. `marker` is another client that
		may publish below this client's event topics: its message comes after all that was retained."""
		sign = f"{self.root}/dept/{uuid.uuid4().hex[:12]}/event/marker"
		if self.user.startswith("dept-"):
			sign = f"{self.root}/dept/{self.user[5:]}/event/marker-{uuid.uuid4().hex[:12]}"
		collected, seen = self.collect(topic_filter, sign), 0

		def came():             # each looked at once: a city's queue has tens of thousands of cards
			nonlocal seen
			before, seen = seen, len(collected)
			return any(m.topic == sign for m in collected.messages[before:seen])
		marker.publish(sign, b"end")
		wait_for(came, 60, "the marker behind the retained messages", every=0.005)
		found = {m.topic: m.payload for m in collected if m.topic != sign and m.retain}
		self.forget(collected, topic_filter, sign)
		return found

	def close(self):
		self.paho.disconnect()
		self.paho.loop_stop()
