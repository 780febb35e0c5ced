"""Activities in processes: they compute beside this one, and can be ended."""

import json
import os
from pathlib import Path

import pytest

from perdure.authoring.activities import ActivityContext
from tests.unit.worker import computing
from tests.unit.worker.running import Place

pytestmark = pytest.mark.timeout(180)


async def test_a_process_is_another_one_and_is_kept_for_the_next_call() -> None:
    async with Place() as place:
        place.add(computing.square, process=True)
        first = json.loads(await place.result("square", "3") or "")
        second = json.loads(await place.result("square", "4") or "")
    assert first[0] == 9
    assert second[0] == 16
    assert first[1] == second[1] != os.getpid()


async def test_async_and_decorated_functions_run_there_too() -> None:
    async with Place() as place:
        place.add(computing.later, process=True)
        place.add(computing.decorated, name="decorated", process=True)
        assert await place.result("later") == '"i:1"'
        assert await place.result("decorated") == '"itself"'


async def test_an_exception_comes_back_as_a_failure() -> None:
    async with Place() as place:
        place.add(computing.fails, process=True, non_retryable=(computing.Unlucky,))
        failure = await place.failure("fails")
    assert (failure.error_type, failure.message) == ("Unlucky", "no luck")
    assert failure.non_retriable
    assert "computing.py" in (failure.stack_trace or "")


async def test_a_process_that_dies_fails_its_activity_and_no_other() -> None:
    async with Place() as place:
        place.add(computing.dies, process=True)
        place.add(computing.square, process=True)
        failure = await place.failure("dies")
        assert failure.error_type == "ProcessDied"
        assert failure.message.endswith("code 7")
        assert not failure.non_retriable
        assert await place.result("square", "2")


async def test_a_process_whose_activity_is_given_up_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "process"
    async with Place() as place:
        place.add(computing.holds, process=True, timeout=3)
        place.add(computing.square, process=True)
        failure = await place.failure("holds", json.dumps(str(file)))
        assert failure.error_type == "TimeoutError"
        # There is one place, and it is free again: so whoever held it is gone.
        assert await place.result("square", "2")
        with pytest.raises(ProcessLookupError):
            os.kill(int(file.read_text()), 0)


async def test_one_that_gives_no_sign_of_life_is_killed_and_one_that_does_is_not() -> None:
    async with Place() as place:
        place.add(computing.silent, process=True, heartbeat_timeout=0.3)
        failure = await place.failure("silent")
    assert "no heartbeat" in failure.message


async def test_what_a_process_cannot_import_is_told() -> None:
    def inside(_: ActivityContext) -> None:
        raise AssertionError("it cannot be found")

    async with Place() as place:
        place.add(inside, process=True)
        failure = await place.failure("inside")
    assert "at the top of a module" in failure.message
    assert failure.non_retriable
