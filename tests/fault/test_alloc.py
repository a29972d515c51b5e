"""Each allocation of ours and each system call (send, recv, read, write, fsync, open, connect …) fails once, by its call site and
in each phase of a life that passes it: the daemon starts, takes messages, routes, publishes, reloads, drains.

Out of memory ends the process by design (docs/decisions/0007), other failures may, but not in a reload: then the former
configuration works on. So the promises are: it ends with an exit code that says so, never by a signal, is never stuck, works
with the whole folder or the former one, leaks nothing when it goes on (a sanitizer build tells), and what the broker had
taken of a producer who says everything once is stored, once.
"""
import collections
import os
import random
import re
import shutil
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

RATE, SAMPLE, TRIES = 150, 16, 3
SEED = int(os.environ.get("NEEDLE_SEED") or time.time())
ONLY = os.environ.get("NEEDLE_FAIL") or ""              # beginnings of sites: "write@", "alloc@1234,send@"
PROGRAM = os.path.join(BUILD, "torture", "needled")
SANITIZED = os.path.basename(BUILD) == "san"
HOLD_S = 0.05                   # so long messages wait at its door before it is told to drain: then it has some in hand
# What allocates, asks the database, reads and writes for others.
INNER = ("fail.o", "mem.o", "str.o", "map.o", "pg.o", "pg_args.o", "source.o", "csv.o")
INNER_FUNCTIONS = ("loader_read", "inbox_read_at", "inbox_write_at")
PHASES = {"s": "start", "w": "work", "r": "reload", "a": "after a reload", "d": "drain"}
MEMORY, LEAK = ("alloc", "arena"), 99
JOURNAL = re.compile(r" at inbox\w*\.c:")              # after its start only this ends it: what cannot be kept is not taken
# Of a failed system call; 75 and 78 only while it starts. In a reload it works on.
GOOD_EXITS = {"s": (0, 1, 75, 78), "w": (0, 1), "r": (0,), "a": (0, 1), "d": (0, 1)}


def patient(folder):
	"""A copy in which nobody is late while this runs: there would always be a clock that rings."""
	shutil.copytree(os.path.join(ROOT, "config", "demo"), folder / "office")
	path = folder / "office" / "deadlines.yaml"
	text = path.read_text(encoding="utf-8")
	for short, long in (("accept: 10 分钟, contact: 30 分钟", "accept: 60 分钟, contact: 90 分钟"), ("accept: 30 分钟", "accept: 60 分钟")):
		assert short in text, short
		text = text.replace(short, long)
	path.write_text(text, encoding="utf-8")
	return folder / "office"


STACK = {"config": patient}


def inner_ranges():
	"""Offsets of what is not the site of a call: of objects by the linker's map, of functions by the symbols."""
	found = []
	with open(PROGRAM + ".map", encoding="utf-8") as f:
		for line in f:
			m = re.match(r" (\.text\S*)?\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)", line)
			if m and any(re.search(rf"[/(]{re.escape(o)}\)?$", m[4]) for o in INNER) and int(m[3], 16):
				found.append((int(m[2], 16), int(m[3], 16)))
	assert found, "the map names none of " + ", ".join(INNER)
	names = subprocess.run(["nm", "-S", "--defined-only", PROGRAM], capture_output=True, text=True, check=True).stdout
	functions = re.findall(rf"(?m)^([0-9a-f]+) ([0-9a-f]+) [tT] (?:{'|'.join(INNER_FUNCTIONS)})$", names)
	assert len(functions) == len(INNER_FUNCTIONS), functions
	found += [(int(at, 16), int(size, 16)) for at, size in functions]
	return ",".join(f"{at:x}-{at + size:x}" for at, size in found)


def named(site):
	offset = re.search(r"([0-9a-f]+)/.$", site)
	done = subprocess.run(["addr2line", "-fspe", PROGRAM, offset[1]], capture_output=True, text=True, check=False) if offset else None
	return f"{site} {done.stdout.strip() if done else ''}"


class Folder:
	"""The daemon's folder has two texts in turn, so that each reload brings another configuration."""

	def __init__(self, stack):
		self.path = os.path.join(stack.env["NEEDLE_CONFIG"], "rules.yaml")
		with open(self.path, encoding="utf-8") as f:
			text = f.read()
		self.texts, self.hashes, self.now = (text, text + "\n# the same rules\n"), [None, None], 0

	def turn(self, to=None):
		self.now = 1 - self.now if to is None else to
		with open(self.path, "w", encoding="utf-8") as f:
			f.write(self.texts[self.now])

	def is_at_work(self, which, seen):
		"""It is the whole folder that the daemon shows by its hash."""
		self.hashes[which] = self.hashes[which] or seen
		return self.hashes[which] == seen


class Lives:
	def __init__(self, stack):
		self.stack, self.load = stack, Load(stack, RATE, window=10 ** 9, resend=False)
		options = ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), f"exitcode={LEAK}:detect_leaks=1:print_stacktrace=1")))
		self.daemon = Daemon(stack, FAIL_INNER=inner_ranges(), FAIL_PHASES="1", ASAN_OPTIONS=options, UBSAN_OPTIONS=options)
		self.daemon.argv[0] = PROGRAM
		self.sites_file, self.said = stack.path("sites"), stack.path("failed")
		self.bad, self.met, self.looked, self.exits, self.ended = [], collections.Counter(), 0, collections.Counter(), []
		self.folder = Folder(stack)
		self.load.start("o")
		with self.daemon:
			self.leak = self.life(FAIL_LEAK="1") if SANITIZED else LEAK
			self.sites = self.find_sites()
			# Without memory it ends before a leak could be seen: those are for the plain build.
			chosen = sorted(s for s in self.sites if s.startswith(tuple(ONLY.split(","))) and (ONLY or not SANITIZED or not s.startswith(MEMORY)))
			random.Random(SEED).shuffle(chosen)
			self.chosen = self.unmet = chosen if FULL or ONLY else self.sample(chosen)
			for _ in range(TRIES):
				self.unmet = [site for site in self.unmet if not self.fail_at(site)]
			self.never = {s[:-1] for s in self.unmet} - {s[:-1] for s in set(self.chosen) - set(self.unmet)}
			self.folder.turn(0)
		self.settle()
		self.load.close()
		self.verdict = Verdict(stack, self.load)

	@staticmethod
	def sample(sites):
		"""Of each phase the first, of each kind the first, then any."""
		first = [{key(s): s for s in reversed(sites)}.values() for key in (lambda s: s[-1], lambda s: s.partition("@")[0])]
		return list(dict.fromkeys([*first[0], *first[1], *sites]))[:SAMPLE]

	def find_sites(self):
		for _ in range(scale(1, 3)):
			assert self.life(FAIL_SITES=self.sites_file) == 0
		with open(self.sites_file, encoding="ascii") as f:
			found = set(f.read().split())
		# Work after a reload is work; what it does then and not before is of interest.
		return sorted(s for s in found if s[-1] != "a" or s[:-1] + "w" not in found)

	def fail_at(self, site):
		"""One life in which the site fails; false when it was not passed."""
		if os.path.exists(self.said):
			os.unlink(self.said)
		log = os.path.getsize(self.stack.env["NEEDLE_LOG"])
		code = self.life(crowd=site.endswith("/d"), FAIL_AT=site, FAIL_SAID=self.said)
		met = os.path.exists(self.said)
		if met:
			self.met[site[-1]] += 1
			self.exits[code] += 1
		if code == 1 and site[-1] != "s" and not site.startswith(MEMORY):
			self.ended.append(named(site))
		if not (self.is_good(site, code) if met else code == 0):
			with open(self.stack.env["NEEDLE_LOG"], "rb") as f:
				f.seek(log)
				self.bad.append((named(site), code, f.read()[-3000:].decode(errors="replace")))
		return met

	@staticmethod
	def is_good(site, code):
		return code in ((0, 1) if site.startswith(MEMORY) else GOOD_EXITS[site[-1]])

	def life(self, crowd=True, **env):
		"""One life of the daemon; its exit code, or "stuck in …", or on what else than the folder it works."""
		d = self.daemon
		for name in [n for n in d.env if n.startswith("FAIL_") and n not in ("FAIL_INNER", "FAIL_PHASES")]:
			del d.env[name]
		d.env.update(env)
		d.start()
		wrong = self.step("start", lambda: self.heard(30) and self.stack.http("/readyz")[0] == 200 and self.works_on())
		if d.child.poll() is None and not wrong:
			self.folder.turn()
			d.child.send_signal(signal.SIGHUP)
			wrong = self.step("reload", lambda: self.reloaded() and self.heard(20))
		if d.child.poll() is None:
			self.tell_to_drain(crowd)
			wrong = self.step("drain", lambda: False) or wrong
		self.looked += SANITIZED and d.child.returncode in (0, LEAK)
		return wrong or d.child.returncode

	def tell_to_drain(self, crowd):
		child, until = self.daemon.child, time.monotonic() + HOLD_S
		if crowd:
			child.send_signal(signal.SIGSTOP)
			wait_for(lambda: time.monotonic() >= until, 10, every=0.01)
		child.send_signal(signal.SIGTERM)
		child.send_signal(signal.SIGCONT)

	def step(self, name, done):
		child, self.hears, self.strange = self.daemon.child, len(self.load.receipt_times), None
		try:
			wait_for(lambda: child.poll() is not None or done(), 60, name, every=0.01)
		except AssertionError:
			child.kill()
			child.wait()
			return f"stuck in {name}"
		return self.strange

	def heard(self, n):
		return len(self.load.receipt_times) >= self.hears + n

	def works_on(self, which=None, page=None):
		"""Whether it says what it works on; and that is to be the folder's text, or the other one."""
		seen = re.search(r'(?m)^needle_config_info\{hash="([0-9a-f]+)"\}', page or self.stack.http("/metrics")[1])
		which = self.folder.now if which is None else which
		if seen and not self.folder.is_at_work(which, seen[1]):
			self.strange = f"works on {seen[1]}, which is not text {which} of {self.folder.hashes}"
		return seen

	def reloaded(self):
		"""It said that it had read the folder again, whatever came of it: the new one works, or the former."""
		page = self.stack.http("/metrics")[1]
		good, failed = (sum(map(int, re.findall(rf"(?m)^needle_reloads{what}_total (\d+)$", page))) for what in ("", "_failed"))
		return good + failed >= 2 and self.works_on(1 - self.folder.now if failed else self.folder.now, page)     # one by its start

	def settle(self):
		"""The stack's own daemon has all that the broker has."""
		load = self.load
		load.flowing = False

		def left():
			"""The receipt of the last report comes after all before it."""
			last = next(reversed(load.attempted))
			return {"commands": len(load.commands) + len(load.wishes), "without the broker's word": len(load.attempted) - len(load.handed_over),
				"receipts": last not in load.receipts}

		# As long as it gets fewer it goes on.
		before, since = None, time.monotonic()
		while any(left().values()):
			now = (left(), len(load.receipts), len(load.results))
			since = since if now == before else time.monotonic()
			before = now
			assert time.monotonic() < since + 60, f"left in the end: {now}"
			time.sleep(0.05)
		quiet(self.stack, load)


@pytest.fixture(scope="module")
def lives(stack):
	return Lives(stack)


def test_it_ends_by_itself_or_goes_on_whatever_fails(lives, capsys):
	kinds = collections.Counter(s.partition("@")[0] for s in lives.sites)
	with capsys.disabled():
		print(f"\nseed {SEED}: {len(lives.sites)} call sites (" + ", ".join(f"{k} {n}" for k, n in sorted(kinds.items())) + "); failed " +
		      ", ".join(f"{name} {lives.met[k]}" for k, name in PHASES.items()) + f" of {len(lives.chosen)}; exits " +
		      ", ".join(f"{k}: {n}" for k, n in sorted(lives.exits.items(), key=str)) + f"; {lives.looked} lives looked at for leaks")
		if lives.ended:
			print("ended it, not while it starts: " + "; ".join(lives.ended))
		if lives.unmet:
			print(f"not passed in {TRIES} lives ({len(lives.never)} in no other phase either): " + "; ".join(map(named, lives.unmet)))
	assert lives.leak == LEAK, "a leak is not seen here"
	assert not lives.bad, "\n".join(f"{site}: {code}\n{log}" for site, code, log in lives.bad)
	assert all(JOURNAL.search(name) for name in lives.ended), lives.ended
	# What hangs on a moment, such as a question once a second or a message while it drains, cannot be forced into a phase.
	assert len(lives.unmet) <= max(3, len(lives.chosen) // 10), f"{len(lives.unmet)} of {len(lives.chosen)} were not passed"
	assert len(lives.never) <= max(3, len(lives.chosen) // 30), f"in no phase: {lives.never}"


def test_what_the_broker_took_is_stored_once(lives, capsys):
	with capsys.disabled():
		print(f"\nover all these lives, of a producer who says everything once: {lives.verdict.line('o')}")
	lives.verdict.must_be_good()
