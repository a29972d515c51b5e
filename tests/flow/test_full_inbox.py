"""Nothing leaves the inbox, which fills: the daemon leaves the broker before it takes what it cannot keep, whoever
watches its status is told, and it comes back by itself."""
import json

from lib.db import Db
from lib.folder import demo
from lib.wait import wait_for

MOST, BYTES = 60, 30000


def small_inbox(folder):
	return demo(folder, {"needle.yaml": lambda text: text.replace("inbox: 1 GiB", "inbox: 1 MiB")})


STACK = {"config": small_inbox}


def says(office, word):
	topic = f"{office.root}/gateway/a/status"
	return json.loads(office.admin.retained(topic, office.admin)[topic])["status"] == word


def is_full(office):
	return "inbox is full" in office.stack.http("/readyz")[1]


def test_who_watches_the_status_is_told_that_the_daemon_has_left(office):
	assert says(office, "online")
	blocker, n = Db(office.stack.env["NEEDLE_PG_DSN"]), 0
	try:
		blocker.connection.autocommit = False
		blocker.all("LOCK TABLE needle.report IN ACCESS EXCLUSIVE MODE")
		while not is_full(office):      # one after the other: so small an inbox has room for few at once
			office.user("in-patrol").publish(f"{office.root}/in/patrol/many", {"id": f"many-{n}", "text": "井" * (BYTES // 3)})
			n += 1
			wait_for(lambda n=n: is_full(office) or office.stack.metric("needle_inbox_records") == n, what="the inbox to take it")
			assert n < MOST, "it has no end"
		wait_for(lambda: says(office, "offline"), 20, "the word that it is offline")
		assert is_full(office)
	finally:
		blocker.close()
	wait_for(lambda: says(office, "online"), 20, "the word that it is back")
	wait_for(lambda: office.db.value("select count(*) from needle.report where id like 'many-%%'") == n, 30, "all of them stored")
