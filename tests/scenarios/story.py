"""A street's story, told by a YAML file and lived by the real daemon, broker and database in simulated time.

	name: 小红本                        what it is called
	profile: xiaohongben               a folder of config/profiles
	start: 2026-01-04 08:00            where the clock stands first
	story:
	  - at: 2026-01-05 08:40           or +20 分钟, a span of the office's words; falls due what may on the way
	    say: 巡查时发现井盖破损           for who reads along
	    report: {channel: patrol, text: …, category: 市政/井盖, as: 井盖}      the case is called $井盖 from here on
	    tell: {case: $井盖, channel: patrol, kind: rate, score: satisfied}    what reporters do with a case
	    do: {case: $井盖, dept: chengguan, action: accept, by: wang}          what departments do
	    many: {…}                      the ordinary days of a year: bulk.py
	    restart: yes                   kill -9, and up again
	    expect: [{event: …}, …]        checks, one word each: CHECKS below
	promises:                          a changed folder with which the story must not come true
	  - {name: 不满意不销号, file: lifecycle.yaml, from: "rule: satisfied", to: "rule: resolved"}

`report`, `tell` and `do` may be lists. `result:` and `because:` in them name another outcome than created, updated, done.
"""
import glob
import itertools
import json
import os
import shutil
import signal
import socket
import time

import yaml

from lib.stack import ROOT, Stack
from scenarios import bulk
from scenarios.wire import Wire

HERE = os.path.dirname(os.path.abspath(__file__))
NUMBERS = itertools.count(1)


class Untrue(AssertionError):
	"""The story did not come true."""


def names():
	return sorted(os.path.basename(p)[:-len(".scenario.yaml")] for p in glob.glob(os.path.join(HERE, "*.scenario.yaml")))


def load(name):
	with open(os.path.join(HERE, name + ".scenario.yaml"), encoding="utf-8") as f:
		return yaml.load(f, Loader=yaml.BaseLoader)             # every scalar stays the text that was written


def as_list(value):
	return value if isinstance(value, list) else [value]


def subset(want, have):
	"""Is all of `want` in `have`? Texts are compared as they are written."""
	if isinstance(want, dict):
		return isinstance(have, dict) and all(k in have and subset(v, have[k]) for k, v in want.items())
	if isinstance(want, list):
		return isinstance(have, list) and len(want) == len(have) and all(map(subset, want, have))
	if isinstance(have, bool):
		return want == str(have).lower()
	if have is None:
		return want in ("", "null")
	if isinstance(have, (int, float)):
		try:
			return abs(float(want) - have) < 1e-9
		except ValueError:
			return False
	return want == str(have)


class Control:
	"""The daemon's control socket: a clock that is moved thousands of times needs no process each."""

	def __init__(self, path):
		self.path, self.file = path, None

	def connect(self):
		s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
		s.settimeout(60)
		s.connect(self.path)
		self.file = s.makefile("rwb")
		s.close()                               # the file holds it

	def lines(self, asked, n):
		if not self.file:
			self.connect()
		self.file.write(asked)
		self.file.flush()
		answers = [self.file.readline() for _ in range(n)]
		if not answers[-1]:
			raise ConnectionError("the daemon closed its control socket")
		return answers

	def ask(self, *requests, verb="clock"):
		"""The last one's answer; one after the other, in one go."""
		asked = b"".join(json.dumps(dict(r, verb=verb), ensure_ascii=False).encode() + b"\n" for r in requests or ({},))
		try:
			answers = self.lines(asked, max(1, len(requests)))
		except ConnectionError:                 # it may drop who was silent for long, or have been started anew
			self.file = None
			answers = self.lines(asked, max(1, len(requests)))
		for answer in map(json.loads, answers):
			if "error" in answer:
				raise Untrue(f"the clock: {answer['error']}")
		return answer


ALL = ("dept/+/event/+", "out/+/+", "dept/+/queue/+", "wall", "report/+", "public/+")


class World:
	"""The office at work, and all that it says, or what one wants to hear besides the answers."""

	def __init__(self, stack, tell=lambda *_: None, bound=10, hear=ALL):
		self.stack, self.tell, self.bound = stack, tell, bound
		self.db = stack.db()
		self.root = f"needle/{stack.tenant}"
		self.told = []                          # events and replies
		self.shown = {}                         # topic -> its newest card, list or wall
		self.answers = {}                       # id of a report, or request of a command -> what came back
		env = stack.env
		self.wire = Wire(env["NEEDLE_MQTT_HOST"], int(env["NEEDLE_MQTT_PORT"]), "admin", env["NEEDLE_MQTT_PASSWORD"], self.take)
		stack.opened.append(self.wire)
		self.wire.subscribe(*(f"{self.root}/{f}" for f in ("receipt/+/+", "dept/+/result", *hear)))
		self.control = Control(env["NEEDLE_CTL"])
		self.cases = {}

	def take(self, m):
		"""What comes; receipts and results are answers."""
		levels = m.topic.split("/")
		if levels[2] == "receipt" or levels[4:] == ["result"]:
			self.answers[m.json.get("id") or m.json.get("request")] = m.json
		elif levels[2] == "out" or levels[4:5] == ["event"]:
			self.told.append(m)
		else:
			self.shown[m.topic] = m

	def wait_answers(self, ids, bound=60):
		left = set(ids)

		def all_there():
			left.difference_update([i for i in left if i in self.answers])
			return not left
		try:
			self.wire.wait(all_there, bound, "answers")
		except AssertionError as e:
			raise Untrue(f"no answer to {sorted(left)[:5]}") from e
		return [self.answers[i] for i in ids]

	# ---- time ----
	def now(self):
		return self.control.ask()["now"]

	def settle(self):
		"""The clock, once all is done that is due."""
		return self.control.ask({"settle": True})

	def quiet(self):
		"""All that was done has been told, and read."""
		self.settle()
		self.wire.wait(lambda: self.control.ask(verb="status")["outbox"] == 0, 30, "the outbox to be empty", every=0.005)

	def go(self, at):
		"""Stops at each list and visit on the way, so that they show the office as it was then."""
		at = at.replace(" ", "T") if not at.startswith("+") else self.later(at[1:].strip())
		at = at if at.endswith("+08:00") else (at if at.count(":") > 1 else at + ":00") + "+08:00"
		stop = self.settle()["next"]
		while stop and stop < at:
			stop = self.control.ask({"set": stop}, {"settle": True})["next"]
		return self.control.ask({"set": at}, {"settle": True})

	def later(self, span):
		calendar = [] if span.split()[-1] in ("分钟", "小时") else ["--calendar", "机关"]
		return self.stack.ctl_json("deadline", span, "--from", self.now(), *calendar)["due"]

	# ---- names ----
	def meant(self, value):
		"""$井盖 -> its case number, wherever it stands."""
		if isinstance(value, dict):
			return {k: self.meant(v) for k, v in value.items()}
		if isinstance(value, list):
			return [self.meant(v) for v in value]
		if isinstance(value, str) and value.startswith("$"):
			if value[1:] not in self.cases:
				raise Untrue(f"nothing was called {value[1:]}")
			return self.cases[value[1:]]
		return value

	# ---- what people do ----
	def send_report(self, report):
		"""Publishes and returns the id; the receipt is in self.answers when it has come."""
		report = dict(report)
		channel, source = report.pop("channel"), report.pop("source", "desk")
		named = report.pop("answer_to", None)   # a decoder's own message: the id that it makes of it
		if not named:
			report.setdefault("id", f"s{next(NUMBERS)}")
		named = named or report["id"]
		if "grid" in report:
			report["place"] = dict(report.get("place", {}), grid=report.pop("grid"))
		if "votes" in report:
			report["votes"] = {k: int(v) for k, v in report["votes"].items()}
		self.answers.pop(named, None)
		self.wire.publish(f"{self.root}/in/{channel}/{source}", report)
		return named

	def send_command(self, command):
		command = dict(command)
		dept = command.pop("dept")
		command.setdefault("request", f"q{next(NUMBERS)}")
		self.wire.publish(f"{self.root}/dept/{dept}/cmd", dict(command, v=1))
		return command["request"]

	def report(self, words, usual="created"):
		words = self.meant(dict(words))
		name, want = words.pop("as", None), words.pop("result", usual)
		receipt = self.wait_answers([self.send_report(words)], 20)[0]
		self.tell(f"  {words['channel']}: {words.get('text', words.get('kind', ''))} → {receipt['result']} "
			  f"{receipt.get('case') or ''} {receipt.get('department') or ''}")
		if receipt["result"] != want:
			raise Untrue(f"the receipt says {receipt}")
		if name:
			self.cases[name] = receipt["case"]

	def do(self, words):
		words = self.meant(dict(words))
		want, because, name = words.pop("result", "done"), words.pop("because", ""), words.pop("as", None)
		result = self.wait_answers([self.send_command(words)], 20)[0]
		self.tell(f"  {words['dept']} {words['action']} {words['case']} → {result['result']} {result.get('reason') or ''}")
		if result["result"] != want or because not in (result.get("reason") or ""):
			raise Untrue(f"{words}: {result}")
		if name:
			self.cases[name] = result["case"]

	def call(self, words):
		"""Gives a case a name that something else than a report has made."""
		where, values = self.where(words.get("where", {}))
		self.must(lambda: self.db.value(f"select count(*) from needle.{words['view']} where {where}", *values), True, str(words))
		self.cases[words["as"]] = self.db.all(f"select number from needle.{words['view']} where {where} order by 1", *values)[0]["number"]

	def restart(self, _=None):
		self.stack.kill(number=signal.SIGKILL)
		self.stack.up()

	def many(self, words):
		since = time.monotonic()
		done = bulk.live(self, self.meant(words))
		self.tell(f"  {done['items']} 件，{done['messages']} 条报文，{time.monotonic() - since:.1f} 秒")

	# ---- what must be so ----
	def check_event(self, want, there=True):
		case = want.get("case", "").encode()

		def found():
			return [m for m in self.told if "/event/" in m.topic and case in m.payload and subset(want, m.json)]
		self.must(found, there, f"an event {want}")

	def check_no_event(self, want):
		self.check_event(want, there=False)

	def check_reply(self, want):
		has = want.pop("has", "")
		case = want.get("case", "").encode()
		self.must(lambda: [m for m in self.told if "/out/" in m.topic and case in m.payload and subset(want, m.json) and has in m.json["text"]],
			  True, f"a reply {want} with “{has}”")

	def check_card(self, want):
		case, department, gone = want.pop("case"), want.pop("department"), want.pop("gone", "no") == "yes"
		topic = f"{self.root}/dept/{department}/queue/{case}"

		def found():
			seen = self.shown.get(topic)
			if gone:
				return not seen or not seen.payload
			return seen and seen.payload and subset(want, seen.json)
		self.must(found, True, f"{'no ' if gone else ''}card of {case} at {department} {want}")

	def check_topic(self, want):
		topic = f"{self.root}/{want['name']}"

		def found():
			seen = self.shown.get(topic)
			return seen and subset(want.get("has", {}), seen.json)
		self.must(found, True, f"{want}; it is {self.shown.get(topic, 'empty')}")

	def where(self, words):
		names = list(words)
		return (" and ".join(f"{n} {'is null' if words[n] == '' else '::text = %s'}" for n in names) or "true",
			[words[n] for n in names if words[n] != ""])

	def check_row(self, want):
		where, values = self.where(want.get("where", {}))
		rows = self.db.all(f"select * from needle.{want['view']} where tenant = '{self.stack.tenant}' and {where}", *values)
		if not any(subset(want["has"], plain(r)) for r in rows):
			raise Untrue(f"{want['view']} {want.get('where')} should have {want['has']}; it has "
				     f"{[{k: plain(r).get(k) for k in want['has']} for r in rows[:3]]}")

	def check_count(self, want):
		where, values = self.where(want.get("where", {}))
		sql = f"select count(*) from needle.{want['view']} where tenant = '{self.stack.tenant}' and {where}"
		self.must(lambda: str(self.db.value(sql, *values)) == want["is"], True,
			  f"{want['is']} rows of {want['view']} {want.get('where', {})}", 30)

	def check_history(self, want):
		"""These kinds in this order, others between them."""
		rows = self.db.all("select * from needle.v_history where number = %s order by seq", want["case"])
		left = iter(rows)
		for kind in want["kinds"]:
			kind, _, department = kind.partition(" ")
			if not any(r["kind"] == kind and department in ("", r["department"]) for r in left):
				raise Untrue(f"{want['case']} has no {kind} {department} at its place: "
					     f"{[(r['kind'], r['department']) for r in rows]}")

	def check_rate(self, want):
		words = ["--name", want["name"]] + [w for k in ("period", "scope") if k in want for w in ("--" + k, want[k])]
		found = self.stack.ctl_json("rates", *words, "--cases")["rates"]
		found = [r for r in found if r["scope"] == want.get("scope", "all")]
		if not found:
			raise Untrue(f"there is no rate {want}")
		r = found[0]
		have = [str(r["numerator"]), str(r["denominator"])]
		if have != want["is"] or ("percent" in want and f"{100 * r['value']:.1f}" != want["percent"]):
			raise Untrue(f"{want['name']} {want.get('period', '')}: {'/'.join(have)} = {r['value']}, not {want}")
		if sum(c["counts"] for c in r["cases"]) != r["numerator"] or len(r["cases"]) != r["denominator"]:
			raise Untrue(f"{want['name']}: its cases are not its number")
		self.tell(f"  {want['name']} {want.get('period', '')} {want.get('scope', '')}: {'/'.join(have)}"
			  + (f" = {100 * r['value']:.2f}%" if r["value"] is not None else ""))

	def check_list(self, want):
		rows = self.db.all("select payload from needle.v_bulletin where name = %s order by due_at", want["name"])
		if "made" in want and str(len(rows)) != want["made"]:
			raise Untrue(f"{want['name']} was made {len(rows)} times, not {want['made']}")
		if "has" in want and not any(subset(want["has"], r["payload"]) for r in rows):
			raise Untrue(f"no {want['name']} with {want['has']}")
		if "total" in want and str(rows[-1]["payload"]["total"]) != want["total"]:
			raise Untrue(f"{want['name']} has {rows[-1]['payload']['total']} rows, not {want['total']}")
		if "row" in want and not any(subset(want["row"], row) for row in rows[-1]["payload"]["rows"]):
			raise Untrue(f"{want['name']} has no row {want['row']}: {rows[-1]['payload']['rows'][:12]}")

	def check_parts(self, want):
		"""How many parts (communities …) reach a rate: [reached, all]."""
		found = self.stack.ctl_json("rates", "--name", want["name"], "--period", want["period"], "--by", want["by"])["rates"]
		have = [str(sum(r["value"] >= float(want["at_least"]) for r in found)), str(len(found))]
		self.tell(f"  {want['name']} {want['period']} {want['by']} ≥ {want['at_least']}: {'/'.join(have)}")
		if have != want["is"]:
			raise Untrue(f"{want}: {'/'.join(have)}: {[(r['scope'], round(r['value'], 3)) for r in found]}")

	def check_trend(self, want):
		"""A rate or its numerator over periods: falling, rising."""
		values = []
		for period in want["periods"]:
			r = self.stack.ctl_json("rates", "--name", want["name"], "--period", period)["rates"][0]
			values.append(r["numerator"] if want.get("of") == "numerator" else
				      r["denominator"] if want.get("of") == "denominator" else r["value"])
		pairs = list(zip(values, values[1:]))
		good = all(a > b for a, b in pairs) if want["is"] == "falling" else all(a < b for a, b in pairs)
		self.tell(f"  {want['name']}: " + " → ".join(f"{v:.4g}" for v in values))
		if not good:
			raise Untrue(f"{want['name']} is not {want['is']}: {values}")

	def must(self, found, there, what, bound=None):
		if not there:
			self.quiet()
			if found():
				raise Untrue(f"there is {what}")
			return
		try:
			self.wire.wait(found, min(bound or self.bound, 3 * self.bound), what, every=0.02)
		except AssertionError as e:
			raise Untrue(f"there is not {what}") from e

	def expect(self, checks):
		for check in as_list(checks):
			(word, want), = check.items()
			known = getattr(self, "check_" + word, None)
			if not known:
				raise ValueError(f"expect: there is no check {word}")
			known(self.meant(dict(want)))

	def step(self, step):
		unknown = set(step) - {"at", "say", "report", "tell", "do", "call", "many", "restart", "expect"}
		if unknown:
			raise ValueError(f"a step has no {unknown}")
		if "at" in step:
			self.go(step["at"])
		self.tell(f"{self.now()[:16].replace('T', ' ')}  {step.get('say', '')}")
		acts = {"report": self.report, "tell": lambda w: self.report(w, "updated"), "do": self.do, "call": self.call,
			"many": self.many,
			"restart": self.restart, "expect": self.expect}
		for key in (k for k in step if k in acts):              # in the order in which they are written
			for words in as_list(step[key]):
				acts[key](words)


def plain(row):
	"""A row as JSON would say it."""
	return {k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in row.items()}


class Telling:
	"""One story on a stack of its own. `change`: a promise that is broken before it begins."""

	def __init__(self, name, change=None, tell=lambda *_: None):
		self.name, self.change, self.tell = name, change, tell
		self.words = load(name)

	def folder(self, place):
		shutil.copytree(os.path.join(ROOT, "config", "profiles", self.words["profile"]), place)
		for change in as_list(self.change or []):
			path = os.path.join(place, change["file"])
			with open(path, encoding="utf-8") as f:
				text = f.read()
			if change["from"] not in text:
				raise ValueError(f"{change['file']} has no “{change['from']}”")
			with open(path, "w", encoding="utf-8") as f:
				f.write(text.replace(change["from"], change["to"]))
		return place

	def run(self, scratch):
		"""Raises Untrue when the story does not come true."""
		config = self.folder(os.path.join(scratch, "config"))
		stack = Stack(os.path.join(ROOT, "build", "run", f"scenario-{self.name}-{os.getpid()}-{next(NUMBERS)}"), config=config,
			      simulate=self.words["start"])
		failed = True
		try:
			# What must not come need not be waited for so long.
			world = World(stack.up(), self.tell, 3 if self.change else 10)
			for i, step in enumerate(self.words["story"], 1):
				try:
					world.step(step)
				except Untrue as e:
					raise Untrue(f"{self.name}, step {i} ({step.get('say', step.get('at', ''))}): {e}") from e
			failed = False
		finally:
			if failed and not self.change and os.path.isdir(stack.folder):
				stack.keep_logs(os.path.join(ROOT, "build", "failed", f"scenario-{self.name}"))
			stack.down()


__all__ = ["Telling", "Untrue", "load", "names"]
