"""Figures of rules, deadlines and replay: what an office with many rules, or a long history, would feel."""
import json
import os
import shutil
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
DEMO = os.path.join(os.path.dirname(os.path.dirname(HERE)), "config", "demo")
REPORTS = 100000
TEXTS = ["楼道一股煤气味，请尽快来人处理，已经好几天了", "半夜还在装修，噪声扰民，孩子睡不着觉", "天花板漏水", "幸福里3号楼前井盖破损，有老人差点摔倒",
	 "垃圾箱满了没人收，夏天味道很大", "楼前两辆僵尸车占道很久了", "咨询一下老年证怎么办理", "小区电梯又坏了，老人上不了楼"]
CATEGORIES = ["公用/供气", "城管/噪声", "物业/漏水", "市政/井盖", "环卫/垃圾", "城管/占道", None, "物业/电梯"]
FILL = """
INSERT INTO needle.report (tenant, channel, id, number, kind, source, at, received_at, text, category, grid, digest)
SELECT %(tenant)s, (ARRAY['hotline', 'wechat', 'patrol', 'letter'])[1 + i %% 4], 'old-' || i, 'JYL26' || lpad(i::text, 13, '0'), 'report', 's',
       t, t, (%(texts)s)[1 + i %% 8], (%(categories)s)[1 + i %% 8], '41010600300' || (1 + i %% 7) || '001', decode(md5(i::text), 'hex')
FROM (SELECT i, now() - i * interval '1 minute' AS t FROM generate_series(1, %(n)s) i) x;
INSERT INTO needle.cases (tenant, number, channel, source, report, state, lead, told, seq, urgency, visibility, route_source, config, policy,
			  leg, leg_at, level, provisional, reports, returns, heat, urges, urge_day, dissatisfied, received_at, met_resolve, closed_at)
SELECT tenant, number, channel, source, id, 'closed', 'wuye', '{}', 3, 'normal', 'masked', 'category', 'x', '普通', 1, received_at, 0, false,
       1, 0, 0, 0, 0, 0, received_at, received_at + interval '3 days', received_at + interval '5 days'
FROM needle.report WHERE id LIKE 'old-%%';
ANALYZE needle.report, needle.cases;
"""


def probe(build, *words):
	with tempfile.TemporaryDirectory() as folder:
		shutil.copytree(DEMO, folder, dirs_exist_ok=True)
		for name in os.listdir(os.path.join(folder, "tests")):      # they name rules that are not there now
			os.unlink(os.path.join(folder, "tests", name))
		path = os.path.join(folder, "needle.yaml")
		with open(path, encoding="utf-8") as f:
			lines = [line for line in f if not line.startswith("tests:")]
		with open(path, "w", encoding="utf-8") as f:
			f.writelines(lines)
		done = subprocess.run([os.path.join(build, "bench", "rules"), folder, *map(str, words)], capture_output=True, text=True, check=False)
	if done.returncode:
		raise AssertionError(f"rules: {done.stderr[-2000:]}")
	return json.loads(done.stdout)


def rules(figures, a):
	"""2,000 rules with 10,000 keywords, and how a decision grows from 300 keywords to 10,000."""
	for _ in range(a.runs):
		small, middle, large = (probe(a.build, n, 5 * n) for n in (60, 500, 2000))
		figures.add("rules.load_check_ms", large["load_check_ms"], "ms")
		figures.add("rules.rss_mib", large["rss_mib"], "MiB")
		figures.add("rules.decision_us", large["decision_us"], "us")
		figures.add("rules.decision_us_60", small["decision_us"], "us")
		figures.add("rules.decision_us_500", middle["decision_us"], "us")
		figures.add("rules.growth_ratio", large["decision_us"] / small["decision_us"], "")


def deadline(figures, a):
	for _ in range(a.runs):
		figures.add("deadline.us", probe(a.build)["deadline_us"], "us")


def replay(figures, a):
	"""A hundred thousand stored reports through changed rules, on a stack of its own."""
	os.environ["NEEDLE_BUILD"] = a.build
	from lib.stack import ROOT, Stack               # reads NEEDLE_BUILD when it is imported
	stack = Stack(os.path.join(ROOT, "build", "run", f"bench-replay-{os.getpid()}"), config=DEMO)
	try:
		stack.up()
		with stack.db().connection.cursor() as cursor:
			cursor.execute(FILL, {"tenant": stack.tenant, "texts": TEXTS, "categories": CATEGORIES, "n": REPORTS})
		new = shutil.copytree(stack.env["NEEDLE_CONFIG"], stack.path("new"))
		path = os.path.join(new, "rules.yaml")
		with open(path, encoding="utf-8") as f:
			text = f.read()
		with open(path, "w", encoding="utf-8") as f:
			f.write(text.replace("rules:\n", "rules:\n  - id: 电梯困人\n    when: {text: {any: [电梯]}}\n    then: {dept: yingji}\n", 1))
		for _ in range(a.runs):
			since = time.monotonic()
			done = stack.ctl("replay", "--since", "100 自然日", "-c", new, "--format", "json", bound=300)
			seconds = time.monotonic() - since
			said = json.loads(done.stdout)
			if said["total"] != REPORTS or said["same"] != REPORTS - REPORTS // 8:
				raise AssertionError(f"replay: {said['total']} reports, {said['same']} the same")
			figures.add("replay.s_per_100k", seconds * 100000 / REPORTS, "s")
	finally:
		stack.down()
