"""Payloads: the bytes that Dapr's SDK writes, and what is made of them again."""

import json
from collections import namedtuple
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from perdure.authoring.payloads import (
    MARK,
    Signature,
    Typing,
    from_json,
    given,
    read,
    signature_of,
    text_of,
    to_json,
)


@dataclass
class Address:
    city: str


@dataclass
class Order:
    item: str
    address: Address
    count: int = 1


class Model(BaseModel):
    item: str
    at: datetime


class Duck:
    """A model of no library: it has the two methods, and its dump takes no mode."""

    def __init__(self, value: int) -> None:
        self.value = value

    def model_dump(self) -> dict[str, int]:
        return {"value": self.value}

    @classmethod
    def model_validate(cls, fields: dict[str, int]) -> "Duck":
        return cls(fields["value"])


Pair = namedtuple("Pair", ["left", "right"])  # noqa: PYI024 - what the SDK looks for


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("é", '"\\u00e9"'),
        ([1, None, {"a": 1.5}], '[1, null, {"a": 1.5}]'),
        (
            Order("pen", Address("Brno")),
            f'{{"item": "pen", "address": {{"city": "Brno"}}, "count": 1, "{MARK}": true}}',
        ),
        (SimpleNamespace(a=1), f'{{"a": 1, "{MARK}": true}}'),
        (Pair(1, 2), f'{{"left": 1, "right": 2, "{MARK}": true}}'),
        ([Pair(1, 2)], "[[1, 2]]"),
        (
            Model(item="pen", at=datetime(2026, 1, 2, tzinfo=UTC)),
            '{"item": "pen", "at": "2026-01-02T00:00:00Z"}',
        ),
        (Duck(3), '{"value": 3}'),
        (float("inf"), "Infinity"),
    ],
)
def test_values_are_written_as_the_sdk_writes_them(value: object, text: str) -> None:
    assert to_json(value) == text


def test_a_namespace_is_not_changed_by_writing_it() -> None:
    told = SimpleNamespace(a=1)
    to_json(told)
    assert told == SimpleNamespace(a=1)


def test_what_the_sdk_refuses_and_json_can_say_is_written() -> None:
    assert to_json({"at": datetime(2026, 1, 2, tzinfo=UTC)}) == '{"at": "2026-01-02T00:00:00Z"}'
    with pytest.raises(TypeError, match="not JSON serializable"):
        to_json(object())
    with pytest.raises(TypeError, match="type bytes is not JSON serializable"):
        to_json({"picture": b"\x89PNG"})


def test_nothing_has_no_text() -> None:
    assert text_of(None) is None
    assert text_of("") == '""'
    assert read(None, None, Typing.DAPR) is None
    assert read("", Order, Typing.FULL) is None


def test_marked_objects_become_namespaces() -> None:
    assert from_json(to_json(Pair(1, 2))) == SimpleNamespace(left=1, right=2)
    assert from_json('{"a": 1}') == {"a": 1}


def test_dapr_makes_models_and_the_outermost_dataclass() -> None:
    order = read(to_json(Order("pen", Address("Brno"))), Order, Typing.DAPR)
    assert order == Order("pen", {"city": "Brno"})  # type: ignore[arg-type]  # read without being converted
    assert read('{"value": 3}', Duck, Typing.DAPR).value == 3
    assert read('{"item": "p", "at": "2026-01-02T00:00:00Z"}', Model, Typing.DAPR).item == "p"
    # What does not fit stays what it is, as with the SDK.
    assert read('{"other": 1}', Order, Typing.DAPR) == {"other": 1}
    assert read("[1]", Order, Typing.DAPR) == [1]


def test_a_model_that_does_not_fit_is_refused() -> None:
    with pytest.raises(TypeError, match="Cannot coerce value of type int into Model"):
        read("3", Model, Typing.DAPR)
    with pytest.raises(ValidationError):
        read('{"item": 3}', Model, Typing.DAPR)


def test_full_typing_makes_all_of_it() -> None:
    order = Order("pen", Address("Brno"))
    assert read(to_json([order]), list[Order], Typing.FULL) == [order]
    assert read(to_json(order), Order | None, Typing.FULL) == order
    assert read('"2026-01-02"', datetime, Typing.FULL) == datetime(2026, 1, 2)  # noqa: DTZ001 - without a zone on purpose
    with pytest.raises(ValueError, match="validation error"):
        read('"x"', list[int], Typing.FULL)


def test_a_class_that_nobody_knows_how_to_make_stays_json() -> None:
    assert read('{"a": 1}', Exception, Typing.FULL) == {"a": 1}


async def coroutine(_ctx: object, order: Order) -> list[Order]:
    return [order]


def plain(_ctx: object, _value: int) -> str:
    return ""


def untold(_ctx, _value=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """A function that says nothing of its types."""


def contextual(_ctx: object) -> Coroutine[Any, Any, Model]:
    raise AssertionError("only looked at")


def test_a_signature_tells_what_is_to_be_made() -> None:
    told = signature_of(coroutine)
    assert (told.accepts_input, told.input_type, told.output_type) == (True, Order, list[Order])
    told = signature_of(plain)
    assert (told.accepts_input, told.input_type, told.output_type) == (True, None, None)
    assert signature_of(untold).accepts_input
    told = signature_of(contextual)
    assert (told.accepts_input, told.output_type) == (False, Model)


def test_a_name_that_only_a_type_checker_sees_is_passed_over() -> None:
    def hidden(_ctx: object, _value: "Nowhere") -> None:  # type: ignore[name-defined]  # noqa: F821
        return None

    assert signature_of(hidden) == Signature(True, None, None)


def test_json_is_read_as_the_standard_library_reads_it() -> None:
    text = '{"a": [1, 2.5, null, true, "x"], "b": {}}'
    assert from_json(text) == json.loads(text)
    assert from_json(f" {text}\n") == json.loads(text)
    for wrong in ("{", "", "x", "1 2", '"a'):
        with pytest.raises(ValueError, match=r"Expecting|Extra data|Unterminated"):
            from_json(wrong)


def test_a_default_is_the_input_of_who_is_given_none() -> None:
    def counts(_ctx: object, start: int = 7) -> int:
        return start

    signature = signature_of(counts)
    assert given(None, signature, Typing.FULL) == given("", signature, Typing.FULL) == ()
    assert given("3", signature, Typing.FULL) == (3,)
    assert given("null", signature_of(lambda _ctx, start: start), Typing.FULL) == (None,)
    # Dapr's SDK gives None, and histories that it has begun are to go on.
    assert given(None, signature, Typing.DAPR) == (None,)
