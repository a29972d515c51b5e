-- What is counted, how, and what was published of it; things that happen again and again.

-- What can be counted of a case is one number of bits (daemon/core/statistics/facts.h); bits that stay once they are there
-- stand above the others. The day on which a case came never changes: to index it costs no update anything.
ALTER TABLE needle.cases
	ADD COLUMN facts   int8 NOT NULL DEFAULT 0,
	ADD COLUMN rated   text,                    -- the last rating, whoever gave it
	ADD COLUMN officer text;                    -- who acted last for the lead
CREATE INDEX cases_received ON needle.cases (tenant, received_at);

-- Cases by the day on which they were resolved, rated, struck off. Of append-only rows, so nothing indexed changes.
CREATE INDEX history_done ON needle.history (tenant, kind, at) WHERE kind IN ('resolved', 'rated', 'closed');

-- Cases that are there already: as far as their rows still tell.
UPDATE needle.cases c SET
	rated = (SELECT substring(h.note FROM '^(satisfied|basically|dissatisfied)') FROM needle.history h
	         WHERE h.tenant = c.tenant AND h.number = c.number AND h.kind = 'rated' ORDER BY h.seq DESC LIMIT 1),
	officer = (SELECT h.by FROM needle.history h WHERE h.tenant = c.tenant AND h.number = c.number
	           AND h.kind IN ('accepted', 'contacted', 'resolved') AND h.by IS NOT NULL ORDER BY h.seq DESC LIMIT 1),
	facts = (c.met_accept IS NOT NULL)::int::int8
	      | (coalesce(c.met_accept <= coalesce(c.due_accept, 'infinity'), false))::int::int8 << 1
	      | (c.met_contact IS NOT NULL)::int::int8 << 2
	      | (coalesce(c.met_contact <= coalesce(c.due_contact, 'infinity'), false))::int::int8 << 3
	      | (c.met_resolve IS NOT NULL AND c.state IN ('resolved', 'closed'))::int::int8 << 4
	      | (coalesce(c.met_resolve <= coalesce(c.due_resolve, 'infinity'), false) AND c.state IN ('resolved', 'closed'))::int::int8 << 5
	      | (c.met_feedback IS NOT NULL)::int::int8 << 6
	      | (coalesce(c.met_feedback <= coalesce(c.due_feedback, 'infinity'), false))::int::int8 << 7
	      | (c.state = 'closed' AND coalesce(c.close_reason, '') NOT IN ('withdrawn', 'rejected'))::int::int8 << 8
	      | (c.leg > 1)::int::int8 << 9
	      | (c.leg > 1 OR c.reports > 1 OR c.heat > 0)::int::int8 << 10
	      | (c.state = 'joined')::int::int8 << 11
	      | (c.returns > 0)::int::int8 << 12
	      | (c.state IN ('received', 'triage', 'assigned', 'accepted', 'suspended'))::int::int8 << 13
	      | (c.state = 'closed' AND c.close_reason = 'withdrawn')::int::int8 << 14
	      | (c.state = 'closed' AND c.close_reason = 'rejected')::int::int8 << 15
	      | (c.state = 'suspended')::int::int8 << 16
	      | (c.state = 'closed' AND c.close_reason = 'unrated')::int::int8 << 17
	      | coalesce((SELECT bit_or(CASE
			WHEN h.kind = 'overdue' AND h.note = 'resolve' THEN 1::int8 << 22
			WHEN h.kind = 'supervised' THEN 1::int8 << 27
			WHEN h.kind = 'escalated' THEN 1::int8 << 28
			WHEN h.kind = 'urged' THEN 1::int8 << 35
			WHEN h.kind = 'rated' AND h.note LIKE 'dissatisfied%' THEN 1::int8 << 36
			WHEN h.kind = 'transferred' THEN 1::int8 << 37 ELSE 0 END)
		FROM needle.history h WHERE h.tenant = c.tenant AND h.number = c.number), 0)
	      | coalesce((SELECT bit_or(
			(l.met_accept > l.due_accept)::int::int8 << 23 | (l.met_contact > l.due_contact)::int::int8 << 24
			| (l.met_resolve > l.due_resolve)::int::int8 << 25) FROM (
				SELECT met_accept, due_accept, met_contact, due_contact, met_resolve, due_resolve FROM needle.leg g
				WHERE g.tenant = c.tenant AND g.number = c.number
				UNION ALL SELECT c.met_accept, c.due_accept, c.met_contact, c.due_contact, c.met_resolve, c.due_resolve) l), 0);

-- The office's rates as its configuration at work defines them.
CREATE TABLE needle.rate (
	tenant    text COLLATE "C" NOT NULL,
	name      text COLLATE "C" NOT NULL,
	place     int4 NOT NULL,                    -- the order in which they stand
	of        text NOT NULL,                    -- received, resolved, rated, closed
	fewer     bool NOT NULL,                    -- is less better?
	formula   text NOT NULL,
	num_all   int8 NOT NULL, num_any int8 NOT NULL, num_none int8 NOT NULL,
	num_names json,                             -- {"channel": […], "category": […] …}
	den_all   int8 NOT NULL, den_any int8 NOT NULL, den_none int8 NOT NULL,
	den_names json,
	PRIMARY KEY (tenant, name)
);
-- Which community a grid lies in: grids.csv.
CREATE TABLE needle.grid (
	tenant    text COLLATE "C" NOT NULL,
	code      text COLLATE "C" NOT NULL,
	community text NOT NULL,
	PRIMARY KEY (tenant, code)
);
-- Things that happen again and again: lists to make, sites to visit. `last_at` moves in the transaction that does it.
CREATE TABLE needle.series (
	tenant    text COLLATE "C" NOT NULL,
	name      text COLLATE "C" NOT NULL,        -- report/weekly, public/closed, inspection/shops/A
	spec      text NOT NULL,                    -- as it was configured; another one begins anew
	began_at  timestamptz NOT NULL,
	last_at   timestamptz NOT NULL,             -- of the last occurrence; at first began_at
	PRIMARY KEY (tenant, name)
);
-- Lists as they were published, for ever: with their figures and the formulas of that day.
CREATE TABLE needle.bulletin (
	tenant    text COLLATE "C" NOT NULL,
	name      text COLLATE "C" NOT NULL,        -- report/weekly, public/closed
	due_at    timestamptz NOT NULL,
	made_at   timestamptz NOT NULL,
	since     timestamptz NOT NULL,             -- of the list before, or when the series began
	config    text NOT NULL,
	payload   json NOT NULL,                    -- as it went out
	PRIMARY KEY (tenant, name, due_at)
);

CREATE VIEW needle.case_fact AS
SELECT c.tenant, c.number, c.received_at, c.channel, c.category, c.lead, c.grid, c.officer, c.urgency, c.horizon,
       c.facts | CASE c.rated WHEN 'satisfied' THEN 786496 WHEN 'basically' THEN 1310784 WHEN 'dissatisfied' THEN 2359360
                 ELSE 0 END AS facts        -- rated, fed back, and the score
FROM needle.cases c;

CREATE FUNCTION needle.has_bits(facts int8, every int8, any_of int8, none_of int8) RETURNS bool
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN (facts & every) = every AND (any_of = 0 OR (facts & any_of) <> 0) AND (facts & none_of) = 0;

-- One of the names, or below it where names are paths.
CREATE FUNCTION needle.is_named(names json, key text, word text) RETURNS bool LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN names -> key IS NULL OR coalesce(EXISTS (SELECT FROM json_array_elements_text(names -> key) AS x(name)
		 WHERE word = x.name OR (key = 'category' AND starts_with(word, x.name || '/'))), false);

CREATE FUNCTION needle.is_meant(names json, channel text, category text, lead text, urgency text, horizon text)
	RETURNS bool LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN names IS NULL OR (needle.is_named(names, 'channel', channel) AND needle.is_named(names, 'category', category)
		AND needle.is_named(names, 'department', lead) AND needle.is_named(names, 'urgency', urgency)
		AND needle.is_named(names, 'horizon', horizon));

-- All rates of a span of time. First the cases are counted by what they have in common, which leaves few rows; then each
-- rate asks those. `dim`: all, department, community, grid, channel, category, officer. The names of channels, categories …
-- are kept apart only where a rate asks for them. Cases that ended in the span are found by the range of their numbers, which is read
-- along with the list in one pass: looking each up by its key costs twice as much.
CREATE FUNCTION needle.rates(p_tenant text, p_from timestamptz, p_to timestamptz, dim text)
	RETURNS TABLE (place int4, name text, scope text, numerator int8, denominator int8, fewer bool, formula text)
	LANGUAGE sql STABLE SET enable_seqscan = on SET enable_hashjoin = on SET enable_mergejoin = on SET enable_nestloop = off SET work_mem = '64MB'
	AS $$
WITH wanted AS MATERIALIZED (
	SELECT r.of, bool_or(num_names IS NOT NULL OR den_names IS NOT NULL) AS by_name FROM needle.rate r WHERE tenant = p_tenant GROUP BY 1),
received AS (
	SELECT f.facts, CASE WHEN w.by_name THEN f.channel END AS channel, CASE WHEN w.by_name THEN f.category END AS category,
	       CASE WHEN w.by_name THEN f.lead END AS lead, CASE WHEN w.by_name THEN f.urgency END AS urgency,
	       CASE WHEN w.by_name THEN f.horizon END AS horizon,
	       CASE dim WHEN 'department' THEN f.lead WHEN 'channel' THEN f.channel WHEN 'category' THEN split_part(f.category, '/', 1)
	            WHEN 'grid' THEN f.grid WHEN 'officer' THEN f.lead || '/' || f.officer WHEN 'community' THEN g.community END AS part, count(*) AS n
	FROM wanted w JOIN needle.case_fact f ON f.tenant = p_tenant AND f.received_at >= p_from AND f.received_at < p_to
	LEFT JOIN needle.grid g ON dim = 'community' AND g.tenant = f.tenant AND g.code = f.grid
	WHERE w.of = 'received' GROUP BY 1, 2, 3, 4, 5, 6, 7),
ended AS MATERIALIZED (SELECT DISTINCT w.of, w.by_name, h.number FROM wanted w JOIN needle.history h ON h.tenant = p_tenant AND h.kind = w.of
	      AND h.kind IN ('resolved', 'rated', 'closed') AND h.at >= p_from AND h.at < p_to ORDER BY 3),
done AS (
	SELECT d.of, f.facts, CASE WHEN d.by_name THEN f.channel END AS channel, CASE WHEN d.by_name THEN f.category END AS category,
	       CASE WHEN d.by_name THEN f.lead END AS lead, CASE WHEN d.by_name THEN f.urgency END AS urgency,
	       CASE WHEN d.by_name THEN f.horizon END AS horizon,
	       CASE dim WHEN 'department' THEN f.lead WHEN 'channel' THEN f.channel WHEN 'category' THEN split_part(f.category, '/', 1)
	            WHEN 'grid' THEN f.grid WHEN 'officer' THEN f.lead || '/' || f.officer WHEN 'community' THEN g.community END AS part, count(*) AS n
	FROM ended d
	JOIN needle.case_fact f ON f.tenant = p_tenant AND f.number = d.number AND f.number >= (SELECT min(e.number) FROM ended e) AND f.number <= (SELECT max(e.number) FROM ended e)
	LEFT JOIN needle.grid g ON dim = 'community' AND g.tenant = f.tenant AND g.code = f.grid
	GROUP BY 1, 2, 3, 4, 5, 6, 7, 8),
counted AS MATERIALIZED (SELECT 'received' AS of, * FROM received UNION ALL SELECT * FROM done)
SELECT r.place, r.name, CASE WHEN dim = 'all' THEN 'all' ELSE dim || ':' || c.part END,
       coalesce(sum(c.n) FILTER (WHERE needle.has_bits(c.facts, r.num_all, r.num_any, r.num_none)
		AND needle.is_meant(r.num_names, c.channel, c.category, c.lead, c.urgency, c.horizon)), 0)::int8,
       coalesce(sum(c.n), 0)::int8, r.fewer, r.formula
FROM needle.rate r LEFT JOIN counted c ON c.of = r.of AND needle.has_bits(c.facts, r.den_all, r.den_any, r.den_none)
	AND needle.is_meant(r.den_names, c.channel, c.category, c.lead, c.urgency, c.horizon) AND (dim = 'all' OR c.part IS NOT NULL)
WHERE r.tenant = p_tenant GROUP BY 1, 2, 3, 6, 7 HAVING dim = 'all' OR sum(c.n) > 0 ORDER BY 1, 3
$$;

-- The cases of one number: those of the denominator, and which of them count.
CREATE FUNCTION needle.rate_cases(p_tenant text, p_name text, p_from timestamptz, p_to timestamptz, dim text, p_part text)
	RETURNS TABLE (number text, counts bool)
	LANGUAGE sql STABLE SET enable_seqscan = on SET enable_hashjoin = off SET enable_mergejoin = off SET work_mem = '64MB'
	AS $$
WITH numbers AS MATERIALIZED (
	SELECT c.number FROM needle.rate r JOIN needle.cases c ON r.of = 'received' AND c.tenant = r.tenant
		AND c.received_at >= p_from AND c.received_at < p_to WHERE r.tenant = p_tenant AND r.name = p_name
	UNION
	SELECT h.number FROM needle.rate r JOIN needle.history h ON h.tenant = r.tenant AND h.kind = r.of
		AND h.kind IN ('resolved', 'rated', 'closed') AND h.at >= p_from AND h.at < p_to
		WHERE r.tenant = p_tenant AND r.name = p_name)
SELECT f.number, needle.has_bits(f.facts, r.num_all, r.num_any, r.num_none)
	AND needle.is_meant(r.num_names, f.channel, f.category, f.lead, f.urgency, f.horizon)
FROM needle.rate r CROSS JOIN numbers n JOIN needle.case_fact f ON f.tenant = r.tenant AND f.number = n.number
	AND needle.has_bits(f.facts, r.den_all, r.den_any, r.den_none)
	AND needle.is_meant(r.den_names, f.channel, f.category, f.lead, f.urgency, f.horizon)
LEFT JOIN needle.grid g ON dim = 'community' AND g.tenant = f.tenant AND g.code = f.grid
WHERE r.tenant = p_tenant AND r.name = p_name
	AND (p_part IS NULL OR CASE dim WHEN 'department' THEN f.lead WHEN 'channel' THEN f.channel WHEN 'category' THEN split_part(f.category, '/', 1)
	            WHEN 'grid' THEN f.grid WHEN 'officer' THEN f.lead || '/' || f.officer WHEN 'community' THEN g.community END = p_part)
ORDER BY f.number
$$;

-- Months, quarters and years in which there were cases.
CREATE FUNCTION needle.periods(p_tenant text) RETURNS TABLE (period text, begins timestamptz, ends timestamptz)
	LANGUAGE sql STABLE AS $$
WITH span AS (SELECT date_trunc('year', min(received_at) AT TIME ZONE 'Asia/Shanghai') AS a,
	greatest(max(received_at), (SELECT max(h.at) FROM needle.history h WHERE h.tenant = p_tenant AND h.kind = 'closed'))
	AT TIME ZONE 'Asia/Shanghai' AS b FROM needle.cases WHERE tenant = p_tenant)
SELECT to_char(m, 'YYYY-MM'), m AT TIME ZONE 'Asia/Shanghai', (m + interval '1 month') AT TIME ZONE 'Asia/Shanghai'
	FROM span, generate_series(a, b, '1 month') m
UNION ALL SELECT to_char(q, 'YYYY-"Q"Q'), q AT TIME ZONE 'Asia/Shanghai', (q + interval '3 months') AT TIME ZONE 'Asia/Shanghai'
	FROM span, generate_series(a, b, '3 months') q
UNION ALL SELECT to_char(y, 'YYYY'), y AT TIME ZONE 'Asia/Shanghai', (y + interval '1 year') AT TIME ZONE 'Asia/Shanghai'
	FROM span, generate_series(a, b, '1 year') y
$$;

CREATE VIEW needle.v_rates AS
SELECT t.tenant, r.name, r.scope, p.period, r.numerator, r.denominator,
       r.numerator::float8 / nullif(r.denominator, 0) AS value, r.formula
FROM (SELECT DISTINCT tenant FROM needle.rate) t
CROSS JOIN LATERAL needle.periods(t.tenant) p
CROSS JOIN (VALUES ('all'), ('department'), ('community'), ('grid'), ('channel'), ('category'), ('officer')) d(dim)
CROSS JOIN LATERAL needle.rates(t.tenant, p.begins, p.ends, d.dim) r
WHERE r.denominator > 0;

CREATE VIEW needle.v_bulletin AS
SELECT tenant, name, due_at, made_at, since, config, payload FROM needle.bulletin;

-- Visits by register, with what was found: a finding names its visit in the member `found_in`.
CREATE VIEW needle.v_inspection AS
SELECT c.tenant, c.number, r.extra ->> 'inspection' AS inspection, r.extra ->> 'site' AS site, r.extra ->> 'grade' AS grade,
       r.extra ->> 'community' AS community, c.received_at, c.state, c.resolved_at,
       (SELECT count(*) FROM needle.report f WHERE f.tenant = c.tenant AND f.channel = c.channel
		AND f.extra ->> 'found_in' = c.number) AS findings
FROM needle.cases c JOIN needle.report r ON r.tenant = c.tenant AND r.channel = c.channel AND r.id = c.report
WHERE r.extra ? 'inspection';
