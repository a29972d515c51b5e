"""The broker does not answer a subscription: a channel that was added by a reload is heard all the same, a moment later. The
link takes no message because its window is full: the wall board is told all the same. There is no thread for a connection."""
import os
import shutil
import subprocess

import pytest
from lib.daemon import Daemon
from lib.office import Office
from lib.stack import BUILD, ROOT
from lib.wait import wait_for
from scale import scale
from test_alloc import inner_ranges

NEW = """
  meter: {name: 水表, codec: json, subscribe: ["meter-WHICH/#"], source: 1, map: {id: /no, text: /say}}
"""


def own_copy(folder):
	shutil.copytree(os.path.join(ROOT, "config", "demo"), folder / "office")
	return folder / "office"


STACK = {"config": own_copy}


# That of the start, that of the retained cards, that of the reload. Each with a filter of its own: the broker's session keeps them.
@pytest.mark.parametrize("which", [1, 2, 3])
def test_a_subscription_without_an_answer_is_asked_for_again(stack, admin, db, which):
	path = os.path.join(stack.env["NEEDLE_CONFIG"], "channels.yaml")
	with open(path, encoding="utf-8") as f:
		before = f.read()
	with Daemon(stack, FAIL_SUBSCRIBE=str(which)) as daemon:
		daemon.argv[0] = os.path.join(BUILD, "torture", "needled")
		log = len(stack.log())
		daemon.start().ready()
		with open(path, "a", encoding="utf-8") as f:
			f.write(NEW.replace("WHICH", str(which)))
		assert stack.ctl_json("reload")["ok"]
		wait_for(lambda: "does not answer the subscription" in stack.log()[log:], 20, "the subscription that fails")

		def heard():
			admin.publish(f"meter-{which}/7", f'{{"no":"m-{which}","say":"水表不转"}}')
			return db.value(f"SELECT count(*) FROM needle.report WHERE channel = 'meter' AND id = 'm-{which}'") == 1

		wait_for(heard, 20, "the message of the new channel", every=0.2)
		assert daemon.stop() == 0
		with open(path, "w", encoding="utf-8") as f:
			f.write(before)


# Each of what the gateway says: the first of its kind finds the window full.
@pytest.mark.parametrize("what", scale(["/wall", "/status", "/queue/"], ["/wall", "/summary", "/status", "/marker", "/receipt/", "/event/", "/queue/",
										      "/result", "/report/", "/public/"]))
def test_what_the_link_did_not_take_is_said_a_moment_later(stack, db, what):
	with Daemon(stack, FAIL_PUBLISH=what) as daemon:
		daemon.argv[0] = os.path.join(BUILD, "torture", "needled")
		office = Office(stack)
		told = {word: office.admin.collect(f"{office.root}/{filter}") for word, filter in
			(("wall", "wall"), ("summary", "dept/chengguan/summary"), ("status", "gateway/a/status"))}
		daemon.start().ready()
		case = office.case("letter", category="市政/路灯", text="路灯不亮")
		office.event(case, "assigned", "chengguan")
		assert office.done("chengguan", case, "accept", by="wang") == "accepted"
		office.card(case, "chengguan", state="accepted")
		told["wall"].wait(lambda m: not m.retain, 20)
		told["summary"].wait(lambda m: not m.retain and m.json["in_progress"] > 0, 20)
		told["status"].wait(lambda m: not m.retain and m.json["status"] == "online", 20)
		wait_for(lambda: db.value("SELECT count(*) FROM needle.outbox") == 0, 20, "an empty outbox")
		assert daemon.stop() == 0


@pytest.fixture(scope="module")
def thread_of_a_link(stack, tmp_path_factory):
	"""The place where a connection to the broker asks for its thread."""
	place, program = str(tmp_path_factory.mktemp("sites") / "sites"), os.path.join(BUILD, "torture", "needled")
	with Daemon(stack, FAIL_INNER=inner_ranges(), FAIL_SITES=place) as daemon:
		daemon.argv[0] = program
		daemon.start().ready()
		assert daemon.stop() == 0
	with open(place, encoding="ascii") as f:
		sites = [line for line in f.read().split() if line.startswith("pthread_create@")]
	names = subprocess.run(["addr2line", "-fspe", program, *(s.rpartition("@")[2] for s in sites)], capture_output=True, text=True, check=True).stdout.splitlines()
	return next(s for s, name in zip(sites, names) if name.startswith("start_thread at link.c"))


# The one that looks at what is retained, and the gateway's own.
@pytest.mark.parametrize("which", [1, 2])
def test_a_connection_for_which_there_is_no_thread_is_made_a_moment_later(stack, thread_of_a_link, which):
	with Daemon(stack, FAIL_INNER=inner_ranges(), FAIL_AT=thread_of_a_link, FAIL_NTH=str(which)) as daemon:
		daemon.argv[0] = os.path.join(BUILD, "torture", "needled")
		log = len(stack.log())
		daemon.start().ready()
		assert "link: cannot start a thread" in stack.log()[log:]
		office = Office(stack)
		office.event(office.case("letter", category="市政/路灯", text="路灯不亮"), "assigned", "chengguan")
		assert daemon.stop() == 0
