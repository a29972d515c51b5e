-- What open cases are known again by (并案) lies in their reports; a row says only where to look: one a case, in the square of
-- its position, in the area of its grid, or in both. A cell's name is kept as its hash, so that the two indexes stay small: they
-- are what an open case costs. `numbers` is a bit a number that the text names, and spares the reading of other houses' reports.
ALTER TABLE needle.matter RENAME TO matter_6;
CREATE TABLE needle.matter (
	tenant  text COLLATE "C" NOT NULL,
	number  text COLLATE "C" NOT NULL,
	square  int8,                               -- hashtextextended(cell, 0)
	area    int8,
	numbers int8                                -- null: not known
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
-- Cases from before keep a row a cell, as their `cells` say.
INSERT INTO needle.matter (tenant, number, square, area)
	SELECT tenant, number, CASE WHEN cell ~ ' p[^ ]*$' THEN hashtextextended(cell, 0) END,
	       CASE WHEN cell !~ ' p[^ ]*$' THEN hashtextextended(cell, 0) END
	FROM needle.matter_6;
DROP TABLE needle.matter_6;
CREATE INDEX matter_square ON needle.matter (tenant, square, number) WHERE square IS NOT NULL;
CREATE INDEX matter_area ON needle.matter (tenant, area, number) WHERE area IS NOT NULL;

-- Cards are our own JSON, published as they are: the server need not parse each of them to keep it.
DROP VIEW needle.v_queue;
ALTER TABLE needle.queue ALTER card TYPE text;
CREATE VIEW needle.v_queue AS
SELECT tenant, department, number, role, state, due_resolve, card::json AS card FROM needle.queue;

-- Rows are found by keys, whose columns have one value (the tenant) or are all different: three thousand rows of a table tell as
-- much of it as thirty thousand, and reading those after every tenth of growth cost a fifth of the intake. A migration
-- that adds tables or columns calls this at its end.
CREATE FUNCTION needle.sample_few() RETURNS void LANGUAGE plpgsql AS $$
DECLARE one record;
BEGIN
	FOR one IN SELECT c.oid::regclass AS rel, string_agg(format('ALTER %I SET STATISTICS 10', a.attname), ', ') AS columns
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget < 0
		WHERE c.relnamespace = 'needle'::regnamespace AND c.relkind = 'r' AND c.relname <> 'schema_version' GROUP BY 1
	LOOP
		EXECUTE format('ALTER TABLE %s %s', one.rel, one.columns);
	END LOOP;
END $$;
SELECT needle.sample_few();
