-- What the bodies of a case ask of each other, and who else reported the same matter.
ALTER TABLE needle.cases
	ADD COLUMN errands json,                    -- leave asked for, orders, consultations, next steps: core/life/case.h
	ADD COLUMN joined  json;                    -- further reporters of the same matter, each with an own rating

-- Which limits are to be counted anew when a year's calendar comes. A case of this kind is rare, and a limit that
-- was counted once is not changed by what happens to the case: no other update touches the index.
CREATE INDEX cases_basis ON needle.cases (tenant, number) WHERE basis IS NOT NULL;
