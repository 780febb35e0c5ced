-- What is set for, and asked of, each connection.

-- A commit is on disk when it is told, whatever the server's default is.
-- name: set_up
SELECT
    set_config('search_path', $1::text, false),
    set_config('lock_timeout', $2::text, false),
    set_config('idle_in_transaction_session_timeout', $3::text, false),
    set_config('application_name', 'perdure', false),
    set_config('client_min_messages', 'error', false),
    set_config('timezone', 'UTC', false),
    set_config('jit', 'off', false),
    set_config(
        'synchronous_commit',
        CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
            ELSE current_setting('synchronous_commit') END,
        false
    );

-- name: server
SELECT
    current_setting('server_version_num')::integer, current_setting('server_encoding'),
    current_setting('fsync'), current_setting('full_page_writes'), pg_backend_pid(),
    current_setting('server_version');

-- For the connection that writes. A plan once made is good for any number of values: they come as
-- arrays. It may be made while the tables are still empty, and reading a whole table would then look
-- cheap; all that is written is found by an index.
-- name: plan_once
SELECT
    set_config('plan_cache_mode', 'force_generic_plan', false),
    set_config('enable_seqscan', 'off', false),
    set_config('enable_hashjoin', 'off', false),
    set_config('enable_mergejoin', 'off', false);

-- What tells one backend from all that this server, or another one, ever had.
-- name: this_backend
SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid();

-- Ends a backend whose client has gone, so that what it has locked is free.
-- name: end_backend
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid = $1::integer AND backend_start = $2::timestamptz;

-- name: backend
SELECT pg_backend_pid();
