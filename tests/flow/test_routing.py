"""Who gets it, who helps, who is told beside, and who may see what. It is a Friday night, and stays so."""
import json

import pytest

STACK = {"simulate": "2026-11-20 23:10:00"}


def decided(office, **report):
	row = office.row(office.case(**report))
	return row["lead"], row["rule"], row["route_source"]


@pytest.mark.parametrize("report,lead,rule,source", (
	({"text": "楼前井盖不见了", "category": "物业"}, "chengguan", "井盖缺失", "rule"),
	({"text": "井盖不见了，还有煤气味"}, "yingji", "燃气泄漏", "rule"),
	({"text": "周五有燃气泄漏演练"}, "dangzheng", None, "fallback"),
	({"text": "煤　气 味"}, "yingji", "燃气泄漏", "rule"),
	({"text": "煤\u200b气\u200b味"}, "yingji", "燃气泄漏", "rule"),
	({"text": "半夜还在装修", "category": "城管/噪声"}, "pianjing", "夜间噪声", "rule"),
	({"text": "漏水", "category": "物业/漏水", "place": {"grid": "410106003003004"}}, "wuye", "九冶院漏水", "rule"),
	({"text": "漏水", "category": "物业/漏水", "place": {"grid": "410106003004004"}}, "wuye", None, "category"),
	({"text": "破了", "category": "市政/井盖"}, "chengguan", None, "category"),
	({"text": "破了", "category": "020301"}, "chengguan", None, "category"),
	({"text": "破了", "category": "市政/井盖/方的"}, "chengguan", None, "category"),
	({"category": "环卫/公厕"}, "huanwei", None, "category"),
	({"text": "咨询一下老年证"}, "dangzheng", None, "fallback"),
	({"text": "不知道", "category": "没有这一类"}, "dangzheng", None, "fallback"),
))
def test_the_first_rule_wins_else_the_category_else_the_fallback(office, report, lead, rule, source):
	assert decided(office, **report) == (lead, rule, source)


def test_a_fallback_case_is_assigned_not_in_triage(office):
	case = office.case(text="咨询一下老年证")
	assert office.row(case)["state"] == "assigned"
	assert office.card(case, "dangzheng")["role"] == "lead"


def test_a_rule_sets_urgency_and_policy(office):
	row = office.row(office.case(text="煤气味", urgency="normal"))
	assert row["urgency"] == "critical" and row["policy"] == "特急"
	row = office.row(office.case(text="破了", category="市政/井盖", urgency="urgent"))
	assert row["urgency"] == "urgent" and row["policy"] == "紧急"


def test_supports_get_the_case_into_their_queues_and_copies_only_a_word(office):
	case = office.case(text="5号楼墙皮脱落，再不管就叫记者")
	assert office.card(case, "wuye")["role"] == "lead"
	assert office.card(case, "chengguan")["role"] == "support"
	assert office.event(case, "copied", "dangzheng")["role"] == "copy"
	assert {r["department"] for r in office.db.all("select * from needle.v_queue where number = %s", case)} == \
		{"wuye", "chengguan"}
	assert office.kinds(case) == ["assigned", "assigned", "copied"]


def test_the_lead_gets_no_copy_of_its_own_case(office):
	case = office.case(text="再不解决就去上访")           # fallback dangzheng; copies to dangzheng and ducha
	assert {e["department"] for e in office.events(case, "copied")} == {"ducha"}


def test_a_body_without_cards_hears_of_it_all_the_same(office):
	case = office.case(text="楼下打架", category="治安")
	assert office.event(case, "copied", "paichusuo")
	assert not office.witness.cards.find(lambda m: "/paichusuo/" in m.topic)


def test_a_complaint_about_the_department_itself_goes_to_its_superior(office):
	case = office.case(text="城管执法粗暴", category="城管/占道", accused="chengguan")
	row = office.row(case)
	assert row["lead"] == "dangzheng"
	assert "chengguan" in office.event(case, "assigned", "dangzheng")["why"]
	named = office.row(office.case(text="城管执法粗暴", category="城管/占道", accused="城管办（综合执法）"))
	assert named["lead"] == "dangzheng", "by its name as well"


def test_the_accused_is_neither_support_nor_copied(office):
	case = office.case(text="5号楼墙皮脱落，城管不管", accused="chengguan")
	assert office.row(case)["lead"] == "wuye"
	assert {e["department"] for e in office.events(case)} == {"wuye"}


def test_a_case_whose_reporter_wants_secrecy_is_sealed(office):
	case = office.case(text="王先生家扰民", category="城管/噪声", place={"address": "幸福里3号楼2单元501"},
			   reporter={"name": "李某某", "phone": "13812345678", "secret": True})
	row = office.row(case)
	assert row["visibility"] == "sealed" and row["place"] is None and row["title"] == "城管/噪声"
	assert office.card(case, row["lead"])["place"] is None
	office.witness.quiet()
	said = b"".join(m.payload for m in [*office.witness.events, *office.witness.cards] if case.encode() in m.payload)
	for secret in ("扰民", "幸福里", "李某某", "138"):
		assert secret.encode() not in said, secret


def test_a_rule_may_seal_a_case_too(office):
	assert office.row(office.case(text="窗口人员态度恶劣"))["visibility"] == "sealed"
	assert office.row(office.case(text="路灯不亮"))["visibility"] == "masked"


def test_the_decision_is_stored_with_the_hash_of_the_configuration_at_work(office):
	row = office.row(office.case(text="楼前井盖不见了"))
	hashes = {row["config"], office.stack.ctl_json("status")["config"],
		  office.db.value("select hash from needle.config_version order by last_at desc limit 1")}
	assert len(hashes) == 1
	assert f'hash="{row["config"]}"' in office.stack.http("/metrics")[1]


@pytest.mark.parametrize("report", (
	{"channel": "patrol", "text": "楼前井盖不见了"}, {"channel": "letter", "text": "窗口人员态度恶劣"},
	{"channel": "patrol", "category": "环卫/垃圾", "text": "满了"}, {"channel": "visit", "text": "咨询一下老年证"},
	{"channel": "patrol", "category": "城管/噪声", "text": "吵"}, {"channel": "patrol", "text": "煤气味，上访"},
	{"channel": "patrol", "category": "物业/漏水", "text": "漏水", "grid": "410106003003004"},
))
def test_explain_says_what_the_gateway_does(office, report):
	flags = [word for name, value in report.items() for word in ("--" + name, value)]
	said = office.stack.ctl_json("explain", "--at", "2026-11-20 23:10", *flags)
	members = {k: v for k, v in report.items() if k not in ("channel", "grid")}
	if "grid" in report:
		members["place"] = {"grid": report["grid"]}
	receipt = office.report(report["channel"], **members)
	row = office.row(receipt["case"])
	assert (said["department"], said["rule"], said["source"]) == (row["lead"], row["rule"], row["route_source"])
	assert {k: v for k, v in said["due"].items() if v} == {k: v for k, v in receipt["due"].items() if v}
	assert sorted(said["copies"]) == sorted(e["department"] for e in office.events(receipt["case"], "copied"))


def test_explain_case_tells_why_a_stored_case_went_where_it_went(office):
	case = office.case(text="楼前井盖不见了")
	said = office.stack.ctl_json("explain", "--case", case)
	assert said["department"] == "chengguan" and said["rule"] == "井盖缺失" and said["text"]
	assert "13800000000" not in json.dumps(said)


def test_by_day_noise_is_not_the_polices(office):
	office.clock("set", "2026-11-21 09:00")
	assert decided(office, text="广场舞太吵", category="城管/噪声") == ("chengguan", None, "category")


def test_a_rule_whose_day_is_over_matches_no_more(office):
	report = {"category": "城管/违建", "place": {"grid": "410106003002005"}}
	assert decided(office, text="私搭", **report)[1] == "中安街违建"
	office.clock("set", "2027-06-30 23:59")
	assert decided(office, text="楼顶加盖", **report)[1] == "中安街违建"
	office.clock("set", "2027-07-01 00:00")
	assert decided(office, text="占用绿地", **report)[1] is None
