"""A machine that lives in a zone with summer time: the office's hours are Shanghai's all the same, and a day has
24 hours. In New York the clocks go forward on 2026-03-08 at 15:00 of Shanghai, and back on 2026-11-01 at 14:00."""
import datetime

from lib.moments import go

STACK = {"simulate": "2026-03-08 09:00:00", "environment": {"TZ": "America/New_York"}}
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
MINUTE = datetime.timedelta(minutes=1)


def at(text):
	return datetime.datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def check_a_day_and_working_hours(office, morning):
	"""紧急: to be done within 24 hours; 普通: to be accepted within 4 working hours, done in 5 working days."""
	go(office, morning)
	urgent = office.report(text="井盖坏了", category="市政/井盖")
	assert urgent["due"]["resolve"] == (morning + datetime.timedelta(days=1)).isoformat()
	assert urgent["due"]["accept"] == (morning + 30 * MINUTE).isoformat()
	plain = office.report(text="天花板漏水", category="物业/漏水")
	row = office.row(plain["case"])
	for clock in ("accept", "resolve"):
		assert plain["due"][clock].endswith("+08:00") and row["due_" + clock] == datetime.datetime.fromisoformat(plain["due"][clock])
	due = at(urgent["due"]["resolve"][:19])
	go(office, due - MINUTE)
	assert not [e for e in office.events(urgent["case"], "overdue") if e["clock"] == "resolve"]
	go(office, due)
	event = office.event(urgent["case"], "overdue", clock="resolve")
	assert event["at"] == due.isoformat()
	return plain["due"]


def test_the_night_when_new_york_goes_to_summer_time(office):
	due = check_a_day_and_working_hours(office, at("2026-03-08 10:00"))      # a Sunday
	assert due["accept"] == "2026-03-09T14:00:00+08:00"             # 08:30 to 12:00, and half an hour
	assert due["resolve"] == "2026-03-13T17:30:00+08:00"


def test_the_night_when_new_york_goes_back(office):
	due = check_a_day_and_working_hours(office, at("2026-11-01 10:00"))      # a Sunday
	assert due["accept"] == "2026-11-02T14:00:00+08:00"
	assert due["resolve"] == "2026-11-06T17:30:00+08:00"
