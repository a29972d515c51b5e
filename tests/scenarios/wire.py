"""MQTT for a whole street at full speed: one connection, no thread, and a packet costs microseconds.

What comes is read while something is waited for; till then the broker keeps it. All messages of one instant leave in one
write, so that the daemon meets them together. MQTT 3.1.1, QoS 1.
"""
import json
import select
import socket
import struct
import time

RECEIVE = 1 << 18


def text(value):
	value = value.encode()
	return struct.pack(">H", len(value)) + value


def packet(first, body):
	n, length = len(body), bytearray()
	while n > 127:
		length.append(n & 127 | 128)
		n >>= 7
	length.append(n)
	return bytes((first,)) + bytes(length) + body


class Message:
	__slots__ = ("topic", "payload", "_json")

	def __init__(self, topic, payload):
		self.topic, self.payload, self._json = topic, payload, None

	@property
	def json(self):
		if self._json is None:
			self._json = json.loads(self.payload)
		return self._json

	def __repr__(self):
		return f"<{self.topic} {self.payload[:200].decode(errors='replace')}>"


class Wire:
	def __init__(self, host, port, user, password, take):
		"""take(message) is called for everything that comes, while we wait."""
		self.take, self.number, self.left, self.to_send = take, 0, b"", []
		self.socket = socket.create_connection((host, port), 10)
		self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		self.codes = None
		self.socket.sendall(packet(0x10, text("MQTT") + b"\x04\xc2\x00\x00" + text(f"street-{id(self):x}-{time.monotonic_ns():x}") +
					   text(user) + text(password)))
		self.wait(lambda: self.codes is not None, 10, "the broker's answer")
		if self.codes[1]:
			raise ConnectionRefusedError(f"the broker refused {user}: {self.codes[1]}")

	def next_number(self):
		self.number = self.number % 65535 + 1
		return struct.pack(">H", self.number)

	def subscribe(self, *filters):
		self.codes = None
		self.socket.sendall(packet(0x82, self.next_number() + b"".join(text(f) + b"\x01" for f in filters)))
		self.wait(lambda: self.codes is not None, 10, f"the SUBACK of {filters}")
		assert max(self.codes[2:]) < 128, f"subscription refused: {filters}"

	def publish(self, topic, payload):
		"""Leaves with the next flush, or when something is waited for."""
		body = json.dumps(payload, ensure_ascii=False).encode()
		self.to_send.append(packet(0x32, text(topic) + self.next_number() + body))

	def flush(self):
		if self.to_send:
			out, self.to_send = b"".join(self.to_send), []
			self.socket.sendall(out)

	def wait(self, ready, bound, what, every=None):
		"""Reads until ready(). every: it may also come true by itself, so look that often."""
		self.flush()
		until = time.monotonic() + bound
		while not ready():
			left = until - time.monotonic()
			assert left > 0, f"waited {bound:g} s for {what}"
			if select.select([self.socket], [], [], left if every is None else min(every, left))[0]:
				self.read()

	def read(self):
		data = self.socket.recv(RECEIVE)
		if not data:
			raise ConnectionError("the broker closed the connection")
		data, at, acks = self.left + data, 0, []
		while True:
			end, begin = self.bounds(data, at)
			if not end:
				break
			kind = data[at] >> 4
			if kind == 3:
				self.published(data, at, begin, end, acks)
			elif kind in (2, 9):
				self.codes = data[begin:end]
			at = end
		self.left = data[at:]
		if acks:
			self.socket.sendall(b"".join(acks))

	@staticmethod
	def bounds(data, at):
		"""(end, begin of the body) of the packet at `at`; end is 0 when it is not whole."""
		n, shift, begin = 0, 0, at + 1
		while True:
			if begin >= len(data):
				return 0, 0
			byte = data[begin]
			begin += 1
			n |= (byte & 127) << shift
			shift += 7
			if byte < 128:
				break
		return (begin + n, begin) if begin + n <= len(data) else (0, 0)

	def published(self, data, at, begin, end, acks):
		body = begin + 2 + (data[begin] << 8 | data[begin + 1])
		topic = data[begin + 2:body].decode()
		if data[at] & 6:
			acks.append(b"\x40\x02" + data[body:body + 2])
			body += 2
		self.take(Message(topic, data[body:end]))

	def close(self):
		self.socket.close()
