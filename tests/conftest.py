"""Fixtures of the system tests. A module gets one stack of its own; it may name what it wants by

	STACK = {"config": "folder", "simulate": "2026-11-20 08:30:00", "speed": 0}
"""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib.stack import ROOT, Stack  # noqa: E402


@pytest.fixture(scope="module")
def stack(request):
	name = request.module.__name__.rpartition(".")[2]
	s = Stack(os.path.join(ROOT, "build", "run", f"{name}-{os.getpid()}"), **getattr(request.module, "STACK", {}))
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
