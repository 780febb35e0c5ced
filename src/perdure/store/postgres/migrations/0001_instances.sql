-- The tables of the first version.
--
-- An instance gets its key, a number from a sequence, at birth, and all its rows hang on that: every
-- table grows at its end. Numbers only grow; a commit that is undone leaves a gap in them.
-- Times are whole microseconds since 1970. Events are opaque bytes. Text compares by code points.
-- A partition is the number that an instance's id falls into (store.partitions). It stands in every
-- table that several nodes ask by partition, or that could one day be distributed by it.
--
-- The tables of what is still to be done (inbox, tasks, timers) are small, and their rows come and
-- go: they are vacuumed after so many dead rows, whatever their size, and without a pause.

CREATE TABLE store (
    only_row   boolean  PRIMARY KEY CHECK (only_row),
    partitions smallint NOT NULL -- of each app; never changes
);

INSERT INTO store VALUES (true, 64);

CREATE SEQUENCE instance_keys;
CREATE SEQUENCE inbox_seqs;
CREATE SEQUENCE task_rows;
CREATE SEQUENCE lifecycle_seqs;
CREATE SEQUENCE note_rows;

CREATE TABLE instances (
    key                bigint   PRIMARY KEY,
    partition          smallint NOT NULL,
    -- Identity: never changes.
    instance_id        text     COLLATE "C" NOT NULL,
    name               text     COLLATE "C" NOT NULL,
    app_id             text     COLLATE "C" NOT NULL,
    execution_id       text     COLLATE "C" NOT NULL,
    version            text     COLLATE "C",  -- as asked for at the start
    born_at_us         bigint   NOT NULL,
    scheduled_start_us bigint,
    parent_key         bigint,
    parent_id          text     COLLATE "C",
    parent_app_id      text     COLLATE "C",
    parent_generation  bigint   NOT NULL,
    parent_task_id     bigint   NOT NULL,
    tags               text     COLLATE "C",  -- JSON, as given; `tags` has them one by one
    -- Head: may change with every turn.
    row_version        bigint   NOT NULL,     -- what a turn expects
    phase              bigint   NOT NULL,
    generation         bigint   NOT NULL,
    created_at_us      bigint   NOT NULL,
    started_at_us      bigint,
    updated_at_us      bigint   NOT NULL,
    completed_at_us    bigint,
    custom_status      text     COLLATE "C",
    stalled            text     COLLATE "C",  -- why, if it is
    waits_for          text     COLLATE "C" NOT NULL,
    waits_since_us     bigint   NOT NULL,
    next_wake_us       bigint,
    history_length     bigint   NOT NULL,
    history_bytes      bigint   NOT NULL,
    version_name       text     COLLATE "C",  -- as the worker told
    patches            text     COLLATE "C",  -- JSON
    -- Flags.
    suspended          boolean  NOT NULL,
    held               boolean  NOT NULL,
    history_seq        bigint   NOT NULL,     -- of the last event in `history`
    -- What readers see: finished, stalled, suspended, else the phase (core.status.seen_status).
    status             bigint   NOT NULL GENERATED ALWAYS AS (
        CASE
            WHEN phase IN (1, 3, 4, 5) THEN phase
            WHEN stalled IS NOT NULL THEN 8
            WHEN suspended THEN 7
            ELSE phase
        END
    ) STORED,
    -- A moment that has not come sorts before all others, and can be sought in an index.
    started_order      bigint   NOT NULL GENERATED ALWAYS AS (
        coalesce(started_at_us, '-9223372036854775808'::bigint)
    ) STORED,
    completed_order    bigint   NOT NULL GENERATED ALWAYS AS (
        coalesce(completed_at_us, '-9223372036854775808'::bigint)
    ) STORED
) WITH (
    -- A turn in the middle of a life changes no column that an index holds, so its row is written
    -- beside the old one in the same page if there is room (HOT), and no index is touched.
    fillfactor = 75,
    autovacuum_vacuum_scale_factor = 0.05
);

CREATE UNIQUE INDEX instances_by_id ON instances (instance_id);
CREATE INDEX instances_by_created ON instances (created_at_us, key);
CREATE INDEX instances_by_name ON instances (name, created_at_us, key);
CREATE INDEX instances_by_status ON instances (status, created_at_us, key);
CREATE INDEX instances_by_completed ON instances (completed_order, key);
CREATE INDEX instances_by_end ON instances (phase, completed_at_us, key)
    WHERE completed_at_us IS NOT NULL;
CREATE INDEX instances_by_parent ON instances (parent_id, created_at_us, key)
    WHERE parent_id IS NOT NULL;
CREATE INDEX instances_by_parent_key ON instances (parent_key, key)
    WHERE parent_key IS NOT NULL;

-- Apart from `instances`, since it can be large and a turn writes its instance's row anew.
CREATE TABLE propagated (
    key   bigint PRIMARY KEY,
    bytes bytea  NOT NULL
);

CREATE TABLE tags (
    key   bigint NOT NULL,
    tag   text   COLLATE "C" NOT NULL,
    value text   COLLATE "C" NOT NULL,
    PRIMARY KEY (key, tag)
);

CREATE INDEX tags_by_value ON tags (tag, value, key);

-- Append-only, save for a new generation or a purge.
CREATE TABLE history (
    key   bigint   NOT NULL,
    seq   integer  NOT NULL,
    kind  smallint NOT NULL,
    event bytea    NOT NULL,
    PRIMARY KEY (key, seq)
) PARTITION BY HASH (key);

CREATE TABLE history_0 PARTITION OF history FOR VALUES WITH (MODULUS 8, REMAINDER 0);
CREATE TABLE history_1 PARTITION OF history FOR VALUES WITH (MODULUS 8, REMAINDER 1);
CREATE TABLE history_2 PARTITION OF history FOR VALUES WITH (MODULUS 8, REMAINDER 2);
CREATE TABLE history_3 PARTITION OF history FOR VALUES WITH (MODULUS 8, REMAINDER 3);
CREATE TABLE history_4 PARTITION OF history FOR VALUES WITH (MODULUS 8, REMAINDER 4);
CREATE TABLE history_5 PARTITION OF history FOR VALUES WITH (MODULUS 8, REMAINDER 5);
CREATE TABLE history_6 PARTITION OF history FOR VALUES WITH (MODULUS 8, REMAINDER 6);
CREATE TABLE history_7 PARTITION OF history FOR VALUES WITH (MODULUS 8, REMAINDER 7);

-- Hot and small: events that no turn has taken.
CREATE TABLE inbox (
    seq        bigint   PRIMARY KEY,
    key        bigint   NOT NULL,
    partition  smallint NOT NULL,
    rank       smallint NOT NULL,
    kind       smallint NOT NULL,
    generation bigint   NOT NULL,
    event      bytea    NOT NULL
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 10000,
    autovacuum_vacuum_cost_delay = 0
);

CREATE INDEX inbox_by_key ON inbox (key, rank, seq);
CREATE INDEX inbox_terminations ON inbox (key) WHERE kind = 5;

-- Hot and small: activities that have not ended.
CREATE TABLE tasks (
    task_row         bigint   PRIMARY KEY,
    key              bigint   NOT NULL,
    partition        smallint NOT NULL,
    generation       bigint   NOT NULL,
    task_id          bigint   NOT NULL,
    name             text     COLLATE "C" NOT NULL,
    app_id           text     COLLATE "C" NOT NULL,
    event            bytea    NOT NULL,
    scheduled_at_us  bigint   NOT NULL,
    propagated       bytea,
    handed_out_at_us bigint,
    worker           text     COLLATE "C",
    attempts         bigint   NOT NULL
) WITH (
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 10000,
    autovacuum_vacuum_cost_delay = 0
);

CREATE UNIQUE INDEX tasks_by_name ON tasks (key, generation, task_id);

-- Activities that have ended, or were given up (finished_at_us is missing), without their events.
CREATE TABLE ended_tasks (
    task_row         bigint   PRIMARY KEY, -- an id may be scheduled again once its result has come
    key              bigint   NOT NULL,
    generation       bigint   NOT NULL,
    task_id          bigint   NOT NULL,
    name             text     COLLATE "C" NOT NULL,
    app_id           text     COLLATE "C" NOT NULL,
    scheduled_at_us  bigint   NOT NULL,
    handed_out_at_us bigint,
    worker           text     COLLATE "C",
    attempts         bigint   NOT NULL,
    finished_at_us   bigint,
    failed           boolean  NOT NULL
);

CREATE INDEX ended_tasks_by_name ON ended_tasks (key, generation, task_id, task_row);

CREATE TABLE timers (
    key        bigint   NOT NULL,
    partition  smallint NOT NULL,
    generation bigint   NOT NULL,
    timer_id   bigint   NOT NULL,
    fire_at_us bigint   NOT NULL,
    PRIMARY KEY (key, generation, timer_id)
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 10000,
    autovacuum_vacuum_cost_delay = 0
);

CREATE INDEX timers_by_moment ON timers (fire_at_us, key, generation, timer_id);

CREATE TABLE lifecycle (
    seq         bigint PRIMARY KEY,
    key         bigint NOT NULL,
    kind        text   COLLATE "C" NOT NULL,
    at_us       bigint NOT NULL,
    instance_id text   COLLATE "C" NOT NULL,
    name        text   COLLATE "C" NOT NULL
);

-- Small things that are kept beside the instances, each named by its shelf and key.
CREATE TABLE notes (
    note_row bigint NOT NULL,
    shelf    text   COLLATE "C" NOT NULL,
    key      text   COLLATE "C" NOT NULL,
    at_us    bigint NOT NULL,
    body     bytea  NOT NULL,
    about    text   COLLATE "C",
    PRIMARY KEY (shelf, key)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX notes_by_moment ON notes (shelf, at_us, note_row);
CREATE INDEX notes_by_subject ON notes (shelf, about, note_row) WHERE about IS NOT NULL;

-- How far each open store has committed, so that whoever lost the reply to a commit can look.
CREATE TABLE writers (
    writer  uuid        PRIMARY KEY,
    commits bigint      NOT NULL,
    seen    timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (
    fillfactor = 10,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200,
    autovacuum_vacuum_cost_delay = 0
);

-- Who is there, and until when that is believed, by this server's clock.
CREATE TABLE nodes (
    node          text     COLLATE "C" PRIMARY KEY,
    name          text     COLLATE "C" NOT NULL,
    apps          text[]   NOT NULL,
    expires_at_us bigint   NOT NULL
) WITH (
    fillfactor = 20,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200,
    autovacuum_vacuum_cost_delay = 0
);

-- Who hands out the work of a partition (store.leases). A row never goes, so that terms grow. What is
-- committed under a term holds its row in share until it has landed; whoever takes the lease over
-- changes the row, and so waits for that, or comes first and makes the term one that is over.
CREATE TABLE leases (
    app_id        text     COLLATE "C" NOT NULL,
    number        smallint NOT NULL,
    term          bigint   NOT NULL,
    node          text     COLLATE "C", -- none once it was given back
    expires_at_us bigint   NOT NULL,    -- by this server's clock
    PRIMARY KEY (app_id, number)
) WITH (
    fillfactor = 20,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200,
    autovacuum_vacuum_cost_delay = 0
);
