-- What is asked and written when instances move from one store to another. A range of instances is
-- the keys after $1 up to $2.

-- name: last_of_few
SELECT max(key) FROM (
    SELECT key, sum(history_bytes) OVER (ORDER BY key) - history_bytes AS bytes_before
    FROM (
        SELECT key, history_bytes FROM instances WHERE key > $1 ORDER BY key LIMIT $2
    ) AS next
) AS summed WHERE bytes_before <= $3;

-- name: range
WHERE key > $1 AND key <= $2 ORDER BY key;

-- name: history_of_range
SELECT key, seq, kind, event FROM history WHERE key > $1 AND key <= $2 ORDER BY key, seq;

-- name: inbox_of_range
SELECT key, seq, kind, event, generation, rank FROM inbox
WHERE key > $1 AND key <= $2 ORDER BY key, rank, seq;

-- name: tasks_of_range
SELECT task_row, tasks.key, instance_id, suspended, tasks.generation, task_id, tasks.name,
    tasks.app_id, event, scheduled_at_us, propagated, handed_out_at_us, worker, attempts,
    NULL::bigint, false
FROM tasks JOIN instances ON instances.key = tasks.key
WHERE tasks.key > $1 AND tasks.key <= $2 ORDER BY tasks.key, task_row;

-- name: ended_tasks_of_range
SELECT task_row, ended_tasks.key, instance_id, suspended, ended_tasks.generation, task_id,
    ended_tasks.name, ended_tasks.app_id, ''::bytea, scheduled_at_us, NULL::bytea,
    handed_out_at_us, worker, attempts, finished_at_us, failed
FROM ended_tasks JOIN instances ON instances.key = ended_tasks.key
WHERE ended_tasks.key > $1 AND ended_tasks.key <= $2 ORDER BY ended_tasks.key, task_row;

-- name: timers_of_range
SELECT key, generation, timer_id, fire_at_us FROM timers
WHERE key > $1 AND key <= $2 ORDER BY key, generation, timer_id;

-- name: notes_by_row
SELECT note_row, shelf, key, at_us, body, about FROM notes WHERE note_row > $1
ORDER BY note_row LIMIT $2;

-- name: taken_ids
SELECT instance_id FROM instances WHERE instance_id = ANY($1::text[]);

-- Changing a sequence keeps others from drawing numbers, and waits for those who have, until the
-- transaction ends.
-- name: hold_sequences
ALTER SEQUENCE instance_keys CACHE 1;
ALTER SEQUENCE inbox_seqs CACHE 1;
ALTER SEQUENCE task_rows CACHE 1;
ALTER SEQUENCE lifecycle_seqs CACHE 1;
ALTER SEQUENCE note_rows CACHE 1;

-- name: reserve
SELECT setval($1::text::regclass, $2::bigint);

-- name: put_lifecycle
INSERT INTO lifecycle (seq, key, kind, at_us, instance_id, name)
SELECT * FROM unnest(
    $1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[]
)
ON CONFLICT DO NOTHING;

-- name: put_notes
INSERT INTO notes (note_row, shelf, key, at_us, body, about)
SELECT * FROM unnest(
    $1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::text[]
)
ON CONFLICT DO NOTHING;
