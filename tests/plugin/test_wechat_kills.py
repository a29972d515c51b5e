"""Accidents while people speak: whatever is killed in mid-flight, each message becomes one case, and no second one."""
import concurrent.futures
import http.client
import os
import shutil
import signal
import subprocess
import time

import pytest

from lib.npm import installed
from lib.wait import wait_for
from lib.wechat import KEY, Wechat

KILLS = int(os.environ.get("NEEDLE_KILLS") or (100 if os.environ.get("NEEDLE_TORTURE") else 12))


@pytest.fixture()
def wechat(stack, tmp_path):
	w = Wechat(stack, tmp_path, wait=0).start()
	yield w
	w.close()


def until_taken(account, xml, bound=60):
	"""As the platform does: again until somebody says success."""
	end = time.monotonic() + bound
	while time.monotonic() < end:
		try:
			if account.post(xml)[0] == 200:
				return True
		except (OSError, http.client.HTTPException):
			account.local.c = None
		time.sleep(0.02)
	return False


def judge(db, prefix, ids, bound=60):
	"""lost, unexpected, duplicated: by the cases in the database."""
	sql = "select report, count(*) as n from needle.v_case where channel = 'wechat' and report like %s group by report"
	got = {}

	def all_there():
		got.clear()
		got.update((row["report"], row["n"]) for row in db.all(sql, prefix + "%"))
		return set(ids) <= set(got)
	try:
		wait_for(all_there, bound, "all that was taken")
	finally:
		print({"kills": KILLS, "sent": len(ids), "cases": sum(got.values()), "lost": sorted(set(ids) - set(got)), "unexpected": sorted(set(got) - set(ids)), "twice": [k for k, n in got.items() if n > 1]})
	assert set(got) == set(ids) and set(got.values()) == {1}
	assert not db.all("select * from needle.v_dead_letter where channel = 'wechat'")


def test_kills_of_the_bridge_in_mid_flight(wechat, db):
	numbers, ids = iter(range(10 ** 6)), []

	def speak(n):
		user, number = f"oKill{n}", next(numbers)
		if until_taken(wechat.mp, wechat.mp.xml(user, "text", {"Content": f"幸福里{n}号楼漏水"}, msgid=f"81{number:06d}")):
			ids.append(f"fwh-81{number:06d}")
	with concurrent.futures.ThreadPoolExecutor(6) as pool:
		waiting = [pool.submit(speak, n) for n in range(KILLS * 25)]
		for n in range(KILLS):
			taken = len(ids)
			wait_for(lambda: len(ids) >= taken + 10 or all(w.done() for w in waiting), 60, "ten more that were taken")     # noqa: B023
			wechat.bridge.kill()
			wechat.bridge.start(ready=False)
		for w in waiting:
			w.result()
	assert len(ids) == KILLS * 25
	wait_for(wechat.bridge.is_ready, 30, "the bridge")
	judge(db, "fwh-81", ids)


@pytest.mark.parametrize("point", ["bridge-taken", "wechat-sent"])
def test_a_kill_between_the_outbox_and_the_memory_of_the_person(wechat, db, point):
	"""The question that was answered is not asked again, and the report is there once."""
	wechat.bridge.stop()
	wechat.bridge.start(NEEDLE_FAULT=point)
	xml = wechat.mp.xml(f"oPoint-{point}", "text", {"Content": "幸福里3号楼漏水"}, msgid=f"82{len(point)}")
	with pytest.raises((OSError, http.client.HTTPException)):
		wechat.mp.post(xml)
	wechat.bridge.child.wait(20)
	wechat.bridge.start()
	assert wechat.mp.post(xml)[0] == 200
	judge(db, f"fwh-82{len(point)}", [f"fwh-82{len(point)}"])
	assert wechat.mp.said(wechat.mp.post(wechat.mp.xml(f"oPoint-{point}", "text", {"Content": "催"}))) == "已为您催办。"


def test_a_draft_survives_and_becomes_a_report(stack, db, tmp_path):
	office_folder = tmp_path / "office"
	shutil.copytree(stack.env["NEEDLE_CONFIG"], office_folder)
	with open(office_folder / "channels.yaml", "a", encoding="utf-8") as f:
		f.write("\nconversation: {patience: 1 分钟}\n")
	w = Wechat(stack, tmp_path / "bridge", wait=0, office=str(office_folder)).start()
	try:
		at = time.time() - 50       # said fifty seconds ago: ten are left
		assert w.mp.say("oDraft", "井盖坏了", msgid=8301, at=at)
		w.bridge.kill()
		w.bridge.start()
		judge(db, "fwh-83", ["fwh-8301"])
	finally:
		w.close()


def test_the_broker_and_the_gateway_die_while_people_speak(wechat, stack, db):
	ids = []
	for n in range(90):
		assert wechat.mp.post(wechat.mp.xml(f"oDie{n}", "text", {"Content": "幸福里3号楼漏水"}, msgid=8400 + n))[0] == 200
		ids.append(f"fwh-{8400 + n}")
		if n == 30:
			stack.kill("broker", number=signal.SIGKILL)
		elif n == 60:
			stack.kill(number=signal.SIGKILL)
	stack.up()
	judge(db, "fwh-84", ids)


def test_independent_programs_of_wechats_own_envelope(wechat, db):
	"""@wecom/crypto and wechat-crypto seal what we open, and open what we seal."""
	done = subprocess.run(["node", "speak.js", f"http://127.0.0.1:{wechat.port}/wechat/fwh", "toKen", KEY, wechat.mp.app, "40"],
			      cwd=installed("npm_wechat"), capture_output=True, text=True, check=False, timeout=120)
	assert done.returncode == 0, done.stdout + done.stderr
	judge(db, "fwh-85", [f"fwh-85{n:04d}" for n in range(40)])
