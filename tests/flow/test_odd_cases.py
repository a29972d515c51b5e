"""Cases at their odd ends: put right when they say little or come from where nobody listens any more, spendings that are none, members
of any shape, and of two open matters that a third is as like to the newer one."""
import json

import pytest

from lib.folder import adds, demo, edit_running

METER = "  meter: {name: 水表, codec: json}\n"
POOLS = "pools:\n  志愿者工时: {unit: 小时, amount: 20}\n"
NAME, PHONE, CITIZEN = "欧阳鸢鸾", "13987651234", "11010519491231002X"


def folder(at):
	return demo(at, {"channels.yaml": adds(METER), "needle.yaml": lambda text: text.replace("calendars.yaml]", "calendars.yaml, statistics.yaml]")},
		    {"statistics.yaml": POOLS})


STACK = {"config": folder, "simulate": "2026-11-23 09:00:00"}        # a Monday


# ---- put right ------------------------------------------------------------------------------------
@pytest.mark.parametrize("said", [{"category": "市政/路灯"}, {"text": "天花板漏水", "urgency": "urgent"},
				  {"text": "天花板漏水", "place": {"lat": 34.751, "lon": 113.621, "crs": "gcj02"}},
				  {"text": "天花板漏水", "reporter": {"name": NAME, "phone": PHONE}, "device": "d-1"}], ids=["no-text", "urgent", "place", "device"])
def test_what_little_a_case_says_is_decided_anew_by_its_right_category(office, said):
	case = office.case("patrol", **said)
	before = office.row(case)
	office.done(before["lead"], case, "accept", by="王")
	assert office.done("dangzheng", case, "amend", category="物业/漏水") == "assigned"
	row = office.row(case)
	assert (row["lead"], row["category"], row["urgency"], row["grid"]) == ("wuye", "物业/漏水", before["urgency"], before["grid"])


def test_a_case_of_a_channel_that_is_gone_is_put_right_all_the_same(office):
	case = office.case("meter", text="水表不转", category="市政/路灯")
	edit_running(office.stack, "channels.yaml", lambda text: text.replace(METER, ""))
	assert office.stack.ctl_json("reload")["ok"]
	assert office.done("dangzheng", case, "amend", category="物业/漏水") == "assigned"
	assert (office.row(case)["lead"], office.row(case)["channel"]) == ("wuye", "meter")


# ---- what was spent -------------------------------------------------------------------------------
@pytest.mark.parametrize("spent", [10 ** 12, -10 ** 12, "1000000000000", 1.5, "三小时", "", True, None, [1], {"n": 1}], ids=str)
def test_what_is_no_amount_is_not_booked_and_the_rest_is_said(office, spent):
	case = office.case("patrol", text="扫雪")
	office.done(office.row(case)["lead"], case, "accept", by="王")
	why = office.refused(office.row(case)["lead"], case, "progress", recorded=True, by="王", note="来了人", spent=spent)
	assert "must be a whole number" in why
	assert office.db.value("select count(*) from needle.spending where number = %s", case) == 0


def test_the_only_pool_need_not_be_named_and_another_is_none(office):
	case = office.case("patrol", text="扫雪")
	lead = office.row(case)["lead"]
	office.done(lead, case, "accept", by="王")
	office.done(lead, case, "progress", by="王", note="来了人", spent="3")
	assert "no pool of that name" in office.refused(lead, case, "progress", recorded=True, by="王", note="来了人", spent=3, pool="办公费")
	assert "no pool of that name" in office.refused(lead, case, "progress", recorded=True, by="王", note="来了人", spent=3, pool=7)
	assert office.db.value("select spent from needle.v_pool where name = '志愿者工时'") == 3


# ---- members of any shape -------------------------------------------------------------------------
def test_unknown_members_keep_their_shape_and_lose_their_names(office):
	odd = {"list": [1, 2.5, True, None, [], {}, [NAME, [PHONE]], {"谁": NAME, PHONE: "电话", "证": CITIZEN}], "tel": int(PHONE), "n": 7, "empty": {},
	       "none": None, "text": "", "yes": False}
	case = office.case("hotline", text="路灯不亮", category="市政/路灯", reporter={"name": NAME, "phone": PHONE, "age": 40}, odd=odd)
	shown = office.row(case)["extra"]["odd"]
	assert shown["list"][:6] == odd["list"][:6] and (shown["n"], shown["empty"], shown["none"], shown["text"], shown["yes"]) == (7, {}, None, "", False)
	assert isinstance(shown["tel"], str) and "*" in shown["tel"], "a number that is somebody's is a text with stars"
	assert len(shown["list"][7]) == 3 and shown["list"][6][1] != [PHONE]
	text = json.dumps(office.row(case)["extra"], ensure_ascii=False)
	assert all(word not in text for word in (NAME, PHONE, CITIZEN)) and "age" not in text


# ---- as like as another ---------------------------------------------------------------------------
def test_of_two_that_are_as_like_the_newer_is_proposed(office):
	def leak(where):
		return office.case("patrol", category="物业/漏水", text=f"楼道顶{where}处在漏水",
				   place={"grid": "410106003007012", "address": "幸福里"})
	cases = [leak(where) for where in "甲乙丙丁"]
	assert len(set(cases)) == 4
	asked = [[h["detail"]["into"] for h in office.history(c) if h["kind"] == "asked"] for c in cases]
	assert asked == [[]] + [[c] for c in cases[:3]]
