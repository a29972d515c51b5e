"""The same id again is the same matter: for ever, in bursts, over restarts, and in each channel by itself."""
import signal


def receipts_of(office, channel, source, named, n, publish):
	heard = office.admin.collect(f"{office.root}/receipt/{channel}/{source}")
	publish()
	heard.wait(lambda m: m.json["id"] == named, n=n, bound=20, what=f"{n} receipts of {named}")
	return [m.json for m in heard.find(lambda m: m.json["id"] == named)]


def test_the_same_report_again_is_a_duplicate_with_the_same_case(office):
	first = office.report(id="same-1", text="路灯不亮")
	again = office.report(id="same-1", text="路灯不亮")
	assert again["result"] == "duplicate" and again["reason"] is None
	assert again["case"] == first["case"] and again["department"] == first["department"]
	assert again["due"] == first["due"], "whoever lost the first receipt has all of it now"
	assert office.kinds(first["case"]) == ["assigned"]


def test_a_repetition_with_a_new_time_stamp_is_the_same_content(office):
	first = office.report(id="same-2", text="路灯不亮", time="2026-11-20T08:00:00+08:00")
	again = office.report(id="same-2", text="路灯不亮", time="2026-11-20T08:00:09+08:00")
	assert again["result"] == "duplicate" and again["reason"] is None and again["case"] == first["case"]


def test_other_content_under_the_same_id_is_a_duplicate_with_a_reason_and_a_note_in_the_history(office):
	first = office.report(id="same-3", text="路灯不亮")
	again = office.report(id="same-3", text="路灯不亮，而且井盖也破了")
	assert again["result"] == "duplicate" and again["case"] == first["case"] and again["reason"]
	assert office.kinds(first["case"]) == ["assigned", "duplicate"]
	assert office.row(first["case"])["title"] == "路灯不亮", "the first one counts"


def test_one_id_fifty_times_in_a_burst_is_one_case(office):
	def burst():
		for _ in range(50):
			office.user("in-patrol").publish(f"{office.root}/in/patrol/burst", {"id": "burst-1", "text": "积水"},
							 wait=False)
	got = receipts_of(office, "patrol", "burst", "burst-1", 50, burst)
	assert sorted(r["result"] for r in got) == ["created"] + ["duplicate"] * 49
	assert len({r["case"] for r in got}) == 1 and len({str(r["due"]) for r in got}) == 1
	assert office.db.value("select count(*) from needle.v_case where report = 'burst-1'") == 1
	assert office.kinds(got[0]["case"]) == ["assigned"]


def test_two_contents_of_one_id_in_a_burst_are_one_case_with_notes(office):
	def burst():
		for n in range(10):
			office.user("in-patrol").publish(f"{office.root}/in/patrol/burst2",
							 {"id": "burst-2", "text": f"积水 {n % 2}"}, wait=False)
	got = receipts_of(office, "patrol", "burst2", "burst-2", 10, burst)
	assert sorted(r["result"] for r in got) == ["created"] + ["duplicate"] * 9
	assert sum(bool(r["reason"]) for r in got) == 5
	assert office.kinds(got[0]["case"]) == ["assigned"] + ["duplicate"] * 5


def test_repetitions_in_one_burst_are_each_compared_with_what_was_stored_long_before(office):
	"""However the burst falls into batches: the first of a batch is not the first of its id."""
	case = office.case(id="burst-4", text="积水 0")

	def burst():
		for n in range(60):
			office.user("in-patrol").publish(f"{office.root}/in/patrol/burst4",
							 {"id": "burst-4", "text": f"积水 {n % 2}"}, wait=False)
	got = receipts_of(office, "patrol", "burst4", "burst-4", 60, burst)
	assert {r["result"] for r in got} == {"duplicate"} and {r["case"] for r in got} == {case}
	assert [bool(r["reason"]) for r in got].count(True) == 30
	assert office.kinds(case) == ["assigned"] + ["duplicate"] * 30


def test_each_channel_counts_its_own_ids(office):
	cases = {office.case(channel, id="shared-1", text="路灯不亮") for channel in ("patrol", "letter", "hotline")}
	assert len(cases) == 3


def test_two_sources_of_one_channel_share_their_ids(office):
	case = office.case("patrol", "book-1", id="shared-2", text="路灯不亮")
	again = office.report("patrol", "book-2", id="shared-2", text="路灯不亮")
	assert again["result"] == "duplicate" and again["case"] == case


def test_ids_differ_by_every_character(office):
	names = ("x", "X", "x.", "x_", "é", "e\u0301", "編號", "编号", "a/b", "a+b", "a#b")
	assert len({office.case(id=name) for name in names}) == len(names)


def test_a_dead_letter_does_not_use_its_id_up(office):
	dead = office.report(id="dead-1")
	assert dead["result"] == "dead" and dead["reason"] and dead["case"] is None
	alive = office.report(id="dead-1", text="这次有内容了")
	assert alive["result"] == "created"
	assert office.report(id="dead-1")["result"] == "dead", "and a bad one under a known id is still bad"
	assert office.kinds(alive["case"]) == ["assigned"]


def test_a_follow_up_is_counted_once_too(office):
	case = office.case()
	first = office.say(case, "urge", id="urge-1", text="快点")
	again = office.say(case, "urge", id="urge-1", text="快点")
	assert first["result"] == "updated" and again["result"] == "duplicate" and again["case"] == case
	assert office.kinds(case) == ["assigned", "urged"] and office.row(case)["heat"] == 1


def test_a_supplement_that_comes_in_one_burst_with_its_report_finds_it(office):
	def burst():
		say = office.user("in-patrol").publish
		say(f"{office.root}/in/patrol/burst3", {"id": "burst-3", "text": "积水"}, wait=False)
		say(f"{office.root}/in/patrol/burst3", {"id": "burst-3b", "kind": "supplement", "about": "burst-3",
							"text": "更深了"}, wait=False)
	got = receipts_of(office, "patrol", "burst3", "burst-3b", 1, burst)
	assert got[0]["result"] == "updated"
	assert office.kinds(got[0]["case"]) == ["assigned", "supplemented"]


def test_it_is_still_a_duplicate_after_a_restart_and_after_a_kill(office):
	first = office.report(id="long-1", text="路灯不亮")
	for number in (signal.SIGTERM, signal.SIGKILL):
		office.stack.kill(number=number)
		office.stack.up()
		again = office.report(id="long-1", text="路灯不亮")
		assert again["result"] == "duplicate" and again["case"] == first["case"] and again["due"] == first["due"]


def test_a_number_is_not_given_twice_over_a_restart(office):
	before = office.case()
	office.stack.kill()
	office.stack.up()
	assert office.case() > before
