"""What departments do with their cases, and what they may not."""
import uuid

import pytest

LAMP = {"category": "市政/路灯", "text": "路灯不亮"}            # chengguan
SEALED = {"text": "窗口人员态度恶劣，姓赵"}                     # rule: ducha, sealed
WITH_SUPPORTS = {"text": "5号楼外墙皮脱落"}                     # rule: wuye, support chengguan


def test_accepting_is_told_and_its_clock_is_met(office):
	case = office.case(**LAMP)
	result = office.do("chengguan", case, "accept", by="wang", note="这就去")
	assert result["v"] == 1 and result["result"] == "done" and result["case"] == case
	assert result["state"] == "accepted" and result["reason"] is None
	assert office.event(case, "accepted", "chengguan")["state"] == "accepted"
	office.card(case, "chengguan", state="accepted")
	last = office.history(case)[-1]
	assert (last["kind"], last["department"], last["by"], last["note"]) == ("accepted", "chengguan", "wang", "这就去")
	clock = office.do("chengguan", case, "get")["clocks"]["accept"]
	assert clock["met"] and clock["met"] <= clock["due"]


def test_the_whole_way_from_assigned_to_closed(office):
	case = office.case("hotline", reply_to={"line": 3}, **LAMP)
	assert office.done("chengguan", case, "contact", by="wang", note="已联系") == "assigned"
	assert office.done("chengguan", case, "accept") == "accepted"
	assert office.done("chengguan", case, "progress", note="灯具已到") == "accepted"
	assert office.done("chengguan", case, "resolve", answer="已换灯泡") == "resolved"
	office.card(case, "chengguan", present=False)
	assert office.say(case, "rate", "hotline", score="satisfied")["result"] == "updated"
	assert office.row(case)["state"] == "closed" and office.row(case)["close_reason"] == "satisfied"
	kinds = ["assigned", "contacted", "accepted", "progress", "resolved", "rated", "closed"]
	assert office.kinds(case) == kinds
	assert [e["kind"] for e in office.events(case)] == kinds


def test_progress_needs_no_words_and_its_reply_reads_well_without(office):
	case = office.case(**LAMP)
	assert office.done("chengguan", case, "progress") == "assigned"
	assert office.event(case, "progress", "chengguan")
	assert office.reply(case, "progress")["text"] == f"办理进展（编号 {case}）"


def test_what_shows_the_work_goes_to_the_department_the_history_and_the_reporter(office):
	pictures = [{"url": "https://x.example/1.jpg", "type": "image/jpeg", "sha256": "0a" * 32}, {"url": "https://x.example/2.mp4"}]
	case = office.case(**LAMP)
	office.done("chengguan", case, "accept")
	office.done("chengguan", case, "resolve", answer="已换灯泡", media=[*pictures, {"type": "image/png"}, None])
	assert office.event(case, "resolved", "chengguan")["media"] == pictures
	assert office.reply(case, "resolved")["media"] == pictures
	assert "media" not in office.reply(case, "ask_rating")
	detail = [h["detail"] for h in office.history(case) if h["kind"] == "resolved"]
	assert detail == [{"answer": "已换灯泡", "media": pictures}]
	bare = office.case(**LAMP)
	office.done("chengguan", bare, "accept")
	office.done("chengguan", bare, "resolve", answer="已换灯泡", media=[])
	assert "media" not in office.event(bare, "resolved", "chengguan") and "media" not in office.reply(bare, "resolved")


def test_a_returned_case_goes_by_triage_to_another(office):
	case = office.case(**LAMP)
	office.done("chengguan", case, "accept")
	due = office.row(case)["due_resolve"]
	assert office.done("chengguan", case, "return", reason="not-ours", note="小区里的灯") == "triage"
	office.card(case, "chengguan", present=False)
	office.card(case, "dangzheng", role="triage", state="triage")
	assert office.event(case, "returned", "chengguan") and office.event(case, "returned", "dangzheng")
	assert office.event(case, "assigned", "dangzheng")["role"] == "triage"

	assert office.done("dangzheng", case, "transfer", to="wuye", note="请物业办") == "assigned"
	office.card(case, "dangzheng", present=False)
	office.card(case, "wuye", role="lead", state="assigned")
	assert office.event(case, "recalled", "dangzheng") and office.event(case, "assigned", "wuye")["role"] == "lead"
	row = office.row(case)
	assert row["lead"] == "wuye" and row["returns"] == 1 and row["leg"] == 1
	assert row["due_resolve"] == due, "the resident's deadline does not move"
	assert office.refused("chengguan", case, "accept"), "it is no longer theirs"
	assert office.done("wuye", case, "accept") == "accepted"


def test_after_two_returns_triage_decides_for_good(office):
	case = office.case(**LAMP)
	office.done("chengguan", case, "return", reason="not-ours")
	office.done("dangzheng", case, "transfer", to="wuye")
	office.done("wuye", case, "return", reason="not-ours")
	office.done("dangzheng", case, "transfer", to="chengguan")
	assert "may not be returned" in office.refused("chengguan", case, "return", recorded=True, reason="no-place")


def test_a_supervisor_takes_a_case_from_one_to_another(office):
	case = office.case(**LAMP)
	assert office.done("ducha", case, "transfer", to="huanwei") == "assigned"
	assert office.event(case, "recalled", "chengguan")
	office.card(case, "chengguan", present=False)
	office.card(case, "huanwei")


def test_the_lead_resolves_only_when_every_support_is_done(office):
	case = office.case(**WITH_SUPPORTS)
	assert office.card(case, "chengguan")["role"] == "support"
	assert office.event(case, "assigned", "chengguan")["role"] == "support"
	office.done("wuye", case, "accept")
	assert office.event(case, "accepted", "chengguan"), "a support hears of it"
	assert "chengguan" in office.refused("wuye", case, "resolve", answer="修好了")
	assert office.done("chengguan", case, "support_done", note="围挡已设") == "accepted"
	office.card(case, "chengguan", present=False)
	office.card(case, "wuye")
	assert office.event(case, "support_done", "wuye")
	assert office.refused("chengguan", case, "support_done")
	assert office.done("wuye", case, "resolve", answer="修好了") == "resolved"


def test_a_supervisor_lifts_a_supports_task(office):
	case = office.case(**WITH_SUPPORTS)
	office.done("wuye", case, "accept")
	assert "supervisor" in office.refused("wuye", case, "lift", to="chengguan")
	assert office.refused("ducha", case, "lift", to="huanwei")
	assert office.done("ducha", case, "lift", to="chengguan") == "accepted"
	assert office.history(case)[-1]["detail"] == {"lifted": True, "from": "ducha"}
	assert "was let off its part" in office.stack.ctl("show", case).stdout
	office.card(case, "chengguan", present=False)
	assert office.done("wuye", case, "resolve", answer="修好了") == "resolved"


@pytest.mark.parametrize("named", ({}, {"departments": ["chengguan"]}, {"department": "chengguan"}, {"department": "ducha"}))
def test_the_only_open_task_is_lifted_however_it_is_named(office, named):
	case = office.case(**WITH_SUPPORTS)
	office.done("ducha", case, "lift", **named)
	office.card(case, "chengguan", present=False)
	assert [h["department"] for h in office.history(case) if h["kind"] == "support_done"] == ["chengguan"]


# ---- get ------------------------------------------------------------------------------------------

PERSON = {"reporter": {"name": "欧阳小明", "phone": "13812345678", "ref": "openid-77"},
	  "place": {"address": "幸福里3号楼2单元501", "grid": "410106003007012", "lat": 34.75, "lon": 113.62}}


def test_get_gives_the_record_masked_by_default(office):
	case = office.case(text="路灯不亮，请联系欧阳小明13812345678", category="市政/路灯", **PERSON)
	result = office.do("chengguan", case, "get")
	assert result["result"] == "done"
	record = result["record"]
	assert record["text"] and record["reporter"]["masked"] is True and record["category"] == "市政/路灯"
	assert [h["kind"] for h in result["history"]] == ["assigned"] and result["clocks"]
	for secret in ("欧阳小明", "13812345678", "501", "openid-77"):
		assert secret not in str(result), secret


def test_get_of_a_sealed_case_tells_nothing_personal(office):
	case = office.case(**SEALED, **PERSON)
	assert office.row(case)["visibility"] == "sealed"
	result = office.do("ducha", case, "get")
	for secret in ("欧阳", "13812345678", "138", "幸福里", "态度恶劣", "openid-77"):
		assert secret not in str(result["record"]), secret


def test_get_is_audited_and_each_time_reads_anew(office):
	case = office.case(**LAMP)
	request = uuid.uuid4().hex
	assert len(office.do("chengguan", case, "get", request=request, by="wang")["history"]) == 1
	office.done("chengguan", case, "accept")
	assert len(office.do("chengguan", case, "get", request=request, by="wang")["history"]) == 2
	audit = office.db.one("select * from needle.command where request = %s", request)
	assert audit["action"] == "get" and audit["by"] == "wang" and audit["number"] == case
	assert "record" not in audit["result"], "personal data is not kept twice"
	assert office.do("chengguan", case, "get", request=request, by="li", note="再看")["result"] == "done"
	items = office.stack.ctl_json("audit", case)["items"]
	assert [(i["by"], i["note"], i["request"]) for i in items] == [
		("li", "再看", request), ("wang", None, request), ("wang", None, request)], "every reading is listed"


def test_a_request_that_was_used_gives_its_own_result_and_no_record(office):
	case, other = office.case(**LAMP), office.case(**LAMP)
	accept, read, refused = (uuid.uuid4().hex for _ in range(3))
	first = office.do("chengguan", case, "accept", request=accept)
	assert office.do("chengguan", other, "get", request=accept) == first
	assert office.do("chengguan", case, "get", request=accept) == first
	assert "record" in office.do("chengguan", case, "get", request=read)
	again = office.do("chengguan", other, "get", request=read)
	assert again["case"] == case and again["result"] == "done" and "record" not in again, again
	assert "record" not in office.do("chengguan", case, "accept", request=read)
	first = office.do("huanwei", case, "get", request=refused)
	office.done("ducha", case, "transfer", to="huanwei")
	assert office.do("huanwei", case, "get", request=refused) == first and first["result"] == "refused"
	assert [i["case"] for i in office.stack.ctl_json("audit", other)["items"]] == [], "nobody has read it"


def test_supports_triage_and_supervisors_may_read(office):
	case = office.case(**WITH_SUPPORTS)
	for department in ("wuye", "chengguan", "dangzheng", "ducha"):
		assert office.do(department, case, "get")["result"] == "done"
	assert office.refused("huanwei", case, "get")


# ---- refused --------------------------------------------------------------------------------------

def test_another_departments_case_and_an_unknown_one_are_refused_by_the_same_sentence(office):
	case = office.case(**LAMP)
	unknown = "JYL200101000001"
	for action in ("accept", "contact", "progress", "return", "resolve", "transfer", "support_done", "lift", "get"):
		mine = office.refused("huanwei", case, action, note="x", reason="not-ours", answer="x", to="huanwei")
		none = office.refused("huanwei", unknown, action, note="x", reason="not-ours", answer="x", to="huanwei")
		assert mine.replace(case, unknown) == none, action


def test_the_topic_says_who_speaks_not_the_payload(office):
	case = office.case(**LAMP)
	office.refused("huanwei", case, "accept", dept="chengguan", department="chengguan", tenant="jiyuanlu", role="lead")


@pytest.mark.parametrize("before,action,members,why", (
	((), "resolve", {"answer": "好了"}, "accepted first"),
	((), "return", {}, "reason"),
	((), "return", {"reason": "no-such-code"}, "no-such-code"),
	((), "transfer", {"to": "wuye"}, "triage"),
	((), "support_done", {}, "no task"),
	((("accept", {}),), "accept", {}, "accepted already"),
	((("accept", {}),), "resolve", {}, "answer"),
	((("return", {"reason": "not-ours"}),), "accept", {}, "not in the queue"),
	((("accept", {}), ("resolve", {"answer": "好了"})), "progress", {"note": "x"}, "resolved"),
	((("accept", {}), ("resolve", {"answer": "好了"})), "resolve", {"answer": "x"}, "resolved"),
	((("accept", {}), ("resolve", {"answer": "好了"})), "return", {"reason": "not-ours"}, "resolved"),
	((), "suspend", {"until": "2099-01-01"}, "note"),
))
def test_what_a_case_forbids_is_refused_with_a_sentence(office, before, action, members, why):
	case = office.case(**LAMP)
	for done, with_what in before:
		office.done("chengguan", case, done, **with_what)
	assert why in office.refused("chengguan", case, action, **members)


def test_triage_must_name_a_department_that_exists(office):
	case = office.case(**LAMP)
	office.done("chengguan", case, "return", reason="not-ours")
	assert office.refused("dangzheng", case, "transfer")
	assert office.refused("dangzheng", case, "transfer", to="no-such-body")
	assert office.refused("dangzheng", case, "accept"), "triage hands on"


def test_an_unknown_officer_is_refused_where_there_is_a_list(office):
	case = office.case(text="18号楼希望能用上天然气", place={"grid": "410106003001003"})
	assert office.row(case)["lead"] == "gaizao"
	assert "nobody" in office.refused("gaizao", case, "accept", by="nobody")
	assert office.done("gaizao", case, "accept", by="zheng") == "accepted"


# ---- bad ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("change,word", (
	({"action": "explode"}, "action"), ({"action": None}, "action"), ({"action": 7}, "action"),
	({"case": "JYL1"}, "case"), ({"case": None}, "case"), ({"case": "../../x"}, "case"), ({"case": ["x"]}, "case"),
))
def test_a_command_that_cannot_be_understood_is_bad(office, change, word):
	command = dict({"case": "JYL261120000001", "action": "accept"}, **change)
	result = office.user("dept-chengguan").command("chengguan", command)
	assert result["result"] == "bad" and word in result["reason"], result


def test_a_command_without_a_readable_request_is_answered_all_the_same(office):
	results = office.admin.collect(f"{office.root}/dept/chengguan/result")
	for n, payload in enumerate((b"{", b'{"action":"accept","case":"JYL261120000001"}',
				     b'{"request":"","action":"accept","case":"JYL261120000001"}', b"[]", b"", b"\xff")):
		office.user("dept-chengguan").publish(f"{office.root}/dept/chengguan/cmd", payload)
		results.wait(lambda m: m.json["result"] == "bad", n=n + 1)
	assert all(m.json["request"] is None and m.json["reason"] for m in results), list(results)


# ---- again ----------------------------------------------------------------------------------------

def test_the_same_request_again_gives_the_same_result_and_changes_nothing(office):
	case = office.case(**LAMP)
	command = {"case": case, "action": "accept", "request": uuid.uuid4().hex}
	me = office.user("dept-chengguan")
	first = me.command("chengguan", dict(command))
	office.done("chengguan", case, "progress", note="在修")
	before = office.picture(case)
	assert me.command("chengguan", dict(command)) == first
	assert me.command("chengguan", dict(command, action="return", reason="not-ours")) == first
	assert office.picture(case) == before


def test_a_refusal_is_remembered_as_well(office):
	case = office.case(**LAMP)
	command = {"case": case, "action": "resolve", "answer": "x", "request": uuid.uuid4().hex}
	me = office.user("dept-chengguan")
	first = me.command("chengguan", dict(command))
	assert first["result"] == "refused"
	office.done("chengguan", case, "accept")
	assert me.command("chengguan", dict(command)) == first


def test_the_request_belongs_to_its_department(office):
	case, request = office.case(**LAMP), uuid.uuid4().hex
	assert office.do("huanwei", case, "accept", request=request)["result"] == "refused"
	assert office.do("chengguan", case, "accept", request=request)["result"] == "done"


def test_thirty_times_the_same_request_in_a_burst_is_one_act(office):
	case, request = office.case(**LAMP), uuid.uuid4().hex
	results = office.admin.collect(f"{office.root}/dept/chengguan/result")
	for _ in range(30):
		office.user("dept-chengguan").publish(f"{office.root}/dept/chengguan/cmd", {
			"request": request, "case": case, "action": "contact", "note": "打过电话"}, wait=False)
	got = results.wait(lambda m: m.json["request"] == request, n=30, bound=20)
	assert {m.payload for m in got} == {got[0].payload} and got[0].json["result"] == "done"
	assert office.kinds(case) == ["assigned", "contacted"]


def test_many_commands_at_once_act_in_their_order(office):
	case = office.case(**LAMP)
	results = office.admin.collect(f"{office.root}/dept/chengguan/result")
	for n, (action, more) in enumerate((("accept", {}), ("progress", {"note": "1"}), ("progress", {"note": "2"}),
					    ("resolve", {"answer": "好了"}), ("progress", {"note": "late"}))):
		office.user("dept-chengguan").publish(f"{office.root}/dept/chengguan/cmd", dict({
			"request": f"order-{n}", "case": case, "action": action}, **more), wait=False)
	got = {m.json["request"]: m.json["result"] for m in results.wait(
		lambda m: (m.json["request"] or "").startswith("order-"), n=5)}
	assert [got[f"order-{n}"] for n in range(5)] == ["done"] * 4 + ["refused"]
	assert office.kinds(case) == ["assigned", "accepted", "progress", "progress", "resolved"]


def test_the_result_goes_below_the_result_topic_when_mqtt_5_asks_for_it(office):
	case = office.case(**LAMP)
	mine = office.user("dept-chengguan").collect(f"{office.root}/dept/chengguan/result/screen-1")
	office.user("dept-chengguan").publish(f"{office.root}/dept/chengguan/cmd", {
		"request": "own-topic", "case": case, "action": "accept"},
		response_topic=f"{office.root}/dept/chengguan/result/screen-1", correlation=b"c1")
	got = mine.wait()
	assert got.json["request"] == "own-topic" and got.correlation == b"c1"


def test_a_result_is_not_sent_to_another_department(office):
	case = office.case(**LAMP)
	heard = office.admin.collect(f"{office.root}/dept/huanwei/result")
	results = office.admin.collect(f"{office.root}/dept/chengguan/result")
	office.user("dept-chengguan").publish(f"{office.root}/dept/chengguan/cmd", {
		"request": "other-topic", "case": case, "action": "accept"},
		response_topic=f"{office.root}/dept/huanwei/result")
	results.wait(lambda m: m.json["request"] == "other-topic")
	assert not len(heard)


def test_a_record_larger_than_the_broker_takes_is_refused_and_holds_nobody_up(office):
	case = office.case(text="路灯不亮", category="市政/路灯")
	for _ in range(4):
		office.done("chengguan", case, "progress", note="进展。" * 26000)
	reason = office.refused("chengguan", case, "get")
	assert "bytes" in reason or "字节" in reason, reason
	assert office.done("chengguan", case, "accept") == "accepted", "what comes behind it goes on"
