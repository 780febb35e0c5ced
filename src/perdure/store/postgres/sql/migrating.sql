-- What is asked and written about the version of the schema.

-- name: is_there
SELECT to_regclass('migrations') IS NOT NULL;

-- name: version
SELECT coalesce(max(number), 0)::integer,
    coalesce((array_agg(runs_from ORDER BY number DESC))[1], 0)::integer
FROM migrations;

-- name: lock
SELECT pg_advisory_xact_lock(hashtextextended('perdure.migrations.' || $1::text, 0));

-- name: create
-- `runs_from` is how many migrations a program has to know to run on it.
CREATE SCHEMA IF NOT EXISTS {schema};
CREATE TABLE migrations (
    number    integer     PRIMARY KEY,
    runs_from integer     NOT NULL,
    at        timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- name: done
INSERT INTO migrations (number, runs_from) VALUES ($1::integer, $2::integer);
