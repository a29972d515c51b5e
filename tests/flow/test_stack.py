"""What the contract promises of `make up` and `make down`."""
import glob
import importlib.machinery
import importlib.util
import os
import random
import shutil
import stat
import subprocess

import pytest

from lib.stack import ROOT, Stack, gone

NAMES = ("MQTT_HOST MQTT_PORT MQTT_USER MQTT_PASSWORD PG_DSN HTTP CTL CONFIG LOG PID BROKER_PID PG_PID").split()


@pytest.fixture
def own(tmp_path):
	"""Makes stacks in folders that only their owner may enter; their servers' data lie elsewhere then."""
	made = []

	def make(name):
		made.append(Stack(tmp_path / name))
		return made[-1]
	yield make
	for s in made:
		s.down()
		shutil.rmtree(os.path.realpath(s.path("servers")), ignore_errors=True)
		shutil.rmtree(s.folder)


def test_a_folder_with_blanks_in_its_name_goes_up_twice_and_down(own):
	s = own("a stack of my own")
	s.up()
	first = dict(s.env)
	assert {"NEEDLE_" + n for n in NAMES} <= set(first)
	assert first["NEEDLE_CONFIG"].startswith(s.folder)
	assert stat.S_IMODE(os.stat(s.path("env")).st_mode) == 0o600
	assert {"dept-chengguan", "dept-dangzheng", "in-hotline", "in-device", "wall"} <= set(s.passwords)
	assert s.http("/readyz")[0] == 200
	s.up()
	assert s.env == first, "a stack that runs is left alone"
	s.kill("needled")
	s.up()
	assert s.env["NEEDLE_PID"] != first["NEEDLE_PID"]
	same = ("MQTT_PORT", "MQTT_PASSWORD", "PG_DSN", "HTTP", "CONFIG", "BROKER_PID", "PG_PID")
	assert all(s.env["NEEDLE_" + n] == first["NEEDLE_" + n] for n in same)
	s.down()
	pids = [int(e[k]) for e in (first, s.env) for k in ("NEEDLE_PID", "NEEDLE_BROKER_PID", "NEEDLE_PG_PID")]
	assert all(gone(p) for p in pids)
	assert not os.path.exists(os.path.dirname(first["NEEDLE_CTL"])), "the folder of sockets is gone"
	assert glob.glob(s.path("*.log")), "data and logs stay"


def test_a_fresh_machine_gets_what_the_manual_pages_are_made_with(tmp_path):
	env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
	said = subprocess.run(["make", "-n", f"B={tmp_path}", "man"], cwd=ROOT, env=env, capture_output=True, text=True, check=True,
			      timeout=120).stdout.splitlines()
	first = next(i for i, line in enumerate(said) if "scdoc <" in line)
	assert any(line.split()[:1] == ["tests/stack/deps"] and "scdoc" in line.split() for line in said[:first])


def test_data_and_ports_are_the_same_after_down_and_up(own):
	s = own("s")
	s.up()
	first = dict(s.env)
	case = s.client("in-hotline").report("hotline", "x", {"id": "keep-1", "text": "留下来"})["case"]
	s.down()
	s.up()
	assert s.env["NEEDLE_PG_DSN"] == first["NEEDLE_PG_DSN"] and s.env["NEEDLE_HTTP"] == first["NEEDLE_HTTP"]
	assert s.db().value("select number from needle.v_case where report = 'keep-1'") == case
	assert s.client("in-hotline").report("hotline", "x", {"id": "keep-1", "text": "留下来"})["result"] == "duplicate"


def test_the_postgres_and_the_broker_of_a_stack_come_back_after_a_kill(own):
	s = own("s")
	s.up()
	daemon = s.pid()
	s.kill("postgres")
	s.kill("broker")
	s.up()
	assert s.pid() == daemon, "the daemon was left alone"
	assert s.client("in-hotline").report("hotline", "x", {"id": "after-1", "text": "又好了"}, bound=30)["result"] == "created"


def test_two_stacks_that_begin_at_the_same_moment_have_ports_of_their_own():
	loader = importlib.machinery.SourceFileLoader("stack", os.path.join(ROOT, "tests", "stack", "stack"))
	program = importlib.util.module_from_spec(importlib.util.spec_from_loader("stack", loader))
	loader.exec_module(program)
	def drawn():
		random.seed(1)
		return program.free_ports()
	assert drawn() != drawn()
