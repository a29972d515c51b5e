-- What each configuration said, so that two of them can be compared and old messages tried on new rules;
-- and what provisional limits were counted from, so that they can be counted anew when their year has come.
ALTER TABLE needle.config_version
	ADD COLUMN source    json,                  -- {file: text}; secrets are only named in it
	ADD COLUMN findings  json,                  -- what `check` said of it
	ADD COLUMN loaded_by text;                  -- who brought it first

ALTER TABLE needle.cases
	ADD COLUMN basis json;                      -- {clock: {"from", "spec", "calendar"}}; null: all limits are firm
