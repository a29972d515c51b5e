"""The same accident with and without a discipline that is switched off on purpose, and a good end that is damaged on
purpose: they show that what the verdict counts can be other than 0."""
import json
import os
import signal

import pytest
from lib.stack import ROOT, Stack
from lib.wait import wait_for
from load import Load
from verdict import Verdict, quiet

KILLS, RATE = 6, 300


@pytest.fixture
def stack(request):
	"""One of its own for each: a session that a broken daemon left behind must not help the other."""
	s = Stack(os.path.join(ROOT, "build", "run", f"discipline-{request.node.name[5:12]}-{os.getpid()}"))
	try:
		yield s.up()
	finally:
		s.down()


def killed_before_commits(stack, env):
	"""Kills the daemon before its commits; the producer says everything once. What the broker has
	taken (PUBACK) must be in the database at the end."""
	load = Load(stack, RATE, resend=False, officers=False)
	load.start("d")
	for n in range(KILLS):
		stack.kill()
		log = stack.log_size()
		try:
			stack.up(env=dict(env, NEEDLE_FAULT=f"before-commit:{3 + n}"))
		except AssertionError as e:
			assert "has ended with -9" in str(e), e
		wait_for(lambda: not stack.running(), 20, "the end before a commit", every=0.01)
		assert stack.faults(log) == ["before-commit"], stack.log()[-2000:]
	stack.up()
	wait_for(lambda: sum(key[1] == "s" for key in list(load.receipts)) > 4, 20, "receipts of supplements")
	load.flowing = False
	wait_for(lambda: not load.mids, 30, "every PUBACK")
	wait_for(lambda: stack.ctl_json("status")["inbox"] == 0, 30, "an empty inbox")
	quiet(stack, load)
	load.close()
	return load, Verdict(stack, load)


def test_without_the_discipline_the_same_test_finds_losses(stack, capsys):
	load, verdict = killed_before_commits(stack, {"NEEDLE_BREAK": "retire-before-commit"})
	lost = load.handed_over - verdict.stored.keys()
	with capsys.disabled():
		print(f"\ninbox retired before the commit: {len(load.handed_over)} handed over, {verdict.line('d')}")
	assert lost and set(verdict.faults["lost"]) == lost
	with pytest.raises(AssertionError, match=f"{len(lost)} lost, such as"):
		verdict.must_be_good()


def test_what_the_broker_took_is_stored_whatever_is_killed_and_each_damage_is_named(stack, capsys):
	load, verdict = killed_before_commits(stack, {})
	with capsys.disabled():
		print(f"\nwith the discipline: {len(load.handed_over)} handed over, {verdict.line('d')}")
	assert load.handed_over and load.handed_over == load.attempted.keys()
	verdict.must_be_good()

	stack.kill(number=signal.SIGTERM)       # nobody puts anything right
	damaged = Damage(stack, load).done
	verdict = Verdict(stack, load)
	assert verdict.faults.keys() == damaged.keys()
	for what, of in damaged.items():
		assert len(verdict.faults[what]) == 1 and of in str(verdict.faults[what]), (what, of, verdict.faults[what])
	with pytest.raises(AssertionError, match="1 histories with a hole, such as"):
		verdict.must_be_good()


def is_of(number, event):
	return event[1] != b"end" and json.loads(event[1])["case"] == number


class Damage:
	"""One of each fault that there may be, each on a case or report of its own: what the verdict must say, and of what."""

	def __init__(self, stack, load):
		self.load, self.db, self.client, self.done = load, stack.db(), stack.client("admin"), {}
		self.cases = iter(self.db.all("SELECT c.number, c.report, q.department, q.card FROM needle.cases c JOIN needle.v_queue q USING (number)"
					      " WHERE c.seq > 1 AND (SELECT count(*) FROM json_object_keys(c.told)) = 1 ORDER BY number"))
		self.supplements = iter(sorted(k for k in load.receipts if k[1] == "s"))
		self.of_reports()
		self.of_histories()
		self.of_events()
		self.of_cards()

	def of_reports(self):
		load, (lost, unexpected, elsewhere, orphan) = self.load, (next(self.supplements) for _ in range(4))
		self.db.all("DELETE FROM needle.report WHERE id = %s", lost)
		self.done["lost"] = self.done["receipted and lost"] = lost
		del load.attempted[unexpected]
		self.done["unexpected"] = unexpected
		load.receipts[elsewhere] = ("joined", "JYL000101000001")
		self.done["receipts that name another case"] = elsewhere
		self.db.all("UPDATE needle.report SET number = 'JYL000101000002' WHERE id = %s", orphan)
		load.receipts[orphan] = ("joined", "JYL000101000002")
		self.done["reports without their case"] = orphan
		one, other = next(self.cases), next(self.cases)
		self.db.all("UPDATE needle.cases SET report = %s WHERE number = %s", one["report"], other["number"])
		self.done["with two cases"] = one["report"]
		load.dead.append({"id": "of a good one"})
		self.done["dead letters of good reports"] = "of a good one"
		load.refused.append({"request": "of a good one"})
		self.done["refused commands"] = "of a good one"
		load.results["never stored"] = {}
		self.done["results of commands that nobody stored"] = "never stored"

	def of_histories(self):
		hole, longer, twice = (next(self.cases)["number"] for _ in range(3))
		self.db.all("DELETE FROM needle.history WHERE number = %s AND seq = 1", hole)
		self.done["histories with a hole"] = hole
		self.db.all("UPDATE needle.cases SET seq = seq + 1 WHERE number = %s", longer)
		self.done["cases that end elsewhere than their history"] = longer
		self.db.all("INSERT INTO needle.history (tenant, number, seq, at, kind) SELECT tenant, number, seq + i, now(), 'accepted'"
			    " FROM needle.cases, generate_series(1, 2) AS i WHERE number = %s", twice)
		self.db.all("UPDATE needle.cases SET seq = seq + 2 WHERE number = %s", twice)
		self.done["commands or ratings carried out twice"] = twice

	def of_events(self):
		load, (unheard, other, invented) = self.load, (next(self.cases)["number"] for _ in range(3))
		for heard in (load.events, load.kept):
			heard[:] = [e for e in heard if not is_of(unheard, e)]
		self.done["events never heard"] = unheard
		topic, payload = next(e for e in load.events if is_of(other, e))
		load.kept.append((topic, payload.replace(b'"state"', b'"State"', 1)))
		self.done["events that came again as something else"] = other
		topic, payload = next(e for e in load.events if is_of(invented, e))
		load.kept.append((topic, json.dumps(dict(json.loads(payload), seq=99)).encode()))
		self.done["events of what never happened"] = invented

	def of_cards(self):
		missing, changed, ghost = (next(self.cases) for _ in range(3))
		place = {c["number"]: f"{self.load.root}/dept/{c['department']}/queue/{c['number']}" for c in (missing, changed, ghost)}
		self.client.publish(place[missing["number"]], b"", retain=True)
		self.done["cards missing at the broker"] = missing["number"]
		self.client.publish(place[changed["number"]], json.dumps(dict(changed["card"], state="closed")), retain=True)
		self.done["cards that are not as in the queue"] = changed["number"]
		self.client.publish(place[ghost["number"]] + "0", json.dumps(ghost["card"]), retain=True)
		self.done["cards at the broker without their case in the queue"] = ghost["number"] + "0"
