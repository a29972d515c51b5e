"""Each allocation of ours and each system call (send, recv, read, write, fsync, open, connect …) fails once, by
its call site, in a life of the daemon that starts, takes messages, routes, publishes, reloads and drains.

Out of memory ends the process by design (docs/decisions/0007), other failures may. So the promises are: it ends
with an exit code, never by a signal, is never stuck, leaks nothing when it goes on (a sanitizer build tells),
and what was receipted over all those lives is stored, once.
"""
import collections
import os
import random
import re
import signal
import subprocess
import time

import pytest
from lib.daemon import Daemon
from lib.stack import BUILD, ROOT
from lib.wait import wait_for
from load import Load
from scale import FULL, scale
from verdict import Verdict, quiet

RATE, SAMPLE = 150, 12
SEED = int(os.environ.get("NEEDLE_SEED") or time.time())
ONLY = os.environ.get("NEEDLE_FAIL") or ""              # beginning of a site: "write@", "alloc@1234"
PROGRAM = os.path.join(BUILD, "torture", "needled")
INNER = ("fail.o", "mem.o", "str.o", "map.o", "pg.o", "pg_args.o")      # allocate and ask the database for others
GOOD_EXITS = (0, 1, 75, 78)


def inner_ranges():
	"""From the linker's map: offsets of what is not the site of an allocation."""
	found, name = [], None
	with open(PROGRAM + ".map", encoding="utf-8") as f:
		for line in f:
			m = re.match(r" (\.text\S*)?\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)", line)
			if m and any(re.search(rf"[/(]{re.escape(o)}\)?$", m[4]) for o in INNER) and int(m[3], 16):
				found.append(f"{int(m[2], 16):x}-{int(m[2], 16) + int(m[3], 16):x}")
	assert found, "the map names none of " + ", ".join(INNER)
	return ",".join(found)


class Lives:
	def __init__(self, stack):
		self.stack, self.load = stack, Load(stack, RATE, window=400)
		self.daemon = Daemon(stack, FAIL_INNER=inner_ranges(), ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":exitcode=99:detect_leaks=1")
		self.daemon.argv[0] = PROGRAM
		self.sites_file, self.said = stack.path("sites"), stack.path("failed")
		self.bad, self.met, self.exits = [], 0, collections.Counter()
		self.load.start("o")
		with self.daemon:
			self.sites = self.find_sites()
			chosen = sorted(s for s in self.sites if s.startswith(ONLY))
			random.Random(SEED).shuffle(chosen)
			for site in chosen if FULL or ONLY else self.sample(chosen):
				self.fail_at(site)
		drained = self.load.drain(60)
		quiet(stack, self.load)
		self.load.close()
		self.verdict = Verdict(stack, self.load)
		assert drained, f"{len(self.load.reports)} reports have no receipt"

	@staticmethod
	def sample(sites):
		"""Of each kind the first, then any."""
		kinds = {s.partition("@")[0]: s for s in reversed(sites)}
		return (list(kinds.values()) + [s for s in sites if s not in kinds.values()])[:SAMPLE]

	def find_sites(self):
		for _ in range(scale(1, 3)):
			assert self.life(FAIL_SITES=self.sites_file) == 0
		with open(self.sites_file, encoding="ascii") as f:
			return sorted(set(f.read().split()))

	def fail_at(self, site):
		if os.path.exists(self.said):
			os.unlink(self.said)
		log = os.path.getsize(self.stack.env["NEEDLE_LOG"])
		code = self.life(FAIL_AT=site, FAIL_SAID=self.said)
		met = os.path.exists(self.said)
		self.met += met
		self.exits[code if met else "not met"] += 1
		if code not in GOOD_EXITS or (code and not met):
			with open(self.stack.env["NEEDLE_LOG"], "rb") as f:
				f.seek(log)
				self.bad.append((self.named(site), code, f.read()[-3000:].decode(errors="replace")))

	@staticmethod
	def named(site):
		offset = re.search(r"([0-9a-f]+)$", site)
		done = subprocess.run(["addr2line", "-fspe", PROGRAM, offset[1]], capture_output=True, text=True, check=False) if offset else None
		return f"{site} {done.stdout.strip() if done else ''}"

	def life(self, **env):
		"""One life of the daemon; its exit code, or "stuck in …"."""
		d = self.daemon
		for name in [n for n in d.env if n.startswith("FAIL_") and n != "FAIL_INNER"]:
			del d.env[name]
		d.env.update(env)
		d.start()
		self.hears = len(self.load.receipt_times)
		steps = (("start", lambda: self.heard(30) and self.stack.http("/readyz")[0] == 200, None), ("reload", lambda: self.reloaded() and self.heard(20), signal.SIGHUP),
			 ("drain", lambda: False, signal.SIGTERM))
		for name, done, number in steps:
			self.hears = len(self.load.receipt_times)
			try:
				if number:
					d.child.send_signal(number)
				wait_for(lambda fn=done: d.child.poll() is not None or fn(), 60, name, every=0.01)
			except AssertionError:
				d.child.kill()
				d.child.wait()
				return f"stuck in {name}"
			if d.child.poll() is not None:
				break
		return d.child.returncode

	def heard(self, n):
		return len(self.load.receipt_times) >= self.hears + n

	def reloaded(self):
		"""It said that it had read the folder again, whatever came of it."""
		return sum(self.stack.metric(f"needle_reloads{what}_total") or 0 for what in ("", "_failed")) >= 2        # one by its start


@pytest.fixture(scope="module")
def lives(stack):
	return Lives(stack)


def test_it_ends_by_itself_or_goes_on_whatever_fails(lives, capsys):
	with capsys.disabled():
		kinds = collections.Counter(s.partition("@")[0] for s in lives.sites)
		print(f"\nseed {SEED}: {len(lives.sites)} call sites (" + ", ".join(f"{k} {n}" for k, n in sorted(kinds.items())) +
		      f"); {lives.met} failed, exits " + ", ".join(f"{k}: {n}" for k, n in sorted(lives.exits.items(), key=str)))
	assert lives.met, "nothing ever failed"
	assert not lives.bad, "\n".join(f"{site}: {code}\n{log}" for site, code, log in lives.bad)


def test_what_was_receipted_is_stored_once(lives, capsys):
	with capsys.disabled():
		print(f"\nover all these lives: {lives.verdict.line('o')}")
	lives.verdict.must_be_good()
