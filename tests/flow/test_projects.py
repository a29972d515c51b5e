"""Projects: what they cost has a budget and a fund with a ceiling, their plan has stages, and the list of them is for everybody and names nobody."""
import csv
import json
import os

import pytest

from lib.folder import adds, demo, includes
from lib.wait import wait_for

STATISTICS = """
projects: {channel: project, pool: 微实事专项资金}
pools:
  微实事专项资金: {amount: 50000, from: 2026-01-01, until: 2026-12-31}
  去年的资金: {amount: 90000, until: 2025-12-31}
  志愿者工时: {unit: 小时, amount: 20}
public:
  list: {name: 微实事清单, every: 每月末 17:00, content: projects, covers: year}
  done: {name: 销号公示, every: 每月末 17:00, content: closed, covers: year}
  open: {name: 在办公示, every: 每月末 17:00, content: open}
"""
NAME, CALLED, PHONE, CITIZEN, STREET = "欧阳鸢鸾", "尉迟鸮鸺", "13987651234", "11010519491231002X", "5号楼3单元204"
ALL = f"我是{NAME}，电话{PHONE}，身份证{CITIZEN}，找{CALLED}先生"
CANARIES = (NAME, CALLED, PHONE, CITIZEN, CITIZEN[:17], STREET)


def folder(at):
	return demo(at, {"needle.yaml": includes("statistics.yaml"),
			 "channels.yaml": adds("  project: {name: 微实事立项}\n  meeting: {name: 居民代表会议, vote: 70}\n")},
		    {"statistics.yaml": STATISTICS})


STACK = {"config": folder, "simulate": "2026-11-02 08:30:00"}


def project(office, text="小门拓宽", budget=30000, **members):
	return office.case("project", category="环卫/垃圾", text=f"{text} {office.new_id()}", budget=budget, effect="不再拥堵", **members)


def spend(office, case, spent, **members):
	receipt = office.say(case, "supplement", "project", text="工程款", spent=spent, **members)
	assert receipt["result"] == "updated", receipt
	return receipt.get("reason")


def view(office, of, **where):
	return office.db.one(f"select * from needle.{of} where " + " and ".join(f"{k} = %s" for k in where), *where.values())


def pool(office, name="微实事专项资金"):
	return {k: int(v) for k, v in view(office, "v_pool", name=name).items() if k in ("amount", "spent", "remaining", "refused")}


def test_what_is_spent_within_the_budget_is_booked(office):
	case = project(office)
	assert spend(office, case, "28000") is None
	assert view(office, "v_project", number=case)["spent"] == 28000
	assert pool(office) == {"amount": 50000, "spent": 28000, "remaining": 22000, "refused": 0}
	assert [r["note"] for r in office.history(case) if r["kind"] == "spent"] == ["28000 元, 微实事专项资金"]


def test_beyond_the_budget_nothing_is_booked_and_it_is_on_record(office):
	case = project(office, budget=10000)
	assert spend(office, case, 8000) is None
	why = spend(office, case, 3000)
	assert why == "not booked: of the budget of 10000 元 there are 2000 left, this is 3000"
	assert view(office, "v_project", number=case)["spent"] == 8000
	assert [(r["kind"], r["note"]) for r in office.history(case) if "spent" in r["kind"]] == [("spent", "8000 元, 微实事专项资金"), ("overspent", why)]
	assert [(r["amount"], r["refused"]) for r in office.db.all("select * from needle.v_spending where number = %s order by id", case)] == [(8000, None), (3000, why)]
	assert pool(office)["refused"] == 1
	office.say(case, "supplement", "project", text="追加预算", budget=12000)
	assert spend(office, case, 3000) is None                            # a greater budget is another matter


def test_beyond_the_fund_nothing_is_booked_however_large_the_budget(office):
	left = pool(office)["remaining"]
	case = project(office, budget=900000)
	assert spend(office, case, left + 1) == f"not booked: of the 50000 元 of “微实事专项资金” there are {left} left, this is {left + 1}"
	assert spend(office, case, left) is None and pool(office)["remaining"] == 0
	assert spend(office, case, 1).startswith("not booked: of the 50000 元")


def test_what_was_wrong_is_taken_back_by_an_entry_of_its_own(office):
	case = project(office)
	assert spend(office, case, -1) == "not booked: no more can be taken back than the 0 元 that were spent"
	other = office.db.value("select number from needle.v_spending where refused is null order by amount desc limit 1")
	assert spend(office, other, -5000) is None
	assert pool(office)["remaining"] == 5000
	assert spend(office, case, 5000) is None and pool(office)["remaining"] == 0
	assert office.db.value("select count(*) from needle.v_spending where number = %s and refused is null", other) == 2


@pytest.mark.parametrize("spent, more, why", (
	("12.5万", {}, "not booked: `spent` must be a whole number, such as 28000"), ([ALL], {}, "not booked: `spent` must be a whole number, such as 28000"),
	(100, {"pool": ALL}, "not booked: there is no pool of that name; there are: 微实事专项资金、去年的资金、志愿者工时"),
	(100, {"pool": "去年的资金"}, "not booked: “去年的资金” was open until 2025-12-31")))
def test_what_cannot_be_booked_says_why(office, spent, more, why):
	case = project(office)
	before = office.db.value("select count(*) from needle.v_spending where refused is null")
	assert spend(office, case, spent, **more) == why
	assert office.db.value("select count(*) from needle.v_spending where refused is null") == before
	assert [r["note"] for r in office.history(case) if r["kind"] == "overspent"] == [why]


def test_only_the_projects_own_channel_spends_for_them(office):
	case = project(office)
	for channel in ("patrol", "meeting"):
		office.say(case, "supplement", channel, text="工程款", spent=1)
	assert not office.db.all("select 1 from needle.v_spending where number = %s", case)
	no_project = office.case("patrol", text="井盖破损", category="市政/井盖", budget=5)
	office.say(no_project, "supplement", "project", text="工程款", spent=1)
	assert not office.db.all("select 1 from needle.v_spending where number = %s", no_project)


def test_any_item_draws_on_a_pool_by_its_department(office):
	case = office.case("patrol", text="独居老人家里要打扫", category="环卫/垃圾")
	office.done("huanwei", case, "accept", by="hai")
	assert office.done("huanwei", case, "progress", by="hai", note="来了三位志愿者", spent=12, pool="志愿者工时") == "accepted"
	assert office.refused("huanwei", case, "progress", recorded=True, by="hai", note="又来了", spent=9, pool="志愿者工时") == \
		"not booked: of the 20 小时 of “志愿者工时” there are 8 left, this is 9"
	assert "name the pool" in office.refused("huanwei", case, "progress", recorded=True, by="hai", note="又来了", spent=9)
	assert "queue" in office.refused("wuye", case, "progress", note="不是我们的", spent=1, pool="志愿者工时")
	assert pool(office, "志愿者工时") == {"amount": 20, "spent": 12, "remaining": 8, "refused": 1}
	assert [r["kind"] for r in office.history(case)].count("progress") == 1


def test_the_same_message_again_spends_once_and_nobody_edits(office):
	case = office.case("patrol", text="楼道灯", category="环卫/垃圾")
	office.done("huanwei", case, "accept", by="hai")
	for _ in range(2):
		office.done("huanwei", case, "progress", note="来了人", spent=1, pool="志愿者工时", request="once")
	assert pool(office, "志愿者工时")["spent"] == 13
	for sql in ("update needle.spending set amount = 0", "delete from needle.spending", "truncate needle.spending"):
		with pytest.raises(Exception, match="never changed"):
			office.stack.db().all(sql)


def test_two_who_spend_at_once_do_not_pass_the_ceiling(office):
	cases = [project(office, text=f"第{n}件", pool="志愿者工时") for n in range(4)]
	user = office.user("in-project")
	heard = office.admin.collect(f"{office.root}/receipt/project/desk")
	for n, case in enumerate(cases * 3):
		user.publish(f"{office.root}/in/project/desk", {"id": f"race-{n}", "kind": "supplement", "case": case, "text": "工时", "spent": 1})
	heard.wait(n=12, bound=30, what="the receipts")
	assert pool(office, "志愿者工时")["remaining"] == 0
	assert sum("reason" in m.json and m.json["reason"] is not None for m in heard.messages) == 5


def test_a_plan_has_stages_with_days_and_effect(office):
	case = project(office, stages=[{"stage": "招标", "planned": "2026-11-10"}, {"stage": "施工", "planned": "2026-11-30", "effect": "两侧拓宽"}, {"stage": "验收"}, "odd", 7])
	office.say(case, "supplement", "project", text="进展", stage="招标", done="2026-11-12", effect="三家报价")
	office.say(case, "supplement", "project", text="进展", stage="没有的一步", done="2026-11-12")
	office.say(case, "supplement", "project", text="进展", stage="施工", done="不知道哪天")
	rows = office.db.all("select * from needle.v_stage where number = %s order by place", case)
	assert [(r["stage"], r["planned"], r["done"], r["effect"], r["late"]) for r in rows] == [
		("招标", "2026-11-10", "2026-11-12", "三家报价", True), ("施工", "2026-11-30", "2026-11-02", "两侧拓宽", False), ("验收", None, None, None, None)]
	office.say(case, "supplement", "project", text="改计划", stages=[{"stage": "招标", "planned": "2026-11-15"}])
	assert [(r["planned"], r["late"]) for r in office.db.all("select * from needle.v_stage where number = %s", case)] == [("2026-11-15", False)]


@pytest.fixture(scope="module")
def published(office):
	"""A project and another case in which every text holds what must not be told, from the first word to the vote; and then the lists."""
	seen = office.stack.client("wall").collect(f"{office.root}/wall", f"{office.root}/public/+")
	members = {"reporter": {"name": NAME, "phone": PHONE, "ref": PHONE}, "place": {"address": f"{STREET}，{NAME}家，{PHONE}", "grid": "410106003007012"}}
	case = office.case("project", category="环卫/垃圾", text=f"门口的路，{ALL}", budget=1000, effect=ALL, pool="微实事专项资金", contact=ALL,
			   stages=[{"stage": f"招标 {ALL}", "planned": ALL, "effect": ALL}, {"stage": "施工", "planned": "2026-11-20"}], **members)
	office.say(case, "supplement", "project", text=ALL, stage="施工", done=ALL, effect=ALL, spent=ALL, **members)
	office.done("huanwei", case, "accept", by="hai", note=ALL)
	office.done("huanwei", case, "progress", by="hai", note=ALL)
	office.done("huanwei", case, "resolve", by="hai", answer=ALL)
	office.say(case, "rate", "meeting", votes={"satisfied": 90, "basically": 5, "dissatisfied": 5}, comment=ALL, **members)
	secret = office.case("project", category="环卫/垃圾", text=f"密件项目 {ALL}", effect=f"密件效果 {ALL}", budget=77777,
			     reporter={"name": NAME, "phone": PHONE, "secret": True}, stages=[{"stage": "密件阶段"}])
	open_one = office.case("project", category=f"奇怪的类别{NAME}", text=f"路灯，{ALL}", effect=ALL, **members)
	office.clock("set", "2026-11-30 17:00")
	wait_for(lambda: office.stack.ctl_json("clock", "show")["settled"], 60, "the lists")
	wait_for(lambda: len({m.topic for m in seen if "/public/" in m.topic}) == 3, what="the three lists")
	return case, secret, open_one, seen


def lines_of(office, name="list"):
	with open(os.path.join(office.stack.folder, "state", "a", "public", name + ".csv"), encoding="utf-8-sig", newline="") as f:
		return list(csv.reader(f))


def test_the_public_list_tells_effect_budget_spending_stages_and_the_fund(office, published):
	payload = office.db.value("select payload from needle.v_bulletin where name = 'public/list'")
	assert payload["columns"] == ["序号", "工单编号", "项目名称", "承办单位", "完成时限", "预期效果", "预算", "支出", "状态", "评价", "完成时间", "阶段"]
	planned = next(r for r in payload["rows"] if r[11] and "2026-11-15" in r[11])
	assert planned[11] == "招标：计划 2026-11-15，完成 2026-11-12，三家报价" and planned[5] == "不再拥堵"
	whole = next(r for r in payload["rows"] if r[0] == "合计")
	assert int(whole[7]) == sum(int(r[7]) for r in payload["rows"] if r[0].isdigit())
	fund = next(r for r in payload["rows"] if r[0] == "资金" and r[2] == "微实事专项资金")
	assert fund[4:8] == ["2026-12-31 23:59", "结余 0 元", "50000", "50000"]
	assert lines_of(office)[1:] == [[c or "" for c in r] for r in payload["rows"]]


def test_nothing_public_holds_a_name_a_phone_an_id_or_a_door(office, published):
	case, secret, _, seen = published
	texts = {m.topic: m.payload.decode() for m in seen}
	texts.update({t: p.decode() for t, p in office.stack.client("admin").retained(f"{office.root}/public/+", office.admin).items()})
	place = os.path.join(office.stack.folder, "state", "a", "public")
	for name in os.listdir(place):
		with open(os.path.join(place, name), "rb") as f:
			texts[name] = unzipped(f.read()) if name.endswith(".xlsx") else f.read().decode("utf-8-sig")
	texts["payloads"] = json.dumps(office.db.all("select payload from needle.v_bulletin where name like 'public/%%'"), default=str, ensure_ascii=False)
	for name in ("v_project", "v_stage", "v_spending", "v_pool"):
		texts[name] = json.dumps(office.db.all(f"select * from needle.{name}"), default=str, ensure_ascii=False)
	assert len(texts) >= 15 and sum(case in t for t in texts.values()) >= 5
	for where, text in texts.items():
		for word in (*CANARIES, "密件", "77777", secret):
			at = text.find(word)
			assert at < 0 or (word == secret and where not in ("list.csv", "list.json", "v_project", "v_stage")), f"{where} holds {word}: …{text[max(0, at - 200):at + 50]}…"


def unzipped(data):
	import io
	import zipfile
	with zipfile.ZipFile(io.BytesIO(data)) as z:
		return "".join(z.read(n).decode(errors="replace") for n in z.namelist())
