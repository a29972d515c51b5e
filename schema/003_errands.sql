-- What the bodies of a case ask of each other, and who else reported the same matter.
ALTER TABLE needle.cases
	ADD COLUMN errands   json,                  -- leave asked for, orders, consultations, next steps: core/life/case.h
	ADD COLUMN joined    json,                  -- further reporters of the same matter, each with an own rating
	ADD COLUMN urged     int4 NOT NULL DEFAULT 0, -- urges in its whole life, forwarded or not
	ADD COLUMN due_whole timestamptz;           -- the matter's own limit, from its receipt: no leg and no transfer moves it

-- Which limits are to be counted anew when a year's calendar comes. A case of this kind is rare, and a limit that
-- was counted once is not changed by what happens to the case: no other update touches the index.
CREATE INDEX cases_basis ON needle.cases (tenant, number) WHERE basis IS NOT NULL;

-- Five kinds of late, kept apart: one row a leg and kind. A limit that passed unmet is late as well.
CREATE VIEW needle.v_late AS
SELECT l.tenant, l.number, l.leg, l.department, k.late, k.due, k.met
FROM (
	SELECT tenant, number, leg, lead AS department, (state = 'closed') AS over, closed_at AS ended_at, coalesce(fired::jsonb, '[]') AS fired,
	       due_accept, due_contact, due_resolve, due_feedback, met_accept, met_contact, met_resolve, met_feedback
	FROM needle.cases
	UNION ALL
	SELECT tenant, number, leg, department, true, ended_at, '[]',
	       due_accept, due_contact, due_resolve, due_feedback, met_accept, met_contact, met_resolve, met_feedback
	FROM needle.leg
) l
CROSS JOIN LATERAL (VALUES
	('accepted',  due_accept,   met_accept,   'overdue accept'),
	('contacted', due_contact,  met_contact,  'overdue contact'),
	('closed',    due_resolve,  met_resolve,  NULL),
	('open',      CASE WHEN met_resolve IS NULL THEN due_resolve END, NULL, 'overdue resolve'),
	('fed_back',  due_feedback, met_feedback, 'overdue feedback')
) k(late, due, met, said)
WHERE k.met > k.due OR (k.met IS NULL AND k.due IS NOT NULL AND k.said IS NOT NULL
			AND (l.fired ? k.said OR (l.over AND l.ended_at > k.due)));
