-- What the bodies of a case ask of each other, and who else reported the same matter.
ALTER TABLE needle.cases
	ADD COLUMN errands   json,                  -- leave asked for, orders, consultations, next steps: core/life/case.h
	ADD COLUMN joined    json,                  -- further reporters of the same matter, each with an own rating
	ADD COLUMN urged     int4 NOT NULL DEFAULT 0, -- urges in its whole life, forwarded or not
	ADD COLUMN due_whole timestamptz;           -- the matter's own limit, from its receipt: no leg and no transfer moves it

-- Who complains about whom, who reports (as a keyed hash: the key is not in the database), and where the open case is
-- kept as a matter.
ALTER TABLE needle.cases
	ADD COLUMN accused text,                    -- department that learns nothing of the case
	ADD COLUMN person  text,                    -- of the first reporter
	ADD COLUMN score   int4 NOT NULL DEFAULT -1,-- of the first reporter in this leg: 0 satisfied … 2 dissatisfied, -1 none yet
	ADD COLUMN cells   text;                    -- a line a row of needle.matter; null when there is none

-- What open cases are known again by (并案): a row a case and cell, inserted and deleted, never changed, so that
-- the one index is all that a look-up needs. A cell is a category with a grid prefix or a square of positions.
CREATE TABLE needle.matter (
	tenant      text COLLATE "C" NOT NULL,
	cell        text COLLATE "C" NOT NULL,
	number      text COLLATE "C" NOT NULL,
	received_at timestamptz NOT NULL,
	grid        text,
	lat         float8,
	lon         float8,
	crs         text,
	place       text,                           -- masked
	text        text NOT NULL,                  -- masked, normalised, cut
	PRIMARY KEY (tenant, cell, number)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);

-- Cases that were closed and still hold personal data; a row goes when the case is anonymised.
CREATE TABLE needle.closed (
	tenant text COLLATE "C" NOT NULL,
	at     timestamptz NOT NULL,
	number text COLLATE "C" NOT NULL,
	PRIMARY KEY (tenant, at, number)
);
INSERT INTO needle.closed (tenant, at, number) SELECT tenant, closed_at, number FROM needle.cases WHERE closed_at IS NOT NULL;

-- Unknown members as a case that is not open may show them: names and numbers masked.
ALTER TABLE needle.report ADD COLUMN shown jsonb;
CREATE OR REPLACE VIEW needle.v_case AS
SELECT c.tenant, c.number, c.channel, c.report, c.state, c.lead, c.category, c.grid, c.urgency, c.title, c.place,
       c.received_at, c.due_accept, c.due_contact, c.due_resolve, c.due_feedback, c.leg, c.level, c.rule, c.config,
       c.joined_into, c.heat, c.visibility,
       CASE c.visibility WHEN 'open' THEN r.extra WHEN 'masked' THEN r.shown END AS extra, c.policy, c.route_source, c.supports, c.horizon, c.provisional,
       c.seq, c.returns, c.reports, c.resolved_at, c.closed_at, c.close_reason
FROM needle.cases c
LEFT JOIN needle.report r ON r.tenant = c.tenant AND r.channel = c.channel AND r.id = c.report;

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
