-- The spine: reports in, cases, their history, what departments are told.
-- Every key begins with the tenant, so that tables can be distributed by it unchanged.
-- Nothing mutable is indexed: open work is read from queue, timer and outbox (docs/decisions/).
CREATE SCHEMA IF NOT EXISTS needle;

-- Every message that was accepted under an id, for ever: the key makes intake idempotent.
CREATE TABLE needle.report (
	tenant      text COLLATE "C" NOT NULL,
	channel     text COLLATE "C" NOT NULL,
	id          text COLLATE "C" NOT NULL CHECK (octet_length(id) <= 128),
	number      text COLLATE "C",               -- its case; null for talk
	kind        text NOT NULL,
	source      text NOT NULL,
	at          timestamptz NOT NULL,           -- at the source
	received_at timestamptz NOT NULL,           -- at the gateway
	text        text,
	category    text,
	grid        text,
	urgency     text,
	device      text,
	media       json,
	reply_to    json,
	extra       jsonb,
	digest      bytea NOT NULL,                 -- tells the same id with other content
	PRIMARY KEY (tenant, channel, id)
);

-- Who reported, and where exactly. Personal data lives here and nowhere else.
CREATE TABLE needle.person (
	tenant  text COLLATE "C" NOT NULL,
	channel text COLLATE "C" NOT NULL,
	id      text COLLATE "C" NOT NULL,
	name    text,
	phone   text,
	ref     text,
	address text,
	lat     float8,
	lon     float8,
	crs     text,
	accused text,
	secret  bool NOT NULL DEFAULT false,
	PRIMARY KEY (tenant, channel, id)
);

-- The state of a case: narrow, updated in place. Plural because CASE is a word of SQL.
CREATE TABLE needle.cases (
	tenant       text COLLATE "C" NOT NULL,
	number       text COLLATE "C" NOT NULL,
	channel      text NOT NULL,                 -- of the first report
	source       text NOT NULL,
	report       text NOT NULL,
	state        text NOT NULL,
	lead         text NOT NULL,
	supports     json,                          -- [{"dept","task","done"}]
	told         json NOT NULL,                 -- {dept: seq of the last event sent to it}
	seq          int4 NOT NULL,                 -- of the last history row
	category     text,
	grid         text,
	urgency      text NOT NULL,
	title        text,                          -- masked
	place        text,                          -- masked
	visibility   text NOT NULL,
	horizon      text,
	rule         text,
	route_source text NOT NULL,                 -- rule, category or fallback
	config       text NOT NULL,                 -- hash of the configuration that decided
	policy       text NOT NULL,                 -- of the running leg
	leg          int4 NOT NULL,
	leg_at       timestamptz NOT NULL,          -- when the running leg began
	level        int4 NOT NULL,                 -- of escalation, highest so far in this leg
	due_accept   timestamptz, due_contact timestamptz, due_resolve timestamptz, due_feedback timestamptz,
	met_accept   timestamptz, met_contact timestamptz, met_resolve timestamptz, met_feedback timestamptz,
	provisional  bool NOT NULL,                 -- a due time lies in a year without calendar data
	fired        json,                          -- steps of the ladder that this leg has had
	reports      int4 NOT NULL,
	returns      int4 NOT NULL,
	heat         int4 NOT NULL,
	urges        int4 NOT NULL,                 -- on urge_day
	urge_day     int4 NOT NULL,                 -- day number
	dissatisfied int4 NOT NULL,
	received_at  timestamptz NOT NULL,
	resolved_at  timestamptz,
	closed_at    timestamptz,
	close_reason text,
	joined_into  text,
	PRIMARY KEY (tenant, number)
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);

-- Legs that ended; the running one is in cases.
CREATE TABLE needle.leg (
	tenant     text COLLATE "C" NOT NULL,
	number     text COLLATE "C" NOT NULL,
	leg        int4 NOT NULL,
	department text NOT NULL,
	policy     text NOT NULL,
	started_at timestamptz NOT NULL,
	ended_at   timestamptz NOT NULL,
	due_accept timestamptz, due_contact timestamptz, due_resolve timestamptz, due_feedback timestamptz,
	met_accept timestamptz, met_contact timestamptz, met_resolve timestamptz, met_feedback timestamptz,
	level      int4 NOT NULL,
	PRIMARY KEY (tenant, number, leg)
);

-- What happened, append-only: seq 1, 2, 3 … without holes.
CREATE TABLE needle.history (
	tenant     text COLLATE "C" NOT NULL,
	number     text COLLATE "C" NOT NULL,
	seq        int4 NOT NULL,
	at         timestamptz NOT NULL,
	kind       text NOT NULL,
	department text,
	by         text,
	note       text,
	detail     json,
	PRIMARY KEY (tenant, number, seq)
);

-- The work queues as they are now, with the card as it is published (retained).
CREATE TABLE needle.queue (
	tenant      text COLLATE "C" NOT NULL,
	department  text COLLATE "C" NOT NULL,
	number      text COLLATE "C" NOT NULL,
	role        text NOT NULL,
	state       text NOT NULL,
	due_resolve timestamptz,
	card        json NOT NULL,
	PRIMARY KEY (tenant, department, number)
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);

-- What must still reach the broker; a row goes when its PUBACK has come.
CREATE TABLE needle.outbox (
	tenant     text COLLATE "C" NOT NULL,
	number     text COLLATE "C" NOT NULL,
	seq        int4 NOT NULL,
	target     text COLLATE "C" NOT NULL,       -- a department, or out/kind for a reply
	topic      text NOT NULL,
	payload    text,                            -- null: only the card is to be published
	card       bool NOT NULL,                   -- publish the department's card as queue has it
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, number, seq, target)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000,
	autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_insert_threshold = -1);

-- When a case must be looked at again: the earliest of all that its clocks will do.
CREATE TABLE needle.timer (
	tenant text COLLATE "C" NOT NULL,
	number text COLLATE "C" NOT NULL,
	due_at timestamptz NOT NULL,
	PRIMARY KEY (tenant, number)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
CREATE INDEX timer_due ON needle.timer (tenant, due_at);

-- Commands and their results: the same request again gives the same result. Also the audit of `get`.
CREATE TABLE needle.command (
	tenant     text COLLATE "C" NOT NULL,
	department text COLLATE "C" NOT NULL,
	request    text COLLATE "C" NOT NULL CHECK (octet_length(request) <= 128),
	number     text COLLATE "C",
	action     text NOT NULL,
	by         text,
	note       text,
	at         timestamptz NOT NULL,
	result     json NOT NULL,
	PRIMARY KEY (tenant, department, request)
);

-- Messages that can never become a case, with their bytes and the reason.
CREATE TABLE needle.dead_letter (
	tenant     text COLLATE "C" NOT NULL,
	id         int8 NOT NULL,
	at         timestamptz NOT NULL,
	channel    text,
	topic      text,                            -- null where the topic itself is not valid text
	topic_raw  bytea NOT NULL,
	code       text NOT NULL,
	reason     text NOT NULL,
	payload    bytea NOT NULL,
	retried_at timestamptz,
	PRIMARY KEY (tenant, id)
);

-- Blocks of case numbers are leased per day, so that two daemons never make the same one.
CREATE TABLE needle.number_day (
	tenant text COLLATE "C" NOT NULL,
	day    text COLLATE "C" NOT NULL,           -- yymmdd
	next   int8 NOT NULL,
	PRIMARY KEY (tenant, day)
);

-- Which configuration worked when; the simulated clock's last instant.
CREATE TABLE needle.config_version (
	tenant    text COLLATE "C" NOT NULL,
	hash      text COLLATE "C" NOT NULL,
	first_at  timestamptz NOT NULL,
	last_at   timestamptz NOT NULL,
	PRIMARY KEY (tenant, hash)
);
-- Brokers that have shown that they deliver a large queue whole; asked once a day, for all daemons.
CREATE TABLE needle.broker_probe (
	tenant    text COLLATE "C" NOT NULL,
	broker    text COLLATE "C" NOT NULL,        -- host:port
	passed_at timestamptz NOT NULL,
	PRIMARY KEY (tenant, broker)
);
CREATE TABLE needle.sim_clock (
	tenant text COLLATE "C" NOT NULL PRIMARY KEY,
	now_at timestamptz NOT NULL
);

CREATE FUNCTION needle.micros(timestamptz) RETURNS int8 LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN (extract(epoch FROM $1) * 1000000)::int8;

-- ---- what outsiders may read ------------------------------------------------------------------
CREATE VIEW needle.v_case AS
SELECT c.tenant, c.number, c.channel, c.report, c.state, c.lead, c.category, c.grid, c.urgency, c.title, c.place,
       c.received_at, c.due_accept, c.due_contact, c.due_resolve, c.due_feedback, c.leg, c.level, c.rule, c.config,
       c.joined_into, c.heat, c.visibility,
       -- Unknown members may be personal: of the reporter they are shown only where the case is open, of a sealed case never.
       CASE c.visibility WHEN 'open' THEN r.extra WHEN 'masked' THEN r.extra - 'reporter' END AS extra, c.policy, c.route_source, c.supports, c.horizon, c.provisional,
       c.seq, c.returns, c.reports, c.resolved_at, c.closed_at, c.close_reason
FROM needle.cases c
LEFT JOIN needle.report r ON r.tenant = c.tenant AND r.channel = c.channel AND r.id = c.report;

CREATE VIEW needle.v_history AS
SELECT tenant, number, seq, at, kind, department, by, note, detail FROM needle.history;

CREATE VIEW needle.v_queue AS
SELECT tenant, department, number, role, state, due_resolve, card FROM needle.queue;

CREATE VIEW needle.v_dead_letter AS
SELECT tenant, id, at, channel, topic, reason, octet_length(payload) AS size, code, retried_at FROM needle.dead_letter;
