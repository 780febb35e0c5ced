-- What the reads ask. Each statement is named by the line above it.
--
-- Numbers that stand for words: the phases 1, 3, 4 and 5 are ends (core.status.TERMINAL), 0 and 6
-- RUNNING and PENDING; an event of kind 5 is an ExecutionTerminated, which has an index of its own.

-- The columns of a Snapshot, in the order that `rows.snapshot_of` takes them.
-- name: snapshot_columns
SELECT
    key, row_version, suspended, held, status,
    (SELECT count(*) FROM inbox WHERE inbox.key = instances.key),
    instance_id, name, app_id, execution_id, version, born_at_us, scheduled_start_us,
    parent_key, parent_id, parent_app_id, parent_generation, parent_task_id, tags,
    (SELECT bytes FROM propagated WHERE propagated.key = instances.key),
    phase, generation, created_at_us, started_at_us, updated_at_us, completed_at_us,
    custom_status, stalled, waits_for, waits_since_us, next_wake_us, history_length,
    history_bytes, version_name, patches
FROM instances;

-- name: history
SELECT place & 0xffffff, kind, event FROM history
WHERE place BETWEEN (?1 << 24) + 1 + ?2 AND (?1 << 24 | 0xffffff)
ORDER BY place LIMIT ?3;

-- name: inbox
SELECT seq, kind, event, generation, rank FROM inbox WHERE key = ? ORDER BY rank, seq;

-- name: started_in_history
SELECT event FROM history
WHERE place BETWEEN (?1 << 24) AND (?1 << 24 | 0xffffff) AND kind = ?2
ORDER BY place LIMIT 1;

-- name: started_in_inbox
SELECT event FROM inbox WHERE key = ? AND kind = ? ORDER BY rank, seq LIMIT 1;

-- name: last_in_history
SELECT kind, event FROM history
WHERE place BETWEEN (?1 << 24) AND (?1 << 24 | 0xffffff)
ORDER BY place DESC LIMIT 1;

-- name: ids
SELECT key, instance_id FROM instances WHERE key > ? ORDER BY key LIMIT ?;

-- An inbox names an instance once for each event; each is looked at once, in the order of keys.
-- name: ready
SELECT key, instance_id, name, app_id
FROM (SELECT DISTINCT key AS ready_key FROM inbox WHERE key > ?1 ORDER BY key)
CROSS JOIN instances ON instances.key = ready_key
WHERE phase NOT IN (1, 3, 4, 5) AND (
    NOT (held OR suspended)
    OR EXISTS (SELECT 1 FROM inbox WHERE inbox.key = ready_key AND inbox.kind = 5)
)
LIMIT ?2;

-- name: terminating
SELECT DISTINCT inbox.key
FROM inbox INDEXED BY inbox_terminations CROSS JOIN instances ON instances.key = inbox.key
WHERE inbox.kind = 5 AND phase NOT IN (1, 3, 4, 5)
ORDER BY inbox.key;

-- name: place
SELECT app_id, instance_id FROM instances WHERE key = ?;

-- Only the running and the pending are asked: all others have a reason to stand still.
-- name: stuck
SELECT key, instance_id, name, app_id
FROM instances INDEXED BY instances_by_status
WHERE status IN (0, 6) AND waits_for <> ?1
    AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.key = instances.key)
    AND NOT EXISTS (SELECT 1 FROM timers WHERE timers.key = instances.key)
    AND NOT EXISTS (
        SELECT 1 FROM inbox
        WHERE inbox.key = instances.key AND (NOT instances.held OR inbox.kind = 5)
    )
    AND NOT EXISTS (
        SELECT 1 FROM instances AS child
        WHERE child.parent_key = instances.key AND child.phase NOT IN (1, 3, 4, 5)
    )
ORDER BY key LIMIT ?2;

-- name: tasks
SELECT task_row, tasks.key, instance_id, suspended, tasks.generation, task_id, tasks.name,
    tasks.app_id, event, scheduled_at_us, propagated, handed_out_at_us, worker, attempts, NULL, 0
FROM tasks CROSS JOIN instances ON instances.key = tasks.key
WHERE task_row > ? ORDER BY task_row LIMIT ?;

-- name: tasks_of
SELECT task_row, tasks.key, instance_id, suspended, tasks.generation, task_id, tasks.name,
    tasks.app_id, event, scheduled_at_us, propagated, handed_out_at_us, worker, attempts, NULL, 0
FROM tasks CROSS JOIN instances ON instances.key = tasks.key
WHERE tasks.key = ?1
UNION ALL
SELECT task_row, ended_tasks.key, instance_id, suspended, ended_tasks.generation, task_id,
    ended_tasks.name, ended_tasks.app_id, x'', scheduled_at_us, NULL, handed_out_at_us, worker,
    attempts, finished_at_us, failed
FROM ended_tasks CROSS JOIN instances ON instances.key = ended_tasks.key
WHERE ended_tasks.key = ?1
ORDER BY task_row;

-- name: due_timers
SELECT key, generation, timer_id, fire_at_us FROM timers WHERE fire_at_us <= ?
ORDER BY fire_at_us, key, generation, timer_id LIMIT ?;

-- name: placed_timers
SELECT timers.key, timers.generation, timer_id, fire_at_us, app_id, instance_id
FROM timers CROSS JOIN instances ON instances.key = timers.key
WHERE fire_at_us <= ?
ORDER BY fire_at_us, timers.key, timers.generation, timer_id;

-- name: next_timer
SELECT min(fire_at_us) FROM timers;

-- name: expired
SELECT key FROM instances WHERE phase = ? AND completed_at_us < ?
ORDER BY completed_at_us, key LIMIT ?;

-- name: oldest_completed
SELECT min(completed_at_us) FROM instances WHERE phase = ? AND completed_at_us IS NOT NULL;

-- name: counts
SELECT status, count(*) FROM instances GROUP BY status;

-- name: name_counts
SELECT name, count(*) FROM instances GROUP BY name;

-- name: lifecycle
SELECT seq, key, kind, at_us, instance_id, name FROM lifecycle WHERE seq > ?
ORDER BY seq LIMIT ?;
