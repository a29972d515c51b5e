"""A configuration folder of a test's own: the demo, and what the test needs otherwise."""
import os
import shutil

from lib.stack import ROOT


def edit(path, of):
	"""Writes what `of` makes of the file's text. A change that changes nothing is a mistake in the test."""
	with open(path, encoding="utf-8") as f:
		before = f.read()
	after = of(before)
	assert after != before, f"{path}: nothing to change there"
	with open(path, "w", encoding="utf-8") as f:
		f.write(after)


def demo(at, changes=(), files=()):
	"""The demo's copy below `at`. changes: {file: text → text}; files: {file: text}, written anew."""
	place = os.path.join(at, "office")
	shutil.copytree(os.path.join(ROOT, "config", "demo"), place)
	for name, of in dict(changes).items():
		edit(os.path.join(place, name), of)
	for name, text in dict(files).items():
		with open(os.path.join(place, name), "w", encoding="utf-8") as f:
			f.write(text)
	return place


def includes(name):
	"""A change of needle.yaml: one file more."""
	return lambda text: text.replace("calendars.yaml]", f"calendars.yaml, {name}]")


def adds(lines):
	return lambda text: text + lines


def edit_running(stack, name, of):
	"""In the folder that the stack's daemon reads; a reload makes it count."""
	edit(os.path.join(stack.env["NEEDLE_CONFIG"], name), of)
