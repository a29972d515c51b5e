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
