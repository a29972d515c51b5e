"""A city platform that does what a test tells it: an HTTP server on loopback that keeps what it was asked."""
import http.server
import json
import threading
import urllib.parse


class Platform:
	"""answer(method, path, query, headers, body) -> (status, bytes or object); a function may be changed any time."""

	def __init__(self, answer):
		self.answer, self.calls, self.lock = answer, [], threading.Lock()
		platform = self

		class Handler(http.server.BaseHTTPRequestHandler):
			protocol_version = "HTTP/1.1"

			def handle_any(self):
				place = urllib.parse.urlparse(self.path)
				body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
				query = {k: v[0] for k, v in urllib.parse.parse_qs(place.query, keep_blank_values=True).items()}
				with platform.lock:
					platform.calls.append((self.command, place.path, query, dict(self.headers), body))
				status, text = platform.answer(self.command, place.path, query, self.headers, body)
				if not isinstance(text, bytes):
					text = json.dumps(text, ensure_ascii=False).encode()
				self.send_response(status)
				self.send_header("Content-Length", str(len(text)))
				self.end_headers()
				try:
					self.wfile.write(text)
				except OSError:
					pass    # a bridge that was killed meanwhile

			do_GET = do_POST = do_PUT = handle_any

			def log_message(self, *_):
				pass

		self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
		self.server.daemon_threads = True
		self.url = f"http://127.0.0.1:{self.server.server_port}"
		threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

	def count(self, path):
		with self.lock:
			return sum(c[1] == path for c in self.calls)

	def close(self):
		self.server.shutdown()
		self.server.server_close()
