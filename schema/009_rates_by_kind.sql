-- Rates ask the history by kind, through its index, instead of reading a month of it whole: 1.07 s -> 0.72 s of processor time over
-- five million cases.
CREATE OR REPLACE FUNCTION needle.rates(p_tenant text, p_from timestamptz, p_to timestamptz, dim text)
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
ended AS MATERIALIZED (SELECT DISTINCT h.kind AS of, h.number FROM needle.history h WHERE h.tenant = p_tenant
	      AND h.kind = ANY (ARRAY(SELECT w.of FROM wanted w WHERE w.of <> 'received'))
	      AND h.kind IN ('resolved', 'rated', 'closed') AND h.at >= p_from AND h.at < p_to ORDER BY 2),
done AS (
	SELECT d.of, f.facts, CASE WHEN w.by_name THEN f.channel END AS channel, CASE WHEN w.by_name THEN f.category END AS category,
	       CASE WHEN w.by_name THEN f.lead END AS lead, CASE WHEN w.by_name THEN f.urgency END AS urgency,
	       CASE WHEN w.by_name THEN f.horizon END AS horizon,
	       CASE dim WHEN 'department' THEN f.lead WHEN 'channel' THEN f.channel WHEN 'category' THEN split_part(f.category, '/', 1)
	            WHEN 'grid' THEN f.grid WHEN 'officer' THEN f.lead || '/' || f.officer WHEN 'community' THEN g.community END AS part, count(*) AS n
	FROM ended d JOIN wanted w ON w.of = d.of
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
