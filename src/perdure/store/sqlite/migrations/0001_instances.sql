-- The tables of the first version.
--
-- An instance gets its key, an integer, at birth, and all its rows hang on that: every table grows
-- at its end. Numbers that only grow (keys, sequence numbers) are handed out by the one writer from
-- `counters`, so that a number is never given twice, not even after everything was purged.
-- Times are whole microseconds since 1970. Events are opaque bytes.

CREATE TABLE counters (
    only_row      INTEGER PRIMARY KEY CHECK (only_row = 1),
    key           INTEGER NOT NULL, -- the last one given of each kind
    inbox_seq     INTEGER NOT NULL,
    task_row      INTEGER NOT NULL,
    lifecycle_seq INTEGER NOT NULL
);

INSERT INTO counters VALUES (1, 0, 0, 0, 0);

CREATE TABLE instances (
    key                INTEGER PRIMARY KEY,
    -- Identity: never changes.
    instance_id        TEXT    NOT NULL,
    name               TEXT    NOT NULL,
    app_id             TEXT    NOT NULL,
    execution_id       TEXT    NOT NULL,
    version            TEXT,                    -- as asked for at the start
    born_at_us         INTEGER NOT NULL,
    scheduled_start_us INTEGER,
    parent_key         INTEGER,
    parent_id          TEXT,
    parent_app_id      TEXT,
    parent_generation  INTEGER NOT NULL,
    parent_task_id     INTEGER NOT NULL,
    tags               TEXT,                    -- JSON, as given; `tags` has them one by one
    -- Head: may change with every turn.
    row_version        INTEGER NOT NULL,        -- what a turn expects
    phase              INTEGER NOT NULL,
    generation         INTEGER NOT NULL,
    created_at_us      INTEGER NOT NULL,
    started_at_us      INTEGER,
    updated_at_us      INTEGER NOT NULL,
    completed_at_us    INTEGER,
    custom_status      TEXT,
    stalled            TEXT,                    -- why, if it is
    waits_for          TEXT    NOT NULL,
    waits_since_us     INTEGER NOT NULL,
    next_wake_us       INTEGER,
    history_length     INTEGER NOT NULL,
    history_bytes      INTEGER NOT NULL,
    version_name       TEXT,                    -- as the worker told
    patches            TEXT,                    -- JSON
    -- Flags.
    suspended          INTEGER NOT NULL,
    held               INTEGER NOT NULL,
    -- What readers see: finished, stalled, suspended, else the phase (core.status.seen_status).
    status             INTEGER NOT NULL AS (
        CASE
            WHEN phase IN (1, 3, 4, 5) THEN phase
            WHEN stalled IS NOT NULL THEN 8
            WHEN suspended THEN 7
            ELSE phase
        END
    ) STORED,
    -- A moment that has not come sorts before all others, and can be sought in an index.
    started_order      INTEGER NOT NULL AS (
        ifnull(started_at_us, -9223372036854775808)
    ) VIRTUAL,
    completed_order    INTEGER NOT NULL AS (
        ifnull(completed_at_us, -9223372036854775808)
    ) VIRTUAL
);

CREATE UNIQUE INDEX instances_by_id ON instances (instance_id);
CREATE INDEX instances_by_created ON instances (created_at_us);
CREATE INDEX instances_by_updated ON instances (updated_at_us);
CREATE INDEX instances_by_name ON instances (name, created_at_us);
-- `waits_for` is there for the question whether an instance is stuck, which asks of all running.
CREATE INDEX instances_by_status ON instances (status, created_at_us, key, waits_for);
CREATE INDEX instances_by_completed ON instances (completed_order);
CREATE INDEX instances_by_end ON instances (phase, completed_at_us)
    WHERE completed_at_us IS NOT NULL;
CREATE INDEX instances_by_parent ON instances (parent_id, created_at_us)
    WHERE parent_id IS NOT NULL;
CREATE INDEX instances_by_parent_key ON instances (parent_key)
    WHERE parent_key IS NOT NULL;

-- Apart from `instances`, since it can be large and a turn writes its instance's row anew.
CREATE TABLE propagated (
    key   INTEGER PRIMARY KEY,
    bytes BLOB    NOT NULL
);

CREATE TABLE tags (
    key   INTEGER NOT NULL,
    tag   TEXT    NOT NULL,
    value TEXT    NOT NULL,
    PRIMARY KEY (key, tag)
) WITHOUT ROWID;

CREATE INDEX tags_by_value ON tags (tag, value);

-- Append-only, save for a new generation or a purge. `place` is key * 2^24 + seq: one tree in
-- which the events of an instance lie together and in order.
CREATE TABLE history (
    place INTEGER PRIMARY KEY,
    kind  INTEGER NOT NULL,
    event BLOB    NOT NULL
);

-- Hot and small: events that no turn has taken.
CREATE TABLE inbox (
    seq        INTEGER PRIMARY KEY,
    key        INTEGER NOT NULL,
    rank       INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    event      BLOB    NOT NULL
);

CREATE INDEX inbox_by_key ON inbox (key, rank);
CREATE INDEX inbox_terminations ON inbox (key) WHERE kind = 5;

-- Hot and small: activities that have not ended.
CREATE TABLE tasks (
    task_row         INTEGER PRIMARY KEY,
    key              INTEGER NOT NULL,
    generation       INTEGER NOT NULL,
    task_id          INTEGER NOT NULL,
    name             TEXT    NOT NULL,
    app_id           TEXT    NOT NULL,
    event            BLOB    NOT NULL,
    scheduled_at_us  INTEGER NOT NULL,
    propagated       BLOB,
    handed_out_at_us INTEGER,
    worker           TEXT,
    attempts         INTEGER NOT NULL
);

CREATE UNIQUE INDEX tasks_by_name ON tasks (key, generation, task_id);

-- Activities that have ended, or were given up (finished_at_us is missing), without their events.
CREATE TABLE ended_tasks (
    task_row         INTEGER PRIMARY KEY, -- an id may be scheduled again once its result has come
    key              INTEGER NOT NULL,
    generation       INTEGER NOT NULL,
    task_id          INTEGER NOT NULL,
    name             TEXT    NOT NULL,
    app_id           TEXT    NOT NULL,
    scheduled_at_us  INTEGER NOT NULL,
    handed_out_at_us INTEGER,
    worker           TEXT,
    attempts         INTEGER NOT NULL,
    finished_at_us   INTEGER,
    failed           INTEGER NOT NULL
);

CREATE INDEX ended_tasks_by_name ON ended_tasks (key, generation, task_id);

CREATE TABLE timers (
    key        INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    timer_id   INTEGER NOT NULL,
    fire_at_us INTEGER NOT NULL,
    PRIMARY KEY (key, generation, timer_id)
) WITHOUT ROWID;

CREATE INDEX timers_by_moment ON timers (fire_at_us);

CREATE TABLE lifecycle (
    seq         INTEGER PRIMARY KEY,
    key         INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    at_us       INTEGER NOT NULL,
    instance_id TEXT    NOT NULL,
    name        TEXT    NOT NULL
);
