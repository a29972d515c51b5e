"""A meeting votes: more than 70 % dissatisfied, and the matter is handled again, until they are satisfied."""

import pytest

from lib.folder import adds, demo


def folder(at):
	return demo(at, {"channels.yaml": adds("  meeting: {name: 居民代表会议, vote: 70}\n")})


STACK = {"config": folder}


def resolved(office):
	case = office.case("meeting", category="环卫/垃圾", text="小门拓宽")
	office.done("huanwei", case, "accept", by="hai")
	office.done("huanwei", case, "resolve", by="hai", answer="好了")
	return case


def votes(*n):
	return dict(zip(("satisfied", "basically", "dissatisfied"), n))


@pytest.mark.parametrize("n, score", (((60, 0, 40), "satisfied"), ((20, 10, 70), "basically"), ((0, 3, 7), "basically"), ((0, 0, 1), "dissatisfied"),
				      ((29, 0, 71), "dissatisfied"), ((1, 0, 0), "satisfied")))
def test_the_threshold_decides(office, n, score):
	case = resolved(office)
	office.say(case, "rate", "meeting", votes=votes(*n))
	assert [r["note"] for r in office.history(case) if r["kind"] == "rated"] == [score]
	assert office.row(case)["state"] == ("assigned" if score == "dissatisfied" else "closed")


def test_handled_again_until_they_are_satisfied(office):
	case = resolved(office)
	for leg in (2, 3):
		office.say(case, "rate", "meeting", votes=votes(5, 5, 90))
		assert (office.row(case)["state"], office.row(case)["leg"]) == ("assigned", leg)
		office.done("huanwei", case, "accept", by="hai")
		office.done("huanwei", case, "resolve", by="hai", answer="又办了")
	office.say(case, "rate", "meeting", votes=votes(90, 5, 5))
	assert office.row(case)["close_reason"] == "satisfied"
	kept = office.db.all("select extra from needle.report where kind = 'rate' and number = %s order by received_at", case)
	assert [r["extra"]["votes"]["dissatisfied"] for r in kept] == [90, 90, 5]


@pytest.mark.parametrize("channel, wrong", (("meeting", votes(0, 0, 0)), ("meeting", votes(-1, 0, 5)), ("meeting", {"satisfied": "9"}), ("meeting", 9),
					    ("patrol", votes(9, 0, 0))))
def test_what_is_no_vote_is_dead(office, channel, wrong):
	case = resolved(office)
	assert office.say(case, "rate", channel, votes=wrong)["result"] == "dead"
	assert office.row(case)["state"] == "resolved"
