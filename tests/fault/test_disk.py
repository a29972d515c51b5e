"""The disk under the inbox runs full: the daemon leaves the broker while it still has its reserve, so that
nothing is acknowledged that it cannot keep, and comes back by itself when there is room."""
import glob
import os
import shutil
import subprocess

import pytest
from lib.db import Db
from lib.stack import ROOT, Stack
from lib.wait import wait_for
from load import Load
from verdict import Verdict, quiet

DISK_MIB, RATE, MESSAGE_BYTES = 60, 1000, 12000


@pytest.fixture(scope="module")
def stack():
	s = Stack(os.path.join(ROOT, "build", "run", f"disk-{os.getpid()}"))
	place = s.path("state")
	os.makedirs(place)
	mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "needle-test", place],
				 capture_output=True, text=True, check=False)
	try:
		if mounted.returncode:
			pytest.skip(f"a disk of {DISK_MIB} MiB cannot be mounted here: {mounted.stderr.strip()}")
		yield s.up()
	finally:
		s.down()
		if not mounted.returncode:
			subprocess.run(["umount", place], check=True)
		shutil.rmtree(s.folder, ignore_errors=True)


def fill(path):
	with open(path, "wb", buffering=0) as f:
		try:
			while f.write(bytes(1 << 16)):
				pass
		except OSError:
			pass


def reasons(stack):
	return stack.http("/readyz")[1]


def left_the_broker(stack):
	"""Waits until the inbox is full and the daemon gone from the broker. (messages in it, bytes that are left of the reserve): that
	is the file which it writes to by then, allocated as a whole before; behind its last record it is zeros."""
	wait_for(lambda: "inbox is full" in reasons(stack), 30, "a full inbox")
	wait_for(lambda: not stack.ctl_json("status")["broker"]["connected"], 5, "leaving the broker")
	with open(max(glob.glob(stack.path("state", "**", "*.log"), recursive=True)), "rb") as f:
		reserve = f.read()
	left = len(reserve) - len(reserve.rstrip(b"\0"))
	assert left > 2 * MESSAGE_BYTES, f"only {left} of {len(reserve)} bytes of the reserve were left"
	return stack.ctl_json("status")["inbox"], left


def test_a_full_disk_under_the_inbox_costs_time_and_no_message(stack, capsys):
	load, ballast = Load(stack, RATE, resend=False, officers=False, padding=MESSAGE_BYTES), stack.path("state", "ballast")
	load.start("f")
	wait_for(lambda: load.receipts, 20, "work under way")
	blocker = Db(stack.env["NEEDLE_PG_DSN"])
	blocker.connection.autocommit = False
	blocker.all("LOCK TABLE needle.report IN ACCESS EXCLUSIVE MODE")        # now nothing leaves the inbox
	fill(ballast)
	held, reserve = left_the_broker(stack)
	free = shutil.disk_usage(stack.path("state")).free
	taken = len(load.handed_over)
	wait_for(lambda: len(load.handed_over) > taken + RATE, 10, "the broker taking more")
	assert stack.ctl_json("status")["inbox"] == held, "something was taken in spite of the full disk"

	os.unlink(ballast)                              # room again, and it comes back by itself
	wait_for(lambda: stack.ctl_json("status")["inbox"] > held, 10, "more messages in the inbox")
	_, behind_backlog = left_the_broker(stack)

	load.flowing = False
	blocker.close()                                 # what is stored makes room, too
	wait_for(lambda: stack.http("/readyz")[0] == 200, 60, "ready again")
	wait_for(lambda: len(load.mids) == 0, 30, "every PUBACK")
	quiet(stack, load)
	load.close()
	verdict = Verdict(stack, load)
	with capsys.disabled():
		print(f"\ndisk full: left the broker with {held} messages in the inbox, {free >> 10} KiB free beside its reserve, of which"
		      f" {reserve >> 10} KiB were left, and {behind_backlog >> 10} KiB behind a backlog; {len(load.handed_over)} handed over, {verdict.line('f')}")
	assert stack.running(), f"the daemon died on the way: {stack.log()[-2000:]}"
	assert load.handed_over == load.attempted.keys()
	verdict.must_be_good()
