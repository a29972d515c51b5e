"""Waiting with a bound."""
import time


def wait_for(fn, bound=10.0, what="", every=0.02):
	"""Polls fn until it returns something true, and returns that. Exceptions of fn are for real.
	After `bound` seconds it fails and says what the last answer was."""
	until = time.monotonic() + bound
	while True:
		value = fn()
		if value:
			return value
		if time.monotonic() > until:
			name = what or getattr(fn, "__name__", "the condition")
			raise AssertionError(f"waited {bound:g} s for {name}; last: {value!r}")
		time.sleep(every)
