"""What nobody should send to needle-wechat. Each row is refused, nothing comes of it, and the next person is heard."""
import base64
import concurrent.futures
import os
import signal
import socket
import time

import pytest

from lib.wait import wait_for
from lib.wechat import Wechat, signature

USER = "oBad"


@pytest.fixture(scope="module")
def wechat(stack, tmp_path_factory):
	w = Wechat(stack, tmp_path_factory.mktemp("wechat"), wait=0).start()
	yield w
	w.close()


def text(w, content="幸福里3号楼井盖坏了", user=USER):
	return w.mp.xml(user, "text", {"Content": content})


def sealed(w, message=None, **how):
	"""A right signature over an envelope that is wrong inside."""
	return w.mp.post("", sealed=w.mp.seal(message or text(w), **how))


def flipped(w, at):
	raw = bytearray(base64.b64decode(w.mp.seal(text(w))))
	raw[at] ^= 0x10
	return w.mp.post("", sealed=base64.b64encode(bytes(raw)).decode())


def raw(w, body, query=None):
	return w.mp.request("POST", query or w.mp.query(), body)


def clear(w, body):
	return w.clear.post(body)


def unsigned(w, **change):
	query, body = w.mp.wrap(text(w))
	query.update(change)
	return w.mp.request("POST", {k: v for k, v in query.items() if v is not None}, body)


def bomb(levels, width=10):
	entities = "".join(f'<!ENTITY e{n} "{("&e%d;" % (n - 1)) * width}">' for n in range(1, levels))
	return f'<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY e0 "ha">{entities}]><xml><MsgType>&e{levels - 1};</MsgType></xml>'


def stolen(w):
	"""A nonce that was seen on the way, with another message behind it: only in the clear is that possible at all."""
	query, body = w.clear.wrap(w.clear.xml(USER + "2", "text", {"Content": "你好"}))
	assert w.clear.request("POST", query, body)[0] == 200
	return w.clear.request("POST", query, w.clear.xml(USER, "text", {"Content": "幸福里3号楼漏水"}))


def stolen_twice(w):
	query, body = w.clear.wrap(w.clear.xml(USER + "2", "text", {"Content": "您好"}))
	assert w.clear.request("POST", query, body)[0] == 200
	other = w.clear.xml(USER, "text", {"Content": "幸福里3号楼漏水"})
	w.clear.request("POST", query, other)
	return w.clear.request("POST", query, other)


NOW = int(time.time())
XML = "<xml><FromUserName>oBad</FromUserName><MsgType>text</MsgType><Content>x</Content></xml>"
ROWS = [
	# ---- who is it
	("no query at all", 403, lambda w: w.mp.request("POST", {}, text(w))),
	("wrong signature", 403, lambda w: unsigned(w, msg_signature="0" * 40)),
	("signature of another length", 403, lambda w: unsigned(w, msg_signature="abc")),
	("empty signature", 403, lambda w: unsigned(w, msg_signature="")),
	("no signature", 403, lambda w: unsigned(w, msg_signature=None)),
	("signature in capitals", 403, lambda w: unsigned(w, msg_signature=w.mp.query("x")["msg_signature"].upper())),
	("a signature without the envelope in it", 403, lambda w: unsigned(w, msg_signature=w.mp.query()["signature"])),
	("another token", 403, lambda w: unsigned(w, msg_signature=signature("other", "1", "2", "3"))),
	("no timestamp", 403, lambda w: unsigned(w, timestamp=None)),
	("no nonce", 403, lambda w: unsigned(w, nonce=None)),
	("a nonce as long as a letter", 403, lambda w: unsigned(w, nonce="9" * 65)),
	("a timestamp that is none", 403, lambda w: unsigned(w, timestamp="now")),
	("a negative timestamp", 403, lambda w: unsigned(w, timestamp="-5")),
	("an endless timestamp", 403, lambda w: unsigned(w, timestamp="9" * 40)),
	("an hour ago, well signed", 403, lambda w: w.mp.post(text(w), timestamp=NOW - 3600)),
	("in an hour, well signed", 403, lambda w: w.mp.post(text(w), timestamp=NOW + 3600)),
	("a replayed nonce for another message", 403, stolen),
	("and again", 403, stolen_twice),
	("in the clear, where there is a key", 403, lambda w: w.mp.request("POST", w.mp.query(), text(w))),
	("sealed, where there is none", 400, lambda w: w.clear.request("POST", w.clear.query(), w.mp.wrap(text(w))[1])),
	("another account's path", 404, lambda w: w.mp.request("POST", w.mp.query(), text(w), path="/wechat/nobody")),
	("no path", 404, lambda w: w.mp.request("POST", w.mp.query(), text(w), path="/")),
	("a path upwards", 404, lambda w: w.mp.request("GET", w.mp.query(), path="/wechat/../etc/passwd")),
	("PUT", 405, lambda w: w.mp.request("PUT", w.mp.query(), text(w))),
	("DELETE", 405, lambda w: w.mp.request("DELETE", w.mp.query(), "")),
	("verification without echo", 403, lambda w: w.clear.request("GET", w.clear.query())),
	("verification with a wrong signature", 403, lambda w: w.clear.request("GET", dict(w.clear.query(sign="0" * 40), echostr="1"))),
	("verification of another account's echo", 403, lambda w: (lambda e: w.mp.request("GET", dict(w.mp.query(e), echostr=e)))(
		w.mp.seal("1", app="wxother"))),
	("verification with a broken echo", 403, lambda w: w.mp.request("GET", dict(w.mp.query("!!"), echostr="!!"))),
	# ---- the envelope
	("a wrong id at the end", 403, lambda w: sealed(w, app="wx9999999999999999")),
	("an id with something behind it", 403, lambda w: sealed(w, app=w.mp.app + "x")),
	("an id cut short", 403, lambda w: sealed(w, app=w.mp.app[:-1])),
	("ciphertext changed in the first block", {400, 403}, lambda w: flipped(w, 18)),
	("ciphertext changed in the last block", {400, 403}, lambda w: flipped(w, -1)),
	("ciphertext changed before the id", {400, 403}, lambda w: flipped(w, -40)),
	("padding of zeros", 400, lambda w: sealed(w, pad=lambda n: b"\0" * n)),
	("padding that disagrees", 400, lambda w: sealed(w, pad=lambda n: b"\1" * (n - 1) + bytes([n]) if n > 1 else b"\0")),
	("padding larger than a block", 400, lambda w: sealed(w, pad=lambda n: bytes([n + 32]) * (n + 32))),
	("padding of 255", 400, lambda w: sealed(w, pad=lambda n: b"\xff" * n)),
	("a length beyond the end", 400, lambda w: sealed(w, length=10 ** 6)),
	("a length of four gigabytes", 400, lambda w: sealed(w, length=0xffffffff)),
	("a length too small", 403, lambda w: sealed(w, length=3)),
	("no base64", 400, lambda w: w.mp.post("", sealed="这不是base64")),
	("base64 of nothing", 400, lambda w: w.mp.post("", sealed="====")),
	("half a block", 400, lambda w: w.mp.post("", sealed=base64.b64encode(b"x" * 40).decode())),
	("one block only", 400, lambda w: w.mp.post("", sealed=base64.b64encode(b"x" * 16).decode())),
	("another key's envelope", {400, 403}, lambda w: w.mp.post("", sealed=base64.b64encode(os.urandom(128)).decode())),
	# ---- XML
	("no XML", 400, lambda w: clear(w, "hello")),
	("nothing", 400, lambda w: clear(w, "")),
	("JSON", 400, lambda w: clear(w, '{"MsgType":"text"}')),
	("an element that never ends", 400, lambda w: clear(w, "<xml><MsgType>text")),
	("two roots", 400, lambda w: clear(w, XML + XML)),
	("a document type", 400, lambda w: clear(w, "<!DOCTYPE xml>" + XML)),
	("an external entity", 400, lambda w: clear(w, '<!DOCTYPE xml [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + XML.replace("x</C", "&f;</C"))),
	("an external entity over HTTP", 400, lambda w: clear(w, f'<!DOCTYPE xml SYSTEM "{w.platform.url}/dtd">' + XML)),
	("a billion laughs", 400, lambda w: clear(w, bomb(10))),
	("quadratic blow-up", 400, lambda w: clear(w, bomb(3, 1000))),
	("a bomb inside the envelope", 400, lambda w: sealed(w, bomb(10))),
	("an unknown entity", 400, lambda w: clear(w, XML.replace(">x<", ">&nbsp;<"))),
	("nested too deep", 400, lambda w: clear(w, "<a>" * 50 + "</a>" * 50)),
	("nested a thousand deep", 400, lambda w: clear(w, "<a>" * 5000 + "</a>" * 5000)),
	("a hundred fields", 400, lambda w: clear(w, "<xml>" + "".join(f"<f{n}>1</f{n}>" for n in range(100)) + "</xml>")),
	("GBK declared as UTF-8", 400, lambda w: clear(w, '<?xml version="1.0" encoding="UTF-8"?>'.encode() + XML.replace(">x<", ">井盖<").encode("gbk"))),
	("GBK that says so", 400, lambda w: clear(w, '<?xml version="1.0" encoding="GBK"?>'.encode() + XML.replace(">x<", ">井盖<").encode("gbk"))),
	("UTF-16", 400, lambda w: clear(w, XML.encode("utf-16"))),
	("a NUL inside", 400, lambda w: clear(w, XML.replace(">x<", ">\0<"))),
	("a lone surrogate", 400, lambda w: clear(w, XML.encode().replace(b">x<", b">\xed\xa0\x80<"))),
	("an overlong slash", 400, lambda w: clear(w, XML.encode().replace(b">x<", b">\xc0\xaf<"))),
	("XML of 10 MB", 413, lambda w: clear(w, XML.replace(">x<", ">" + "x" * 10_000_000 + "<"))),
	("just over the limit", 413, lambda w: clear(w, XML.replace(">x<", ">" + "x" * 65536 + "<"))),
	("a text of 40 KB", 400, lambda w: clear(w, XML.replace(">x<", ">" + "x" * 40000 + "<"))),
	("no sender", 400, lambda w: clear(w, "<xml><MsgType>text</MsgType><Content>x</Content></xml>")),
	("a sender with a slash", 400, lambda w: clear(w, XML.replace("oBad", "../../o"))),
	("a sender with a wildcard", 400, lambda w: clear(w, XML.replace("oBad", "#"))),
	("a sender with a tab", 400, lambda w: clear(w, XML.replace("oBad", "o\tp"))),
	("a sender of a thousand letters", 400, lambda w: clear(w, XML.replace("oBad", "o" * 1000))),
	("no type", 400, lambda w: clear(w, XML.replace("MsgType", "Kind"))),
	# ---- what is taken and makes nothing
	("an unknown type", 200, lambda w: clear(w, XML.replace(">text<", ">hologram<"))),
	("a text without words", 200, lambda w: clear(w, XML.replace(">x<", "> <"))),
	("a position at the end of the world", 200, lambda w: clear(w, XML.replace(">text<", ">location<").replace(
		"<Content>x</Content>", "<Location_X>999</Location_X><Location_Y>nan</Location_Y>"))),
	("an event without a name", 200, lambda w: clear(w, XML.replace(">text<", ">event<"))),
]


@pytest.mark.parametrize("status,send", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_it_is_refused_and_nothing_comes_of_it(wechat, status, send):
	taken = wechat.bridge.metric("needle_bridge_reports_taken_total")
	assert send(wechat)[0] in (status if isinstance(status, set) else {status})
	assert wechat.bridge.metric("needle_bridge_reports_taken_total") == taken
	assert wechat.mp.say("oGood", "你好").startswith("您好")


def test_nobody_was_asked_for_a_document_type(wechat):
	assert not wechat.platform.times("/dtd")


def test_a_client_that_says_half_and_waits_holds_nobody_up(wechat):
	slow = []
	for n in range(40):
		s = socket.create_connection(("127.0.0.1", wechat.port))
		s.sendall(b"POST /wechat/fwh?timestamp=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n<xml>"[:60 + n])
		slow.append(s)
	since = time.monotonic()
	assert wechat.mp.say("oGood", "你好").startswith("您好")
	assert time.monotonic() - since < 5
	for s in slow:
		s.close()


def test_rubbish_on_the_line(wechat):
	for rubbish in (b"\0" * 100, b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00", b"POST / HTTP/9.9\r\n\r\n", b"X" * 70000):
		with socket.create_connection(("127.0.0.1", wechat.port)) as s:
			try:
				s.sendall(rubbish)
				s.shutdown(socket.SHUT_WR)
				s.settimeout(20)
				s.recv(100)
			except OSError:
				pass
	assert wechat.mp.say("oGood", "你好").startswith("您好")


def test_refused_callbacks_are_counted_and_their_words_are_not_in_the_log(wechat):
	assert wechat.bridge.metric("needle_bridge_inputs_refused_total") > 30
	log = wechat.bridge.log()
	assert "幸福里" not in log and "passwd" not in log


def test_ten_times_the_limit(stack, office, tmp_path):
	"""What is beyond the limit is told so, and what was taken is not lost."""
	w = Wechat(stack, tmp_path, wait=0, per_second=20).start()
	try:
		got, heard = {200: [], 429: []}, office.admin.collect(f"{office.root}/in/wechat/bridge")

		def speak(n):
			got[w.mp.post(w.mp.xml(f"oMany{n}", "text", {"Content": "幸福里3号楼漏水"}, msgid=9000 + n))[0]].append(f"fwh-{9000 + n}")
		with concurrent.futures.ThreadPoolExecutor(8) as pool:
			list(pool.map(speak, range(200)))
		assert got[429] and got[200]
		ids = lambda: {m.json["id"] for m in heard if "id" in m.json}     # noqa: E731
		wait_for(lambda: set(got[200]) <= ids(), 20, "all that was taken")
		assert not set(got[429]) & ids()
	finally:
		w.close()


def test_a_full_outbox_is_told_to_the_platform_and_emptied_later(stack, office, tmp_path):
	w = Wechat(stack, tmp_path, wait=0, outbox="entries: 100").start()
	try:
		os.kill(stack.pid("broker"), signal.SIGSTOP)
		try:
			statuses = [w.mp.post(w.mp.xml(f"oFull{n}", "text", {"Content": "幸福里3号楼漏水"}, msgid=8000 + n))[0] for n in range(130)]
		finally:
			os.kill(stack.pid("broker"), signal.SIGCONT)
		assert statuses[:100] == [200] * 100 and set(statuses[101:]) == {503}
		wait_for(lambda: w.bridge.metric("needle_bridge_outbox_messages") == 0, 60, "the outbox to be empty")
		assert w.mp.post(w.mp.xml("oFull120", "text", {"Content": "幸福里3号楼漏水"}, msgid=8120))[0] == 200
	finally:
		w.close()
