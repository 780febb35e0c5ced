"""Every field under every operator, the tree above them, and what is missing or of a wrong type."""

import operator as operator_module
from collections.abc import Callable

import pytest

from perdure.base.errors import CallerFault
from perdure.core.status import Status
from perdure.store.port import Store
from perdure.store.query import (
    AllOf,
    AnyOf,
    Compare,
    Field,
    Filter,
    InstanceQuery,
    Operator,
    Order,
    Value,
)
from tests.conformance.store.making import bear, land

EQ, NEQ, GT, GTE = Operator.EQ, Operator.NEQ, Operator.GT, Operator.GTE
LT, LTE, IN, PREFIX = Operator.LT, Operator.LTE, Operator.IN, Operator.PREFIX


def _bear_three(store: Store) -> None:
    """`low` and `high` have every field, `none` none that can be missing."""
    for name, digit in (("low", 1), ("high", 5)):
        bear(
            store,
            f"{name}-id",
            Status.COMPLETED,
            name=f"{name}-name",
            app_id=f"{name}-app",
            parent_id=f"{name}-parent",
            version=f"{name}-version",
            created_at_us=digit,
            started_at_us=digit,
            updated_at_us=digit,
            completed_at_us=digit,
            custom_status=f"{name}-custom",
            waits_for=f"{name}-wait",
            tags=(("size", f"{name}-tag"),),
        )
    bear(store, "none-id", Status.PENDING, name="none-name", app_id="none-app", created_at_us=3)


def _found(store: Store, where: Filter) -> list[str]:
    page = store.find(InstanceQuery(where, (), 10))
    assert page.next_token is None
    return [row.identity.instance_id.removesuffix("-id") for row in page.rows]


TEXT = {
    Field.ID: "id",
    Field.NAME: "name",
    Field.PARENT: "parent",
    Field.APP: "app",
    Field.VERSION: "version",
    Field.WAITS_FOR: "wait",
    Field.CUSTOM_STATUS: "custom",
    "tags.size": "tag",
}
MAY_BE_MISSING = {
    Field.PARENT,
    Field.VERSION,
    Field.CUSTOM_STATUS,
    "tags.size",
    Field.STARTED,
    Field.COMPLETED,
}
RULES: dict[Operator, Callable[[int, int], bool]] = {
    EQ: operator_module.eq,
    GT: operator_module.gt,
    GTE: operator_module.ge,
    LT: operator_module.lt,
    LTE: operator_module.le,
}
MOMENTS = [Field.CREATED, Field.STARTED, Field.UPDATED, Field.COMPLETED]


@pytest.mark.parametrize("field", TEXT)
@pytest.mark.parametrize("operator", Operator)
def test_text_is_compared(store: Store, field: str, operator: Operator) -> None:
    _bear_three(store)
    low, high = f"low-{TEXT[field]}", f"high-{TEXT[field]}"
    # By code points, "high" < "low" < "none" or, for what an instance waits for, "turn".
    present = ["high", "low"] if field in MAY_BE_MISSING else ["high", "low", "none"]
    cases: dict[Operator, list[tuple[tuple[Value, ...], list[str]]]] = {
        EQ: [((low,), ["low"]), (("no",), []), ((low.upper(),), [])],
        NEQ: [((low,), ["high", "none"]), (("no",), ["high", "low", "none"])],
        GT: [((high,), [each for each in present if each != "high"]), (("zz",), [])],
        GTE: [((low,), [each for each in present if each != "high"])],
        LT: [((low,), ["high"]), (("",), [])],
        LTE: [((low,), ["high", "low"])],
        IN: [((low, high, "no", 7), ["high", "low"]), ((), []), (("no",), [])],
        PREFIX: [(("low-",), ["low"]), (("",), present), (("low-x",), []), (("LOW",), [])],
    }
    for values, expected in cases[operator]:
        found = _found(store, Compare(field, operator, values))
        assert sorted(found) == expected, (field, operator, values)


@pytest.mark.parametrize("field", MOMENTS)
@pytest.mark.parametrize("operator", Operator)
def test_moments_are_compared(store: Store, field: Field, operator: Operator) -> None:
    _bear_three(store)
    other = {Field.CREATED: 3, Field.UPDATED: 0}.get(field)  # what `none` has
    held = {"low": 1, "high": 5} | ({} if other is None else {"none": other})
    for wanted in (-(1 << 80), -1, 0, 1, 2, 3, 5, 9, 1 << 80):
        if operator is NEQ:
            expected = {"low", "high", "none"} - {n for n, v in held.items() if v == wanted}
        elif operator is IN:
            expected = {name for name, value in held.items() if value in {wanted, 1}}
        else:
            rule = RULES.get(operator)  # a moment has no prefix
            expected = {name for name, value in held.items() if rule and rule(value, wanted)}
        values = (wanted, 1, "1") if operator is IN else (wanted,)
        found = _found(store, Compare(field, operator, values))
        assert set(found) == expected, (field, operator, wanted)


def test_a_status_is_compared_by_the_number_that_readers_see(store: Store) -> None:
    bear(store, "running")
    land(store, key=bear(store, "suspended"), suspended=True)
    bear(store, "stalled", stalled="patch")
    bear(store, "failed", Status.FAILED)
    status = Field.STATUS
    assert _found(store, Compare(status, EQ, (int(Status.SUSPENDED),))) == ["suspended"]
    assert _found(store, Compare(status, EQ, (int(Status.RUNNING),))) == ["running"]
    wanted = (int(Status.FAILED), int(Status.STALLED))
    assert _found(store, Compare(status, IN, wanted)) == ["stalled", "failed"]
    assert _found(store, Compare(status, NEQ, wanted[:1])) == ["running", "suspended", "stalled"]
    assert _found(store, Compare(status, EQ, ("RUNNING",))) == []


@pytest.mark.parametrize("field", [*Field, "tags.size"])
@pytest.mark.parametrize("operator", Operator)
def test_what_can_equal_nothing_is_false_and_unequal(
    store: Store, field: str, operator: Operator
) -> None:
    _bear_three(store)
    wrong: Value = 1 if field in TEXT else "1"
    for value in (None, wrong, "\ud800"):
        found = _found(store, Compare(field, operator, (value,)))
        assert found == (["low", "high", "none"] if operator is NEQ else []), (field, value)


def test_a_version_is_what_the_worker_told_before_what_was_asked_for(store: Store) -> None:
    bear(store, "asked", version="1")
    bear(store, "told", version="1", version_name="2")
    assert _found(store, Compare(Field.VERSION, EQ, ("1",))) == ["asked"]
    assert _found(store, Compare(Field.VERSION, EQ, ("2",))) == ["told"]


def test_tags_are_told_apart_by_key_and_value(store: Store) -> None:
    bear(store, "a", tags=(("team", "x"), ("size", "y")))
    bear(store, "b", tags=(("team", "y"),))
    bear(store, "c", tags=(("", "y"),))
    assert _found(store, Compare("tags.team", EQ, ("y",))) == ["b"]
    assert _found(store, Compare("tags.size", EQ, ("y",))) == ["a"]
    assert _found(store, Compare("tags.", EQ, ("y",))) == ["c"]
    assert _found(store, Compare("tags.team", NEQ, ("y",))) == ["a", "c"]
    assert _found(store, Compare("tags.team", GT, ("x",))) == ["b"]
    both: tuple[Filter, ...] = (
        Compare("tags.team", EQ, ("x",)),
        Compare("tags.size", PREFIX, ("y",)),
    )
    assert _found(store, AllOf(both)) == ["a"]


def test_terms_are_joined(store: Store) -> None:
    _bear_three(store)
    low, high = (Compare(Field.ID, EQ, (f"{name}-id",)) for name in ("low", "high"))
    completed = Compare(Field.STATUS, EQ, (int(Status.COMPLETED),))
    assert _found(store, AllOf(())) == ["low", "high", "none"]
    assert _found(store, AnyOf(())) == []
    assert _found(store, AnyOf((low, high))) == ["low", "high"]
    assert _found(store, AllOf((low, high))) == []
    assert _found(store, AllOf((completed, AnyOf((high, AnyOf(())))))) == ["high"]
    assert _found(store, AnyOf((AllOf((low, completed)), AllOf((high, AnyOf(())))))) == ["low"]


def test_a_deep_tree_is_answered(store: Store) -> None:
    bear(store, "a-id")
    where: Filter = Compare(Field.NAME, EQ, ("order",))
    for _ in range(16):
        where = AllOf((AnyOf((where, AnyOf(()))),))
    assert _found(store, where) == ["a"]


def test_a_prefix_ends_at_the_last_character(store: Store) -> None:
    for name in ("a\ud7ff-id", "a\ue000-id", "\U0010ffff-id", "\U0010ffffa-id", "b-id"):
        bear(store, name)
    assert _found(store, Compare(Field.ID, PREFIX, ("a\ud7ff",))) == ["a\ud7ff"]
    assert _found(store, Compare(Field.ID, PREFIX, ("\U0010ffff",))) == [
        "\U0010ffff",
        "\U0010ffffa",
    ]


@pytest.mark.parametrize("field", ["nope", "tag.size", "instanceid", ""])
def test_an_unknown_field_is_the_callers_fault(store: Store, field: str) -> None:
    where = AnyOf((Compare(Field.NAME, EQ, ("x",)), AllOf((Compare(field, EQ, ("x",)),))))
    with pytest.raises(CallerFault, match="unknown field"):
        store.find(InstanceQuery(where, (Order(Field.ID),)))
