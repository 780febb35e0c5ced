"""What every broker's source promises when the broker, the network or the process goes away."""

import asyncio

import pytest

from perdure.base.errors import StoreUnavailable
from perdure.triggers.port import Message, Outgoing, PubSub, Settled
from tests.conformance.broker.conftest import OUTSIDE, MakePubSub
from tests.kit.brokers.kinds import Broker
from tests.kit.brokers.process import HOST, free_port
from tests.kit.brokers.reception import Listening, Reception

pytestmark = pytest.mark.timeout(240)

# Longer than any broker of the suite waits for an acknowledgement before it delivers again.
LONG_S = 2.5


def outgoing(data: bytes) -> Outgoing:
    return Outgoing(data=data, content_type="application/json")


class Gate:
    """Holds messages until it is opened."""

    def __init__(self) -> None:
        self._open = asyncio.Event()

    async def __call__(self, _message: Message) -> Settled:
        await self._open.wait()
        return Settled.ACCEPTED

    def open(self) -> None:
        self._open.set()


@OUTSIDE
async def test_a_broker_that_was_away_is_found_again(
    broker: Broker, pubsub: PubSub, topic: str
) -> None:
    reception = Reception()
    async with Listening(pubsub.subscribe(topic, {}), reception) as listening:
        await pubsub.publish(topic, outgoing(b"before"))
        await reception.until_accepted([b"before"])
        await asyncio.to_thread(broker.process.stop)
        try:
            await listening.standing.until(lambda standing: not standing.connected)
            assert listening.standing.trouble
        finally:
            await asyncio.to_thread(broker.process.start)
        await listening.standing.until(lambda standing: standing.connected)
        assert listening.standing.trouble is None
        await _published(pubsub, topic, b"after")
        await reception.until_accepted([b"after"])
    assert set(reception.bodies()) == {b"before", b"after"}
    if broker.names_messages:
        assert len({message.message_id for message in reception.came}) == 2


@OUTSIDE
async def test_what_is_in_hand_when_the_broker_goes_away_comes_again_as_the_same(
    broker: Broker, pubsub: PubSub, topic: str
) -> None:
    gate = Gate()
    reception = Reception(gate)
    async with Listening(pubsub.subscribe(topic, {}), reception) as listening:
        await pubsub.publish(topic, outgoing(b"in hand"))
        await reception.until(lambda: reception.under_way == 1)
        await asyncio.to_thread(broker.process.stop)
        try:
            await listening.standing.until(lambda standing: not standing.connected)
        finally:
            await asyncio.to_thread(broker.process.start)
        gate.open()
        await reception.until(lambda: len(reception.accepted) >= 1)
    marker = Reception()
    async with Listening(pubsub.subscribe(topic, {}), marker):
        await _published(pubsub, topic, b"marker")
        await marker.until_accepted([b"marker"])
    bodies = reception.bodies() + marker.bodies()
    assert set(bodies) == {b"in hand", b"marker"}
    again = [each for each in (*reception.came, *marker.came) if each.data == b"in hand"]
    assert len({each.message_id for each in again}) == 1


@OUTSIDE
async def test_a_broker_that_is_not_there_is_called_upon_again(
    broker: Broker, make: MakePubSub, topic: str
) -> None:
    nowhere = free_port()
    address = {
        name: value.replace(_port_of(broker), str(nowhere))
        for name, value in broker.metadata.items()
    }
    listening = Listening(make(**address).subscribe(topic, {}), Reception())
    attempts: list[str | None] = []
    await listening.begin()
    for _ in range(3):
        await listening.standing.until(lambda standing: standing.trouble is not None)
        attempts.append(listening.standing.trouble)
        listening.standing.trouble = None
    assert not listening.standing.connected
    assert all(attempts)
    async with asyncio.timeout(10):
        await listening.end()


@OUTSIDE
async def test_publishing_to_a_broker_that_is_away_is_refused(
    broker: Broker, pubsub: PubSub, topic: str
) -> None:
    reception = Reception()
    async with Listening(pubsub.subscribe(topic, {}), reception):
        await pubsub.publish(topic, outgoing(b"before"))
        await reception.until_accepted([b"before"])
        await asyncio.to_thread(broker.process.stop)
        try:
            with pytest.raises(StoreUnavailable, match="broker"):
                await pubsub.publish(topic, outgoing(b"lost"))
        finally:
            await asyncio.to_thread(broker.process.start)
        await _published(pubsub, topic, b"after")
        await reception.until_accepted([b"after"])


async def test_what_is_in_hand_for_long_is_not_delivered_to_others(
    pubsub: PubSub, topic: str
) -> None:
    gate = Gate()
    reception = Reception(gate)
    async with Listening(pubsub.subscribe(topic, {}), reception):
        await pubsub.publish(topic, outgoing(b"slow"))
        await reception.until(lambda: reception.under_way == 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(LONG_S):
                await asyncio.Event().wait()
        gate.open()
        await reception.until_accepted([b"slow"])
    assert len(reception.came) == 1


async def test_a_source_that_is_cancelled_loses_nothing(pubsub: PubSub, topic: str) -> None:
    async def accept_some(_message: Message) -> Settled:
        if len(reception.came) > 20:
            await asyncio.Event().wait()
        return Settled.ACCEPTED

    reception, later = Reception(accept_some), Reception()
    bodies = [b"message %d" % number for number in range(60)]
    async with Listening(pubsub.subscribe(topic, {}), reception):
        for body in bodies:
            await pubsub.publish(topic, outgoing(body))
        await reception.until(lambda: len(reception.came) > 20)
    rest = set(bodies) - set(reception.bodies())
    assert rest
    async with Listening(pubsub.subscribe(topic, {}), later):
        await later.until_accepted(sorted(rest))
    # What was accepted before may come again only where it stood behind something that was not:
    # an offset of Kafka is one for all before it. Its id then says that it is the same.
    known = {message.message_id: message.data for message in reception.came}
    for message in later.came:
        if message.data not in rest:
            assert message.message_id is None or known[message.message_id] == message.data


async def test_what_ends_while_its_source_stops_is_acknowledged(pubsub: PubSub, topic: str) -> None:
    gate = Gate()
    reception, later = Reception(gate), Reception()
    async with Listening(pubsub.subscribe(topic, {}), reception) as listening:
        await pubsub.publish(topic, outgoing(b"last"))
        await reception.until(lambda: reception.under_way == 1)
        ending = asyncio.create_task(listening.end())
        await asyncio.sleep(0)
        gate.open()
        await ending
    assert reception.bodies() == [b"last"]
    async with Listening(pubsub.subscribe(topic, {}), later):
        await pubsub.publish(topic, outgoing(b"next"))
        await later.until_accepted([b"next"])
    assert [message.data for message in later.came] == [b"next"]


async def _published(pubsub: PubSub, topic: str, body: bytes) -> None:
    """Publish as an application does: again, until the broker that comes back takes it."""
    async with asyncio.timeout(60):
        while True:
            try:
                await pubsub.publish(topic, outgoing(body))
            except StoreUnavailable:
                await asyncio.sleep(0)
            else:
                return


def _port_of(broker: Broker) -> str:
    text = " ".join(broker.metadata.values())
    (port,) = {part.split("/")[0].split()[0] for part in text.split(f"{HOST}:")[1:]}
    return port
