"""No text of a stranger acts upon the terminal, and JSON still means the same."""

import json

from hypothesis import given
from hypothesis import strategies as st

from perdure.cli.printable import cut, on_one_line, printable, printable_json


def test_a_control_code_is_shown_and_not_done() -> None:
    assert printable("\x1b[31mred\x9b1m\r") == "\\x1b[31mred\\x9b1m\\r"


@given(st.text())
def test_nothing_but_lines_and_tabs_is_left_of_what_cannot_be_printed(text: str) -> None:
    assert printable(text).replace("\n", "").replace("\t", "").isprintable()


@given(st.text())
def test_what_can_be_printed_stays(text: str) -> None:
    if text.isprintable():
        assert printable(text) == text


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    assert on_one_line(text).isprintable()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_means_the_same(value: object) -> None:
    text = printable_json(json.dumps(value, indent=2, ensure_ascii=False))
    assert json.loads(text) == value
    assert "\x9b" not in text


@given(st.text(), st.integers(1, 40))
def test_what_is_cut_fits(text: str, characters: int) -> None:
    assert len(cut(text, characters)) <= characters


def test_what_is_cut_shows_that_it_is() -> None:
    assert cut("a\n b" + "c" * 20, 6) == "a bcc…"
    assert cut("abc", 3) == "abc"
