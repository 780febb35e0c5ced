"""Which store a text means, and that no secret of an address is ever shown."""

from contextlib import closing
from pathlib import Path

import pytest

from perdure.app.config import load
from perdure.app.stores import (
    Database,
    keeping_of,
    migrate_place,
    open_place,
    place_of,
    warnings_of,
    without_secrets,
)
from perdure.base.errors import ConfigurationError, StoreBroken
from tests.kit.schemas import a_schema

URL = "postgres://me:s%40cret@db:5433/work?sslmode=require&schema=s1&password=hidden"


def test_an_address_of_postgres_is_a_database() -> None:
    place = load({"store": URL}, {}).store
    assert place == Database(URL)
    assert str(place) == "postgres://db:5433/work?schema=s1"
    assert "s%40cret" not in repr(load({}, {"PERDURE_STORE": URL}))
    assert "hidden" not in repr(place)


@pytest.mark.parametrize("path", ["perdure.db", "a:b", "/srv/x y.db"])
def test_all_else_is_a_file(path: str) -> None:
    assert place_of(path) == Path(path)


def test_no_error_repeats_a_secret() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({"store": "mysql://me:secret@db/work"}, {})
    assert str(caught.value).startswith("--store mysql://db/work: there is no store mysql://")
    assert without_secrets("perdure.db") == "perdure.db"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgres://me:p@ss@db/work", "postgres://db/work"),
        ("postgres://me:p@ss:word@db", "postgres://db"),
        ("postgres://db/work?user=me@here", "postgres://db/work"),
        ("postgres://db/work", "postgres://db/work"),
    ],
)
def test_no_part_of_a_password_is_shown(address: str, shown: str) -> None:
    assert without_secrets(address) == shown


def test_a_database_is_opened_migrated_and_told_of() -> None:
    with a_schema() as url:
        place = Database(url)
        with pytest.raises(StoreBroken, match="run `perdure migrate`"):
            open_place(place, may_migrate=False)
        assert migrate_place(place, only_check=True).missing > 0
        assert migrate_place(place, only_check=False).missing == 0
        with closing(open_place(place, may_migrate=False)) as store:
            assert store.counts() == {}
            told = keeping_of(place, store)
            assert told["database"] == str(place)
            assert told["server"].startswith("Postgres 1")
            assert any("fsync = off" in each for each in warnings_of(store))


def test_a_file_is_not_migrated(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    with pytest.raises(ConfigurationError, match="is a file"):
        migrate_place(file, only_check=False)
    with closing(open_place(file)) as store:
        assert warnings_of(store) == ()
        assert keeping_of(file, store)["file"] == str(file)
