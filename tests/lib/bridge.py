"""A bridge as our own child, against a stack's broker.

	b = Bridge(stack, "hotline", FOLDER, "folder: {path: in}\n")      text: its keys beside who it is and the broker
	b.start(); b.stop(); b.kill(); b.metric("needle_bridge_outbox_messages")
"""
import http.client
import os
import re
import signal
import socket
import subprocess
import threading

from lib.stack import BUILD
from lib.wait import wait_for


def free_port():
	with socket.socket() as s:
		s.bind(("127.0.0.1", 0))
		return s.getsockname()[1]


class Bridge:
	def __init__(self, stack, name, folder, text, channel=None, source="city", secrets=None, resend=2, more=""):
		self.stack, self.name, self.folder = stack, name, str(folder)
		self.channel, self.source = channel or name, source
		self.port = free_port()
		self.child, self.killed, self.lives = None, False, threading.RLock()
		os.makedirs(os.path.join(self.folder, "secrets"), exist_ok=True)
		words = dict(secrets or {}, mqtt_password=stack.passwords[f"in-{self.channel}"])
		for word, value in words.items():
			path = os.path.join(self.folder, "secrets", word)
			with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
				f.write(value + "\n")
		self.file = os.path.join(self.folder, f"{name}.yaml")
		with open(self.file, "w", encoding="utf-8") as f:
			f.write(f"version: 1\ntenant: {stack.tenant}\nchannel: {self.channel}\nsource: {source}\n"
				f"state: {self.folder}/state\n"
				f"broker: {{host: 127.0.0.1, port: {stack.env['NEEDLE_MQTT_PORT']}, "
				'password: "${secret:mqtt_password}"}\n'
				f"http: {{listen: 127.0.0.1:{self.port}}}\noutbox: {{resend: {resend}{more}}}\n"
				"replies: {first_retry: 1}\n" + text)

	@property
	def log_file(self):
		return os.path.join(self.folder, f"{self.name}.log")

	def log(self):
		with open(self.log_file, encoding="utf-8", errors="replace") as f:
			return f.read()

	def start(self, ready=True, **env):
		self.stack.opened.append(self) if self not in self.stack.opened else None
		with open(self.log_file, "ab") as log:
			self.killed = False
			self.child = subprocess.Popen([os.path.join(BUILD, f"needle-{self.name}"), "-c", self.file],
						      env=dict(os.environ, **env), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
		if ready:
			wait_for(self.is_ready, 30, f"the bridge {self.name}: {self.log_file}")
		return self

	def is_ready(self):
		assert self.child.poll() is None, f"ended with {self.child.returncode}: {self.log()[-1500:]}"
		return self.get("/readyz")[0] == 200

	def check(self):
		"""needle-NAME -t: its exit code and what it says."""
		done = subprocess.run([os.path.join(BUILD, f"needle-{self.name}"), "-c", self.file, "-t"],
				      capture_output=True, text=True, check=False)
		return done.returncode, done.stderr

	def get(self, path):
		try:
			c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
			c.request("GET", path)
			answer = c.getresponse()
			return answer.status, answer.read().decode()
		except (OSError, http.client.HTTPException) as e:
			return 0, str(e)

	def metric(self, name):
		found = re.search(rf"(?m)^{re.escape(name)} (\S+)", self.get("/metrics")[1])
		return float(found[1]) if found else None

	def running(self):
		return self.child is not None and self.child.poll() is None

	def accident(self, point):
		"""A new life that kills itself when it passes that point; whenever that is, it is started again, as systemd would."""
		if self.running():
			self.stop()
		self.start(ready=False, NEEDLE_FAULT=point)
		threading.Thread(target=self.again_after, args=(self.child,), daemon=True).start()
		wait_for(lambda: self.get("/readyz")[0] == 200, 30, f"the bridge {self.name}: {self.log_file}")

	def again_after(self, child):
		child.wait()
		with self.lives:
			if child.returncode == -signal.SIGKILL and child is self.child and not self.killed:
				self.start(ready=False)

	def kill(self):
		with self.lives:
			self.killed = True      # by us: nobody starts it again
			if self.running():
				self.child.kill()
		return self.child.wait(20) if self.child else None

	def stop(self, bound=20):
		with self.lives:
			child, self.killed = self.child, True
			child.send_signal(signal.SIGTERM)
		return child.wait(bound)

	def close(self):
		if self.running():
			self.stop()
