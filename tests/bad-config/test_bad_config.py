"""Every broken folder is told what is wrong with it, where, and nothing else."""
import glob
import json
import os
import re
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("NEEDLE_BUILD", os.path.join(ROOT, "build"))
FOLDERS = sorted(os.path.basename(os.path.dirname(p)) for p in glob.glob(os.path.join(HERE, "*", "expected")))


def check(folder, *flags):
	env = dict(os.environ, NEEDLE_PLUGINS=os.path.join(BUILD, "plugins"))
	env.pop("CREDENTIALS_DIRECTORY", None)
	return subprocess.run([os.path.join(BUILD, "needlectl"), "check", "-c", os.path.join(HERE, folder), *flags],
			      env=env, capture_output=True, timeout=60)


@pytest.mark.parametrize("folder", FOLDERS)
def test_broken_folder(folder):
	with open(os.path.join(HERE, folder, "expected"), encoding="utf-8") as f:
		want = f.read().split("\n")[:-1]
	done = check(folder, "--format", "json")
	said = json.loads(done.stdout)
	assert sorted(f"{f['code']} {f['file']}:{f['line']}" for f in said["findings"]) == want
	assert done.returncode == (1 if said["errors"] else 0)
	assert said["errors"] + said["warnings"] == len(want)
	assert all(f["message"] and f["column"] >= 1 for f in said["findings"])
	# People see the same, with the place before the sentence.
	text = check(folder).stdout.decode()
	for finding in said["findings"]:
		assert f"{finding['file']}:{finding['line']}:{finding['column']}: " in text


def test_there_are_enough_of_them():
	assert len(FOLDERS) >= 60


@pytest.mark.parametrize("page", ["docs/lint.md", "docs/zh/lint.md"])
def test_every_code_that_is_said_stands_in_the_page(page):
	codes = set()
	for path in glob.glob(os.path.join(ROOT, "daemon", "**", "*.c"), recursive=True):
		with open(path, encoding="utf-8") as f:
			codes.update(re.findall(r'"([EW][0-9]{2})"', f.read()))
	with open(os.path.join(ROOT, page), encoding="utf-8") as f:
		rows = set(re.findall(r"(?m)^\| ([EW][0-9]{2}) \|", f.read()))
	assert len(codes) > 40 and not codes - rows
