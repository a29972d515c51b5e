-- What people talk about, points for what they do, and projects: general capabilities that practices share.

-- Texts by the day on which they came, for hot words: rows lie in that order, so a summary of ranges finds them.
CREATE INDEX report_received ON needle.report USING brin (received_at);

-- Subjects that were proposed from talk, so that each is proposed once.
CREATE TABLE needle.subject (
	tenant text COLLATE "C" NOT NULL,
	word   text COLLATE "C" NOT NULL,
	at     timestamptz NOT NULL,                -- when its list fell due
	PRIMARY KEY (tenant, word, at)
);
