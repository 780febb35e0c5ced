-- What the reads ask. Each statement is named by the line above it. {within} is either TRUE or the
-- statement `within`, about the partitions that somebody asks for.
--
-- Numbers that stand for words: the phases 1, 3, 4 and 5 are ends (core.status.TERMINAL), 0 and 6
-- RUNNING and PENDING; an event of kind 5 is an ExecutionTerminated, which has an index of its own.

-- The columns of a Snapshot, in the order that `records.snapshot_of` takes them.
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

-- name: within
({app_id}, {partition}) IN (SELECT * FROM unnest({apps}::text[], {numbers}::smallint[]));

-- name: history
SELECT seq, kind, event FROM history WHERE key = $1 AND seq > $2 ORDER BY seq LIMIT $3;

-- name: inbox
SELECT seq, kind, event, generation, rank FROM inbox WHERE key = $1 ORDER BY rank, seq;

-- name: started_in_history
SELECT event FROM history WHERE key = $1 AND kind = $2 ORDER BY seq LIMIT 1;

-- name: started_in_inbox
SELECT event FROM inbox WHERE key = $1 AND kind = $2 ORDER BY rank, seq LIMIT 1;

-- name: last_in_history
SELECT kind, event FROM history WHERE key = $1 ORDER BY seq DESC LIMIT 1;

-- name: ids
SELECT key, instance_id FROM instances WHERE key > $1 ORDER BY key LIMIT $2;

-- name: children
WHERE parent_key = $1 ORDER BY key;

-- An inbox names an instance once for each event, and is small: it is asked first.
-- name: ready
WITH waiting AS MATERIALIZED (SELECT DISTINCT key FROM inbox WHERE key > $1)
SELECT key, instance_id, name, app_id
FROM waiting JOIN instances USING (key)
WHERE phase NOT IN (1, 3, 4, 5) AND {within} AND (
    NOT (held OR suspended)
    OR EXISTS (SELECT 1 FROM inbox WHERE inbox.key = instances.key AND inbox.kind = 5)
)
ORDER BY key LIMIT $2;

-- name: terminating
WITH waiting AS MATERIALIZED (SELECT DISTINCT key FROM inbox WHERE kind = 5)
SELECT key FROM waiting JOIN instances USING (key)
WHERE phase NOT IN (1, 3, 4, 5) AND {within}
ORDER BY key;

-- Only the running and the pending are asked: all others have a reason to stand still.
-- name: stuck
SELECT key, instance_id, name, app_id
FROM instances
WHERE status IN (0, 6) AND waits_for <> $1
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
ORDER BY key LIMIT $2;

-- name: tasks
SELECT task_row, tasks.key, instance_id, suspended, tasks.generation, task_id, tasks.name,
    tasks.app_id, event, scheduled_at_us, tasks.propagated, handed_out_at_us, worker, attempts,
    NULL::bigint, false
FROM tasks JOIN instances ON instances.key = tasks.key
WHERE task_row > $1 AND {within} ORDER BY task_row LIMIT $2;

-- name: tasks_of
SELECT task_row, tasks.key, instance_id, suspended, tasks.generation, task_id, tasks.name,
    tasks.app_id, event, scheduled_at_us, tasks.propagated, handed_out_at_us, worker, attempts,
    NULL::bigint AS finished_at_us, false AS failed
FROM tasks JOIN instances ON instances.key = tasks.key
WHERE tasks.key = $1
UNION ALL
SELECT task_row, ended_tasks.key, instance_id, suspended, ended_tasks.generation, task_id,
    ended_tasks.name, ended_tasks.app_id, ''::bytea, scheduled_at_us, NULL, handed_out_at_us, worker,
    attempts, finished_at_us, failed
FROM ended_tasks JOIN instances ON instances.key = ended_tasks.key
WHERE ended_tasks.key = $1
ORDER BY task_row;

-- name: due_timers
SELECT key, generation, timer_id, fire_at_us FROM timers WHERE fire_at_us <= $1
ORDER BY fire_at_us, key, generation, timer_id LIMIT $2;

-- name: due_timers_within
SELECT timers.key, timers.generation, timer_id, fire_at_us, app_id, timers.partition
FROM timers JOIN instances ON instances.key = timers.key
WHERE fire_at_us <= $1 AND {within}
ORDER BY fire_at_us, timers.key, timers.generation, timer_id LIMIT $2;

-- name: next_timer
SELECT min(fire_at_us) FROM timers;

-- name: next_timer_within
SELECT fire_at_us FROM timers JOIN instances ON instances.key = timers.key
WHERE {within} ORDER BY fire_at_us LIMIT 1;

-- name: expired
SELECT key FROM instances WHERE phase = $1 AND completed_at_us < $2
ORDER BY completed_at_us, key LIMIT $3;

-- name: oldest_completed
SELECT min(completed_at_us) FROM instances WHERE phase = $1 AND completed_at_us IS NOT NULL;

-- name: counts
SELECT status, count(*) FROM instances GROUP BY status;

-- name: name_counts
SELECT name, count(*) FROM instances GROUP BY name;

-- What has been given out, and where the first commit that is still under way began (learning.sql):
-- what lies before both is there for good, while rows beyond may come in any order. They are asked
-- one after the other, and both before the rows.
-- name: lifecycle_given
SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END FROM lifecycle_seqs;

-- name: lifecycle_marks
SELECT min((classid::bigint << 32 | objid::bigint) & 281474976710655)
FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = $1::bigint >> 48
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database());

-- name: lifecycle
SELECT seq, key, kind, at_us, instance_id, name FROM lifecycle WHERE seq > $1 AND seq <= $2
ORDER BY seq LIMIT $3;

-- name: note
SELECT note_row, shelf, key, at_us, body, about FROM notes WHERE shelf = $1 AND key = $2;

-- name: notes
SELECT note_row, shelf, key, at_us, body, about FROM notes
WHERE shelf = $1 AND (at_us, note_row) > ($2::bigint, $3::bigint) ORDER BY at_us, note_row LIMIT $4;

-- name: notes_about
SELECT note_row, shelf, key, at_us, body, about FROM notes
WHERE shelf = $1 AND about = $2 AND note_row > $3 ORDER BY note_row LIMIT $4;

-- name: notes_before
SELECT key, about FROM notes WHERE shelf = $1 AND at_us < $2 ORDER BY at_us, note_row LIMIT $3;

-- name: oldest_note
SELECT min(at_us) FROM notes WHERE shelf = $1;

-- name: note_count
SELECT count(*) FROM notes WHERE shelf = $1;

-- name: note_counts
SELECT about, count(*) FROM notes WHERE shelf = $1 AND about IS NOT NULL GROUP BY about;

-- name: page
{columns} WHERE {condition} ORDER BY {order} LIMIT ?;
