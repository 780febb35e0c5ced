"""Values of search attributes: what is none of their kind is the caller's fault, in words."""

import pytest
from temporalio.api.enums.v1 import IndexedValueType

from perdure.base.errors import CallerFault
from perdure.components.temporal.attributes import Kind, Typed, attribute_payload, value_of

TEXT = IndexedValueType.INDEXED_VALUE_TYPE_TEXT
INT = IndexedValueType.INDEXED_VALUE_TYPE_INT
DOUBLE = IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE
BOOL = IndexedValueType.INDEXED_VALUE_TYPE_BOOL
DATETIME = IndexedValueType.INDEXED_VALUE_TYPE_DATETIME
WORDS = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (TEXT, "a", "a"),
        (INT, "-7", -7),
        (INT, str(-(2**63)), -(2**63)),
        (INT, str(2**63 - 1), 2**63 - 1),
        (DOUBLE, "1.5", 1.5),
        (BOOL, "True", True),
        (DATETIME, "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        (WORDS, "a", ["a"]),
        (WORDS, ["a", "b"], ["a", "b"]),
    ],
)
def test_a_value_is_read_as_the_attribute_has_it(kind: Kind, value: object, read: Typed) -> None:
    assert value_of("it", kind, value) == read


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (TEXT, 1),
        (INT, "1.5"),
        (INT, "--1"),
        (INT, True),
        # No 64 bits hold them.
        (INT, str(2**63)),
        (INT, str(-(2**63) - 1)),
        (INT, "9" * 5_000),
        (DOUBLE, "nan"),
        (DOUBLE, "inf"),
        (BOOL, "yes"),
        (DATETIME, "yesterday"),
        (WORDS, []),
        (WORDS, ["a", 1]),
        # A kind of a later server.
        (99, "a"),
    ],
)
def test_what_it_cannot_hold_is_refused_in_words(kind: Kind, value: object) -> None:
    with pytest.raises(CallerFault, match="the search attribute it is of kind"):
        value_of("it", kind, value)


def test_a_value_goes_with_the_name_of_its_kind() -> None:
    payload = attribute_payload("it", WORDS, ["ä"])
    assert payload.metadata["type"] == b"KeywordList"
    assert payload.data == '["ä"]'.encode()
