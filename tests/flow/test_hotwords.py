"""Hot words: what is talked about in groups but hardly reported becomes one proposal in triage, and only one."""
import os
import signal

import pytest

from lib.folder import adds, demo, edit_running, includes
from lib.wait import wait_for

STATISTICS = """
hotwords: {before: 28d, min: 8, rise: 2, talk: 20, per_report: 10, channel: proposals, category: 邻里, ignore: [中秋], most: 3, again: 180d}
"""
REPORTS = """
reports:
  hot: {name: 每周热词, every: 每周一 08:00 遇休不变, to: dangzheng, content: hotwords}
"""
DAILY = ["东门的快递柜又满了", "谁家快递放错了，三楼的", "团购苹果还有吗", "团购的鸡蛋到了", "电梯今天又停了", "楼下电梯在检修吗", "早上好", "物业费几号交",
	 "有人去菜市场吗", "菜市场白菜便宜", "捡到钥匙一把", "谁丢了钥匙", "幼儿园几点放学", "接孩子的在幼儿园门口", "晚安各位"]
THROWN = ["楼上又高空抛物了", "高空抛物太危险", "谁家高空抛物，差点砸到人", "求管管高空抛物", "三号楼高空抛物", "昨晚高空抛物", "也看见高空抛物了", "孩子差点被高空抛物砸到"]
FEAST = ["中秋快乐", "大家中秋快乐", "祝中秋快乐啊", "邻居们中秋快乐", "中秋月饼到了", "也祝中秋快乐"]
SECRET = ["举报甲乙丙丁贪污", "又是甲乙丙丁", "甲乙丙丁不管事", "请查甲乙丙丁吧", "说的就是甲乙丙丁呢"]


def folder(at):
	return demo(at, {"needle.yaml": includes("statistics.yaml"), "deadlines.yaml": lambda t: t.partition("\nreports:")[0] + REPORTS,
			 "channels.yaml": adds("  proposals: {name: 群众热议立项, triage: yes}\n")}, {"statistics.yaml": STATISTICS})


STACK = {"config": folder, "simulate": "2026-11-02 08:30:00"}


def go(office, at):
	office.clock("set", at)
	wait_for(lambda: office.stack.ctl_json("clock", "show")["settled"], 60, f"{at} to be settled")


def say(office, lines, kind="talk", times=1, **members):
	for n in range(times):
		for line in lines:
			office.report("patrol", "group", kind=kind, text=line, place={"grid": f"41010600300100{n % 4 + 1}"}, **members)


def lists(office):
	return [r["payload"] for r in office.db.all("select payload from needle.v_bulletin where name = 'report/hot' order by due_at")]


def proposals(office):
	return office.db.all("select * from needle.v_case where channel = 'proposals' order by number")


def test_talk_becomes_a_proposal_in_triage_once(office):
	say(office, DAILY, times=8)
	go(office, "2026-11-09 08:00")
	assert not [r for r in lists(office)[0]["rows"] if r[0] != "高频"]          # there is no time before
	go(office, "2026-11-10 09:00")
	say(office, DAILY, times=4)
	say(office, THROWN, times=4)
	say(office, FEAST, times=5)
	say(office, THROWN[:1], kind="report", category="邻里")
	say(office, SECRET, times=8, reporter={"name": "陈木兰", "phone": "13811112222", "secret": True})
	go(office, "2026-11-16 08:00")
	week = lists(office)[1]
	assert week["columns"] == ["类型", "词语或网格", "本期", "反映", "群聊", "前期", "倍数", "又作"]
	assert [r[:6] for r in week["rows"] if r[0] == "议论多反映少"] == [["议论多反映少", "高空抛物", "33", "1", "32", "0"]]
	assert "高空抛物" in {r[1] for r in week["rows"] if r[0] == "上升"}
	assert not [r for r in week["rows"] if "中秋" in r[1] or "甲乙" in r[1]]
	case = wait_for(lambda: proposals(office), what="the proposal")[0]
	assert (case["state"], case["lead"]) == ("triage", "dangzheng") and "“高空抛物”" in case["title"]
	assert case["extra"]["hotword"] == "高空抛物"
	office.card(case["number"], "dangzheng", role="triage")
	assert office.history(case["number"])[0]["note"].startswith("waits for triage")
	office.stack.kill()
	office.stack.up()
	say(office, DAILY, times=8)
	say(office, THROWN, times=8)
	go(office, "2026-11-23 08:00")
	assert len(lists(office)) == 3 and len(proposals(office)) == 1
	assert [r[1] for r in lists(office)[2]["rows"] if r[0] == "议论多反映少"] == ["高空抛物"], lists(office)[2]["rows"]   # known by now


def test_triage_hands_a_proposal_out(office):
	number = proposals(office)[0]["number"]
	assert "triage" in office.refused("dangzheng", number, "accept")
	assert office.done("dangzheng", number, "transfer", to="wuye", note="装摄像头") == "assigned"
	office.done("wuye", number, "accept", by="sun")
	assert office.row(number)["lead"] == "wuye"


def test_talk_makes_no_case(office):
	assert not office.db.value("select count(*) from needle.report where kind = 'talk' and number is not null")


def lists_at(office, at):
	return office.db.value("select count(*) from needle.v_bulletin where name = 'report/hot' and due_at = %s", at + "+08")


GATE = 7700077


@pytest.fixture(scope="module")
def gate(office):
	"""Whoever reads the texts of hot words waits at a gate; all others pass by it."""
	Gate.define(office, f"perform pg_advisory_xact_lock_shared({GATE})")
	office.db.all("create policy gate on needle.report using (needle.gate()) with check (true)")
	office.db.all("alter table needle.report enable row level security, force row level security")
	yield Gate(office)


class Gate:
	def __init__(self, office):
		self.office = office

	@staticmethod
	def define(office, what):
		office.db.all(f"""create or replace function needle.gate() returns bool language plpgsql as $$ begin
			if current_setting('application_name') = 'needled hot words' then {what}; end if;
			return true; end $$""")

	def shut(self):
		self.office.db.all(f"select pg_advisory_lock({GATE})")

	def wait(self, waiting=1):
		wait_for(lambda: self.office.db.value("select count(*) from pg_stat_activity where application_name = 'needled hot words'"
						      " and wait_event_type = 'Lock'") == waiting, 60, "the count to begin")

	def open(self):
		self.office.db.all("select pg_advisory_unlock_all()")


def work_goes_on(office):
	for n in range(30):
		receipt = office.report("patrol", text=f"第{n}个井盖破损，{office.new_id()}", category="市政/井盖")
		assert receipt["result"] in ("created", "joined"), receipt
	case = office.case("patrol", text=f"路灯不亮 {office.new_id()}", category="市政/路灯")
	assert office.done("chengguan", case, "accept", by="wang") == "accepted"


def test_work_goes_on_while_words_are_counted_and_the_list_comes_once(office, gate):
	due = "2026-11-30 08:00"
	say(office, THROWN, times=2)
	gate.shut()
	office.clock("set", due)
	gate.wait()
	work_goes_on(office)
	assert not office.stack.ctl_json("clock", "show")["settled"] and not lists_at(office, due)
	office.stack.kill()
	assert not lists_at(office, due)
	office.stack.up()
	gate.wait(2)                                    # the server has not heard yet that the first one is dead
	work_goes_on(office)
	assert not lists_at(office, due)
	gate.open()
	wait_for(lambda: office.stack.ctl_json("clock", "show")["settled"], 60, "the list")
	assert lists_at(office, due) == 1
	office.stack.kill()
	office.stack.up()
	wait_for(lambda: office.stack.ctl_json("clock", "show")["settled"], 60, "the daemon to be up")
	assert lists_at(office, due) == 1


def test_a_reload_begins_the_count_anew_and_the_list_comes_once(office, gate):
	due = "2026-12-07 08:00"
	say(office, THROWN[:2], times=1)
	gate.shut()
	office.clock("set", due)
	gate.wait()
	edit_running(office.stack, "statistics.yaml", lambda t: t.replace("min: 8", "min: 4"))
	assert office.stack.ctl("reload").returncode == 0
	work_goes_on(office)
	assert not lists_at(office, due)
	gate.open()
	wait_for(lambda: office.stack.ctl_json("clock", "show")["settled"], 60, "the list")
	assert lists_at(office, due) == 1
	assert office.db.value("select config from needle.v_bulletin where name = 'report/hot' order by due_at desc limit 1") == \
		office.stack.ctl_json("status")["config"]


def test_who_is_told_to_stop_leaves_the_list_to_the_next_life(office, gate):
	due = "2026-12-14 08:00"
	say(office, THROWN[:2], times=1)
	gate.shut()
	office.clock("set", due)
	gate.wait()
	os.kill(office.stack.pid(), signal.SIGTERM)
	gate.open()
	wait_for(lambda: not office.stack.running(), 60, "the end")
	office.stack.up()
	wait_for(lambda: office.stack.ctl_json("clock", "show")["settled"], 60, "the list")
	assert lists_at(office, due) == 1


def test_a_count_that_fails_is_made_again_and_holds_up_nobody(office, gate):
	due = "2026-12-21 08:00"
	say(office, THROWN[:2], times=1)
	gate.define(office, "raise exception 'no more' using errcode = '53200'")
	office.clock("set", due)
	wait_for(lambda: "hotwords" in office.stack.log() and "no more" in office.stack.log(), 60, "the failure to be told")
	work_goes_on(office)
	assert not lists_at(office, due) and office.stack.log().count("no more") < 10
	gate.define(office, "null")
	wait_for(lambda: office.stack.ctl_json("clock", "show")["settled"], 60, "the list")
	assert lists_at(office, due) == 1


def test_old_talk_is_forgotten_and_hot_places_still_know_where_it_was(office, gate):
	"""`privacy.retain` holds for talk as well: words and who said them go, that it was said, when and where stays."""
	secret = {"reporter": {"name": "陈木兰", "phone": "13811112222"}, "wechat": "openid-of-chen"}
	office.report("patrol", "group", kind="talk", text="今天的话，陈木兰", place={"grid": "410106003001001"}, **secret)
	kept = office.db.one("select count(*) as n, count(distinct grid) as grids from needle.report where kind = 'talk'")
	said = "select count(*) from needle.report where kind = 'talk' and (text is not null or extra is not null or shown is not null or media is not null)"
	people = "select count(*) from needle.person p join needle.report r using (tenant, channel, id) where r.kind = 'talk'"
	everything = office.db.value(said)
	assert everything > 400 and office.db.value(people) >= 1
	edit_running(office.stack, "needle.yaml", lambda t: t.replace("retain: 5y", "retain: 30d"))
	assert office.stack.ctl("reload").returncode == 0
	office.clock("set", "2026-12-28 07:00")
	wait_for(lambda: office.stack.ctl_json("clock", "show")["settled"], 60, "the lists")
	limit = "2026-11-28 07:00+08"
	wait_for(lambda: not office.db.value(said + " and received_at < %s", limit), 60, "old talk to be forgotten")
	left = office.db.value(said)
	assert 0 < left < everything and left == office.db.value("select count(*) from needle.report where kind = 'talk' and received_at >= %s", limit)
	assert office.db.value(people) >= 1                                 # what is young is kept
	office.clock("set", "2027-01-25 07:00")
	wait_for(lambda: not office.db.value(said) and not office.db.value(people), 60, "all talk to be forgotten")
	assert office.db.one("select count(*) as n, count(distinct grid) as grids from needle.report where kind = 'talk'") == kept
	assert office.db.value("select talk from needle.forgotten") is not None
	assert not office.db.value("select count(*) from needle.report where kind <> 'talk' and text is null and category is null")
