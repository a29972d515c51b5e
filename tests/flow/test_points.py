"""Points: what rules give at a step, once; a ledger that nobody can edit; review, reversal, the shop."""

import psycopg2
import pytest

from lib.folder import demo, includes

STATISTICS = """
points:
  rules:
    随手拍: {after: closed, who: reporter, points: 5, when: {channel: patrol, all: satisfied}}
    办得好: {after: closed, who: officer, points: 2, when: {all: satisfied}, review: dangzheng}
    志愿服务: {after: by_hand, points: 8}
  shop: {毛巾: 10, 雨伞: 3}
"""


def folder(at):
	return demo(at, {"needle.yaml": includes("statistics.yaml")}, {"statistics.yaml": STATISTICS})


STACK = {"config": folder}


def accounts(office):
	return {a["account"]: (a["balance"], a["pending"]) for a in office.stack.ctl_json("points", "list")["accounts"]}


def entries(office, account):
	return office.stack.ctl_json("points", "show", account)["entries"]


def satisfied(office, ref="rider-7", **reporter):
	case = office.case("patrol", category="环卫/垃圾", text="路上缺了一个井盖", reporter=dict(reporter, ref=ref))
	office.done("huanwei", case, "accept", by="hai")
	office.done("huanwei", case, "resolve", by="hai", answer="好了")
	office.say(case, "rate", "patrol", score="satisfied")
	return case


def test_a_step_earns_what_its_rule_says_once(office):
	case = satisfied(office)
	assert accounts(office) == {"reporter/rider-7": (5, 0), "officer/huanwei/hai": (0, 2)}
	office.stack.kill()
	office.stack.up()
	assert accounts(office) == {"reporter/rider-7": (5, 0), "officer/huanwei/hai": (0, 2)}
	one = entries(office, "reporter/rider-7")[0]
	assert (one["points"], one["counts"], one["why"], one["case"]) == (5, True, "随手拍", case)


def test_who_is_dissatisfied_or_secret_earns_nothing(office):
	before = accounts(office)["reporter/rider-7"]
	case = office.case("patrol", category="环卫/垃圾", text="垃圾没人收", reporter={"ref": "rider-7"})
	office.done("huanwei", case, "accept", by="hai")
	office.done("huanwei", case, "resolve", by="hai", answer="好了")
	office.say(case, "rate", "patrol", score="dissatisfied")
	assert accounts(office)["reporter/rider-7"] == before
	satisfied(office, "rider-9", secret=True)
	assert "reporter/rider-9" not in accounts(office)


def test_credits_count_when_the_body_has_approved_them(office):
	first, second = entries(office, "officer/huanwei/hai")
	assert office.stack.ctl("points", "approve", str(first["id"]), "--dept", "ducha", "--by", "谁").returncode == 1
	assert office.stack.ctl_json("points", "approve", str(first["id"]), "--dept", "dangzheng", "--by", "吴书记")["ok"]
	assert office.stack.ctl_json("points", "refuse", str(second["id"]), "--dept", "dangzheng", "--by", "吴书记")["ok"]
	assert office.stack.ctl("points", "approve", str(second["id"]), "--dept", "dangzheng", "--by", "吴书记").returncode == 1
	assert accounts(office)["officer/huanwei/hai"] == (2, 0)
	assert [e["counts"] for e in entries(office, "officer/huanwei/hai")] == [True, False]
	assert entries(office, "officer/huanwei/hai")[0]["by"] == "dangzheng/吴书记"


def test_points_are_spent_in_the_shop_as_far_as_there_are_any(office):
	spend = lambda good: office.stack.ctl("points", "spend", "reporter/rider-7", good, "--by", "店员")
	assert spend("毛巾").returncode == 1                                    # 5 points, the towel costs 10
	assert office.stack.ctl("points", "give", "志愿服务", "reporter/rider-7", "--by", "楼长", "--note", "扫雪").returncode == 0
	assert spend("毛巾").returncode == 0 and spend("毛巾").returncode == 1
	assert accounts(office)["reporter/rider-7"] == (3, 0)
	assert spend("汽车").returncode == 1 and "汽车" in spend("汽车").stderr
	assert office.stack.ctl("points", "give", "随手拍", "reporter/rider-7", "--by", "楼长").returncode == 1
	assert office.stack.ctl("points", "spend", "reporter/rider-7", "雨伞").returncode == 2


def test_what_was_wrong_is_reversed_not_edited(office):
	towel = next(e for e in entries(office, "reporter/rider-7") if e["why"] == "毛巾")
	words = ("points", "reverse", str(towel["id"]), "--by", "店长", "--note", "退货")
	back = office.stack.ctl_json(*words)["id"]
	assert accounts(office)["reporter/rider-7"] == (13, 0)
	assert office.stack.ctl(*words).returncode == 1
	assert office.stack.ctl("points", "reverse", str(back), "--by", "店长").returncode == 1
	assert [e["points"] for e in entries(office, "reporter/rider-7")] == [5, 8, -10, 10]


@pytest.mark.parametrize("sql", ("update needle.point set amount = 100", "delete from needle.point", "truncate needle.point",
				 "update needle.point_review set ok = true", "delete from needle.point_review", "truncate needle.point_review"))
def test_nobody_edits_the_ledger(office, sql):
	before = office.db.all("select * from needle.v_point order by id")
	with pytest.raises(psycopg2.Error, match="never changed"):
		with office.stack.db().connection.cursor() as c:
			c.execute(sql)
	assert office.db.all("select * from needle.v_point order by id") == before
