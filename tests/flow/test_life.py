"""What happens to a case after it was resolved, and what its reporter can do with it. Time stands until told."""
import datetime

STACK = {"simulate": "2026-11-23 09:00:00"}        # a Monday
LAMP = {"category": "市政/路灯", "text": "路灯不亮"}


def resolved(office, channel="patrol", **members):
	case = office.case(channel, **dict(LAMP, **members))
	office.done("chengguan", case, "accept")
	office.done("chengguan", case, "resolve", answer="已换灯泡")
	return case


def now(office):
	return datetime.datetime.fromisoformat(office.stack.ctl_json("clock", "show")["now"])


def window_end(office, at):
	"""Of lifecycle.yaml's closing window."""
	said = office.stack.ctl_json("deadline", "7 自然日", "--from", at.isoformat(), "--calendar", "机关")
	return datetime.datetime.fromisoformat(said["due"])


# ---- ratings --------------------------------------------------------------------------------------

def test_satisfied_or_basically_satisfied_closes_the_case(office):
	for score in ("satisfied", "basically"):
		case = resolved(office)
		assert office.say(case, "rate", score=score, comment="谢谢")["result"] == "updated"
		row = office.row(case)
		assert row["state"] == "closed" and row["close_reason"] == score and row["closed_at"]
		assert office.kinds(case)[-2:] == ["rated", "closed"]
		assert office.event(case, "closed", "chengguan")
		assert "closed" in office.refused("chengguan", case, "progress", note="x")


def test_dissatisfied_opens_a_new_leg_with_a_card_again(office):
	case = resolved(office)
	first = office.row(case)
	office.card(case, "chengguan", present=False)
	office.clock("add", "10 分钟")
	receipt = office.say(case, "rate", score="dissatisfied", comment="没修好")
	assert receipt["result"] == "updated" and receipt["case"] == case
	row = office.row(case)
	assert (row["state"], row["leg"], row["lead"], row["policy"]) == ("assigned", 2, "chengguan", "当日")
	assert row["received_at"] == first["received_at"], "the case's own clock runs on"
	assert row["due_resolve"] != first["due_resolve"]
	assert row["due_resolve"] == datetime.datetime.fromisoformat(receipt["due"]["resolve"])
	card = office.card(case, "chengguan", leg=2, state="assigned")
	assert card["due"]["resolve"] == receipt["due"]["resolve"]
	assert office.event(case, "reopened", "chengguan")["leg"] == 2
	assert office.kinds(case)[-2:] == ["rated", "reopened"]
	legs = office.stack.ctl_json("show", case)["legs"]
	assert [leg["leg"] for leg in legs] == [1, 2] and legs[0]["ended"] and not legs[1]["ended"]

	office.done("chengguan", case, "accept")
	office.done("chengguan", case, "resolve", answer="又修了")
	office.say(case, "rate", score="satisfied")
	assert office.row(case)["state"] == "closed" and office.row(case)["leg"] == 2


def test_what_is_said_with_a_rating_reaches_the_department_with_names_and_phones_masked(office):
	case = resolved(office, reporter={"name": "欧阳建设", "phone": "13912345678"})
	office.say(case, "rate", score="dissatisfied", comment="灯还是不亮。欧阳建设，13912345678")
	said = "灯还是不亮。欧*，139****5678"
	event = office.event(case, "rated", "chengguan")
	assert (event["why"], event["comment"]) == ("dissatisfied", said)
	assert [h["note"] for h in office.history(case) if h["kind"] == "rated"] == [f"dissatisfied: {said}"]
	assert office.db.value("select rated from needle.cases where number = %s", case) == "dissatisfied"
	assert f"不满意：{said}" in office.stack.ctl("show", case, "--lang", "zh").stdout
	silent = resolved(office)
	office.say(silent, "rate", score="satisfied")
	assert "comment" not in office.event(silent, "rated", "chengguan")


def test_a_reporter_may_be_dissatisfied_again(office):
	case = resolved(office)
	for leg in (2, 3):
		office.say(case, "rate", score="dissatisfied")
		assert office.row(case)["leg"] == leg
		office.done("chengguan", case, "accept")
		office.done("chengguan", case, "resolve", answer="再修")
	assert [leg["leg"] for leg in office.stack.ctl_json("show", case)["legs"]] == [1, 2, 3]


def test_a_rating_before_the_work_is_done_is_recorded_and_closes_nothing(office):
	case = office.case(**LAMP)
	receipt = office.say(case, "rate", score="satisfied")
	assert receipt["result"] == "updated" and receipt["reason"]
	assert office.row(case)["state"] == "assigned" and office.kinds(case) == ["assigned", "rated"]


def test_the_rating_finds_its_case_by_the_first_reports_id(office):
	case = resolved(office, id="about-1")
	office.report(kind="rate", about="about-1", score="satisfied")
	assert office.row(case)["state"] == "closed"


def test_an_unrated_case_closes_when_the_window_is_over_and_not_before(office):
	case = resolved(office)
	assert office.row(case)["resolved_at"].replace(microsecond=0) == now(office)
	end = window_end(office, now(office))
	office.clock("set", (end - datetime.timedelta(seconds=1)).isoformat())
	other = office.case(**LAMP)
	assert office.event(other, "assigned") and office.row(case)["state"] == "resolved"
	office.clock("set", end.isoformat())
	office.event(case, "closed", "chengguan")
	row = office.row(case)
	assert row["state"] == "closed" and row["close_reason"] == "unrated"
	assert office.reply(case, "closed")


def test_dissatisfied_after_closing_counts_within_the_window_and_not_later(office):
	early, late = resolved(office), resolved(office)
	for case in (early, late):
		office.say(case, "rate", score="satisfied")
	end = window_end(office, now(office))
	office.clock("set", (end - datetime.timedelta(seconds=1)).isoformat())
	office.say(early, "rate", score="dissatisfied")
	assert office.row(early)["state"] == "assigned" and office.row(early)["leg"] == 2
	office.card(early, "chengguan", leg=2)
	office.clock("set", (end + datetime.timedelta(seconds=1)).isoformat())
	receipt = office.say(late, "rate", score="dissatisfied")
	assert receipt["result"] == "updated" and receipt["reason"]
	assert office.row(late)["state"] == "closed" and office.row(late)["leg"] == 1


# ---- again ----------------------------------------------------------------------------------------

def test_a_second_dispatch_of_a_closed_case_is_a_new_leg(office):
	case = resolved(office)
	office.say(case, "rate", score="satisfied")
	receipt = office.say(case, "again", text="又不亮了")
	assert receipt["result"] == "updated" and receipt["case"] == case and receipt["reason"] is None
	assert office.row(case)["leg"] == 2 and office.row(case)["state"] == "assigned"
	office.card(case, "chengguan", leg=2)


def test_a_second_dispatch_of_an_open_case_is_a_supplement(office):
	case = office.case(**LAMP)
	receipt = office.say(case, "again", text="还是不亮")
	assert receipt["result"] == "updated" and receipt["reason"]
	assert office.row(case)["leg"] == 1 and office.kinds(case) == ["assigned", "supplemented"]


# ---- urges, supplements, withdrawal, questions -----------------------------------------------------

def test_urges_over_the_days_limit_are_recorded_and_not_forwarded(office):
	case = office.case(**LAMP)
	receipts = [office.say(case, "urge", text="快点") for _ in range(5)]
	assert [r["result"] for r in receipts] == ["updated"] * 5
	assert [bool(r["reason"]) for r in receipts] == [False] * 3 + [True] * 2
	assert len(office.events(case, "urged", "chengguan")) == 3
	assert office.kinds(case).count("urged") == 5 and office.row(case)["heat"] == 5
	office.clock("add", "1 自然日")
	assert office.say(case, "urge", text="今天呢")["reason"] is None
	assert len(office.events(case, "urged", "chengguan")) == 4


def test_a_supplement_reaches_lead_and_supports_masked(office):
	case = office.case(text="5号楼外墙皮脱落")
	receipt = office.say(case, "supplement", text="砸到车了，电话13800001111")
	assert receipt["result"] == "updated" and receipt["department"] == "wuye"
	for department in ("wuye", "chengguan"):
		event = office.event(case, "supplemented", department)
		assert "砸到车了" in event["why"] and "13800001111" not in event["why"]
	assert "13800001111" not in str(office.history(case))


def test_all_sentences_of_a_supplement_reach_the_department(office):
	case = office.case(**LAMP)
	office.say(case, "supplement", text="刚才的地址说错了。\n应该是3号楼北门！请到那里去。")
	assert office.event(case, "supplemented", "chengguan")["why"] == "刚才的地址说错了。 应该是3号楼北门！请到那里去。"


def test_a_withdrawn_case_is_closed_and_leaves_the_queue(office):
	case = office.case(**LAMP)
	office.card(case, "chengguan")
	assert office.say(case, "withdraw", text="自己修好了")["result"] == "updated"
	assert office.row(case)["state"] == "closed" and office.row(case)["close_reason"] == "withdrawn"
	office.card(case, "chengguan", present=False)
	assert office.event(case, "closed", "chengguan")["why"] == "withdrawn"
	assert office.refused("chengguan", case, "accept")
	again = office.say(case, "withdraw")
	assert again["result"] == "updated" and again["reason"] and office.kinds(case) == ["assigned", "closed"]


def test_a_question_is_answered_by_a_reply(office):
	case = office.case(reply_to={"openid": "o1"}, **LAMP)
	assert office.say(case, "status")["result"] == "updated"
	reply = office.reply(case, "status")
	assert case in reply["text"] and "城管办" in reply["text"] and reply["to"] == {"openid": "o1"}
	assert office.kinds(case) == ["assigned"], "a question changes nothing"


def test_a_question_about_a_devices_case_is_answered_to_who_asked(office):
	case = office.case("device", "gw", device="lamp-7", **LAMP)
	assert office.say(case, "status", "device", source="gw")["result"] == "updated"
	assert office.reply(case, "status")["to"] is None
	asked = office.report("hotline", "h1", kind="status", case=case, reply_to={"line": 3})
	assert asked["result"] == "updated"
	told = office.witness.replies.wait(lambda m: m.json["case"] == case and m.topic == f"{office.root}/out/hotline/h1")
	assert told.json["kind"] == "status" and told.json["to"] == {"line": 3} and "城管办" in told.json["text"]
	office.done("chengguan", case, "accept")
	assert {r["kind"] for r in office.replies(case)} == {"status"}, "of nothing else does a device hear"


def test_questions_in_one_burst_are_all_answered(office):
	case = office.case(**LAMP)
	heard = office.admin.collect(f"{office.root}/receipt/patrol/asks")
	for n in range(8):
		office.user("in-patrol").publish(f"{office.root}/in/patrol/asks", {
			"id": f"ask-{n}", "kind": "status", "case": case}, wait=False)
	got = heard.wait(n=8)
	assert [m.json["result"] for m in got] == ["updated"] * 8, [m.json["reason"] for m in got]
	assert office.reply(case, "status")
	assert not office.dead(topic=f"{office.root}/in/patrol/asks")


def test_what_an_adapter_says_of_a_delivery_is_in_the_history(office):
	case = office.case(**LAMP)
	reply = office.reply(case, "registered")
	office.say(case, "delivered", reply=reply["id"], ok=True)
	last = office.history(case)[-1]
	assert last["kind"] == "delivered" and reply["id"] in last["note"]


def test_what_is_said_about_an_unknown_case_is_dead(office):
	for kind, more in (("urge", {}), ("rate", {"score": "satisfied"}), ("supplement", {"text": "x"}), ("withdraw", {})):
		assert office.report(kind=kind, case="JYL200101000001", **more)["result"] == "dead"
		assert office.report(kind=kind, about="never-heard-of", **more)["result"] == "dead"


def test_a_case_number_that_is_unknown_does_not_hide_a_good_about(office):
	case = office.case(id="about-2", **LAMP)
	assert office.report(kind="urge", case="JYL200101000001", about="about-2")["case"] == case
	assert office.report(kind="urge", case="JYL200101000001", about="never-heard-of")["result"] == "dead"
	other = office.case(**LAMP)
	assert office.report(kind="urge", case=other, about="about-2")["case"] == other, "a good number counts first"


def test_another_channels_report_id_names_no_case(office):
	office.case("letter", id="letters-own", **LAMP)
	assert office.report("patrol", kind="urge", about="letters-own")["result"] == "dead"


# ---- replies --------------------------------------------------------------------------------------

def test_the_reporter_hears_each_step_on_the_way_that_the_report_came(office):
	reply_to = {"openid": "o-77", "nested": [1, {"x": None}]}
	case = office.case("wechat", "app-1", id="reply-1", reply_to=reply_to, **LAMP)
	office.done("chengguan", case, "accept")
	office.done("chengguan", case, "contact", note="已联系")
	office.done("chengguan", case, "progress", note="等配件")
	office.done("chengguan", case, "resolve", answer="已换灯泡")
	office.say(case, "rate", "wechat", score="satisfied")
	replies = office.replies(case)
	assert [r["kind"] for r in replies] == ["registered", "accepted", "contacted", "progress", "resolved", "ask_rating",
						"closed"]
	assert all(r["v"] == 1 and r["about"] == "reply-1" and r["to"] == reply_to and r["text"] for r in replies)
	assert len({r["id"] for r in replies}) == len(replies)
	assert replies[0]["text"] == f"已受理，编号 {case}，由城管办（综合执法）办理。"
	assert replies[4]["text"] == "已换灯泡"
	assert all(m.topic == f"{office.root}/out/wechat/app-1" for m in office.witness.replies if m.json["case"] == case)


def test_a_device_that_reads_no_replies_gets_none(office):
	case = office.case("device", "mh-1", device="mh-1", **LAMP)
	office.done("chengguan", case, "accept")
	assert office.replies(case) == []
