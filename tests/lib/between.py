"""Somebody who sits on the wire between a gateway and its broker: what the broker is never seen to do on demand.

	b = Between(port_of_the_broker); …the gateway connects to b.port…
	b.rule = lambda c, up, p: None      what becomes of a packet; it returns True when it has dealt with it, else it goes on
	b.shut = "-audit-"                  whose client id has that in it is not let in; "" shuts out nobody
	b.find("-audit-").cut()             ends a connection; .down(bytes) speaks for the broker, .up(bytes) for the client

`p` is a Packet: p.kind ("publish", "puback" …), p.topic, p.payload, p.retain, p.id of a publish, p.raw.
"""
import contextlib
import socket
import struct
import threading

KINDS = {1: "connect", 3: "publish", 4: "puback", 8: "subscribe", 10: "unsubscribe", 14: "disconnect"}
NOT_AUTHORISED, TAKEN_OVER = b"\x87", b"\xe0\x02\x8e\x00"


class Packet:
	def __init__(self, first, head, body):
		self.kind, self.raw = KINDS.get(first >> 4, ""), bytes([first]) + head + body
		self.topic, self.payload, self.id, self.retain = "", b"", None, bool(first & 1)
		if self.kind == "connect":
			# Name, version, flags, keep-alive; then the properties, whose length is one byte or two, and the client's id.
			at = 10
			while body[at] & 0x80:
				at += 1
			length = sum((b & 0x7f) << 7 * i for i, b in enumerate(body[10:at + 1]))
			at += 1 + length
			self.client = body[at + 2:at + 2 + struct.unpack(">H", body[at:at + 2])[0]].decode()
		elif self.kind == "publish":
			n = struct.unpack(">H", body[:2])[0]
			self.topic, at = body[2:2 + n].decode(), 2 + n
			if first & 6:
				self.id, at = body[at:at + 2], at + 2
			self.payload = body[at + 1 + body[at]:]         # no properties of ours are longer than 127 bytes

	@property
	def refusal(self):
		"""What a broker says whose access list forbids it."""
		return b"\x40\x03" + self.id + NOT_AUTHORISED


class Connection:
	def __init__(self, between, client):
		self.between, self.client, self.name = between, client, ""
		self.broker = socket.create_connection(("127.0.0.1", between.broker_port))
		self.lock = threading.Lock()
		for ends in ((client, self.broker, True), (self.broker, client, False)):
			threading.Thread(target=self.pump, args=ends, daemon=True).start()

	def packets(self, source):
		have = b""
		while True:
			n, shift, at = 0, 0, 1
			while at < len(have) and at < 6:
				n |= (have[at] & 0x7f) << shift
				shift, at = shift + 7, at + 1
				if not have[at - 1] & 0x80:
					if len(have) >= at + n:
						yield Packet(have[0], have[1:at], have[at:at + n])
						have, n, shift, at = have[at + n:], 0, 0, 1
						continue
					break
			more = source.recv(65536)
			if not more:
				return
			have += more

	def pump(self, source, target, up):
		with contextlib.suppress(OSError):
			for p in self.packets(source):
				if p.kind == "connect":
					self.name = p.client
					if self.between.shut and self.between.shut in self.name:
						break
				if not self.between.rule(self, up, p):
					target.sendall(p.raw)
		self.cut()

	def down(self, raw):
		self.client.sendall(raw)

	def cut(self):
		for s in (self.client, self.broker):
			with contextlib.suppress(OSError):
				s.shutdown(socket.SHUT_RDWR)
			s.close()


class Between:
	def __init__(self, broker_port):
		self.broker_port, self.connections, self.shut = broker_port, [], ""
		self.quiet()
		self.listener = socket.create_server(("127.0.0.1", 0))
		self.port = self.listener.getsockname()[1]
		threading.Thread(target=self.accept, daemon=True).start()

	def accept(self):
		with contextlib.suppress(OSError):
			while True:
				client = self.listener.accept()[0]
				with contextlib.suppress(OSError):
					self.connections.append(Connection(self, client))

	def quiet(self):
		"""From now on everything goes through."""
		self.shut, self.rule = "", lambda c, up, p: False

	def find(self, part):
		"""The newest connection of a client with that in its id."""
		return next(c for c in reversed(self.connections) if part in c.name)

	def close(self):
		self.listener.close()
		for c in self.connections:
			c.cut()
