"""Each exception of the written list, and that the list is the one in the documentation."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from perdure.base.errors import CallerFault
from perdure.components.port import Done, Purged, Started
from perdure.core.requests import Reason, Refusal, Rerun
from perdure.core.status import Status
from perdure.store.query import AllOf, Compare, Field, InstanceQuery, Operator, Order
from tests.conformance.component.exceptions import EXCEPTIONS
from tests.conformance.component.looking import until
from tests.conformance.component.subjects import Subject, temporal
from tests.docs import pages
from tests.kit.cluster import Cluster


def test_the_list_is_that_of_the_documentation() -> None:
    page = (pages.ROOT / "docs" / "temporal.md").read_text("utf-8")
    told = " ".join(page.split())
    assert not [text for text in EXCEPTIONS.values() if f"- {text}" not in told]


def test_each_exception_has_a_test() -> None:
    assert not [name for name in EXCEPTIONS if f"test_exception_{name}" not in globals()]


def only(subject: Subject, *terms: Compare) -> AllOf:
    own = Compare(Field.ID, Operator.PREFIX, (f"{subject.mark}-",))
    return AllOf((own, *terms))


async def test_exception_order(temporal_subject: Subject) -> None:
    for order in ((Order(Field.CREATED),), (Order(Field.ID),), (Order(Field.CREATED, True),) * 2):
        with pytest.raises(CallerFault, match="lists in one order"):
            await temporal_subject.component.find(InstanceQuery(order=order))


@pytest.mark.parametrize(
    "field",
    [Field.STARTED, Field.UPDATED, Field.APP, Field.VERSION, Field.WAITS_FOR, Field.CUSTOM_STATUS],
)
async def test_exception_fields(temporal_subject: Subject, field: Field) -> None:
    query = InstanceQuery(where=Compare(field, Operator.EQ, (1,)))
    with pytest.raises(CallerFault, match=f"cannot select by {field}"):
        await temporal_subject.component.find(query)


async def test_exception_tags(temporal_subject: Subject) -> None:
    instance_id = await temporal_subject.start("a", tags=(("colour", "red"), ("city", "Brno")))
    assert dict((await temporal_subject.view(instance_id)).tags) == {
        "colour": "red",
        "city": "Brno",
    }
    query = InstanceQuery(where=Compare("tags.colour", Operator.EQ, ("red",)))
    with pytest.raises(CallerFault, match="colour is none: register it"):
        await temporal_subject.component.find(query)
    typed = InstanceQuery(where=Compare("tags.items", Operator.GT, ("many",)))
    with pytest.raises(CallerFault, match="items is of kind int: 'many' is none"):
        await temporal_subject.component.find(typed)


async def test_exception_runs(temporal_subject: Subject) -> None:
    subject = temporal_subject
    async with subject.working():
        for _ in range(2):
            await subject.start("a", "echoes", input="1", replace_finished=True)
            await subject.finished(subject.id("a"))

    async def runs() -> set[str]:
        page = await subject.component.find(InstanceQuery(where=only(subject)))
        return {dict(view.properties)["runID"] for view in page.instances}

    seen = await until(runs, lambda found: len(found) == 2)
    assert dict((await subject.view(subject.id("a"))).properties)["runID"] in seen


@pytest.mark.parametrize("name", ["back\\slash", 'a "b"', "both\\'"])
async def test_exception_quoting(temporal_subject: Subject, name: str) -> None:
    subject = temporal_subject
    await subject.start("odd", name)
    await subject.start("even", "echoes")

    async def found() -> list[str]:
        page = await subject.component.find(InstanceQuery(where=only(subject)))
        return [view.name for view in page.instances]

    await until(found, lambda names: len(names) == 2)
    by_name = Compare(Field.NAME, Operator.EQ, (name,))
    page = await subject.component.find(InstanceQuery(where=only(subject, by_name)))
    assert page.instances == ()


async def test_exception_empty(temporal_subject: Subject) -> None:
    instance_id = await temporal_subject.start("a", input="")
    assert (await temporal_subject.view(instance_id)).input is None
    assert await temporal_subject.terminate(instance_id, "") == Done()
    assert (await temporal_subject.view(instance_id)).output is None


async def test_exception_spared(temporal_subject: Subject) -> None:
    subject = temporal_subject
    async with subject.working():
        parent = await subject.start("a", "bears")
        await subject.started(f"{parent}-child")
        answer = await subject.terminate(parent, recursive=False)
        assert isinstance(answer, Refusal)
        assert answer.reason is Reason.UNSUPPORTED
        assert f"its child '{parent}-child'" in answer.text
        assert (await subject.view(parent)).status is Status.RUNNING
        assert await subject.terminate(parent) == Done()
        lets_go = await subject.start("b", "lets_go")
        child = f"{lets_go}-child"
        await subject.started(child)
        assert await subject.terminate(lets_go, recursive=False) == Done()
        assert (await subject.view(child)).status is Status.RUNNING
        await subject.terminate(child)


async def test_exception_lingering(tmp_path: Path) -> None:
    slowly = {"history.transferProcessorUpdateAckInterval": '"60s"'}
    async with alone(Cluster(tmp_path, slowly)) as subject:
        instance_id = await subject.start("a")
        await subject.terminate(instance_id)
        assert await subject.purge(instance_id) == Purged(1, in_force=False)
        assert (await subject.view(instance_id)).status is Status.TERMINATED


async def test_exception_reset(temporal_subject: Subject) -> None:
    subject = temporal_subject
    async with subject.working():
        source = await subject.start("a", "works", input='"x"')
        await subject.finished(source)
        turn = next(e for e in await subject.events(source) if e["type"] == "WorkflowTaskCompleted")
        same = {"source_id": source, "event_id": turn["eventID"], "new_id": source}
        for asked in (
            Rerun(**{**same, "new_id": subject.id("b")}),
            Rerun(**same, input='"y"', overwrite_input=True),
            Rerun(**same, new_child_id=subject.id("c")),
        ):
            answer = await subject.component.rerun(asked)
            assert isinstance(answer, Refusal)
            assert answer.reason is Reason.UNSUPPORTED
        assert await subject.component.rerun(Rerun(**same)) == Started(source)
        assert (await subject.finished(source)).output == '"x"'


async def test_exception_numbers(temporal_subject: Subject) -> None:
    async with temporal_subject.working():
        instance_id = await temporal_subject.start("a", "works", input='"x"')
        await temporal_subject.finished(instance_id)
    events = await temporal_subject.events(instance_id)
    assert [event["eventID"] for event in events] == list(range(1, len(events) + 1))
    assert {event["temporalType"] for event in events if "temporalType" in event} >= {
        "WorkflowExecutionStarted",
        "ActivityTaskScheduled",
    }
    started = next(event for event in events if event["type"] == "ActivityTaskStarted")
    assert '"scheduledEventId"' in started["attributes"]


async def test_exception_timed_out(temporal_subject: Subject) -> None:
    instance_id = await temporal_subject.start("a", options=(("runTimeout", "1s"),))
    view = await temporal_subject.finished(instance_id)
    assert view.status is Status.FAILED
    assert view.failure is not None
    assert view.failure.error_type == "TimeoutError"
    assert dict(view.properties)["temporalStatus"] == "TimedOut"


async def test_exception_custom_status(temporal_subject: Subject) -> None:
    assert (await temporal_subject.view(await temporal_subject.start("a"))).custom_status is None
    memo = (("memo", '{"dapr-workflow-custom-status": "half way"}'),)
    told = await temporal_subject.start("b", options=memo)
    assert (await temporal_subject.view(told)).custom_status == '"half way"'


async def test_exception_no_pause(tmp_path: Path) -> None:
    async with alone(Cluster(tmp_path, {"frontend.WorkflowPauseEnabled": "false"})) as subject:
        instance_id = await subject.start("a")
        answer = await subject.suspend(instance_id)
        assert isinstance(answer, Refusal)
        assert answer.reason is Reason.UNSUPPORTED
        assert "this Temporal server does not pause workflows" in answer.text
        assert await subject.resume(instance_id) == Done()


@asynccontextmanager
async def alone(cluster: Cluster) -> AsyncIterator[Subject]:
    """A subject on a server of its own."""
    await asyncio.to_thread(cluster.start)
    try:
        async with temporal(cluster) as subject:
            yield subject
    finally:
        await asyncio.to_thread(cluster.stop)
