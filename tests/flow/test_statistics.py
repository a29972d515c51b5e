"""What is counted and shown: rates with their cases, periodic lists, the wall, public lists, visits by register."""
import csv
import io
import json
import os
import re
import subprocess
import zipfile

import pytest

from lib import npm
from lib.folder import demo, edit_running, includes
from lib.wait import wait_for

STATISTICS = """
rates:
  签收率: {numerator: {all: accepted}}
  按时签收率: {numerator: {all: accepted_in_time, none: accepted_late}, denominator: {all: accepted}}
  办结率: {numerator: {all: resolved}, denominator: {none: [withdrawn, rejected]}}
  满意率: {of: rated, numerator: {any: [satisfied, basically]}, denominator: {all: rated}}
  热线占比: {numerator: {channel: hotline}, better: fewer}
  环卫办结率: {numerator: {all: resolved}, denominator: {category: 环卫}}
wall:
  aims:
    清零: {rate: 办结率, from: 2026-11-01, until: 2026-12-31, target: 5}
public:
  struck: {name: 销号公示, every: 每工作日 18:00, content: closed, covers: month}
inspections:
  shops:
    name: 安全检查
    register: 名录.csv
    channel: patrol
    category: 应急/消防
    grades: {甲: 每月1日 09:00 遇休顺延, 乙: 每季初 09:00 遇休顺延}
"""
SITES = """id,name,trade,grade,community,grid,contact,phone
s1,幸福饭店,餐饮,甲,幸福里社区,410106003007012,陈木兰,13811112222
s2,平安网吧,网吧,甲,三湾街社区,410106003001001,,
s3,便民超市,商超,乙,三湾街社区,410106003001002,,
"""
REPORTS = """
reports:
  weekly:   {name: 周例会清单, every: 每周五 16:00 遇休提前, to: dangzheng, content: overdue}
  bulletin: {name: 月通报, every: 每月1日 08:00 遇休不变, to: dangzheng, content: bulletin, covers: month}
  figures:  {name: 指标表, every: 每月1日 08:00 遇休不变, to: ducha, content: rates, covers: month}
"""


def folder(at):
	return demo(at, {"needle.yaml": includes("statistics.yaml"), "deadlines.yaml": lambda t: t.partition("\nreports:")[0] + REPORTS},
		    {"statistics.yaml": STATISTICS, "名录.csv": SITES})


# Five matters, not one that was told five times.
WORDS = ("三号楼前的垃圾桶满了好几天", "菜市场后门堆着装修剩下的砖头", "公厕里的水龙头一直关不上", "河边步道上到处是塑料袋和枯枝", "楼上楼下为空调滴水吵了一个夏天")
STACK = {"config": folder, "simulate": "2026-11-23 09:00:00"}


def rates(office, *words):
	return {(r["name"], r["scope"]): r for r in office.stack.ctl_json("rates", *words)["rates"]}


def go(office, at):
	"""Moves the clock and waits until all that fell due on the way is done."""
	office.clock("set", at)
	wait_for(lambda: office.stack.ctl_json("clock", "show")["settled"], 60, f"{at} to be settled")


def lists(office, name):
	return office.db.all("select * from needle.v_bulletin where name = %s order by due_at", name)


@pytest.fixture(scope="module")
def story(office):
	"""Five cases on a Monday: two hotline, three patrol; three resolved, of them one satisfied, one not, one silent."""
	boards = office.stack.client("wall")
	seen = boards.collect(f"{office.root}/wall", f"{office.root}/report/+", f"{office.root}/public/+")
	made = [office.case("hotline" if n < 2 else "patrol", category="环卫/垃圾" if n < 4 else "邻里", text=f"{WORDS[n]}没人收，找陈木兰 13811112222",
			    place={"grid": "410106003007012" if n else "410106003001001"}) for n in range(5)]
	for number in made[:3]:
		office.done("huanwei", number, "accept", by="hai")
		office.done("huanwei", number, "resolve", answer="已清")
	office.say(made[0], "rate", "hotline", score="satisfied")
	office.say(made[1], "rate", "hotline", score="dissatisfied")
	office.done("huanwei", made[1], "accept", by="tao")
	return made, seen


def test_rates_are_those_of_the_cases(office, story):
	now = rates(office)
	assert {n: (r["numerator"], r["denominator"]) for (n, s), r in now.items()} == {
		"签收率": (3, 5), "按时签收率": (3, 3), "办结率": (2, 5), "满意率": (1, 2), "热线占比": (2, 5), "环卫办结率": (2, 4)}
	assert now["办结率", "all"]["value"] == pytest.approx(0.4)
	assert now["办结率", "all"]["formula"] == "resolved ÷ not withdrawn, not rejected; by received"


def test_every_number_lists_its_cases(office, story):
	made, _ = story
	one = rates(office, "--cases", "--name", "办结率")["办结率", "all"]
	assert [c["case"] for c in one["cases"]] == sorted(made)
	assert sorted(c["case"] for c in one["cases"] if c["counts"]) == sorted([made[0], made[2]])
	text = office.stack.ctl("rates", "--cases", "--name", "满意率").stdout
	assert re.search(rf"\+ {made[0]}", text) and re.search(rf"- {made[1]}", text)


@pytest.mark.parametrize("by, expected", (
	("department", {"department:huanwei": (2, 4), "department:dangzheng": (0, 1)}),
	("community", {"community:三湾街社区": (1, 1), "community:幸福里社区": (1, 4)}),
	("grid", {"grid:410106003001001": (1, 1), "grid:410106003007012": (1, 4)}),
	("channel", {"channel:hotline": (1, 2), "channel:patrol": (1, 3)}),
	("category", {"category:环卫": (2, 4), "category:邻里": (0, 1)}),
	("officer", {"officer:huanwei/hai": (2, 2), "officer:huanwei/tao": (0, 1)})))
def test_rates_by_part(office, story, by, expected):
	found = rates(office, "--by", by, "--name", "办结率")
	assert {s: (r["numerator"], r["denominator"]) for (_, s), r in found.items()} == expected


def test_the_view_says_the_same(office, story):
	for by in ("all", "department", "community", "grid", "channel", "category", "officer"):
		told = rates(office, "--by", by)
		view = office.db.all("select * from needle.v_rates where period = '2026-11' and (scope = %s or scope like %s)",
				     by, by + ":%")
		assert {(r["name"], r["scope"]): (r["numerator"], r["denominator"]) for r in view} == \
			{k: (r["numerator"], r["denominator"]) for k, r in told.items() if r["denominator"]}
	assert {r["period"] for r in office.db.all("select period from needle.v_rates")} == {"2026-11", "2026-Q4", "2026"}


@pytest.mark.parametrize("words", (("--period", "november"), ("--period", "2026-13"), ("--by", "weather"), ("--scope", "huanwei")))
def test_a_wrong_question_is_told(office, words):
	done = office.stack.ctl("rates", *words)
	assert done.returncode == 2 and done.stderr.count("\n") == 1


def test_the_wall_shows_figures_aims_problems_and_no_word_of_a_reporter(office, story):
	_, seen = story
	def latest():
		found = seen.find(lambda m: m.last == "wall")
		wall = found[-1].json if found else {}
		if not wall:
			return None
		# Its parts are of different moments: the day's figures of now, the departments of up to a second ago, the aims of two.
		figures, aim = wall["figures"], wall["aims"][0]
		settled = (figures["received_today"], figures["closed_today"], figures["open"], aim["known"], aim["done"]) == (5, 1, 3, 5, 2) and \
			{d["department"]: d["total"] for d in wall["departments"]} == {"huanwei": 2, "dangzheng": 1}
		return wall if settled else None
	aim = wait_for(latest, what="the wall")["aims"][0]
	assert (aim["name"], aim["target"], aim["days_left"]) == ("清零", 5, 38)
	go(office, "2026-11-24 12:30")
	wait_for(lambda: seen.find(lambda m: m.last == "wall" and m.json["problems"]), what="problems on the wall")
	for m in seen:
		assert "陈木兰" not in m.payload.decode() and "13811112222" not in m.payload.decode(), m.topic
	assert [m for m in seen if m.last == "wall"][-1].qos == 1


def test_lists_are_made_once_at_their_time_and_published_retained(office, story):
	made, seen = story
	go(office, "2026-11-27 15:59")
	assert not lists(office, "report/weekly")
	go(office, "2026-11-27 16:00")
	rows = lists(office, "report/weekly")
	assert len(rows) == 1 and rows[0]["due_at"].strftime("%m-%d %H:%M") == "11-27 16:00"
	weekly = rows[0]["payload"]
	assert weekly["name"] == "周例会清单" and weekly["late"] is False and weekly["to"] == "dangzheng"
	assert weekly["columns"][:3] == ["序号", "工单编号", "事项"] and weekly["columns"][5] == "承办单位"
	assert sorted(r[1] for r in weekly["rows"]) == sorted([made[1], made[3]])
	assert {r[5] for r in weekly["rows"]} == {"环卫所"}
	assert weekly["rates"][0]["formula"]
	m = wait_for(lambda: seen.find(lambda m: m.topic.endswith("/report/weekly")), what="the list")[-1]
	assert m.json == weekly
	kept = office.stack.client("admin").retained(f"{office.root}/report/+", office.admin)
	assert json.loads(kept[f"{office.root}/report/weekly"]) == weekly


def test_the_files_open_in_other_programs(office, story):
	path = os.path.join(office.stack.folder, "state", "a", "lists", "weekly-20261127-1600")
	with open(path + ".csv", encoding="utf-8-sig", newline="") as f:
		rows = list(csv.reader(f))
	payload = lists(office, "report/weekly")[0]["payload"]
	assert rows[0] == payload["columns"] and [r[1] for r in rows[1:]] == [r[1] for r in payload["rows"]]
	with zipfile.ZipFile(path + ".xlsx") as z:
		assert z.testzip() is None
		strings = z.read("xl/sharedStrings.xml").decode()
	assert "济源路街道周例会清单" in strings and "承办单位" in strings and payload["rows"][0][1] in strings


def test_another_program_reads_the_same_from_the_xlsx(office, story):
	path = os.path.join(office.stack.folder, "state", "a", "lists", "weekly-20261127-1600.xlsx")
	done = subprocess.run(["node", "cells.js", path], cwd=npm.installed("npm"), capture_output=True, text=True, check=True, timeout=60)
	rows, payload = json.loads(done.stdout), lists(office, "report/weekly")[0]["payload"]
	head = next(i for i, row in enumerate(rows) if "承办单位" in row)
	assert rows[0][0] == "济源路街道周例会清单" and rows[head] == payload["columns"]
	assert rows[head + 1:] == payload["rows"]


def test_a_year_of_lists_over_a_jump_each_once_in_order(office, story):
	go(office, "2026-12-31 23:00")
	weekly = [r["due_at"].strftime("%m-%d") for r in lists(office, "report/weekly")]
	assert weekly == ["11-27", "12-04", "12-11", "12-18", "12-25"]
	assert [r["payload"]["late"] for r in lists(office, "report/weekly")] == [False, True, True, True, True], \
		"what a jump leaves behind is done in order, once, and marked late"
	told = wait_for(lambda: len(seen := story[1].find(lambda m: m.topic.endswith("/report/weekly"))) >= 5 and seen, what="all of them")
	assert [m.json["at"] for m in told] == sorted(m.json["at"] for m in told)
	bulletin = lists(office, "report/bulletin")[0]["payload"]
	assert bulletin["period"] == {"from": "2026-11-01T00:00:00+08:00", "to": "2026-12-01T00:00:00+08:00"}
	assert bulletin["columns"] == ["承办单位", "派遣案件总数", "按时办结数", "超时办结数", "未办结数", "结案率", "按时结案率", "不满意数", "不满意率"]
	assert bulletin["rows"] == [["环卫所", "4", "2", "0", "2", "50.00%", "50.00%", "1", "25.00%"],
				    ["党政办", "1", "0", "0", "1", "0.00%", "0.00%", "0", "0.00%"],
				    ["合计", "5", "2", "0", "3", "40.00%", "40.00%", "1", "20.00%"]]


def test_a_month_is_compared_with_the_one_before_and_with_a_year_ago(office, story):
	made = story[0]
	now = rates(office, "--period", "2026-12")
	assert now["办结率", "all"]["before"] == pytest.approx(0.4)
	assert rates(office, "--period", "2027-11")["办结率", "all"]["year_ago"] == pytest.approx(0.4)
	assert rates(office, "--period", "2027-Q1")["签收率", "all"]["before"] == pytest.approx(3 / 7)
	assert rates(office, "--period", "2027")["满意率", "all"]["before"] == pytest.approx(0.5)
	officers = rates(office, "--period", "2026-11", "--by", "officer", "--name", "办结率", "--cases")
	assert [c["case"] for c in officers["办结率", "officer:huanwei/hai"]["cases"] if c["counts"]] == sorted([made[0], made[2]])
	figures = {r[0]: r for r in lists(office, "report/figures")[0]["payload"]["rows"] if r[1] == "全部"}
	assert figures["办结率"][4] == "40.00%" and figures["办结率"][5:9] == [None] * 4


def test_restarts_make_no_list_again(office, story):
	before = office.db.value("select count(*) from needle.bulletin")
	for _ in range(2):
		office.stack.kill()
		office.stack.up()
	go(office, "2026-12-31 23:30")
	assert office.db.value("select count(*) from needle.bulletin") == before
	kept = office.stack.client("admin").retained(f"{office.root}/report/+", office.admin)
	assert {t.rpartition("/")[2] for t in kept} == {"weekly", "bulletin", "figures"}


def test_a_list_larger_than_the_broker_takes_holds_back_no_other(office, story):
	newest = "name = 'public/struck' AND due_at = (SELECT max(due_at) FROM needle.bulletin WHERE name = 'public/struck')"
	payload = office.db.value(f"SELECT payload::text FROM needle.bulletin WHERE {newest}")
	office.db.all(f"UPDATE needle.bulletin SET payload = json_build_object('v', 1, 'rows', repeat('清', 400000)) WHERE {newest}")
	office.stack.kill()
	heard = office.admin.collect(f"{office.root}/report/+")
	office.stack.up()
	others = {"weekly", "bulletin", "figures"}          # which come behind it in the order of their names
	wait_for(lambda: {m.last for m in heard if not m.retain} == others, 20, "the lists behind it")
	assert "bytes are more than the broker takes" in office.stack.log()
	office.db.all(f"UPDATE needle.bulletin SET payload = %s WHERE {newest}", payload)


def test_a_public_list_names_nobody_and_no_place(office, story):
	made, seen = story
	public = lists(office, "public/struck")[4]["payload"]       # 27 November
	assert public["columns"] == ["序号", "工单编号", "类别", "承办单位", "受理时间", "销号时间", "评价"]
	assert [r[1] for r in public["rows"]] == [made[0]] and public["rows"][0][6] == "满意"
	place = os.path.join(office.stack.folder, "state", "a", "public")
	assert sorted(os.listdir(place)) == ["struck.csv", "struck.json", "struck.xlsx"]
	for name in ("struck.csv", "struck.json"):
		with open(os.path.join(place, name), encoding="utf-8-sig") as f:
			text = f.read()
		assert "垃圾没人收" not in text and "陈木兰" not in text


def test_sites_are_visited_as_often_as_their_grade_says_once_each(office, story):
	visits = lambda: office.db.all("select * from needle.v_inspection order by received_at, site")
	wait_for(lambda: len(visits()) == 2, what="the visits of December")
	assert [(v["site"], v["grade"]) for v in visits()] == [("s1", "甲"), ("s2", "甲")]
	go(office, "2027-01-04 09:00")
	wait_for(lambda: len(visits()) == 5, what="the visits of January, and of the quarter")
	assert sorted(v["site"] for v in visits()[2:]) == ["s1", "s2", "s3"]
	number = visits()[0]["number"]
	office.case(text="灭火器过期", category="应急/消防", found_in=number)
	assert visits()[0]["findings"] == 1
	assert office.db.value("select name from needle.person where id like 'shops-s1-%%' limit 1") == "陈木兰"
	office.stack.kill()
	office.stack.up()
	go(office, "2027-01-05 09:00")
	assert len(visits()) == 5


def test_another_formula_changes_no_list_that_was_published(office, story):
	before = lists(office, "report/figures")[0]["payload"]
	edit_running(office.stack, "statistics.yaml",
		     lambda t: t.replace("签收率: {numerator: {all: accepted}}", "签收率: {numerator: {all: accepted_in_time}}"))
	assert office.stack.ctl("reload").returncode == 0
	wait_for(lambda: rates(office, "--period", "2026-11")["签收率", "all"]["formula"].startswith("accepted_in_time"),
		 what="the new formula")
	assert lists(office, "report/figures")[0]["payload"] == before
	assert before["rows"][0][9] == "accepted ÷ all; by received" and before["rows"][0][2:5] == ["3", "5", "60.00%"]
