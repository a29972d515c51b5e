"""The people around an office: reporters, departments, and a witness of all that is said to them.

	case = office.case(text="井盖破损", category="市政/井盖")       a report whose receipt says created
	office.report("hotline", id="A1", text="…")                    its receipt
	office.do("chengguan", case, "accept", by="wang")              its result
	office.event(case, "accepted", "chengguan")                    the event, once it is there
	office.row(case)["state"], office.kinds(case)                  what the database says
"""
import itertools
import uuid

from lib.wait import wait_for
from lib.witness import Witness, is_event


class Office:
	numbers = itertools.count(1)

	def __init__(self, stack):
		self.stack = stack
		self.db = stack.db()
		self.witness = Witness(stack)
		self.admin = self.witness.client
		self.root = self.admin.root
		self.people = {}

	def new_id(self, prefix="t"):
		return f"{prefix}-{next(self.numbers)}-{uuid.uuid4().hex[:6]}"

	def user(self, name):
		"""One client a user of the broker."""
		if name not in self.people:
			self.people[name] = self.stack.client(name)
		return self.people[name]

	def new_database(self):
		"""After an accident of PostgreSQL its old connections are of no use."""
		self.db = self.witness.db = self.stack.db()

	# ---- reporters ----
	def report(self, channel="patrol", source="desk", **members):
		members.setdefault("id", self.new_id())
		return self.user(f"in-{channel}").report(channel, source, members)

	def case(self, channel="patrol", source="desk", **members):
		receipt = self.report(channel, source, **dict({"text": "有事要办"}, **members))
		assert receipt["result"] == "created", receipt
		return receipt["case"]

	def say(self, case, kind, channel="patrol", **members):
		"""What a reporter does with a case: urge, rate, withdraw …"""
		return self.report(channel, kind=kind, case=case, **members)

	# ---- departments ----
	def do(self, department, case, action, /, **members):
		return self.user(f"dept-{department}").command(department, dict(members, case=case, action=action))

	def done(self, department, case, action, /, **members):
		"""do() that must succeed; returns the state."""
		result = self.do(department, case, action, **members)
		assert result["result"] == "done", result
		return result["state"]

	def refused(self, department, case, action, /, recorded=False, **members):
		"""do() that must be refused; returns the sentence. Nothing about the case may change, but that the history
		keeps the attempt where departments argue about whose case it is (`recorded`)."""
		before = self.picture(case)
		result = self.do(department, case, action, **members)
		assert result["result"] == "refused" and result["reason"], result
		after = self.picture(case)
		if recorded:
			last = self.history(case)[-1]
			assert (last["kind"], last["department"], last["note"]) == ("refused", department, result["reason"])
			assert after[3].pop() == "refused"
			after[0][0]["seq"] -= 1
		assert after == before
		foreign = result["state"] is None and "is not in the queue of" in result["reason"]
		assert foreign or result["state"] == self.row(case)["state"], result
		return result["reason"]

	def picture(self, case):
		"""All of a case that could change."""
		return (self.db.all("select * from needle.cases where number = %s", case),
			self.db.all("select * from needle.queue where number = %s order by department", case),
			self.db.all("select * from needle.timer where number = %s", case), self.kinds(case))

	# ---- what is told ----
	def event(self, case, kind, department=None, bound=10, **members):
		"""The first such event, once it is there."""
		def is_it(m):
			e = m.json if is_event(m) else {}
			return e.get("case") == case and e["kind"] == kind and department in (None, e["department"]) and \
				all(e.get(k) == v for k, v in members.items())
		return self.witness.events.wait(is_it, bound, what=f"{kind} of {case} for {department} {members}").json

	def events(self, case, kind=None, department=None):
		"""All that has been told about a case by now; what came again after a kill, as the contract allows, counts once."""
		self.witness.quiet()
		told = list({m.json["event"]: m.json for m in self.witness.told() if m.json["case"] == case}.values())
		return [e for e in told if kind in (None, e["kind"]) and department in (None, e["department"])]

	def reply(self, case, kind, bound=10):
		return self.witness.replies.wait(lambda m: m.json["case"] == case and m.json["kind"] == kind, bound,
						 what=f"the reply {kind} about {case}").json

	def replies(self, case, kind=None):
		"""Likewise what reporters were told."""
		self.witness.quiet()
		told = {(m.topic, m.json["id"]): m.json for m in self.witness.replies if m.json["case"] == case}.values()
		return [r for r in told if kind in (None, r["kind"])]

	def card(self, case, department, present=True, **members):
		"""The card as the department's screen has it: waits until it is there with these members, or gone."""
		topic = f"{self.root}/dept/{department}/queue/{case}"

		def now():
			seen = self.witness.cards.find(lambda m: m.topic == topic)
			if not seen or bool(seen[-1].payload) != present:
				return None
			card = seen[-1].json if present else {}
			return [card] if all(card.get(k) == v for k, v in members.items()) else None
		return wait_for(now, what=f"{topic} {members or present}")[0]

	# ---- what is stored ----
	def row(self, case):
		return self.db.one("select * from needle.v_case where number = %s", case)

	def history(self, case):
		return self.db.all("select * from needle.v_history where number = %s order by seq", case)

	def kinds(self, case):
		return [row["kind"] for row in self.history(case)]

	def dead(self, **where):
		"""Dead letters, newest first."""
		names = " and ".join(f"{name} = %s" for name in where) or "true"
		return self.db.all(f"select * from needle.dead_letter where {names} order by id desc", *where.values())

	# ---- time, of a simulated daemon ----
	def clock(self, *words):
		done = self.stack.ctl("clock", *words)
		assert done.returncode == 0, done.stderr
		return done.stdout.strip()
