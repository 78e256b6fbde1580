-- Of several nodes that share a database, which one is at work; the only node of a database has no name.

ALTER TABLE association ADD COLUMN node TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN node TEXT NOT NULL DEFAULT '';
ALTER TABLE delivery ADD COLUMN node TEXT NOT NULL DEFAULT '';
