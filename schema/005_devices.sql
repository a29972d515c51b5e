-- Field devices: what is known of each alarm of each device, and of each device's silence (alarm ''), which is also the
-- row that is locked before any other of the device. Updated in place; nothing that changes is indexed.
CREATE TABLE needle.device (
	tenant        text COLLATE "C" NOT NULL,
	device        text COLLATE "C" NOT NULL,
	alarm         text COLLATE "C" NOT NULL,
	kind          text,                         -- of devices.yaml, as it was then
	channel       text,                         -- through which it spoke last
	source        text,
	phase         text NOT NULL DEFAULT 'calm', -- calm, held, alarm
	since         timestamptz,                  -- in this phase
	said_at       timestamptz,                  -- by the device's own time
	alarm_at      timestamptz,                  -- the last alarm that counted
	seen_at       timestamptz,                  -- of alarm '': the last sign of life
	changed_at    timestamptz,
	changes_since timestamptz,
	changes       int4 NOT NULL DEFAULT 0,      -- between calm and alarm
	flapping      bool NOT NULL DEFAULT false,
	repeats       int4 NOT NULL DEFAULT 0,      -- alarms that were only counted
	number        text COLLATE "C",             -- its case
	cause         text,                         -- under which it shares that case
	report        json,                         -- the alarm that is held
	wake_at       timestamptz,                  -- when to look again
	PRIMARY KEY (tenant, device, alarm)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);

CREATE VIEW needle.v_device AS
SELECT tenant, device, alarm, kind, phase, since, alarm_at, seen_at, flapping, repeats, number FROM needle.device;

-- When a device must be looked at again: not later than the earliest wake_at of its rows.
CREATE TABLE needle.device_timer (
	tenant text COLLATE "C" NOT NULL,
	device text COLLATE "C" NOT NULL,
	due_at timestamptz NOT NULL,
	PRIMARY KEY (tenant, device)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
CREATE INDEX device_timer_due ON needle.device_timer (tenant, due_at);

-- Devices that report the same in one area within a short time are one matter: which case has them.
CREATE TABLE needle.device_cause (
	tenant  text COLLATE "C" NOT NULL,
	cause   text COLLATE "C" NOT NULL,          -- kind, alarm, category, area
	number  text COLLATE "C",
	last_at timestamptz,
	devices int4 NOT NULL DEFAULT 0,
	active  int4 NOT NULL DEFAULT 0,
	PRIMARY KEY (tenant, cause)
) WITH (fillfactor = 70);
