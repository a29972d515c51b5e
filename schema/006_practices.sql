-- What people talk about, points for what they do, and projects: general capabilities that practices share.

-- Texts by the day on which they came, for hot words: rows lie in that order, so a summary of ranges finds them.
CREATE INDEX report_received ON needle.report USING brin (tenant, received_at);

-- Subjects that were proposed from talk, so that each is proposed once.
CREATE TABLE needle.subject (
	tenant text COLLATE "C" NOT NULL,
	word   text COLLATE "C" NOT NULL,
	at     timestamptz NOT NULL,                -- when its list fell due
	PRIMARY KEY (tenant, word, at)
);

-- Points (积分): entries are added and never changed; what was wrong is reversed by another entry. An entry whose rule names a
-- body counts when that body has approved it.
CREATE TABLE needle.point (
	tenant   text COLLATE "C" NOT NULL,
	id       int8 GENERATED ALWAYS AS IDENTITY,
	account  text COLLATE "C" NOT NULL,         -- reporter/REF, officer/DEPT/NAME, keeper/NAME, dept/ID
	amount   int8 NOT NULL CHECK (amount <> 0),
	at       timestamptz NOT NULL,
	rule     text,                              -- that gave it; null: spent, or reversed
	why      text,
	by       text,                              -- who entered it by hand
	number   text COLLATE "C",                  -- the case, and the row of its history
	seq      int4,
	review   text,                              -- the department that must approve it
	reverses int8,
	PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX point_once ON needle.point (tenant, number, seq, rule, account) WHERE number IS NOT NULL;
CREATE UNIQUE INDEX point_reversed ON needle.point (tenant, reverses) WHERE reverses IS NOT NULL;
CREATE INDEX point_account ON needle.point (tenant, account, id);
CREATE TABLE needle.point_review (
	tenant text COLLATE "C" NOT NULL,
	id     int8 NOT NULL,
	ok     bool NOT NULL,
	at     timestamptz NOT NULL,
	by     text NOT NULL,                       -- DEPT/NAME
	PRIMARY KEY (tenant, id)
);
CREATE FUNCTION needle.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'entries of % are never changed: reverse them', TG_TABLE_NAME USING ERRCODE = '23514';
END $$;
CREATE TRIGGER point_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON needle.point
	FOR EACH STATEMENT EXECUTE FUNCTION needle.refuse_change();
CREATE TRIGGER point_review_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON needle.point_review
	FOR EACH STATEMENT EXECUTE FUNCTION needle.refuse_change();

-- `counts`: true; false: refused; null: waits for its review. A reversal counts as what it reverses.
CREATE VIEW needle.v_point AS
SELECT p.tenant, p.id, p.account, p.amount, p.at, p.rule, p.why, p.by, p.number, p.seq, p.review, p.reverses,
       CASE WHEN p.review IS NULL THEN true ELSE r.ok END AS counts, r.by AS reviewed_by,
       EXISTS (SELECT FROM needle.point x WHERE x.tenant = p.tenant AND x.reverses = p.id) AS reversed
FROM needle.point p LEFT JOIN needle.point_review r ON r.tenant = p.tenant AND r.id = coalesce(p.reverses, p.id);
CREATE VIEW needle.v_points AS
SELECT tenant, account, coalesce(sum(amount) FILTER (WHERE counts), 0)::int8 AS balance,
       coalesce(sum(amount) FILTER (WHERE counts IS NULL), 0)::int8 AS pending,
       coalesce(sum(amount) FILTER (WHERE counts AND amount > 0 AND reverses IS NULL AND NOT reversed), 0)::int8 AS earned
FROM needle.v_point GROUP BY tenant, account;

-- The new entry's id; null: the account has not so much. Entries of one account take turns.
CREATE FUNCTION needle.point_spend(p_tenant text, p_account text, p_amount int8, p_why text, p_by text, p_at timestamptz)
	RETURNS int8 LANGUAGE plpgsql AS $$
DECLARE made int8;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended(p_tenant || '/' || p_account, 5));
	IF p_amount <= 0 OR coalesce((SELECT balance FROM needle.v_points WHERE tenant = p_tenant AND account = p_account), 0) < p_amount THEN
		RETURN NULL;
	END IF;
	INSERT INTO needle.point (tenant, account, amount, at, why, by) VALUES (p_tenant, p_account, -p_amount, p_at, p_why, p_by)
		RETURNING id INTO made;
	RETURN made;
END $$;
-- Null: there is no such entry, it is a reversal itself, or it was reversed before.
CREATE FUNCTION needle.point_reverse(p_tenant text, p_id int8, p_why text, p_by text, p_at timestamptz)
	RETURNS int8 LANGUAGE sql AS $$
INSERT INTO needle.point (tenant, account, amount, at, why, by, review, reverses)
	SELECT tenant, account, -amount, p_at, p_why, p_by, review, id FROM needle.point
	WHERE tenant = p_tenant AND id = p_id AND reverses IS NULL ON CONFLICT DO NOTHING RETURNING id
$$;
-- By the body that the entry names, once.
CREATE FUNCTION needle.point_review(p_tenant text, p_id int8, p_ok bool, p_dept text, p_by text, p_at timestamptz)
	RETURNS int8 LANGUAGE sql AS $$
INSERT INTO needle.point_review (tenant, id, ok, at, by)
	SELECT tenant, id, p_ok, p_at, p_dept || '/' || p_by FROM needle.point
	WHERE tenant = p_tenant AND id = p_id AND review = p_dept AND reverses IS NULL ON CONFLICT DO NOTHING RETURNING id
$$;
