"""The other side of needle-wechat: an account that sends callbacks as WeChat does, and a platform that answers calls.

	a = Account("http://127.0.0.1:1/wechat/fwh", token="t", key="43 characters", app="wx1")
	a.say("oUser", "井盖坏了")                       (status, what the passive answer says or None)
	p = Platform(); p.sent("/cgi-bin/message/custom/send")      the bodies of all calls of that path

AES by OpenSSL over ctypes: no line of the program under test has a part in it.
"""
import base64
import ctypes
import ctypes.util
import hashlib
import http.client
import http.server
import itertools
import json
import os
import re
import struct
import threading
import time
import urllib.parse

from lib.bridge import Bridge, free_port

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
CRYPTO = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
for name in ("EVP_CIPHER_CTX_new", "EVP_aes_256_cbc"):
	getattr(CRYPTO, name).restype = ctypes.c_void_p


def aes(key, data, encrypt):
	context, out, n = ctypes.c_void_p(CRYPTO.EVP_CIPHER_CTX_new()), ctypes.create_string_buffer(len(data) + 32), ctypes.c_int()
	CRYPTO.EVP_CipherInit_ex(context, ctypes.c_void_p(CRYPTO.EVP_aes_256_cbc()), None, key, key[:16], int(encrypt))
	CRYPTO.EVP_CIPHER_CTX_set_padding(context, 0)
	assert CRYPTO.EVP_CipherUpdate(context, out, ctypes.byref(n), data, len(data)) == 1
	CRYPTO.EVP_CIPHER_CTX_free(context)
	return out.raw[:n.value]


def signature(*parts):
	return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


class Account:
	numbers = itertools.count(int(time.time() * 1000) % 10**9 * 1000)

	def __init__(self, url, token="toKen", key=KEY, app="wx0123456789abcdef"):
		place = urllib.parse.urlparse(url)
		self.host, self.port, self.path = place.hostname, place.port, place.path
		self.token, self.app, self.key = token, app, base64.b64decode(key + "=") if key else None
		self.local, self.patience = threading.local(), 0

	# ---- the envelope ----
	def seal(self, message, app=None, pad=None, length=None):
		message = message if isinstance(message, bytes) else message.encode()
		plain = os.urandom(16) + struct.pack(">I", len(message) if length is None else length) + message + (app or self.app).encode()
		n = 32 - len(plain) % 32
		return base64.b64encode(aes(self.key, plain + (bytes([n]) * n if pad is None else pad(n)), True)).decode()

	def open(self, sealed):
		plain = aes(self.key, base64.b64decode(sealed), False)
		plain = plain[:-plain[-1]]
		n = struct.unpack(">I", plain[16:20])[0]
		assert plain[20 + n:].decode() == self.app
		return plain[20:20 + n].decode()

	def query(self, encrypted=None, timestamp=None, nonce=None, sign=None):
		timestamp, nonce = str(int(time.time()) if timestamp is None else timestamp), nonce or str(next(self.numbers))
		q = {"timestamp": timestamp, "nonce": nonce, "signature": signature(self.token, timestamp, nonce)}
		if encrypted is not None:
			q["msg_signature"] = signature(self.token, timestamp, nonce, encrypted)
		if sign:
			q["msg_signature"] = q["signature"] = sign
		return q

	def wrap(self, message, **how):
		"""(query, body) of one callback."""
		if self.key is None:
			return self.query(**how), message
		sealed = how.pop("sealed", None) or self.seal(message)
		return self.query(sealed, **how), f"<xml><ToUserName><![CDATA[{self.app}]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"

	# ---- HTTP ----
	def request(self, method, query, body=None, path=None, bound=30):
		"""
		(status, body). One connection a thread, opened again when the bridge has gone meanwhile; with patience the very
		same request is made again for so many seconds when nobody answers, as the platform does.
		"""
		target = (path or self.path) + "?" + urllib.parse.urlencode(query)
		body = body.encode() if isinstance(body, str) else body
		until = time.monotonic() + self.patience
		while True:
			try:
				return self.request_once(method, target, body, bound)
			except (OSError, http.client.HTTPException):
				if time.monotonic() >= until:
					raise
				time.sleep(0.1)

	def request_once(self, method, target, body, bound):
		for again in (True, False):
			c = getattr(self.local, "c", None)
			if c is None:
				c = self.local.c = http.client.HTTPConnection(self.host, self.port, timeout=bound)
				again = False
			try:
				c.request(method, target, body)
				answer = c.getresponse()
				return answer.status, answer.read().decode(errors="replace")
			except (OSError, http.client.HTTPException):
				c.close()
				self.local.c = None
				if not again:
					raise

	def post(self, message, **how):
		query, body = self.wrap(message, **how)
		return self.request("POST", query, body)

	def said(self, answer):
		"""What a passive answer says; None for `success`."""
		status, body = answer
		assert status == 200, answer
		if body in ("success", ""):
			return None
		if self.key is not None:
			sealed = re.search(r"<Encrypt><!\[CDATA\[(.*?)\]\]></Encrypt>", body)[1]
			sign, stamp, nonce = (re.search(form, body)[1] for form in (
				r"<MsgSignature><!\[CDATA\[(.*?)\]\]>", r"<TimeStamp>(\d+)<", r"<Nonce><!\[CDATA\[(.*?)\]\]>"))
			assert sign == signature(self.token, stamp, nonce, sealed)
			body = self.open(sealed)
		return "".join(re.findall(r"<!\[CDATA\[(.*?)\]\]>", re.search(r"(?s)<Content>(.*)</Content>", body)[1], re.S))

	# ---- messages ----
	def xml(self, user, kind, fields, msgid=None, at=None):
		head = {"ToUserName": "gh_1", "FromUserName": user, "CreateTime": str(int(at or time.time())), "MsgType": kind}
		if kind != "event":
			head["MsgId"] = str(msgid or next(self.numbers))
		return "<xml>" + "".join(f"<{k}><![CDATA[{v}]]></{k}>" for k, v in dict(head, **fields).items()) + "</xml>"

	def say(self, user, text, msgid=None, at=None):
		return self.said(self.post(self.xml(user, "text", {"Content": text}, msgid, at)))

	def send(self, user, kind, **fields):
		return self.said(self.post(self.xml(user, kind, fields)))


class Platform:
	"""`answers[path]` is what a path gives: a dict, bytes, a status, a function of (query, body), or "slow", "drop"."""

	def __init__(self):
		self.calls, self.answers, self.tokens, self.lock = [], {}, 0, threading.Lock()
		outer = self

		class Handler(http.server.BaseHTTPRequestHandler):
			protocol_version = "HTTP/1.1"

			def answer(self):
				place = urllib.parse.urlparse(self.path)
				query = dict(urllib.parse.parse_qsl(place.query))
				body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
				outer.serve(self, place.path, query, body)
			do_GET = do_POST = answer

			def log_message(self, *_):
				pass
		self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
		self.server.daemon_threads = True
		self.url = f"http://127.0.0.1:{self.server.server_port}"
		threading.Thread(target=self.server.serve_forever, daemon=True).start()

	def serve(self, handler, path, query, body):
		with self.lock:
			self.calls.append((path, query, body, time.monotonic()))
			answer = self.answers.get(path, {"errcode": 0, "errmsg": "ok"})
		if path in ("/cgi-bin/token", "/cgi-bin/gettoken") and path not in self.answers:
			with self.lock:
				self.tokens += 1
				answer = {"access_token": f"secret-token-{self.tokens}", "expires_in": 7200}
		if callable(answer):
			answer = answer(query, body)
		if answer == "drop":
			handler.close_connection = True
			return
		if answer == "slow":
			time.sleep(3)
			answer = 504
		status, kind = (answer, "text/html") if isinstance(answer, int) else (200, "application/json")
		if isinstance(answer, bytes):
			kind = "application/octet-stream"
		out = answer if isinstance(answer, bytes) else b"<html>" if isinstance(answer, int) else json.dumps(answer).encode()
		handler.send_response(status)
		handler.send_header("Content-Type", kind)
		handler.send_header("Content-Length", str(len(out)))
		handler.end_headers()
		try:
			handler.wfile.write(out)
		except OSError:
			pass

	def sent(self, path):
		with self.lock:
			return [json.loads(body or b"null") for at, _, body, _ in self.calls if at == path]

	def times(self, path):
		with self.lock:
			return [when for at, _, _, when in self.calls if at == path]

	def close(self):
		self.server.shutdown()
		self.server.server_close()


FILE = """
callback: {{listen: 127.0.0.1:{port}, wait: {wait}, per_second: {per_second}}}
office: {office}
alarm_words: [没人管, 投诉你们]
media: {{retry: 1, max: 64 KiB}}
accounts:
  fwh:
    kind: mp
    app: wx0123456789abcdef
    token: "${{secret:token}}"
    aes_key: "${{secret:aes}}"
    secret: "${{secret:app_secret}}"
    api: {api}
    templates:
      resolved: {{id: TM1, page: "https://example.cn/c", fields: {{thing1: "{{text}}", character_string2: "{{case}}"}}}}
      accepted: {{id: TM2, subscription: on, fields: {{thing1: "{{text}}"}}}}
  clear: {{kind: mp, app: wxclear, token: "${{secret:token}}", secret: "${{secret:app_secret}}", api: {api}}}
  app:
    kind: wecom
    app: ww0123456789abcdef
    agent: 1000002
    token: "${{secret:token}}"
    aes_key: "${{secret:aes}}"
    secret: "${{secret:app_secret}}"
    api: {api}
    orders: on
    orders_every: 1
robots:
  leaders: {{url: "${{secret:robot}}", on: [dissatisfied, unreachable]}}
  slow: {{url: "${{secret:robot2}}", on: words, per_minute: 3}}
"""


class Wechat:
	"""The bridge, its platform and its accounts."""

	def __init__(self, stack, folder, wait=500, office=None, per_second=3000, outbox="", resend=2, api=None):
		self.platform = Platform()
		self.port = free_port()
		self.bridge = Bridge(stack, "wechat", folder, FILE.format(
			port=self.port, wait=wait, per_second=per_second, office=office or stack.env["NEEDLE_CONFIG"], api=api or self.platform.url), source="bridge", resend=resend, more=f", {outbox}" if outbox else "",
			secrets={"token": "toKen", "aes": KEY, "app_secret": "very-secret", "robot": f"{self.platform.url}/robot?key=robot-key",
				 "robot2": f"{self.platform.url}/slow?key=robot-key"})
		self.mp = self.account("fwh", app="wx0123456789abcdef")
		self.clear = self.account("clear", key=None, app="wxclear")
		self.app = self.account("app", app="ww0123456789abcdef")

	def account(self, name, **how):
		return Account(f"http://127.0.0.1:{self.port}/wechat/{name}", **how)

	def start(self, **env):
		self.bridge.start(**env)
		return self

	def close(self):
		self.bridge.close()
		self.platform.close()
