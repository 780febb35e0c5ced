"""What a database has to be, and what a person is told of one that will not do."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from perdure.base.errors import StoreBroken, StoreUnavailable
from perdure.store.postgres import PostgresStore
from tests.conformance.store.making import bear
from tests.kit.brokers.process import HOST, BrokerProcess, free_port
from tests.kit.postgres import USER, owner, running
from tests.kit.schemas import a_schema, shared_server


def test_what_the_server_does_without_is_warned_of() -> None:
    with a_schema() as url, closing(PostgresStore(url)) as store:
        assert [each.partition(";")[0] for each in store.warnings] == [
            f"{url.replace('perdure@', '')}: the server runs with fsync = off",
            f"{url.replace('perdure@', '')}: the server runs with full_page_writes = off",
        ]
        assert store.version.startswith(shared_server().asked("SHOW server_version")[:3])


def test_a_commit_waits_for_the_disk_whatever_the_server_does_by_default() -> None:
    with running({"synchronous_commit": "off"}) as server:
        server.asked("CREATE TABLE seen (setting text)")
        with closing(PostgresStore(server.url)) as store:
            bear(store, "a")
            writers = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'perdure'"
            assert server.asked(writers) == "1"
            server.asked(
                "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "INSERT INTO public.seen SELECT current_setting('synchronous_commit'); "
                "RETURN NULL; END $$"
            )
            server.asked(
                "CREATE TRIGGER note AFTER INSERT ON perdure.instances EXECUTE FUNCTION note()"
            )
            bear(store, "b")
        assert server.asked("SELECT setting FROM seen") == "on"


def test_a_database_of_another_encoding_is_refused() -> None:
    server = shared_server()
    server.asked("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'")
    with pytest.raises(StoreBroken, match="encoded as LATIN1: create one with ENCODING 'UTF8'"):
        PostgresStore(server.url_by(server.port, "latin"))


def test_a_database_that_is_not_there_is_told() -> None:
    server = shared_server()
    with pytest.raises(StoreBroken, match=r"127\.0\.0\.1:\d+/none: there is no such database"):
        PostgresStore(server.url_by(server.port, "none").replace("perdure@", "perdure:secret@"))


def test_nobody_there_is_told() -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached just now") as caught:
        PostgresStore(f"postgres://perdure:secret@{HOST}:{free_port()}/postgres")
    assert "secret" not in str(caught.value)


@contextmanager
def _pooler(mode: str) -> Iterator[int]:
    """Give the port of a PgBouncer in front of the shared server."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program is not None, "pgbouncer is not installed: the Debian package is pgbouncer"
    folder, port = Path(tempfile.mkdtemp(prefix="perdure-pgbouncer-")), free_port()
    folder.chmod(0o755)
    settings, users = folder / "pgbouncer.ini", folder / "users"
    users.write_text(f'"{USER}" ""\n', "utf-8")
    settings.write_text(
        f"[databases]\n* = host={HOST} port={shared_server().port}\n[pgbouncer]\n"
        f"listen_addr = {HOST}\nlisten_port = {port}\nauth_type = trust\nunix_socket_dir =\n"
        f"pool_mode = {mode}\nignore_startup_parameters = extra_float_digits\n"
        f"default_pool_size = 20\nauth_file = {users}\n",
        "utf-8",
    )
    pooler = BrokerProcess(
        [program, str(settings)], folder=folder, ready="process up", user=owner()
    )
    try:
        pooler.start()
        yield port
    finally:
        pooler.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _by(port: int, url: str) -> str:
    return url.replace(f":{shared_server().port}/", f":{port}/")


def test_a_pooler_that_changes_sessions_with_every_transaction_is_refused() -> None:
    with (
        a_schema() as url,
        _pooler("transaction") as port,
        pytest.raises(StoreBroken, match=r"PgBouncer.*set pool_mode = session"),
    ):
        PostgresStore(_by(port, url))


def test_a_pooler_that_leaves_sessions_alone_does() -> None:
    with (
        a_schema() as url,
        _pooler("session") as port,
        closing(PostgresStore(_by(port, url))) as store,
    ):
        assert [bear(store, each) for each in "ab"] == [1, 2]
        assert store.counts() == {0: 2}
