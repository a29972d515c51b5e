"""The bench's load against a broker that stands still: what it tells must not be better than what its tickets met."""
import json
import os
import signal
import subprocess
import sys

from lib.stack import BUILD, ROOT

sys.path.append(os.path.join(ROOT, "tests", "bench"))

import tickets  # noqa: E402

RATE, SECONDS = 2000, 3


def test_a_stall_that_lasts_beyond_the_end_of_the_measured_time_is_told(stack, tmp_path):
	path, words = str(tmp_path / "tickets.jsonl"), f"admin:{stack.passwords['admin']}:needle/{stack.tenant}/dept/wuye/event"
	tickets.write(path)
	argv = [os.path.join(BUILD, "bench", "load"), "--port", stack.env["NEEDLE_MQTT_PORT"], "--tickets", path, "--no-cards", "--warmup", 0,
		"--seconds", SECONDS, "--rate", RATE, "--publish", f"{words}/relay", "--subscribe", f"{words}/+"]
	broker = stack.pid("broker")
	with subprocess.Popen([*map(str, argv)], stdout=subprocess.PIPE, text=True) as child:
		try:
			assert json.loads(child.stdout.readline()) == {"phase": "begin"}
			os.kill(broker, signal.SIGSTOP)
			assert json.loads(child.stdout.readline()) == {"phase": "end"}
		finally:
			os.kill(broker, signal.SIGCONT)
		result = json.loads(child.stdout.readline())
	assert child.returncode == 0 and result["no_event"] == 0
	# All that was due in the measured time has left, most of it behind its end; who was due when the stall began waited longest.
	assert 0.9 < result["sent"] / (RATE * result["seconds"]) < 1.1, result
	assert result["max_ms"] > 1000 and result["p99_ms"] > 900, result
	assert result["in_time"] < 0.9 * result["sent"], "what came later is not of the rate"
