"""Which programs may run on which schema, and how it is brought up to date."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from perdure.base.errors import StoreBroken
from perdure.store.postgres import PostgresStore
from perdure.store.postgres.connections import connect
from perdure.store.postgres.migrating import Fit, Schema, migrate, migrate_database
from perdure.store.postgres.statements import migrations
from perdure.store.postgres.url import address_of
from tests.conformance.store.making import bear
from tests.kit.schemas import a_schema, shared_server

KNOWN = len(migrations())
LATER = {**migrations(), KNOWN + 1: "ALTER TABLE instances ADD COLUMN more bigint;"}
BROKEN = {**migrations(), KNOWN + 1: "ALTER TABLE instances ADD COLUMN more bigint; SELECT 1/0;"}


@pytest.mark.parametrize(
    ("schema", "fit"),
    [
        (Schema(0), Fit.EMPTY),
        (Schema(5, 4), Fit.GOOD),
        (Schema(4, 3), Fit.BEHIND),
        (Schema(3, 2), Fit.TOO_OLD),
        (Schema(6, 5), Fit.GOOD),
        (Schema(6, 6), Fit.TOO_NEW),
        (Schema(7, 6), Fit.TOO_NEW),
        (Schema(7, 5), Fit.GOOD),
    ],
)
def test_a_program_runs_one_step_each_way(schema: Schema, fit: Fit) -> None:
    assert schema.fits(5) is fit


def _migrate(url: str, scripts: Mapping[int, str]) -> list[int]:
    async def steps() -> list[int]:
        address = address_of(url)
        link = await connect(address)
        try:
            return await migrate(link, address, scripts)
        finally:
            await link.close()

    return asyncio.run(steps())


def test_an_empty_database_is_set_up_once_by_however_many() -> None:
    with a_schema() as url, ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: migrate_database(url, only_check=False), range(4)))
        assert sorted(taken for _, _, taken in found) == [(), (), (), tuple(range(1, KNOWN + 1))]
        assert migrate_database(url, only_check=True) == (KNOWN, KNOWN, ())


def test_a_store_sets_itself_up_unless_told_otherwise() -> None:
    with a_schema() as url:
        with pytest.raises(StoreBroken, match=r"nothing in it yet.*perdure migrate"):
            PostgresStore(url, migrate=False)
        PostgresStore(url).close()
        PostgresStore(url, migrate=False).close()


def test_the_program_before_runs_on_new_tables() -> None:
    with a_schema() as url, closing(PostgresStore(url)) as store:
        assert _migrate(url, LATER) == [KNOWN + 1]
        bear(store, "a")
        with closing(PostgresStore(url)) as opened_later:
            assert opened_later.counts() == {0: 1}
        assert _migrate(url, LATER) == []


def test_the_program_two_steps_before_does_not() -> None:
    with a_schema() as url:
        _migrate(url, {**LATER, KNOWN + 2: "SELECT 1;"})
        with pytest.raises(StoreBroken, match="a later version of perdure"):
            PostgresStore(url)
        with pytest.raises(StoreBroken, match="a later version of perdure"):
            migrate_database(url, only_check=True)


def test_a_step_that_fails_leaves_nothing() -> None:
    with a_schema() as url:
        PostgresStore(url).close()
        with pytest.raises(Exception, match="division by zero"):
            _migrate(url, BROKEN)
        assert migrate_database(url, only_check=True) == (KNOWN, KNOWN, ())
        assert _migrate(url, LATER) == [KNOWN + 1]


def test_a_store_keeps_to_its_own_schema() -> None:
    with a_schema() as one, a_schema() as other:
        with closing(PostgresStore(one)) as first, closing(PostgresStore(other)) as second:
            bear(first, "a")
            assert second.counts() == {}
        public = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert shared_server().asked(public) == "0"
