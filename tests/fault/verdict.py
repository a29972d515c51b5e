"""What became of everything that was sent, counted as Jepsen's total-queue does, and the promises that
hold for every case whatever was killed.

	attempted     reports of the load, each with an id of its own
	acknowledged  those whose receipt came back
	ok            those that are in the database
	lost          attempted and not in the database once every producer has its receipt (or gave none back)
	unexpected    in the database and never sent
	duplicated    one id, two cases
	recovered     unanswered at first, repeated by the producer, there at the end
"""
import collections
import json
import uuid

from lib.wait import wait_for
from load import CHANNEL

LOOKS = 10
COUNTERS = ("attempted", "acknowledged", "ok", "lost", "unexpected", "duplicated", "recovered")
SOON = "needle.timer WHERE due_at <= now() + interval '2 s'"


def quiet(stack, load, bound=60, instances=("a",), due=SOON):
	"""Inboxes empty, what is due has happened, outbox empty, and the listener has heard all that the broker has."""
	db = stack.db()
	for instance in instances:
		wait_for(lambda i=instance: stack.ctl_json("status", instance=i)["inbox"] == 0, bound,
			 f"an empty inbox of {instance}")
	wait_for(lambda: db.value(f"SELECT (SELECT count(*) FROM needle.outbox) + (SELECT count(*) FROM {due})") == 0, bound,
		 "an empty outbox, and no timer that is due or nearly so")
	sign = f"{load.root}/dept/nobody/event/{uuid.uuid4().hex}"
	stack.client("admin").publish(sign, b"end")
	for heard in (load.events, load.kept):
		wait_for(lambda h=heard: any(topic == sign for topic, _ in h[-50:]), bound, "the last event")


class Verdict:
	def __init__(self, stack, load):
		self.load, self.db = load, stack.db()
		self.faults = {}        # what, and all of which it is true
		# Clocks ring on while this looks, and with a hundred thousand cases that takes its time: one moment of the database.
		self.db.all("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
		self.stored = {r["id"]: r["number"] for r in
			       self.db.all("SELECT id, number FROM needle.report WHERE channel = %s", CHANNEL)}
		self.cases = {r["number"]: r for r in self.db.all("SELECT number, report, seq, told FROM needle.cases")}
		self.count()
		self.look_at_histories()
		self.db.all("COMMIT")
		self.look_at_events()
		self.look_at_cards(stack)

	def fault(self, what, found):
		if found:
			self.faults[what] = list(found)

	# ---- reports ----
	def count(self):
		load, times = self.load, collections.Counter(c["report"] for c in self.cases.values())
		self.lost = [k for k in load.attempted if k not in self.stored]
		self.unexpected = [k for k in self.stored if k not in load.attempted]
		self.duplicated = [k for k, n in times.items() if n > 1]
		self.fault("lost", self.lost)
		self.fault("receipted and lost", [k for k in load.receipts if k not in self.stored])
		self.fault("unexpected", self.unexpected)
		self.fault("with two cases", self.duplicated)
		self.fault("receipts that name another case",
			   [k for k, (_, case) in load.receipts.items() if k in self.stored and case != self.stored[k]])
		self.fault("reports without their case", [k for k, n in self.stored.items() if n not in self.cases])
		self.fault("dead letters of good reports", load.dead)
		self.fault("refused commands", load.refused)

	def line(self, phase):
		load = self.load
		mine = {k for k, p in load.attempted.items() if p == phase}
		there = mine & self.stored.keys()
		values = (len(mine), len(mine & load.receipts.keys()), len(there), len(mine - there),
			  len(self.unexpected), sum(k[0] == phase for k in self.duplicated),
			  len(mine & load.reports.repeated & there))
		return ", ".join(f"{name} {value}" for name, value in zip(COUNTERS, values))

	# ---- histories ----
	def look_at_histories(self):
		rows = self.db.all("SELECT number, min(seq) AS low, max(seq) AS high, count(*) AS n FROM needle.history"
				   " GROUP BY number")
		self.fault("histories with a hole", [r for r in rows if r["low"] != 1 or r["high"] != r["n"]])
		ends = {r["number"]: r["high"] for r in rows}
		self.fault("cases that end elsewhere than their history",
			   [n for n, c in self.cases.items() if ends.get(n) != c["seq"]])
		twice = self.db.all("SELECT number, kind, count(*) AS n FROM needle.history WHERE kind IN"
				    " ('accepted', 'resolved', 'rated') GROUP BY number, kind HAVING count(*) > 1")
		self.fault("commands or ratings carried out twice", twice)
		done = {r["request"] for r in self.db.all("SELECT request FROM needle.command")}
		self.fault("results of commands that nobody stored", [r for r in self.load.results if r not in done])

	# ---- events ----
	def look_at_events(self):
		"""told names the last event that each department was sent: from there the chain of `prev` must
		lead back to 0 over events that were heard."""
		heard, self.repeated, self.early, changed, strange = {}, 0, [], [], []
		for i, (_, payload) in enumerate(self.load.events + self.load.kept):
			if payload == b"end":
				continue
			e = json.loads(payload)
			key = (e["case"], e["department"], e["seq"])
			first = i < len(self.load.events)
			if key in heard:
				self.repeated += first
				if heard[key][1] != payload:
					changed.append((heard[key][1], payload))
				continue
			heard[key] = (e["prev"], payload)
			if first and e["prev"] and (e["case"], e["department"], e["prev"]) not in heard:
				self.early.append((key, e["prev"], e["kind"], i))
			if e["case"] not in self.cases or e["seq"] > self.cases[e["case"]]["seq"]:
				strange.append(key)
		self.fault("events that came again as something else", changed)
		self.fault("events of what never happened", strange)
		self.missed = []
		for number, case in self.cases.items():
			for department, seq in case["told"].items():
				while seq and (number, department, seq) in heard:
					seq = heard[number, department, seq][0]
				if seq:
					self.missed.append((number, department, seq, self.load.attempted.get(case["report"])))
		self.fault("events never heard", self.missed)
		self.heard = len(heard)

	# ---- cards ----
	def look_at_cards(self, stack):
		"""A card whose clock rings just now differs for a moment: what is wrong stays so."""
		admin, wrong = stack.client("admin"), None
		for _ in range(LOOKS):
			cards = {t: json.loads(p) for t, p in admin.retained(f"{self.load.root}/dept/+/queue/+", admin).items()}
			queue = {f"{self.load.root}/dept/{r['department']}/queue/{r['number']}": r["card"] for r in
				 self.db.all("SELECT department, number, card FROM needle.v_queue")}
			found = {t for t in cards.keys() | queue.keys() if cards.get(t) != queue.get(t)}
			wrong = found if wrong is None else wrong & found
			if not wrong:
				break
		self.cards = len(cards)
		self.fault("cards missing at the broker", {t for t in wrong if t not in cards})
		self.fault("cards at the broker without their case in the queue", {t for t in wrong if t not in queue})
		self.fault("cards that are not as in the queue", [(cards[t], queue[t]) for t in wrong if t in cards and t in queue])

	def must_be_good(self):
		assert not self.faults, "\n".join(f"{len(found)} {what}, such as {found[:3]}" for what, found in self.faults.items())
