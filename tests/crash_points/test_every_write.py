"""A server that dies at the first write of its life, at the second, … at the last."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from perdure.base.errors import StoreBroken
from tests.crash_points.conftest import Recorded
from tests.crash_points.images import after, lay, nothing, power_cut, some
from tests.crash_points.judging import judge
from tests.crash_points.recording import Step
from tests.crash_points.scenarios import LIVES, TOLD

_TIMEOUT_S = 3_000  # of a run with --every-write


def _places(steps: tuple[Step, ...], stride: int) -> Iterator[int]:
    """After every step from the first request on, or those around what counts and a few others.

    What counts is a sync, and a line to the client. Between them lie the pages of one commit.
    """
    stride = max(stride, len(steps) // 40) if stride > 1 else 1
    first = next(at for at, step in enumerate(steps) if step.name == TOLD)
    for at in range(first + 1, len(steps) + 1):
        around = steps[max(0, at - 1) : at + 1]
        if at % stride == 0 or any(step.kind != "W" or step.name == TOLD for step in around):
            yield at


def _judge(files: dict[str, bytearray]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lay(files, Path(folder))
        asyncio.run(judge(Path(folder), bytes(files.get(TOLD, b""))))


@pytest.mark.timeout(_TIMEOUT_S)
@pytest.mark.parametrize("life", LIVES)
def test_a_server_killed_at_any_write_loses_nothing(
    life: str, recorded: Recorded, stride: int
) -> None:
    steps = recorded(life)
    for at in _places(steps, stride):
        _judge(after(steps, at))


@pytest.mark.timeout(_TIMEOUT_S)
@pytest.mark.parametrize("life", LIVES)
def test_a_power_cut_at_any_write_loses_nothing(life: str, recorded: Recorded, stride: int) -> None:
    steps = recorded(life)
    chance = Random(life)
    for at in _places(steps, stride):
        _judge(power_cut(steps, at, nothing))
        _judge(power_cut(steps, at, some(chance)))


def test_the_judge_notices_a_server_that_does_not_sync(recorded: Recorded, stride: int) -> None:
    """What the tests above rest on: without syncs a power cut loses what was acknowledged."""
    steps = tuple(step for step in recorded("activities") if step.kind != "S")

    def cut_at_all_places() -> None:
        for at in _places(steps, stride):
            _judge(power_cut(steps, at, nothing))

    with pytest.raises((AssertionError, StoreBroken)):
        cut_at_all_places()


def test_the_judge_notices_a_lost_acknowledgement(recorded: Recorded) -> None:
    steps = recorded("events")
    told = next(
        at for at, step in enumerate(steps) if b'["acknowledged", "item", "a", "1"]' in step.data
    )
    before = next(at for at in range(told) if steps[at].kind == "S" and "wal" in steps[at].name)
    files = after(steps, before) | {TOLD: after(steps, told + 1)[TOLD]}
    with pytest.raises(AssertionError):
        _judge(files)
