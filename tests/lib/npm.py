"""Programs that somebody else wrote, from the npm registry as a package-lock.json pins them: to hold ours against."""
import os
import shutil
import subprocess

import pytest

from lib.stack import BUILD, ROOT


def installed(name):
	"""The folder tests/NAME with its packages, copied below the build; skips the test where npm is not there or not reached."""
	if not shutil.which("npm"):
		pytest.skip("npm is not installed: nobody else's program to hold ours against")
	folder = os.path.join(BUILD, name)
	os.makedirs(folder, exist_ok=True)
	for file in os.listdir(os.path.join(ROOT, "tests", name)):
		shutil.copy(os.path.join(ROOT, "tests", name, file), folder)
	done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, capture_output=True, text=True,
			      check=False, timeout=180)
	if done.returncode:
		pytest.skip("npm cannot be reached: " + (done.stderr.strip().splitlines() or [str(done.returncode)])[-1])
	return folder
