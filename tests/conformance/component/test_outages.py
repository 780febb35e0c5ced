"""A cluster that is away, goes away in the middle of a call, comes back, or says nothing at all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perdure.app.clock import SystemClock
from perdure.base.errors import ComponentError, ComponentUnavailable
from perdure.components.port import Done, Started, WorkflowComponent
from perdure.components.temporal.bounds import CALL_TIMEOUT_S
from perdure.components.temporal.component import TemporalComponent
from perdure.components.temporal.faults import ComponentBusy
from perdure.core import requests as rq
from perdure.core.status import Status
from perdure.store.query import InstanceQuery
from tests.conformance.component.looking import until
from tests.conformance.component.subjects import Subject, temporal
from tests.kit.cluster import Cluster

# Room for a machine that has other things to do.
PROMPT_S = CALL_TIMEOUT_S + 10

CALLS: dict[str, Callable[[WorkflowComponent], Awaitable[Any]]] = {
    "start": lambda c: c.start(rq.Start(instance_id="a", name="waits", app_id="app")),
    "tagged": lambda c: c.start(
        rq.Start(instance_id="a", name="waits", app_id="app", tags=(("city", "Brno"),))
    ),
    "raise": lambda c: c.raise_event(rq.RaiseEvent(instance_id="a", name="go")),
    "terminate": lambda c: c.terminate(rq.Terminate(instance_id="a", recursive=False)),
    "suspend": lambda c: c.suspend(rq.Suspend(instance_id="a")),
    "resume": lambda c: c.resume(rq.Resume(instance_id="a")),
    "purge": lambda c: c.purge(rq.Purge(instance_id="a")),
    "rerun": lambda c: c.rerun(rq.Rerun(source_id="a", event_id=1, new_id="a")),
    "get": lambda c: c.get("a"),
    "wait": lambda c: c.wait("a", finished=True, timeout_us=None),
    "history": lambda c: c.history("a"),
    "tasks": lambda c: c.tasks("a"),
    "find": lambda c: c.find(InstanceQuery()),
    "list": lambda c: c.list_ids(None, 10),
    "names": lambda c: c.known_names(),
}


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[Cluster]:
    """A server of one test's own, not started."""
    cluster = Cluster(tmp_path)
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
async def subject(lone: Cluster) -> AsyncIterator[Subject]:
    async with temporal(lone) as found:
        yield found


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_cluster_that_is_away_is_told_of_at_once(
    subject: Subject, call: Callable[[WorkflowComponent], Awaitable[Any]]
) -> None:
    async with asyncio.timeout(PROMPT_S):
        with pytest.raises(ComponentUnavailable, match=r"Temporal cluster 127\.0\.0\.1:.* is away"):
            await call(subject.component)
    trouble = subject.component.trouble()
    assert trouble is not None
    assert trouble.endswith("is away: Connection refused")


async def test_a_cluster_that_comes_is_found(lone: Cluster, subject: Subject) -> None:
    await until(lambda: _trouble(subject), lambda seen: seen is not None)
    await asyncio.to_thread(lone.start)
    instance_id = await subject.start("a")
    assert subject.component.trouble() is None
    assert (await subject.view(instance_id)).status is Status.PENDING


async def _trouble(subject: Subject) -> str | None:
    with pytest.raises(ComponentUnavailable):
        await subject.component.get("a")
    return subject.component.trouble()


async def test_a_call_under_way_outlives_a_short_absence(lone: Cluster, subject: Subject) -> None:
    await asyncio.to_thread(lone.start)
    before = await subject.start("before")
    await asyncio.to_thread(lone.kill)
    starting = asyncio.ensure_future(asyncio.to_thread(lone.start))
    answer = None
    while answer is None:
        try:
            answer = await subject.try_start("after", "waits", replace_finished=False)
        except ComponentUnavailable:
            assert not starting.cancelled()
    await starting
    assert answer == Started(subject.id("after"))
    # What was acknowledged before is there.
    assert (await subject.view(before)).status is Status.PENDING


async def test_a_wait_ends_when_the_cluster_goes(lone: Cluster, subject: Subject) -> None:
    await asyncio.to_thread(lone.start)
    instance_id = await subject.start("a")
    waiting = asyncio.ensure_future(
        subject.component.wait(instance_id, finished=True, timeout_us=None)
    )
    # Once another call has been answered, the wait has asked as well.
    await subject.view(instance_id)
    await asyncio.to_thread(lone.kill)
    async with asyncio.timeout(PROMPT_S):
        with pytest.raises(ComponentUnavailable):
            await waiting
    await asyncio.to_thread(lone.start)
    assert await subject.terminate(instance_id, '"over"') == Done()
    assert (await subject.finished(instance_id)).output == '"over"'


async def test_a_cluster_that_says_nothing_is_not_waited_for(
    lone: Cluster, subject: Subject
) -> None:
    await asyncio.to_thread(lone.start)
    instance_id = await subject.start("a")
    lone.freeze()
    try:
        async with asyncio.timeout(PROMPT_S):
            with pytest.raises(ComponentUnavailable):
                await subject.component.get(instance_id)
        assert subject.component.trouble() is not None
    finally:
        lone.thaw()
    # What was asked in vain may still be under way there; the next answer is a good one.
    view = await until(
        lambda: _or_none(subject.component.get(instance_id)), lambda seen: seen is not None
    )
    assert view.status is Status.PENDING
    assert subject.component.trouble() is None


async def _or_none(asked: Awaitable[Any]) -> Any:
    try:
        return await asked
    except ComponentUnavailable:
        return None


async def test_a_namespace_that_is_not_there_is_no_fault_of_the_caller(cluster: Cluster) -> None:
    settings = replace(cluster.settings(), namespace="nowhere")
    component = TemporalComponent(settings, SystemClock(), app_id="app")
    with pytest.raises(ComponentError, match="Namespace nowhere is not found"):
        await component.get("a")
    await component.open()
    try:
        await until(lambda: _told(component), lambda seen: "nowhere" in (seen or ""))
    finally:
        await component.close()


async def _told(component: WorkflowComponent) -> str | None:
    with pytest.raises(ComponentError):
        await component.get("a")
    return component.trouble()


async def test_a_cluster_that_is_asked_too_much_is_not_away(tmp_path: Path) -> None:
    slow = {"frontend.namespaceRPS.visibility": "1", "frontend.namespaceBurstRatio.visibility": "1"}
    cluster = Cluster(tmp_path, slow)
    await asyncio.to_thread(cluster.start)
    try:
        component = cluster.component()
        asked = [component.find(InstanceQuery()) for _ in range(20)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
    finally:
        await asyncio.to_thread(cluster.stop)
    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    assert refused
    assert {type(answer) for answer in refused} == {ComponentBusy}
    assert all("is busy" in str(answer) for answer in refused)
    assert component.trouble() is None


async def test_what_was_acknowledged_before_a_crash_is_there(
    lone: Cluster, subject: Subject
) -> None:
    await asyncio.to_thread(lone.start)
    # The first call makes the connection, so that the crash comes in the middle of the others.
    await subject.start("first")
    names = [f"s{number}" for number in range(60)]
    starting = [asyncio.ensure_future(subject.try_start(name, "waits")) for name in names]
    await asyncio.wait(starting, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.to_thread(lone.kill)
    await asyncio.to_thread(lone.start)
    answers = await asyncio.gather(*starting, return_exceptions=True)
    for name, answer in zip(names, answers, strict=True):
        instance_id = subject.id(name)
        assert answer == Started(instance_id) or isinstance(answer, ComponentUnavailable), answer
        if answer == Started(instance_id):
            assert (await subject.view(instance_id)).status is Status.PENDING
        else:
            # Whether it was done, the same start tells.
            again = await subject.try_start(name, "waits")
            known = again == Started(instance_id) or again.reason is rq.Reason.ALREADY_EXISTS
            assert known, again
    assert len({answer for answer in answers if isinstance(answer, Started)}) >= 1
