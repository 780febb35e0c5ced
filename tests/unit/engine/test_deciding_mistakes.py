"""Mistakes of the engine's own in a turn: told of, tried again, and no result is lost by them."""

from collections.abc import Callable
from typing import Any

import pytest

from perdure.base.errors import WorkerFault
from perdure.base.time import SECOND_US
from perdure.core.status import Status
from perdure.core.turn import close
from perdure.engine import deciding, moves
from perdure.engine.entries import closed_entry
from tests.kit.answers import complete
from tests.kit.house import House
from tests.kit.local_script import LocalScript, hello, tasks_then_done


def mistaken(right: Callable[..., Any], times: int) -> Callable[..., Any]:
    """Return a function that trips over an assertion of its own at first."""
    left = times

    def function(*arguments: Any) -> Any:
        nonlocal left
        left -= 1
        assert left < 0, "what cannot be"
        return right(*arguments)

    return function


@pytest.mark.parametrize("name", ["close", "takable", "freeze"])
async def test_a_mistake_in_a_turn_that_is_decided_here_loses_no_result(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """P4: nothing but a restart would bring back a result that is neither here nor on disk."""
    async with House() as house:
        house.expected_faults = ("a turn of 'a'",)
        script = LocalScript.attach(house, tasks_then_done(2))
        await house.start("a")
        await house.settle()
        if name == "freeze":
            script.app.resting = True
            await house.raise_event("a", "unread")
            script.app.resting = False
        monkeypatch.setattr(deciding, name, mistaken(getattr(deciding, name), 1))
        script.finish("x", "y")
        await house.pass_time(2 * SECOND_US)
        assert (await house.finished("a")).output == "x y"
        assert [report.positional[0] for report in house.recorder.faults()] == ["a turn of 'a'"]


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_mistake_in_making_its_entry_neither(
    monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """First it is to land with its cause, and then by itself."""
    async with House() as house:
        house.expected_faults = ("a turn of 'a'",)
        script = LocalScript.attach(house, hello)
        await house.start("a")
        await house.settle()
        monkeypatch.setattr(moves, "closed_entry", mistaken(closed_entry, times))
        script.finish("x")
        await house.pass_minutes(1)
        assert (await house.finished("a")).output == "x"
        assert len(house.recorder.faults()) == times


async def test_a_mistake_that_stays_is_told_of_and_tried_again_with_growing_pauses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with House() as house:
        house.expected_faults = ("a turn of 'a'",)
        script = LocalScript.attach(house, hello)
        await house.start("a")
        await house.settle()
        monkeypatch.setattr(deciding, "close", mistaken(close, 1_000))
        script.finish("x")
        await house.pass_minutes(5)
        assert await house.status("a") is Status.RUNNING
        assert 5 < len(house.recorder.of("turn_retried")) < 15
        monkeypatch.setattr(deciding, "close", close)
        await house.pass_minutes(1)
        assert (await house.finished("a")).output == "x"


async def test_a_mistake_in_a_turn_that_a_worker_has_decided_hands_it_out_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with House() as house:
        house.expected_faults = ("a turn of 'a'",)
        worker = house.worker()
        await house.start("a")
        first = await worker.turn()
        monkeypatch.setattr(deciding, "close", mistaken(close, 1))
        with pytest.raises(WorkerFault, match="what cannot be"):
            await worker.decide(first, complete(result="x"))
        await house.pass_time(2 * SECOND_US)
        second = await worker.turn()
        assert second.new_bytes == first.new_bytes
        await worker.decide(second, complete(result="x"))
        assert (await house.view("a")).output == "x"
