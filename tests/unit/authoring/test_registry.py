"""What is registered, under which names, and with which options."""

import math
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from perdure.authoring.activities import Activity, ActivityContext, is_async
from perdure.authoring.failures import (
    ActivityNotRegisteredError,
    OrchestratorNotRegisteredError,
    VersionNotRegisteredException,
)
from perdure.authoring.payloads import Typing
from perdure.authoring.registry import Registry, name_of
from perdure.base.time import SECOND_US


async def later(_ctx: ActivityContext, value: int) -> int:
    return value


def now(_ctx: ActivityContext) -> None:
    return None


class Callable:
    async def __call__(self, _ctx: ActivityContext) -> None:
        """Do nothing."""


def test_names_are_those_of_functions_or_as_given() -> None:
    registry = Registry()

    @registry.activity(name="Charge")
    def charge(_ctx: ActivityContext) -> None:
        """Do nothing."""

    registry.add_activity(now)
    assert name_of(charge) == "Charge"
    assert name_of(now) == "now"
    assert registry.find_activity("Charge").function is charge
    assert registry.find_activity("now").function is now
    with pytest.raises(ValueError, match="lambda"):
        name_of(lambda: None)
    with pytest.raises(ActivityNotRegisteredError, match="'nobody' was not registered"):
        registry.find_activity("nobody")


def test_a_name_is_taken_once() -> None:
    registry = Registry()
    registry.add_activity(now)
    registry.add_workflow(now)
    with pytest.raises(ValueError, match="A 'now' activity already exists"):
        registry.add_activity(now)
    with pytest.raises(ValueError, match="A 'now' orchestrator already exists"):
        registry.add_workflow(now)
    with pytest.raises(ValueError, match="non-empty activity name"):
        registry.add_activity(now, name="")


def test_versions_have_a_latest() -> None:
    registry = Registry()
    registry.add_workflow(now, name="wf", version_name="v1")
    with pytest.raises(OrchestratorNotRegisteredError):
        registry.find_workflow("wf")
    registry.add_workflow(later, name="wf", version_name="v2", is_latest=True)
    assert registry.find_workflow("wf").version_name == "v2"
    assert registry.find_workflow("wf", "v1").function is now
    with pytest.raises(VersionNotRegisteredException):
        registry.find_workflow("wf", "v3")
    with pytest.raises(ValueError, match="The version 'v1' of 'wf'"):
        registry.add_workflow(now, name="wf", version_name="v1")


def test_options_are_kept_in_microseconds() -> None:
    registry = Registry()
    added = registry.add_activity(
        now,
        process=True,
        timeout=1.5,
        heartbeat_timeout=timedelta(seconds=2),
        non_retryable=(KeyError,),
        concurrency_max=3,
    )
    assert added == Activity(
        name="now",
        function=now,
        signature=added.signature,
        typing=Typing.FULL,
        process=True,
        timeout_us=3 * SECOND_US // 2,
        heartbeat_timeout_us=2 * SECOND_US,
        non_retryable=(KeyError,),
        concurrency_max=3,
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timeout": 0}, "longer than nothing"),
        ({"timeout": -1.0}, "longer than nothing"),
        ({"heartbeat_timeout": math.inf}, "and end"),
        ({"timeout": math.nan}, "longer than nothing"),
        ({"concurrency_max": 0}, "never run"),
    ],
)
def test_an_activity_that_nothing_would_come_of_is_refused(
    options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Registry().add_activity(later, **options)


def test_coroutine_functions_are_seen_through_their_wrappings() -> None:
    assert is_async(later)
    assert is_async(partial(later, value=1))
    assert is_async(Callable())
    assert not is_async(now)


def test_a_coroutine_workflow_is_always_typed_in_full() -> None:
    registry = Registry()
    assert registry.add_workflow(later, typing=Typing.DAPR).typing is Typing.FULL
    assert registry.add_workflow(now, typing=Typing.DAPR).typing is Typing.DAPR
