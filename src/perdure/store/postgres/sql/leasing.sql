-- What is asked and written about nodes and leases. The clock is the server's, in microseconds. Rows
-- of several leases are always locked in the same order, so that nobody waits in a ring.

-- name: report
WITH now AS (
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS us
), gone AS (
    DELETE FROM nodes USING now WHERE expires_at_us <= now.us AND node <> $1::text
), there AS (
    INSERT INTO nodes (node, name, apps, expires_at_us)
    SELECT $1::text, $2::text, $3::text[], now.us + $4::bigint FROM now
    ON CONFLICT (node) DO UPDATE SET
        name = excluded.name, apps = excluded.apps, expires_at_us = excluded.expires_at_us
), held AS MATERIALIZED (
    SELECT leases.app_id, leases.number, leases.term
    FROM unnest($5::text[], $6::smallint[], $7::bigint[]) AS asked (app_id, number, term)
    JOIN leases USING (app_id, number, term)
    WHERE leases.node = $1::text
    ORDER BY leases.app_id, leases.number FOR NO KEY UPDATE OF leases
)
UPDATE leases SET expires_at_us = now.us + $4::bigint FROM held, now
WHERE leases.app_id = held.app_id AND leases.number = held.number
RETURNING leases.app_id, leases.number, leases.term;

-- name: now
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;

-- name: members
SELECT node, name, apps FROM nodes WHERE expires_at_us > $1::bigint ORDER BY node;

-- name: leases
SELECT app_id, number, term, node, expires_at_us FROM leases ORDER BY app_id, number;

-- A lease that a transaction holds is left out: its holder is committing, or stands still in the middle
-- of it. Who claims comes again, and must not wait, since it would not renew its own leases meanwhile.
-- name: claim
WITH asked AS (
    SELECT app_id, number FROM unnest($3::text[], $4::smallint[]) AS asked (app_id, number)
), free AS MATERIALIZED (
    SELECT leases.app_id, leases.number
    FROM asked JOIN leases USING (app_id, number)
    WHERE leases.node IS NULL OR leases.node = $1::text
        OR leases.expires_at_us <= (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
    ORDER BY leases.app_id, leases.number FOR NO KEY UPDATE OF leases SKIP LOCKED
), taken AS (
    UPDATE leases SET
        term = leases.term + 1, node = $1::text,
        expires_at_us = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $2::bigint
    FROM free WHERE leases.app_id = free.app_id AND leases.number = free.number
    RETURNING leases.app_id, leases.number, leases.term
), made AS (
    INSERT INTO leases (app_id, number, term, node, expires_at_us)
    SELECT app_id, number, 1, $1::text,
        (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $2::bigint
    FROM asked
    WHERE NOT EXISTS (
        SELECT FROM leases WHERE (leases.app_id, leases.number) = (asked.app_id, asked.number)
    )
    ORDER BY app_id, number
    ON CONFLICT (app_id, number) DO NOTHING
    RETURNING app_id, number, term
)
SELECT app_id, number, term FROM taken UNION ALL SELECT app_id, number, term FROM made;

-- name: release
WITH held AS MATERIALIZED (
    SELECT leases.app_id, leases.number
    FROM unnest($2::text[], $3::smallint[], $4::bigint[]) AS asked (app_id, number, term)
    JOIN leases USING (app_id, number, term)
    WHERE leases.node = $1::text
    ORDER BY leases.app_id, leases.number FOR NO KEY UPDATE OF leases
), given_back AS (
    UPDATE leases SET node = NULL FROM held
    WHERE leases.app_id = held.app_id AND leases.number = held.number
)
SELECT pg_notify($5::text, $6::text);

-- name: leave
WITH gone AS (
    DELETE FROM nodes WHERE node = $1::text
), held AS MATERIALIZED (
    SELECT app_id, number FROM leases WHERE node = $1::text
    ORDER BY app_id, number FOR NO KEY UPDATE
), given_back AS (
    UPDATE leases SET node = NULL FROM held
    WHERE leases.app_id = held.app_id AND leases.number = held.number
)
SELECT pg_notify($2::text, $3::text);

-- name: there
SELECT DISTINCT name FROM nodes
WHERE expires_at_us > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint ORDER BY name;

-- name: notify
SELECT pg_notify($1::text, $2::text);
