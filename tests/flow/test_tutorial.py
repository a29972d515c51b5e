"""The Chinese pages are done as a reader does them: their files are written, their commands run, in order.

	```yaml rules.yaml      a file of the folder in use ($NEEDLE_CONFIG); ./x/rules.yaml: where the reader stands
	```console              `$ ` and a command; below it what the screen shows. … stands for anything;
	                        a line of … alone for any number of lines; nothing below: it only has to succeed.
"""
import datetime
import os
import re
import subprocess

import pytest

from lib.stack import BUILD, ROOT

PAGES = ("rules.md", "deadlines.md")
BLOCK = re.compile(r"(?ms)^```(\w+)(?: (\S+))?\n(.*?)^```$")
MARK = "--needle-tutorial--"
BOUND_S = 120
# Findings that depend on the day of the reader: which years' holidays should be known by now.
OF_THE_DAY = re.compile(r"(?m)^\S+:\d+:\d+: 警告 W2[0-2] .*\n(?:(?: {6}| *\d+ )[|=] .*\n)*")


class Shell:
	"""One bash for a whole page, as in one terminal window."""

	def __init__(self, home):
		os.makedirs(home)
		os.symlink(ROOT, os.path.join(home, "needle"))
		env = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "NEEDLE_", "MAKE", "MFLAGS"))}
		env.update(HOME=home, PATH=BUILD + ":" + env["PATH"], NEEDLE_PLUGINS=os.path.join(BUILD, "plugins"),
			   NEEDLE_SCHEMA=os.path.join(ROOT, "schema"), MAKEFLAGS="SAN=1" if os.path.basename(BUILD) == "san" else f"B={BUILD}", LC_CTYPE="C.UTF-8")
		self.bash = subprocess.Popen(["bash", "--norc"], cwd=home, env=env, stdin=subprocess.PIPE, text=True,
					     stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
		self.since = datetime.datetime.now()

	def run(self, command):
		"""(exit code, what the screen shows)"""
		self.bash.stdin.write(f"{command}\nprintf '\\n{MARK} %d\\n' $?\n")
		self.bash.stdin.flush()
		shown = []
		for line in self.bash.stdout:
			if line.startswith(MARK):
				text = "".join(shown)
				return int(line.split()[1]), text[:-1] if text.endswith("\n") else text
			shown.append(line)
		raise AssertionError(f"the shell has ended: {command}\n{''.join(shown)}")

	def close(self):
		self.bash.stdin.close()
		self.bash.wait(30)


def steps(page):
	"""(line of the page, "file", name, text) or (line, "command", command, what is shown or None)"""
	with open(os.path.join(ROOT, "docs", "zh", page), encoding="utf-8") as f:
		text = f.read()
	for block in BLOCK.finditer(text):
		line = text.count("\n", 0, block.start()) + 1
		kind, name, inside = block.groups()
		if name:
			said = f"`{name.removeprefix('./')}`"
			assert said in text[:block.start()].rstrip().rpartition("\n\n")[2], f"{page}:{line}: above it stands {said}"
			yield line, "file", name, inside
			continue
		if kind != "console":
			continue
		assert inside.startswith("$ "), f"{page}:{line}: a console begins with $"
		for part in re.split(r"(?m)^\$ ", inside)[1:]:
			command, _, shown = part.partition("\n")
			yield line, "command", command, shown or None


def without_the_day(shown, known):
	"""Without the findings of the day, and how many they are. Who only counts what was found has as many of them as the last check."""
	found = len(OF_THE_DAY.findall(shown))
	shown, checks = re.subn(r"(\d+) 个警告", lambda m: f"{int(m[1]) - found} 个警告", OF_THE_DAY.sub("", shown))
	known = found if checks else known
	return re.sub(r"(?m)，问题 (\d+)$", lambda m: f"，问题 {int(m[1]) - known}", shown), known


def pattern(wanted):
	lines = []
	for line in wanted.rstrip("\n").split("\n"):
		if line.strip() == "…":
			lines.append(r"(?:.*\n)*?")
		else:
			lines.append(".*?".join(map(re.escape, line.rstrip().split("…"))) + r"[ ]*\n")
	return re.compile("".join(lines) + r"\Z")


@pytest.mark.parametrize("page", PAGES)
def test_a_reader_sees_what_the_page_shows(page, tmp_path):
	shell = Shell(str(tmp_path / "home"))
	wrong, of_the_day = [], 0
	try:
		for line, what, name, text in steps(page):
			if what == "file":
				_, folder = shell.run("pwd" if name.startswith("./") else 'echo "$NEEDLE_CONFIG"')
				place = os.path.join(folder.strip(), name)
				os.makedirs(os.path.dirname(place), exist_ok=True)
				with open(place, "w", encoding="utf-8") as f:
					f.write(text)
				continue
			code, shown = shell.run(name)
			shown, of_the_day = without_the_day(shown if not shown or shown.endswith("\n") else shown + "\n", of_the_day)
			if os.environ.get("NEEDLE_TUTORIAL"):
				print(f"{page}:{line} $ {name}\n{shown}", end="")
			if code if text is None else not pattern(text).match(shown):
				wrong.append(f"docs/zh/{page}:{line}: $ {name}\n--- the page says\n{text or ''}"
					     f"--- the screen says ({code})\n{shown}")
	finally:
		shell.run("[ ! -d 练习 ] || make -s -C ~/needle down DIR=$PWD/练习")
		shell.close()
	assert not wrong, "\n".join(wrong)
	assert (datetime.datetime.now() - shell.since).seconds < BOUND_S


def test_every_verb_for_rules_is_in_the_tutorial():
	commands = " ".join(name for _, what, name, _ in steps("rules.md") if what == "command")
	for verb in ("check", "explain", "test", "deadline", "reload", "status"):
		assert f"needlectl {verb}" in commands
