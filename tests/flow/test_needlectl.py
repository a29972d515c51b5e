"""needlectl against a running stack: it sees what outsiders may see and does what outsiders may do."""
import json
import os
import shutil
import subprocess

from lib.stack import BUILD, ROOT, needlectl
from lib.wait import wait_for

LAMP = ("--category", "市政/路灯", "--text", "路灯不亮")


def test_a_letter_entered_by_hand_is_a_case_like_any_other(office):
	receipt = office.stack.ctl_json("report", "--channel", "letter", "--id", "hand-1", "--name", "李某某", "--phone",
					"13800000000", "--address", "幸福里3号楼", "--set", "paper.page=3", *LAMP)
	assert receipt["result"] == "created" and receipt["id"] == "hand-1"
	row = office.row(receipt["case"])
	assert row["channel"] == "letter" and row["lead"] == "chengguan" and row["extra"] == {"paper": {"page": 3}}
	assert office.db.value("select phone from needle.person where id = 'hand-1'") == "13800000000"
	again = office.stack.ctl_json("report", "--channel", "letter", "--id", "hand-1", *LAMP)
	assert again["result"] == "duplicate" and again["case"] == receipt["case"]


def test_a_letter_may_come_by_standard_input(office):
	done = office.stack.ctl("report", "--channel", "letter", "--id", "hand-2", "--text", "-", stdin="第一行\n第二行\n")
	assert done.returncode == 0
	assert "第二行" in office.db.value("select text from needle.report where id = 'hand-2'")


def test_a_report_that_is_dead_exits_with_1(office):
	done = office.stack.ctl("report", "--channel", "letter", "--format", "json")
	assert done.returncode == 1 and json.loads(done.stdout)["result"] == "dead"


def test_wrong_usage_exits_with_2_and_says_what_was_meant(office):
	for words in ((), ("no-such-verb",), ("report", "--channel", "lettr", "--text", "x"), ("report", "--text", "x"),
		      ("do", "JYL261120000001"), ("do", "not-a-case", "accept"), ("do", "JYL261120000001", "acept"),
		      ("show",), ("show", "x"), ("deadletter", "bury"), ("clock", "set"), ("status", "--no-such-flag")):
		done = office.stack.ctl(*words)
		assert done.returncode == 2 and done.stderr, words
	assert "accept" in office.stack.ctl("do", "JYL261120000001", "acept").stderr


def test_do_acts_for_the_lead_and_tells_a_refusal_by_its_exit_code(office):
	case = office.stack.ctl_json("report", "--channel", "letter", *LAMP)["case"]
	done = office.stack.ctl_json("do", case, "accept", "--by", "wang", "--note", "这就去")
	assert done["result"] == "done" and done["state"] == "accepted"
	assert office.history(case)[-1]["by"] == "wang"
	refused = office.stack.ctl("do", case, "accept", "--format", "json")
	assert refused.returncode == 1 and json.loads(refused.stdout)["result"] == "refused"
	stranger = office.stack.ctl("do", case, "resolve", "--dept", "huanwei", "--answer", "x", "--format", "json")
	assert stranger.returncode == 1 and json.loads(stranger.stdout)["result"] == "refused"
	assert office.stack.ctl_json("do", case, "resolve", "--answer", "已换灯泡")["state"] == "resolved"


def test_do_get_prints_the_record(office):
	case = office.stack.ctl_json("report", "--channel", "letter", *LAMP)["case"]
	assert office.stack.ctl_json("do", case, "get")["record"]["text"] == "路灯不亮"
	assert "路灯不亮" in office.stack.ctl("do", case, "get").stdout


def test_the_same_request_by_hand_changes_nothing(office):
	case = office.stack.ctl_json("report", "--channel", "letter", *LAMP)["case"]
	first = office.stack.ctl_json("do", case, "contact", "--request", "hand-req-1", "--note", "打过电话")
	assert office.stack.ctl_json("do", case, "contact", "--request", "hand-req-1", "--note", "打过电话") == first
	assert office.kinds(case).count("contacted") == 1


def test_show_tells_the_whole_life_of_a_case(office):
	case = office.stack.ctl_json("report", "--channel", "letter", "--id", "hand-9", *LAMP)["case"]
	office.done("chengguan", case, "accept", by="wang")
	office.done("chengguan", case, "resolve", answer="已换灯泡")
	office.say(case, "rate", "letter", score="dissatisfied")
	found = office.stack.ctl_json("show", case)
	assert {"case", "state", "lead", "supports", "legs", "clocks", "history"} <= set(found)
	assert found["case"] == case and found["state"] == "assigned" and found["lead"] == "chengguan"
	assert [leg["leg"] for leg in found["legs"]] == [1, 2]
	assert [h["seq"] for h in found["history"]] == list(range(1, len(found["history"]) + 1))
	assert all({"seq", "at", "kind", "by", "department", "note"} <= set(h) for h in found["history"])
	assert [h["kind"] for h in found["history"]] == office.kinds(case)
	words = office.stack.ctl("show", case)
	assert words.returncode == 0 and case in words.stdout and "路灯不亮" in words.stdout


def test_an_unknown_case_exits_with_1(office):
	assert office.stack.ctl("show", "JYL200101000001").returncode == 1


def test_dead_letters_are_listed_shown_and_sent_again_when_their_cause_is_gone(office):
	topic, payload = f"{office.root}/in/tomorrow/x", '{"id":"retry-1","text":"明天才有的渠道\x1b[31m"}'.replace("\x1b", "\\u001b")
	office.admin.publish(topic, payload)
	found = wait_for(lambda: [i for i in office.stack.ctl_json("deadletter", "list")["items"] if i["topic"] == topic],
			 what="the dead letter")
	item = found[0]
	assert {"id", "at", "channel", "topic", "reason"} <= set(item) and item["channel"] is None and item["reason"]
	shown = office.stack.ctl_json("deadletter", "show", item["id"])
	assert shown["payload"] == payload
	assert office.stack.ctl("deadletter", "show", item["id"], "--raw").stdout == payload
	assert "\x1b" not in office.stack.ctl("deadletter", "show", item["id"]).stdout

	heard = office.admin.collect(f"{office.root}/receipt/tomorrow/x")
	with open(os.path.join(office.stack.env["NEEDLE_CONFIG"], "channels.yaml"), "a", encoding="utf-8") as f:
		f.write("  tomorrow: {name: 明天的渠道, codec: json}\n")
	assert office.stack.ctl_json("reload")["ok"]
	assert office.stack.ctl("deadletter", "retry", item["id"]).returncode == 0
	assert heard.wait(lambda m: m.json["id"] == "retry-1").json["result"] == "created"
	assert topic not in [i["topic"] for i in office.stack.ctl_json("deadletter", "list")["items"]]
	assert topic in [i["topic"] for i in office.stack.ctl_json("deadletter", "list", "--all")["items"]]
	assert len(office.dead(topic=topic)) == 1, "it is kept"


def test_a_dead_letter_that_is_not_text_can_be_shown_and_sent_again(office):
	topic = f"{office.root}/in/letter/bytes"
	office.admin.publish(topic, b"\xff\x00\xfe")
	letter = wait_for(lambda: office.dead(topic=topic), what="the dead letter")[0]
	shown = office.stack.ctl_json("deadletter", "show", letter["id"])
	assert shown["payload"] is None and shown["payload_hex"] == "ff00fe"
	assert office.stack.ctl("deadletter", "retry", letter["id"]).returncode == 0
	again = wait_for(lambda: len(office.dead(topic=topic)) == 2 and office.dead(topic=topic), what="still dead")
	assert bytes(again[0]["payload"]) == b"\xff\x00\xfe"
	assert office.stack.ctl("deadletter", "show", "1").returncode == 1


def test_a_daemon_or_a_broker_that_is_away_exits_with_75(office):
	env = dict(office.stack.env, NEEDLE_CTL=office.stack.path("no.sock"))
	assert needlectl("status", env=env).returncode == 75
	office.stack.kill()
	assert office.stack.ctl("status").returncode == 75 and office.stack.ctl("reload").returncode == 75
	assert office.stack.ctl("clock", "show").returncode == 75
	late = office.stack.ctl("report", "--channel", "letter", "--id", "waits-1", "--timeout", "1", *LAMP)
	assert late.returncode == 75 and late.stderr, "no receipt in time"
	office.stack.up()
	assert office.stack.ctl_json("report", "--channel", "letter", "--id", "waits-1", *LAMP)["result"] == "duplicate", \
		"the broker had kept it"


def test_the_clock_of_a_real_daemon_is_not_moved(office):
	done = office.stack.ctl("clock", "set", "2030-01-01 00:00")
	assert done.returncode not in (0, 75) and "simulate" in done.stderr


def test_a_folder_with_errors_exits_with_78_and_names_check(office):
	path = os.path.join(office.stack.env["NEEDLE_CONFIG"], "rules.yaml")
	with open(path, encoding="utf-8") as f:
		saved = f.read()
	try:
		with open(path, "a", encoding="utf-8") as f:
			f.write("nonsense: 1\n")
		done = office.stack.ctl("explain", "--channel", "letter", "--text", "x")
		assert done.returncode == 78 and "check" in done.stderr
		check = office.stack.ctl("check", "--format", "json")
		found = json.loads(check.stdout)
		assert check.returncode == 1 and found["errors"] >= 1
		assert all({"code", "severity", "file", "line", "column", "message", "remedy"} <= set(f) for f in found["findings"])
	finally:
		with open(path, "w", encoding="utf-8") as f:
			f.write(saved)


def test_what_is_installed_anywhere_finds_its_own_parts(tmp_path):
	for source, place in (("needlectl", "bin/needlectl"), ("plugins/hotline.so", "lib/needle/plugins/hotline.so"),
			      ("plugins/wechat.so", "lib/needle/plugins/wechat.so"), ("plugins/device.so", "lib/needle/plugins/device.so"),
			      ("locale/zh_CN/LC_MESSAGES/needle.mo", "share/locale/zh_CN/LC_MESSAGES/needle.mo")):
		os.makedirs(tmp_path / os.path.dirname(place), exist_ok=True)
		shutil.copy(os.path.join(BUILD, source), tmp_path / place)
	env = {k: v for k, v in os.environ.items() if not k.startswith("NEEDLE_")}
	done = subprocess.run([tmp_path / "bin/needlectl", "check", "-c", os.path.join(ROOT, "config", "demo"), "--lang", "zh"],
			      capture_output=True, text=True, check=False, env=env)
	assert done.returncode == 0 and "0 个错误" in done.stdout, done.stdout + done.stderr
