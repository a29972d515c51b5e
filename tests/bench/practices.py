"""What lists of practices cost: hot words over a million texts of a street."""
import os
import subprocess


def hotwords(figures, a):
	for _ in range(a.runs):
		done = subprocess.run([os.path.join(a.build, "bench", "hotwords"), "1000000"], capture_output=True, text=True, check=False)
		if done.returncode:
			raise AssertionError(f"hotwords: {done.returncode} {done.stderr[-500:]}")
		found = dict(line.split() for line in done.stdout.splitlines())
		figures.add("practices.hotwords_s", float(found["s"]), "s")
		figures.add("practices.hotwords_mib", float(found["mib"]), "MiB")
