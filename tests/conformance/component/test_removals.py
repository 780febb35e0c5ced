"""Deleting instances and running them again, on every component."""

from typing import Any

from perdure.components.port import InstanceView, Purged, Started
from perdure.core.requests import Reason, Refusal, Rerun
from perdure.core.status import Status
from tests.conformance.component.looking import until
from tests.conformance.component.subjects import Subject


async def gone(subject: Subject, instance_id: str) -> None:
    """Return once nobody sees the instance any more, which a purge itself may not wait for."""

    async def look() -> InstanceView | None:
        return await subject.component.get(instance_id)

    await until(look, lambda seen: seen is None)


async def test_nothing_is_deleted_that_is_not_there(subject: Subject) -> None:
    answer = await subject.purge(subject.id("nobody"))
    assert answer == Refusal(Reason.NOT_FOUND, "no such instance exists")


async def test_what_has_not_finished_is_deleted_by_force_alone(subject: Subject) -> None:
    instance_id = await subject.start("a")
    answer = await subject.purge(instance_id)
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.NOT_FINISHED
    assert await subject.component.get(instance_id) is not None
    answer = await subject.purge(instance_id, force=True)
    assert isinstance(answer, Purged)
    assert answer.count == 1
    await gone(subject, instance_id)


async def test_what_has_finished_is_deleted_and_its_id_is_free(subject: Subject) -> None:
    async with subject.working():
        instance_id = await subject.start("a", "echoes", input="1")
        await subject.finished(instance_id)
        answer = await subject.purge(instance_id)
        assert isinstance(answer, Purged)
        assert answer.count == 1
        await gone(subject, instance_id)
        assert await subject.component.history(instance_id) is None
        assert await subject.start("a", "echoes", input="2") == instance_id
        assert (await subject.finished(instance_id)).output == "2"


async def test_children_go_with_their_parent(subject: Subject) -> None:
    async with subject.working():
        parent = await subject.start("a", "bears")
        child = f"{parent}-child"
        await subject.started(child)
        await subject.raise_event(child, "go", "1")
        assert (await subject.finished(parent)).output == "1"

    async def purge() -> Any:
        return await subject.purge(parent)

    # A child that no listing tells of yet is found by a later purge of what is not yet gone.
    first = await purge()
    assert isinstance(first, Purged)
    await gone(subject, parent)
    if first.count > 1:
        await gone(subject, child)


async def test_a_run_from_an_activity_on(subject: Subject) -> None:
    async with subject.working():
        source = await subject.start("a", "works", input='"x"')
        before = await subject.finished(source)
        events = await subject.events(source)
        scheduled = next(event for event in events if event["type"] == "TaskScheduled")
        request = Rerun(
            source_id=source,
            event_id=scheduled["eventID"],
            new_id=subject.id("again"),
            new_id_chosen=False,
        )
        answer = await subject.component.rerun(request)
        assert isinstance(answer, Started)
        after = await subject.finished(answer.instance_id)
    assert (after.status, after.output) == (Status.COMPLETED, '"x"')
    assert after.execution_id != before.execution_id
    tasks = await subject.component.tasks(answer.instance_id)
    assert tasks is not None
    assert len(tasks) == 1


async def rerun(subject: Subject, source: str, event_id: int) -> Any:
    """Try a rerun under an id that the caller does not choose."""
    return await subject.component.rerun(
        Rerun(source_id=source, event_id=event_id, new_id=subject.id("again"), new_id_chosen=False)
    )


async def test_what_cannot_be_run_again(subject: Subject) -> None:
    nobody = subject.id("nobody")
    text = f"workflow instance does not exist with ID '{nobody}'"
    assert await rerun(subject, nobody, 1) == Refusal(Reason.NOT_FOUND, text)
    running = await subject.start("runs")
    text = f"'{running}' is not in a terminal state"
    assert await rerun(subject, running, 1) == Refusal(Reason.INVALID, text)
    async with subject.working():
        done = await subject.start("done", "works", input='"x"')
        await subject.finished(done)
    text = "does not have history event with ID '999'"
    assert await rerun(subject, done, 999) == Refusal(Reason.NOT_FOUND, text)
    events = await subject.events(done)
    completed = next(event for event in events if event["type"] == "TaskCompleted")
    answer = await rerun(subject, done, completed["eventID"])
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.NOT_FOUND
