-- What is asked and written when instances move from one store to another. A range of instances is
-- the keys after ?1 up to ?2.

-- name: last_of_few
SELECT max(key) FROM (
    SELECT key, sum(history_bytes) OVER (ORDER BY key) - history_bytes AS bytes_before
    FROM (SELECT key, history_bytes FROM instances WHERE key > ? ORDER BY key LIMIT ?)
) WHERE bytes_before <= ?;

-- name: history_of_range
SELECT place >> 24, place & 0xffffff, kind, event FROM history
WHERE place BETWEEN (?1 + 1) << 24 AND (?2 << 24 | 0xffffff) ORDER BY place;

-- name: inbox_of_range
SELECT key, seq, kind, event, generation, rank FROM inbox
WHERE key > ?1 AND key <= ?2 ORDER BY key, rank, seq;

-- name: tasks_of_range
SELECT task_row, tasks.key, instance_id, suspended, tasks.generation, task_id, tasks.name,
    tasks.app_id, event, scheduled_at_us, propagated, handed_out_at_us, worker, attempts, NULL, 0
FROM tasks INDEXED BY tasks_by_name CROSS JOIN instances ON instances.key = tasks.key
WHERE tasks.key > ?1 AND tasks.key <= ?2 ORDER BY tasks.key, task_row;

-- name: ended_tasks_of_range
SELECT task_row, ended_tasks.key, instance_id, suspended, ended_tasks.generation, task_id,
    ended_tasks.name, ended_tasks.app_id, x'', scheduled_at_us, NULL, handed_out_at_us, worker,
    attempts, finished_at_us, failed
FROM ended_tasks INDEXED BY ended_tasks_by_name
CROSS JOIN instances ON instances.key = ended_tasks.key
WHERE ended_tasks.key > ?1 AND ended_tasks.key <= ?2 ORDER BY ended_tasks.key, task_row;

-- name: timers_of_range
SELECT key, generation, timer_id, fire_at_us FROM timers
WHERE key > ?1 AND key <= ?2 ORDER BY key, generation, timer_id;

-- name: notes_by_row
SELECT note_row, shelf, key, at_us, body, about FROM notes WHERE note_row > ?
ORDER BY note_row LIMIT ?;

-- name: taken_ids
SELECT instance_id FROM instances WHERE instance_id IN (SELECT value FROM json_each(?));

-- name: put_task
INSERT INTO tasks (
    task_row, key, generation, task_id, name, app_id, event, scheduled_at_us, propagated,
    handed_out_at_us, worker, attempts
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: put_ended_task
INSERT INTO ended_tasks (
    task_row, key, generation, task_id, name, app_id, scheduled_at_us, handed_out_at_us, worker,
    attempts, finished_at_us, failed
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: put_lifecycle
INSERT OR IGNORE INTO lifecycle (seq, key, kind, at_us, instance_id, name)
VALUES (?, ?, ?, ?, ?, ?);

-- name: put_note
INSERT OR IGNORE INTO notes (note_row, shelf, key, at_us, body, about)
VALUES (?, ?, ?, ?, ?, ?);
