"""Starts: ids taken, replaced, terminated or left in peace; many at once; traces."""

import asyncio

from perdure.components.port import Started
from perdure.core.events import EventRaised, ExecutionStarted
from perdure.core.requests import Reason, Refusal, Start
from perdure.core.status import TERMINAL, Status
from perdure.core.tracing import TraceContext
from tests.kit.answers import complete, schedule
from tests.kit.house import APP, House


def start(**fields: object) -> Start:
    known: dict[str, object] = {"instance_id": "a", "name": "wf", "app_id": APP}
    return Start(**(known | fields))  # type: ignore[arg-type]  # what a test says


async def test_an_active_id_is_refused_and_a_finished_one_begins_anew() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a", input="1")
        refused = await house.component.start(start())
        text = "an active workflow with ID 'a' already exists"
        assert refused == Refusal(Reason.ALREADY_EXISTS, text)
        await worker.decide(await worker.turn(), schedule(1), complete(2, "old"), custom_status="x")
        await worker.activity()
        unique = await house.component.start(start(replace_finished=False))
        assert isinstance(unique, Refusal)
        assert await house.component.start(start(input="2")) == Started("a")
        view = await house.view("a")
        assert (view.status, view.input, view.output, view.custom_status) == (
            Status.PENDING,
            "2",
            None,
            None,
        )
        turn = await worker.turn()
        assert (turn.past, turn.input) == ((), "2")


async def test_of_many_starts_of_one_id_one_is_born() -> None:
    async with House() as house:
        answers = await asyncio.gather(*(house.component.start(start()) for _ in range(20)))
        assert answers.count(Started("a")) == 1
        assert all(isinstance(answer, Refusal | Started) for answer in answers)
        assert len(house.store.list_ids(0, 9)) == 1


async def test_of_many_that_replace_one_wins() -> None:
    async with House() as house:
        await house.start("a")
        await house.terminate("a")
        answers = await asyncio.gather(*(house.component.start(start()) for _ in range(20)))
        assert answers.count(Started("a")) == 1
        assert len(house.store.list_ids(0, 9)) == 1


async def test_policies_of_older_sdks() -> None:
    """behaviour.md 3.5: terminate what is there, or leave it in peace."""
    async with House() as house:
        worker = house.worker()
        await house.start("a", input="1")
        turn = await worker.turn()
        ignoring = start(ignore_existing=frozenset({int(Status.PENDING)}))
        assert await house.component.start(ignoring) == Started("a")
        assert (await house.view("a")).input == "1"
        ending = start(input="2", terminate_existing=frozenset(set(Status) - TERMINAL))
        assert await house.component.start(ending) == Started("a")
        assert (await house.view("a")).input == "2"
        await worker.decide(turn, complete(0, "late"))
        assert (await worker.turn()).input == "2"


async def test_times_of_events_grow_strictly() -> None:
    """behaviour.md 4.3: redelivery is told by name and time."""
    async with House() as house:
        await house.start("a")
        for _ in range(3):
            await house.raise_event("a", "e")
        turn = await house.worker().turn()
        times = [event.at_us for event in turn.new if isinstance(event, EventRaised)]
        assert times == sorted(set(times))
        assert len(times) == 3


async def test_what_a_start_says_of_itself_comes_to_the_worker() -> None:
    async with House() as house:
        caller = TraceContext("ab" * 16, "cd" * 8, "01", "vendor=1")
        tags = (("k", "v"), ("k2", ""))
        await house.start("a", version="v", tags=tags, trace=caller, input="")
        started = (await house.worker().turn()).new[1]
        assert isinstance(started, ExecutionStarted)
        assert (started.version, started.tags, started.input) == ("v", tags, "")
        assert started.trace is not None
        assert (started.trace.trace_id, started.trace.state) == (caller.trace_id, "vendor=1")
        assert started.trace.span_id != caller.span_id
        assert started.router is not None
        assert started.router.source_app == APP
        [created] = house.recorder.of("instance_created")
        assert created.details["span"].parent_span_id == caller.span_id


async def test_traces_begin_here_only_when_asked_for() -> None:
    for trace_all in (False, True):
        async with House(trace_all=trace_all) as house:
            await house.start("a")
            started = (await house.worker().turn()).new[1]
            assert isinstance(started, ExecutionStarted)
            assert (started.trace is not None) is trace_all
