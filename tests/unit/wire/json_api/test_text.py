"""JSON that is put in as it stands, and what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.base.errors import CallerFault
from perdure.wire.json_api.text import Json, JsonText, is_json, members, read, shown, write

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(_VALUES)
def test_what_is_written_reads_back(value: Json) -> None:
    assert json.loads(write(value)) == value


@pytest.mark.parametrize(
    ("value", "written"), [(True, "true"), (1, "1"), (0, "0"), (False, "false"), (None, "null")]
)
def test_a_number_is_no_boolean(value: Json, written: str) -> None:
    assert write(value) == written


@pytest.mark.parametrize(
    ("stored", "written"),
    [
        ('{"a": 1.10}', '{"a": 1.10}'),
        ("1180591620717411303424", "1180591620717411303424"),
        ('"hello"', '"hello"'),
        ("hello", '"hello"'),
        ("", '""'),
        ("NaN", '"NaN"'),
        ("[1,]", '"[1,]"'),
        ("null", "null"),
        ('{"a":1,"a":2}', '{"a":1,"a":2}'),
        ("9" * 5_000, "9" * 5_000),
    ],
)
def test_a_payload_is_shown_as_the_json_it_is_or_as_a_string(stored: str, written: str) -> None:
    assert write(shown(stored)) == written


def test_what_is_too_deep_is_a_string() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    assert not is_json(deep)
    assert shown(deep) == deep


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"a":}',
        "[Infinity]",
        '"\\ud800"',
        '{"\\udfff": 1}',
        "[" * 100_000,
        "9" * 5_000,
        "\ufeff{}",
        '"\x00"',
    ],
)
def test_what_cannot_be_read_is_the_callers_fault(text: str) -> None:
    with pytest.raises(CallerFault):
        read(text)


@given(st.dictionaries(st.text(), _VALUES), st.sampled_from([None, 1, "\t\r\n "]))
def test_members_keep_their_text(value: dict[str, Json], indent: str | int | None) -> None:
    found = members(json.dumps(value, indent=indent))
    assert {key: json.loads(text) for key, text in found.items()} == value


def test_a_member_is_kept_as_written() -> None:
    found = members(' { "a" : 1.10 , "b\\n":[ 1,2 ] } ')
    assert found == {"a": JsonText("1.10"), "b\n": JsonText("[ 1,2 ]")}


@pytest.mark.parametrize("text", ["[]", "1", '"a"', "null", "{} x"])
def test_only_an_object_has_members(text: str) -> None:
    with pytest.raises(CallerFault):
        members(text)
