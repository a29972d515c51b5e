-- What is drawn from pools of money, hours, places; the plans of projects; how far talk has been forgotten.

-- The office's pools as its configuration at work defines them.
CREATE TABLE needle.pool (
	tenant text COLLATE "C" NOT NULL,
	name   text COLLATE "C" NOT NULL,
	place  int4 NOT NULL,                       -- the order in which they stand
	unit   text NOT NULL,
	amount int8 NOT NULL,
	since  timestamptz, until timestamptz,      -- half-open; null: for ever
	PRIMARY KEY (tenant, name)
);
-- By which channel projects come in, and what they draw on.
CREATE TABLE needle.project_source (
	tenant  text COLLATE "C" NOT NULL,
	channel text COLLATE "C" NOT NULL,
	pool    text COLLATE "C",
	PRIMARY KEY (tenant, channel)
);

-- What was spent on cases: entries are added and never changed, also those that were refused (`refused`: why). What was wrong is taken back
-- by an entry below zero.
CREATE TABLE needle.spending (
	tenant  text COLLATE "C" NOT NULL,
	id      int8 GENERATED ALWAYS AS IDENTITY,
	number  text COLLATE "C" NOT NULL,
	pool    text COLLATE "C",                   -- null: out of the project's budget alone
	amount  int8 NOT NULL,
	at      timestamptz NOT NULL,
	source  text COLLATE "C" NOT NULL,          -- report/CHANNEL/ID, command/DEPARTMENT/REQUEST
	refused text,
	PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX spending_once ON needle.spending (tenant, source);
CREATE INDEX spending_case ON needle.spending (tenant, number);
CREATE INDEX spending_pool ON needle.spending (tenant, pool, at);
CREATE TRIGGER spending_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON needle.spending
	FOR EACH STATEMENT EXECUTE FUNCTION needle.refuse_change();
-- What supplements have said until now.
INSERT INTO needle.spending (tenant, number, amount, at, source)
	SELECT tenant, number, (extra ->> 'spent')::int8, received_at, 'report/' || channel || '/' || id FROM needle.report
	WHERE kind = 'supplement' AND number IS NOT NULL AND extra ->> 'spent' ~ '^[0-9]{1,12}$' ORDER BY received_at;

-- What was spent on a case in one unit (`p_like`: its pools), and what was drawn from a pool; whoever draws on the same pool waits until this transaction is over.
CREATE FUNCTION needle.spent(p_tenant text, p_number text, p_pool text, p_like text[], OUT of_case int8, OUT of_pool int8) LANGUAGE plpgsql AS $$
BEGIN
	IF p_pool IS NOT NULL THEN
		PERFORM pg_advisory_xact_lock(hashtextextended(p_tenant || '/' || p_pool, 8));
	END IF;
	of_case := (SELECT coalesce(sum(s.amount), 0) FROM needle.spending s WHERE s.tenant = p_tenant AND s.number = p_number AND s.refused IS NULL
		AND (s.pool IS NULL OR s.pool = ANY(p_like)));
	of_pool := (SELECT coalesce(sum(s.amount), 0) FROM needle.spending s WHERE s.tenant = p_tenant AND s.pool = p_pool AND s.refused IS NULL);
END $$;

CREATE VIEW needle.v_spending AS SELECT tenant, id, number, pool, amount, at, source, refused FROM needle.spending;
CREATE VIEW needle.v_pool AS
SELECT p.tenant, p.name, p.place, p.unit, p.amount, p.since, p.until, coalesce(s.spent, 0)::int8 AS spent, (p.amount - coalesce(s.spent, 0))::int8 AS remaining,
       coalesce(s.cases, 0)::int8 AS cases, coalesce(s.refused, 0)::int8 AS refused
FROM needle.pool p LEFT JOIN (SELECT tenant, pool, sum(amount) FILTER (WHERE refused IS NULL) AS spent, count(DISTINCT number) FILTER (WHERE refused IS NULL) AS cases,
		count(*) FILTER (WHERE refused IS NOT NULL) AS refused FROM needle.spending GROUP BY 1, 2) s ON s.tenant = p.tenant AND s.pool = p.name;

-- What was said of projects, with names, phones and ids masked. The newest word counts.
CREATE VIEW needle.project_word AS
SELECT r.tenant, r.number, r.received_at, r.id, r.shown, p.pool AS usual_pool,
       CASE WHEN r.extra ->> 'budget' ~ '^[0-9]{1,12}$' THEN (r.extra ->> 'budget')::int8 END AS budget
FROM needle.project_source p JOIN needle.report r ON r.tenant = p.tenant AND r.channel = p.channel AND r.number IS NOT NULL
	AND r.kind IN ('report', 'supplement') AND r.shown IS NOT NULL
JOIN needle.cases c ON c.tenant = r.tenant AND c.number = r.number AND c.visibility <> 'sealed';
-- The plan: stages in their order, when each was planned and when it was done. Days are texts as they were written, so that no odd one breaks the view.
CREATE VIEW needle.v_stage AS
WITH plan AS (SELECT DISTINCT ON (tenant, number) tenant, number, shown -> 'stages' AS stages FROM needle.project_word
	WHERE jsonb_typeof(shown -> 'stages') = 'array' ORDER BY tenant, number, received_at DESC, id DESC),
done AS (SELECT DISTINCT ON (tenant, number, shown ->> 'stage') tenant, number, shown ->> 'stage' AS stage, shown ->> 'effect' AS effect,
	CASE WHEN shown ->> 'done' ~ '^\d{4}-\d{2}-\d{2}$' THEN shown ->> 'done' ELSE to_char(received_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD') END AS done
	FROM needle.project_word WHERE shown ? 'stage' ORDER BY tenant, number, shown ->> 'stage', received_at DESC, id DESC)
SELECT p.tenant, p.number, s.place::int4 AS place, s.v ->> 'stage' AS stage, s.v ->> 'planned' AS planned, d.done, coalesce(d.effect, s.v ->> 'effect') AS effect,
       CASE WHEN s.v ->> 'planned' ~ '^\d{4}-\d{2}-\d{2}$' THEN d.done > s.v ->> 'planned' END AS late
FROM plan p CROSS JOIN LATERAL jsonb_array_elements(p.stages) WITH ORDINALITY AS s(v, place)
LEFT JOIN done d ON d.tenant = p.tenant AND d.number = p.number AND d.stage = s.v ->> 'stage' WHERE jsonb_typeof(s.v) = 'object';
CREATE VIEW needle.v_project AS
WITH said AS (SELECT tenant, number, (array_agg(budget ORDER BY received_at DESC, id DESC) FILTER (WHERE budget IS NOT NULL))[1] AS budget,
	(array_agg(shown ->> 'effect' ORDER BY received_at, id) FILTER (WHERE shown ? 'effect'))[1] AS effect,
	coalesce((array_agg(shown ->> 'pool' ORDER BY received_at, id) FILTER (WHERE shown ? 'pool'))[1], min(usual_pool)) AS pool FROM needle.project_word GROUP BY 1, 2)
SELECT c.tenant, c.number, c.channel, c.title, c.category, c.lead, c.state, c.rated, c.leg, c.received_at, c.due_resolve, c.resolved_at, c.closed_at,
       w.effect, o.name AS pool, w.budget, coalesce(s.spent, 0)::int8 AS spent
FROM needle.project_source p JOIN needle.cases c ON c.tenant = p.tenant AND c.channel = p.channel AND c.visibility <> 'sealed'
LEFT JOIN said w ON w.tenant = c.tenant AND w.number = c.number
LEFT JOIN needle.pool o ON o.tenant = w.tenant AND o.name = w.pool
LEFT JOIN LATERAL (SELECT sum(x.amount) AS spent FROM needle.spending x LEFT JOIN needle.pool l ON l.tenant = x.tenant AND l.name = x.pool
	WHERE x.tenant = c.tenant AND x.number = c.number AND x.refused IS NULL AND coalesce(l.unit, o.unit, '元') = coalesce(o.unit, '元')) s ON true;

-- How far the words of talk have been forgotten (`privacy.retain`).
CREATE TABLE needle.forgotten (
	tenant text COLLATE "C" PRIMARY KEY,
	talk   timestamptz NOT NULL                 -- all that came before
);

SELECT needle.sample_few();
