"""Killing one part of the stack under load and bringing it back, with the time that it took."""
import bisect
import concurrent.futures
import json
import os
import random
import signal
import statistics
import time

from lib.stack import gone
from lib.wait import wait_for

# How often the load passes each point in about three quarters of a second; in-reconcile: of the cards.
POINTS = {"after-append": 900, "before-commit": 30, "after-commit": 30, "before-publish": 2000, "after-publish": 25,
	  "before-outbox-delete": 12, "in-reload": 1, "in-reconcile": 150}


class Accidents:
	def __init__(self, stack, load, seed):
		self.stack, self.load, self.dice = stack, load, random.Random(seed)
		self.moments = []       # when a part was killed

	def now_running(self, name):
		"""The newest process that the stack has started under this name."""
		with open(self.stack.path("stack.json"), encoding="utf-8") as f:
			return json.load(f)["pids"].get(name, [0])[0]

	def up(self, env=None):
		"""False: the daemon died while it started, as it was told."""
		try:
			self.stack.up(env=env)
		except AssertionError as e:
			if "has ended with -9" not in str(e):
				raise
			return False
		return True

	def killed(self):
		self.moments.append(time.monotonic())

	def kill(self, what="needled"):
		self.stack.kill(what)
		self.killed()

	# ---- the daemon ----
	def at_point(self, point):
		"""Starts the daemon so that it dies at that point, and waits until it has."""
		env, log = {"NEEDLE_FAULT": f"{point}:{self.dice.randint(1, POINTS[point])}"}, self.stack.log_size()
		if self.up(env):
			pid = self.stack.pid()
			if point == "in-reload":
				os.kill(pid, signal.SIGHUP)
			wait_for(lambda: gone(pid), 10, f"the end at {env['NEEDLE_FAULT']}", every=0.005)
		assert self.stack.faults(log) == [point], f"it ended elsewhere than at {env['NEEDLE_FAULT']}: {self.stack.log()[-2000:]}"
		self.killed()

	def at_random(self, most=0.9):
		"""Starts the daemon and kills it at some moment: while it starts, or at work."""
		before = self.now_running("needled-a")
		with concurrent.futures.ThreadPoolExecutor(1) as pool:
			moment = time.monotonic() + self.dice.uniform(0, most)
			starts = pool.submit(self.up)
			pid = wait_for(lambda: self.now_running("needled-a") not in (0, before) and
				       self.now_running("needled-a"), 10, "a new daemon", every=0.005)
			wait_for(lambda: time.monotonic() >= moment, most + 1, every=0.002)
			assert not gone(pid), f"it ended by itself: {self.stack.log()[-2000:]}"
			os.kill(pid, signal.SIGKILL)
			wait_for(lambda: gone(pid), 10, "its end", every=0.002)
			starts.result()         # what it died of while it started, if not of this
		self.killed()

	# ---- how long it took ----
	def recovery(self, first):
		"""The longest time without a receipt after each kill from this one on: the median, the worst."""
		times, moments, found = self.load.receipt_times, self.moments[first:], []
		for moment, after in zip(moments, moments[1:] + [time.monotonic()]):
			heard = times[max(bisect.bisect(times, moment) - 1, 0):bisect.bisect(times, after)]
			found.append(max((b - a for a, b in zip(heard, heard[1:])), default=after - moment))
		return f"no receipt for {statistics.median(found):.2f} s (worst {max(found):.2f})"
