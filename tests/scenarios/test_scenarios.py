"""Every story comes true; and not one of them does when the promise that it is about is broken."""
import os
import subprocess

import pytest

from scenarios.story import HERE, Telling, Untrue, load, names

PROMISES = [(name, change) for name in names() for change in load(name).get("promises", [])]


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
