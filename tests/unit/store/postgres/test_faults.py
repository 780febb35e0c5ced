"""Postgres' own errors, raised by Postgres, and what they are to us."""

from contextlib import closing
from typing import Any

import pytest

from perdure.base.errors import StoreBroken, StoreError, StoreFailed, StoreUnavailable
from perdure.store.port import Entry
from perdure.store.postgres import PostgresStore
from tests.conformance.store.making import START, bear, birth, held_by
from tests.kit.schemas import a_schema, shared_server

# Whatever is put into an inbox now fails with the error of that number.
_FAIL = """
CREATE FUNCTION {schema}.fail() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'said by a test' USING ERRCODE = '{code}'; END $$;
CREATE TRIGGER fail BEFORE INSERT ON {schema}.inbox EXECUTE FUNCTION {schema}.fail();
"""


@pytest.mark.parametrize(
    ("code", "fault", "advice"),
    [
        (
            "53100",
            StoreUnavailable,
            "the disk of the database is full: nothing of this change was kept",
        ),
        ("53200", StoreFailed, "out of memory"),
        ("53300", StoreUnavailable, "raise max_connections"),
        ("58030", StoreFailed, "see the server's log"),
        ("57014", StoreUnavailable, "cancelled"),
        ("42501", StoreBroken, "let the user of the address use"),
        ("XX001", StoreBroken, "restore it from a backup"),
        ("P0001", StoreFailed, "could not do it"),
    ],
)
def test_an_error_is_told_with_the_store_and_what_to_do(
    code: str, fault: type[StoreError], advice: str
) -> None:
    with a_schema() as url, closing(PostgresStore(url)) as store:
        bear(store, "before", inbox=(START,))
        before = held_by(store)
        schema = url.rpartition("=")[2]
        for statement in filter(str.strip, _FAIL.format(schema=schema, code=code).split("\n\n")):
            shared_server().asked(statement)
        with pytest.raises(StoreError) as caught:
            store.commit([Entry(key=None, births=(birth("a", inbox=(START,)),))])
        assert type(caught.value) is fault
        shown = url.replace("perdure@", "")
        assert str(caught.value).startswith(f"{shown}: ")
        assert advice in str(caught.value)
        assert held_by(store) == before
        shared_server().asked(f"DROP TRIGGER fail ON {schema}.inbox")
        assert bear(store, "a", inbox=(START,)) > 1, "and the store goes on"


@pytest.mark.parametrize(
    ("fields", "error"),
    [({"instance_id": "\ud800"}, UnicodeEncodeError), ({"born_at_us": 1 << 63}, OverflowError)],
)
def test_what_no_store_holds_is_refused_whole(
    fields: dict[str, Any], error: type[Exception]
) -> None:
    with a_schema() as url, closing(PostgresStore(url)) as store:
        refused = birth(str(fields.pop("instance_id", "b")), **fields)
        with pytest.raises(error):
            store.commit([Entry(key=None, births=(each,)) for each in (birth("a"), refused)])
        assert store.snapshot("a") is None
        bear(store, "a")
