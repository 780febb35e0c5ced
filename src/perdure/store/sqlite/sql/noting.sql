-- Notes: what a commit asks and writes, and what the reads ask.

-- name: has_note
SELECT 1 FROM notes WHERE shelf = ? AND key = ?;

-- name: delete_note
DELETE FROM notes WHERE shelf = ? AND key = ?;

-- name: insert_note
INSERT INTO notes (note_row, shelf, key, at_us, body, about) VALUES (?, ?, ?, ?, ?, ?);

-- name: note
SELECT note_row, shelf, key, at_us, body, about FROM notes WHERE shelf = ? AND key = ?;

-- name: notes
SELECT note_row, shelf, key, at_us, body, about FROM notes INDEXED BY notes_by_moment
WHERE shelf = ?1 AND at_us >= ?2 AND (at_us > ?2 OR note_row > ?3)
ORDER BY at_us, note_row LIMIT ?4;

-- name: notes_about
SELECT note_row, shelf, key, at_us, body, about FROM notes INDEXED BY notes_by_subject
WHERE shelf = ? AND about = ? AND note_row > ? ORDER BY note_row LIMIT ?;

-- name: notes_before
SELECT key, about FROM notes INDEXED BY notes_by_moment WHERE shelf = ? AND at_us < ?
ORDER BY at_us, note_row LIMIT ?;

-- name: oldest_note
SELECT min(at_us) FROM notes INDEXED BY notes_by_moment WHERE shelf = ?;

-- name: note_count
SELECT count(*) FROM notes INDEXED BY notes_by_moment WHERE shelf = ?;

-- name: note_counts
SELECT about, count(*) FROM notes INDEXED BY notes_by_subject
WHERE shelf = ? AND about IS NOT NULL GROUP BY about;
