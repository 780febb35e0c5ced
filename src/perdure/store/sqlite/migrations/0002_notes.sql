-- Small things that are kept beside the instances: receipts of messages, events for instances that
-- are not there yet, and the like. A note is named by its shelf and key.

ALTER TABLE counters ADD COLUMN note_row INTEGER NOT NULL DEFAULT 0;

CREATE TABLE notes (
    note_row INTEGER PRIMARY KEY,
    shelf    TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    at_us    INTEGER NOT NULL,
    body     BLOB    NOT NULL,
    about    TEXT
);

CREATE UNIQUE INDEX notes_by_name ON notes (shelf, key);
CREATE INDEX notes_by_moment ON notes (shelf, at_us);
-- Receipts, of which there are the most, are about nothing and cost nothing here.
CREATE INDEX notes_by_subject ON notes (shelf, about) WHERE about IS NOT NULL;
