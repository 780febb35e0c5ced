"""`perdure migrate` as people run it."""

from tests.conformance.cli.calling import Caller
from tests.kit.schemas import a_schema


def test_tables_are_looked_at_and_brought_up_to_date(caller: Caller) -> None:
    with a_schema() as url:
        shown = url.replace("perdure@", "")
        looked = caller.inside("migrate", "--store", url, "--check", code=1)
        assert looked.stdout.startswith(f"{shown}: at version 0, ")
        done = caller.inside("migrate", "--store", url)
        assert done.stdout.startswith(f"{shown}: migrated from version 0 (steps 1")
        again = caller.inside("migrate", "--store", url, "--check", "--json")
        assert '"missing": 0' in again.stdout


def test_what_is_no_database_is_told(caller: Caller) -> None:
    told = caller.inside("migrate", "--store", "wf.db", code=2)
    assert "wf.db is a file" in told.stderr
    told = caller.inside("migrate", code=2)
    assert "PERDURE_STORE" in told.stderr
    told = caller.inside("migrate", "--store", "postgres://me:secret@127.0.0.1:1/x", code=1)
    assert "cannot be reached" in told.stderr
    assert "secret" not in told.stderr
