"""The private stack from Python: tests/stack/stack does the work, as `make up` does."""
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.parse

from lib.db import Db
from lib.mqtt import Client
from lib.wait import wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("NEEDLE_BUILD") or os.path.join(ROOT, "build")


def needlectl(*argv, env=None, stdin=None, bound=60):
	"""Runs needlectl; returns a CompletedProcess with text output. Never raises for an exit code."""
	return subprocess.run([os.path.join(BUILD, "needlectl"), *map(str, argv)], capture_output=True, text=True,
			      input=stdin, timeout=bound, check=False, env=dict(os.environ, **(env or {})))


class Stack:
	"""
	s = Stack("/tmp/x", config=None, simulate=None, speed=None); s.up(); …; s.down()
	s.env is d/env as a dict, s.passwords user -> password.
	"""

	def __init__(self, folder, config=None, simulate=None, speed=None, environment=None, netns=None, bridges=False, wechat=None, roomy=False):
		self.folder = str(folder)
		self.environment = environment or {}    # of all that is started
		self.options = []
		for name, value in (("--config", config), ("--simulate", simulate), ("--speed", speed), ("--netns", netns), ("--wechat", wechat)):
			if value is not None:
				self.options += [name, str(value)]
		self.options += (["--bridges"] if bridges else []) + (["--roomy"] if roomy else [])
		self.opened = []

	def path(self, *names):
		return os.path.join(self.folder, *names)

	def up(self, instance="a", env=None):
		"""Starts what is not running; env: more variables for what is started (NEEDLE_FAULT …)."""
		done = subprocess.run([os.path.join(ROOT, "tests/stack/stack"), "up", self.folder, "--build", BUILD,
				       "--instance", instance, *self.options], capture_output=True, text=True, check=False,
				      env=dict(os.environ, **self.environment, **(env or {})))
		if done.returncode:
			raise AssertionError(f"the stack does not start: {done.stderr}{done.stdout}")
		self.read_env()
		return self

	def read_env(self):
		self.envs = {}
		for letter, name in (("a", "env"), *((i, f"env.{i}") for i in "bcdef")):
			if os.path.exists(self.path(name)):
				with open(self.path(name), encoding="utf-8") as f:
					self.envs[letter] = dict(line.rstrip("\n").split("=", 1) for line in f)
		self.env = self.envs.get("a") or next(iter(self.envs.values()))
		with open(self.path("passwords"), encoding="utf-8") as f:
			self.passwords = dict(line.rstrip("\n").split(":", 1) for line in f)
		self.passwords["admin"] = self.env["NEEDLE_MQTT_PASSWORD"]
		with open(os.path.join(self.env["NEEDLE_CONFIG"], "needle.yaml"), encoding="utf-8") as f:
			self.tenant = re.search(r"(?ms)^tenant:.*?\bid:\s*\"?([a-z0-9_-]+)", f.read())[1]

	def down(self):
		for thing in self.opened:
			try:
				thing.close()
			except Exception:   # a peer that a test has killed
				pass
		self.opened.clear()
		subprocess.run([os.path.join(ROOT, "tests/stack/stack"), "down", self.folder], check=True)

	# ---- clients ----
	def client(self, user="admin", version=5, **options):
		c = Client(self.env["NEEDLE_MQTT_HOST"], int(self.env["NEEDLE_MQTT_PORT"]), user, self.passwords[user],
			   self.tenant, version, **options)
		self.opened.append(c)
		return c

	def db(self):
		d = Db(self.env["NEEDLE_PG_DSN"])
		self.opened.append(d)
		return d

	def ctl(self, *argv, instance="a", stdin=None, bound=60):
		"""needlectl against this stack's daemon and folder."""
		return needlectl(*argv, env=self.envs[instance], stdin=stdin, bound=bound)

	def ctl_json(self, *argv, instance="a"):
		done = self.ctl(*argv, "--format", "json", instance=instance)
		assert done.returncode in (0, 1), f"needlectl {argv}: {done.returncode} {done.stderr}"
		return json.loads(done.stdout)

	def http(self, path, instance="a"):
		"""(status, body); status 0 when nobody answers."""
		place = urllib.parse.urlparse(self.envs[instance]["NEEDLE_HTTP"])
		try:
			c = http.client.HTTPConnection(place.hostname, place.port, timeout=5)
			c.request("GET", path)
			answer = c.getresponse()
			return answer.status, answer.read().decode()
		except (OSError, http.client.HTTPException) as e:
			return 0, str(e)

	def metric(self, name, instance="a"):
		"""The sum over all labels, or None when there is no such metric."""
		values = re.findall(rf"(?m)^{re.escape(name)}(?:\{{[^}}]*\}})? (\S+)", self.http("/metrics", instance)[1])
		return sum(map(float, values)) if values else None

	def log(self, instance="a"):
		with open(self.envs[instance]["NEEDLE_LOG"], encoding="utf-8", errors="replace") as f:
			return f.read()

	def log_size(self, instance="a"):
		return os.path.getsize(self.envs[instance]["NEEDLE_LOG"])

	# ---- accidents ----
	def faults(self, since, instance="a"):
		"""The points at which the daemon has killed itself (NEEDLE_FAULT), by its log behind that log_size()."""
		with open(self.envs[instance]["NEEDLE_LOG"], "rb") as f:
			f.seek(since)
			return re.findall(r"(?m)^fault (\S+)$", f.read().decode(errors="replace"))

	def pid(self, what="needled", instance="a"):
		return int(self.envs[instance][{"needled": "NEEDLE_PID", "broker": "NEEDLE_BROKER_PID",
						"postgres": "NEEDLE_PG_PID"}[what]])

	def kill(self, what="needled", instance="a", number=signal.SIGKILL, bound=20):
		"""Kills and waits until it is gone, which an armed fault point may have seen to already; up() starts it again."""
		pid = self.pid(what, instance)
		if what == "needled" and number == signal.SIGKILL:
			number = kill_signal(pid)
		with contextlib.suppress(ProcessLookupError):
			os.kill(pid, number)
		wait_for(lambda: gone(pid), bound, f"the end of {what}")

	def running(self, what="needled", instance="a"):
		return not gone(self.pid(what, instance))

	def set_clock(self, time):
		"""Of a simulated daemon."""
		done = self.ctl("clock", "set", time)
		assert done.returncode == 0, done.stderr

	def keep_logs(self, place):
		os.makedirs(place, exist_ok=True)
		for name in os.listdir(self.folder):
			if name.endswith(".log"):
				shutil.copy(self.path(name), place)
		print(f"logs kept in {place}", file=sys.stderr)


def kill_signal(pid):
	"""SIGKILL; of a daemon that measures coverage the signal on which it writes that down and kills itself (tests/fault/keep.c)."""
	keeps = any(os.path.exists(os.path.join(BUILD, up, "keep.o")) for up in (".", ".."))
	return signal.SIGRTMIN + 6 if keeps and state_of(pid) not in (b"T", b"") else signal.SIGKILL


def state_of(pid):
	try:
		with open(f"/proc/{pid}/stat", "rb") as f:
			return f.read().rpartition(b")")[2].split()[0]
	except OSError:
		return b""


def gone(pid):
	return state_of(pid) in (b"Z", b"X", b"")
