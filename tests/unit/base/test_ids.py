"""Legal ids, and ids that follow from their cause."""

import pytest

from perdure.base.ids import child_instance_id, derived_id, derived_span_id, is_legal_instance_id


@pytest.mark.parametrize("text", ["a", "A-b_9", "\u00fcml\u00e4ut", "\u4e2d\u6587", "\u0665"])
def test_legal_ids(text: str) -> None:
    assert is_legal_instance_id(text)


@pytest.mark.parametrize("text", ["a b", "a:b", "a.b", "a/b", "\u00b2", "\u2167", "a\x00", "a\n"])
def test_illegal_ids(text: str) -> None:
    assert not is_legal_instance_id(text)


def test_more_characters_can_be_allowed() -> None:
    assert is_legal_instance_id("a:b.c", ":.")
    assert not is_legal_instance_id("a:b.c", ":")


@pytest.mark.parametrize(
    ("action_id", "text"), [(0, "p:0000"), (10, "p:000a"), (65_536, "p:10000")]
)
def test_ids_of_children(action_id: int, text: str) -> None:
    assert child_instance_id("p", action_id) == text


def test_the_same_cause_has_the_same_id_and_another_has_another() -> None:
    assert derived_id("a", 1) == derived_id("a", 1)
    assert len({derived_id("a", 1), derived_id("a1"), derived_id("a", 2), derived_id(1, "a")}) == 4
    assert [len(part) for part in derived_id("x").split("-")] == [8, 4, 4, 4, 12]
    assert len(derived_span_id("x")) == 16
