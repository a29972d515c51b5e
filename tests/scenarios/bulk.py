"""The ordinary days of a year: many items along a few paths, so that the numbers of an article come out exactly.

	many:
	  seed: 1                              the same seed, the same year
	  items: 1392
	  from: 2026-01-05                     reports come on these days …
	  until: 2026-11-30
	  every: 3                             … every third one
	  hour: "09:00"
	  report: {channel: patrol, text: …}   what all have in common; {n} is the item's number
	  grids: [410106003001001, …]          one each, in turn; or `all` of the folder's
	  kinds: {环卫/垃圾: 300, …}            categories with how many of each: together the items
	  paths:                               together the items
	    满意: {items: 1340, steps: [{after: 20 m, do: accept}, {after: 2 h, do: resolve, answer: 已办}, {after: 1 d, rate: satisfied}]}

	visits: {inspection: safety}         instead of report, grids, kinds: the visits that the register has brought, site by site;
	                                     a path with `parts: {育才社区: 12}` takes the first so many of each community
The lead department of the receipt acts, unless a step names `dept`. All that happens at one instant is sent together; nothing
is sent before what was sent at the instant before has been answered.
"""
import csv
import datetime
import heapq
import os
import random

UNITS = {"m": 1, "h": 60, "d": 1440}


def minutes(text):
	number, unit = text.split()
	return int(number) * UNITS[unit]


def grids(world, words):
	if words != "all":
		return words
	with open(os.path.join(world.stack.env["NEEDLE_CONFIG"], "grids.csv"), encoding="utf-8") as f:
		return [row["grid"] for row in csv.DictReader(f)]


def spread(counts, total, what, chance):
	"""One word an item, as many of each as they should be, shuffled."""
	words = [word for word, n in counts.items() for _ in range(int(n))]
	if len(words) != total:
		raise ValueError(f"many: {what} are {len(words)}, the items {total}")
	chance.shuffle(words)
	return words


def visits(world, words):
	"""The open visits as items, and of each the path that its community has left."""
	rows = world.db.all("""select i.number, i.community, c.lead from needle.v_inspection i join needle.v_case c using (tenant, number)
		where i.inspection = %s and c.state = 'assigned' order by i.site""", words["visits"]["inspection"])
	left = {name: {part: int(n) for part, n in p["parts"].items()} for name, p in words["paths"].items() if "parts" in p}
	rest = next(name for name, p in words["paths"].items() if "parts" not in p)
	items, paths = [], []
	for n, row in enumerate(rows):
		path = next((name for name, parts in left.items() if parts.get(row["community"], 0) > 0), rest)
		if path != rest:
			left[path][row["community"]] -= 1
		items.append({"n": n, "case": row["number"], "lead": row["lead"], "talk": False})
		paths.append(path)
	return items, paths


def plan_visits(world, words):
	items, paths = visits(world, words)
	if len(items) != int(words["items"]):
		raise ValueError(f"many: {len(items)} visits, not {words['items']}")
	start = datetime.datetime.fromisoformat(world.now()).replace(tzinfo=None)
	acts = []
	for n, (item, path) in enumerate(zip(items, paths)):
		at = start + datetime.timedelta(days=n * int(words.get("days", 1)) // len(items))
		for step in words["paths"][path]["steps"]:
			at += datetime.timedelta(minutes=minutes(step["after"]))
			acts.append((at, len(acts), item, step))
	heapq.heapify(acts)
	return acts


def plan(world, words):
	"""(minute, order, item) of every act; an act is (item, step), step None: the report."""
	chance, total = random.Random(int(words.get("seed", 1))), int(words["items"])
	first, last = (datetime.date.fromisoformat(words[k]) for k in ("from", "until"))
	days = [first + datetime.timedelta(n) for n in range(0, (last - first).days + 1, int(words.get("every", 1)))]
	hour = datetime.time.fromisoformat(words.get("hour", "09:00"))
	places = grids(world, words["grids"]) if "grids" in words else [None]
	kinds = spread(words["kinds"], total, "kinds", chance)
	paths = spread({name: p["items"] for name, p in words["paths"].items()}, total, "paths", chance)
	acts, order = [], 0
	for n in range(total):
		at = datetime.datetime.combine(days[n * len(days) // total], hour)
		item = {"n": n, "kind": kinds[n], "grid": places[n % len(places)], "case": None, "talk": words["report"].get("kind") == "talk"}
		acts.append((at, order, item, None))
		for step in words["paths"][paths[n]]["steps"]:
			at += datetime.timedelta(minutes=minutes(step["after"]))
			order += 1
			acts.append((at, order, item, step))
		order += 1
	heapq.heapify(acts)
	return acts


def report_of(words, item):
	report = {k: v.format(n=item["n"] + 1) if isinstance(v, str) else v for k, v in words["report"].items()}
	# Words of its own: what reads alike from one place would be taken for one matter.
	own = random.Random(f"{words.get('prefix', 'm')}{item['n']}")
	if "texts" not in words:
		report["text"] += "".join(chr(0x4e00 + own.randrange(5000)) for _ in range(40))
	report["id"] = f"{words.get('prefix', 'm')}-{item['n'] + 1}"
	report["category"] = item["kind"]
	if "texts" in words:                    # one each, in turn
		report["text"] = words["texts"][item["n"] % len(words["texts"])]
	if item["grid"]:
		report["grid"] = item["grid"]
	return report


def send(world, words, item, step):
	"""Returns (id, item, step)."""
	if step is None:
		return world.send_report(report_of(words, item)), item, step
	more = {k: v for k, v in step.items() if k not in ("after", "do", "rate", "tell", "dept")}
	if "do" in step:
		return world.send_command(dict(more, dept=step.get("dept", item["lead"]), case=item["case"], action=step["do"])), item, step
	kind = {"kind": "rate", "score": step["rate"]} if "rate" in step else {"kind": step["tell"]}
	channel = words["report"]["channel"] if "report" in words else words["visits"]["channel"]
	return world.send_report(dict(more, **kind, channel=channel, case=item["case"])), item, step


def settle(world, sent):
	answers = world.wait_answers([i for i, _, _ in sent])
	for (_, item, step), answer in zip(sent, answers):
		if step is None:
			if answer["result"] != "created" and not (item["talk"] and answer["result"] == "updated"):
				raise AssertionError(f"item {item['n']}: {answer}")
			item.update(case=answer.get("case"), lead=answer.get("department"))
		elif answer["result"] not in ("done", "updated"):
			raise AssertionError(f"item {item['n']}, {step}: {answer}")
		world.answers.pop(answer.get("id") or answer.get("request"), None)


def live(world, words):
	acts, messages = (plan_visits if "visits" in words else plan)(world, words), 0
	stop = world.settle()["next"]
	while acts:
		at, sent = acts[0][0], []
		now = at.isoformat() + "+08:00"
		if stop and stop <= now:                # lists and visits fall due on the way
			stop = world.go(now)["next"]
		else:
			world.control.ask({"set": now})
		while acts and acts[0][0] == at:
			_, _, item, step = heapq.heappop(acts)
			sent.append(send(world, words, item, step))
		messages += len(sent)
		settle(world, sent)
	return {"items": int(words["items"]), "messages": messages}
