-- What a commit asks before it writes. Each statement is named by the line above it.
--
-- All but the first are put together into one SELECT, in which each is a column. They follow the
-- first in a statement of their own, since they are to see what others did who held the locks.

-- Others that would change one of these instances wait until the commit has ended. Since they are
-- locked in the order of keys, two commits do not wait for each other.
-- name: lock_instances
SELECT key, row_version, phase, created_at_us, completed_at_us, history_seq, partition, instance_id,
    app_id
FROM instances WHERE key = ANY($1::bigint[]) OR instance_id = ANY($2::text[])
ORDER BY key FOR UPDATE;

-- Ids that nobody bore when the instances were locked, and somebody does now.
-- name: born
array(SELECT instance_id FROM instances WHERE instance_id = ANY($1::text[]));

-- Which of the named activities have not ended, counted from 1.
-- name: open_tasks
array(
    SELECT place
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
        WITH ORDINALITY AS asked (key, generation, task_id, place)
    JOIN tasks USING (key, generation, task_id)
);

-- name: open_timers
array(
    SELECT place
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
        WITH ORDINALITY AS asked (key, generation, timer_id, place)
    JOIN timers USING (key, generation, timer_id)
);

-- name: notes
array(
    SELECT place
    FROM (
        SELECT place
        FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked (shelf, key, place)
        JOIN notes USING (shelf, key)
        ORDER BY shelf, key FOR UPDATE OF notes
    ) AS locked
);

-- The last number of each kind that was given out.
-- name: counters
array[
    (SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END FROM instance_keys),
    (SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END FROM inbox_seqs),
    (SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END FROM task_rows),
    (SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END FROM lifecycle_seqs),
    (SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END FROM note_rows)
];

-- Tells readers of the lifecycle table that its rows beyond this number may come in any order.
-- name: lifecycle_mark
(SELECT pg_advisory_xact_lock_shared($1::bigint | last_value) IS NULL FROM lifecycle_seqs);

-- Which of the named terms still run. Nobody can end them until the commit has.
-- name: terms
array(
    SELECT place
    FROM (
        SELECT place
        FROM unnest($1::text[], $2::smallint[], $3::bigint[])
            WITH ORDINALITY AS asked (app_id, number, term, place)
        JOIN leases USING (app_id, number, term)
        WHERE leases.node IS NOT NULL
        ORDER BY app_id, number FOR SHARE OF leases
    ) AS locked
);

-- The same, for who only wants to know.
-- name: held
array(
    SELECT place
    FROM unnest($1::text[], $2::smallint[], $3::bigint[])
        WITH ORDINALITY AS asked (app_id, number, term, place)
    JOIN leases USING (app_id, number, term)
    WHERE leases.node IS NOT NULL
);

-- Who runs activities of these instances; asked where all of them have to hear of it.
-- name: tasks_of_all
SELECT key, generation, task_id, app_id FROM tasks WHERE key = ANY($1::bigint[]);

-- New numbers of each kind, as many as are asked for.
-- name: key
array(SELECT nextval('instance_keys') FROM generate_series(1, $1::bigint));

-- name: inbox_seq
array(SELECT nextval('inbox_seqs') FROM generate_series(1, $1::bigint));

-- name: task_row
array(SELECT nextval('task_rows') FROM generate_series(1, $1::bigint));

-- name: lifecycle_seq
array(SELECT nextval('lifecycle_seqs') FROM generate_series(1, $1::bigint));

-- name: note_row
array(SELECT nextval('note_rows') FROM generate_series(1, $1::bigint));
