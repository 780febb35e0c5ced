"""An address is understood, and never shows its secrets."""

import pytest

from perdure.base.errors import StoreBroken
from perdure.store.postgres.url import address_of


def test_an_address_shows_no_secret() -> None:
    address = address_of("postgresql://me:p%40ss@db1:5433,db2/work?sslmode=require&schema=s_1")
    assert str(address) == "postgres://db1:5433,db2/work?schema=s_1"
    assert "p%40ss" not in repr(address)
    assert address.dsn == "postgres://me:p%40ss@db1:5433,db2/work?sslmode=require"
    assert (address.schema, address.names_session) == ("s_1", False)


def test_what_is_not_said_is_as_libpq_has_it() -> None:
    address = address_of("postgres:///work?host=/run/pg&target_session_attrs=any")
    assert (address.schema, address.names_session) == ("perdure", True)
    assert str(address) == "postgres:///run/pg/work"


@pytest.mark.parametrize("schema", ["A", "1a", "a-b", 'a"b', "", "a" * 49])
def test_a_schema_is_a_plain_name(schema: str) -> None:
    with pytest.raises(StoreBroken, match="the schema has to be named") as caught:
        address_of(f"postgres://me:secret@db/work?schema={schema}")
    assert "secret" not in str(caught.value)


def test_another_scheme_is_no_address() -> None:
    with pytest.raises(StoreBroken, match="postgres://"):
        address_of("mysql://me:secret@db/work")
