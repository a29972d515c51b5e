"""A limit in a year without data is a guess; when the year's calendar comes it is counted anew, and everyone hears."""
import json
import os

from lib.wait import wait_for

STACK = {"simulate": "2026-12-30 10:00:00"}
LEAK = {"category": "物业/漏水", "text": "天花板漏水"}           # wuye, 5 工作日 in 机关


def edit(stack, name, old, new):
	path = os.path.join(stack.env["NEEDLE_CONFIG"], name)
	with open(path, encoding="utf-8") as f:
		text = f.read()
	assert old in text
	with open(path, "w", encoding="utf-8") as f:
		f.write(text.replace(old, new, 1))


def publish_2027(stack):
	"""New Year's Day with the two days behind it, and nothing else."""
	days = [{"name": "元旦", "date": f"2027-01-0{d}", "isOffDay": True} for d in (1, 2, 3)]
	with open(os.path.join(stack.env["NEEDLE_CONFIG"], "calendars", "2027.json"), "w", encoding="utf-8") as f:
		json.dump({"year": 2027, "papers": [], "days": days}, f, ensure_ascii=False)
	edit(stack, "calendars.yaml", "calendars/2026.json]", "calendars/2026.json, calendars/2027.json]")


def reload(stack):
	done = stack.ctl("reload")
	assert done.returncode == 0, done.stdout + done.stderr


def test_the_year_arrives_and_open_guesses_are_counted_anew_once(office):
	sure = office.case("hotline", category="应急/消防", text="消防通道堵了")          # 24×7: no calendar matters
	case = office.case("hotline", **LEAK)
	before = office.row(case)
	assert before["provisional"] and not office.row(sure)["provisional"]
	assert office.card(case, "wuye")["due"]["provisional"] is True
	publish_2027(office.stack)
	reload(office.stack)
	told = office.event(case, "deadline_revised", "wuye")
	after = office.row(case)
	assert after["due_resolve"] > before["due_resolve"] and not after["provisional"]
	assert after["due_accept"] == before["due_accept"], "what was never in doubt does not move"
	assert told["due"]["provisional"] is False and "2027-01-06" in told["why"] and "2027-01-07" in told["why"]
	assert told["old"]["resolve"].startswith("2027-01-06T17:30") and told["due"]["resolve"].startswith("2027-01-07T17:30")
	row = next(h for h in office.history(case) if h["kind"] == "deadline_revised")
	assert "2027-01-06" in row["note"] and row["detail"]["resolve"]["spec"] == "5 工作日"
	wait_for(lambda: office.card(case, "wuye")["due"]["resolve"].startswith("2027-01-07"), what="the new card")
	assert office.db.value("select due_resolve from needle.queue where number = %s", case) == after["due_resolve"]
	edit(office.stack, "calendars.yaml", "extra_rest: {}", "extra_rest: {2027-01-05: 停电}")
	reload(office.stack)
	mark = office.case("hotline", **LEAK)
	office.event(mark, "assigned")
	assert office.row(case)["due_resolve"] == after["due_resolve"], "a firm limit stays, whatever the calendar says later"
	assert office.kinds(case).count("deadline_revised") == 1
	assert "deadline_revised" not in office.kinds(sure)


def test_every_configuration_is_kept_with_its_text_and_who_brought_it(office):
	rows = office.db.all("select * from needle.config_version order by first_at")
	assert len(rows) == 3 and rows[0]["loaded_by"] == "start" and rows[1]["loaded_by"] not in (None, "start")
	assert "calendars/2027.json" not in rows[0]["source"] and "calendars/2027.json" in rows[1]["source"]
	assert rows[0]["findings"]["errors"] == 0
	assert "${secret:mqtt_password}" in rows[0]["source"]["needle.yaml"]
	assert all(password not in json.dumps(rows[0]["source"], ensure_ascii=False) for password in office.stack.passwords.values())
