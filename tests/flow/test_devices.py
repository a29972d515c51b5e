"""Field devices: what a fleet says becomes as many cases as there are matters, however often it is said."""
import json

import pytest

from lib.folder import demo
from lib.wait import wait_for

KINDS = """
devices:
  井盖:
    hold: 2 分钟
    window: 12 小时
    repeats: told
    flapping: {changes: 4, within: 30 分钟}
    heartbeat: 1 小时
    silence: {category: 市政/井盖, urgency: normal}
  水位:
    limit: {above: 0.3, clear: 0.2}
    window: 6 小时
    flapping: {changes: 0}
    heartbeat: 15 分钟
    silence: {category: 应急/积水}
    storm: {within: 10 分钟, area: 9}
  门磁:
    recovery: counted
    maintenance: ["2026-11-24 08:00/2026-11-24 18:00"]
    storm: {within: 10 分钟, area: 12}
"""
REGISTER = """device,kind,address,grid,dept,owner,contact,heartbeat,maintenance
mh-1,井盖,幸福里3号楼前,410106003001001,,城管运维,13900000001,0,
mh-2,井盖,中安街路口,410106003002001,,,,0,
mh-3,井盖,中安街东,410106003002001,,,,0,
mh-4,井盖,中安街西,410106003002001,huanwei,,,0,
mh-5,井盖,中安街北,410106003002001,,,,0,
mh-6,井盖,中安街南,410106003002001,,,,,
mh-7,井盖,中安街口,410106003002001,,,,,
wl-1,水位,京广路桥下,410106003003001,,,,0,
wl-2,水位,京广路桥下,410106003003001,,,,0,2026-11-23 08:00/2026-11-23 20:00;2026-11-25 08:00/2026-11-25 09:00
dr-1,门磁,东门,410106003001001,,,,0,
""" + "".join(f"st-{n},水位,隧道{n},410106003003001,,,,0,\n" for n in range(1000)) \
	+ "".join(f"qu-{n},水位,泵站{n},410106003003001,,,,,\n" for n in range(20)) \
	+ "".join(f"kl-{n},门磁,门{n},410106003004001,,,,0,\n" for n in range(300))


def office_with_devices(folder):
	return demo(folder, files={"devices.yaml": KINDS, "devices.csv": REGISTER})


STACK = {"config": office_with_devices, "simulate": "2026-11-23 09:00:00"}      # a Monday


def alarm(office, device, alarm="tilt", state="alarm", text="井盖倾斜", **members):
	members.setdefault("category", "市政/井盖")
	return office.report("device", "gw", device=device, text=text, reading={"state": state, "alarm": alarm}, **members)


def level(office, device, value, **members):
	return office.report("device", "gw", device=device, text=f"水位 {value} 米", category="应急/积水",
			     reading={"value": value, "alarm": "level"}, **members)


def cases_of(office, device):
	return office.db.all("select number, kind from needle.report where device = %s and kind = 'report' order by number",
			     device)


def notes(office, case):
	return [h["note"] for h in office.history(case) if h["kind"] == "supplemented"]


def clock_add(office, *span):
	office.clock("add", *span)


def device(office, name, alarm="tilt"):
	return office.db.one("select * from needle.device where device = %s and alarm = %s", name, alarm)


def test_silence_of_who_promised_to_be_heard_of_is_a_report_of_its_own(office):
	assert office.report("device", "gw", device="mh-6", text="心跳", reading={"state": "alive"})["case"] is None
	for _ in range(3):
		clock_add(office, "50 分钟")
		office.report("device", "gw", device="mh-6", text="心跳", reading={"state": "alive"})
	assert not cases_of(office, "mh-6")
	clock_add(office, "61 分钟")
	case = wait_for(lambda: cases_of(office, "mh-6"), what="the report about the silence")[0]["number"]
	assert "mh-6" in office.row(case)["title"] and office.row(case)["lead"] == "chengguan"
	clock_add(office, "5 小时")
	office.report("device", "gw", device="mh-6", text="心跳", reading={"state": "alive"})
	assert "heard of again" in notes(office, case)[-1]
	assert len(cases_of(office, "mh-6")) == 1 and office.row(case)["state"] == "assigned"


def test_a_database_that_was_away_hides_no_silence(office):
	session = "from pg_stat_activity where application_name = 'needled worker' and datname = current_database()"
	office.report("device", "gw", device="mh-7", text="心跳", reading={"state": "alive"})
	clock_add(office, "50 分钟")
	gone = wait_for(lambda: office.db.one(f"select pid, pg_terminate_backend(pid) {session}"), what="a session")["pid"]
	wait_for(lambda: office.db.all(f"select pid {session} and pid <> %s", gone), what="another session")
	office.report("device", "gw", device="mh-4", text="心跳", reading={"state": "alive"})
	assert device(office, "mh-7", "")["phase"] == "calm"
	clock_add(office, "11 分钟")
	wait_for(lambda: device(office, "mh-7", "")["phase"] == "alarm", what="its silence to be seen")


def test_an_alarm_that_holds_becomes_a_case_and_one_that_does_not_none(office):
	first = alarm(office, "mh-1", id="A-1")
	assert first["result"] == "updated" and not first["case"] and "held long enough" in first["reason"]
	assert alarm(office, "mh-1", state="clear")["result"] == "updated"
	clock_add(office, "5 分钟")
	assert not cases_of(office, "mh-1"), "over before it counted"

	held = alarm(office, "mh-1", id="A-2", text="井盖倾斜 35°")
	assert not held["case"]
	clock_add(office, "1 分钟")
	assert not cases_of(office, "mh-1")
	clock_add(office, "1 分钟")
	case = wait_for(lambda: cases_of(office, "mh-1"), what="the case of the alarm that held")[0]["number"]
	row = office.row(case)
	assert (row["title"], row["lead"], row["category"], row["grid"]) == \
		("井盖倾斜 35°", "chengguan", "市政/井盖", "410106003001001"), "the register knows where it is"
	assert row["report"] == "A-2" and office.event(case, "assigned", "chengguan")
	assert alarm(office, "mh-1", id="A-2", text="井盖倾斜 35°")["case"] == case, "a duplicate names the case"
	record = office.do("chengguan", case, "get")["record"]
	assert record["text"] == "井盖倾斜 35°"


def test_repeats_belong_to_the_open_case_and_the_end_is_a_supplement_that_resolves_nothing(office):
	case = cases_of(office, "mh-1")[0]["number"]
	again = alarm(office, "mh-1", text="井盖倾斜 40°")
	assert (again["result"], again["case"]) == ("joined", case)
	over = alarm(office, "mh-1", state="clear", text="井盖已恢复")
	assert (over["result"], over["case"]) == ("updated", case)
	assert [n.split("：")[0] for n in notes(office, case)] == ["the alarm came again (1 times)", "the alarm is over"]
	assert office.row(case)["state"] == "assigned"
	assert office.event(case, "supplemented", "chengguan")
	# The same words again change nothing.
	before = office.picture(case), device(office, "mh-1")
	assert alarm(office, "mh-1", id="A-2", text="井盖倾斜 35°")["result"] == "duplicate"
	assert (office.picture(case), device(office, "mh-1")) == before


def test_after_the_window_an_alarm_is_another_matter(office):
	case = cases_of(office, "mh-1")[0]["number"]
	clock_add(office, "13 小时")
	alarm(office, "mh-1")
	clock_add(office, "2 分钟")
	both = wait_for(lambda: len(cases_of(office, "mh-1")) == 2 and cases_of(office, "mh-1"), what="the second case")
	assert both[0]["number"] == case


def test_who_is_resolved_and_alarms_again_is_another_case(office):
	alarm(office, "mh-2")
	clock_add(office, "2 分钟")
	case = wait_for(lambda: cases_of(office, "mh-2"), what="the case")[0]["number"]
	office.done("chengguan", case, "accept", by="wang")
	office.done("chengguan", case, "resolve", by="wang", answer="已更换")
	receipt = alarm(office, "mh-2", text="井盖又倾斜")
	assert receipt["result"] == "created" and receipt["case"] != case, "it stands in alarm, and people thought it done"


def test_what_goes_on_and_off_is_damped(office):
	alarm(office, "mh-3")
	clock_add(office, "2 分钟")
	case = wait_for(lambda: cases_of(office, "mh-3"), what="the case")[0]["number"]
	for _ in range(6):
		alarm(office, "mh-3", state="clear")
		alarm(office, "mh-3")
		clock_add(office, "2 分钟")
		wait_for(lambda: device(office, "mh-3")["phase"] == "alarm", what="the alarm")
	told = notes(office, case)
	assert len(told) == 3, told
	assert "on and off" in told[-1]
	assert device(office, "mh-3")["flapping"] and len(cases_of(office, "mh-3")) == 1
	clock_add(office, "30 分钟")
	wait_for(lambda: "has stopped going on and off" in notes(office, case)[-1], what="the end of it")
	assert not device(office, "mh-3")["flapping"]


def test_the_registers_department_leads_what_no_rule_decides(office):
	alarm(office, "mh-4")
	clock_add(office, "2 分钟")
	case = wait_for(lambda: cases_of(office, "mh-4"), what="the case")[0]["number"]
	assert office.row(case)["lead"] == "huanwei"


def test_two_alarms_of_one_device_are_two_matters(office):
	alarm(office, "mh-5", "tilt")
	alarm(office, "mh-5", "lowBattery", text="电量低")
	clock_add(office, "2 分钟")
	wait_for(lambda: len(cases_of(office, "mh-5")) == 2, what="two cases")


def test_figures_alarm_at_the_limit_and_are_over_only_well_below_it(office):
	assert level(office, "wl-1", 0.29)["case"] is None
	first = level(office, "wl-1", 0.30, time="2026-11-24T12:30:00+08:00")
	assert first["result"] == "created" and office.row(first["case"])["lead"] == "yingji"
	for value, at in ((0.25, "31"), (0.31, "32"), (0.29, "33"), (0.40, "34")):
		level(office, "wl-1", value, time=f"2026-11-24T12:{at}:00+08:00")
	assert not notes(office, first["case"]) and len(cases_of(office, "wl-1")) == 1
	late = level(office, "wl-1", 0.1, time="2026-11-24T12:20:00+08:00")
	assert "older" in late["reason"] and not notes(office, first["case"])
	level(office, "wl-1", 0.2, time="2026-11-24T12:40:00+08:00")
	assert len(notes(office, first["case"])) == 1


def test_in_maintenance_nobody_is_told_unless_it_outlasts_it(office):
	office.clock("set", "2026-11-24 09:00")
	quiet = alarm(office, "dr-1", "open", text="门开着", category="治安/巡防")
	assert not quiet["case"] and "maintenance" in quiet["reason"]
	clock_add(office, "1 小时")
	assert not cases_of(office, "dr-1")
	office.clock("set", "2026-11-24 18:00")
	case = wait_for(lambda: cases_of(office, "dr-1"), what="the case after the maintenance")[0]["number"]
	alarm(office, "dr-1", "open", "clear", text="门关了")
	assert not notes(office, case), "this kind's recovery is only counted"


def test_a_whole_fleet_that_falls_silent_at_once_is_one_case(office):
	# Twenty that never spoke at all: they promised it in the register. They have been silent for long by now.
	silent = "from needle.device where device like %s and phase = 'alarm'"
	wait_for(lambda: office.db.one(f"select count(*) n {silent}", "qu-%")["n"] == 20, what="the silence of twenty")
	one = office.db.all(f"select distinct number {silent}", "qu-%")
	assert len(one) == 1 and len(cases_of(office, "qu-0") + cases_of(office, "qu-1")) <= 1
	assert [n[:n.index(" devices")].split("：")[-1] for n in notes(office, one[0]["number"])] == ["2", "10"]


def test_a_storm_of_a_thousand_devices_of_one_cause_is_one_case(office):
	heard = office.admin.collect(f"{office.root}/receipt/device/storm")
	sender = office.user("in-device")
	for n in range(1000):
		sender.publish(f"{office.root}/in/device/storm", json.dumps({
			"v": 1, "id": f"storm-{n}", "device": f"st-{n}", "text": f"隧道{n} 积水", "category": "应急/积水",
			"reading": {"state": "alarm", "alarm": "LEVEL_HIGH"}}), wait=False)
	heard.wait(n=1000, bound=120)
	results = [m.json for m in heard]
	case = next(r["case"] for r in results if r["result"] == "created")
	assert [r["result"] for r in results].count("created") == 1
	assert {r["case"] for r in results} == {case} and {r["result"] for r in results} == {"created", "joined"}
	said = notes(office, case)
	assert len(said) == 4 and "1000 devices" in said[-1], said
	for n in range(1000):
		sender.publish(f"{office.root}/in/device/storm", json.dumps({
			"v": 1, "id": f"storm-{n}:clear", "device": f"st-{n}", "text": "恢复", "category": "应急/积水",
			"reading": {"state": "clear", "alarm": "LEVEL_HIGH"}}), wait=False)
	heard.wait(n=2000, bound=120)
	assert "all 1000 devices are calm again" in notes(office, case)[-1] and len(notes(office, case)) == 5
	assert office.row(case)["state"] == "assigned"


def test_killed_in_mid_flight_nothing_is_lost_and_nothing_twice(office):
	office.witness.in_order = False
	heard = office.admin.collect(f"{office.root}/receipt/device/kill")
	sender = office.user("in-device")

	def send(ids):
		for n in ids:
			sender.publish(f"{office.root}/in/device/kill", json.dumps({
				"v": 1, "id": f"kill-{n}", "device": f"kl-{n % 300}", "text": f"门{n % 300}开着", "category": "治安/巡防",
				"place": {"grid": f"410106003{1 + n % 3:03d}001"}, "reading": {"state": "alarm", "alarm": "forced"}}), wait=False)
	office.stack.up(instance="b")
	for part, active in enumerate("aba"):
		send(range(part * 200, part * 200 + 200))
		wait_for(lambda p=part: len(heard) > p * 200 + 20, 30, "some receipts")
		office.stack.kill(instance=active)      # the other one takes over
		wait_for(lambda other="b" if active == "a" else "a": office.stack.http("/readyz", other)[0] == 200, 30, "the takeover")
		office.stack.up(instance=active)
	# Who has no receipt sends again, as every adapter does.
	def missing():
		return set(range(600)) - {int(m.json["id"][5:]) for m in heard}
	for _ in range(12):
		send(sorted(missing()))
		try:
			wait_for(lambda: not missing(), 5, "all receipts")
			break
		except AssertionError:
			pass
	assert not missing()
	def picture():          # of these; the register's are looked at anew when the daemon listens again
		return [office.db.all(f"select * from needle.{table} order by 1, 2, 3") for table in
			("device where device like 'kl-%%'", "device_cause", "v_history")]
	before = picture()
	heard.clear()
	send(range(600))
	wait_for(lambda: not missing(), 60, "all of it once more")
	assert picture() == before, "nothing happens twice"
	rows = office.db.all("select id, number, kind from needle.report where id like 'kill-%%'")
	assert len(rows) == 600
	# What lay in the inbox of the one while the other was told a later word of the same device is old, and belongs nowhere.
	assert office.db.value("select count(*) from needle.report r join needle.device d on d.alarm = 'forced' and d.device = 'kl-' ||"
			       " mod(substr(r.id, 6)::int, 300) where r.id like 'kill-%%' and r.number is null and r.at >= d.said_at") == 0
	opened = {r["number"] for r in rows if r["kind"] == "report"}
	assert len(opened) == 3 and {r["number"] for r in rows} - {None} == opened, "one case an area"
	alarms = office.db.one("select count(*) n, sum(repeats) repeats from needle.device where device like 'kl-%%' and alarm = 'forced'")
	assert (alarms["n"], alarms["repeats"]) == (300, 300 - sum(r["number"] is None for r in rows)), "each alarm counted once"
	causes = office.db.one("select sum(devices) n from needle.device_cause where number = any(%s)", sorted(opened))
	assert causes["n"] == 300
