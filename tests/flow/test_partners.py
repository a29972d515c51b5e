"""Several departments at one matter: whistles and who comes, consultations, chains of steps. Time stands until told."""
import datetime

STACK = {"simulate": "2026-11-23 09:00:00"}        # a Monday
LAMP = {"category": "市政/路灯", "text": "路灯不亮"}            # 城管办 leads


def accepted(office, **members):
	case = office.case(**dict(LAMP, **members))
	office.done("chengguan", case, "accept")
	office.done("chengguan", case, "contact")
	return case


def task_of(office, case, department):
	supports = {s["dept"]: s for s in office.row(case)["supports"] or []}
	return supports.get(department)


# ---- whistle ---------------------------------------------------------------------------------------

def test_who_is_called_has_the_card_and_must_come_and_who_came_is_on_record(office):
	case = accepted(office)
	assert office.done("chengguan", case, "whistle", departments=["wuye", "yingji"], task="一起看现场", by="wang") == "accepted"
	for department in ("wuye", "yingji"):
		event = office.event(case, "whistled", department)
		assert event["role"] == "support" and event["task"] == "一起看现场"
		assert event["report_in"] == "2026-11-23T09:30:00+08:00"
		office.card(case, department, role="support")
	office.clock("add", "10 分钟")
	assert office.done("wuye", case, "report_in", by="sun", note="到了两个人") == "accepted"
	assert office.event(case, "reported_in", "chengguan")["late"] is False
	office.clock("add", "25 分钟")
	assert "has not come yet" in office.stack.ctl("show", case).stdout
	missed = office.event(case, "overdue", "yingji")
	assert missed["clock"] == "report_in"
	for department in ("chengguan", "ducha", "dangzheng"):
		assert office.event(case, "overdue", department)["clock"] == "report_in"
	assert not office.events(case, "overdue", "wuye")
	office.done("yingji", case, "report_in", note="路上堵车")
	assert office.event(case, "reported_in", "ducha")["late"] is True

	kept = [(h["kind"], h["department"]) for h in office.history(case) if h["kind"] in ("whistled", "reported_in", "overdue")]
	assert kept == [("whistled", "wuye"), ("whistled", "yingji"), ("reported_in", "wuye"), ("overdue", "yingji"),
			("reported_in", "yingji")]
	shown = office.stack.ctl_json("show", case)
	wuye, yingji = sorted(shown["supports"], key=lambda s: s["dept"])
	assert (wuye["dept"], wuye["task"], wuye["called"], wuye["from"]) == ("wuye", "一起看现场", True, "chengguan")
	assert wuye["reported_at"] == "2026-11-23T09:10:00+08:00" and yingji["reported_at"] == "2026-11-23T09:35:00+08:00"


def test_the_lead_resolves_when_who_was_called_is_done(office):
	case = accepted(office)
	office.done("chengguan", case, "whistle", departments="wuye", task="开门")
	office.refused("chengguan", case, "resolve", answer="好了")
	office.done("wuye", case, "report_in")
	office.refused("chengguan", case, "resolve", answer="好了")
	office.done("wuye", case, "support_done")
	office.card(case, "wuye", present=False)
	assert office.done("chengguan", case, "resolve", answer="好了") == "resolved"


def test_supervision_and_triage_whistle_too_and_hear_who_comes(office):
	case = office.case(**LAMP)
	office.done("ducha", case, "whistle", departments=["huanwei"], task="一起看")
	assert office.event(case, "whistled", "ducha")["called"] == "huanwei"
	assert office.event(case, "whistled", "chengguan")["role"] == "lead"
	office.done("huanwei", case, "report_in")
	assert office.event(case, "reported_in", "ducha")
	office.done("chengguan", case, "return", reason="not-ours")
	office.done("dangzheng", case, "whistle", departments=["wuye"], task="认一认是谁的")
	office.done("wuye", case, "report_in")
	assert office.event(case, "reported_in", "dangzheng")
	assert office.row(case)["state"] == "triage"


def test_a_missed_call_is_told_once_over_a_jump(office):
	case = accepted(office)
	office.done("chengguan", case, "whistle", departments=["wuye"], task="看现场")
	office.clock("add", "3 小时")
	office.event(case, "overdue", "wuye")
	office.clock("add", "3 小时")
	assert len(office.events(case, "overdue", "wuye")) == 1


# ---- consultations ---------------------------------------------------------------------------------

def test_a_joint_diagnosis_has_parties_an_outcome_and_parts(office):
	case = accepted(office)
	when = (datetime.datetime.fromisoformat(office.stack.ctl_json("clock", "show")["now"]) +
		datetime.timedelta(hours=5)).isoformat()
	office.done("chengguan", case, "consult", topic="路灯电源归谁", parties=["wuye", "居民代表张三13812345678"], at=when,
		    note="社区会议室")
	told = office.event(case, "consulted", "wuye")
	assert told["topic"] == "路灯电源归谁" and told["role"] == "copy" and "13812345678" not in str(told)
	assert datetime.datetime.fromisoformat(told["takes_place"]) == datetime.datetime.fromisoformat(when)
	office.done("chengguan", case, "consult_outcome", outcome="物业接电，城管换灯", note="各方签字",
		    departments=["wuye"], task="接电")
	part = office.event(case, "assigned", "wuye")
	assert part["role"] == "support" and part["task"] == "接电"
	office.card(case, "wuye", role="support")
	assert task_of(office, case, "wuye")["task"] == "接电"
	notes = [h["note"] for h in office.history(case) if h["kind"] == "consulted"]
	assert len(notes) == 2 and "居民代表" in notes[0] and "各方签字" in notes[1]
	office.refused("chengguan", case, "resolve", answer="好了")
	office.done("wuye", case, "support_done")
	life = office.stack.ctl("show", case).stdout
	assert "called for a joint diagnosis: 路灯电源归谁" in life and "what the joint diagnosis came to: 路灯电源归谁: 物业接电" in life
	office.done("chengguan", case, "resolve", answer="好了")


# ---- chains ----------------------------------------------------------------------------------------

def test_a_chain_is_one_matter_to_the_resident(office):
	case = accepted(office, category="市政/井盖", text="井盖破损，污水外溢")
	office.done("chengguan", case, "next_step", text="清掏化粪池", category="环卫/公厕")
	office.done("chengguan", case, "next_step", text="恢复绿化", category="物业")
	assert office.done("chengguan", case, "resolve", answer="井盖已更换") == "assigned"
	office.card(case, "chengguan", present=False)
	card = office.card(case, "huanwei", role="lead", leg=2)
	planned = office.events(case, "progress", "chengguan")
	assert [e["next_step"] for e in planned] == ["清掏化粪池", "恢复绿化"] and planned[1]["category"] == "市政/井盖"
	assert planned[1]["next_category"] == "物业"
	assert card["step"] == "清掏化粪池" and card["state"] == "assigned"
	row = office.row(case)
	assert (row["lead"], row["leg"], row["policy"]) == ("huanwei", 2, "当日")
	assert "清掏化粪池" in office.event(case, "assigned", "huanwei")["why"]
	assert office.event(case, "resolved", "chengguan")

	office.done("huanwei", case, "accept")
	assert office.done("huanwei", case, "resolve", answer="已清掏") == "assigned"
	assert office.row(case)["lead"] == "wuye" and office.row(case)["leg"] == 3
	office.done("wuye", case, "accept")
	assert office.done("wuye", case, "resolve", answer="绿化已恢复") == "resolved"
	assert [leg["leg"] for leg in office.stack.ctl_json("show", case)["legs"]] == [1, 2, 3]
	assert [r["kind"] for r in office.replies(case)] == ["registered", "accepted", "contacted", "progress", "accepted",
							     "progress", "accepted", "resolved", "ask_rating"]
	assert [r["text"] for r in office.replies(case, "progress")] == [f"办理进展（编号 {case}）：{said}" for said in ("井盖已更换", "已清掏")]
	office.say(case, "rate", score="satisfied")
	assert office.row(case)["state"] == "closed"


def test_the_next_step_is_decided_by_the_stored_report_too(office):
	"""Whom the complaint is about gets no step of it: its superior does."""
	case = accepted(office, accused="wuye")
	office.done("chengguan", case, "next_step", text="查电源", category="物业")
	office.done("chengguan", case, "resolve", answer="换了灯泡")
	assert office.row(case)["lead"] == "dangzheng"


def test_a_meeting_chooses_among_several_by_votes(office):
	case = office.case(text="院里要请一家物业", category="市政/路灯")
	office.done("chengguan", case, "accept", by="wang")
	when = (datetime.datetime.fromisoformat(office.stack.ctl_json("clock", "show")["now"]) + datetime.timedelta(hours=5)).isoformat()
	office.done("chengguan", case, "consult", topic="三家选一家", parties=["居民代表", "wuye"], at=when)
	for votes in ({"wuye": 9}, {"wuye": 9, "乙": -1}, {"wuye": 9, "乙": "九"}, {"wuye": 9.5, "乙": 1}, [9, 8], {}, {str(n): n for n in range(40)}, {"": 1, "乙": 2}):
		assert "'votes' counts" in office.refused("chengguan", case, "consult_outcome", votes=votes)
	assert "chose nobody" in office.refused("chengguan", case, "consult_outcome", votes={"wuye": 20, "乙公司": 20, "丙公司": 5})
	office.done("chengguan", case, "consult_outcome", votes={"乙公司": 31, "wuye": "9", "丙公司，找张三13812345678": 5}, outcome="下月进驻", note="到会 45 人")
	told = [m for m in office.events(case, "consulted", "chengguan") if "chosen" in m][-1]
	assert told["chosen"] == "乙公司" and "13812345678" not in str(told)
	note = [h["note"] for h in office.history(case) if h["kind"] == "consulted"][-1]
	assert "乙公司 31" in note and "下月进驻" in note and "到会 45 人" in note and "13812345678" not in note
	office.done("chengguan", case, "resolve", answer="乙公司下月进驻")
