"""What is shipped with needle-hotline: the example, the pages, the unit, the installation."""
import os
import re
import shutil
import subprocess

import pytest

from lib.stack import BUILD, ROOT
from lib.wait import wait_for

PROGRAM = os.path.join(BUILD, "needle-hotline")


def keys():
	"""Every key of the tables, as its last word."""
	found = []
	for name in "daemon/bridge/keys.h", "plugins/hotline/keys.c":
		with open(os.path.join(ROOT, name), encoding="utf-8") as f:
			found += re.findall(r'KEY\((?:at )?"([^"]+)"', f.read())
	return {k.replace("[]", "").rstrip("*").rstrip(".").rpartition(".")[2] for k in found} - {"", "*"}


def read(name):
	with open(os.path.join(ROOT, name), encoding="utf-8") as f:
		return f.read()


def check(folder, text):
	os.makedirs(folder / "secrets", exist_ok=True)
	for word in set(re.findall(r"\$\{secret:(\w+)\}", text)):
		with open(os.open(folder / "secrets" / word, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as f:
			f.write("x\n")
	(folder / "hotline.yaml").write_text(text, encoding="utf-8")
	done = subprocess.run([PROGRAM, "-t", "-c", str(folder / "hotline.yaml")], capture_output=True, text=True, check=False)
	assert done.returncode == 0 and "0 errors, 0 warnings" in done.stderr, done.stderr


def test_the_example_is_right_and_shows_every_key(tmp_path):
	text = read("plugins/hotline/example/hotline.yaml")
	check(tmp_path, text)
	missing = [k for k in sorted(keys()) if not re.search(rf"(?m)[\s{{#]{k}:", "\n" + text)]
	assert not missing


@pytest.mark.parametrize("page", ["docs/zh/hotline.md", "docs/hotline.en.md"])
def test_what_the_pages_show_can_be_used(tmp_path, page):
	blocks = re.findall(r"```yaml\n(.*?)```", read(page), re.S)
	assert blocks
	for i, block in enumerate(blocks):
		check(tmp_path / str(i), block)


def test_the_pages_name_every_log_event():
	said = read("docs/zh/hotline.md")
	for folder in "plugins/hotline", "daemon/bridge":
		for name in os.listdir(os.path.join(ROOT, folder)):
			if name.endswith(".c"):
				for event in re.findall(r'log_(?:error|warn|notice|info)\("([a-z.]+)"', read(f"{folder}/{name}")):
					assert event in said or event.partition(".")[0] + ".*" in said or event == "config.load", event


def test_usage_and_version(tmp_path):
	run = lambda *argv: subprocess.run([PROGRAM, *argv], capture_output=True, text=True, check=False)
	assert run("-V").stdout.startswith("needle-hotline ") and run("-h").returncode == 0
	assert run("-x").returncode == 2 and run("-t", "more").returncode == 2
	assert run("-t", "-c", str(tmp_path / "nothing.yaml")).returncode == 78
	chinese = subprocess.run([PROGRAM, "-h"], capture_output=True, text=True, check=False, env=dict(os.environ, LANGUAGE="zh_CN"))
	assert "用法" in chinese.stdout


def test_the_unit_is_as_closed_as_the_daemons(tmp_path):
	if not shutil.which("systemd-analyze"):
		pytest.skip("systemd-analyze is not installed")
	unit = tmp_path / "needle-hotline@x.service"
	shutil.copy(os.path.join(ROOT, "systemd", "needle-hotline@.service"), unit)
	done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15", str(unit)], capture_output=True, text=True,
			      check=False)
	assert done.returncode == 0, done.stdout[-600:]


def test_the_private_stack_may_have_the_bridge():
	program, folder = os.path.join(ROOT, "tests", "stack", "stack"), os.path.join(ROOT, "build", "run", f"bridges-{os.getpid()}")
	try:
		for _ in range(2):                      # the second time everything runs already
			done = subprocess.run([program, "up", folder, "--bridges", "--build", BUILD], capture_output=True, text=True, check=False)
			assert done.returncode == 0, done.stderr
		with open(os.path.join(folder, "env"), encoding="utf-8") as f:
			env = dict(line.rstrip("\n").split("=", 1) for line in f)
		inside = env["NEEDLE_HOTLINE_FOLDER"]
		shutil.copy(os.path.join(ROOT, "plugins", "hotline", "example", "工单导出.csv"), os.path.join(inside, "a.part"))
		os.rename(os.path.join(inside, "a.part"), os.path.join(inside, "a.csv"))

		def told():
			if not os.path.exists(env["NEEDLE_HOTLINE_REPLIES"]):
				return set()
			with open(env["NEEDLE_HOTLINE_REPLIES"], encoding="utf-8-sig") as f:
				return set(re.findall(r'(?m)^"(GD\d+)"', f.read()))
		wait_for(lambda: told() == {f"GD2026112000080{i}" for i in range(1, 5)}, 60, "the replies")
		done = subprocess.run(["curl", "-s", "-H", f"X-Api-Key: {env['NEEDLE_HOTLINE_KEY']}", "-d", '{"gdbh": "ST1", "gdnr": "井盖破损"}',
				       env["NEEDLE_HOTLINE_PUSH"]], capture_output=True, text=True, check=True)
		assert '"result":"created"' in done.stdout
	finally:
		subprocess.run([program, "down", folder], check=True)
