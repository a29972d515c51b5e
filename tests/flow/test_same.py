"""Several residents report one thing: one case, one lead, one clock, and each of them is answered."""
import itertools

import pytest

STACK = {"simulate": "2026-11-23 09:00:00"}        # a Monday
GRID = "410106003007012"
HOUSES = itertools.count(100)


def matter(**members):
	"""A leak in a house of its own: what one test says is nothing to another."""
	house = next(HOUSES)
	return dict({"category": "物业/漏水", "text": f"幸福里{house}号楼楼道顶部一直漏水，墙皮已经脱落",
		     "place": {"address": f"幸福里{house}号楼", "grid": GRID}}, **members)


def two(office, **members):
	"""A case with a second reporter, of another channel."""
	said = matter(**members)
	case = office.case("hotline", "city", id=office.new_id("first"), **said)
	second = office.new_id("second")
	receipt = office.report("wechat", "site", id=second, reply_to={"ticket": second}, **said)
	assert receipt["result"] == "joined" and receipt["case"] == case, receipt
	return case, second, said


# ---- at intake ------------------------------------------------------------------------------------

def test_the_second_report_of_a_matter_is_joined_and_no_case_is_made(office):
	before = office.db.value("select count(*) from needle.v_case")
	case, second, _ = two(office)
	assert office.db.value("select count(*) from needle.v_case") == before + 1
	event = office.event(case, "joined", "wuye")
	assert event["reports"] == 2 and event["role"] == "lead"
	assert office.card(case, "wuye", reports=2)["case"] == case
	assert office.db.value("select number from needle.report where id = %s", second) == case
	assert office.kinds(case) == ["assigned", "joined"]
	assert office.row(case)["reports"] == 2


def test_the_receipt_of_a_joined_report_is_repeated_with_its_case(office):
	case, second, said = two(office)
	again = office.report("wechat", "site", id=second, reply_to={"ticket": second}, **said)
	assert again["result"] == "duplicate" and again["case"] == case and again["due"]["resolve"]
	assert office.row(case)["reports"] == 2


@pytest.mark.parametrize("other", [
	{"category": "物业/电梯"}, {"text": "三天没有人来收垃圾，楼下气味很大"}, {"place": {"grid": "410106003001001"}},
	{"place": None}, {"category": None}], ids=["category", "text", "grid", "no-place", "no-category"])
def test_what_differs_is_a_case_of_its_own(office, other):
	said = matter()
	case = office.case("hotline", **said)
	members = {k: v for k, v in {**said, **other}.items() if v}
	receipt = office.report("wechat", **members)
	assert receipt["result"] == "created" and receipt["case"] != case


def test_positions_more_than_the_radius_apart_are_two_matters(office):
	said = matter()
	here = {"grid": GRID, "lat": 34.751, "lon": 113.621, "crs": "gcj02"}
	said["text"] = "路口东侧人行道上有一处漏水，水一直往外冒"
	case = office.case("hotline", **dict(said, place=here))
	near = office.report("wechat", **dict(said, place=dict(here, lat=34.75105)))
	far = office.report("wechat", **dict(said, place=dict(here, lat=34.7515)))
	assert near["result"] == "joined" and near["case"] == case
	assert far["result"] == "created"


def test_a_matter_that_was_resolved_or_is_too_old_is_another_one(office):
	case, _, said = two(office)
	office.done("wuye", case, "accept")
	office.done("wuye", case, "resolve", answer="修好了")
	assert office.report("patrol", **said)["result"] == "created"
	old = matter()
	first = office.case("hotline", **old)
	office.clock("add", "22 自然日")
	receipt = office.report("wechat", **old)
	assert receipt["result"] == "created" and receipt["case"] != first


def test_many_at_once_become_one_case(office):
	said = matter()
	ids = [office.new_id("burst") for _ in range(40)]
	heard = office.admin.collect(f"{office.root}/receipt/hotline/burst")
	for i in ids:
		office.user("in-hotline").publish(f"{office.root}/in/hotline/burst", dict(said, id=i), wait=False)
	heard.wait(lambda m: m.json["id"] in ids, n=len(ids), bound=30, what="a receipt each")
	receipts = [m.json for m in heard]
	assert sorted(r["result"] for r in receipts) == ["created"] + ["joined"] * 39
	assert len({r["case"] for r in receipts}) == 1
	assert office.row(receipts[0]["case"])["reports"] == 40


def test_a_secret_report_and_a_complaint_about_a_body_are_never_joined(office):
	said = matter()
	office.case("hotline", **said)
	assert office.report("wechat", reporter={"secret": True}, **said)["result"] == "created"
	assert office.report("wechat", accused="wuye", **said)["result"] == "created"


def test_between_the_thresholds_triage_is_asked(office):
	said = matter()
	case = office.case("hotline", **said)
	other = office.report("wechat", **dict(said, text=said["text"][:14] + "请尽快派人来处理"))
	assert other["result"] == "created"
	asked = office.event(other["case"], "asked", "dangzheng")
	assert asked["ask"] == "join" and asked["into"] == case and 0.6 <= asked["likeness"] < 0.85
	assert case in office.history(other["case"])[-1]["note"]
	assert case in office.stack.ctl("show", other["case"]).stdout
	office.done("dangzheng", other["case"], "join", into=asked["into"])
	assert office.row(other["case"])["joined_into"] == case


# ---- the reporters --------------------------------------------------------------------------------

def test_every_reporter_is_answered_in_the_channel_used(office):
	case, second, _ = two(office)
	office.done("wuye", case, "accept")
	office.done("wuye", case, "resolve", answer="已经修好")
	office.reply(case, "ask_rating")
	office.witness.quiet()
	told = [m for m in office.witness.replies if m.json["case"] == case and m.json["kind"] == "resolved"]
	assert len(told) == 2 and {m.json["text"] for m in told} == {"已经修好"}
	assert {m.topic for m in told} == {f"{office.root}/out/hotline/city", f"{office.root}/out/wechat/site"}
	assert next(m.json for m in told if m.json["about"] == second)["to"] == {"ticket": second}


def test_one_dissatisfied_reporter_has_the_case_handled_again(office):
	case, second, _ = two(office)
	office.done("wuye", case, "accept")
	office.done("wuye", case, "resolve", answer="已经修好")
	assert office.report("hotline", "city", kind="rate", case=case, score="satisfied")["result"] == "updated"
	assert office.row(case)["state"] == "closed"
	receipt = office.report("wechat", "site", kind="rate", about=second, score="dissatisfied")
	assert receipt["result"] == "updated" and receipt["case"] == case
	assert office.row(case)["state"] == "assigned" and office.row(case)["leg"] == 2


def test_one_who_withdraws_leaves_the_case_to_the_other(office):
	case, second, _ = two(office)
	office.report("wechat", "site", kind="withdraw", about=second)
	assert office.row(case)["state"] == "assigned"
	office.report("hotline", "city", kind="withdraw", case=case)
	assert office.row(case)["state"] == "closed" and office.row(case)["close_reason"] == "withdrawn"


def test_the_same_person_again_is_heat(office):
	said = matter(reporter={"name": "李某某", "phone": "13800000123"})
	case = office.case("hotline", **said)
	for n in range(1, 3):
		assert office.report("wechat", **said)["result"] == "joined"
		assert office.row(case)["heat"] == n
	said["reporter"] = {"name": "王某某", "phone": "13800000124"}
	assert office.report("wechat", **said)["result"] == "joined"
	assert office.row(case)["heat"] == 2
	stored = office.db.value("select person from needle.cases where number = %s", case)
	assert stored and "138" not in stored


def test_heat_reaches_the_leader(office):
	case = office.case("hotline", **matter())
	for _ in range(5):
		office.report("hotline", kind="urge", case=case)
	assert office.event(case, "escalated", "wuye", to="leader")["level"] == 1
	assert office.row(case)["heat"] == 5 and office.row(case)["level"] == 1


# ---- triage ---------------------------------------------------------------------------------------

def test_triage_joins_two_cases_and_takes_them_apart(office):
	a, b = (office.case("hotline", id=office.new_id("ab"), **matter()) for _ in range(2))
	first = office.row(b)["report"]
	assert "triage" in office.refused("wuye", b, "join", into=a)
	assert office.done("dangzheng", b, "join", into=a, note="同一处") == "joined"
	row = office.row(b)
	assert row["state"] == "joined" and row["joined_into"] == a
	office.card(b, "wuye", present=False)
	assert not office.db.all("select * from needle.queue where number = %s", b)
	assert not office.db.all("select * from needle.timer where number = %s", b)
	assert office.card(a, "wuye", reports=2)
	assert office.event(b, "joined", "wuye")["into"] == a
	assert office.event(a, "joined", "wuye")["from"] == b
	assert "joined" in office.refused("wuye", b, "accept")

	# What its reporter says goes to the other one now.
	assert office.report("hotline", kind="urge", about=first, text="快点")["case"] == a
	office.done("wuye", a, "accept")
	office.done("wuye", a, "progress", note="在修")
	office.witness.quiet()
	assert {m["about"] for m in office.replies(a, "progress")} == {first, office.row(a)["report"]}

	assert office.done("dangzheng", b, "split") == "assigned"
	row = office.row(b)
	assert row["state"] == "assigned" and row["joined_into"] is None
	office.card(b, "wuye", state="assigned")
	assert office.card(a, "wuye", reports=1)
	assert office.event(b, "reopened", "wuye")
	assert office.report("hotline", kind="urge", about=first, text="快点")["case"] == b


def test_a_joined_report_becomes_a_case_of_its_own(office):
	case, second, _ = two(office)
	assert "no-such-report" in office.refused("dangzheng", case, "split", of="no-such-report")
	assert office.done("ducha", case, "split", of=second) == "assigned"
	own = office.db.value("select number from needle.report where id = %s", second)
	assert own != case
	row = office.row(own)
	assert row["state"] == "assigned" and row["lead"] == "wuye" and row["report"] == second and row["channel"] == "wechat"
	assert office.card(own, "wuye", reports=1) and office.card(case, "wuye", reports=1)
	assert office.reply(own, "registered")["about"] == second
	assert office.report("wechat", "site", kind="status", about=second)["case"] == own


def test_joins_that_make_no_sense_are_refused_in_a_sentence(office):
	a, b = (office.case("hotline", **matter()) for _ in range(2))
	for words, members in (("into", {}), ("no case", {"into": "JYL261123999999"}), ("itself", {"into": b})):
		assert words in office.refused("dangzheng", b, "join", **members)
	office.report("hotline", kind="withdraw", case=a)
	assert "closed" in office.refused("dangzheng", b, "join", into=a)
	sealed = office.case("wechat", **dict(matter(), reporter={"secret": True}))
	assert "sealed" in office.refused("dangzheng", b, "join", into=sealed)


def test_a_chain_of_joins_ends_at_the_last(office):
	a, b, c = (office.case("hotline", **matter()) for _ in range(3))
	first = office.row(a)["report"]
	office.done("dangzheng", a, "join", into=b)
	office.done("dangzheng", b, "join", into=c)
	assert office.report("hotline", kind="supplement", about=first, text="还在漏")["case"] == c
	assert office.row(c)["reports"] == 3
