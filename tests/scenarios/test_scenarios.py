"""Every story comes true; and it does not when the promise that it is about is broken: of one short story here, of all of them
by `make scenarios`, which takes minutes. Two at a time, each on a stack of its own: a story mostly waits for what it has asked."""
import concurrent.futures
import os
import subprocess

import pytest

from scenarios.story import HERE, Telling, Untrue, load, names

SHORT = "helper-agent"
PROMISES = [(SHORT, change) for change in load(SHORT)["promises"]]


@pytest.fixture(scope="module")
def told(request, tmp_path_factory):
	"""told(item) is how the telling of a test ended: None, or what it raised."""
	items = [i for i in request.session.items if i.module is request.module and hasattr(i, "callspec")]
	with concurrent.futures.ThreadPoolExecutor(2) as pool:
		tellings = {i.nodeid: pool.submit(Telling(**i.callspec.params).run, tmp_path_factory.mktemp("story")) for i in items}
		yield lambda item: tellings[item.nodeid].exception()
		pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", names())
def test_the_story_comes_true(name, told, request):
	wrong = told(request.node)
	if wrong:
		raise wrong


@pytest.mark.parametrize("name, change", PROMISES, ids=[f"{n}-{c['name']}" for n, c in PROMISES])
def test_it_does_not_without_its_promise(name, change, told, request):
	assert isinstance(told(request.node), Untrue)


def test_the_pictures_of_the_pages_are_those_of_the_folders():
	done = subprocess.run([os.path.join(HERE, "draw"), "--check"], capture_output=True, text=True, check=False)
	assert done.returncode == 0, done.stderr
