-- What a commit asks and writes. Each statement is named by the line above it.

-- name: counters
SELECT key, inbox_seq, task_row, lifecycle_seq, note_row FROM counters;

-- name: update_counters
UPDATE counters SET key = ?, inbox_seq = ?, task_row = ?, lifecycle_seq = ?, note_row = ?;

-- Whether numbers are in use beyond the counters, as they never are in a file that is whole.
-- name: numbers_beyond_counters
SELECT ifnull((SELECT max(key) FROM instances), 0) > key
    OR ifnull((SELECT max(seq) FROM inbox), 0) > inbox_seq
    OR ifnull((SELECT max(task_row) FROM tasks), 0) > task_row
    OR ifnull((SELECT max(seq) FROM lifecycle), 0) > lifecycle_seq
    OR ifnull((SELECT max(note_row) FROM notes), 0) > counters.note_row
FROM counters;

-- name: known_instances
SELECT key, row_version, phase, created_at_us, completed_at_us, ifnull((
        SELECT place & 0xffffff FROM history
        WHERE place BETWEEN (instances.key << 24) AND (instances.key << 24 | 0xffffff)
        ORDER BY place DESC LIMIT 1
    ), 0)
FROM instances WHERE key IN (SELECT value FROM json_each(?));

-- name: bearer
SELECT key FROM instances WHERE instance_id = ?;

-- name: bearers
SELECT instance_id, key FROM instances WHERE instance_id IN (SELECT value FROM json_each(?));

-- name: open_task
SELECT task_row FROM tasks WHERE key = ? AND generation = ? AND task_id = ?;

-- name: open_timer
SELECT 1 FROM timers WHERE key = ? AND generation = ? AND timer_id = ?;

-- name: insert_instance
INSERT INTO instances (
    key, instance_id, name, app_id, execution_id, version, born_at_us, scheduled_start_us,
    parent_key, parent_id, parent_app_id, parent_generation, parent_task_id, tags,
    row_version, phase, generation, started_at_us, updated_at_us, custom_status, stalled,
    waits_for, waits_since_us, next_wake_us, history_length, history_bytes, version_name, patches,
    created_at_us, completed_at_us, suspended, held
) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?);

-- What most turns change. Columns that are not named here cost no index anything.
-- name: update_head
UPDATE instances SET
    row_version = ?, phase = ?, generation = ?, started_at_us = ?, updated_at_us = ?,
    custom_status = ?, stalled = ?, waits_for = ?, waits_since_us = ?, next_wake_us = ?,
    history_length = ?, history_bytes = ?, version_name = ?, patches = ?
WHERE key = ?;

-- What the turn that ends an instance changes besides.
-- name: update_head_and_end
UPDATE instances SET
    row_version = ?, phase = ?, generation = ?, started_at_us = ?, updated_at_us = ?,
    custom_status = ?, stalled = ?, waits_for = ?, waits_since_us = ?, next_wake_us = ?,
    history_length = ?, history_bytes = ?, version_name = ?, patches = ?,
    completed_at_us = ?
WHERE key = ?;

-- name: update_head_and_moments
UPDATE instances SET
    row_version = ?, phase = ?, generation = ?, started_at_us = ?, updated_at_us = ?,
    custom_status = ?, stalled = ?, waits_for = ?, waits_since_us = ?, next_wake_us = ?,
    history_length = ?, history_bytes = ?, version_name = ?, patches = ?,
    created_at_us = ?, completed_at_us = ?
WHERE key = ?;

-- name: update_flags
UPDATE instances SET suspended = ifnull(?, suspended), held = ifnull(?, held) WHERE key = ?;

-- name: insert_propagated
INSERT INTO propagated (key, bytes) VALUES (?, ?);

-- name: insert_tag
INSERT INTO tags (key, tag, value) VALUES (?, ?, ?);

-- name: insert_history
INSERT INTO history (place, kind, event) VALUES (?, ?, ?);

-- name: wipe_history
DELETE FROM history WHERE place BETWEEN (?1 << 24) AND (?1 << 24 | 0xffffff);

-- name: insert_inbox
INSERT INTO inbox (seq, key, rank, kind, generation, event) VALUES (?, ?, ?, ?, ?, ?);

-- name: take_inbox
DELETE FROM inbox WHERE seq = ? AND key = ?;

-- What came later than the wipe stays.
-- name: wipe_inbox
DELETE FROM inbox WHERE key = ? AND seq <= ?;

-- name: insert_task
INSERT INTO tasks (
    task_row, key, generation, task_id, name, app_id, event, scheduled_at_us, propagated, attempts
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0);

-- name: note_task
UPDATE tasks SET worker = ?, handed_out_at_us = ?, attempts = attempts + 1
WHERE key = ? AND generation = ? AND task_id = ?;

-- name: note_ended_task
UPDATE ended_tasks SET worker = ?1, handed_out_at_us = ?2, attempts = attempts + 1
WHERE task_row = (
    SELECT max(task_row) FROM ended_tasks WHERE key = ?3 AND generation = ?4 AND task_id = ?5
) AND NOT EXISTS (SELECT 1 FROM tasks WHERE key = ?3 AND generation = ?4 AND task_id = ?5);

-- name: log_ended_task
INSERT INTO ended_tasks
SELECT task_row, key, generation, task_id, name, app_id, scheduled_at_us, handed_out_at_us, worker,
    attempts, ?, ?
FROM tasks WHERE task_row = ?;

-- The same with a note of the last hand-out.
-- name: log_noted_task
INSERT INTO ended_tasks
SELECT task_row, key, generation, task_id, name, app_id, scheduled_at_us, column1, column2,
    attempts + 1, column3, column4
FROM (VALUES (?, ?, ?, ?, ?)) CROSS JOIN tasks ON task_row = column5;

-- name: delete_task
DELETE FROM tasks WHERE task_row IN (VALUES (?));

-- name: log_given_up_tasks
INSERT INTO ended_tasks
SELECT task_row, key, generation, task_id, name, app_id, scheduled_at_us, handed_out_at_us, worker,
    attempts, NULL, 0
FROM tasks WHERE key = ? AND task_row <= ?;

-- name: wipe_tasks
DELETE FROM tasks WHERE key = ? AND task_row <= ?;

-- name: wipe_ended_tasks
DELETE FROM ended_tasks WHERE key = ?;

-- name: insert_timer
INSERT INTO timers (key, generation, timer_id, fire_at_us) VALUES (?, ?, ?, ?);

-- name: delete_timer
DELETE FROM timers WHERE key = ? AND generation = ? AND timer_id = ?;

-- name: wipe_timers
DELETE FROM timers WHERE key IN (VALUES (?));

-- name: insert_lifecycle
INSERT INTO lifecycle (seq, key, kind, at_us, instance_id, name) VALUES (?, ?, ?, ?, ?, ?);

-- name: prune_lifecycle
DELETE FROM lifecycle WHERE seq <= ?;

-- name: purge_instance
DELETE FROM instances WHERE key = ?;

-- name: purge_propagated
DELETE FROM propagated WHERE key = ?;

-- name: purge_tags
DELETE FROM tags WHERE key = ?;

-- name: purge_inbox
DELETE FROM inbox WHERE key = ?;

-- name: purge_tasks
DELETE FROM tasks WHERE key = ?;
