"""The same accident with and without a discipline that is switched off on purpose: it shows that the
count of losses can be other than 0."""
from lib.wait import wait_for
from load import Load
from verdict import quiet

# A stack of its own for each: a session that a broken daemon left behind must not help the other.
KILLS, RATE = 6, 300


def losses(stack, letter, env):
	"""Kills the daemon before its commits; the producer says everything once. What the broker has
	taken (PUBACK) must be in the database at the end."""
	load = Load(stack, RATE, resend=False, officers=False)
	load.start(letter)
	for n in range(KILLS):
		stack.kill()
		try:
			stack.up(env=dict(env, NEEDLE_FAULT=f"before-commit:{3 + n}"))
		except AssertionError as e:
			assert "has ended with -9" in str(e), e
		wait_for(lambda: not stack.running(), 20, "the end before a commit", every=0.01)
	stack.up()
	load.flowing = False
	wait_for(lambda: stack.ctl_json("status")["inbox"] == 0, 30, "an empty inbox")
	quiet(stack, load)
	load.close()
	stored = {r["id"] for r in stack.db().all("SELECT id FROM needle.report WHERE channel = 'patrol'")}
	handed = {k for k in load.handed_over if k[0] == letter}
	assert handed
	return len(handed - stored), len(handed)


def test_what_the_broker_took_is_stored_whatever_is_killed(stack, capsys):
	lost, handed = losses(stack, "d", {})
	with capsys.disabled():
		print(f"\nwith the discipline: {handed} handed over, {lost} lost")
	assert lost == 0


def test_without_the_discipline_the_same_test_finds_losses(stack, capsys):
	lost, handed = losses(stack, "u", {"NEEDLE_BREAK": "retire-before-commit"})
	with capsys.disabled():
		print(f"\ninbox retired before the commit: {handed} handed over, {lost} lost")
	assert lost > 0
