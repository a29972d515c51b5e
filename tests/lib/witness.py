"""Hears everything that an office says and judges it: the promises that hold whatever a test did.

	w = Witness(stack); …; w.judge()

- the history of each case counts 1, 2, 3 … without a hole;
- each department's events about a case chain: `prev` is the `seq` it was told last, an event is of its
  history row, a repetition is the same, and the last one is the last that the gateway believes it told;
- the retained cards of each department are those of v_queue, bytes and all.
"""
import collections
import json
import uuid

from lib.wait import wait_for


WAITING = """select (select count(*) from needle.outbox) + (select count(*) from needle.timer
	     where due_at <= coalesce((select now_at from needle.sim_clock), now()))"""


# What the contract promises of every event.
EVENT = set("v event seq prev kind at case department role to state title category grid place urgency due rule config why"
	    .split())


def is_event(m):
	return m.payload[:1] == b"{"


def read_card(payload):
	"""What is no JSON is no card of ours; it may be put right the next moment."""
	try:
		return json.loads(payload)
	except ValueError:
		return payload


class Witness:
	def __init__(self, stack):
		# What a standby stored from its own inbox is told by the next sweep of the active one, which may be later than
		# what followed: `prev` shows the gap meanwhile. A test that kills one of two daemons says False.
		self.in_order = True
		self.db = stack.db()
		self.client = stack.client("admin")
		self.late = stack.client("admin")       # what it hears is not mixed with what the witness hears
		self.root = self.client.root
		self.events = self.client.collect(f"{self.root}/dept/+/event/+")
		self.replies = self.client.collect(f"{self.root}/out/+/+")
		self.cards = self.client.collect(f"{self.root}/dept/+/queue/+")

	def quiet(self, bound=20):
		"""Waits until what is due has happened, and all that is stored has been said and heard."""
		wait_for(lambda: self.db.value(WAITING) == 0, bound, "an empty outbox")
		sign = f"{self.root}/dept/witness/event/{uuid.uuid4().hex}"

		def sign_is_back():
			# Again and again: the broker may just have come back, and our subscription not yet.
			self.client.publish(sign, b"null", wait=False)
			return self.events.find(lambda m: m.topic == sign)
		wait_for(sign_is_back, bound, "the witness's own sign", every=0.1)

	def told(self):
		"""The events by now, without the tests' own signs among them."""
		return self.events.find(is_event)

	def chains(self):
		"""(case, department) -> its events in the order of arrival, repetitions taken out."""
		found = collections.defaultdict(list)
		for m in self.told():
			event, department = m.json, m.topic.split("/")[3]
			assert event["department"] == department and m.last == event["kind"], m
			assert EVENT <= set(event) and event["role"] and event["to"], f"{EVENT - set(event)} are missing: {m}"
			before = [e for e in found[event["case"], department] if e["seq"] == event["seq"]]
			assert not before or before == [event], f"one seq, two events: {before} {event}"
			if not before:
				found[event["case"], department].append(event)
		return found

	def judge(self):
		self.quiet()
		history, chains = self.histories(), self.chains()
		for (case, department), events in chains.items():
			prev = 0
			if not self.in_order:
				events.sort(key=lambda e: e["seq"])
			for e in events:
				assert e["prev"] == prev, f"{case} {department}: prev {e['prev']} after {prev}: {e}"
				assert history[case][e["seq"]] == e["kind"], f"history has {history[case][e['seq']]}: {e}"
				prev = e["seq"]
		for row in self.db.all("select number, told from needle.cases"):
			heard = {d: chains[c, d][-1]["seq"] for c, d in list(chains) if c == row["number"]}
			assert heard == row["told"], f"{row['number']}: told {row['told']}, heard {heard}"
		assert self.retained() == self.queue()

	def histories(self):
		"""case -> seq -> kind, after looking for holes."""
		found = collections.defaultdict(dict)
		for row in self.db.all("select number, seq, kind from needle.v_history order by number, seq"):
			found[row["number"]][row["seq"]] = row["kind"]
		for case, rows in found.items():
			assert list(rows) == list(range(1, len(rows) + 1)), f"{case}: {list(rows)}"
		stored = {r["number"]: r["seq"] for r in self.db.all("select number, seq from needle.cases")}
		assert stored == {case: len(rows) for case, rows in found.items()}
		return found

	def retained(self):
		"""(department, case) -> the card at the broker, for one who subscribes now."""
		cards = self.late.retained(f"{self.root}/dept/+/queue/+", self.client)
		return {(t.split("/")[3], t.split("/")[5]): read_card(p) for t, p in cards.items()}

	def retained_topics(self):
		return set(self.late.retained(f"{self.root}/dept/+/queue/+", self.client))

	def queue(self):
		rows = self.db.all("select department, number, card from needle.v_queue")
		return {(r["department"], r["number"]): r["card"] for r in rows}
