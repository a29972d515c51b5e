"""The disk under the inbox runs full: the daemon leaves the broker while it still has its reserve, so that
nothing is acknowledged that it cannot keep, and comes back by itself when there is room."""
import os
import shutil
import subprocess

import pytest
from lib.db import Db
from lib.stack import ROOT, Stack
from lib.wait import wait_for
from load import Load
from verdict import quiet

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
			print(reason := f"a disk of {DISK_MIB} MiB cannot be mounted here: {mounted.stderr.strip()}")
			pytest.skip(reason)
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


def test_a_full_disk_under_the_inbox_costs_time_and_no_message(stack, capsys):
	load, pid, ballast = Load(stack, RATE, resend=False, officers=False, padding=MESSAGE_BYTES), stack.pid(), \
		stack.path("state", "ballast")
	load.start("f")
	wait_for(lambda: load.receipts, 20, "work under way")
	blocker = Db(stack.env["NEEDLE_PG_DSN"])
	blocker.connection.autocommit = False
	blocker.all("LOCK TABLE needle.report IN ACCESS EXCLUSIVE MODE")        # now nothing leaves the inbox
	fill(ballast)
	wait_for(lambda: "inbox is full" in reasons(stack), 30, "a full inbox")
	wait_for(lambda: not stack.ctl_json("status")["broker"]["connected"], 5, "leaving the broker")
	free = shutil.disk_usage(stack.path("state")).free
	held = stack.ctl_json("status")["inbox"]
	taken = len(load.handed_over)
	wait_for(lambda: len(load.handed_over) > taken + RATE, 10, "the broker taking more")
	assert stack.ctl_json("status")["inbox"] == held, "something was taken in spite of the full disk"

	os.unlink(ballast)                              # room again, and it comes back by itself
	wait_for(lambda: stack.ctl_json("status")["inbox"] > held, 10, "more messages in the inbox")
	wait_for(lambda: "inbox is full" in reasons(stack), 30, "a full inbox again")

	load.flowing = False
	blocker.close()                                 # what is stored makes room, too
	wait_for(lambda: stack.http("/readyz")[0] == 200, 60, "ready again")
	wait_for(lambda: len(load.mids) == 0, 30, "every PUBACK")
	quiet(stack, load)
	load.close()
	stored = {r["id"] for r in stack.db().all("SELECT id FROM needle.report WHERE channel = 'patrol'")}
	lost = load.handed_over - stored
	with capsys.disabled():
		print(f"\ndisk full: left the broker with {held} messages in the inbox, {free >> 10} KiB free beside its reserve;"
		      f" {len(load.handed_over)} handed over, {len(lost)} lost")
	assert stack.pid() == pid, "the daemon died on the way"
	assert not lost
