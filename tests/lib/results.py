"""What a run of pytest has left in its --junitxml file."""
import collections
import xml.etree.ElementTree as xml


def counts(path):
	"""passed, failed, and why others were left out: reason → how many."""
	found = xml.parse(path).getroot().find("testsuite")
	left_out = collections.Counter((skipped.get("message") or "no reason given").splitlines()[0] for skipped in found.iter("skipped"))
	bad = int(found.get("failures")) + int(found.get("errors"))
	return int(found.get("tests")) - bad - left_out.total(), bad, left_out


def tell(left_out):
	for why, n in sorted(left_out.items()):
		print(f"{n} left out: {why}", flush=True)
