-- What is asked and written about the version of the schema.

-- Asked of the tables themselves: what a session believes of names can be older than a lock that it
-- has waited for.
-- name: is_there
SELECT EXISTS (
    SELECT 1 FROM pg_catalog.pg_class AS tables
    JOIN pg_catalog.pg_namespace AS schemas ON schemas.oid = tables.relnamespace
    WHERE schemas.nspname = $1::text AND tables.relname = 'migrations'
);

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
