"""Whose case it is: returns and triage's own time, what is not taken up, what is put right. Time stands until told."""
import pytest

STACK = {"simulate": "2026-11-23 09:00:00"}        # a Monday
LAMP = {"category": "市政/路灯", "text": "路灯不亮"}            # 城管办 leads
PLACE = {"address": "幸福里3号楼2单元501", "grid": "410106003007012"}


def test_triage_has_a_limit_of_its_own_and_supervision_hears_when_it_is_over(office):
	case = office.case(**LAMP)
	office.done("chengguan", case, "return", reason="not-ours", note="小区红线内")
	other = office.case(**LAMP)
	office.done("chengguan", other, "return", reason="not-ours")
	office.clock("add", "2 小时")
	office.done("dangzheng", other, "transfer", to="wuye")
	office.clock("set", "2026-11-23 14:31:00")
	late = office.event(case, "overdue", "dangzheng", clock="triage")
	assert late["role"] == "triage" and office.event(case, "overdue", "ducha", clock="triage")
	assert not [e for e in office.events(other, "overdue") if e["clock"] == "triage"]
	assert [h["note"] for h in office.history(case) if h["kind"] == "overdue"].count("triage") == 1


def test_a_transferred_case_is_never_in_two_queues_nor_in_none(office):
	case = office.case(**LAMP)
	office.done("chengguan", case, "return", reason="not-ours")
	office.done("dangzheng", case, "transfer", to="wuye")
	rows = office.db.all("select department, role, xmin::text as tx from needle.queue where number = %s", case)
	assert [(r["department"], r["role"]) for r in rows] == [("wuye", "lead")]
	tx = office.db.one("select xmin::text as tx from needle.cases where number = %s", case)["tx"]
	assert rows[0]["tx"] == tx, "out of one queue and into the other in one transaction"


def test_who_was_given_it_back_after_another_may_not_return_it(office):
	case = office.case(**LAMP)
	office.done("chengguan", case, "return", reason="not-ours")
	office.done("dangzheng", case, "transfer", to="chengguan")
	office.done("chengguan", case, "accept")
	office.done("chengguan", case, "contact")
	assert office.row(case)["returns"] == 1
	other = office.case(**LAMP)
	office.done("ducha", other, "transfer", to="wuye")
	office.done("wuye", other, "return", reason="not-ours")
	office.done("dangzheng", other, "transfer", to="chengguan")
	office.done("chengguan", other, "return", reason="not-ours")
	office.done("dangzheng", other, "transfer", to="wuye")
	office.refused("wuye", other, "return", recorded=True, reason="not-ours")


# ---- not taken up ----------------------------------------------------------------------------------

@pytest.mark.parametrize("department,before", (("dangzheng", ()), ("ducha", ()),
					       ("dangzheng", (("chengguan", "return", {"reason": "not-ours"}),))))
def test_a_case_that_is_not_taken_up_is_closed_with_a_reason_that_the_reporter_reads(office, department, before):
	case = office.case(reply_to={"openid": "o9"}, **LAMP)
	for who, action, members in before:
		office.done(who, case, action, **members)
	assert office.done(department, case, "reject", reason="不属于街道职责", note="建议拨打供电热线") == "closed"
	row = office.row(case)
	assert row["state"] == "closed" and row["close_reason"] == "rejected" and row["closed_at"]
	reply = office.reply(case, "rejected")
	assert "不属于街道职责" in reply["text"] and reply["to"] == {"openid": "o9"}
	lead = "dangzheng" if before else "chengguan"
	assert office.event(case, "rejected", lead)["state"] == "closed"
	office.card(case, lead, present=False)
	assert office.kinds(case)[-1] == "rejected" and not office.replies(case, "closed")
	late = office.say(case, "rate", score="dissatisfied")
	assert late["result"] == "updated" and office.row(case)["state"] == "closed"


# ---- put right -------------------------------------------------------------------------------------

def test_the_right_category_sends_the_case_where_a_new_one_would_go(office):
	case = office.case(text="水漏到楼下", category="市政/路灯", place=PLACE)
	office.done("chengguan", case, "accept")
	office.clock("add", "1 小时")
	assert office.done("ducha", case, "amend", category="物业/漏水", note="热线填错了") == "assigned"
	row = office.row(case)
	assert (row["lead"], row["category"], row["state"]) == ("wuye", "物业/漏水", "assigned")
	amended = [h for h in office.history(case) if h["kind"] == "amended"][0]
	assert "市政/路灯 → 物业/漏水" in amended["note"] and "chengguan → wuye" in amended["note"]
	assert "热线填错了" in amended["note"] and amended["department"] == "ducha"
	changed = office.event(case, "amended", "chengguan")["changed"]
	assert changed["category"] == {"from": "市政/路灯", "to": "物业/漏水"}
	assert office.event(case, "recalled", "chengguan") and office.event(case, "assigned", "wuye")["role"] == "lead"
	office.card(case, "chengguan", present=False)
	office.card(case, "wuye", category="物业/漏水")


def test_the_rules_of_today_decide_by_the_stored_words(office):
	"""Of the rule 九冶院漏水 the words and the category were right, and the grid was not."""
	case = office.case(text="天花板漏水", category="物业/漏水", place={"grid": "410106003001001"})
	assert office.row(case)["rule"] is None
	office.done("wuye", case, "amend", grid="410106003003001")
	row = office.row(case)
	assert row["rule"] == "九冶院漏水" and row["grid"] == "410106003003001" and row["lead"] == "wuye"
	assert office.event(case, "assigned", "jiuye")["role"] == "support"
	office.card(case, "jiuye", role="support")


def test_another_place_is_kept_masked_and_whole_where_it_belongs(office):
	case = office.case(text="路灯不亮", category="市政/路灯", place=PLACE)
	office.done("chengguan", case, "amend", place={"address": "幸福里8号楼1单元302"})
	row = office.row(case)
	assert row["place"].startswith("幸福里8号楼") and "单元302" not in row["place"]
	assert "单元302" not in str(office.history(case)) and "单元302" not in str(office.events(case))
	assert office.db.value("select address from needle.person where id = %s", row["report"]) == "幸福里8号楼1单元302"
	office.card(case, "chengguan", place=row["place"])


def test_a_place_is_put_right_of_a_report_that_named_nobody_and_none(office):
	case = office.case(**LAMP)
	office.done("chengguan", case, "amend", place="幸福里8号楼")
	assert office.row(case)["place"] == "幸福里8号楼"


def test_amended_again_it_is_decided_by_what_was_amended_before(office):
	case = office.case(text="天花板漏水", category="市政/路灯")
	office.done("dangzheng", case, "amend", category="物业/漏水")
	office.done("dangzheng", case, "amend", grid="410106003003001")
	assert office.row(case)["rule"] == "九冶院漏水" and office.row(case)["category"] == "物业/漏水"


def test_what_is_put_right_in_triage_leaves_it(office):
	case = office.case(text="水漏到楼下", category="市政/路灯")
	office.done("chengguan", case, "return", reason="not-ours")
	assert office.done("dangzheng", case, "amend", category="物业/漏水") == "assigned"
	assert office.row(case)["lead"] == "wuye"
	office.card(case, "dangzheng", present=False)
	office.clock("add", "1 工作日")
	office.event(case, "overdue", "wuye")
	assert not [e for e in office.events(case, "overdue") if e["clock"] == "triage"]


def test_of_a_sealed_case_nothing_is_told_of_what_is_put_right_but_its_category(office):
	case = office.case(text="窗口人员态度恶劣，姓赵", place=PLACE)
	assert office.row(case)["visibility"] == "sealed"
	office.done("ducha", case, "amend", category="物业/漏水", place={"address": "幸福里8号楼1单元302"})
	row = office.row(case)
	assert row["visibility"] == "sealed" and row["lead"] == "ducha" and row["place"] is None and row["title"] == "物业/漏水"
	assert "幸福里" not in str(office.history(case)) and "幸福里" not in str(office.events(case))


def test_a_clerk_does_all_of_it_from_the_command_line(office):
	ctl = office.stack.ctl_json
	case = office.case(text="水漏到楼下", category="市政/路灯")
	assert ctl("do", case, "return", "--reason", "not-ours", "--note", "不是路灯")["state"] == "triage"
	assert ctl("do", case, "amend", "--dept", "dangzheng", "--category", "物业/漏水", "--address", "幸福里8号楼")["state"] == "assigned"
	assert ctl("do", case, "whistle", "--departments", "chengguan,huanwei", "--task", "到现场")["result"] == "done"
	assert ctl("do", case, "report_in", "--dept", "huanwei")["result"] == "done"
	assert ctl("do", case, "consult", "--topic", "谁来修", "--parties", "ducha,居民", "--at", "2026-11-30 09:00")["result"] == "done"
	assert ctl("do", case, "consult_outcome", "--outcome", "物业修")["result"] == "done"
	assert ctl("do", case, "next_step", "--text", "恢复路面", "--category", "市政/路面")["result"] == "done"
	assert ctl("do", case, "reject", "--dept", "ducha", "--reason", "撤回")["state"] == "closed"
	shown = office.stack.ctl("show", case).stdout
	for word in ("市政/路灯 → 物业/漏水", "谁来修", "物业修", "恢复路面", "撤回"):
		assert word in shown, shown
