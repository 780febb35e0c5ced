"""Several statements become one, with their values numbered through."""

from perdure.store.postgres.composing import (
    Part,
    asked_at_once,
    rows_part,
    written_at_once,
)


def test_values_are_numbered_through() -> None:
    parts = [Part("one", "DELETE $1 $2", (1, 2)), Part("two", "INSERT $1", (3,))]
    assert written_at_once(parts, Part("", "SELECT $1", (4,))) == (
        "WITH one AS (\nDELETE $1 $2\n),\ntwo AS (\nINSERT $3\n)\nSELECT $4",
        [1, 2, 3, 4],
    )


def test_questions_are_columns() -> None:
    parts = [Part("one", "array($1)", (1,)), Part("two", "array($1)", (2,))]
    assert asked_at_once(parts) == ("SELECT\narray($1) AS one,\narray($2) AS two", [1, 2])


def test_rows_are_handed_in_as_columns() -> None:
    (part,) = rows_part("put", {"put": "SQL"}, [(1, "a\x00"), (2, None)])
    assert part == Part("put", "SQL", ([1, 2], ["a\x01\x01", None]))
    assert list(rows_part("put", {"put": "SQL"}, [])) == []
