"""How much of each accident: a little inside `make test`, all of it in `make torture`."""
import os

FULL = bool(os.environ.get("NEEDLE_TORTURE"))


def scale(short, full):
	return full if FULL else short
