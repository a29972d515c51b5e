"""Every story comes true; and it does not when the promise that it is about is broken: of one short story here, of all of them
by `make scenarios`, which takes minutes."""
import os
import subprocess

import pytest

from scenarios.story import HERE, Telling, Untrue, load, names

SHORT = "helper-agent"
PROMISES = [(SHORT, change) for change in load(SHORT)["promises"]]


@pytest.mark.parametrize("name", names())
def test_the_story_comes_true(name, tmp_path):
	Telling(name).run(tmp_path)


@pytest.mark.parametrize("name, change", PROMISES, ids=[f"{n}-{c['name']}" for n, c in PROMISES])
def test_it_does_not_without_its_promise(name, change, tmp_path):
	with pytest.raises(Untrue):
		Telling(name, change).run(tmp_path)


def test_the_pictures_of_the_pages_are_those_of_the_folders():
	done = subprocess.run([os.path.join(HERE, "draw"), "--check"], capture_output=True, text=True, check=False)
	assert done.returncode == 0, done.stderr
