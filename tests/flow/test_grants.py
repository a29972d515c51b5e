"""More time and a pause: asked for by who does the work, granted by who may, ending by themselves."""
import datetime
import signal

from lib.moments import go, now

STACK = {"simulate": "2026-11-23 09:00:00"}                    # a Monday
LAMP = {"category": "市政/路灯", "text": "路灯不亮"}            # chengguan, policy 普通: 5 working days
DAY = datetime.timedelta(days=1)


def at(text):
	return datetime.datetime.fromisoformat(text + "+08:00")


def asked(office, case, action, until, note="等配件"):
	"""The request of what 城管办 asks for."""
	result = office.do("chengguan", case, action, until=until.isoformat(), note=note, by="wang")
	assert result["result"] == "done", result
	return result


def accepted(office, **members):
	case = office.case("hotline", reply_to={"line": 3}, **dict(LAMP, **members))
	office.done("chengguan", case, "contact", note="已联系")
	office.done("chengguan", case, "accept")
	return case


def test_an_extension_is_pending_until_it_is_granted_and_then_seen_by_all(office):
	case = accepted(office)
	due = office.row(case)["due_resolve"]
	result = asked(office, case, "extend", due + 3 * DAY)
	assert result["pending"] is True and result["state"] == "accepted"
	ask = office.event(case, "asked", "ducha")
	assert ask["role"] == "supervisor" and ask["what"] == "extend" and ask["of"] == result["request"]
	assert office.row(case)["due_resolve"] == due
	assert office.done("ducha", case, "grant", of=result["request"], note="同意") == "accepted"
	row = office.row(case)
	assert row["due_resolve"] == due + 3 * DAY
	assert office.event(case, "granted", "chengguan")
	revised = office.event(case, "deadline_revised", "chengguan")
	assert revised["old"]["resolve"] == due.isoformat() and revised["due"]["resolve"] == (due + 3 * DAY).isoformat()
	office.card(case, "chengguan", due=revised["due"])
	text = office.reply(case, "extended")["text"]
	assert "等配件" in text and (due + 3 * DAY).strftime("%Y-%m-%d %H:%M") in text
	assert "extended" in office.refused("chengguan", case, "extend", until=(due + 4 * DAY).isoformat(), note="再要")


def test_a_denied_extension_leaves_the_limit(office):
	case = accepted(office)
	due = office.row(case)["due_resolve"]
	result = asked(office, case, "extend", due + DAY * 3)
	assert "only" in office.refused("chengguan", case, "grant", of=result["request"])
	assert office.done("ducha", case, "deny", of=result["request"], reason="抓紧办理") == "accepted"
	assert office.event(case, "denied", "chengguan")["why"] == "抓紧办理"
	assert office.row(case)["due_resolve"] == due
	assert not office.replies(case, "extended")


def test_a_suspended_case_waits_in_its_queue_and_comes_back_by_itself_over_a_restart_and_a_reload(office):
	case = accepted(office)
	due = office.row(case)["due_resolve"]
	until = now(office) + 14 * DAY
	result = asked(office, case, "suspend", until)
	assert result["pending"] and office.done("dangzheng", case, "grant", of=result["request"]) == "suspended"
	card = office.card(case, "chengguan", state="suspended")
	assert card["suspended_until"] == until.isoformat()
	assert office.event(case, "suspended", "chengguan") and office.event(case, "suspended", "dangzheng")
	assert "suspended" in office.refused("chengguan", case, "resolve", answer="好了")
	go(office, due + 2 * DAY)
	assert office.kinds(case)[-1] == "suspended", "nobody is late with it"
	office.stack.kill(number=signal.SIGKILL)
	office.stack.up()
	office.stack.ctl("reload")
	go(office, until)
	assert office.kinds(case)[-1] == "resumed"
	office.card(case, "chengguan", state="accepted")
	assert office.event(case, "resumed", "chengguan")
	assert office.row(case)["due_resolve"] == due + 14 * DAY, "ten working days of a pause are ten working days"


def test_a_pause_may_be_ended_before_its_time(office):
	case = accepted(office)
	due = office.row(case)["due_resolve"]
	result = asked(office, case, "suspend", now(office) + 30 * DAY)
	office.done("dangzheng", case, "grant", of=result["request"])
	go(office, now(office) + DAY)
	assert "only the lead" in office.refused("ducha", case, "resume")
	assert office.done("chengguan", case, "resume", note="配件到了") == "accepted"
	assert office.row(case)["due_resolve"] > due
	assert office.kinds(case)[-1] == "resumed"


def test_a_jump_over_a_pause_ends_it_at_its_time_and_goes_on_from_there(office):
	case = accepted(office)
	due = office.row(case)["due_resolve"]
	result = asked(office, case, "suspend", now(office) + 7 * DAY)
	office.done("dangzheng", case, "grant", of=result["request"])
	go(office, now(office) + 37 * DAY)
	kinds = office.kinds(case)
	rest = kinds[kinds.index("resumed"):]
	assert rest[:4] == ["resumed", "due_soon", "overdue", "escalated"]
	late = [h for h in office.history(case) if h["kind"] == "overdue"][0]["detail"]
	assert late["late"] is True and at(late["due"][:19]) == due + 7 * DAY


def test_show_tells_the_leave_and_the_lateness_in_sentences(office):
	case = accepted(office)
	result = asked(office, case, "extend", office.row(case)["due_resolve"] + DAY * 3)
	office.done("ducha", case, "grant", of=result["request"], note="同意")
	office.done("ducha", case, "supervise", order="抓紧办理")
	shown = office.stack.ctl_json("show", case)
	assert [(e["kind"], e["from"], e["to"], e["done"]) for e in shown["errands"]] == [
		("extend", "chengguan", "ducha", True), ("order", "ducha", "chengguan", False)]
	assert shown["due_whole"] == shown["clocks"]["resolve"]["due"] and shown["late"] == []
	words = office.stack.ctl("show", case, "--lang", "zh").stdout
	for sentence in ("）签收\n", "提出申请（", "督查室批准申请：同意", "的时限有调整：",
			 "督查室督办：抓紧办理", "申请与督办"):
		assert sentence in words, words
	go(office, office.row(case)["due_resolve"])
	assert [late["kind"] for late in office.stack.ctl_json("show", case)["late"]] == ["open"]
	assert "超期未办结" in office.stack.ctl("show", case, "--lang", "zh").stdout


def test_the_whole_lifecycle_is_printed_as_a_table_and_as_a_graph(stack):
	table = stack.ctl_json("lifecycle")
	assert set(table["states"]) == {"received", "triage", "assigned", "accepted", "suspended", "resolved", "closed", "joined"}
	assert table["actions"]["accept"]["assigned"] == "accept" and table["actions"]["accept"]["closed"] is None
	assert all(set(cells) == set(table["states"]) for cells in table["actions"].values())
	assert {"action": "resume", "from": "suspended", "to": "accepted"} in table["moves"]
	assert "签收" in stack.ctl("lifecycle", "--lang", "zh").stdout
	dot = stack.ctl("lifecycle", "--dot", "--lang", "en").stdout
	assert dot.startswith("digraph") and "assigned -> accepted [label=\"accept\"]" in dot
