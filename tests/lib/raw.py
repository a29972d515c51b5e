"""MQTT as bytes, for what a decent client would not send."""
import socket
import struct


def text(value):
	value = value if isinstance(value, bytes) else value.encode()
	return struct.pack(">H", len(value)) + value


def varint(n):
	out = b""
	while True:
		out += bytes([n % 128 | (0x80 if n > 127 else 0)])
		n //= 128
		if not n:
			return out


def packet(first, body):
	return bytes([first]) + varint(len(body)) + body


class Raw:
	"""One connection, MQTT 3.1.1, or 5 when told so."""

	def __init__(self, host, port, user, password, version=4):
		self.version = version
		self.socket = socket.create_connection((host, port), 10)
		self.socket.sendall(packet(0x10, text("MQTT") + bytes([version]) + b"\xc2\x00\x1e" + (b"\x00" if version == 5 else b"") +
					   text("" if version == 4 else "raw-" + hex(id(self))) + text(user) + text(password)))
		answer = self.socket.recv(64)
		assert answer[:1] == b"\x20" and answer[3:4] == b"\x00", f"not let in: {answer!r}"

	def publish(self, topic, payload, qos=1, properties=b""):
		"""Sends; True when the broker acknowledged, False when it refused or closed the connection.
		properties: of MQTT 5, as bytes without their length."""
		props = varint(len(properties)) + properties if self.version == 5 else b""
		try:
			self.socket.sendall(packet(0x30 | qos << 1, text(topic) + b"\x00\x01" + props + payload))
			answer = self.socket.recv(64)
			return answer[:1] == b"\x40" and answer[2:4] == b"\x00\x01" and (len(answer) < 5 or answer[4] < 0x80)
		except ConnectionError:
			return False
		finally:
			self.socket.close()
