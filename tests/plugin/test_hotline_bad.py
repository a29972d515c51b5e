"""What must not hurt: files and bodies as they should never be. Each is refused with its reason, or taken
for what it is; the bridge and the tool go on, and nothing becomes a case."""
import io
import json
import struct
import time
import urllib.error
import urllib.request
import zipfile

import pytest

from lib.bridge import Bridge, free_port
from lib.platform import Platform
from lib.wait import wait_for
from lib.xlsx import MAIN, Cell, Sheet, write

KEY = "platform-key-0123456789"
HEAD = ["工单编号", "诉求内容"]
ONE = [HEAD, ["BAD1", "井盖破损"]]


def book(rows=None, **options):
	out = io.BytesIO()
	write(out, [Sheet("s", rows or ONE)], **options)
	return out.getvalue()


def sheet(inside):
	return f'<worksheet xmlns="{MAIN}"><sheetData>{inside}</sheetData></worksheet>'.encode()


def part(inside, name="xl/worksheets/sheet1.xml"):
	return lambda: book(replace={name: inside})


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
HEAD_ROW = '<row r="1"><c r="A1" t="inlineStr"><is><t>工单编号</t></is></c><c r="B1" t="inlineStr"><is><t>诉求内容</t></is></c></row>'


def encrypted():
	return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000


# name, bytes, how it ends: a text of the reason (the whole file is refused), or (rows, refused rows)
FILES = [
	("empty", b"", "empty"),
	("blanks only", b" \r\n\t\r\n  ,,,\r\n", "empty"),
	("no header", "甲,乙\n1,2\n".encode(), "header"),
	("header only", "工单编号,诉求内容\n".encode(), (0, 0)),
	("a title and no more", "某市热线工单\n".encode(), "header"),
	("header too far down", ("标题\n" * 40 + "工单编号,诉求内容\nB,x\n").encode(), "header"),
	("quote never closed", '工单编号,诉求内容\nB1,"没有关\nB2,x\n'.encode(), "quote"),
	("quote never closed, long", ('工单编号,诉求内容\nB1,"' + "没有关\n" * 40000).encode(), "quote"),
	("cell too long", ("工单编号,诉求内容\nB1," + "长" * 30000).encode(), "longer"),
	("too many columns", (",".join(["列"] * 600) + "\n").encode(), "columns"),
	("neither UTF-8 nor GB18030", "工单编号,诉求内容\n".encode("gb18030") + b"B1,\xff\xff\xfe\n", "GB18030"),
	("UTF-16 cut in two", b"\xff\xfe" + "工单编号,诉求内容\nB1,井".encode("utf-16-le")[:-1], "characters"),
	("NUL bytes", b"\xe5\xb7\xa5\xe5\x8d\x95\xe7\xbc\x96\xe5\x8f\xb7,\xe8\xaf\x89\xe6\xb1\x82\xe5\x86\x85\xe5\xae\xb9\nB\x001,x\n", (1, 0)),
	("a row without number", "工单编号,诉求内容\n,没有编号\n".encode(), (1, 1)),
	("a number that lost its digits", "工单编号,诉求内容\n2.02611E+13,丢位\n".encode(), (1, 1)),
	("neither text nor category", "工单编号,诉求内容\nB1,\n".encode(), (1, 1)),
	("more cells than names", "工单编号,诉求内容\nB1,x,y,z\n".encode(), (1, 0)),
	("a count that is none", "工单编号,诉求内容,派单次数\nB1,x,很多\n".encode(), (1, 1)),
	("an unknown rating", "工单编号,是否满意,回访时间\nB1,还行,2026-11-20\n".encode(), (1, 1)),
	("a rating not given", "工单编号,是否满意,回访时间\nB1,未评价,2026-11-20\n".encode(), (1, 0)),
	("a very long number", ("工单编号,诉求内容\n" + "9" * 300 + ",x\n").encode(), (1, 1)),
	("a web page", b"<html><table><tr><td>x</td></tr></table></html>", "web page"),
	("XML that is called a table", b"<?xml version='1.0'?><Workbook/>", "web page"),
	("old .xls or a password", encrypted, ".xls"),
	("a ZIP that is none", b"PK\x03\x04" + b"\0" * 100, "ZIP"),
	("a ZIP cut in two", lambda: book()[:600], "ZIP"),
	("a ZIP without a workbook", lambda: book(leave_out=("xl/workbook.xml",)), "no XLSX"),
	("no relationships", lambda: book(leave_out=("xl/_rels/workbook.xml.rels",)), "no XLSX"),
	("no such sheet in it", lambda: book(leave_out=("xl/worksheets/sheet1.xml",)), "no XLSX"),
	("no shared strings", lambda: book(leave_out=("xl/sharedStrings.xml",)), "not there"),
	("no styles", lambda: book(leave_out=("xl/styles.xml",)), (1, 0)),
	("only hidden sheets", lambda: hidden(), "hidden"),
	("broken XML", part(b"<worksheet><sheetData><row></worksheet>"), "sheet1.xml line"),
	("XML of nothing", part(b""), "sheet1.xml"),
	("bytes that are no text", part(sheet("").replace(b"<sheetData>", b"<sheetData>\xff\xfe")), "sheet1.xml"),
	("a DOCTYPE", part(BOMB.encode() + sheet("&b;")), "more in it"),
	("a DOCTYPE in the strings", part(BOMB.encode() + b"<sst/>", "xl/sharedStrings.xml"), "more in it"),
	("a DOCTYPE in the workbook", part(BOMB.encode() + b"<workbook/>", "xl/workbook.xml"), "more in it"),
	("a shared text that is not there", part(sheet('<row r="1"><c r="A1" t="s"><v>99</v></c></row>')), "not there"),
	("a shared text of no number", part(sheet('<row r="1"><c r="A1" t="s"><v>x</v></c></row>')), "not there"),
	("a shared text below zero", part(sheet('<row r="1"><c r="A1" t="s"><v>-1</v></c></row>')), "not there"),
	("a column that is none", part(sheet(HEAD_ROW + '<row r="2"><c r="123"><v>1</v></c><c r="ZZZZZZZZZZ9"><v>1</v></c></row>')), (0, 0)),
	("a row number that is none", part(sheet(HEAD_ROW + '<row r="-5"><c r="A1" t="str"><v>B1</v></c><c r="B1" t="str"><v>x</v></c></row>')), (1, 0)),
	("a type that is none", part(sheet(HEAD_ROW + '<row><c t="zz"><v>B1</v></c><c t="zz"><v>x</v></c></row>')), (1, 0)),
	("numbers that are none", part(sheet(HEAD_ROW + '<row r="2"><c r="A2"><v>1e999</v></c><c r="B2"><v>x</v></c></row>')), (1, None)),
	("a date of the year 9e15", lambda: book([HEAD + ["派单时间"], ["B1", "x", Cell("9e15", style=1)]]), (1, 0)),
	("a date before all dates", lambda: book([HEAD + ["派单时间"], ["B1", "x", Cell("-5", style=1)]]), (1, 0)),
	("a style that is not there", lambda: book([HEAD, ["B1", Cell("46346", style=99)]]), (1, 0)),
	("a cell of a megabyte", part(sheet(HEAD_ROW + f'<row r="2"><c r="A2" t="str"><v>{"x" * 1000000}</v></c></row>')), "longer"),
	("a million empty rows", lambda: book(replace={"xl/worksheets/sheet1.xml": sheet(
		HEAD_ROW + "".join(f'<row r="{n}"><c r="A{n}" s="1"/></row>' for n in range(2, 1000002)))}), (0, 0)),
	("a gigabyte of blanks", lambda: bomb("xl/worksheets/sheet1.xml", 300 << 20), "grows"),
	("a gigabyte of strings", lambda: bomb("xl/sharedStrings.xml", 300 << 20), "grows"),
	("strings beyond the limit", lambda: strings(), "MiB"),
	("nested a thousand deep", part(sheet("<row>" * 1000 + "</row>" * 1000)), "header|empty"),
]


def hidden():
	out = io.BytesIO()
	write(out, [Sheet("a", ONE, state="hidden"), Sheet("b", ONE, state="veryHidden")])
	return out.getvalue()


def bomb(name, size):
	out = io.BytesIO()
	with zipfile.ZipFile(io.BytesIO(book())) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
		for item in old.namelist():
			if item != name:
				new.writestr(item, old.read(item))
		with new.open(name, "w", force_zip64=True) as f:
			f.write(f'<worksheet xmlns="{MAIN}"><sheetData>'.encode())
			for _ in range(size >> 20):
				f.write(b" " * (1 << 20))
			f.write(b"</sheetData></worksheet>")
	return out.getvalue()


def strings():
	many = "".join(f"<si><t>{i:06}{'字' * 400}</t></si>" for i in range(20000))
	return book(replace={"xl/sharedStrings.xml": f"<sst>{many}</sst>"})


@pytest.mark.parametrize("name, data, end", FILES, ids=[f[0] for f in FILES])
def test_a_file_that_should_not_be(stack, tmp_path, name, data, end):
	path = tmp_path / "bad.csv"
	path.write_bytes(data() if callable(data) else data)
	since = time.monotonic()
	done = stack.ctl("import", str(path), "--preview", "--format", "json")
	assert time.monotonic() - since < 60
	if isinstance(end, tuple):
		assert done.returncode in (0, 1), done.stderr
		seen = json.loads(done.stdout)
		assert seen["rows"] == end[0], seen
		assert end[1] is None or len(seen["bad"]) == end[1], seen
		assert all(b["reason"] for b in seen["bad"])
	else:
		assert done.returncode == 1 and any(word in done.stderr for word in end.split("|")), (done.returncode, done.stderr)
		assert "needlectl: " in done.stderr and not done.stdout


@pytest.fixture(scope="module")
def push(stack, tmp_path_factory):
	home, port = tmp_path_factory.mktemp("bad"), free_port()
	b = Bridge(stack, "hotline", home, f"push: {{listen: '127.0.0.1:{port}', key: '${{secret:push_key}}', rate: 100000, burst: 100000}}\n",
		   secrets={"push_key": KEY}, source="bad").start()
	b.url = f"http://127.0.0.1:{port}/12345"
	yield b
	assert b.get("/healthz")[0] == 200
	assert b.stop() == 0


def deep(n, open_, close):
	return (open_ * n + close * n).encode()


BODIES = [
	("nothing", b"", 400), ("blanks", b"  \n", 400), ("no JSON", b"hello", 400), ("half a JSON", b'{"gdbh": "B1", "gdnr": ', 400),
	("a text", b'"gdbh"', 400), ("a number", b"42", 400), ("null", b"null", 400), ("an empty list", b"[]", 400), ("an empty object", b"{}", 400),
	("a list of texts", b'["a"]', 400), ("names that nobody knows", b'{"foo": 1}', 400), ("no number", b'{"gdnr": "x"}', 400),
	("an empty number", b'{"gdbh": "", "gdnr": "x"}', 400), ("a number as a fraction", b'{"gdbh": 1.5e20, "gdnr": "x"}', 400),
	("a number as a list", b'{"gdbh": ["x"], "gdnr": "x"}', 400), ("a number as an object", b'{"gdbh": {}, "gdnr": "x"}', 400),
	("the same name twice", b'{"gdbh": "B1", "gdbh": "B2", "gdnr": "x"}', 400), ("a NUL byte", b'{"gdbh": "B1\x00", "gdnr": "x"}', 400),
	("a NUL in JSON's own way", b'{"gdbh": "B1\\u0000", "gdnr": "x"}', 400), ("half a surrogate", b'{"gdbh": "B\\ud800", "gdnr": "x"}', 400),
	("no UTF-8 and no GB18030", b'{"gdbh": "B1", "gdnr": "\xff\xff"}', 400), ("nested deep", deep(20000, "[", "]"), 400),
	("objects nested deep", b'{"a":' * 20000 + b"1" + b"}" * 20000, 400), ("too many tickets", json.dumps([{"gdbh": "B", "gdnr": "x"}] * 1001).encode(), 400),
	("neither text nor category", b'{"gdbh": "BODY1"}', 422), ("a number of control characters", b'{"gdbh": "B\\n1", "gdnr": "x"}', 422),
	("an endless number", json.dumps({"gdbh": "9" * 500, "gdnr": "x"}).encode(), 422),
	("a megabyte of text", json.dumps({"gdbh": "BODY2", "gdnr": "字" * 90000}).encode(), 413),
	("XML of nothing", b"<a/>", 400), ("XML never closed", b"<a><gdbh>x", 400), ("a DOCTYPE", b"<!DOCTYPE a><a><gdbh>B1</gdbh></a>", 400),
	("an entity bomb", b'<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><a><gdbh>&b;</gdbh></a>', 400),
	("an entity of the outside", b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><gdbh>&x;</gdbh></a>', 400),
	("an unknown entity", b"<a><gdbh>&nope;</gdbh></a>", 400), ("XML nested deep", deep(5000, "<a>", "</a>"), 400),
	("a million elements", b"<a>" + b"<b/>" * 200000 + b"</a>", 400), ("10 MB of XML", b"<a>" + b"x" * 10_000_000 + b"</a>", 413),
	("two roots", b"<a><gdbh>B1</gdbh></a><a/>", 400), ("XML without number", b"<a><gdnr>x</gdnr></a>", 400),
]


@pytest.mark.parametrize("name, body, status", BODIES, ids=[b[0] for b in BODIES])
def test_a_body_that_should_not_be(push, name, body, status):
	request = urllib.request.Request(push.url, data=body, headers={"X-Api-Key": KEY})
	with pytest.raises(urllib.error.HTTPError) as refused:
		urllib.request.urlopen(request, timeout=30)
	assert refused.value.code == status, refused.value.read()
	answer = json.loads(refused.value.read())
	assert answer["success"] is False and answer["message"]


def test_heads_that_should_not_be(push):
	import socket
	place = ("127.0.0.1", int(push.url.split(":")[2].split("/")[0]))
	good = f"X-Api-Key: {KEY}\r\n"
	for head in ("GARBAGE\r\n\r\n", "POST /12345 HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		     f"POST /12345 HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n{good}\r\n",
		     "POST /12345 HTTP/1.1\r\nHost: x\r\n" + "X: y\r\n" * 20000 + "\r\n",
		     "GET /12345 HTTP/1.1\r\nHost: x\r\n\r\n", "DELETE /12345 HTTP/1.1\r\nHost: x\r\n\r\n", "POST /../12345 HTTP/1.0\r\n\r\n",
		     f"POST /12345 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n{good}\r\nZZ\r\n"):
		with socket.create_connection(place, timeout=20) as s:
			try:
				s.sendall(head.encode())
				s.shutdown(socket.SHUT_WR)
				answer = s.recv(4096)
			except OSError:
				answer = b""            # cut off, which is an answer too
			assert not answer or answer.split()[1] in (b"400", b"401", b"405", b"411", b"413", b"414", b"431", b"404"), (head[:60], answer)
	# A connection that says nothing holds nobody up.
	with socket.create_connection(place), socket.create_connection(place):
		assert urllib.request.urlopen(urllib.request.Request(push.url, data=b'{"gdbh": "HEAD1", "gdnr": "x"}', headers={"X-Api-Key": KEY}),
					      timeout=30).status == 200


def test_nothing_of_it_became_a_case(push, db):
	assert db.all("SELECT report FROM needle.v_case WHERE report LIKE 'B%%'") == []


def test_a_platform_that_answers_slowly_or_without_end(stack, tmp_path):
	said = []

	def answer(*_):
		said.append(1)
		return (200, b"[" + b" " * (20 << 20) + b"]") if len(said) % 2 else (200, struct.pack("<Q", 0) * 100)
	platform = Platform(answer)
	b = Bridge(stack, "hotline", tmp_path, f'pull: {{url: "{platform.url}/l", every: 1}}\n', source="slow").start()
	wait_for(lambda: len(said) >= 3, 60, "three tries")
	assert "larger than" in b.log() and b.get("/healthz")[0] == 200
	assert b.stop() == 0
	platform.close()
