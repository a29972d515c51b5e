"""A daemon as our own child, on a stack's configuration, state and ports: for its exit code and its start.

	with Daemon(stack) as d:        ends the stack's own first; in the end the stack has one of its own again
		d.start(); d.ready()
		assert d.stop() == 0
"""
import os
import signal
import subprocess

from lib.wait import wait_for


class Daemon:
	def __init__(self, stack, **env):
		self.stack, self.child = stack, None
		place = f"/proc/{stack.pid()}"
		with open(f"{place}/cmdline", "rb") as f:
			self.argv = [os.fsdecode(word) for word in f.read().split(b"\0")[:-1]]
		with open(f"{place}/environ", "rb") as f:
			self.env = dict(os.fsdecode(pair).split("=", 1) for pair in f.read().split(b"\0")[:-1])
		self.env.update(env)

	def __enter__(self):
		self.stack.kill(number=signal.SIGTERM)
		return self

	def start(self, *more):
		with open(self.stack.env["NEEDLE_LOG"], "ab") as log:
			self.child = subprocess.Popen([*self.argv, *more], env=self.env, cwd="/", stdin=subprocess.DEVNULL,
						      stdout=log, stderr=log)
		return self

	def ready(self, bound=20):
		def now():
			assert self.child.poll() is None, f"ended with {self.child.returncode}: {self.stack.log()[-800:]}"
			return self.stack.http("/readyz")[0] == 200
		wait_for(now, bound, "the daemon to be ready")
		return self

	def end(self, bound=20):
		"""Its exit code, once it has ended by itself."""
		return self.child.wait(bound)

	def stop(self, number=signal.SIGTERM, bound=20):
		self.child.send_signal(number)
		return self.end(bound)

	def __exit__(self, *_):
		if self.child and self.child.poll() is None:
			self.child.kill()
			self.child.wait()
		self.stack.up()
