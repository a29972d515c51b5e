"""Streets at full speed, and the rates of one month over five million cases."""
import itertools
import os
import subprocess
import tempfile
import time

CASES, MONTHS = 5000000, 24
STORIES = (("practices.year_s", "xiaohongben", {"name": "销号率", "period": "2025", "is": ["1354", "1400"]}),
	   ("practices.express_s", "minqing-express", {"name": "办结率", "period": "2025", "is": ["4792", "5231"]}))


def play(figures, a, stack_of, name, story, rate):
	"""All that is done in a story, without its checks; the figure that it comes to is the proof that it was lived."""
	from scenarios.story import Telling, World
	telling = Telling(story)
	for _ in range(a.runs):
		with tempfile.TemporaryDirectory() as scratch:
			stack = stack_of(telling.folder(os.path.join(scratch, "config")))
			try:
				world = World(stack.up())
				world.go(telling.words["story"][0]["at"])
				since = time.monotonic()
				for step in telling.words["story"]:
					world.step({k: v for k, v in step.items() if k not in ("expect", "restart")})
				figures.add(name, time.monotonic() - since, "s")
				world.expect({"rate": rate})
			finally:
				stack.down()


def fill(db, note):
	"""A real case many times over; of each also the history's row of its rating, which some rates count by."""
	columns = [r["attname"] for r in db.all("SELECT attname FROM pg_attribute WHERE attrelid = 'needle.cases'::regclass"
						" AND attnum > 0 AND NOT attisdropped ORDER BY attnum")]
	at = f"timestamptz '2024-01-01 08:00+08' + n * interval '{MONTHS * 30.4 * 86400 / CASES:.4f} seconds'"
	new = {"number": "'AAA' || lpad(n::text, 12, '0')", "received_at": at, "rated": "CASE mod(n, 20) WHEN 0 THEN NULL WHEN 1 THEN "
	       "'dissatisfied' WHEN 2 THEN 'basically' ELSE 'satisfied' END", "grid": "'41010600300' || 1 + mod(n, 7) || '00' || 1 + mod(n, 7)",
	       "facts": "CASE mod(n, 20) WHEN 0 THEN 8193 ELSE 319 END + CASE WHEN mod(n, 100) = 1 THEN 1536 ELSE 0 END",
	       "lead": "(ARRAY['huanwei','chengguan','wuye','minsheng','gaizao'])[1 + mod(n, 5)]",
	       "category": "(ARRAY['环卫','城市管理','物业','民生保障','老旧小区'])[1 + mod(n, 5)]"}
	db.all("SET synchronous_commit = off")
	for since in range(0, CASES, 500000):
		db.all("INSERT INTO needle.cases SELECT " + ", ".join(new.get(c) or f'o."{c}"' for c in columns) +
		       f" FROM generate_series({since}, {since + 499999}) n, (SELECT * FROM needle.cases ORDER BY number DESC LIMIT 1) o")
		db.all("INSERT INTO needle.history (tenant, number, seq, at, kind, department, note) SELECT o.tenant, 'AAA' || lpad(n::text, 12, '0'),"
		       f" 9, {at} + interval '2 days', 'rated', 'huanwei', 'satisfied' FROM generate_series({since}, {since + 499999}) n,"
		       " (SELECT tenant FROM needle.cases LIMIT 1) o WHERE mod(n, 20) > 0")
		note(f"    {since + 500000} of {CASES} cases")
	db.all("VACUUM ANALYZE")


def rates(figures, a, stack_of, note):
	from scenarios.story import Telling, World
	with tempfile.TemporaryDirectory() as scratch:
		stack = stack_of(Telling("xiaohongben").folder(os.path.join(scratch, "config")))
		try:
			world = World(stack.up())
			world.report({"channel": "patrol", "text": "一件", "category": "环卫"})
			fill(world.db, note)
			for n, dim in itertools.product(range(a.runs), ("all", "department")):
				month = 3 + n
				since = time.monotonic()
				found = world.db.all("SELECT * FROM needle.rates(%s, %s, %s, %s)", stack.tenant, f"2025-{month:02d}-01 00:00+08",
						     f"2025-{month + 1:02d}-01 00:00+08", dim)
				seconds = time.monotonic() - since
				note(f"    {dim}: {seconds:.2f} s, {found[0]['denominator']} cases")
				assert found and found[0]["denominator"] > 0
				if dim == "all":
					figures.add("practices.rates_s", seconds, "s")
		finally:
			stack.down()


def practices(figures, a, note):
	from lib.stack import ROOT, Stack

	def stack_of(config):
		return Stack(os.path.join(ROOT, "build", "run", f"bench-practices-{os.getpid()}"), config=config, simulate="2025-01-02 08:00")
	for name, story, rate in STORIES:
		if figures.wanted(name):
			play(figures, a, stack_of, name, story, rate)
	if figures.wanted("practices.rates_s"):
		rates(figures, a, stack_of, note)


def hotwords(figures, a):
	"""A million texts of a street, three weeks of which one is the list's own."""
	for _ in range(a.runs):
		done = subprocess.run([os.path.join(a.build, "bench", "hotwords"), "1000000"], capture_output=True, text=True, check=False)
		if done.returncode:
			raise AssertionError(f"hotwords: {done.returncode} {done.stderr[-500:]}")
		found = dict(line.split() for line in done.stdout.splitlines())
		figures.add("practices.hotwords_s", float(found["s"]), "s")
		figures.add("practices.hotwords_mib", float(found["mib"]), "MiB")
