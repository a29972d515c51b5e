"""The network between the daemon and one of its servers is cut without a word, resets every packet, loses a
third of them, or carries 64 kbit a second. What was receipted is stored, nothing happens twice, and when
the network is whole the daemon is at work by itself."""
import os
import shutil
import subprocess
import time

import pytest
from lib.stack import ROOT, Stack
from lib.wait import wait_for
from load import Load
from network import KINDS, Network
from scale import scale
from verdict import Verdict, quiet

RATE = 300
ROUNDS, HURT_S = int(os.environ.get("NEEDLE_ROUNDS") or scale(1, 10)), scale(2.5, 6)
ONLY = os.environ.get("NEEDLE_HURT") or ""              # "database/reset": that alone
BACK_S = 25     # a TCP connection that is found dead takes tcp_user_timeout or the keep-alive; then a new one


class Partitions:
	def __init__(self, network, stack):
		self.network, self.stack, self.found = network, stack, {}
		self.load, self.pid = Load(stack, RATE, window=1500), stack.pid()
		self.load.start("n")
		self.flows()
		for peer in ("broker", "database"):
			for kind in (k for k in KINDS if f"{peer}/{k}".startswith(ONLY)):
				self.found[peer, kind] = [self.one(peer, kind) for _ in range(ROUNDS)]
		assert self.load.drain(60), f"{len(self.load.reports)} reports have no receipt"
		quiet(stack, self.load)
		self.load.close()
		self.verdict = Verdict(stack, self.load)

	def flows(self, bound=BACK_S):
		"""As much as in half a second of good weather."""
		seen = len(self.load.receipt_times)
		wait_for(lambda: len(self.load.receipt_times) > seen + RATE // 2, bound, "work under way", every=0.01)

	def one(self, peer, kind):
		"""(seconds until work went on after the network was whole again, packets that did not arrive)"""
		port = self.stack.env["NEEDLE_MQTT_PORT"] if peer == "broker" else self.stack.env["NEEDLE_PG_DSN"].split(":")[-1].split("/")[0]
		self.network.hurt(peer, kind, port)
		until = time.monotonic() + HURT_S
		wait_for(lambda: time.monotonic() > until, HURT_S + 5, "the weather", every=0.05)
		dropped = self.network.dropped()
		self.network.heal()
		healed = time.monotonic()
		try:
			self.flows()
		except AssertionError as e:
			raise AssertionError(f"after {kind} between daemon and {peer}: {e}\n{self.stack.log()[-3000:]}") from e
		return time.monotonic() - healed, dropped


@pytest.fixture(scope="module")
def partitions():
	lacking = Network.missing()
	if lacking:
		pytest.skip(lacking)
	network = Network()
	stack = Stack(os.path.join(ROOT, "build", "run", f"partition-{os.getpid()}"), netns=network.option())
	try:
		try:
			network.up()
		except subprocess.CalledProcessError as e:
			pytest.skip(f"no network namespace can be made here: {e.cmd[0]}: {e.stderr.strip()}")
		yield Partitions(network, stack.up())
	finally:
		stack.down()
		network.down()
		shutil.rmtree(stack.folder, ignore_errors=True)


def test_the_network_was_really_hurt(partitions):
	assert all(dropped > 0 for found in partitions.found.values() for _, dropped in found), partitions.found


def test_nothing_is_lost_or_doubled_by_a_partition(partitions, capsys):
	with capsys.disabled():
		for (peer, kind), found in partitions.found.items():
			back = [seconds for seconds, _ in found]
			print(f"\n{len(found)} × {kind} between daemon and {peer} for {HURT_S} s: {sum(d for _, d in found)} packets lost; at work"
			      f" {sorted(back)[len(back) // 2]:.2f} s after (worst {max(back):.2f})", end="")
		print(f"\npartitions under {RATE}/s: {partitions.verdict.line('n')}")
	assert partitions.stack.pid() == partitions.pid and partitions.stack.running()
	partitions.verdict.must_be_good()
