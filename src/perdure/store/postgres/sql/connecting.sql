-- What is set for, and asked of, each connection.

-- A commit is on disk when it is told, whatever the server's default is. The tables of what is still
-- to be done are large at one moment and empty at the next. A plan that was made while they were empty,
-- and kept, reads them whole for every row of a batch later on; so each statement is planned for the
-- tables and values as they are. A client that says nothing more in the middle of a transaction is let
-- go of after a while, and so is one that takes nothing more of an answer: what it has locked is free.
-- name: set_up
SELECT
    set_config('search_path', $1::text, false),
    set_config('lock_timeout', $2::text, false),
    set_config('idle_in_transaction_session_timeout', $3::text, false),
    set_config('tcp_user_timeout', $3::text, false),
    set_config('application_name', 'perdure', false),
    set_config('client_min_messages', 'error', false),
    set_config('timezone', 'UTC', false),
    set_config('jit', 'off', false),
    set_config('plan_cache_mode', 'force_custom_plan', false),
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

-- What tells one backend from all that this server, or another one, ever had.
-- name: this_backend
SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid();

-- Ends a backend whose client has gone, so that what it has locked is free.
-- name: end_backend
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid = $1::integer AND backend_start = $2::timestamptz;

-- name: backend
SELECT pg_backend_pid();
