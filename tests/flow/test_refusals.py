"""What must not be done is refused by a sentence that a clerk understands, in English and in Chinese, and changes nothing.

A row: the state that the case is in, who does what with which members, and words of the sentence. To add one, write it
into the table where it belongs; what leads to a state stands in `WAYS`. `RECORDED` marks attempts that the history keeps.
"""
import json
import os
import re

import pytest

from lib.stack import ROOT

STACK = {"simulate": "2026-11-23 09:00:00"}        # a Monday
RECORDED = "recorded"
LAMP = {"category": "市政/路灯", "text": "路灯不亮"}                                            # 城管办 leads
HELPED = {"text": "5号楼外墙皮脱落"}                                                          # 物业办 leads, 城管办 helps
OFFICERS = {"text": "18号楼希望能用上天然气", "place": {"grid": "410106003001003"}}             # 改造专班, with officers

WAYS = {
	"assigned": (LAMP,),
	"accepted": (LAMP, ("chengguan", "accept", {})),
	"triage": (LAMP, ("chengguan", "return", {"reason": "not-ours"})),
	"resolved": (LAMP, ("chengguan", "accept", {}), ("chengguan", "resolve", {"answer": "好了"})),
	"closed": (LAMP, ("dangzheng", "reject", {"reason": "重复"})),
	"helped": (HELPED, ("wuye", "accept", {})),
	"help done": (HELPED, ("wuye", "accept", {}), ("chengguan", "support_done", {})),
	"called": (LAMP, ("chengguan", "accept", {}), ("chengguan", "whistle", {"departments": ["wuye"], "task": "到现场"})),
	"two called": (LAMP, ("chengguan", "whistle", {"departments": ["wuye", "huanwei"], "task": "到现场"})),
	"came": (LAMP, ("chengguan", "accept", {}), ("chengguan", "whistle", {"departments": ["wuye"], "task": "到现场"}),
		 ("wuye", "report_in", {})),
	"left": (LAMP, ("chengguan", "accept", {}), ("chengguan", "whistle", {"departments": ["wuye"], "task": "到现场"}),
		 ("wuye", "report_in", {}), ("wuye", "support_done", {})),
	"consulted": (LAMP, ("chengguan", "consult", {"topic": "怎么修", "parties": ["wuye", "居民代表"],
						      "at": "2026-11-24T10:00:00+08:00"})),
	"handed on": (LAMP, ("ducha", "transfer", {"to": "wuye"})),
	"arbitrated": (LAMP, ("chengguan", "return", {"reason": "not-ours"}), ("dangzheng", "transfer", {"to": "wuye"}),
		       ("wuye", "return", {"reason": "not-ours"}), ("dangzheng", "transfer", {"to": "chengguan"})),
	"officers": (OFFICERS,),
}

ROWS = (
	# ---- whose case it is
	("assigned", "huanwei", "accept", {}, "not in the queue of"),
	("assigned", "huanwei", "get", {}, "not in the queue of"),
	("assigned", "huanwei", "whistle", {"departments": ["wuye"], "task": "到现场"}, "not in the queue of"),
	("assigned", "huanwei", "report_in", {}, "not in the queue of"),
	("assigned", "huanwei", "amend", {"category": "物业/漏水"}, "not in the queue of"),
	("triage", "chengguan", "accept", {}, "not in the queue of"),
	("handed on", "chengguan", "accept", {}, "not in the queue of"),
	("helped", "chengguan", "accept", {}, "accepted already"),
	("helped", "chengguan", "resolve", {"answer": "好了"}, "not in the queue of"),
	("helped", "chengguan", "return", {"reason": "not-ours"}, "not in the queue of"),
	# ---- states
	("assigned", "chengguan", "resolve", {"answer": "好了"}, "accepted first"),
	("accepted", "chengguan", "accept", {}, "accepted already"),
	("triage", "dangzheng", "accept", {}, "in triage"),
	("triage", "dangzheng", "resolve", {"answer": "好了"}, "in triage"),
	("triage", "dangzheng", "return", {"reason": "not-ours"}, "in triage"),
	("resolved", "chengguan", "resolve", {"answer": "又好了"}, "resolved already"),
	("resolved", "chengguan", "accept", {}, "resolved already"),
	("resolved", "chengguan", "progress", {"note": "x"}, "resolved already"),
	("resolved", "chengguan", "return", {"reason": "not-ours"}, "resolved already"),
	("resolved", "ducha", "transfer", {"to": "wuye"}, "resolved already"),
	("resolved", "chengguan", "whistle", {"departments": ["wuye"], "task": "到现场"}, "resolved already"),
	("resolved", "chengguan", "next_step", {"text": "再查"}, "resolved already"),
	("resolved", "dangzheng", "reject", {"reason": "重复"}, "resolved already"),
	("resolved", "ducha", "amend", {"category": "物业/漏水"}, "resolved already"),
	("closed", "chengguan", "accept", {}, "is closed"),
	("closed", "dangzheng", "reject", {"reason": "重复"}, "is closed"),
	("closed", "chengguan", "consult", {"topic": "t", "parties": ["wuye"], "at": "2026-11-24T10:00:00+08:00"}, "is closed"),
	# ---- what is missing or unknown
	("accepted", "chengguan", "resolve", {}, "'answer'"),
	("assigned", "chengguan", "return", {}, "'reason'"),
	("assigned", "chengguan", "return", {"reason": "没有的理由"}, "no reason code"),
	("triage", "dangzheng", "transfer", {}, "'to'"),
	("triage", "dangzheng", "transfer", {"to": "no-such"}, "'to'"),
	("officers", "gaizao", "accept", {"by": "nobody"}, "no officer 'nobody'"),
	("officers", "gaizao", "contact", {"by": "wang"}, "no officer 'wang'"),
	("officers", "gaizao", "whistle", {"by": "wang", "departments": ["wuye"], "task": "到现场"}, "no officer 'wang'"),
	("officers", "gaizao", "return", {"by": "wang", "reason": "not-ours"}, "no officer 'wang'"),
	# ---- supports
	("assigned", "chengguan", "support_done", {}, "no task"),
	("assigned", "ducha", "support_done", {}, "no task"),
	("help done", "chengguan", "support_done", {}, "done already"),
	("helped", "wuye", "resolve", {"answer": "好了"}, "still open"),
	("helped", "wuye", "lift", {"to": "chengguan"}, "only a supervisor"),
	("helped", "chengguan", "lift", {"to": "chengguan"}, "only a supervisor"),
	("helped", "ducha", "lift", {"to": "huanwei"}, "whose task is open"),
	("helped", "ducha", "lift", {"department": "huanwei"}, "whose task is open"),
	("helped", "ducha", "lift", {"departments": ["chengguan", "huanwei"]}, "one task at a time"),
	("help done", "ducha", "lift", {"to": "chengguan"}, "whose task is open"),
	("help done", "ducha", "lift", {}, "no support of this case"),
	("two called", "ducha", "lift", {}, "one of wuye, huanwei"),
	# ---- whistle and report in
	("accepted", "chengguan", "whistle", {"task": "到现场"}, "'departments'"),
	("accepted", "chengguan", "whistle", {"departments": [], "task": "到现场"}, "'departments'"),
	("accepted", "chengguan", "whistle", {"departments": ["wuye"]}, "'task'"),
	("accepted", "chengguan", "whistle", {"departments": ["wuye", "no-such"], "task": "到现场"}, "no department 'no-such'"),
	("accepted", "chengguan", "whistle", {"departments": ["chengguan"], "task": "到现场"}, "leads this case itself"),
	("helped", "chengguan", "whistle", {"departments": ["huanwei"], "task": "到现场"}, "only the lead"),
	("called", "chengguan", "whistle", {"departments": ["wuye"], "task": "到现场"}, "called already"),
	("called", "chengguan", "report_in", {}, "was not called"),
	("called", "ducha", "report_in", {}, "was not called"),
	("called", "huanwei", "report_in", {}, "not in the queue of"),
	("called", "wuye", "support_done", {}, "not reported in yet"),
	("called", "chengguan", "resolve", {"answer": "好了"}, "still open"),
	("helped", "chengguan", "report_in", {}, "was not called"),
	("came", "wuye", "report_in", {}, "reported in already"),
	("left", "wuye", "report_in", {}, "done already"),
	# ---- consultations
	("accepted", "chengguan", "consult", {"parties": ["wuye"], "at": "2026-11-24T10:00:00+08:00"}, "'topic'"),
	("accepted", "chengguan", "consult", {"topic": "t", "at": "2026-11-24T10:00:00+08:00"}, "'parties'"),
	("accepted", "chengguan", "consult", {"topic": "t", "parties": ["wuye"]}, "'at'"),
	("accepted", "chengguan", "consult", {"topic": "t", "parties": ["wuye"], "at": "改天"}, "'at'"),
	("accepted", "chengguan", "consult", {"topic": "t", "parties": ["wuye"], "at": "2026-11-20T10:00:00+08:00"}, "past"),
	("consulted", "chengguan", "consult", {"topic": "t", "parties": ["wuye"], "at": "2026-11-24T10:00:00+08:00"}, "still open"),
	("helped", "chengguan", "consult", {"topic": "t", "parties": ["wuye"], "at": "2026-11-24T10:00:00+08:00"}, "only the lead"),
	("accepted", "chengguan", "consult_outcome", {"outcome": "修"}, "no consultation"),
	("consulted", "chengguan", "consult_outcome", {}, "'outcome'"),
	("consulted", "chengguan", "consult_outcome", {"outcome": "修", "departments": ["wuye"]}, "'task'"),
	("consulted", "chengguan", "consult_outcome", {"outcome": "修", "departments": ["no-such"], "task": "x"}, "no department 'no-such'"),
	("consulted", "wuye", "consult_outcome", {"outcome": "修"}, "not in the queue of"),
	# ---- chains
	("accepted", "chengguan", "next_step", {}, "'text'"),
	("accepted", "chengguan", "next_step", {"text": "再查", "category": "没有的类"}, "no category"),
	("helped", "chengguan", "next_step", {"text": "再查"}, "only the lead"),
	# ---- returns and transfers
	("assigned", "chengguan", "transfer", {"to": "wuye"}, "only triage"),
	("helped", "chengguan", "transfer", {"to": "huanwei"}, "only triage"),
	("assigned", "ducha", "transfer", {"to": "chengguan"}, "has the case already"),
	("handed on", "dangzheng", "transfer", {"to": "chengguan"}, "in a circle", RECORDED),
	("arbitrated", "chengguan", "return", {"reason": "no-place"}, "may not be returned again", RECORDED),
	# ---- not taken up
	("assigned", "chengguan", "reject", {"reason": "not-ours"}, "only triage"),
	("helped", "chengguan", "reject", {"reason": "not-ours"}, "only triage"),
	("assigned", "dangzheng", "reject", {}, "'reason'"),
	# ---- put right
	("assigned", "ducha", "amend", {}, "'category'"),
	("assigned", "ducha", "amend", {"category": "没有的类"}, "no category"),
	("assigned", "ducha", "amend", {"grid": "999999999999999"}, "no grid"),
	("assigned", "ducha", "amend", {"category": "市政/路灯"}, "changes nothing"),
	("helped", "chengguan", "amend", {"category": "物业/漏水"}, "only the lead"),
	("assigned", "chengguan", "amend", {"category": "物业/漏水"}, "would go to", RECORDED),
)


def prepared(office, state):
	report, *steps = WAYS[state]
	case = office.case(**report)
	for department, action, members in steps:
		office.done(department, case, action, **members)
	return case


def name(row):
	return f"{row[0]}-{row[1]}-{row[2]}-{row[4]}".replace(" ", "_")


def test_the_table_is_as_long_as_it_should_be():
	assert len(ROWS) >= 60 and len({name(row) + json.dumps(row[3]) for row in ROWS}) == len(ROWS)
	assert {row[0] for row in ROWS} == set(WAYS)


# One case a state: what is refused leaves it as it was, so that the next row finds it so.
@pytest.fixture(scope="module")
def cases(office):
	return {state: prepared(office, state) for state in WAYS}


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_it_is_refused_by_a_sentence_and_changes_nothing(office, cases, row):
	state, department, action, members, says, *recorded = row
	told = len(office.events(cases[state]))
	reason = office.refused(department, cases[state], action, recorded=bool(recorded), **members)
	assert says in reason, reason
	assert 15 <= len(reason) <= 250 and "\n" not in reason and "%" not in reason and "NULL" not in reason, reason
	assert len(office.events(cases[state])) == told, "nobody hears of it"


def test_a_refused_attempt_is_in_the_audit_with_who_and_why(office):
	case = office.case(**LAMP)
	office.refused("chengguan", case, "transfer", to="wuye", by="wang")
	row = office.db.one("select * from needle.command where number = %s", case)
	assert (row["action"], row["department"], row["by"]) == ("transfer", "chengguan", "wang")
	assert "only triage" in str(row["result"])


def test_every_sentence_of_the_lifecycle_is_told_in_chinese_too():
	"""Each text that the core refuses by stands in the catalogue, with a translation that has no English left but ids."""
	texts = set()
	for folder, _, files in os.walk(os.path.join(ROOT, "daemon", "core", "life")):
		for file in files:
			with open(os.path.join(folder, file), encoding="utf-8") as f:
				source = f.read()
			texts |= set(re.findall(r'life_refuse(?:_on_record)?\(l, "((?:[^"\\]|\\.)*)"', source))
			texts |= set(re.findall(r'#define NO_\w+ \{NULL, N_\("((?:[^"\\]|\\.)*)"\)\}', source))
	with open(os.path.join(ROOT, "daemon", "po", "zh_CN.po"), encoding="utf-8") as f:
		catalogue = dict(re.findall(r'^msgid "(.*)"\nmsgstr "(.*)"$', f.read(), re.M))
	assert len(texts) > 40
	for text in texts:
		chinese = catalogue.get(text, "")
		assert any("\u4e00" <= c <= "\u9fff" for c in chinese), text
		assert sorted(re.findall(r"%\w", chinese)) == sorted(re.findall(r"%\w", text)), chinese
