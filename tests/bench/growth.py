"""What a ticket costs when many cases are open already, beside what it costs when none is."""
PARTS = ("gateway", "broker", "database")
HOURS_S = 36000                         # --count ends a load
SAVED_S = 61                            # within which the broker writes all its cards once (autosave_interval)


def measure(place, a, closed, describe, found, state):
	"""As fast as it goes, and at 1,000 a second: what the office does beside its tickets is a larger part of that."""
	result = closed(place, a)
	found["full", state] = result, describe(result)
	result = place.load("--warmup", 3, "--seconds", max(a.duration, SAVED_S), "--rate", 1000)
	place.verify()
	found["1000", state] = result, describe(result)


def open_cases(figures, a, new_place, closed, describe, note):
	"""Twice on the same stack. Between, cases come by the intake until a.many are open: with cards, limits, outbox and
	all that they are known again by, as an office has them."""
	for _ in range(a.runs):
		found = {}
		with new_place() as place:
			measure(place, a, closed, describe, found, "none")
			note(f"    {place.sent} are open; until it is {a.many} …")
			place.load("--warmup", 0, "--seconds", HOURS_S, "--count", max(a.many - place.sent, 1), "--open", a.open)
			place.db.all("VACUUM ANALYZE")
			measure(place, a, closed, describe, found, "many")
		figures.add("open.rate_ratio", found["full", "many"][0]["per_s"] / found["full", "none"][0]["per_s"], "")
		for state in ("none", "many"):
			for what in ("p99_ms", "max_ms"):
				figures.add(f"open.{what}_1000.{state}", found["1000", state][0][what], "ms")
			for load in ("full", "1000"):
				for part in PARTS:
					figures.add(f"open.cpu_us_{load}.{state}.{part}", found[load, state][1][part], "us")
