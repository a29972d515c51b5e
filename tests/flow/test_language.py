"""Chinese for people: the catalogue is whole, and every program speaks it where the environment asks for it."""
import json
import os
import re
import shutil
import subprocess
import unicodedata

import pytest

from lib.stack import ROOT, needlectl

PO = os.path.join(ROOT, "daemon", "po", "zh_CN.po")
CHINESE = {"LANGUAGE": "", "LC_ALL": "", "LC_MESSAGES": "", "LANG": "zh_CN.UTF-8"}
STACK = {"environment": CHINESE}


def has_han(text):
	return any("\u4e00" <= c <= "\u9fff" for c in text)


def cells(text):
	return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


# ---- the catalogue ---------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def merged(tmp_path_factory):
	"""The catalogue with every text that the source has now."""
	place = tmp_path_factory.mktemp("po")
	env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
	subprocess.run(["make", "-s", f"B={place}", f"{place}/needle.pot"], cwd=ROOT, env=env, check=True, timeout=120)
	subprocess.run(["msgmerge", "-q", "--no-fuzzy-matching", "-o", place / "merged.po", PO, place / "needle.pot"],
		       check=True)
	return place / "merged.po"


def texts(po, *which):
	"""msgids of the entries that msgattrib picks."""
	out = subprocess.run(["msgattrib", "--no-wrap", "--no-location", *which, po], capture_output=True, text=True, check=True)
	return [m for m in re.findall(r'(?m)^(?:#~ )?msgid (".*"(?:\n".*")*)', out.stdout) if m != '""' and
		not m.startswith('""\n"Project-Id')]


def test_every_text_for_people_has_its_translation(merged):
	missing = texts(merged, "--untranslated", "--no-obsolete")
	assert not missing, f"`make pot`, then translate in daemon/po/zh_CN.po: {missing}"
	assert not texts(merged, "--only-fuzzy", "--no-obsolete"), "somebody must look at these again"


def test_nothing_in_the_catalogue_is_unused(merged):
	gone = texts(merged, "--only-obsolete")
	assert not gone, f"`make pot` takes these out: {gone}"


def test_places_of_values_agree_in_both_languages():
	done = subprocess.run(["msgfmt", "--check", "--statistics", "-o", os.devnull, PO], capture_output=True, text=True,
			      check=False)
	assert done.returncode == 0 and "untranslated" not in done.stderr and "fuzzy" not in done.stderr, done.stderr


def test_translations_are_chinese_and_do_not_end_otherwise(merged):
	out = subprocess.run(["msgattrib", "--no-wrap", "--no-location", merged], capture_output=True, text=True, check=True)
	bad = []
	for source, said in re.findall(r'(?m)^msgid (".*"(?:\n".*")*)\nmsgstr (".*"(?:\n".*")*)', out.stdout):
		source, said = ("".join(re.findall(r'"(.*)"', t)) for t in (source, said))
		if source.startswith("Project-Id") or not source or said.startswith("Project-Id"):
			continue
		if source.endswith("\\n") != said.endswith("\\n"):
			bad.append(source)
		if re.search("[A-Za-z]{3,}", re.sub("%[^a-zA-Z]*[a-zA-Z]+", "", source)) and not has_han(said) and "：" not in said:
			bad.append(source)
	assert not bad


# ---- needlectl -------------------------------------------------------------------------------------

BROKEN = {
	"rules.yaml": "rules:\n  - {id: 井盖找城管, when: {text: {any: [井盖]}}, then: {dept: chengguann}}\n",
	"deadlines.yaml": "policies:\n  普通: {accept: 2天, resolve: 5 工作日}\n",
}


@pytest.fixture
def broken(tmp_path):
	place = tmp_path / "office"
	shutil.copytree(os.path.join(ROOT, "config", "demo"), place, ignore=shutil.ignore_patterns("secrets"))
	for name, text in BROKEN.items():
		(place / name).write_text(text, encoding="utf-8")
	return place


def check(folder, *flags, env=None):
	return needlectl("check", "-c", folder, *flags, env=env or CHINESE)


def test_check_speaks_chinese_where_that_locale_is_not_installed(broken):
	done = check(broken)
	assert done.returncode == 1
	assert re.search(r"(?m)^rules\.yaml:2:\d+: 错误 E20 未定义的部门“chengguann”$", done.stdout), done.stdout
	assert "你是不是想写“chengguan”？" in done.stdout
	assert "E41 “2天”有歧义：写“2 工作日”或“2 自然日”" in done.stdout
	assert re.search(r"\d+ 个错误，\d+ 个警告", done.stdout)


@pytest.mark.parametrize("flag, env, chinese", [
	((), {}, True), (("--lang", "en"), {}, False), (("--lang", "zh"), {"LANG": "C"}, True),
	((), {"LC_ALL": "C"}, False), ((), {"LC_ALL": "C.UTF-8"}, False), ((), {"LANG": "en_US.UTF-8"}, False),
	((), {"LANG": ""}, False), ((), {"LC_ALL": "zh_CN"}, True), ((), {"LANGUAGE": "zh_CN:en", "LANG": "en_US.UTF-8"}, True),
])
def test_the_language_is_that_of_the_flag_or_the_environment(broken, flag, env, chinese):
	done = check(broken, *flag, env=dict(CHINESE, **env))
	assert done.returncode == 1
	assert ("个错误" in done.stdout) is chinese
	assert (" errors, " in done.stdout) is not chinese


def test_codes_places_and_carets_are_the_same_in_both_languages(broken):
	zh, en = (check(broken, "--lang", lang).stdout.splitlines() for lang in ("zh", "en"))
	assert len(zh) == len(en)
	for a, b in zip(zh, en):
		if re.match(r" *\d* \| ", a):
			assert a == b
		elif re.match(r"\S+:\d+:\d+: ", a):
			assert a.split()[0] == b.split()[0] and a.split()[2] == b.split()[2]
	line, caret = next((a, zh[i + 1]) for i, a in enumerate(zh) if "chengguann" in a and " | " in a)
	assert cells(line[:line.index("chengguann")]) == caret.index("^")
	found = [json.loads(check(broken, "--lang", lang, "--format", "json").stdout) for lang in ("zh", "en")]
	for a, b in zip(*(f["findings"] for f in found)):
		assert {k: a[k] for k in ("code", "severity", "file", "line", "column")} == \
			{k: b[k] for k in ("code", "severity", "file", "line", "column")}
		assert has_han(a["message"])


def verbs():
	return re.findall(r"(?m)^  ([a-z][a-z-]+) ", needlectl("-h").stdout)


def test_help_is_chinese_for_every_verb():
	assert len(verbs()) > 10
	for verb in verbs():
		done = needlectl(verb, "-h", env=CHINESE)
		assert done.returncode == 0 and done.stdout.startswith("用法：needlectl " + verb)
		for line in done.stdout.splitlines()[1:]:
			if line and not line.startswith(("  ", "# ")):
				assert has_han(line), f"{verb}: {line}"
			elif re.match(r"  .{26}\S", line):
				assert has_han(line[2:]), f"{verb}: {line}"


def test_wrong_usage_is_told_in_chinese():
	done = needlectl("chek", env=CHINESE)
	assert done.returncode == 2 and done.stderr == "needlectl: 没有命令 chek：是不是 check？\n"
	done = needlectl("check", "--lang", "fr", env=CHINESE)
	assert done.returncode == 2 and "--lang 是 zh 或 en，不是 fr" in done.stderr


def test_the_walk_of_a_deadline_is_told_in_chinese():
	done = needlectl("deadline", "2 工作日", "--from", "2026-02-13 16:40", "-c", os.path.join(ROOT, "config/reference"),
			 env=CHINESE)
	assert done.returncode == 0, done.stderr
	for part in ("规范写法", "收件当日，不计", "补班", "放假", "周五", "截止"):
		assert part in done.stdout, done.stdout


# ---- the daemon ------------------------------------------------------------------------------------

def test_the_daemon_tells_people_in_chinese_and_its_log_in_english(office):
	case = office.case(text="路灯不亮", category="市政/路灯")
	lead = office.row(case)["lead"]
	assert office.refused(lead, case, "resolve", answer="修好了", by="wang") == f"工单 {case} 要先签收"
	assert office.refused(lead, case, "return").startswith("退单要有 reason")
	receipt = office.report(id="no-words")
	assert receipt["result"] == "dead" and receipt["reason"] == "report 要有 text 或 category"
	letters = office.stack.ctl_json("deadletter", "list")["items"]
	assert any(item["reason"] == receipt["reason"] for item in letters)
	assert "分类 " in office.event(case, "assigned", lead)["why"]

	folder = office.stack.env["NEEDLE_CONFIG"]
	rules = os.path.join(folder, "rules.yaml")
	with open(rules, encoding="utf-8") as f:
		saved = f.read()
	try:
		with open(rules, "w", encoding="utf-8") as f:
			f.write(saved.replace("rules:", "rulez:", 1))
		done = office.stack.ctl("reload", "--lang", "zh")
		assert done.returncode == 1
		assert "错误 E10 不认得的键“rulez”" in done.stdout and "拒绝载入，仍在使用：" in done.stdout
	finally:
		with open(rules, "w", encoding="utf-8") as f:
			f.write(saved)
	assert office.stack.ctl("reload").returncode == 0
	assert not has_han(re.sub("/[^ ]*", "", office.stack.log())), "log lines are English"


def test_show_and_status_have_chinese_words(office):
	case = office.case(text="下水道堵了", category="市政/路灯")
	shown = office.stack.ctl("show", case, "--lang", "zh").stdout
	for word in ("已派", "主办", "收到", "分类", "紧急程度", "派单依据", "时限", "签收", "经过"):
		assert word in shown, shown
	assert "消息代理" in office.stack.ctl("status", "--lang", "zh").stdout
