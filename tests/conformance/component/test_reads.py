"""What readers see of instances, on every component."""

import asyncio

from perdure.core.status import Status
from tests.conformance.component.looking import until
from tests.conformance.component.subjects import Subject

OURS = {
    "ExecutionStarted",
    "ExecutionCompleted",
    "TaskScheduled",
    "TaskCompleted",
    "EventRaised",
    "ExecutionSuspended",
    "ExecutionResumed",
}


async def test_nobody_is_seen_who_is_not_there(subject: Subject) -> None:
    nobody = subject.id("nobody")
    component = subject.component
    assert await component.get(nobody) is None
    assert await component.history(nobody) is None
    assert await component.tasks(nobody) is None
    assert await component.wait(nobody, finished=True, timeout_us=100_000) is None


async def test_a_missing_instance_is_waited_for(subject: Subject) -> None:
    async with subject.working():
        waiting = asyncio.ensure_future(
            subject.component.wait(subject.id("a"), finished=True, timeout_us=60_000_000)
        )
        await subject.start("a", "echoes", input="1")
        view = await waiting
    assert view is not None
    assert (view.status, view.output) == (Status.COMPLETED, "1")


async def test_an_instance_from_its_start_to_its_end(subject: Subject) -> None:
    async with subject.working():
        instance_id = await subject.start("a", input="1")
        running = await subject.started(instance_id)
        assert running.status is Status.RUNNING
        assert running.started_at_us is not None
        assert running.completed_at_us is None
        assert not running.finished
        await subject.raise_event(instance_id, "go", "2")
        view = await subject.finished(instance_id)
    assert (view.status, view.input, view.output) == (Status.COMPLETED, "1", "2")
    assert view.completed_at_us is not None
    assert view.created_at_us <= running.started_at_us <= view.completed_at_us
    assert view.updated_at_us >= view.completed_at_us
    assert view.waits_for == "nothing"
    assert view.history_length == len(await subject.events(instance_id))


async def test_payloads_are_left_out_when_nobody_asks(subject: Subject) -> None:
    async with subject.working():
        instance_id = await subject.start("a", "fails", input="1")
        await subject.finished(instance_id)
    view = await subject.component.get(instance_id, payloads=False)
    assert view is not None
    assert (view.status, view.input, view.output, view.failure) == (
        Status.FAILED,
        None,
        None,
        None,
    )


async def test_a_failure_is_told_with_its_type(subject: Subject) -> None:
    async with subject.working():
        view = await subject.finished(await subject.start("a", "fails"))
    assert view.status is Status.FAILED
    assert view.output is None
    assert view.failure is not None
    assert (view.failure.error_type, view.failure.message) == ("ValueError", "no luck")
    assert view.failure_wire is not None


async def test_a_wait_ends_with_its_time(subject: Subject) -> None:
    instance_id = await subject.start("a")
    for finished in (True, False):
        view = await subject.component.wait(instance_id, finished=finished, timeout_us=100_000)
        assert view is not None
        assert view.status is Status.PENDING


async def test_who_goes_on_as_new_is_waited_for_to_the_end(subject: Subject) -> None:
    async with subject.working():
        instance_id = await subject.start("a", "counts", input="3")
        view = await subject.finished(instance_id)
    assert (view.status, view.output) == (Status.COMPLETED, "0")
    # The history is that of the last generation.
    assert (await subject.events(instance_id))[-1]["type"] == "ExecutionCompleted"


async def test_a_history_comes_in_pages(subject: Subject) -> None:
    async with subject.working():
        instance_id = await subject.start("a", "works", input='"x"')
        await subject.finished(instance_id)
    whole = await subject.events(instance_id)
    for limit in (1, 2, 3):
        assert await subject.events(instance_id, limit) == whole
    assert [event["seq"] for event in whole] == list(range(1, len(whole) + 1))
    told = [event["type"] for event in whole if event["type"] in OURS]
    assert told == ["ExecutionStarted", "TaskScheduled", "TaskCompleted", "ExecutionCompleted"]
    started = next(event for event in whole if event["type"] == "ExecutionStarted")
    assert (started["name"], started["input"]) == ("works", '"x"')
    scheduled = next(event for event in whole if event["type"] == "TaskScheduled")
    completed = next(event for event in whole if event["type"] == "TaskCompleted")
    assert completed["taskScheduledID"] == scheduled["eventID"]
    assert (scheduled["name"], completed["result"]) == ("act", '"x"')
    beyond = await subject.component.history(instance_id, after_seq=len(whole))
    assert beyond is not None
    assert (beyond.events, beyond.next_after) == ((), None)


async def test_a_history_tells_what_was_done_to_an_instance(subject: Subject) -> None:
    async with subject.working():
        instance_id = await subject.start("a")
        await subject.started(instance_id)
        await subject.suspend(instance_id)
        await subject.raise_event(instance_id, "go", '"now"')
        await subject.resume(instance_id)
        await subject.finished(instance_id)
    events = await subject.events(instance_id)
    told = {event["type"] for event in events}
    assert told >= OURS - {"TaskScheduled", "TaskCompleted"}
    raised = next(event for event in events if event["type"] == "EventRaised")
    assert (raised["name"], raised["input"]) == ("go", '"now"')
    assert events[-1]["status"] == "COMPLETED"


async def test_activities_are_seen_to_their_end(subject: Subject) -> None:
    async with subject.working():
        good = await subject.start("good", "works", input='"x"')
        bad = await subject.start("bad", "works", input='"no"')
        await subject.finished(good)
        assert (await subject.finished(bad)).status is Status.FAILED
    for instance_id, failed in ((good, False), (bad, True)):
        tasks = await subject.component.tasks(instance_id)
        assert tasks is not None
        [task] = tasks
        assert (task.name, task.failed, task.attempts) == ("act", failed, 1)
        assert task.worker
        assert task.handed_out_at_us is not None
        assert task.finished_at_us is not None
        assert task.scheduled_at_us <= task.handed_out_at_us <= task.finished_at_us


async def test_known_types_are_those_that_were_started(subject: Subject) -> None:
    await subject.start("a", "echoes")
    await until(subject.component.known_names, lambda names: "echoes" in names)
