"""A network namespace for the daemon, with one wire to the broker and one to the database, each of which
can be cut, reset, made lossy or slow. Broker and database do not notice anything but their peer's silence."""
import os
import re
import shutil
import subprocess

KINDS = ("drop", "reset", "loss", "slow")
LOSS_PERCENT, SLOW_BYTES = 30, 8000     # 64 kbit a second


def run(*argv, check=True, text=None):
	return subprocess.run(argv, check=check, capture_output=True, text=True, input=text)


class Network:
	def __init__(self):
		tag = os.getpid() % 10000
		self.name, self.wires = f"needle{tag}", {}
		third = tag % 250
		for i, (peer, letter) in enumerate((("broker", "b"), ("database", "d"))):
			self.wires[peer] = (f"n{letter}{tag}h", f"n{letter}{tag}g", f"198.18.{third}.{4 * i + 1}", f"198.18.{third}.{4 * i + 2}")

	@staticmethod
	def missing():
		"""Why there can be none here, or None."""
		if os.geteuid() != 0:
			return "only root may make network namespaces"
		lacking = [p for p in ("ip", "nft", "nsenter") if not shutil.which(p, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")]
		return f"{', '.join(lacking)} missing" if lacking else None

	def up(self):
		run("ip", "netns", "add", self.name)
		run("ip", "-n", self.name, "link", "set", "lo", "up")
		for ours, theirs, our_ip, their_ip in self.wires.values():
			run("ip", "link", "add", ours, "type", "veth", "peer", "name", theirs)
			run("ip", "link", "set", theirs, "netns", self.name)
			run("ip", "addr", "add", our_ip + "/30", "dev", ours)
			run("ip", "link", "set", ours, "up")
			run("ip", "-n", self.name, "addr", "add", their_ip + "/30", "dev", theirs)
			run("ip", "-n", self.name, "link", "set", theirs, "up")
		self.heal()
		return self

	def option(self):
		"""For Stack(netns=…); the daemon's own HTTP is heard over the database's wire."""
		return ",".join((self.name, self.wires["broker"][2], self.wires["database"][2], self.wires["database"][3]))

	def hurt(self, peer, kind, port):
		"""kind: see KINDS. port: the peer's."""
		device = self.wires[peer][1]
		out, back = f'oifname "{device}" tcp dport {port}', f'iifname "{device}" tcp sport {port}'
		rules = {
			"drop": (f"{out} counter drop", f"{back} counter drop"),
			"reset": (f"{out} counter reject with tcp reset", f"{back} counter drop"),
			"loss": (f"{out} numgen random mod 100 < {LOSS_PERCENT} counter drop", f"{back} numgen random mod 100 < {LOSS_PERCENT} counter drop"),
			"slow": (f"{out} limit rate over {SLOW_BYTES} bytes/second burst {SLOW_BYTES} bytes counter drop",
				 f"{back} limit rate over {SLOW_BYTES} bytes/second burst {SLOW_BYTES} bytes counter drop"),
		}[kind]
		self.rules(*rules)

	def heal(self):
		self.rules("accept", "accept")

	def rules(self, out, back):
		run("ip", "netns", "exec", self.name, "nft", "-f", "-", text=f"""
			add table inet needle
			flush table inet needle
			add chain inet needle o {{ type filter hook output priority 0; }}
			add chain inet needle i {{ type filter hook input priority 0; }}
			add rule inet needle o {out}
			add rule inet needle i {back}
		""")

	def dropped(self):
		"""Packets that did not come through since the last hurt()."""
		listed = run("ip", "netns", "exec", self.name, "nft", "list", "table", "inet", "needle").stdout
		return sum(map(int, re.findall(r"counter packets (\d+)", listed)))

	def down(self):
		for ours, *_ in self.wires.values():
			run("ip", "link", "del", ours, check=False)
		run("ip", "netns", "del", self.name, check=False)
