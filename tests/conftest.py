"""Fixtures of the system tests. A module gets one stack of its own; it may name what it wants by

	STACK = {"config": "folder", "simulate": "2026-11-20 08:30:00", "speed": 0}

`config` may also be a function that makes the folder below an empty one and returns its path.
"""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib.stack import ROOT, Stack  # noqa: E402

# What is said to people is compared in English; a test of the language names its own.
os.environ.update(LANGUAGE="", LC_ALL="C.UTF-8")


@pytest.fixture(scope="module")
def stack(request, tmp_path_factory):
	name = request.module.__name__.rpartition(".")[2]
	options = dict(getattr(request.module, "STACK", {}))
	if callable(options.get("config")):
		options["config"] = options["config"](tmp_path_factory.mktemp("config"))
	s = Stack(os.path.join(ROOT, "build", "run", f"{name}-{os.getpid()}"), **options)
	failed = request.session.testsfailed
	try:
		yield s.up()
	finally:
		if request.session.testsfailed > failed and os.path.isdir(s.folder):
			s.keep_logs(os.path.join(ROOT, "build", "failed", name))
		s.down()


@pytest.fixture(scope="module")
def admin(stack):
	return stack.client("admin")


@pytest.fixture(scope="module")
def db(stack):
	return stack.db()
