"""The broker in memory: order, back-pressure, what is put back, and what is dropped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from perdure.base.errors import ConfigurationError, StoreUnavailable
from perdure.base.limits import DELIVERIES_DEFAULT
from perdure.triggers.port import Outgoing, PubSub, Settled, Source
from perdure.triggers.pubsub import in_memory
from tests.kit.inbox import Inbox
from tests.kit.metadata import Metadata

WAIT_S = 20


def made() -> PubSub:
    return in_memory.build(Metadata("pubsub.in-memory", "messages"))


def message(text: str) -> Outgoing:
    return Outgoing(data=text.encode(), content_type="text/plain", attributes=(("a", "b"),))


@asynccontextmanager
async def running(source: Source, inbox: Inbox) -> AsyncIterator[None]:
    task = asyncio.ensure_future(source.run(inbox.receive, None))
    try:
        async with asyncio.timeout(WAIT_S):
            yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_messages_arrive_in_order_and_as_they_were() -> None:
    broker, inbox = made(), Inbox()
    source = broker.subscribe("orders", {"rawPayload": "true"})
    assert source.name == "messages/orders"
    async with running(source, inbox):
        for number in range(10):
            await broker.publish("orders", message(str(number)))
        arrived = [await inbox.next() for _ in range(10)]
    assert [each.data for each in arrived] == [str(number).encode() for number in range(10)]
    assert len({each.message_id for each in arrived}) == 10
    assert arrived[0].content_type == "text/plain"
    assert arrived[0].attributes == (("a", "b"),)
    assert arrived[0].topic == "orders"
    assert not source.standing.connected
    assert source.standing.received == 10


async def test_a_topic_that_nobody_receives_drops_its_messages() -> None:
    broker, inbox = made(), Inbox()
    await broker.publish("orders", message("lost"))
    async with running(broker.subscribe("orders", {}), inbox):
        await broker.publish("orders", message("found"))
        assert (await inbox.next()).data == b"found"


async def test_what_was_not_accepted_comes_first_after_a_stop() -> None:
    broker, inbox = made(), Inbox()
    source = broker.subscribe("orders", {})
    inbox.gate.clear()
    async with running(source, inbox):
        for number in range(3):
            await broker.publish("orders", message(str(number)))
        first = [await inbox.next() for _ in range(3)]
    await broker.publish("orders", message("3"))
    again = Inbox()
    async with running(source, again):
        second = [await again.next() for _ in range(4)]
    assert [each.message_id for each in second[:3]] == [each.message_id for each in first]
    assert [each.redelivered for each in second] == [True, True, True, False]


async def test_later_is_tried_again_until_it_is_accepted() -> None:
    broker, inbox = made(), Inbox(Settled.LATER, Settled.LATER)
    async with running(broker.subscribe("orders", {}), inbox):
        await broker.publish("orders", message("x"))
        arrived = [await inbox.next() for _ in range(3)]
    assert len({each.message_id for each in arrived}) == 1


async def test_a_receiver_that_takes_its_time_holds_the_broker_back() -> None:
    broker, inbox = made(), Inbox()
    inbox.gate.clear()
    async with running(broker.subscribe("orders", {}), inbox):
        for number in range(DELIVERIES_DEFAULT + 10):
            await broker.publish("orders", message(str(number)))
        for _ in range(DELIVERIES_DEFAULT):
            await inbox.next()
        assert inbox.arrived.empty()
        inbox.gate.set()
        for _ in range(10):
            await inbox.next()


async def test_a_full_queue_is_told_to_the_publisher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_memory, "QUEUE_MESSAGES_MAX", 2)
    monkeypatch.setattr(in_memory, "BROKER_ANSWER_TIMEOUT_US", 1_000)
    broker = made()
    broker.subscribe("orders", {})
    for text in ("1", "2"):
        await broker.publish("orders", message(text))
    with pytest.raises(StoreUnavailable, match="the queue of topic orders is full"):
        await broker.publish("orders", message("3"))
    await broker.close()


async def test_a_queue_is_bounded_in_bytes_and_takes_one_message_of_any_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(in_memory, "QUEUE_BYTES_MAX", 10)
    monkeypatch.setattr(in_memory, "BROKER_ANSWER_TIMEOUT_US", 1_000)
    broker = made()
    broker.subscribe("orders", {})
    await broker.publish("orders", message("x" * 100))
    with pytest.raises(StoreUnavailable):
        await broker.publish("orders", message("y"))


def test_it_knows_no_metadata() -> None:
    with pytest.raises(ConfigurationError, match=r"which pubsub.in-memory does not know"):
        made().subscribe("orders", {"consumerID": "x"})
