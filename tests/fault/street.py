"""A street whose limits are minutes, and scripts of cases for it, as load: every way in which a case can
meet its clocks, with the pauses that make it meet them in time, late or never.

	load = Lives(stack, rate); load.start("l"); …; load.end()

What was said is kept word by word, for tests/fault/lives.c to live through it again.
"""
import datetime
import heapq
import json
import random
import time

from lib.folder import demo
from load import CHANNEL, SOURCE, Load

START, SPEED = "2026-11-23 09:00:00", 60        # a second of the test is a minute of the street
MINUTE = datetime.timedelta(minutes=1)

DEADLINES = """
policies:
  普通: {accept: 4 分钟, contact: 6 分钟, resolve: 12 分钟, feedback: 3 分钟, calendar: 值班, escalation: 标准}
  当日: {accept: 2 分钟, contact: 3 分钟, resolve: 8 分钟, feedback: 3 分钟, calendar: 值班, escalation: 夜里不响}
  紧急: {accept: 2 分钟, contact: 3 分钟, resolve: 9 分钟, feedback: 4 分钟, calendar: 值班, escalation: 标准}
  特急: {accept: 1 分钟, contact: 2 分钟, resolve: 5 分钟, feedback: 3 分钟, calendar: 值班, escalation: 立即上报}
  近期: {accept: 4 分钟, resolve: 20 分钟, support: 6 分钟, calendar: 值班, escalation: 标准}
defaults: {calendar: 值班, escalation: 标准}
escalations:
  标准:
    steps:
      - {when: accept 逾期, do: remind, to: lead}
      - {when: accept 逾期 3 分钟, do: notify, to: ducha, level: 1}
      - {when: contact 逾期, do: remind, to: lead}
      - {when: resolve 到期前 4 分钟, do: remind, to: lead}
      - {when: resolve 逾期, do: raise, to: leader, level: 1}
      - {when: resolve 逾期 3 分钟, do: supervise, to: ducha, within: 4 分钟, level: 2}
      - {when: resolve 逾期 9 分钟, do: publish, to: dangzheng, level: 3, note: 通报}
      - {when: feedback 逾期, do: notify, to: ducha, level: 1, note: 没有反馈}
      - {when: unassigned 3 分钟, do: notify, to: ducha, level: 1}
  夜里不响:
    steps:
      - {when: accept 逾期, do: remind, to: lead}
      - {when: resolve 到期前 3 分钟, do: remind, to: lead}
      - {when: resolve 逾期, do: raise, to: leader, level: 1}
      - {when: resolve 逾期 2 分钟, do: supervise, to: ducha, within: 5 分钟, level: 2}
    quiet: {outside: 短夜, except: [raise]}
  立即上报:
    steps:
      - {when: created, do: raise, to: leader, level: 1}
      - {when: accept 逾期, do: notify, to: ducha, level: 2}
      - {when: resolve 逾期, do: supervise, to: ducha, within: 3 分钟, level: 3}
"""
DAYS = "00:00-09:20, 09:35-09:50, 10:05-10:20, 10:35-10:50, 11:05-11:40, 12:00-13:00, 13:20-14:00, 14:20-24:00"
LIFECYCLE = """
triage: dangzheng
closing: {rule: satisfied, window: 15 分钟, unrated: close}
again: {policy: 当日, second: supervise, third: leader}
supervision: {by: ducha, within: 4 分钟}
returns: {codes: {not-ours: 非本部门职责}, arbitrate_after: 2, within: 3 分钟}
whistle: {within: 3 分钟}
grants: {extend: {by: ducha, times: 1, max: 60 分钟}, suspend: {by: dangzheng, max: 60 分钟}}
urges: {per_day: 3, raise_after: 2}
replies: {late: "超过了办理时限 {case}", resolved: "{answer}", ask_rating: 请评价}
"""


def folder(place):
	"""The demo with other limits, and nights of a quarter of an hour."""
	return demo(place, {"calendars.yaml": lambda t: t.replace("\n  值班:", f"\n  短夜: {{hours: {{每天: [{DAYS}]}}}}\n  值班:"),
			    "needle.yaml": lambda t: "".join(line for line in t.splitlines(True) if not line.startswith("tests:"))
			     .replace("tests: required", "tests: skip")},
		    {"deadlines.yaml": DEADLINES, "lifecycle.yaml": LIFECYCLE})


# ---- scripts: what is yielded is waited for ---------------------------------------------------
# ("do", department, action, members) gives the result, ("say", kind, members) the receipt, a number is a pause of
# that many seconds; c.lead, c.dice, c.at(minutes from now).

def left_alone(c):
	yield c.dice.uniform(0, 1)


def in_time(c):
	yield "do", c.lead, "accept", {}
	yield "do", c.lead, "contact", {}
	yield c.dice.uniform(0, 3)
	yield "do", c.lead, "resolve", {"answer": "办好了"}
	yield "say", "rate", {"score": "satisfied"}


def late(c):
	yield c.dice.uniform(1, 9)
	yield "do", c.lead, "accept", {}
	yield c.dice.uniform(0, 4)
	yield "do", c.lead, "contact", {"note": "打过电话"}
	yield c.dice.uniform(0, 14)
	yield "do", c.lead, "resolve", {"answer": "办好了"}
	yield c.dice.uniform(0, 5)
	yield "do", c.lead, "contact", {"note": "已回访"}
	yield "say", "rate", {"score": c.dice.choice(("satisfied", "basically"))}


def dissatisfied(c):
	for score in ("dissatisfied", "dissatisfied", "satisfied"):
		yield c.dice.uniform(0, 4)
		yield "do", c.lead, "accept", {}
		yield c.dice.uniform(0, 10)
		yield "do", c.lead, "resolve", {"answer": "办好了"}
		yield c.dice.uniform(0, 3)
		yield "say", "rate", {"score": score}


def extended(c):
	yield "do", c.lead, "accept", {}
	yield c.dice.uniform(0, 10)
	asked = yield "do", c.lead, "extend", {"until": c.at(25), "note": "等配件"}
	yield c.dice.uniform(0, 4)
	yield "do", "ducha", c.dice.choice(("grant", "grant", "deny")), {"of": asked["request"], "note": "看过了"}
	yield c.dice.uniform(0, 25)
	yield "do", c.lead, "resolve", {"answer": "办好了"}


def suspended(c):
	yield "do", c.lead, "accept", {}
	yield c.dice.uniform(0, 12)
	asked = yield "do", c.lead, "suspend", {"until": c.at(6), "note": "等产权单位"}
	yield c.dice.uniform(0, 2)
	yield "do", "dangzheng", "grant", {"of": asked["request"]}
	yield c.dice.uniform(0, 9)
	yield "do", c.lead, "resume", {}
	yield c.dice.uniform(0, 9)
	yield "do", c.lead, "resolve", {"answer": "办好了"}
	yield "say", "rate", {"score": "satisfied"}


def returned(c):
	yield c.dice.uniform(0, 6)
	yield "do", c.lead, "return", {"reason": "not-ours"}
	yield c.dice.uniform(0, 6)
	yield "do", "dangzheng", "transfer", {"to": "jiyuan"}
	yield c.dice.uniform(0, 6)
	yield "do", "jiyuan", "return", {"reason": "not-ours", "note": "产权在楼上"}
	yield c.dice.uniform(0, 2)
	yield "do", "dangzheng", "transfer", {"to": c.lead}
	yield c.dice.uniform(0, 6)
	yield "do", c.lead, "return", {"reason": "not-ours"}          # A → B → A: refused, on record
	yield "do", c.lead, "accept", {}
	yield c.dice.uniform(0, 9)
	yield "do", c.lead, "resolve", {"answer": "办好了"}


def whistled(c):
	yield "do", c.lead, "accept", {}
	yield "do", c.lead, "whistle", {"departments": ["sanwanjie", "shichang"], "task": "到场"}
	yield c.dice.uniform(0, 5)
	yield "do", "shichang", "report_in", {}
	yield c.dice.uniform(0, 5)
	yield "do", "shichang", "support_done", {"note": "查过了"}
	yield "do", c.lead, "resolve", {"answer": "办好了"}            # while a task is open: refused
	yield "do", "ducha", "lift", {"to": "sanwanjie", "note": "不用来了"}
	yield c.dice.uniform(0, 5)
	yield "do", c.lead, "resolve", {"answer": "办好了"}


def supervised(c):
	yield c.dice.uniform(0, 3)
	yield "do", "ducha", "supervise", {"order": "今天办", "within": "3 分钟"}
	yield c.dice.uniform(0, 6)
	yield "do", c.lead, "answer", {"answer": "正在办"}
	yield "do", c.lead, "accept", {}
	yield c.dice.uniform(0, 8)
	yield "do", c.lead, "resolve", {"answer": "办好了"}


def urged(c):
	for _ in range(4):
		yield c.dice.uniform(0, 3)
		yield "say", "urge", {"text": "怎么还没人来"}
	yield "say", "supplement", {"text": "还在漏"}
	yield c.dice.uniform(0, 9)
	yield "say", "withdraw", {}


def moved(c):
	yield c.dice.uniform(0, 6)
	yield "do", "dangzheng", "amend", {"category": "环卫/垃圾", "note": "分类改了"}
	yield c.dice.uniform(0, 6)
	yield "do", "huanwei", "accept", {}
	yield c.dice.uniform(0, 6)
	yield "do", "huanwei", "resolve", {"answer": "办好了"}


SCRIPTS = (left_alone, in_time, late, dissatisfied, extended, suspended, returned, whistled, supervised, urged, moved)
MATTERS = (("市政/路灯", "路灯不亮"), ("物业/漏水", "天花板滴水"), ("环卫/垃圾", "垃圾没人收"), ("应急/积水", "路口积水"),
	   ("市政/路灯", "楼道有煤气味"), ("老旧小区", "暖气不热"))


class Life:
	def __init__(self, load, key, script, seed):
		self.load, self.key, self.script = load, key, script
		self.dice, self.case, self.lead, self.acts = random.Random(seed), None, None, {}
		self.course = script(self)

	def at(self, minutes):
		return (self.load.now() + minutes * MINUTE).isoformat(timespec="seconds")


class Agenda:
	"""What lives do next, and when; looks like the queue of wishes that the load's thread empties."""

	def __init__(self):
		self.heap, self.n, self.over = [], 0, False

	def append(self, wish, after=0.0):
		self.n += 1
		heapq.heappush(self.heap, (time.monotonic() + after, self.n, wish))

	def __bool__(self):
		return not self.over and bool(self.heap) and self.heap[0][0] <= time.monotonic()

	def popleft(self):
		return heapq.heappop(self.heap)[2]


class Lives(Load):
	def __init__(self, stack, rate, seed):
		self.lives, self.waiting, self.denied, self.seed = {}, {}, [], seed
		super().__init__(stack, rate, window=200, officers=False)
		self.wishes = Agenda()

	def now(self):
		for _, payload in reversed(self.events):
			if payload[:1] == b"{":
				return datetime.datetime.fromisoformat(json.loads(payload)["at"])
		return datetime.datetime.fromisoformat(START + "+08:00")

	# ---- paho's threads ----
	def _receipt(self, topic, payload):
		receipt = json.loads(payload)
		known = receipt["id"] in self.receipts
		super()._receipt(topic, payload)
		if known or receipt["result"] == "dead":
			return
		life = self.lives.get(receipt["id"])
		if life:
			life.case, life.lead = receipt["case"], receipt["department"]
		self.wishes.append((life or self.waiting.pop(receipt["id"]), receipt if not life else None))

	def _result(self, topic, payload):
		result = json.loads(payload)
		if not self.commands.answered(result["request"]):
			return
		self.results[result["request"]] = result
		if result["result"] != "done":
			self.denied.append(result)
		self.wishes.append((self.waiting.pop(result["request"]), result))

	# ---- the pacing thread ----
	def _one(self):
		category, text = MATTERS[self.number % len(MATTERS)]
		key = f"{self.phase}n{self.number + 1}"
		script = SCRIPTS[self.number % len(SCRIPTS)]
		life = self.lives[key] = Life(self, key, script, self.seed * 100003 + self.number)
		self._say(life, "n", {"category": category, "text": f"{text}，第 {self.number} 件"})

	def _say(self, life, letter, members):
		key = f"{self.phase}{letter}{self.number + 1}"
		life.acts[key] = (f"{self.root}/in/{CHANNEL}/{SOURCE}", json.dumps(dict(members, id=key), ensure_ascii=False))
		if letter != "n":
			self.waiting[key] = life
		self._report(letter, members)

	def _wish(self, life, answer):
		try:
			step = life.course.send(answer)
		except StopIteration:
			return
		if not isinstance(step, tuple):
			self.wishes.append((life, None), step)
		elif step[0] == "say":
			self._say(life, step[1][0], dict(step[2], kind=step[1], case=life.case))
		else:
			_, dept, action, members = step
			request = f"{life.key}-{len(life.acts)}"
			payload = json.dumps(dict(members, v=1, request=request, case=life.case, action=action, by="zhao"),
					     ensure_ascii=False)
			life.acts[request] = (f"{self.root}/dept/{dept}/cmd", payload)
			self.waiting[request] = life
			self.commands.add(request, (dept, payload))

	def end(self):
		"""Nobody does anything any more; False: not all that was said has its answer."""
		self.wishes.over = True
		return self.drain()
