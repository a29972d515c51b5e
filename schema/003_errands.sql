-- What the bodies of a case ask of each other, and who else reported the same matter.
ALTER TABLE needle.cases
	ADD COLUMN errands json,                    -- leave asked for, orders, consultations, next steps: core/life/case.h
	ADD COLUMN joined  json;                    -- further reporters of the same matter, each with an own rating
