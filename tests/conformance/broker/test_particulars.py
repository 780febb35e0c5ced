"""What only one broker has: groups that vanish, queues that are deleted, topics that come later."""

import asyncio
from dataclasses import replace

import aio_pika
import nats
import pytest
import redis.asyncio as aioredis
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiormq import Channel
from aiormq.abc import ChannelFrame
from nats.js.api import AckPolicy, ConsumerConfig
from pamqp import body, commands, header

from perdure.triggers.port import Message, Outgoing, Settled
from tests.conformance.broker.conftest import MakePubSub
from tests.kit.brokers.kinds import Broker
from tests.kit.brokers.process import HOST
from tests.kit.brokers.reception import Listening, Reception

pytestmark = pytest.mark.timeout(240)


def only(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("broker", [kind], indirect=True)


async def never(_message: Message) -> Settled:
    await asyncio.Event().wait()
    return Settled.ACCEPTED


def outgoing(data: bytes, **attributes: str) -> Outgoing:
    return Outgoing(
        data=data, content_type="application/json", attributes=tuple(attributes.items())
    )


@only("redis")
async def test_redis_a_stream_that_is_flushed_is_read_from_its_new_beginning(
    broker: Broker, make: MakePubSub, topic: str
) -> None:
    pubsub, reception = make(), Reception()
    client = aioredis.Redis(host=HOST, port=broker.port)
    async with Listening(pubsub.subscribe(topic, {}), reception):
        await pubsub.publish(topic, outgoing(b"before"))
        await reception.until_accepted([b"before"])
        await client.delete(topic)
        await pubsub.publish(topic, outgoing(b"after"))
        await reception.until_accepted([b"after"])
    await client.aclose()


@only("redis")
async def test_redis_an_entry_that_was_trimmed_while_in_hand_does_not_stand_in_the_way(
    broker: Broker, make: MakePubSub, topic: str
) -> None:
    pubsub, held, later = make(), Reception(never), Reception()
    client = aioredis.Redis(host=HOST, port=broker.port)
    async with Listening(pubsub.subscribe(topic, {}), held):
        await pubsub.publish(topic, outgoing(b"cut off"))
        await held.until(lambda: held.under_way == 1)
    await client.xtrim(topic, maxlen=0)
    async with Listening(pubsub.subscribe(topic, {}), later):
        await pubsub.publish(topic, outgoing(b"next"))
        await later.until_accepted([b"next"])
    await client.aclose()


@only("redis")
async def test_redis_a_stream_is_kept_at_its_length(
    broker: Broker, make: MakePubSub, topic: str
) -> None:
    pubsub = make(maxLenApprox="100")
    await asyncio.gather(*(pubsub.publish(topic, outgoing(b"x")) for _ in range(1_000)))
    client = aioredis.Redis(host=HOST, port=broker.port)
    assert await client.xlen(topic) < 500
    await client.aclose()


@only("rabbitmq")
async def test_rabbitmq_a_queue_that_is_deleted_is_declared_anew(
    broker: Broker, make: MakePubSub, topic: str
) -> None:
    pubsub, reception = make(), Reception()
    async with (
        await aio_pika.connect(broker.metadata["connectionString"]) as connection,
        Listening(pubsub.subscribe(topic, {}), reception) as listening,
    ):
        channel = await connection.channel()
        await channel.queue_delete(f"orders-{topic}")
        await listening.standing.until(lambda standing: not standing.connected)
        await listening.standing.until(lambda standing: standing.connected)
        await pubsub.publish(topic, outgoing(b"after"))
        await reception.until_accepted([b"after"])


@only("rabbitmq")
@pytest.mark.parametrize("queue_type", ["classic", "quorum"])
async def test_rabbitmq_routes_by_key_into_either_type_of_queue(
    make: MakePubSub, topic: str, queue_type: str
) -> None:
    pubsub, reception = make(exchangeKind="topic"), Reception()
    metadata = {"queueType": queue_type, "routingKey": "eu.*,us.east", "queueName": f"q-{topic}"}
    async with Listening(pubsub.subscribe(topic, metadata), reception):
        for key in ("us.west", "us.east", "eu.north"):
            await pubsub.publish(topic, outgoing(key.encode(), routingKey=key))
        await reception.until_accepted([b"us.east", b"eu.north"])
    assert sorted(reception.bodies()) == [b"eu.north", b"us.east"]


@only("rabbitmq")
async def test_rabbitmq_a_queue_of_other_properties_is_told_as_trouble(
    make: MakePubSub, topic: str
) -> None:
    async with Listening(make().subscribe(topic, {}), Reception()):
        pass
    other = Listening(make(enableDeadLetter="true").subscribe(topic, {}), Reception())
    await other.begin()
    await other.standing.until(lambda standing: standing.trouble is not None)
    assert "PRECONDITION_FAILED" in (other.standing.trouble or "")
    await other.end()


@only("rabbitmq")
async def test_rabbitmq_a_message_that_nothing_names_is_marked_when_it_comes_again(
    broker: Broker, make: MakePubSub, topic: str
) -> None:
    pubsub, held, again = make(), Reception(never), Reception()
    async with Listening(pubsub.subscribe(topic, {}), held):
        await _publish_unnamed(broker.metadata["connectionString"], topic, b"unnamed")
        await held.until(lambda: held.under_way == 1)
    async with Listening(pubsub.subscribe(topic, {}), again):
        await again.until_accepted([b"unnamed"])
    assert [(each.message_id, each.redelivered) for each in (*held.came, *again.came)] == [
        (None, False),
        (None, True),
    ]


async def _publish_unnamed(url: str, exchange: str, data: bytes) -> None:
    # The library's own calls name every message, so the frames are written as they are.
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel(publisher_confirms=False)
        underlay = await channel.get_underlay_channel()
        properties = commands.Basic.Properties(content_type="application/json")
        frames = ChannelFrame.marshall(
            channel_number=underlay.number,
            frames=[
                commands.Basic.Publish(exchange=exchange),
                header.ContentHeader(body_size=len(data), properties=properties),
                body.ContentBody(data),
            ],
        )
        assert isinstance(underlay, Channel)
        await underlay.write_queue.put(frames)
        # An answer to what follows tells that it was read.
        await channel.get_exchange(exchange)


@only("kafka")
async def test_kafka_a_topic_that_comes_later_is_found(
    broker: Broker, make: MakePubSub, topic: str
) -> None:
    pubsub, reception = make(), Reception()
    async with Listening(pubsub.subscribe(f"{topic}-later", {}), reception):
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.metadata["brokers"])
        await admin.start()
        await admin.create_topics([NewTopic(f"{topic}-later", 1, 1)])
        await admin.close()
        await pubsub.publish(f"{topic}-later", outgoing(b"here"))
        await reception.until_accepted([b"here"])


@only("kafka")
async def test_kafka_newest_loses_nothing_that_came_after_the_first_start(
    make: MakePubSub, topic: str
) -> None:
    """A group that has committed nothing would begin after what was lost by a crash."""
    pubsub = make(initialOffset="newest")
    await pubsub.publish(topic, outgoing(b"before the first start"))
    held, again = Reception(never), Reception()
    async with Listening(pubsub.subscribe(topic, {}), held):
        await pubsub.publish(topic, outgoing(b"held"))
        await held.until(lambda: held.under_way == 1)
    async with Listening(pubsub.subscribe(topic, {}), again):
        await again.until_accepted([b"held"])
    assert [message.data for message in (*held.came, *again.came)] == [b"held", b"held"]


@only("jetstream")
async def test_jetstream_a_subject_without_a_stream_is_told_as_trouble(
    broker: Broker, make: MakePubSub, topic: str
) -> None:
    pubsub, reception = make(), Reception()
    listening = Listening(pubsub.subscribe(f"{topic}-later", {}), reception)
    await listening.begin()
    await listening.standing.until(lambda standing: standing.trouble is not None)
    assert f"no stream has the subject {topic}-later" in (listening.standing.trouble or "")
    client = await nats.connect(broker.metadata["natsURL"])
    await client.jetstream().add_stream(name=f"{topic}-later", subjects=[f"{topic}-later"])
    await listening.standing.until(lambda standing: standing.connected)
    await pubsub.publish(f"{topic}-later", outgoing(b"here"))
    await reception.until_accepted([b"here"])
    await listening.end()
    await client.close()


@only("jetstream")
@pytest.mark.parametrize(
    ("config", "words"),
    [
        (ConsumerConfig(deliver_subject="elsewhere"), "is one that pushes"),
        (ConsumerConfig(ack_policy=AckPolicy.NONE), "does not want each message acknowledged"),
        (ConsumerConfig(filter_subject="{topic}.other"), "reads {topic}.other"),
    ],
)
async def test_jetstream_a_consumer_that_does_not_fit_is_told_as_trouble(
    broker: Broker, make: MakePubSub, topic: str, config: ConsumerConfig, words: str
) -> None:
    client = await nats.connect(broker.metadata["natsURL"])
    streams = client.jetstream()
    await streams.update_stream(name=topic, subjects=[topic, f"{topic}.other"])
    subject = (config.filter_subject or topic).format(topic=topic)
    there = replace(config, durable_name="there", filter_subject=subject)
    await streams.add_consumer(topic, there)
    listening = Listening(make(durableName="there").subscribe(topic, {}), Reception())
    await listening.begin()
    await listening.standing.until(lambda standing: standing.trouble is not None)
    assert words.format(topic=topic) in (listening.standing.trouble or "")
    await listening.end()
    await client.close()


@only("mqtt3")
async def test_mqtt_a_retained_message_is_marked_as_one_that_may_have_come_before(
    make: MakePubSub, topic: str
) -> None:
    pubsub, first, second = make(retain="true"), Reception(), Reception()
    async with Listening(pubsub.subscribe(topic, {}), first):
        await pubsub.publish(topic, outgoing(b"state"))
        await first.until_accepted([b"state"])
    async with Listening(pubsub.subscribe(topic, {}), second):
        await second.until_accepted([b"state"])
    assert [message.redelivered for message in (*first.came, *second.came)] == [False, True]


@only("mqtt3")
async def test_mqtt_filters_take_topics_apart(make: MakePubSub, topic: str) -> None:
    pubsub, reception = make(), Reception()
    async with Listening(pubsub.subscribe(f"{topic}/+/temperature", {}), reception):
        for name in ("a/temperature", "b/humidity", "c/temperature"):
            await pubsub.publish(f"{topic}/{name}", outgoing(name.encode()))
        await reception.until_accepted([b"a/temperature", b"c/temperature"])
    assert {message.topic for message in reception.came} == {
        f"{topic}/a/temperature",
        f"{topic}/c/temperature",
    }
