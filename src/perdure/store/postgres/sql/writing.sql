-- What a commit writes. Each statement is named by the line above it, and takes rows as arrays, one
-- for each column. Several are put together into one, each a part of its WITH (see composing.py): so
-- one may return rows for another, and none sees what another has changed.

-- name: insert_instances
INSERT INTO instances (
    key, instance_id, name, app_id, execution_id, version, born_at_us, scheduled_start_us,
    parent_key, parent_id, parent_app_id, parent_generation, parent_task_id, tags,
    row_version, phase, generation, started_at_us, updated_at_us, custom_status, stalled,
    waits_for, waits_since_us, next_wake_us, history_length, history_bytes, version_name, patches,
    created_at_us, completed_at_us, suspended, held, history_seq, partition
)
SELECT * FROM unnest(
    $1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
    $8::bigint[], $9::bigint[], $10::text[], $11::text[], $12::bigint[], $13::bigint[],
    $14::text[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[],
    $20::text[], $21::text[], $22::text[], $23::bigint[], $24::bigint[], $25::bigint[],
    $26::bigint[], $27::text[], $28::text[], $29::bigint[], $30::bigint[], $31::boolean[],
    $32::boolean[], $33::bigint[], $34::smallint[]
);

-- name: update_heads
UPDATE instances SET
    row_version = new.row_version, phase = new.phase, generation = new.generation,
    started_at_us = new.started_at_us, updated_at_us = new.updated_at_us,
    custom_status = new.custom_status, stalled = new.stalled, waits_for = new.waits_for,
    waits_since_us = new.waits_since_us, next_wake_us = new.next_wake_us,
    history_length = new.history_length, history_bytes = new.history_bytes,
    version_name = new.version_name, patches = new.patches, created_at_us = new.created_at_us,
    completed_at_us = new.completed_at_us,
    suspended = coalesce(new.suspended, instances.suspended),
    held = coalesce(new.held, instances.held), history_seq = new.history_seq
FROM unnest(
    $1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],
    $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[],
    $14::text[], $15::text[], $16::bigint[], $17::bigint[], $18::boolean[], $19::boolean[],
    $20::bigint[]
) AS new (
    key, row_version, phase, generation, started_at_us, updated_at_us, custom_status, stalled,
    waits_for, waits_since_us, next_wake_us, history_length, history_bytes, version_name, patches,
    created_at_us, completed_at_us, suspended, held, history_seq
)
WHERE instances.key = new.key;

-- name: update_flags
UPDATE instances SET
    row_version = new.version,
    suspended = coalesce(new.suspended, instances.suspended),
    held = coalesce(new.held, instances.held), history_seq = new.history_seq
FROM unnest($1::bigint[], $2::bigint[], $3::boolean[], $4::boolean[], $5::bigint[])
    AS new (key, version, suspended, held, history_seq)
WHERE instances.key = new.key;

-- name: insert_tags
INSERT INTO tags (key, tag, value) SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]);

-- name: insert_propagated
INSERT INTO propagated (key, bytes) SELECT * FROM unnest($1::bigint[], $2::bytea[]);

-- name: insert_history
INSERT INTO history (key, seq, kind, event)
SELECT * FROM unnest($1::bigint[], $2::integer[], $3::smallint[], $4::bytea[]);

-- name: insert_inbox
INSERT INTO inbox (seq, key, partition, rank, kind, generation, event)
SELECT * FROM unnest(
    $1::bigint[], $2::bigint[], $3::smallint[], $4::smallint[], $5::smallint[], $6::bigint[],
    $7::bytea[]
);

-- name: take_inbox
DELETE FROM inbox USING unnest($1::bigint[], $2::bigint[]) AS taken (seq, key)
WHERE inbox.seq = taken.seq AND inbox.key = taken.key;

-- name: insert_tasks
INSERT INTO tasks (
    task_row, key, partition, generation, task_id, name, app_id, event, scheduled_at_us, propagated,
    handed_out_at_us, worker, attempts
)
SELECT * FROM unnest(
    $1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[],
    $8::bytea[], $9::bigint[], $10::bytea[], $11::bigint[], $12::text[], $13::bigint[]
);

-- name: insert_ended_tasks
INSERT INTO ended_tasks (
    task_row, key, generation, task_id, name, app_id, scheduled_at_us, handed_out_at_us, worker,
    attempts, finished_at_us, failed
)
SELECT * FROM unnest(
    $1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::bigint[],
    $8::bigint[], $9::text[], $10::bigint[], $11::bigint[], $12::boolean[]
);

-- name: note_tasks
UPDATE tasks SET
    worker = noted.worker, handed_out_at_us = noted.at_us, attempts = attempts + noted.times
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[])
    AS noted (key, generation, task_id, worker, at_us, times)
WHERE tasks.key = noted.key AND tasks.generation = noted.generation
    AND tasks.task_id = noted.task_id;

-- name: note_ended_tasks
UPDATE ended_tasks SET
    worker = noted.worker, handed_out_at_us = noted.at_us, attempts = attempts + noted.times
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[])
    AS noted (key, generation, task_id, worker, at_us, times)
WHERE ended_tasks.task_row = (
    SELECT max(last.task_row) FROM ended_tasks AS last
    WHERE last.key = noted.key AND last.generation = noted.generation
        AND last.task_id = noted.task_id
);

-- name: end_tasks
DELETE FROM tasks
USING unnest(
    $1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[],
    $7::bigint[], $8::boolean[]
) AS ended (key, generation, task_id, worker, at_us, times, finished_at_us, failed)
WHERE tasks.key = ended.key AND tasks.generation = ended.generation
    AND tasks.task_id = ended.task_id
RETURNING tasks.task_row, tasks.key, tasks.generation, tasks.task_id, tasks.name, tasks.app_id,
    tasks.scheduled_at_us, coalesce(ended.at_us, tasks.handed_out_at_us) AS handed_out_at_us,
    coalesce(ended.worker, tasks.worker) AS worker, tasks.attempts + ended.times AS attempts,
    ended.finished_at_us, ended.failed;

-- name: log_ended_tasks
INSERT INTO ended_tasks (
    task_row, key, generation, task_id, name, app_id, scheduled_at_us, handed_out_at_us, worker,
    attempts, finished_at_us, failed
)
SELECT * FROM end_tasks;

-- name: insert_timers
INSERT INTO timers (key, partition, generation, timer_id, fire_at_us)
SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[]);

-- name: delete_timers
DELETE FROM timers
USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS ended (key, generation, timer_id)
WHERE timers.key = ended.key AND timers.generation = ended.generation
    AND timers.timer_id = ended.timer_id;

-- name: insert_lifecycle
INSERT INTO lifecycle (seq, key, kind, at_us, instance_id, name)
SELECT * FROM unnest(
    $1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[]
);

-- name: insert_notes
INSERT INTO notes (note_row, shelf, key, at_us, body, about)
SELECT * FROM unnest(
    $1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::text[]
);

-- name: replace_notes
UPDATE notes SET note_row = new.note_row, at_us = new.at_us, body = new.body, about = new.about
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::text[])
    AS new (note_row, shelf, key, at_us, body, about)
WHERE notes.shelf = new.shelf AND notes.key = new.key;

-- name: delete_notes
DELETE FROM notes USING unnest($1::text[], $2::text[]) AS ended (shelf, key)
WHERE notes.shelf = ended.shelf AND notes.key = ended.key;

-- name: count_commit
INSERT INTO writers (writer, commits) VALUES ($1::uuid, $2::bigint)
ON CONFLICT (writer) DO UPDATE SET commits = excluded.commits, seen = clock_timestamp();

-- How far a writer has committed. It waits for a commit of its that is still under way.
-- name: commits_of
INSERT INTO writers (writer, commits) VALUES ($1::uuid, 0)
ON CONFLICT (writer) DO UPDATE SET seen = clock_timestamp() RETURNING commits;

-- name: forget_writers
DELETE FROM writers WHERE seen < clock_timestamp() - interval '7 days';

-- What other nodes prune just now is left to them.
-- name: prune_lifecycle
DELETE FROM lifecycle WHERE seq IN (
    SELECT seq FROM lifecycle WHERE seq <= $1::bigint ORDER BY seq FOR UPDATE SKIP LOCKED
);

-- name: purge_instances
DELETE FROM instances WHERE key = ANY($1::bigint[]);

-- name: purge_propagated
DELETE FROM propagated WHERE key = ANY($1::bigint[]);

-- name: purge_tags
DELETE FROM tags WHERE key = ANY($1::bigint[]);

-- name: purge_tasks
DELETE FROM tasks WHERE key = ANY($1::bigint[]);

-- name: wipe_histories
DELETE FROM history WHERE key = ANY($1::bigint[]);

-- name: wipe_ended_tasks
DELETE FROM ended_tasks WHERE key = ANY($1::bigint[]);

-- name: wipe_inboxes
DELETE FROM inbox WHERE key = ANY($1::bigint[]);

-- name: wipe_timers
DELETE FROM timers WHERE key = ANY($1::bigint[]);

-- name: give_up_tasks
DELETE FROM tasks WHERE key = ANY($1::bigint[])
RETURNING task_row, key, generation, task_id, name, app_id, scheduled_at_us, handed_out_at_us,
    worker, attempts;

-- name: log_given_up_tasks
INSERT INTO ended_tasks (
    task_row, key, generation, task_id, name, app_id, scheduled_at_us, handed_out_at_us, worker,
    attempts, failed
)
SELECT *, false FROM give_up_tasks;
