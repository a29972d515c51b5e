"""Field devices at their odd moments: all clear at once, more alarms than any device has, a kind that is taken out of the settings
and comes back, several words of one device in one batch, a storm whose case is over."""
import json
import signal

from lib.folder import adds, demo, edit_running
from lib.wait import wait_for

KINDS = """
devices:
  井盖:
    hold: 2 分钟
    window: 12 小时
    flapping: {changes: 0}
  门磁:
    recovery: counted
    flapping: {changes: 0}
    storm: {within: 10 分钟, area: 12}
  烟感:
    flapping: {changes: 0}
    storm: {within: 10 分钟, area: 12}
  水位:
    limit: {above: 0.3, clear: 0.2}
    flapping: {changes: 0}
  雨量: {channel: device, category: 应急/积水, heartbeat: 99 天}
  水浸:
    hold: 10 分钟
    heartbeat: 1 小时
    flapping: {changes: 0}
    silence: {category: 市政/井盖, urgency: normal}
"""
GONE = KINDS[KINDS.index("  水浸"):]
REGISTER = "device,kind,address,grid,dept,owner,contact,heartbeat,maintenance\n"
WET = "wet-1,水浸,地下室,410106003005001,,,,,\n"
REGISTER += "".join(f"mh-{n},井盖,幸福里{n}号楼前,410106003001001,,,,0,\n" for n in range(40))
REGISTER += "mp-1,井盖,中安街口,410106003001001,,,,0,2026-11-23 09:01/2026-11-23 09:31\n"
REGISTER += "".join(f"dr-{n},门磁,门{n},410106003007001,,,,0,\n" for n in (8, 9))
REGISTER += "".join(f"sm-{n},烟感,楼{n},41010600300{1 + n // 2}001,,,,0,\n" for n in range(10))
REGISTER += "".join(f"far-{n},雨量,楼顶{n},410106003005001,,,,,\n" for n in range(2100))
REGISTER += "wl-1,水位,桥下,410106003003001,,,,0,\n" + WET
METER = "  meter: {name: 水表, codec: json}\n"
STACK = {"config": lambda folder: demo(folder, {"channels.yaml": adds(METER)}, {"devices.yaml": KINDS, "devices.csv": REGISTER}), "simulate": "2026-11-23 09:00:00"}


def says(device, state="alarm", alarm="tilt", text="井盖倾斜", category="市政/井盖", **members):
	reading = {"state": state, "alarm": alarm} if alarm else {"state": state}
	return dict({"device": device, "text": text, "category": category, "reading": reading}, **members)


def say(office, *words, **members):
	return office.report("device", "gw", **says(*words, **members))


def cases_of(office, device, n=None):
	def now():
		return [r["number"] for r in office.db.all("select number from needle.report where device = %s and kind = 'report' and number is not null"
							    " order by number", device)]
	if n:
		wait_for(lambda: len(now()) >= n, what=f"{n} cases of {device}")
	return now()


def alarms(office, device, **where):
	names = "".join(f" and {name} = %s" for name in where)
	return office.db.all(f"select * from needle.device where device = %s and alarm <> ''{names} order by alarm", device, *where.values())


def notes(office, case):
	return [h["note"].split("：")[0] for h in office.history(case) if h["kind"] == "supplemented"]


def reload(office):
	done = office.stack.ctl_json("reload")
	assert done["ok"], done


# Before any other: its maintenance begins a minute after the daemon's clock.
def test_an_alarm_that_is_held_when_maintenance_begins_waits_for_its_end(office):
	assert "held long enough" in say(office, "mp-1")["reason"]
	office.clock("set", "2026-11-23 09:04")
	wait_for(lambda: alarms(office, "mp-1")[0]["wake_at"].strftime("%M") == "31", what="a look at the end of the maintenance")
	assert alarms(office, "mp-1", phase="held") and not cases_of(office, "mp-1")
	office.clock("set", "2026-11-23 09:31")
	case = cases_of(office, "mp-1", 1)[0]
	assert office.row(case)["title"] == "井盖倾斜"


def test_every_device_of_a_large_register_that_promised_to_be_heard_of_is_waited_for(office):
	wait_for(lambda: office.db.value("select count(*) from needle.device_timer where device like 'far-%%' and due_at > '2026-12-01'") == 2100, 60,
		 "2100 promises")
	assert office.db.value("select count(*) from needle.device where device like 'far-%%' and phase = 'calm' and channel = 'device'") == 2100


def test_all_clear_ends_what_there_is_and_says_nothing_of_the_rest(office):
	for alarm in ("tilt", "water", "battery"):
		say(office, "mh-0", alarm=alarm, text=f"井盖 {alarm}")
	office.clock("add", "2 分钟")
	cases = cases_of(office, "mh-0", 3)
	say(office, "mh-0", "clear", "tilt", "恢复")
	assert sorted(map(len, (notes(office, c) for c in cases))) == [0, 0, 1]
	say(office, "mh-0", "clear", None, "全部恢复")
	assert [notes(office, c) for c in cases] == [["the alarm is over"]] * 3
	assert not alarms(office, "mh-0", phase="alarm")
	assert "nothing was wrong" in say(office, "mh-0", "clear", None, "全部恢复")["reason"]
	assert [notes(office, c) for c in cases] == [["the alarm is over"]] * 3


def test_a_word_without_a_text_is_told_by_the_devices_name(office):
	say(office, "mh-1")
	office.clock("add", "2 分钟")
	case = cases_of(office, "mh-1", 1)[0]
	say(office, "mh-1", "clear", text=None)
	assert [h["note"] for h in office.history(case) if h["kind"] == "supplemented"] == ["mh-1：the alarm is over"]


def test_what_a_device_calls_by_ever_new_names_becomes_one_alarm_more(office):
	for n in range(80):
		say(office, "mh-2", alarm=f"E{n:02}", text=f"故障 E{n:02}")
	known = alarms(office, "mh-2")
	assert len(known) == 64 and known[-1]["alarm"] == "other" and known[0]["alarm"] == "E00"
	office.clock("add", "2 分钟")
	# A few a look, however many fall due at once; each has a number of its own.
	cases = cases_of(office, "mh-2", 64)
	assert len(set(cases)) == 64 and not alarms(office, "mh-2", phase="held")


def test_several_words_of_one_device_in_one_batch_count_in_their_order(office):
	told = [says("mh-3", id="one-1"), says("mh-3", id="one-1"), says("mh-4", id="one-2"), says("mh-3", "clear", id="one-3"),
		{"id": "one-4", "device": "wl-1", "text": "水位 0.4 米", "category": "应急/积水", "reading": {"value": 0.4, "alarm": "level"}},
		{"id": "one-4", "device": "wl-1", "text": "水位 0.4 米", "category": "应急/积水", "reading": {"value": 0.4, "alarm": "level"}},
		says("mh-5", "alive", None, "心跳", id="one-5"), says("mh-5", "alive", None, "心跳", id="one-5"), {"text": "没有编号"},
		{"id": "one-6", "text": "路灯不亮", "category": "市政/路灯"}]
	heard = office.admin.collect(f"{office.root}/receipt/device/burst")
	office.stack.kill(number=signal.SIGTERM)
	for words in told:
		office.user("in-device").publish(f"{office.root}/in/device/burst", json.dumps(words))
	office.stack.up()
	heard.wait(n=len(told), bound=30)
	results = [(m.json["id"], m.json["result"]) for m in heard]
	assert [r for n, r in enumerate(results) if n not in (5, 7)] == [
		("one-1", "updated"), ("one-1", "duplicate"), ("one-2", "updated"), ("one-3", "updated"), ("one-4", "created"), ("one-5", "updated"),
		(None, "dead"), ("one-6", "created")]
	# A figure and a sign of life that come again in a later batch are not known as such, and change nothing.
	assert {results[5][1], results[7][1]} <= {"duplicate", "updated"} and len(cases_of(office, "wl-1")) == 1
	assert "over before it counted" in [m.json for m in heard][3]["reason"]
	assert alarms(office, "mh-3")[0]["phase"] == "calm" and alarms(office, "mh-4")[0]["phase"] == "held"


# ---- storms ---------------------------------------------------------------------------------------
def test_a_supplement_about_an_alarm_that_is_only_held_yet_is_about_no_case(office):
	heard = office.admin.collect(f"{office.root}/receipt/device/held")
	office.stack.kill(number=signal.SIGTERM)
	for words in (says("mh-6", id="held-1"), {"id": "held-2", "kind": "supplement", "about": "held-1", "text": "还斜着"}):
		office.user("in-device").publish(f"{office.root}/in/device/held", json.dumps(words))
	office.stack.up()
	heard.wait(n=2, bound=30)
	alarm, supplement = (m.json for m in heard)
	assert (alarm["result"], alarm["case"]) == ("updated", None) and (supplement["result"], supplement["case"]) == ("dead", None)
	assert "not known" in supplement["reason"]


def test_a_storm_that_has_calmed_down_is_told_unless_recoveries_are_only_counted(office):
	for kind, told in (("sm", ["2 devices of one area report the same", "all 2 devices are calm again"]), ("dr", ["2 devices of one area report the same"])):
		first = say(office, f"{kind}-8", text="报警")
		assert say(office, f"{kind}-9", text="报警")["case"] == first["case"]
		say(office, f"{kind}-8", "clear", text="恢复")
		assert len(notes(office, first["case"])) == 1, "one is calm: the matter goes on"
		# One comes back: the matter is the same, and nobody is told of each.
		assert say(office, f"{kind}-8", text="又报警")["case"] == first["case"]
		for n in (8, 9):
			say(office, f"{kind}-{n}", "clear", text="恢复")
		assert [n.split("：")[-1] if "：" in n else n for n in notes(office, first["case"])] == told


def test_of_a_storm_whose_case_was_resolved_nothing_more_is_said(office):
	case = say(office, "sm-0", text="烟雾")["case"]
	assert say(office, "sm-1", text="烟雾")["case"] == case
	office.done("chengguan", case, "accept", by="wang")
	office.done("chengguan", case, "resolve", by="wang", answer="已处理")
	before = office.picture(case)
	for n in (0, 1):
		assert say(office, f"sm-{n}", "clear", text="恢复")["result"] == "updated"
	assert office.picture(case) == before
	assert say(office, "sm-0", text="又有烟雾")["case"] != case


def test_a_later_storm_of_the_same_cause_is_another_matter(office):
	first = say(office, "sm-2", alarm="heat", text="高温")["case"]
	office.clock("add", "11 分钟")
	second = say(office, "sm-3", alarm="heat", text="高温")["case"]
	assert second != first, "more than ten minutes later"
	say(office, "sm-2", "clear", "heat", "恢复")
	assert notes(office, first) == ["the alarm is over"] and not notes(office, second)
	say(office, "sm-3", "clear", "heat", "恢复")
	assert notes(office, second) == ["the alarm is over"]


# ---- what is changed under it ---------------------------------------------------------------------
def test_a_held_alarm_that_cannot_be_read_any_more_holds_up_no_other(office):
	held = [f"mh-{n}" for n in range(10, 17)]
	for name in held:
		say(office, name)
	office.db.all("update needle.device set report = null where device = 'mh-13' and phase = 'held'")
	office.clock("add", "2 分钟")
	for name in held:
		if name != "mh-13":
			cases_of(office, name, 1)
	wait_for(lambda: "device mh-13: " in office.stack.log(), what="a word about it")
	due = "select due_at > now() as later from needle.device_timer where device = 'mh-13'"
	assert office.db.one(due) and not cases_of(office, "mh-13")
	assert say(office, "mh-13", text="还斜着")["result"] == "created", "it says it again: then it is known"


def test_a_kind_that_is_gone_is_not_looked_at_and_one_that_is_back_is(office):
	assert "held long enough" in say(office, "wet-1", text="地下室进水")["reason"]
	timers = "select count(*) from needle.device_timer where device = 'wet-1'"
	assert office.db.value(timers) == 1
	edit_running(office.stack, "devices.yaml", lambda text: text.replace(GONE, ""))
	edit_running(office.stack, "devices.csv", lambda text: text.replace(WET, ""))
	reload(office)
	office.clock("add", "20 分钟")
	wait_for(lambda: office.db.value(timers) == 0, what="nothing to look at")
	assert not cases_of(office, "wet-1")
	assert "not watched" in say(office, "wet-1", "clear", text="恢复")["reason"]
	edit_running(office.stack, "devices.yaml", lambda text: text + GONE)
	edit_running(office.stack, "devices.csv", lambda text: text + WET)
	reload(office)
	case = cases_of(office, "wet-1", 1)[0]
	assert office.row(case)["title"] == "地下室进水", "it was held when nobody watched, and for long enough"


def test_the_alarm_of_a_channel_that_is_gone_is_a_case_all_the_same(office):
	office.report("meter", "gw", **says("mh-20"))
	edit_running(office.stack, "channels.yaml", lambda text: text.replace(METER, ""))
	reload(office)
	office.clock("add", "2 分钟")
	case = cases_of(office, "mh-20", 1)[0]
	assert (office.row(case)["channel"], office.row(case)["title"]) == ("meter", "井盖倾斜")
