"""The tools around a folder: its normal form, the schema, the manual, what a change would change, calendars."""
import datetime
import glob
import json
import os
import shutil
import stat
import subprocess

import jsonschema
import pytest
import yaml

from lib.stack import BUILD, ROOT, needlectl
from lib.wait import wait_for

STACK = {"simulate": "2026-12-30 10:00:00"}
SHIPPED = sorted(os.path.dirname(p) for p in glob.glob(os.path.join(ROOT, "config", "**", "needle.yaml"), recursive=True))
NEW_YEAR = {"year": 2027, "papers": ["https://www.gov.cn/"], "$id": "x",
	    "days": [{"name": "元旦", "date": f"2027-01-0{d}", "isOffDay": True} for d in (3, 1, 2)]}


def read(*path):
	with open(os.path.join(*path), encoding="utf-8", newline="") as f:
		return f.read()


def write(text, *path):
	with open(os.path.join(*path), "w", encoding="utf-8", newline="") as f:
		f.write(text)


def change(folder, name, *pairs):
	text = read(folder, name)
	for old, new in pairs:
		assert old in text, old
		text = text.replace(old, new, 1)
	write(text, folder, name)


@pytest.fixture
def demo(tmp_path):
	return shutil.copytree(os.path.join(ROOT, "config", "demo"), tmp_path / "demo")


def effective(folder):
	done = subprocess.run([os.path.join(BUILD, "needled"), "-T", "-c", str(folder), "--env-file", "/dev/null"],
			      capture_output=True, text=True, check=False)
	return done.stdout or done.stderr


def files(folder):
	return sorted(glob.glob(os.path.join(folder, "*.yaml")) + glob.glob(os.path.join(folder, "tests", "*.yaml")))


# ---- fmt -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("folder", SHIPPED, ids=os.path.basename)
def test_what_we_ship_is_in_its_normal_form(folder):
	done = needlectl("fmt", "--check", folder)
	assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_fmt_tidies_a_messy_folder_once_and_changes_no_meaning(demo):
	secrets = demo / "secrets"
	secrets.mkdir()
	for name in ("mqtt_password", "privacy_keys"):
		(secrets / name).write_text("x")
		(secrets / name).chmod(0o600)
	change(demo, "rules.yaml", ("  - id: 燃气泄漏\n    when: {text: {any: [燃气泄漏, 煤气味, 燃气味], none: [已处理, 演练]}}\n",
				    "\n\n  - when: {text:   {none: [已处理,演练], any: [燃气泄漏,\n         煤气味,  # 闻到的\n        燃气味]}}\n    id:   燃气泄漏\n"))
	change(demo, "categories.yaml", ('市政/路灯:     {codes: ["020303"]}', "市政/路灯: {codes: [020303], policy:   普通}  # 路灯"))
	os.chmod(demo / "rules.yaml", 0o640)
	before, comments = effective(demo), sum(read(p).count("#") for p in files(demo))
	assert before.startswith("version: 1")
	asked = needlectl("fmt", "--check", "-c", demo, "--format", "json")
	assert asked.returncode == 1 and json.loads(asked.stdout) == {"changed": ["categories.yaml", "rules.yaml"], "written": False}
	done = needlectl("fmt", demo)
	assert done.returncode == 0 and done.stdout.split() == ["categories.yaml", "rules.yaml"]
	assert '市政/路灯:     {policy: 普通, codes: ["020303"]}  # 路灯' in read(demo, "categories.yaml")
	assert "  - id: 燃气泄漏\n    when:\n      text:\n        any:\n          - 燃气泄漏\n          - 煤气味" in read(demo, "rules.yaml")
	assert effective(demo) == before
	assert sum(read(p).count("#") for p in files(demo)) == comments
	assert stat.S_IMODE(os.stat(demo / "rules.yaml").st_mode) == 0o640
	again = needlectl("fmt", demo)
	assert (again.returncode, again.stdout) == (0, "")
	assert not [name for name in os.listdir(demo) if name not in os.listdir(os.path.join(ROOT, "config/demo")) + ["secrets"]]


def test_fmt_leaves_a_folder_with_errors_alone(demo):
	change(demo, "rules.yaml", ("dept: yingji", "dept: nobody"), ("owner: 李某", "owner:    李某"))
	before = {p: read(p) for p in files(demo)}
	done = needlectl("fmt", demo)
	assert done.returncode == 78 and "check" in done.stderr
	assert before == {p: read(p) for p in files(demo)}


# ---- schema and manual -----------------------------------------------------------------------------
def plain(value):
	"""JSON has neither dates nor other keys than texts; editors read both as texts."""
	if isinstance(value, dict):
		return {str(k): plain(v) for k, v in value.items()}
	if isinstance(value, list):
		return [plain(v) for v in value]
	return str(value) if isinstance(value, (datetime.date, datetime.datetime)) else value


@pytest.fixture(scope="module")
def valid():
	schema = json.loads(needlectl("schema").stdout)
	jsonschema.Draft202012Validator.check_schema(schema)
	validator = jsonschema.Draft202012Validator(schema)
	return lambda value: not list(validator.iter_errors(value))


@pytest.mark.parametrize("folder", SHIPPED, ids=os.path.basename)
def test_each_shipped_file_by_itself_is_valid_whoever_reads_the_yaml(folder, valid):
	for path in files(folder):
		with open(path, encoding="utf-8") as f:
			text = f.read()
		for loader in (yaml.SafeLoader, yaml.BaseLoader):      # one guesses types, one takes all for texts
			value = plain(yaml.load(text, Loader=loader))
			assert valid(value), f"{path} {loader.__name__}"


@pytest.mark.parametrize("text", [
	"ruels: []", "rules: [{when: {text: {any: [a]}}, then: {dept: d}}]", "rules: [{id: a, then: {policy: p}}]",
	"rules: [{id: a, when: {textt: {}}, then: {dept: d}}]", "rules: {id: a}", "version: 2", "tenant: {id: A, prefix: AB}",
	"tenant: {id: a, prefix: ab}", "reload: {tests: maybe}", "broker: {port: 70000}", "broker: {password: clear}",
	"departments: {城管: {name: x}}", "departments: {a: {kind: ofice}}", "departments: {a: {cards: maybe}}",
	"categories: {/a: {dept: d}}", "categories: {a: {codes: [12]}}", "policies: {p: {resolve: 5 天}}",
	"policies: {p: {resolve: 工作日 5}}", "escalations: {e: {quiet: {outside: c}}}",
	"escalations: {e: {steps: [{when: resolve 过期, do: remind}]}}", "windows: {w: 22点}", "calendars: {c: {hours: {}}}",
	"calendars: {c: {hours: {星期一: [08:30-12:00]}}}", "include: [/etc/passwd]", "include: [../x.yaml]",
	"now: 2026-01-01 08:00\ntests: [{name: a}]", "now: 2026-01-01 08:00\ntests: [{name: a, in: {channel: c}, expcet: {}}]",
	"- a", "channels: {c: {subscribe: []}}", "intake: {inbox: viel}", "join: {auto: 1.5}", "http: {listen: 'gateway.example:9470'}",
])
def test_what_is_broken_is_not_valid(text, valid):
	assert not valid(plain(yaml.safe_load(text)))


@pytest.mark.parametrize("key, value", (
	("departments", "{a: {cards: On}}"), ("departments", "{a: {cards: FALSE}}"), ("join", "{auto: .85}"), ("intake", "{inbox: 1073741824}"),
	("http", "{listen: localhost:9470}")))
def test_a_spelling_that_yaml_s_readers_know_is_known_to_the_schema_and_the_check(key, value, valid, tmp_path):
	text = f"{key}: {value}\n"
	for loader in (yaml.SafeLoader, yaml.BaseLoader):
		assert valid(plain(yaml.load(text, Loader=loader)))
	write("version: 1\ntenant: {id: small, prefix: SM}\nfallback: {dept: desk, policy: p}\npolicies: {p: {resolve: 24 小时}}\n"
	      "channels: {web: }\n" + (text if key == "departments" else "departments: {desk: }\n" + text)
	      .replace("{a:", "{desk:"), tmp_path, "needle.yaml")
	done = needlectl("check", "-c", tmp_path)
	assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("lang, path", [("en", "docs/reference.md"), ("zh", "docs/zh/reference.md")])
def test_the_reference_manual_is_what_the_table_says(lang, path):
	assert needlectl("manual", "--lang", lang).stdout == read(ROOT, path), "run make docs"


# ---- the broker's list -----------------------------------------------------------------------------
def test_the_broker_s_list_says_the_same_to_a_program_as_to_the_broker(demo):
	change(demo, "channels.yaml", ("\nchannels:\n", "\nchannels:\n  lamps: {name: 路灯, subscribe: [vendor/+/alarm]}\n"))
	text = needlectl("broker-acl", "-c", demo).stdout
	said = json.loads(needlectl("broker-acl", "-c", demo, "--format", "json").stdout)
	assert said["tenant"] == "jiyuanlu" and said["config"] in text
	lines = [line for line in text.splitlines() if line and not line.startswith("#")]
	assert lines == [line for user in said["users"] for line in
			 [f"user {user['user']}"] + [f"topic {t['access']} {t['topic']}" for t in user["topics"]]]
	lamps = next(user for user in said["users"] if user["user"] == "in-lamps")
	assert {"access": "write", "topic": "vendor/+/alarm"} in lamps["topics"]
	names = needlectl("broker-acl", "--users", "-c", demo).stdout.split()
	assert json.loads(needlectl("broker-acl", "--users", "-c", demo, "--format", "json").stdout)["users"] == names
	assert names == [user["user"] for user in said["users"]] and {"needled", "dept-wuye", "in-lamps", "wall"} <= set(names)


# ---- diff ------------------------------------------------------------------------------------------
def edit_rules(folder):
	"""A rule more, one less, one moved, one changed; and something of every other kind."""
	text = read(folder, "rules.yaml")
	start, end = text.index("  - id: 僵尸车"), text.index("  # 社区协办")
	moved, text = text[start:end], text[:start] + text[end:]
	gone = text[text.index("  - id: 积水倒灌"):text.index("  - id: 高空坠物")]
	text = text.replace(gone, "").replace("煤气味, 燃气味]", "煤气味, 液化气味]")
	text = text.replace("rules:\n", f"rules:\n{moved}  - id: 危房\n    when: {{text: {{any: [裂缝]}}}}\n    then: {{dept: yingji}}\n", 1)
	write(text, folder, "rules.yaml")
	change(folder, "deadlines.yaml", ("resolve: 5 工作日", "resolve: 3 工作日"))
	change(folder, "departments.yaml", ("{name: 三湾街社区", "{name: 三湾街社区") if "{name: 三湾街社区" in read(folder, "departments.yaml")
	       else ("name: 三湾街社区", "name: 三湾街居委会"))
	change(folder, "calendars/2026.json", ('"2026-02-14", "isOffDay": false', '"2026-02-14", "isOffDay": true'))


EXPECTED = {
	("rules", "危房", "added", None), ("rules", "积水倒灌", "removed", None), ("rules", "僵尸车", "moved", None),
	("rules", "燃气泄漏", "changed", "when.text.any"), ("policies", "普通", "changed", "resolve"),
	("departments", "sanwanjie", "changed", "name"), ("calendars", "机关", "changed", "2026-02-14"),
}


def seen(changes):
	return {(c["section"], c["id"], c["change"], c.get("field")) for c in changes}


def test_diff_of_two_folders_speaks_of_rules_by_id(demo):
	old = os.path.join(ROOT, "config", "demo")
	edit_rules(demo)
	done = needlectl("diff", old, demo, "--format", "json")
	said = json.loads(done.stdout)
	assert done.returncode == 0 and seen(said["changes"]) == EXPECTED
	of = {(c["id"], c["change"]): c for c in said["changes"]}
	assert of["普通", "changed"]["from"] == "5 工作日" and of["普通", "changed"]["to"] == "3 工作日"
	assert of["燃气泄漏", "changed"]["added"] == ["液化气味"] and of["燃气泄漏", "changed"]["removed"] == ["燃气味"]
	assert of["僵尸车", "moved"]["before"] == "危房"
	text = needlectl("diff", old, demo).stdout
	assert "policy 普通: resolve 5 工作日 → 3 工作日" in text and "rule 积水倒灌: gone" in text


def test_layout_files_and_written_defaults_are_no_difference(demo):
	change(demo, "needle.yaml", ("channels.yaml, devices.yaml", "devices.yaml, channels.yaml"),
	       ("broker: {host: 127.0.0.1, port: 1883, user: needled, ", "broker: {"))
	change(demo, "rules.yaml", ("    owner: 李某\n", "    owner: '李某'   # 他\n"))
	said = json.loads(needlectl("diff", os.path.join(ROOT, "config", "demo"), demo, "--format", "json").stdout)
	assert said["same"] is True and said["a"] != said["b"]


def test_diff_says_what_it_does_not_know(demo):
	assert needlectl("diff", demo, "nowhere").returncode == 2
	assert needlectl("diff", demo).returncode == 2
	change(demo, "rules.yaml", ("rules:", "ruels:"))
	assert needlectl("diff", os.path.join(ROOT, "config", "demo"), demo).returncode == 78


# ---- against the running daemon: diff by hash, replay, calendars ---------------------------------------
def fork(stack, tmp_path, name="new"):
	return shutil.copytree(stack.env["NEEDLE_CONFIG"], tmp_path / name)


def test_a_year_is_imported_shown_and_settles_open_limits_visibly(office, tmp_path):
	stack = office.stack
	case = office.case("hotline", category="物业/漏水", text="天花板漏水")
	before = office.row(case)
	assert before["provisional"]
	first = stack.ctl_json("status")["config"]
	shown = stack.ctl_json("calendar", "show", "2027")
	assert shown["provisional"] and len(shown["days"]) == 365
	path = tmp_path / "2027.json"
	path.write_text(json.dumps(NEW_YEAR, ensure_ascii=False), encoding="utf-8")
	said = stack.ctl_json("calendar", "import", path)
	assert said["changed"] == ["calendars/2027.json", "calendars.yaml"] and said["written"]
	moved = next(a for a in said["affected"] if a["case"] == case and a["clock"] == "resolve")
	assert (moved["old"][:10], moved["new"][:10]) == ("2027-01-06", "2027-01-07") and not moved["provisional"]
	assert office.row(case) == before, "an import alone changes no case"
	assert stack.ctl("reload").returncode == 0
	told = office.event(case, "deadline_revised", "wuye")
	assert told["due"]["resolve"] == moved["new"] and told["old"]["resolve"] == moved["old"]
	shown = stack.ctl_json("calendar", "show", "2027", "--calendar", "机关")
	assert not shown["provisional"] and shown["days"][0] == {"date": "2027-01-01", "work": False, "special": True, "why": "元旦"}
	second = stack.ctl_json("status")["config"]
	diff = json.loads(stack.ctl("diff", first[:8], second, "--format", "json").stdout)
	assert (diff["a"], diff["b"]) == (first, second)
	assert [(c["section"], c["field"], c["added"]) for c in diff["changes"]] == [("calendars", "years", ["calendars/2027.json"])]
	assert json.loads(stack.ctl("diff", "running", stack.env["NEEDLE_CONFIG"], "--format", "json").stdout)["same"]
	again = stack.ctl_json("calendar", "import", path)
	assert again["changed"] == [] and again["affected"] == []


def test_replay_tells_what_changes_hands_and_why_and_changes_nothing(office, tmp_path):
	stack = office.stack
	office.clock("add", "1 分钟")
	now = stack.ctl_json("clock", "show")["now"]
	gas = [office.case("patrol", text="楼道一股煤气味") for _ in range(3)]
	cracks = [office.case("patrol", text="楼板有裂缝", category="市政/路面") for _ in range(2)]
	leak = office.case("hotline", category="物业/漏水", text="天花板漏水")
	new = fork(stack, tmp_path)
	change(new, "rules.yaml",
	       ("rules:\n", "rules:\n  - id: 危房\n    when: {text: {any: [裂缝]}}\n    then: {dept: yingji}\n"
			    "  - id: 裂缝再说\n    when: {category: 市政/路面, text: {any: [楼板]}}\n    then: {dept: ducha}\n"),
	       ("    then: {dept: yingji, urgency: critical, policy: 特急}\n", "    then: {dept: chengguan, urgency: critical, policy: 特急}\n"))
	change(new, "deadlines.yaml", ("resolve: 5 工作日", "resolve: 1 工作日"))
	stack.set_clock("2027-01-04 12:00")
	wait_for(lambda: office.db.value("select count(*) from needle.timer where due_at <= '2027-01-04 12:00+08'") == 0,
		 what="timers to fire")
	pictures = [office.picture(case) for case in (*gas, *cracks, leak)]
	said = json.loads(stack.ctl("replay", "--since", now, "--config", new, "--against", "running", "--format",
				    "json").stdout)
	groups = {(g["from"], g["to"], g["rule"]): g for g in said["changed"]}
	assert set(groups) == {("yingji", "chengguan", "燃气泄漏"), ("chengguan", "yingji", "危房")}
	assert sorted(groups["yingji", "chengguan", "燃气泄漏"]["cases"]) == sorted(gas)
	assert sorted(groups["chengguan", "yingji", "危房"]["cases"]) == sorted(cracks)
	assert said["total"] == 6 and said["same"] == 1 and sum(g["count"] for g in said["changed"]) == 5
	assert said["late"]["before"] == 3 and said["late"]["after"] == 6
	assert sorted(said["late"]["cases"]) == sorted([*cracks, leak])
	assert said["deadlines"]["earlier"] == 3
	rules = {r["rule"]: r for r in said["rules"]}
	assert (rules["危房"]["won"], rules["裂缝再说"]["won"], rules["裂缝再说"]["lost"]) == (2, 0, 2)
	assert rules["裂缝再说"]["note"] == "W42" and rules["僵尸车"]["note"] == "W41" and rules["危房"]["note"] is None
	assert said["against"] == stack.ctl_json("status")["config"]
	text = stack.ctl("replay", "--since", "6天", "--config", new, "--list").stdout
	assert "应急办 → 城管办（综合执法）" in text and all(case in text for case in gas) and "W42" in text
	assert json.loads(stack.ctl("replay", "--since", "1小时", "--config", new, "--format", "json").stdout)["total"] == 0
	assert json.loads(stack.ctl("replay", "--config", stack.env["NEEDLE_CONFIG"], "--format", "json").stdout)["changed"] == []
	assert pictures == [office.picture(case) for case in (*gas, *cracks, leak)]


def test_a_bad_year_is_refused_and_nothing_is_written(demo, tmp_path):
	before = {p: read(p) for p in files(demo)}
	for days, word in ((NEW_YEAR["days"] + [{"name": "元旦", "date": "2027-01-01", "isOffDay": False}], "E44"),
			   ([{"name": "元旦", "date": "2027-01-01", "isOffDay": "yes"}], "E44"), ([], "no days")):
		path = tmp_path / "bad.json"
		path.write_text(json.dumps(dict(NEW_YEAR, days=days)), encoding="utf-8")
		done = needlectl("calendar", "import", path, "-c", demo)
		assert done.returncode == 1 and word in done.stdout + done.stderr
	assert before == {p: read(p) for p in files(demo)} and not (demo / "calendars/2027.json").exists()


def test_a_list_of_years_grows_however_it_is_written(demo, tmp_path):
	path = tmp_path / "2027.json"
	path.write_text(json.dumps(NEW_YEAR, ensure_ascii=False), encoding="utf-8")
	flow = "years: [calendars/2024.json, calendars/2025.json, calendars/2026.json]"
	for written in (flow, "years: calendars/2026.json   # 今年", "years:\n      - calendars/2025.json\n      - calendars/2026.json   # 今年",
			"years: [calendars/2025.json,\n            calendars/2026.json]"):
		shutil.copy(os.path.join(ROOT, "config/demo/calendars.yaml"), demo / "calendars.yaml")
		change(demo, "calendars.yaml", (flow, written))
		done = needlectl("calendar", "import", path, "-c", demo, "--format", "json", env={"NEEDLE_PG_DSN": "host=/nowhere"})
		assert done.returncode == 0, done.stderr
		shown = json.loads(needlectl("calendar", "show", "2027", "-c", demo, "--format", "json").stdout)
		assert not shown["provisional"] and shown["rest_days"] == 105
		assert read(demo, "calendars.yaml").count("今年") == written.count("今年")


def test_a_calendar_is_drawn_in_columns(demo):
	text = needlectl("calendar", "show", "2026", "-c", demo, "--lang", "zh").stdout
	lines = text.splitlines()
	assert sum(line.startswith("2026-") and line.count("2026-") == 3 for line in lines) == 4
	assert "14班15休" in text and "2026-02-15 … 02-23" in text and "248" in lines[-1]
