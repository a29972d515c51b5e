"""Who learns nothing, who is recorded, and what is forgotten in time."""
import json

from lib.wait import wait_for

STACK = {"simulate": "2026-11-23 09:00:00"}        # a Monday
NAME, PHONE, CITIZEN = "欧阳建设", "13912345678", "11010519491231002X"


def heard(office, department):
	"""Everything that this department could have read."""
	office.witness.quiet()
	return "\n".join(m.topic + m.payload.decode() for m in [*office.witness.events, *office.witness.cards]
			 if f"/dept/{department}/" in m.topic)


# ---- complaints about a body ----------------------------------------------------------------------

def test_whom_a_case_complains_about_neither_leads_nor_hears_of_it(office):
	case = office.case("hotline", text="商贩一直占道没人管", category="城管/占道", accused="chengguan")
	assert office.row(case)["lead"] == "dangzheng"
	assert "chengguan" in office.event(case, "assigned", "dangzheng")["why"]
	office.done("dangzheng", case, "accept")
	office.say(case, "urge", "hotline", text="快点")
	office.clock("add", "20 工作日")
	office.event(case, "overdue", "dangzheng", clock="resolve")
	office.done("dangzheng", case, "resolve", answer="已处理")
	assert case not in heard(office, "chengguan")
	assert not office.db.all("select * from needle.queue where number = %s and department = 'chengguan'", case)
	assert "not in the queue" in office.refused("chengguan", case, "get")


def test_the_accused_by_its_name_without_a_superior_and_as_triage(office):
	case = office.case("hotline", text="天花板漏水没人来修", category="物业/漏水", accused="物业办")
	assert office.row(case)["lead"] == "dangzheng"
	about_triage = office.case("hotline", text="调解一直没有结果", category="邻里", accused="dangzheng")
	lead = office.row(about_triage)["lead"]
	assert lead != "dangzheng"
	if office.do(lead, about_triage, "return", reason="not-ours")["result"] == "done":
		assert office.row(about_triage)["lead"] != "dangzheng"
	assert about_triage not in heard(office, "dangzheng")


def test_a_complaint_is_not_handed_to_whom_it_is_about(office):
	case = office.case("hotline", text="摊位占了盲道", category="城管/占道", accused="chengguan")
	assert "complaint" in office.refused("ducha", case, "transfer", to="chengguan")
	office.done("ducha", case, "transfer", to="wuye")
	assert case not in heard(office, "chengguan")


# ---- sealed and masked ----------------------------------------------------------------------------

def test_a_sealed_case_shows_only_its_category(office):
	case = office.case("hotline", text=f"我是{NAME}，{PHONE}，举报占道", category="城管/占道", note_of_theirs=PHONE,
			   place={"address": "幸福里3号楼", "grid": "410106003007012"},
			   reporter={"name": NAME, "phone": PHONE, "secret": True})
	row = office.row(case)
	assert row["visibility"] == "sealed" and row["title"] == "城管/占道"
	assert row["place"] is None and row["grid"] is None and row["extra"] is None
	event = office.event(case, "assigned", "chengguan")
	assert event["place"] is None and event["grid"] is None and event["title"] == "城管/占道"
	office.done("chengguan", case, "accept")
	office.say(case, "supplement", "hotline", text=f"我家住幸福里，电话{PHONE}")
	office.done("chengguan", case, "progress", note=f"已上门见到{NAME}，{PHONE}")
	office.done("chengguan", case, "resolve", answer="摊点已清走", media=["https://x.example/tandian.jpg"])
	assert "reporter" not in office.do("chengguan", case, "get", by="li", note="回访")["record"]
	assert office.reply(case, "resolved")["text"] == "摊点已清走", "who reported is told in plain words"
	office.say(case, "rate", "hotline", score="satisfied", comment=f"多谢，{NAME}")
	assert "comment" not in office.event(case, "rated", "chengguan")
	shown = json.dumps(office.history(case), default=str, ensure_ascii=False) + office.stack.ctl("show", case).stdout + \
		heard(office, "chengguan") + json.dumps(office.row(case), default=str, ensure_ascii=False)
	for word in (NAME, PHONE, "幸福里", "摊点", "上门", "多谢", "tandian"):
		assert word not in shown, word


def test_what_an_officer_writes_is_masked_for_everybody_but_the_reporter(office):
	case = office.case("hotline", text="路灯不亮", category="市政/路灯", reporter={"name": NAME, "phone": PHONE})
	office.done("chengguan", case, "accept", note=f"联系人{NAME}")
	office.done("chengguan", case, "progress", note=f"已致电{NAME} {PHONE}，身份证{CITIZEN}，张先生在场")
	picture = f"https://x.example/{PHONE}/{NAME}-20261123101530123.jpg"
	office.done("chengguan", case, "resolve", answer=f"{NAME}您好，请联系{PHONE}", media=picture)
	reply = office.reply(case, "resolved")
	assert reply["text"] == f"{NAME}您好，请联系{PHONE}" and reply["media"] == [{"url": picture}]
	assert office.event(case, "resolved", "chengguan")["media"] == [{"url": "https://x.example/139****5678/欧*-20261123101530123.jpg"}]
	shown = json.dumps(office.history(case), default=str, ensure_ascii=False) + heard(office, "chengguan")
	for word in (NAME, PHONE, CITIZEN, "张先生"):
		assert word not in shown, word
	assert "139****5678" in shown and "欧*" in shown


def test_unknown_members_of_a_masked_case_are_kept_with_names_and_phones_masked(office):
	case = office.case("hotline", text="路灯不亮", category="市政/路灯", reporter={"name": NAME, "phone": PHONE},
			   contact={"who": f"{NAME}的邻居", "tel": int(PHONE), "id": CITIZEN, "serial": "20261120000123", "n": 7})
	extra = office.row(case)["extra"]["contact"]
	assert extra["serial"] == "20261120000123" and extra["n"] == 7, "a number that is no phone means something"
	assert all(word not in json.dumps(extra, ensure_ascii=False) for word in (NAME, PHONE, CITIZEN))
	record = office.do("chengguan", case, "get", by="li", note="回访")["record"]
	assert record["extra"] == office.row(case)["extra"], "who does the work sees what the list shows"
	assert "accused" not in record and "reply_to" not in record


# ---- who asked ------------------------------------------------------------------------------------

def test_audit_tells_who_asked_for_a_record_and_why(office):
	case = office.case("hotline", text="路灯不亮", category="市政/路灯")
	office.done("chengguan", case, "get", by="li", note=f"回访 {PHONE}")
	assert office.do("wuye", case, "get", by="sun", note="好奇")["result"] == "refused"
	items = office.stack.ctl_json("audit", case)["items"]
	assert [(i["department"], i["by"], i["result"]) for i in items] == [("wuye", "sun", "refused"), ("chengguan", "li", "done")]
	assert items[1]["note"] == "回访 139****5678" and items[1]["case"] == case and items[1]["at"]
	assert [i["by"] for i in office.stack.ctl_json("audit", "--by", "li", case)["items"]] == ["li"]
	assert "li" in office.stack.ctl("audit", "--dept", "chengguan").stdout


# ---- officers -------------------------------------------------------------------------------------

def test_what_each_officer_has_in_hand(office):
	cases = [office.case("hotline", text=f"第{n}处违建", category="老旧小区/车位") for n in range(4)]
	office.done("gaizao", cases[0], "accept", by="feng")
	office.done("gaizao", cases[1], "accept", by="feng")
	office.done("gaizao", cases[1], "progress", by="zheng", note="我来")
	office.done("gaizao", cases[2], "accept", by="feng")
	office.done("gaizao", cases[2], "resolve", by="feng", answer="好了")
	assert "no officer" in office.refused("gaizao", cases[3], "accept", by="nobody")
	said = office.stack.ctl_json("show", "--officers", "gaizao")
	load = {o["officer"]: o for o in said["officers"]}
	assert (load["feng"]["open"], load["zheng"]["open"]) == (1, 1)
	assert load[None]["open"] >= 1 and load["zheng"]["leader"] and not load["feng"]["leader"]
	assert "冯某" in office.stack.ctl("show", "--officers", "gaizao").stdout
	assert office.stack.ctl("show", "--officers", "none-such").returncode == 1


# ---- retention (last: it moves the clock by years) --------------------------------------------------

def test_personal_data_goes_when_its_time_is_over_and_figures_stay(office):
	words = (NAME, PHONE, "欧*", "幸福里", "ticket-77")
	case = office.case("hotline", id="old-1", text=f"幸福里3号楼前路灯不亮，{NAME}", category="市政/路灯", reply_to={"t": "ticket-77"},
			   place={"address": "幸福里3号楼2单元501", "grid": "410106003007012"}, reporter={"name": NAME, "phone": PHONE}, more=PHONE)
	office.say(case, "supplement", "hotline", id="old-2", text=f"还是不亮 {PHONE}", reporter={"name": NAME})
	office.done("chengguan", case, "accept", by="li", note=f"致电{NAME}")
	office.done("chengguan", case, "resolve", answer="幸福里的灯修好了")
	office.say(case, "rate", "hotline", score="satisfied", comment="幸福里亮了")
	open_case = office.case("hotline", text="幸福里9号楼门口路灯不亮", category="市政/路灯", reporter={"name": NAME})
	before = office.row(case)

	def stored(number):
		return json.dumps([office.db.all(f"select * from needle.{table} where number = %s", number)
				   for table in ("cases", "report", "history")], default=str, ensure_ascii=False)
	assert NAME in stored(case) and office.db.value("select count(*) from needle.person where id in ('old-1', 'old-2')") == 2
	office.clock("add", "1800 自然日")
	assert NAME in stored(case), "not before its time"
	office.clock("add", "40 自然日")
	wait_for(lambda: office.db.value("select count(*) = 0 as n from needle.person where id in ('old-1', 'old-2')"), 30, "forgetting")
	left = stored(case)
	assert not [word for word in words if word in left], left
	after = office.row(case)
	for member in ("state", "lead", "category", "grid", "received_at", "resolved_at", "closed_at", "close_reason", "leg", "reports"):
		assert after[member] == before[member], member
	kinds = office.kinds(case)
	assert kinds == ["assigned", "supplemented", "accepted", "resolved", "rated", "closed"]
	assert [h["note"] for h in office.history(case) if h["kind"] == "rated"] == ["satisfied"]
	assert "9号楼" in stored(open_case), "an open case keeps what it needs"
