"""What the bridges do in a second. A run stands on a stack of its own, with the real gateway behind the bridge."""
import json
import os
import subprocess
import tempfile
import time

TICKETS = 20000
LINE = "{0},幸福里{1}号楼前井盖破损，已经三天没有人来修，老人小孩经过很危险，请尽快处理,2026-11-20 08:31,13800000000,幸福里{1}号楼"
HEAD = "工单编号,诉求内容,派单时间,来电人电话,事发地址"


def shares(now, before):
	return {who: now[who] - before[who] for who in ("bridge", "gateway", "broker", "database")}


def told(spent, n):
	return ", ".join(f"{who} {seconds * 1e6 / n:.0f}" for who, seconds in spent.items())


def hotline_once(figures, place, used, memory_mib, note, Wrong):
	from lib.bridge import Bridge
	from lib.wait import wait_for
	with tempfile.TemporaryDirectory(prefix="needle-bridge-") as home:
		bridge = Bridge(place.stack, "hotline", home, f"folder: {{path: {home}/in, settle: 0, every: 1}}\n", resend=30)
		bridge.start()
		with open(f"{home}/in/a.part", "w", encoding="gb18030") as f:
			f.write(HEAD + "\n" + "".join(LINE.format(f"BR{i}", i) + "\n" for i in range(TICKETS)))
		os.rename(f"{home}/in/a.part", f"{home}/in/a.csv")

		def created():
			return bridge.metric("needle_bridge_receipts_created_total")
		wait_for(created, 30, "the first receipt")
		first, since, cpu = created(), time.monotonic(), dict(place.cpu(), bridge=used(bridge.child.pid))
		wait_for(lambda: created() >= TICKETS, 600, "all receipts", every=0.05)
		seconds, spent = time.monotonic() - since, shares(dict(place.cpu(), bridge=used(bridge.child.pid)), cpu)
		cases = place.db.value("SELECT count(*) FROM needle.v_case WHERE report LIKE 'BR%%'")
		if cases != TICKETS:
			raise Wrong(f"{cases} cases of {TICKETS} tickets")
		n = TICKETS - first
		note(f"    {n / seconds:.0f}/s, µs a ticket: {told(spent, n)}")
		figures.add("bridge.hotline_per_s", n / seconds, "1/s")
		figures.add("bridge.hotline_cpu_us", spent["bridge"] * 1e6 / n, "us")
		figures.add("bridge.rss_mib", memory_mib(bridge.child.pid), "MiB")
		if bridge.stop() != 0:
			raise Wrong("the bridge did not end well")


def parse_once(figures, a):
	from lib.xlsx import Sheet, write
	rows = [HEAD.split(",")] + [LINE.format(f"P{i}", i).split(",") for i in range(20000)]
	with tempfile.TemporaryDirectory(prefix="needle-parse-") as home:
		write(f"{home}/a.xlsx", [Sheet("s", rows)])
		with open(f"{home}/a.csv", "w", encoding="gb18030") as f:
			f.write("\r\n".join(",".join(row) for row in rows))
		for kind in "xlsx", "csv":
			done = subprocess.run([os.path.join(a.build, "bench", "parse"), f"{home}/a.{kind}"], capture_output=True, text=True, check=True)
			figures.add(f"bridge.parse_20000_{kind}_ms", json.loads(done.stdout)["ms"], "ms")


def bridge(figures, a, Place, used, memory_mib, note, Wrong):
	for _ in range(a.runs):
		parse_once(figures, a)
		with Place(a.build) as place:
			hotline_once(figures, place, used, memory_mib, note, Wrong)
