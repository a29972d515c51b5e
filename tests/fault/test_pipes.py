"""What goes to PostgreSQL in one round trip: larger than a socket takes, refused, cut off in the middle (tests/fault/pipes.c)."""
import os
import subprocess

from lib.stack import BUILD


def test_pipelines_against_a_real_database(stack):
	done = subprocess.run([os.path.join(BUILD, "torture", "pipes")], env=dict(os.environ, NEEDLE_PG_DSN=stack.env["NEEDLE_PG_DSN"]),
			      capture_output=True, text=True, errors="replace", timeout=100, check=False)
	assert done.returncode == 0, done.stdout + done.stderr
	assert "PASSED" in done.stdout + done.stderr
