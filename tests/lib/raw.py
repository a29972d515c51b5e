"""MQTT as bytes, for what a decent client would not send."""
import socket
import struct


def text(value):
	value = value if isinstance(value, bytes) else value.encode()
	return struct.pack(">H", len(value)) + value


def packet(first, body):
	n, length = len(body), b""
	while True:
		length += bytes([n % 128 | (0x80 if n > 127 else 0)])
		n //= 128
		if not n:
			return bytes([first]) + length + body


class Raw:
	"""One MQTT 3.1.1 connection."""

	def __init__(self, host, port, user, password):
		self.socket = socket.create_connection((host, port), 10)
		self.socket.sendall(packet(0x10, text("MQTT") + b"\x04\xc2\x00\x1e" + text("") + text(user) + text(password)))
		assert self.socket.recv(4) == b"\x20\x02\x00\x00", "not let in"

	def publish(self, topic, payload, qos=1):
		"""Sends; True when the broker acknowledged, False when it closed the connection."""
		try:
			self.socket.sendall(packet(0x30 | qos << 1, text(topic) + b"\x00\x01" + payload))
			return self.socket.recv(4) == b"\x40\x02\x00\x01"
		except ConnectionError:
			return False
		finally:
			self.socket.close()
