"""needlectl import: a file of tickets as people have them, through the broker, with a preview."""
import json
import os
import shutil
import subprocess
import time

import pytest

from lib.npm import installed
from lib.stack import ROOT
from lib.xlsx import Cell, Sheet, write

HEAD = ["工单编号", "诉求内容", "派单时间", "来电人电话"]


@pytest.fixture(scope="module")
def put(tmp_path_factory):
	folder = tmp_path_factory.mktemp("files")

	def make(name, text, charset="utf-8"):
		path = folder / name
		path.write_bytes(text.encode(charset) if isinstance(text, str) else text)
		return str(path)
	make.folder = folder
	return make


def preview(stack, path, *more):
	return stack.ctl_json("import", path, "--preview", *more)


def csv(*rows):
	return "".join(",".join(row) + "\r\n" for row in rows)


def test_a_preview_tells_what_would_happen_and_does_nothing(stack, db, put):
	path = put("预览.csv", "热线工单\r\n" + csv(HEAD, ["PV1", "井盖破损", "2026-11-20 08:31", "13800000000"], ["", "没编号", "", ""],
						    ["PV2", "路灯不亮", "", ""]), "gb18030")
	seen = preview(stack, path)
	assert seen["header"] == 2 and seen["columns"] == HEAD and seen["rows"] == 3
	assert (seen["new"], seen["duplicate"], [b["row"] for b in seen["bad"]]) == (2, 0, [4])
	assert "no number" in seen["bad"][0]["reason"]
	assert seen["first"][0]["诉求内容"] == "井盖破损"
	assert db.value("SELECT count(*) FROM needle.v_case WHERE report LIKE 'PV%%'") == 0
	with open(path + ".rejected.csv", encoding="utf-8-sig") as f:
		text = f.read()
	assert "没编号" in text and text.splitlines()[0].endswith('"行号","原因"')


def test_an_import_makes_cases_and_the_same_again_makes_none(stack, db, put):
	path = put("导入.csv", csv(HEAD, ["IM1", "楼道煤气味", "2026-11-20 08:31:07", ""], ["IM2", '"路灯\n不亮,三天"', "2026/11/20 9:05", ""]))
	first = stack.ctl_json("import", path)
	assert (first["new"], first["duplicate"], first["bad"]) == (2, 0, [])
	rows = db.all("SELECT report, lead, title FROM needle.v_case WHERE report LIKE 'IM%%' ORDER BY report")
	assert [r["report"] for r in rows] == ["IM1", "IM2"] and rows[0]["lead"] == "yingji"
	assert "三天" in rows[1]["title"]
	again = stack.ctl_json("import", path)
	assert (again["new"], again["duplicate"]) == (0, 2)
	assert preview(stack, path)["duplicate"] == 2


def test_refused_rows_can_be_mended_and_sent_again(stack, db, put):
	path = put("改后.csv", csv(HEAD, ["ME1", "垃圾堆放", "", ""], ["", "占道经营", "", ""]))
	done = stack.ctl("import", path)
	assert done.returncode == 1 and "row 3" in done.stdout
	with open(path + ".rejected.csv", encoding="utf-8-sig") as f:
		mended = f.read().replace('"","占道经营"', '"ME2","占道经营"')
	assert stack.ctl_json("import", put("改后2.csv", "\ufeff" + mended))["new"] == 1
	assert db.value("SELECT count(*) FROM needle.v_case WHERE report IN ('ME1', 'ME2')") == 2


def test_a_number_that_comes_twice_in_a_file_is_one_case(stack, put):
	seen = stack.ctl_json("import", put("两次.csv", csv(HEAD, ["TW1", "井盖破损", "", ""], ["TW1", "井盖破损", "", ""])))
	assert (seen["new"], seen["duplicate"], seen["twice"]) == (1, 1, 1)


def test_a_second_dispatch_is_a_new_leg(stack, db, put):
	head = HEAD[:2] + ["派单次数"]
	seen = stack.ctl_json("import", put("二次.csv", csv(head, ["SD1", "噪音扰民", "1"], ["SD1", "噪音扰民", "2"])))
	assert (seen["new"], seen["updated"]) == (1, 1), seen
	assert db.value("SELECT count(*) FROM needle.v_case WHERE report LIKE 'SD1%%'") == 1


def test_what_excel_does_to_a_sheet(stack, db, put):
	path = str(put.folder / "热线.xlsx")
	write(path, [
		Sheet("说明", [["工单编号", "诉求内容"], ["HIDDEN", "不该读到"]], state="hidden"),
		Sheet("工单", [
			["某市12345热线工单导出"], [], ["导出时间：2026-11-21"],
			["工单编号*", "诉求内容：", "派单时间", "来电人", "", "事发地址", "附件"],
			["", "", "", "姓名", "电话"],
			["XL1", Cell("公式得来的内容", "str"), Cell("46346.35494212963", style=2), "李某", Cell("13800000000"), "幸福里3号楼", ""],
			[Cell("XL2", "inlineStr"), Cell("路灯不亮", "inlineStr"), Cell("46346", style=1), "", Cell("1.39E+10"), "", ""],
			[Cell("20261120000123"), "井盖破损", Cell("2026-11-20T08:31:07", "d"), "", "", "", "http://a/1.jpg,http://a/2.jpg"],
			[Cell("2.0261120000012301E+16"), "编号丢位", "", "", "", "", ""],
			[Cell("20261120000012345"), "编号太长存成了数字", "", "", "", "", ""],
			['="00123456"', "前导零", Cell("#N/A", "e"), "", "", "", ""],
		], merged=("A1:G1", "D4:E4", "A4:A5"))])
	seen = preview(stack, path)
	assert seen["header"] == 4, seen
	assert [b["row"] for b in seen["bad"]] == [9, 10], seen["bad"]
	first = seen["first"]
	assert first[0]["派单时间"] == "2026-11-20 08:31:07" and first[1]["派单时间"] == "2026-11-20"
	assert first[0]["来电人电话"] == "13800000000" and first[1]["来电人电话"] == "13900000000"
	done = stack.ctl_json("import", path)
	assert done["new"] == 4
	numbers = {r["report"] for r in db.all("SELECT report FROM needle.v_case WHERE channel = 'hotline'")}
	assert {"XL1", "XL2", "20261120000123", "00123456"} <= numbers and "HIDDEN" not in numbers


def test_days_since_1904(stack, put):
	path = str(put.folder / "1904.xlsx")
	write(path, [Sheet("s", [HEAD, ["D1904", "井盖破损", Cell("44884", style=1), ""]])], date1904=True)
	assert preview(stack, path)["first"][0]["派单时间"] == "2026-11-20"


def test_another_sheet_may_be_named(stack, put):
	path = str(put.folder / "多表.xlsx")
	write(path, [Sheet("一", [["无关"]]), Sheet("二", [HEAD, ["SH1", "井盖破损", "", ""]])])
	assert preview(stack, path, "--sheet", "二")["rows"] == 1
	assert stack.ctl("import", path, "--preview").returncode != 0


@pytest.mark.parametrize("charset, bom", [("utf-8", b"\xef\xbb\xbf"), ("utf-8", b""), ("gb18030", b""), ("utf-16-le", b"\xff\xfe")])
def test_whatever_characters_the_export_has(stack, put, charset, bom):
	for mark in ",", "\t", ";":
		text = mark.join(HEAD) + "\r\n" + mark.join(["CH1", "㐂幸福里井盖破损", "", ""]) + "\n"
		seen = preview(stack, put("字符.csv", bom + text.encode(charset)))
		assert seen["columns"] == HEAD and seen["first"][0]["诉求内容"] == "㐂幸福里井盖破损", (charset, mark)


def test_blanks_and_marks_of_spreadsheets(stack, put):
	text = csv(HEAD, ["\t'20261120000777\t", "\u3000井盖破损 \t", '"=""2026-11-20 08:31"""', '="013800000000"'])
	row = preview(stack, put("空白.csv", text))["first"][0]
	assert row == {"工单编号": "20261120000777", "诉求内容": "井盖破损", "派单时间": "2026-11-20 08:31", "来电人电话": "013800000000"}


def test_twenty_thousand_rows_are_read_in_a_moment(stack, put):
	rows = [HEAD] + [[f"M{i}", f"幸福里{i}号楼前井盖破损，已经三天没有人来修，请尽快处理", "2026-11-20 08:31", "13800000000"] for i in range(20000)]
	path = str(put.folder / "两万.xlsx")
	write(path, [Sheet("s", rows)])
	for path in path, put("两万.csv", csv(*rows), "gb18030"):
		since = time.monotonic()
		assert preview(stack, path)["rows"] == 20000
		# With the office's folder, the understanding of every row and the database in it; the bench has the parsing alone.
		assert time.monotonic() - since < 30


@pytest.fixture(scope="module")
def sheetjs():
	"""Somebody else's writer: npm's xlsx, as tests/npm/package-lock.json pins it."""
	return installed("npm")


def test_a_file_of_another_writer(stack, put, sheetjs):
	path = str(put.folder / "sheetjs.xlsx")
	rows = [["热线工单"], HEAD, ["SJ1", "井盖破损", {"date": "2026-11-20T08:31:07"}, 13800000000], [20261120000999, "路灯不亮", "", ""]]
	subprocess.run(["node", "sheet.js", path], cwd=sheetjs, input=json.dumps(rows), text=True, check=True, timeout=60)
	seen = preview(stack, path)
	assert seen["columns"] == HEAD and seen["bad"] == []
	assert seen["first"][0]["派单时间"] == "2026-11-20 08:31:07" and seen["first"][0]["来电人电话"] == "13800000000"
	assert seen["first"][1]["工单编号"] == "20261120000999"


def test_the_example_that_is_shipped(stack, put):
	shutil.copy(os.path.join(ROOT, "plugins", "hotline", "example", "工单导出.csv"), put.folder / "样例.csv")
	seen = preview(stack, str(put.folder / "样例.csv"))
	assert (seen["rows"], seen["new"], [b["row"] for b in seen["bad"]]) == (5, 4, [8])
