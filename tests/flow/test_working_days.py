"""Each working day of 2024 to 2026 and 1 to 30 工作日, against a calendar library that somebody else wrote."""
import json
import os
import subprocess

import pytest

from lib.npm import installed
from lib.stack import ROOT, needlectl

DEMO = os.path.join(ROOT, "config", "demo")
YEARS = (2024, 2026)


@pytest.fixture(scope="module")
def theirs():
	"""{working day: [the n-th working day behind it, …]} by npm's chinese-days, as tests/npm/package-lock.json pins it."""
	done = subprocess.run(["node", "days.js", *map(str, YEARS)], cwd=installed("npm"), capture_output=True, text=True, check=True, timeout=120)
	return json.loads(done.stdout)


def test_every_day_of_the_years_is_a_working_day_for_both_or_for_none(theirs):
	for year in range(YEARS[0], YEARS[1] + 1):
		shown = json.loads(needlectl("calendar", "show", year, "-c", DEMO, "--format", "json").stdout)
		assert not shown["provisional"]
		assert [d["date"] for d in shown["days"] if d["work"]] == [day for day in theirs if day.startswith(str(year))]


def test_one_to_thirty_working_days_from_each_working_day(theirs):
	asked = [(day, n) for day in theirs for n in range(1, 31)]
	lines = "".join(json.dumps({"spec": f"{n} 工作日", "from": f"{day} 10:00", "calendar": "机关"}, ensure_ascii=False) + "\n"
			for day, n in asked)
	done = needlectl("deadline", "--stdin", "-c", DEMO, stdin=lines, bound=300)
	assert done.returncode == 0, done.stdout[-500:] + done.stderr
	answers = done.stdout.splitlines()
	assert len(answers) == len(asked) > 22000
	wrong = []
	for (day, n), line in zip(asked, answers):
		answer, their = json.loads(line), theirs[day][n - 1]
		closing = "18:00" if "06-01" <= their[5:] <= "09-30" else "17:30"        # the demo's summer hours
		if answer["due"] != f"{their}T{closing}:00+08:00" or answer["provisional"] != (their > f"{YEARS[1]}-12-31"):
			wrong.append((day, n, their, answer["due"], answer["provisional"]))
	assert not wrong, wrong[:10]
