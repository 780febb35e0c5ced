"""Events, suspensions and ends of instances, on every component."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from perdure.components.port import Done
from perdure.core.requests import Reason, Refusal
from perdure.core.status import Status
from tests.conformance.component.subjects import Subject

Change = Callable[[Subject, str], Awaitable[Any]]
CHANGES: dict[str, Change] = {
    "raise": lambda subject, instance_id: subject.raise_event(instance_id, "go", "1"),
    "terminate": lambda subject, instance_id: subject.terminate(instance_id, '"over"'),
    "suspend": lambda subject, instance_id: subject.suspend(instance_id),
    "resume": lambda subject, instance_id: subject.resume(instance_id),
}
EACH_CHANGE = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


@EACH_CHANGE
async def test_what_is_not_there_cannot_be_changed(subject: Subject, change: Change) -> None:
    answer = await change(subject, subject.id("nobody"))
    assert answer == Refusal(Reason.NOT_FOUND, "no such instance exists")


@EACH_CHANGE
async def test_what_has_finished_cannot_be_changed(subject: Subject, change: Change) -> None:
    async with subject.working():
        instance_id = await subject.start("a", "echoes", input="1")
        await subject.finished(instance_id)
    answer = await change(subject, instance_id)
    text = f"workflow '{instance_id}' has already finished"
    assert answer == Refusal(Reason.ALREADY_FINISHED, text)
    view = await subject.view(instance_id)
    assert (view.status, view.output) == (Status.COMPLETED, "1")


async def test_an_event_reaches_the_workflow(subject: Subject) -> None:
    async with subject.working():
        instance_id = await subject.start("a")
        await subject.started(instance_id)
        assert await subject.raise_event(instance_id, "other", '"not this"') == Done()
        assert await subject.raise_event(instance_id, "go", '{"n": 1}') == Done()
        view = await subject.finished(instance_id)
    assert view.output is not None
    assert view.output.replace(" ", "") == '{"n":1}'


async def test_an_event_waits_for_a_worker(subject: Subject) -> None:
    instance_id = await subject.start("a")
    assert await subject.raise_event(instance_id, "go", "1") == Done()
    assert await subject.raise_event(instance_id, "go", "2") == Done()
    async with subject.working():
        assert (await subject.finished(instance_id)).output == "1"


async def test_a_suspended_instance_takes_events_and_no_work(subject: Subject) -> None:
    async with subject.working():
        instance_id = await subject.start("a")
        await subject.started(instance_id)
        for _ in range(2):
            assert await subject.suspend(instance_id) == Done()
        view = await subject.view(instance_id)
        assert (view.status, view.waits_for) == (Status.SUSPENDED, "resume")
        assert await subject.raise_event(instance_id, "go", "1") == Done()
        waited = await subject.component.wait(instance_id, finished=True, timeout_us=500_000)
        assert waited is not None
        assert waited.status is Status.SUSPENDED
        for _ in range(2):
            assert await subject.resume(instance_id) in {
                Done(),
                # It may have come to its end between the two.
                Refusal(Reason.ALREADY_FINISHED, f"workflow '{instance_id}' has already finished"),
            }
        assert (await subject.finished(instance_id)).output == "1"


async def test_resuming_what_is_not_suspended_changes_nothing(subject: Subject) -> None:
    instance_id = await subject.start("pending")
    assert await subject.resume(instance_id) == Done()
    assert (await subject.view(instance_id)).status is Status.PENDING
    async with subject.working():
        await subject.started(instance_id)
        assert await subject.resume(instance_id) == Done()
        assert (await subject.view(instance_id)).status is Status.RUNNING


async def test_what_is_suspended_before_it_starts_can_be_ended(subject: Subject) -> None:
    instance_id = await subject.start("a")
    assert await subject.suspend(instance_id) == Done()
    assert (await subject.view(instance_id)).status is Status.SUSPENDED
    assert await subject.terminate(instance_id) == Done()
    assert (await subject.view(instance_id)).status is Status.TERMINATED


@pytest.mark.parametrize("output", [None, '"out of stock"', '{"a": 1.10}', "no JSON"])
async def test_what_terminates_an_instance_is_its_output(
    subject: Subject, output: str | None
) -> None:
    instance_id = await subject.start("a")
    assert await subject.terminate(instance_id, output) == Done()
    view = await subject.view(instance_id)
    assert (view.status, view.output, view.failure) == (Status.TERMINATED, output, None)
    assert view.completed_at_us is not None
    assert (view.waits_for, view.finished) == ("nothing", True)


async def test_children_end_with_their_parent(subject: Subject) -> None:
    async with subject.working():
        parent = await subject.start("a", "bears")
        child = f"{parent}-child"
        view = await subject.started(child)
        assert view.parent_id == parent
        assert await subject.terminate(parent) == Done()
        assert (await subject.finished(child)).status is Status.TERMINATED
