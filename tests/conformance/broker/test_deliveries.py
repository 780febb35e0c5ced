"""What every broker's source promises of the messages it hands on."""

import asyncio
from itertools import pairwise

import pytest

from perdure.triggers.port import Message, Outgoing, PubSub, Settled
from tests.conformance.broker.conftest import OUTSIDE, MakePubSub
from tests.kit.brokers.kinds import Broker
from tests.kit.brokers.reception import Listening, Reception

pytestmark = pytest.mark.timeout(240)


def outgoing(data: bytes, **attributes: str) -> Outgoing:
    return Outgoing(
        data=data, content_type="application/json", attributes=tuple(attributes.items())
    )


async def publish(pubsub: PubSub, topic: str, *bodies: bytes) -> None:
    for body in bodies:
        await pubsub.publish(topic, outgoing(body))


def numbered(count: int) -> list[bytes]:
    return [b"message %d" % number for number in range(count)]


async def test_what_is_published_is_delivered_once(
    broker: Broker, pubsub: PubSub, topic: str
) -> None:
    reception = Reception()
    bodies = numbered(30)
    async with Listening(pubsub.subscribe(topic, {}), reception):
        await publish(pubsub, topic, *bodies)
        await reception.until_accepted(bodies)
    assert sorted(reception.bodies()) == sorted(bodies)
    assert {message.topic for message in reception.came} == {topic}
    assert all(not message.redelivered for message in reception.came)
    if broker.names_messages:
        assert len({message.message_id for message in reception.came}) == len(bodies)


async def test_attributes_and_content_type_arrive(
    broker: Broker, pubsub: PubSub, topic: str
) -> None:
    reception = Reception()
    async with Listening(pubsub.subscribe(topic, {}), reception):
        await pubsub.publish(topic, outgoing(b"{}", traceparent="00-1-2-01"))
        await reception.until_accepted([b"{}"])
    (message,) = reception.accepted
    if broker.carries_attributes:
        assert message.content_type == "application/json"
        assert dict(message.attributes)["traceparent"] == "00-1-2-01"


async def test_what_was_not_accepted_comes_again_after_a_new_start(
    pubsub: PubSub, topic: str
) -> None:
    held = Reception(_never)
    async with Listening(pubsub.subscribe(topic, {}), held):
        await publish(pubsub, topic, b"held")
        await held.until(lambda: held.under_way == 1)
    assert held.bodies() == []

    again = Reception()
    async with Listening(pubsub.subscribe(topic, {}), again):
        await again.until_accepted([b"held"])
    (first,), (second,) = held.came, again.came
    assert first.message_id == second.message_id
    if second.message_id is None:
        assert (first.redelivered, second.redelivered) == (False, True)


async def test_what_was_accepted_does_not_come_again(pubsub: PubSub, topic: str) -> None:
    first, second = Reception(), Reception()
    async with Listening(pubsub.subscribe(topic, {}), first):
        await publish(pubsub, topic, b"one", b"two")
        await first.until_accepted([b"one", b"two"])
    async with Listening(pubsub.subscribe(topic, {}), second):
        await publish(pubsub, topic, b"three")
        await second.until_accepted([b"three"])
    assert [message.data for message in second.came] == [b"three"]


async def test_what_comes_while_nobody_listens_is_kept(pubsub: PubSub, topic: str) -> None:
    reception = Reception()
    async with Listening(pubsub.subscribe(topic, {}), Reception()):
        pass
    await publish(pubsub, topic, b"one", b"two")
    async with Listening(pubsub.subscribe(topic, {}), reception):
        await reception.until_accepted([b"one", b"two"])


async def test_later_is_tried_again_and_nothing_overtakes_its_acknowledgement(
    pubsub: PubSub, topic: str
) -> None:
    async def third_time(message: Message) -> Settled:
        tries = sum(each.data == message.data for each in reception.came)
        return Settled.ACCEPTED if tries == 3 or message.data != b"busy" else Settled.LATER

    reception = Reception(third_time)
    async with Listening(pubsub.subscribe(topic, {}), reception):
        await publish(pubsub, topic, b"busy", b"free")
        await reception.until_accepted([b"busy", b"free"])
    tries = [message for message in reception.came if message.data == b"busy"]
    assert len(tries) == 3
    assert len({message.message_id for message in tries}) == 1


async def test_a_receiver_that_fails_keeps_the_message(pubsub: PubSub, topic: str) -> None:
    async def fail_once(_message: Message) -> Settled:
        if len(reception.came) == 1:
            raise RuntimeError("not this time")
        return Settled.ACCEPTED

    reception = Reception(fail_once)
    async with Listening(pubsub.subscribe(topic, {}), reception):
        await publish(pubsub, topic, b"body")
        await reception.until_accepted([b"body"])
    assert len(reception.came) == 2


@OUTSIDE  # the one within has a bound that is not for users to set
async def test_no_more_than_the_bound_are_in_hand(
    broker: Broker, make: MakePubSub, topic: str
) -> None:
    open_gate = asyncio.Event()

    async def wait(_message: Message) -> Settled:
        await open_gate.wait()
        return Settled.ACCEPTED

    pubsub, reception = make(**{broker.bound_item: "3"}), Reception(wait)
    bodies = numbered(24)
    # Several keys and topics, so that no order stands in the way of the bound.
    keys = [f"{topic}/{number}" if broker.kind == "mqtt3" else topic for number in range(24)]
    subscribed = f"{topic}/+" if broker.kind == "mqtt3" else topic
    async with Listening(pubsub.subscribe(subscribed, {}), reception):
        for key, body in zip(keys, bodies, strict=True):
            await pubsub.publish(key, outgoing(body))
        await reception.until(lambda: reception.under_way == 3)
        open_gate.set()
        await reception.until_accepted(bodies)
    assert reception.most_under_way == 3
    assert len(reception.came) == len(bodies)


async def test_what_has_one_key_is_handled_in_its_order(
    broker: Broker, pubsub: PubSub, topic: str
) -> None:
    async def take_turns(message: Message) -> Settled:
        # An odd one takes longer than the even one after it, if anything lets that begin.
        for _ in range(50 if message.data[-1] % 2 else 1):
            await asyncio.sleep(0)
        return Settled.ACCEPTED

    reception = Reception(take_turns)
    bodies = numbered(30)
    async with Listening(pubsub.subscribe(topic, {}), reception):
        for body in bodies:
            await pubsub.publish(topic, outgoing(body, partitionKey="one key"))
        await reception.until_accepted(bodies)
    if broker.orders_keys:
        assert reception.bodies() == bodies
    else:
        assert sorted(reception.bodies()) == sorted(bodies)


@OUTSIDE  # of the one within, a reader takes as many as there are, up to its bound
async def test_readers_of_one_app_share_the_messages(
    broker: Broker, make: MakePubSub, topic: str
) -> None:
    both_have_one, together = asyncio.Event(), Reception()

    async def wait_for_the_other(message: Message) -> Settled:
        if first.came and second.came:
            both_have_one.set()
        await both_have_one.wait()
        return await together.receive(message)

    first, second = Reception(wait_for_the_other), Reception(wait_for_the_other)
    if broker.shares_by_group:
        one = another = make(**broker.one_at_a_time)
        subscribed = topic
    else:
        one, another = make(consumerID="first"), make(consumerID="second")
        subscribed = f"$share/readers/{topic}"
    bodies = numbered(40)
    async with (
        Listening(one.subscribe(subscribed, {}), first),
        Listening(another.subscribe(subscribed, {}), second),
    ):
        for number, body in enumerate(bodies):
            await one.publish(topic, outgoing(body, partitionKey=str(number)))
        await together.until_accepted(bodies)
    assert sorted(together.bodies()) == sorted(bodies)


@OUTSIDE  # the one within is one app's own
async def test_two_apps_each_get_every_message(make: MakePubSub, topic: str) -> None:
    orders, billing = make(app_id="orders"), make(app_id="billing")
    first, second = Reception(), Reception()
    bodies = numbered(5)
    async with (
        Listening(orders.subscribe(topic, {}), first),
        Listening(billing.subscribe(topic, {}), second),
    ):
        await publish(orders, topic, *bodies)
        await first.until_accepted(bodies)
        await second.until_accepted(bodies)
    assert len(first.came) == len(second.came) == len(bodies)
    assert [each.message_id for each in first.came if each.message_id] == [
        each.message_id for each in second.came if each.message_id
    ] or sorted(first.bodies()) == sorted(second.bodies())


@pytest.mark.parametrize(
    "body",
    [b"", b"\x00", b"\xff\xfe not UTF-8 \x80", bytes(range(256)) * 4_096, b'{"a":\n1}\r\n'],
    ids=["empty", "nul", "not-utf8", "one-mebibyte", "lines"],
)
async def test_any_bytes_arrive_as_they_are(pubsub: PubSub, topic: str, body: bytes) -> None:
    reception = Reception()
    async with Listening(pubsub.subscribe(topic, {}), reception):
        await publish(pubsub, topic, body)
        await reception.until_accepted([body])
    assert [message.data for message in reception.came] == [body]


async def test_ids_of_one_topic_grow_apart(broker: Broker, pubsub: PubSub, topic: str) -> None:
    """Equal bytes published twice are two messages."""
    reception = Reception()
    async with Listening(pubsub.subscribe(topic, {}), reception):
        await publish(pubsub, topic, b"same", b"same")
        await reception.until(lambda: len(reception.accepted) == 2)
    if broker.names_messages:
        for one, next_one in pairwise(reception.came):
            assert one.message_id != next_one.message_id


async def _never(_message: Message) -> Settled:
    await asyncio.Event().wait()
    return Settled.ACCEPTED
