-- Every row of every table but `instances`, in a canonical order. Each statement is named after
-- what the rows are called in a dump.

-- name: tag
SELECT key, tag, value FROM tags ORDER BY key, tag;

-- name: history
SELECT key, seq, kind, event FROM history ORDER BY key, seq;

-- name: inbox
SELECT key, seq, kind, event, generation, rank FROM inbox ORDER BY key, rank, seq;

-- name: task
SELECT key, task_row, generation, task_id, name, app_id, event, scheduled_at_us, propagated,
    handed_out_at_us, worker, attempts, NULL::bigint, false
FROM tasks ORDER BY key, task_row;

-- name: ended task
SELECT key, task_row, generation, task_id, name, app_id, ''::bytea, scheduled_at_us, NULL::bytea,
    handed_out_at_us, worker, attempts, finished_at_us, failed
FROM ended_tasks ORDER BY key, task_row;

-- name: timer
SELECT key, generation, timer_id, fire_at_us FROM timers ORDER BY key, generation, timer_id;

-- name: lifecycle
SELECT seq, key, kind, at_us, instance_id, name FROM lifecycle ORDER BY seq;

-- name: note
SELECT note_row, shelf, key, at_us, body, about FROM notes ORDER BY note_row;
