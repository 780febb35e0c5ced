"""Who may do what, as a table."""

from collections.abc import Iterable

import pytest

from perdure.core.access import OPEN, Access, Operation, Policy, Rule, WorkflowRule
from perdure.core.globs import compiled

SCHEDULE, GET, PURGE = Operation.SCHEDULE, Operation.GET, Operation.PURGE


def rule(
    *callers: str, workflows: Iterable[tuple[str, set[Operation]]] = (), activities: str = ""
) -> Rule:
    return Rule(
        callers=frozenset(callers),
        workflows=tuple(WorkflowRule(compiled(n), frozenset(o)) for n, o in workflows),
        activities=tuple(map(compiled, activities.split())),
    )


FRONT = Policy(
    "front",
    (
        rule("web", "cli", workflows=[("Order*", {SCHEDULE, GET})], activities="Charge Refund*"),
        rule("ops", workflows=[("*", set(Operation))]),
    ),
    frozenset({"orders"}),
)
EXTRA = Policy("extra", (rule("web", workflows=[("Report", {PURGE})]),), frozenset({"orders"}))
NOTHING = Policy("nothing", ())


@pytest.mark.parametrize(
    ("policies", "caller", "target", "operation", "name", "allowed"),
    [
        ([], "web", "orders", PURGE, "x", True),
        ([FRONT], "web", "orders", SCHEDULE, "OrderFlow", True),
        ([FRONT], "cli", "orders", GET, "Order", True),
        ([FRONT], "web", "orders", PURGE, "OrderFlow", False),
        ([FRONT], "web", "orders", SCHEDULE, "Report", False),
        ([FRONT], "other", "orders", SCHEDULE, "OrderFlow", False),
        ([FRONT], "ops", "orders", PURGE, "anything", True),
        ([FRONT], "orders", "orders", PURGE, "anything", True),
        ([FRONT], "other", "billing", PURGE, "anything", True),
        ([FRONT, EXTRA], "web", "orders", PURGE, "Report", True),
        ([FRONT, EXTRA], "web", "orders", SCHEDULE, "OrderFlow", True),
        ([NOTHING], "web", "billing", GET, "x", False),
        ([NOTHING], "billing", "billing", GET, "x", True),
        ([NOTHING, FRONT], "web", "orders", GET, "Order", True),
        ([NOTHING, FRONT], "web", "billing", GET, "Order", False),
    ],
)
def test_workflows(
    policies: list[Policy],
    caller: str,
    target: str,
    operation: Operation,
    name: str,
    allowed: bool,
) -> None:
    denied = Access(tuple(policies)).denies(caller, target, operation, name)
    assert (denied is None) is allowed
    if denied is not None:
        assert denied == (
            f"access denied by workflow access policy: app '{caller}' may not "
            f"{operation.value} workflow '{name}' of app '{target}'"
        )


@pytest.mark.parametrize(
    ("policies", "caller", "target", "name", "allowed"),
    [
        ([], "web", "orders", "Charge", True),
        ([FRONT], "web", "orders", "Charge", True),
        ([FRONT], "web", "orders", "RefundAll", True),
        ([FRONT], "web", "orders", "ChargeAll", False),
        ([FRONT], "ops", "orders", "Charge", False),
        ([FRONT], "orders", "orders", "Anything", True),
        ([FRONT], "web", "billing", "Anything", True),
        ([NOTHING], "web", "billing", "Charge", False),
    ],
)
def test_activities(
    policies: list[Policy], caller: str, target: str, name: str, allowed: bool
) -> None:
    assert (Access(tuple(policies)).denies_activity(caller, target, name) is None) is allowed


def test_with_no_policy_all_is_open() -> None:
    assert OPEN.is_open
    assert not Access((NOTHING,)).is_open
