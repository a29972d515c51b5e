"""What was said while the gateway was away comes to it in few batches: it acts as if each had come alone, in that order."""
import json
import signal

STACK = {"simulate": "2026-11-23 09:00:00"}        # a Monday
LEAK = {"category": "物业/漏水", "text": "幸福里66号楼楼道顶部一直漏水，墙皮已经脱落", "place": {"address": "幸福里66号楼", "grid": "410106003007012"}}


def all_at_once(office, *said):
	"""Says (department or None, channel, message) … to a gateway that is away; after its return the answers in their order."""
	answers = office.admin.collect(f"{office.root}/receipt/+/batch", f"{office.root}/dept/+/result")
	office.stack.kill(number=signal.SIGTERM)
	for department, channel, message in said:
		if department:
			office.user(f"dept-{department}").publish(f"{office.root}/dept/{department}/cmd", json.dumps(message))
		else:
			office.user(f"in-{channel}").publish(f"{office.root}/in/{channel}/batch", json.dumps(message))
	office.stack.up()
	answers.wait(n=len(said), bound=30)
	return [m.json for m in answers]


def next_number(office):
	"""Nobody can know it; but whoever writes it down by chance must not find another case."""
	return f"JYL261123{office.db.value('select next from needle.number_day') :06d}"


def test_a_case_is_put_right_in_the_batch_that_opens_it(office):
	office.case("patrol", text="路灯不亮", category="市政/路灯")
	case = next_number(office)
	created, twin, amended, again, other, accepted = all_at_once(
		office, (None, "patrol", {"id": "r-1", "text": "天花板漏水", "category": "市政/路灯"}),
		(None, "patrol", {"id": "r-1", "text": "天花板漏水", "category": "市政/路灯"}),
		("dangzheng", None, {"request": "q-1", "case": case, "action": "amend", "category": "物业/漏水"}),
		("dangzheng", None, {"request": "q-1", "case": case, "action": "amend", "category": "物业/漏水"}),
		(None, "patrol", {"id": "r-1", "text": "别的话", "category": "市政/路灯"}),
		("wuye", None, {"request": "q-1", "case": case, "action": "accept", "by": "王"}))
	assert (created["result"], created["case"], created["department"]) == ("created", case, "chengguan")
	assert (twin["result"], twin["case"], twin["reason"]) == ("duplicate", case, None)
	assert amended["result"] == "done" and again == amended, amended
	assert other["result"] == "duplicate" and other["case"] == case and "other content" in other["reason"]
	assert accepted["result"] == "done" and accepted["state"] == "accepted", "the same request of another department is another"
	row = office.row(case)
	assert (row["lead"], row["category"], row["state"]) == ("wuye", "物业/漏水", "accepted")
	kinds = office.kinds(case)
	assert kinds.count("accepted") == 1 and kinds.count("amended") == 1, kinds


def test_follow_ups_find_the_report_before_them_and_only_that(office):
	answers = all_at_once(
		office, (None, "patrol", {"id": "f-0", "kind": "talk", "text": "有人吗"}), (None, "patrol", {"id": "f-1", "text": "积水"}),
		(None, "patrol", {"id": "f-2", "text": "塌方"}), (None, "letter", {"id": "f-3", "text": "噪音"}),
		(None, "patrol", {"id": "f-4", "kind": "supplement", "about": "f-2", "text": "更大了"}),
		(None, "letter", {"id": "f-5", "kind": "supplement", "about": "f-1", "text": "不是这个渠道的"}),
		(None, "patrol", {"id": "f-6", "kind": "urge", "about": "f-9", "text": "没有这个编号"}),
		(None, "patrol", {"id": "f-6", "kind": "urge", "about": "f-1", "text": "这个有"}),
		(None, "patrol", {"id": "f-4", "kind": "supplement", "about": "f-2", "text": "更大了"}))
	results = [(a["id"], a["result"]) for a in answers]
	assert results == [("f-0", "updated"), ("f-1", "created"), ("f-2", "created"), ("f-3", "created"), ("f-4", "updated"), ("f-5", "dead"),
			   ("f-6", "dead"), ("f-6", "updated"), ("f-4", "duplicate")]
	assert answers[4]["case"] == answers[2]["case"] == answers[8]["case"] and answers[7]["case"] == answers[1]["case"]
	assert office.kinds(answers[2]["case"]) == ["assigned", "supplemented"] and office.kinds(answers[1]["case"]) == ["assigned", "urged"]


def test_one_matter_told_by_many_is_one_case_in_one_batch_too(office):
	sealed = dict(LEAK, reporter={"secret": True})
	answers = all_at_once(
		office, (None, "wechat", dict(sealed, id="s-1")), (None, "hotline", dict(LEAK, id="s-2")), (None, "wechat", dict(LEAK, id="s-3")),
		(None, "patrol", dict(LEAK, id="s-4")), (None, "patrol", {"id": "s-5", "kind": "urge", "about": "s-4", "text": "快点"}),
		(None, "patrol", dict(LEAK, id="s-6", category="物业/电梯")), (None, "patrol", dict(sealed, id="s-7")))
	results = [a["result"] for a in answers]
	assert results == ["created", "created", "joined", "joined", "updated", "created", "created"]
	assert len({answers[n]["case"] for n in (1, 2, 3, 4)}) == 1 and len({a["case"] for a in answers}) == 4
	case = answers[1]["case"]
	assert office.row(case)["reports"] == 3 and office.kinds(case) == ["assigned", "joined", "joined", "urged"]


def test_of_two_that_are_as_like_the_newer_is_proposed_in_one_batch_too(office):
	place = {"grid": "410106003007012", "address": "幸福里"}
	answers = all_at_once(office, *((None, "patrol", {"id": f"l-{where}", "category": "物业/漏水", "text": f"楼道顶{where}处在漏水", "place": place})
					for where in "甲乙丙丁"))
	cases = [a["case"] for a in answers]
	asked = [[h["detail"]["into"] for h in office.history(c) if h["kind"] == "asked"] for c in cases]
	assert len(set(cases)) == 4 and asked == [[]] + [[c] for c in cases[:3]]
