"""Migrations, views and statements against a real PostgreSQL."""
import glob
import os
import re
import shutil
import subprocess

import psycopg2
import pytest

from lib.daemon import Daemon
from lib.stack import ROOT
from lib.wait import wait_for

MIGRATIONS = sorted(os.path.basename(p) for p in glob.glob(os.path.join(ROOT, "schema", "[0-9]*.sql")))
VIEWS = {
	"v_case": "tenant number channel report state lead category grid urgency title place received_at due_accept due_contact "
		  "due_resolve leg level rule config joined_into heat visibility extra",
	"v_history": "tenant number seq at kind department by note",
	"v_queue": "tenant department number role state due_resolve card",
	"v_dead_letter": "tenant id at channel topic reason size",
}
TABLES = "report person cases leg history queue timer command dead_letter number_day config_version".split()


def save(path, text):
	with open(path, "w", encoding="utf-8") as f:
		f.write(text)


def schema_of(db):
	return db.all("""select table_name, column_name, data_type, is_nullable from information_schema.columns
			 where table_schema = 'needle' order by 1, 2""")


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_the_columns_that_the_contract_names(office, view):
	found = [r["column_name"] for r in schema_of(office.db) if r["table_name"] == view]
	assert set(VIEWS[view].split()) <= set(found)


def test_every_key_begins_with_the_tenant(office):
	keys = office.db.all("""select c.relname as table, i.relname as index, a.attname as first from pg_index x
		join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid
		join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'needle'
		join pg_attribute a on a.attrelid = c.oid and a.attnum = x.indkey[0] where c.relname <> 'schema_version'""")
	assert len(keys) >= len(TABLES) and {k["first"] for k in keys} == {"tenant"}, keys


def test_no_table_is_sampled_at_length(office):
	"""Reading thirty thousand rows of each table after every tenth of growth cost a fifth of the intake."""
	long = office.db.all("""select c.relname as table, a.attname as column from pg_class c join pg_attribute a on a.attrelid = c.oid
		where c.relnamespace = 'needle'::regnamespace and c.relkind = 'r' and c.relname <> 'schema_version'
		and a.attnum > 0 and not a.attisdropped and a.attstattarget < 0""")
	assert not long, "a migration ends with: SELECT needle.sample_few();"


def test_a_table_that_gets_rows_is_looked_at_before_autovacuum_comes(office):
	"""Until then the planner thinks that any index finds a row as well as its key."""
	office.db.all("alter table needle.subject set (autovacuum_enabled = false)")
	office.db.all("insert into needle.subject select 'other', n::text, now() from generate_series(1, 1000) n")
	wait_for(lambda: office.db.value("select reltuples from pg_class where oid = 'needle.subject'::regclass") >= 1000,
		 what="a look at the table")
	office.db.all("delete from needle.subject where tenant = 'other'")
	office.db.all("alter table needle.subject reset (autovacuum_enabled)")


def test_every_table_is_explained(office):
	with open(os.path.join(ROOT, "schema", "README.md"), encoding="utf-8") as f:
		text = f.read()
	tables = {r["table_name"] for r in schema_of(office.db)} - set(VIEWS)
	assert {t for t in tables if f"**{t}**" not in text and not t.startswith("v_")} == set()


def test_one_life_writes_every_table(office):
	"""The statements that are made from column tables are proved by what they wrote."""
	case = office.case("hotline", text="漏水，李某某13800000000", category="物业/漏水",
			   reporter={"name": "李某某", "phone": "13800000000"}, place={"address": "东门", "lat": 1.5, "lon": 2.5})
	office.done("wuye", case, "accept")
	office.done("wuye", case, "resolve", answer="修好了")
	office.say(case, "rate", "hotline", score="dissatisfied")
	assert office.report()["result"] == "dead"
	empty = [t for t in TABLES if not office.db.value(f"select count(*) from needle.{t}")]
	assert not empty
	office.say(case, "withdraw", "hotline")
	left = [t for t in ("queue", "timer") if office.db.all(f"select 1 from needle.{t} where number = %s", case)]
	assert not left
	office.witness.quiet()
	assert not office.db.all("select 1 from needle.outbox")


def queries():
	"""(file, name, SQL) of every constant statement of the programs, after the preprocessor."""
	for path in sorted(glob.glob(os.path.join(ROOT, "daemon", "*", "*.c"))):
		with open(path, encoding="utf-8") as f:
			if "struct query" not in f.read():
				continue
		text = subprocess.run(["gcc", "-E", "-P", "-std=gnu17", "-D_GNU_SOURCE", "-I" + os.path.join(ROOT, "daemon"),
				       "-I" + os.path.join(ROOT, "plugins"), "-I/usr/include/postgresql", path], check=True,
				      capture_output=True, text=True).stdout
		for declared in re.findall(r"struct query\s+\w+(?:\[\])?\s*=[^;]*(?:\"(?:[^\"\\]|\\.)*\"[^;\"]*)*;", text):
			for name, sql in re.findall(r'\{\s*"(\w+)",\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\}', declared):
				sql = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', sql)).replace('\\"', '"').replace("\\n", "\n")
				yield os.path.basename(path), name, sql


def test_every_statement_of_the_programs_can_be_prepared(office):
	found = list(queries())
	assert len(found) > 25 and {"outbox_scan", "known_reports", "drop_queue", "ctl_history"} <= {n for _, n, _ in found}
	names = [name for _, name, _ in found]
	assert len(set(names)) == len(names), "one connection may prepare all of them"
	bad = {}
	office.db.all("set search_path = needle")
	for file, name, sql in found:
		sql = re.sub(r"^DECLARE \w+ .*?CURSOR.*? FOR ", "", sql)         # SQL's PREPARE takes the query alone
		if re.match("BEGIN|COMMIT|FETCH", sql):
			continue
		try:
			office.db.all(f'prepare "{name}" as ' + sql.replace("%", "%%"))
		except psycopg2.Error as e:
			bad[file, name] = str(e).splitlines()[0]
	assert not bad


# ---- what a migration makes of rows that are there --------------------------------------------------

def migration(number):
	with open(glob.glob(os.path.join(ROOT, "schema", f"{number:03}_*.sql"))[0], encoding="utf-8") as f:
		return f.read()


def test_open_matters_from_before_are_known_again_and_forgotten_with_their_case(office):
	"""Up to schema 6 a case had a row a cell, with what it is known by; `cells` had a line for each."""
	said = {"category": "物业/漏水", "text": "幸福里901号楼楼道顶部一直漏水，墙皮已经脱落",
		"place": {"address": "幸福里901号楼", "grid": "410106003007012"}}
	case = office.case("hotline", **said)
	office.db.all("update needle.cases set cells = '物业/漏水 pgcj02173784,568120' || chr(10) || cells where number = %s", case)
	office.db.all("""drop table needle.matter;
		create table needle.matter (tenant text collate "C" not null, cell text collate "C" not null, number text collate "C" not null,
			received_at timestamptz not null, grid text, lat float8, lon float8, crs text, place text, text text not null,
			primary key (tenant, cell, number));
		insert into needle.matter (tenant, cell, number, received_at, grid, place, text)
			select tenant, string_to_table(cells, chr(10)), number, received_at, grid, 'x', 'x' from needle.cases
			where cells is not null and state not in ('resolved', 'closed', 'joined')""")
	rows = office.db.value("select count(*) from needle.matter")
	office.db.all("drop function needle.sample_few")
	office.db.all(migration(7))
	assert office.db.value("select count(*) from needle.matter") == rows
	assert office.db.value("select count(*) from needle.matter where number = %s", case) == 2
	receipt = office.report("wechat", **said)
	assert receipt["result"] == "joined" and receipt["case"] == case
	office.done("wuye", case, "accept")
	office.done("wuye", case, "resolve", answer="修好了")
	assert office.db.value("select count(*) from needle.matter where number = %s", case) == 0


@pytest.mark.parametrize("broken,says", (
	(lambda place: os.rename(place, place + "-away"), "cannot be read"),
	(lambda place: os.unlink(os.path.join(place, MIGRATIONS[1])), "should have number 002"),
	(lambda place: os.unlink(os.path.join(place, MIGRATIONS[-1])), f"goes to schema {len(MIGRATIONS) - 1}"),
	(lambda place: save(os.path.join(place, f"{len(MIGRATIONS) + 1:03}_more.sql"), "select 1;"), f"goes to schema {len(MIGRATIONS) + 1}"),
	(lambda place: [save(os.path.join(place, f"{i:03}_more.sql"), "select 1;") for i in range(len(MIGRATIONS) + 1, 200)], "goes to schema 199"),
), ids=("away", "a hole", "one too few", "one too many", "very many"))
def test_a_folder_of_other_migrations_is_refused_before_anything_is_done(office, tmp_path, broken, says):
	place = str(tmp_path / "schema")
	shutil.copytree(os.path.join(ROOT, "schema"), place)
	for name in ("README.txt", "01_x.sql", "001-x.sql", "0a1_x.sql", "00x_x.sql", "001_.sq", "001_x.sql~", "001_x.txt"):
		save(os.path.join(place, name), "no migration")
	broken(place)
	done = office.stack.ctl("migrate", "--schema", place)
	assert done.returncode == 1 and says in done.stderr, done
	assert office.db.value("select max(version) from needle.schema_version") == len(MIGRATIONS)


# ---- migrations: from here on the database is taken apart -------------------------------------------

def test_migrations_apply_on_an_empty_database_and_only_once(office):
	with Daemon(office.stack) as d:
		before = schema_of(office.db)
		office.db.all("drop schema needle cascade")
		assert d.start().end() == 78, "no schema: nothing that waiting would mend"
		assert "migrate" in office.stack.log()[-600:]
		assert office.stack.ctl("migrate", "--check").returncode == 1
		done = office.stack.ctl_json("migrate")
		assert done["applied"] == MIGRATIONS and done["current"] is True
		assert schema_of(office.db) == before
		assert office.stack.ctl("migrate", "--check").returncode == 0
		again = office.stack.ctl_json("migrate")
		assert again["applied"] == [] and again["version"] == len(MIGRATIONS)
		office.witness.events.clear()
		d.start().ready()
		office.case()
		assert d.stop() == 0


@pytest.mark.parametrize("text,says", (("", "is empty"), ("select 1; nonsense", "syntax error"), (None, "No such file"), (os.mkdir, "cannot be read")))
def test_a_migration_that_does_not_work_changes_nothing(office, tmp_path, text, says):
	place = str(tmp_path / "schema")
	shutil.copytree(os.path.join(ROOT, "schema"), place)
	if isinstance(text, str):
		save(os.path.join(place, MIGRATIONS[-1]), text)
	else:
		os.unlink(os.path.join(place, MIGRATIONS[-1]))
		(text or (lambda at: os.symlink("nowhere", at)))(os.path.join(place, MIGRATIONS[-1]))
	with Daemon(office.stack):
		office.db.all("drop schema needle cascade")
		done = office.stack.ctl("migrate", "--schema", place)
		assert done.returncode == 1 and says in done.stderr and MIGRATIONS[-1] in done.stderr, done
		assert office.db.value("select max(version) from needle.schema_version") == len(MIGRATIONS) - 1
		office.witness.events.clear()
		assert office.stack.ctl("migrate").returncode == 0
	office.case()


def test_two_who_migrate_at_once_do_no_harm(office):
	with Daemon(office.stack):
		office.db.all("drop schema needle cascade")
		office.witness.events.clear()
		env = dict(os.environ, **office.stack.env)
		argv = [os.path.join(office.stack.env["NEEDLE_BUILD"], "needlectl"), "migrate"]
		both = [subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL) for _ in range(2)]
		assert [p.wait(30) for p in both] == [0, 0]
		assert office.db.value("select count(*) from needle.schema_version") == len(MIGRATIONS)
	office.case()


@pytest.mark.parametrize("change,back", (
	("insert into needle.schema_version (version, name) values (999, 'from-the-future')",
	 "delete from needle.schema_version where version = 999"),
	("update needle.schema_version set version = 0 - version", "update needle.schema_version set version = 0 - version"),
))
def test_another_version_of_the_schema_is_refused(office, change, back):
	with Daemon(office.stack) as d:
		office.db.all(change)
		assert d.start().end() == 78
		assert "schema" in office.stack.log()[-600:]
		if "999" in change:
			assert office.stack.ctl("migrate").returncode not in (0, 2), "and is not made older"
		office.db.all(back)
		d.start().ready()
		assert d.stop() == 0
