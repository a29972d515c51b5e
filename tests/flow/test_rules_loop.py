"""The loop of a clerk who changes a rule: test, check --all, reload, and the counts afterwards.

The load of the last test is short by default; NEEDLE_RELOADS=1000 NEEDLE_RATE=1000 is the whole of it.
"""
import itertools
import json
import os
import re
import shutil
import socket
import threading
import time
import xml.etree.ElementTree as xml

import pytest

from lib.stack import ROOT, needlectl
from lib.wait import wait_for

DEMO = os.path.join(ROOT, "config", "demo")
ROUTES, NIGHT = "tests/路由.test.yaml", "tests/夜间.test.yaml"
RELOADS, RATE = int(os.environ.get("NEEDLE_RELOADS", "200")), int(os.environ.get("NEEDLE_RATE", "250"))


LAMP = "  lamp:    {name: 路灯, subscribe: [vendor-x/+/alarm]}\n"


def read(folder, name):
	with open(os.path.join(folder, name), encoding="utf-8") as f:
		return f.read()


def write(folder, name, text):
	"""In one step, so that nobody reads half of it."""
	path = os.path.join(folder, name)
	with open(path + ".new", "w", encoding="utf-8") as f:
		f.write(text)
	os.rename(path + ".new", path)


def change(folder, name, old, new):
	"""Returns the line of the change."""
	text = read(folder, name)
	assert text.count(old) >= 1, old
	write(folder, name, text.replace(old, new, 1))
	return text[:text.index(old)].count("\n") + 1


def answer(*argv):
	done = needlectl(*argv, "--format", "json")
	return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


# ---- on a folder -----------------------------------------------------------------------------------

@pytest.fixture
def demo(tmp_path):
	folder = str(tmp_path / "demo")
	shutil.copytree(DEMO, folder)
	return folder


@pytest.mark.parametrize("name", ("demo", "reference"))
def test_the_folders_that_we_ship_pass_their_tests_and_cover_their_rules(name):
	code, said = answer("test", "-c", os.path.join(ROOT, "config", name))
	assert code == 0 and said["failed"] == 0 and said["passed"] >= 5 and said["failures"] == []
	assert said["coverage"]["percent"] >= 80
	assert said["coverage"]["won"] + len(said["coverage"]["uncovered"]) == said["coverage"]["rules"]
	assert needlectl("check", "--all", "-c", os.path.join(ROOT, "config", name)).returncode == 0


BROKEN = (
	("rule: 燃气泄漏, source", "rule: 起火冒烟, source", "rule", "起火冒烟", "燃气泄漏"),
	("not_rule: 设备欠压离线, dept: wuye", "not_rule: 设备欠压离线, dept: chengguan", "dept", "chengguan", "wuye"),
	("{not_rule: 燃气泄漏", "{not_rule: 没有这条", "not_rule", "没有这条", None),
	("{source: category, dept: yingji}", "{source: rule, dept: yingji}", "source", "rule", "category"),
	("urgency: normal", "urgency: urgent", "urgency", "urgent", "normal"),
	("copies: [dangzheng, ducha]", "copies: [ducha]", "copies", "[ducha]", "[dangzheng, ducha]"),
	("resolve: 2026-02-27 17:30", "resolve: 2026-02-27 17:00", "due.resolve", "2026-02-27 17:00", "2026-02-27 17:30"),
	("due: {accept: 2026-02-14 11:40}", "provisional: yes", "provisional", "true", "false"),
	("event: reminded, to: lead}", "event: reminded, to: leader}", "to", "leader", "lead"),
	("event: escalated, to: leader, level: 1", "event: escalated, to: leader, level: 3", "level", "3", "1"),
	("at: +6 工作日, expect: {event: escalated, to: leader, level: 1}", "at: +6 工作日, expect: {event: supervised}",
	 "event", "supervised", "due_soon wuye, overdue wuye, escalated wuye, escalated dangzheng"),
	("at: +6 工作日", "at: +5 工作小时", "at", "later than 2026-02-24 09:00", "2026-02-14 14:10"),
	("action: accept, dept: wuye", "action: resolve, dept: wuye", "do", "done", None),
)


@pytest.mark.parametrize("old,new,field,want,got", BROKEN, ids=[b[2] + " " + b[3] for b in BROKEN])
def test_a_wrong_expectation_is_shown_on_its_line(demo, old, new, field, want, got):
	line = change(demo, ROUTES, old, new)
	code, said = answer("test", "-c", demo)
	assert code == 1 and said["failed"] == 1, said
	failure = said["failures"][0]
	assert (failure["file"], failure["line"], failure["field"], failure["want"]) == (ROUTES, line, field, want)
	assert got is None or failure["got"] == got
	text = needlectl("test", "-c", demo, "--lang", "en")
	assert text.returncode == 1 and f"{ROUTES}:{line}: {field}:" in text.stdout
	assert failure["name"] in text.stdout and len(re.findall("✘", text.stdout)) == 1
	code, found = answer("check", "--all", "-c", demo)
	assert code == 1
	assert [(f["code"], f["file"], f["line"]) for f in found["findings"] if f["severity"] == "error"] == [("E60", ROUTES, line)]
	assert answer("check", "-c", demo)[0] == 0, "without --all the tests are not run"


def test_a_test_is_read_as_strictly_as_the_configuration(demo):
	line = change(demo, NIGHT, "expect: {rule: 夜间噪声", "expect: {rul: 夜间噪声")
	code, found = answer("check", "-c", demo)
	error = next(f for f in found["findings"] if f["severity"] == "error")
	assert code == 1 and (error["code"], error["file"], error["line"]) == ("E10", NIGHT, line) and "rule" in error["remedy"]
	assert needlectl("test", "-c", demo).returncode == 78


def test_too_little_coverage_is_a_finding_of_check_all_and_names_the_rules(demo):
	change(demo, "needle.yaml", "tests: [tests/路由.test.yaml, tests/夜间.test.yaml]", "tests: [tests/夜间.test.yaml]")
	code, said = answer("test", "-c", demo)
	assert code == 0 and said["coverage"]["won"] == 1 and said["coverage"]["percent"] == 7, "rounded down"
	assert {"rule": "燃气泄漏", "file": "rules.yaml", "line": 5} in said["coverage"]["uncovered"]
	assert "rules.yaml:5:" in needlectl("test", "-c", demo).stdout
	code, found = answer("check", "--all", "-c", demo)
	errors = [f for f in found["findings"] if f["severity"] == "error"]
	assert code == 1 and [(e["code"], e["file"]) for e in errors] == [("E60", "needle.yaml")]
	assert read(demo, "needle.yaml").splitlines()[errors[0]["line"] - 1].startswith("reload:")


def test_junit_names_every_test_and_what_failed(demo):
	change(demo, ROUTES, "urgency: normal", "urgency: urgent")
	done = needlectl("test", "-c", demo, "--format", "junit")
	suite = xml.fromstring(done.stdout).find("testsuite")
	assert done.returncode == 1 and int(suite.get("tests")) == len(suite.findall("testcase")) == 25
	failed = [c for c in suite.findall("testcase") if c.find("failure") is not None]
	assert int(suite.get("failures")) == len(failed) == 1 and failed[0].get("name") == "井盖设备没电是小事"
	assert needlectl("check", "-c", demo, "--format", "junit").returncode == 2


# ---- at the daemon ---------------------------------------------------------------------------------

@pytest.fixture
def folder(office):
	"""The running daemon's folder, put back and at work again afterwards."""
	place = office.stack.env["NEEDLE_CONFIG"]
	names = ("needle.yaml", "rules.yaml", "channels.yaml", ROUTES, NIGHT)
	before = {name: read(place, name) for name in names}
	yield place
	for name, text in before.items():
		write(place, name, text)
	assert office.stack.ctl("reload").returncode == 0


def refused(office, line=None, code="E60", file=None):
	"""A reload that must be refused; everybody hears of it, and the old configuration works on."""
	stack = office.stack
	before = stack.ctl_json("status")["config"], stack.metric("needle_reloads_failed_total"), stack.log().count("config.refused")
	said = stack.ctl_json("reload")
	errors = [f for f in said["findings"] if f["severity"] == "error"]
	assert said["ok"] is False and said["config"] == before[0] and errors[0]["code"] == code, said
	assert line is None or errors[0]["line"] == line
	assert file is None or errors[0]["file"] == file
	last = stack.ctl_json("status")["last_reload"]
	assert last["ok"] is False and last["config"] == before[0] and last["findings"] == said["findings"]
	assert stack.metric("needle_reloads_failed_total") == before[1] + 1
	assert stack.metric("needle_config_last_reload_successful") == 0
	assert stack.log().count("config.refused") == before[2] + 1
	assert office.row(office.case(text="楼道煤气味"))["config"] == before[0]
	return said


def accepted(office):
	said = office.stack.ctl_json("reload")
	assert said["ok"] is True, said
	assert office.stack.metric("needle_config_last_reload_successful") == 1
	return said["config"]


def test_a_reload_is_refused_by_a_failing_test_and_not_where_the_policy_skips_them(office, folder):
	change(folder, "rules.yaml", "any: [燃气泄漏, 煤气味, 燃气味]", "any: [燃气泄漏]")
	line = next(n for n, text in enumerate(read(folder, ROUTES).splitlines(), 1) if "rule: 燃气泄漏, source" in text)
	refused(office, line, file=ROUTES)
	assert office.row(office.case(text="楼道煤气味"))["rule"] == "燃气泄漏"
	change(folder, "needle.yaml", "tests: required", "tests: skip")
	config = accepted(office)
	row = office.row(office.case(text="楼道煤气味"))
	assert row["config"] == config and row["rule"] is None


def test_a_reload_is_refused_by_too_little_coverage(office, folder):
	extra = "".join(f"  - {{id: 新规{n}, when: {{text: {{any: [新词{n}]}}}}, then: {{dept: wuye}}, owner: 孙某}}\n" for n in range(5))
	change(folder, "rules.yaml", "\n# 抄送", extra + "\n# 抄送")
	said = refused(office, file="needle.yaml")
	assert "13" in said["findings"][-1]["message"] and "18" in said["findings"][-1]["message"]
	change(folder, "needle.yaml", "min_coverage: 80", "min_coverage: 70")
	accepted(office)


def test_what_only_a_restart_changes_is_named(office, folder):
	change(folder, "needle.yaml", "durability: process", "durability: power")
	said = office.stack.ctl_json("reload")
	assert said["ok"] is True
	assert [(f["code"], f["file"]) for f in said["findings"] if f["code"] == "W40"] == [("W40", "needle.yaml")]


def test_sighup_is_judged_likewise(office, folder):
	change(folder, ROUTES, "urgency: normal", "urgency: urgent")
	before = office.stack.metric("needle_reloads_failed_total")
	os.kill(office.stack.pid(), 1)
	wait_for(lambda: office.stack.metric("needle_reloads_failed_total") == before + 1, what="the refusal")
	assert office.stack.ctl_json("status")["last_reload"]["findings"][-1]["code"] == "E60"


def counts(office):
	return {r["rule"]: (r["won"], r["lost"]) for r in office.stack.ctl_json("rules")["rules"]}


def test_every_rule_counts_what_it_won_and_what_an_earlier_one_took(office, folder):
	before = counts(office)
	office.case(text="煤气味，楼道冒烟")                    # 燃气泄漏 wins, 起火冒烟 comes too late
	office.case(text="厨房冒烟")
	office.report("patrol", text="厨房冒烟", id="hits-1")
	office.report("patrol", text="厨房冒烟", id="hits-1")     # a duplicate counts nothing
	office.case(text="没有规则管的事")

	def grown(now):
		return {rule: (won - before[rule][0], lost - before[rule][1]) for rule, (won, lost) in now.items()
			if (won, lost) != before[rule]}
	want = {"燃气泄漏": (1, 0), "起火冒烟": (2, 1)}
	assert grown(counts(office)) == want
	metrics = office.stack.http("/metrics")[1]
	now = counts(office)
	assert f'needle_rule_won_total{{rule="起火冒烟"}} {now["起火冒烟"][0]}\n' in metrics
	assert f'needle_rule_lost_total{{rule="起火冒烟"}} {now["起火冒烟"][1]}\n' in metrics
	change(folder, "rules.yaml", "# 规则", "# 规则表")
	accepted(office)
	assert grown(counts(office)) == want, "a reload loses no count"
	said = office.stack.ctl_json("rules")
	assert "中安街违建" in said["never_won"] and "起火冒烟" not in said["never_won"]
	text = office.stack.ctl("rules", "--lang", "en").stdout
	assert "起火冒烟" in text and "Never won" in text and "中安街违建" in text.rpartition("Never won")[2]


# ---- explain ---------------------------------------------------------------------------------------

def published(office, case):
	"""Every topic on which something was said about the case, receipts aside."""
	office.witness.quiet()
	heard = [*office.witness.events, *office.witness.cards, *office.witness.replies]
	return {m.topic for m in heard if case.encode() in m.payload}


def test_explain_names_the_topics_that_will_be_published(office, folder):
	flags = ("--channel", "patrol", "--text", "四方小区车棚冒烟", "--category", "公用/供气")
	said = office.stack.ctl_json("explain", *flags)
	case = office.case(text="四方小区车棚冒烟", category="公用/供气")
	office.event(case, "escalated", "dangzheng")
	want = {t.format(case=case, source="desk") for t in said["topics"] if "/receipt/" not in t}
	assert published(office, case) == want
	assert f"{office.root}/receipt/patrol/{{source}}" in said["topics"]


def test_explain_shows_the_arithmetic_and_what_nearly_took_it():
	ask = ("explain", "-c", DEMO, "--channel", "hotline", "--category", "物业/漏水", "--text", "天花板漏水",
	       "--grid", "410106003001003", "--at", "2026-02-13 16:40")
	code, said = answer(*ask)
	assert code == 0 and said["source"] == "category" and said["rule"] is None
	assert said["due"]["resolve"] == "2026-02-27T17:30:00+08:00"
	limit = said["limits"]["resolve"]
	assert limit["spec"] == "5 工作日" and limit["calendar"] == "机关"
	assert [day["date"] for day in limit["walk"] if day["counts"]] == [
		"2026-02-14", "2026-02-24", "2026-02-25", "2026-02-26", "2026-02-27"]
	near = {n["rule"]: n for n in said["near"]}
	assert near["九冶院漏水"]["failed"] == "grid" and near["九冶院漏水"]["met"] == 1
	assert "零六小区改造" not in near, "it fails in two"
	text = needlectl(*ask, "--lang", "en").stdout
	order = [text.index(word) for word in ("天花板漏水", "物业办", "category 物业/漏水", "4 工作小时", "2026-02-27 17:30",
					       "2026-02-15 Sun … 2026-02-23", "九冶院漏水: grid", "/queue/{case}")]
	assert order == sorted(order)


def test_explain_of_a_stored_case_tells_then_and_now(office, folder):
	receipt = office.report(text="我家有煤气味", reporter={"name": "李某某", "phone": "13800000000"})
	case, config = receipt["case"], office.row(receipt["case"])["config"]
	said = office.stack.ctl_json("explain", "--case", case)
	then = said["then"]
	assert said["same"] is True and said["config"] == then["config"] == config
	assert (then["department"], then["rule"], then["source"], then["policy"]) == ("yingji", "燃气泄漏", "rule", "特急")
	assert "煤气味" in then["why"] and then["at"] == said["at"]
	assert then["due"] == said["due"] == {k: v for k, v in receipt["due"].items() if v}
	assert f"{office.root}/dept/yingji/queue/{case}" in said["topics"]
	assert f"{office.root}/out/patrol/desk" in said["topics"]
	change(folder, "rules.yaml", "any: [燃气泄漏, 煤气味, 燃气味]", "any: [燃气泄漏]")
	change(folder, "needle.yaml", "tests: required", "tests: skip")
	now = office.stack.ctl_json("explain", "--case", case)
	assert now["same"] is False and now["then"] == then
	assert (now["department"], now["source"]) == ("dangzheng", "fallback")
	assert {"rule": "燃气泄漏", "failed": "text.any"}.items() <= next(n for n in now["near"] if n["rule"] == "燃气泄漏").items()
	text = office.stack.ctl("explain", "--case", case, "--lang", "en").stdout
	assert text.index("党政办") < text.index("decided then") < text.index("应急办") < text.index("different")
	assert "李某某" not in json.dumps(now, ensure_ascii=False) and "13800000000" not in text


def test_a_complaint_about_a_department_is_explained_as_it_was_decided(office, folder):
	case = office.case(text="上门态度不好", category="市政/路灯", accused="chengguan")
	said = office.stack.ctl_json("explain", "--case", case)
	assert said["same"] is True and said["department"] == office.row(case)["lead"] == "dangzheng"


def test_a_channel_comes_and_goes_with_a_reload(office, folder):
	topic, n = "vendor-x/7/alarm", itertools.count(1)

	def heard(bound):
		"""Is a message on that topic taken in? A few, because the broker learns of it a moment after the reload."""
		until = time.monotonic() + bound
		while time.monotonic() < until:
			name, dead = f"lamp-{next(n)}", len(office.dead(topic=topic))
			office.admin.publish(topic, {"v": 1, "id": name, "text": "路灯不亮"})
			office.case()           # what came before it is stored when it is
			if office.db.value("select count(*) from needle.v_case where report = %s", name) or \
					len(office.dead(topic=topic)) > dead:
				return True
		return False
	assert not heard(0.1)
	change(folder, "channels.yaml", "  letter:", LAMP + "  letter:")
	accepted(office)
	assert heard(5)
	change(folder, "channels.yaml", LAMP, "")
	accepted(office)
	wait_for(lambda: not heard(0.1), what="the end of the subscription")
	change(folder, "channels.yaml", "  letter:", LAMP + "  letter:")
	accepted(office)
	assert heard(5)


# ---- under load ------------------------------------------------------------------------------------

class Control:
	"""The daemon's socket, without a process a question."""

	def __init__(self, stack):
		self.socket = socket.socket(socket.AF_UNIX)
		self.socket.connect(stack.env["NEEDLE_CTL"])
		self.file = self.socket.makefile("r", encoding="utf-8")

	def ask(self, verb):
		self.socket.sendall((json.dumps({"verb": verb, "by": "load"}) + "\n").encode())
		return json.loads(self.file.readline())

	def close(self):
		self.file.close()
		self.socket.close()


class Producer(threading.Thread):
	"""Publishes reports at a steady rate until told to stop."""

	def __init__(self, office):
		super().__init__(daemon=True)
		self.client, self.root = office.stack.client("in-letter"), office.root
		self.stopped, self.n = threading.Event(), 0

	def run(self):
		since = time.monotonic()
		while not self.stopped.is_set():
			while self.n < (time.monotonic() - since) * RATE:
				self.n += 1
				self.client.publish(f"{self.root}/in/letter/load", {"id": f"load-{self.n}", "text": "测试词，楼道灯坏了"},
						    wait=False)
			time.sleep(0.005)


def test_reloads_under_load_lose_nothing_and_no_case_is_decided_by_half_a_configuration(office, folder):
	rule = "  - {id: 测试词, when: {text: {any: [测试词]}}, then: {dept: wuye}, owner: 孙某}\n"
	plain = read(folder, "rules.yaml")
	texts = [plain, plain.replace("\n# 抄送", rule + "\n# 抄送", 1)]
	receipts = office.admin.collect(f"{office.root}/receipt/letter/load")
	control, producer, hashes = Control(office.stack), Producer(office), [set(), set()]
	producer.start()
	began = time.monotonic()
	for n in range(RELOADS):
		write(folder, "rules.yaml", texts[n % 2])
		said = control.ask("reload")
		assert said["ok"], said
		hashes[n % 2].add(said["config"])
		time.sleep(max(0, began + (n + 1) * 0.02 - time.monotonic()))
	producer.stopped.set()
	producer.join()
	control.close()
	assert [len(h) for h in hashes] == [1, 1]
	answered = set()

	def a_receipt_each():
		with receipts.changed:
			news, receipts.messages = receipts.messages, []
		assert all(m.json["result"] in ("created", "duplicate") for m in news)
		answered.update(m.json["id"] for m in news)
		return len(answered) == producer.n
	wait_for(a_receipt_each, 60 + producer.n / 200, "a receipt each")
	rows = office.db.all("select config, coalesce(rule, '-') as rule, count(*) as n from needle.v_case"
			     " where report like 'load-%%' group by 1, 2")
	assert sum(r["n"] for r in rows) == producer.n, "each message is one case"
	by_config = {hashes[0].pop(): "-", hashes[1].pop(): "测试词"}
	assert {r["config"] for r in rows} <= set(by_config)
	assert all(by_config[r["config"]] == r["rule"] for r in rows), rows
	assert len(rows) == 2, "both were at work"
