"""Needle beside a peer that somebody could write in Node (peers/peer.js): the same tickets, broker, database and
machine, row and event only, no cards. Pairs are interleaved, so that what the machine does otherwise hits both."""
import json
import os
import re
import shutil
import signal
import subprocess

from lib.wait import wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
CHANNELS = ("hotline", "web", "patrol")
SECONDS = 10


def without_cards(run):
	"""A copy of the bench's folder, below the run's, in which no department has cards."""
	folder = os.path.join(run, "without-cards")
	shutil.copytree(os.path.join(HERE, "config"), folder)
	name = os.path.join(folder, "departments.yaml")
	with open(name, encoding="utf-8") as f:
		text = re.sub(r"(?m)^(  \S+:\s+\{)", r"\1cards: off, ", f.read())
	kept = [line for line in text.splitlines()[1:] if line and "cards: off" not in line]
	assert not kept, f"departments that keep their cards: {kept}"
	with open(name, "w", encoding="utf-8") as f:
		f.write(text)
	return folder


class Peer:
	"""peer.js on the stack's broker and database, in the daemon's place."""

	def __init__(self, place, folder):
		stack = place.stack
		stack.kill("needled", number=signal.SIGTERM)
		departments = sorted(n[5:] for n in stack.passwords if n.startswith("dept-"))
		options = {"port": int(stack.env["NEEDLE_MQTT_PORT"]), "user": "admin", "password": stack.passwords["admin"],
			   "dsn": stack.env["NEEDLE_PG_DSN"], "root": f"needle/{stack.tenant}", "departments": departments}
		self.child = subprocess.Popen(["node", "peer.js", json.dumps(options)], cwd=folder, stdout=subprocess.PIPE, text=True)
		line = self.child.stdout.readline()
		assert line == "ready\n", f"the peer does not start: {line!r}"
		place.stack.env["NEEDLE_PID"] = str(self.child.pid)    # whose processor time is "gateway"

	def close(self):
		self.child.terminate()
		self.child.wait(10)
		self.child.stdout.close()


def install(build):
	"""node_modules of the lock file, in the build folder."""
	folder = os.path.join(build, "peers")
	os.makedirs(folder, exist_ok=True)
	for name in ("package.json", "package-lock.json", "peer.js"):
		shutil.copy(os.path.join(HERE, "peers", name), folder)
	if not os.path.isdir(os.path.join(folder, "node_modules", "mqtt")):
		subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=300)
	return folder


def stored(place, side):
	table = "peer.cases" if side == "node" else "needle.cases"
	return place.db.value(f"SELECT count(*) FROM {table}")


def one(new_place, describe, folder, side, seconds):
	"""{"200": result, "1000": result, "rate": result} of one side on a fresh stack."""
	with new_place(without_cards) as place:
		peer = Peer(place, folder) if side == "node" else None
		try:
			found = {}
			for name, options in (("200", ("--rate", 200)), ("1000", ("--rate", 1000)), ("rate", ("--open", 3000))):
				found[name] = place.load("--warmup", 3, "--seconds", seconds, "--no-cards", *options, bare=True)
				describe(found[name])
			wait_for(lambda: stored(place, side) == place.sent, 30, f"{place.sent} rows of {side}")
			if side == "needle":
				place.verify(cards=False)
		finally:
			if peer:
				peer.close()
		return found


def compare(figures, runs, build, new_place, describe, note, duration):
	folder = install(build)
	for i in range(max(runs, 5)):
		pair = {}
		for side in (("needle", "node"), ("node", "needle"))[i % 2]:
			note(f"    {side}:")
			pair[side] = one(new_place, describe, folder, side, min(duration, SECONDS))
		needle, node = pair["needle"], pair["node"]
		figures.add("peer.rate_ratio", needle["rate"]["per_s"] / node["rate"]["per_s"], "")
		for name in ("200", "1000"):
			figures.add(f"peer.p99_ratio_{name}", needle[name]["p99_ms"] / node[name]["p99_ms"], "")
			for side, found in pair.items():
				figures.add(f"peer.{side}.p50_ms_{name}", found[name]["p50_ms"], "ms")
				figures.add(f"peer.{side}.p99_ms_{name}", found[name]["p99_ms"], "ms")
		for side, found in pair.items():
			figures.add(f"peer.{side}.per_s", found["rate"]["per_s"], "1/s")
