"""What the WeChat bridge does in a second, and how long a callback waits. The real gateway stands behind it."""
import os
import selectors
import signal
import socket
import tempfile
import threading
import time
import urllib.parse

from bridge import shares, told

MESSAGES, LINES, CALLERS, RATE = 20000, 250, 24, 200


def request(account, user, text, msgid):
	query, body = account.wrap(account.xml(user, "text", {"Content": text}, msgid=msgid))
	body = body.encode()
	return (f"POST {account.path}?{urllib.parse.urlencode(query)} HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n"
		f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def read_answer(f):
	status = int(f.readline().split()[1])
	length = 0
	while (line := f.readline()) not in (b"\r\n", b""):
		if line.lower().startswith(b"content-length:"):
			length = int(line.split(b":")[1])
	return status, f.read(length)


def is_whole(answer):
	head, blank, body = answer.partition(b"\r\n\r\n")
	return bool(blank) and len(body) >= int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)


def pour(port, requests):
	"""LINES connections, each with one callback under way. What was not taken."""
	waiting, bad, left = selectors.DefaultSelector(), [], iter(requests)
	for _ in range(LINES):
		s = socket.create_connection(("127.0.0.1", port))
		s.sendall(next(left))
		waiting.register(s, selectors.EVENT_READ, [b""])
	while waiting.get_map():
		for key, _ in waiting.select(30):
			key.data[0] += key.fileobj.recv(4096)
			if not is_whole(key.data[0]):
				continue
			if not key.data[0].startswith(b"HTTP/1.1 200"):
				bad.append(key.data[0][:80])
			key.data[0], more = b"", next(left, None)
			if more:
				key.fileobj.sendall(more)
			else:
				waiting.unregister(key.fileobj)
				key.fileobj.close()
	return bad


def rate(figures, w, place, used, note, Wrong):
	from lib.wait import wait_for
	sent = [request(w.mp, f"oBench{i}", f"幸福里{i}号楼前井盖破损，已经三天没有人来修，请尽快处理", 910000000 + i) for i in range(MESSAGES)]
	cpu, since = dict(place.cpu(), bridge=used(w.bridge.child.pid)), time.monotonic()
	bad = pour(w.port, sent)
	answered = time.monotonic() - since
	wait_for(lambda: w.bridge.metric("needle_bridge_receipts_created_total") >= MESSAGES, 600, "all receipts", every=0.05)
	seconds, spent = time.monotonic() - since, shares(dict(place.cpu(), bridge=used(w.bridge.child.pid)), cpu)
	cases = place.db.value("SELECT count(*) FROM needle.v_case WHERE report LIKE 'fwh-91%%'")
	if bad or cases != MESSAGES:
		raise Wrong(f"{cases} cases of {MESSAGES} messages, {len(bad)} callbacks not taken: {bad[:1]}")
	note(f"    {MESSAGES / seconds:.0f}/s (answered at {MESSAGES / answered:.0f}/s), µs a message: {told(spent, MESSAGES)}")
	figures.add("bridge.wechat_per_s", MESSAGES / seconds, "1/s")
	figures.add("bridge.wechat_answered_per_s", MESSAGES / answered, "1/s")
	figures.add("bridge.wechat_cpu_us", spent["bridge"] * 1e6 / MESSAGES, "us")


def late(w, first, seconds, Wrong):
	"""The 99th percentile of an open loop: each callback has its moment, and waits since then."""
	n = int(RATE * seconds)
	sent = [request(w.mp, f"oLate{first + i}", f"幸福里{i}号楼前井盖破损", first + i) for i in range(n)]
	took, bad, begin = [0.0] * n, [], time.monotonic() + 0.2

	def one(line):
		with socket.create_connection(("127.0.0.1", w.port)) as s, s.makefile("rb") as f:
			for i in range(line, n, CALLERS):
				at = begin + i / RATE
				time.sleep(max(0, at - time.monotonic()))
				s.sendall(sent[i])
				if read_answer(f)[0] != 200:
					bad.append(i)
				took[i] = time.monotonic() - at
	threads = [threading.Thread(target=one, args=(line,)) for line in range(CALLERS)]
	for t in threads:
		t.start()
	for t in threads:
		t.join()
	if bad:
		raise Wrong(f"{len(bad)} callbacks were not taken")
	return sorted(took)[int(n * 0.99)] * 1000


def wechat_once(figures, a, place, used, memory_mib, note, Wrong):
	from lib.wechat import Wechat
	with tempfile.TemporaryDirectory(prefix="needle-bridge-") as home:
		# The platform is nobody: what it costs to play it is none of the bridge's.
		w = Wechat(place.stack, home, wait=40, per_second=100000, resend=30, api="http://127.0.0.1:9")
		w.start()
		try:
			rate(figures, w, place, used, note, Wrong)
			figures.add("bridge.callback_p99_ms", late(w, 920000000, a.duration, Wrong), "ms")
			os.kill(int(place.stack.env["NEEDLE_PID"]), signal.SIGSTOP)
			try:
				figures.add("bridge.callback_down_p99_ms", late(w, 930000000, a.duration, Wrong), "ms")
			finally:
				os.kill(int(place.stack.env["NEEDLE_PID"]), signal.SIGCONT)
			figures.add("bridge.wechat_rss_mib", memory_mib(w.bridge.child.pid), "MiB")
			if w.bridge.stop() != 0:
				raise Wrong("the bridge did not end well")
		finally:
			w.close()


def wechat(figures, a, Place, used, memory_mib, note, Wrong):
	for _ in range(a.runs):
		with Place(a.build) as place:
			wechat_once(figures, a, place, used, memory_mib, note, Wrong)
