"""What each broker's client does at its fastest: it takes messages and acknowledges them."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import aio_pika
import nats
import redis.asyncio as aioredis
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition
from paho.mqtt.client import Client, MQTTMessage, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from tests.kit.brokers.kinds import Broker
from tests.kit.brokers.process import HOST

_BATCH = 100
_GROUP = "plain"


class Count:
    """Counts messages, and the time from the first to the last."""

    def __init__(self, wanted: int) -> None:
        self.seen = 0
        self._wanted = wanted
        self._before = 0
        self._began_s = 0.0
        self._ended_s = 0.0

    def add(self, count: int) -> bool:
        """Count more; tell whether that is all."""
        return self.set(self.seen + count)

    def set(self, seen: int) -> bool:
        """Count so many in all; tell whether that is all."""
        now_s = time.monotonic()
        if seen and not self.seen:
            self._began_s, self._before = now_s, seen
        self.seen, self._ended_s = seen, now_s
        return seen >= self._wanted

    @property
    def rate(self) -> float:
        """Messages a second, of those after the first that were seen."""
        return (self.seen - self._before) / max(self._ended_s - self._began_s, 1e-9)


class Reader(Protocol):
    """A consumer: it joins before messages are published, and reads when they are."""

    async def join(self) -> None: ...
    async def read(self, count: Count) -> None: ...


class RedisReader:
    """XREADGROUP and XACK in batches."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self._client = aioredis.Redis(host=HOST, port=broker.port)
        self._topic = topic

    async def join(self) -> None:
        await self._client.xgroup_create(self._topic, _GROUP, id="0", mkstream=True)

    async def read(self, count: Count) -> None:
        while True:
            found: Any = await self._client.xreadgroup(
                _GROUP, "one", {self._topic: ">"}, count=_BATCH, block=1_000
            )
            batches = found.values() if isinstance(found, dict) else [[each[1]] for each in found]
            ids = [entry[0] for batch in batches for entries in batch for entry in entries]
            await self._client.xack(self._topic, _GROUP, *ids)
            if count.add(len(ids)):
                await self._client.aclose()
                return


class RabbitReader:
    """A consumer with a prefetch that acknowledges each message."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self._url = broker.metadata["connectionString"]
        self._topic = topic

    async def join(self) -> None:
        async with await aio_pika.connect(self._url) as connection:
            await self._queue(await connection.channel())

    async def _queue(self, channel: aio_pika.abc.AbstractChannel) -> aio_pika.abc.AbstractQueue:
        exchange = await channel.declare_exchange(self._topic, "fanout", durable=True)
        queue = await channel.declare_queue(_GROUP, durable=True)
        await queue.bind(exchange)
        return queue

    async def read(self, count: Count) -> None:
        done = asyncio.Event()

        async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            await message.ack()
            if count.add(1):
                done.set()

        async with await aio_pika.connect(self._url) as connection:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=_BATCH)
            await (await self._queue(channel)).consume(take)
            await done.wait()


class KafkaReader:
    """A member of a group that commits after each batch."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self._servers = broker.metadata["brokers"]
        self._topic = topic

    async def join(self) -> None:
        """A group begins at the beginning: nothing has to be there before."""

    async def read(self, count: Count) -> None:
        consumer = AIOKafkaConsumer(
            self._topic,
            bootstrap_servers=self._servers,
            group_id=_GROUP,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            while True:
                found: Mapping[TopicPartition, Any] = await consumer.getmany(
                    timeout_ms=1_000, max_records=_BATCH
                )
                if found:
                    await consumer.commit()
                if count.add(sum(len(records) for records in found.values())):
                    return
        finally:
            await consumer.stop()


class NatsReader:
    """A pull consumer that fetches batches and acknowledges each message."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self._url = broker.metadata["natsURL"]
        self._topic = topic

    async def join(self) -> None:
        """A consumer begins at the beginning: nothing has to be there before."""

    async def read(self, count: Count) -> None:
        client = await nats.connect(self._url)
        subscription = await client.jetstream().pull_subscribe(self._topic, _GROUP)
        while True:
            messages = await subscription.fetch(_BATCH)
            for message in messages:
                await message.ack()
            if count.add(len(messages)):
                await client.close()
                return


class MqttReader:
    """A session that is kept; the library acknowledges."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self._port = broker.port
        self._topic = topic

    def _client(self) -> Client:
        return Client(
            CallbackAPIVersion.VERSION2,
            client_id=_GROUP,
            clean_session=False,
            protocol=MQTTv311,
        )

    async def join(self) -> None:
        await asyncio.to_thread(self._join)

    def _join(self) -> None:
        client = self._client()

        def up(client: Client, _userdata: Any, _flags: Any, _reason: Any, _about: Any) -> None:
            client.subscribe(self._topic, 1)

        def subscribed(client: Client, _userdata: Any, _id: int, _codes: Any, _about: Any) -> None:
            client.disconnect()

        client.on_connect = up
        client.on_subscribe = subscribed
        client.connect(HOST, self._port)
        client.loop_forever()

    async def read(self, count: Count) -> None:
        await asyncio.to_thread(self._read, count)

    def _read(self, count: Count) -> None:
        client = self._client()

        def take(_client: Client, _userdata: Any, _message: MQTTMessage) -> None:
            if count.add(1):
                client.disconnect()

        client.on_message = take
        client.connect(HOST, self._port)
        client.loop_forever()


PLAIN: Mapping[str, Callable[[Broker, str], Reader]] = {
    "redis": RedisReader,
    "rabbitmq": RabbitReader,
    "kafka": KafkaReader,
    "jetstream": NatsReader,
    "mqtt3": MqttReader,
}
