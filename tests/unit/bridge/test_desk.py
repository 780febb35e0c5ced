"""Work meets workers: handed out, answered, lost, given back, limited, and told of nonsense."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from perdure.app.clock import SystemClock
from perdure.base.errors import WorkerFault
from perdure.base.observer import Activity, NullObserver, Subject
from perdure.bridge.desk import Desk
from perdure.bridge.envelope import APP_ID
from perdure.bridge.jobs import TURN_PAIR, Answered, Job, TooLarge, WorkersGone
from perdure.bridge.settings import BridgeSettings
from perdure.components.temporal.settings import TemporalSettings
from perdure.engine.dispatcher import Work, WorkStream
from perdure.engine.work import Profile
from perdure.wire.generated import work_pb2 as pb
from tests.kit.answers import activity_answer, complete, schedule, turn_answer

APP = "shop"
CLUSTER = TemporalSettings(
    name="dapr",
    hostport="localhost:7233",
    namespace="default",
    identity="tests",
    task_queue=None,
    workflow_types=(),
    tls=None,
    api_key=None,
)


def desk(**limits: int) -> Desk:
    settings = BridgeSettings(cluster=CLUSTER, app_id=APP, queues=APP_ID, **limits)  # type: ignore[arg-type]  # limits are numbers
    return Desk(settings, SystemClock(), NullObserver())


class Worker:
    """A worker by its stream."""

    def __init__(self, desk: Desk, **profile: int) -> None:
        self.stream = desk.open_stream(Profile(app_id=APP, worker="w", **profile))  # type: ignore[arg-type]  # what a test says
        self._items: AsyncIterator[bytes] = self.stream.items()

    async def take(self) -> pb.WorkItem:
        async with asyncio.timeout(10):
            return pb.WorkItem.FromString(await anext(self._items))

    @property
    def turns(self) -> int:
        """How many turns are at it."""
        assert isinstance(self.stream, WorkStream), self.stream
        return len(self.stream.held[Work.TURN])

    def leave(self) -> None:
        self.stream.close()


def item(stream: WorkStream, token: str) -> bytes:
    del stream
    return pb.WorkItem(token=token).SerializeToString()


def turn(instance_id: str = "i", name: str = "wf") -> Job:
    return Job(
        kind=Work.TURN,
        pair=(instance_id, TURN_PAIR),
        subject=Subject(instance_id, name, APP),
        make_item=item,
    )


def task(task_id: int = 1) -> Job:
    return Job(
        kind=Work.ACTIVITY,
        pair=("i", task_id),
        subject=Subject("i", "wf", APP),
        activity=Activity("act", task_id, APP, 0),
        make_item=item,
    )


async def begun(place: Desk, job: Job) -> "asyncio.Task[Answered]":
    doing = asyncio.create_task(place.do(job))
    await asyncio.sleep(0)
    return doing


async def test_an_answer_goes_to_whoever_asked() -> None:
    place = desk()
    worker = Worker(place)
    doing = await begun(place, turn())
    sent = await worker.take()
    answer = turn_answer("i", complete(), token=sent.token)
    await place.complete_turn(answer)
    assert (await doing).data == answer
    await place.complete_turn(answer)  # once more is dropped


async def test_an_answer_without_a_token_is_to_what_is_out_of_the_pair() -> None:
    place = desk()
    worker = Worker(place)
    doing = await begun(place, task())
    await worker.take()
    await place.complete_activity(activity_answer("i", 2, result="wrong"))
    await place.complete_activity(activity_answer("i", 1, result="right"))
    assert b"right" in (await doing).data


async def test_where_nobody_is_nothing_waits() -> None:
    place = desk()
    with pytest.raises(WorkersGone, match="no worker of the app 'shop'"):
        await place.do(turn())


async def test_what_the_last_worker_had_is_given_back() -> None:
    place = desk()
    worker = Worker(place, turns_max=1)
    held, waiting = await begun(place, turn("a")), await begun(place, turn("b"))
    await worker.take()
    worker.leave()
    for doing in (held, waiting):
        with pytest.raises(WorkersGone):
            await doing


async def test_what_a_worker_had_goes_to_the_next_one_under_another_token() -> None:
    place = desk()
    first, second = Worker(place), Worker(place)
    doing = await begun(place, turn())
    # Whichever of the two has it.
    taking = [asyncio.ensure_future(each.take()) for each in (first, second)]
    done, pending = await asyncio.wait(taking, return_when=asyncio.FIRST_COMPLETED)
    lost = done.pop().result().token
    holder = first if taking[0].done() else second
    holder.leave()
    again = (await asyncio.wait_for(pending.pop(), 10)).token
    assert again != lost
    await place.complete_turn(turn_answer("i", complete(), token=lost))
    assert not doing.done()
    await place.complete_turn(turn_answer("i", complete(), token=again))
    await doing


async def test_nonsense_is_told_to_the_worker_and_the_turn_stays() -> None:
    place = desk()
    worker = Worker(place)
    doing = await begun(place, turn())
    sent = await worker.take()
    nonsense = pb.TurnAnswer(instance_id="i", token=sent.token, is_partial=True)
    with pytest.raises(WorkerFault, match="partial"):
        await place.complete_turn(nonsense.SerializeToString())
    assert not doing.done()
    again = await worker.take()  # after a second
    await place.complete_turn(turn_answer("i", schedule(1), token=again.token))
    await doing


async def test_no_more_are_out_than_allowed() -> None:
    place = desk(turns_max=1)
    worker = Worker(place)
    first, second = await begun(place, turn("a")), await begun(place, turn("b"))
    assert worker.turns == 1
    sent = await worker.take()
    await place.complete_turn(turn_answer("a", complete(), token=sent.token))
    await first
    assert worker.turns == 1
    sent = await worker.take()
    await place.complete_turn(turn_answer("b", complete(), token=sent.token))
    await second
    assert worker.turns == 0


async def test_what_nobody_wants_any_more_is_forgotten() -> None:
    place = desk(turns_max=1)
    worker = Worker(place)
    unwanted, wanted = await begun(place, turn("a")), await begun(place, turn("b"))
    await worker.take()
    unwanted.cancel()
    with pytest.raises(asyncio.CancelledError):
        await unwanted
    sent = await worker.take()
    await place.complete_turn(turn_answer("b", complete(), token=sent.token))
    await wanted


async def test_what_no_message_carries_is_told() -> None:
    def too_large(stream: WorkStream, token: str) -> bytes:
        raise TooLarge(f"{token[:0]}ten megabytes for {stream.profile.worker}")

    place = desk()
    Worker(place)
    job = turn()
    job.make_item = too_large
    with pytest.raises(TooLarge, match="ten megabytes for w"):
        await place.do(job)


async def test_an_arrival_is_told_and_so_is_that_time_is_over() -> None:
    place = desk()
    waiting = asyncio.create_task(place.arrival(APP, 60))
    await asyncio.sleep(0)
    Worker(place)
    await asyncio.wait_for(waiting, 10)
    await place.arrival(APP, 0)
