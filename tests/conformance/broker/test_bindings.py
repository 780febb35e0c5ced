"""The input bindings of brokers: what lies where they read comes, and is acknowledged."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import aio_pika
import pytest

from perdure.triggers.port import Outgoing, PubSub, Source
from tests.conformance.broker.conftest import OUTSIDE, MakePubSub
from tests.kit.brokers.kinds import Broker
from tests.kit.brokers.reception import Listening, Reception
from tests.kit.brokers.settings import settings_of

pytestmark = pytest.mark.timeout(240)

Send = Callable[[PubSub, str, bytes], Awaitable[None]]


async def _through_pubsub(pubsub: PubSub, topic: str, body: bytes) -> None:
    await pubsub.publish(topic, Outgoing(data=body, content_type="application/json"))


def _into_queue(url: str) -> Send:
    async def send(_pubsub: PubSub, queue: str, body: bytes) -> None:
        async with await aio_pika.connect(url) as connection:
            channel = await connection.channel()
            message = aio_pika.Message(body, message_id=body.decode())
            await channel.default_exchange.publish(message, queue, mandatory=True)

    return send


@dataclass(frozen=True, slots=True)
class _Case:
    kind: str
    items: Mapping[str, str]
    send: Send


def case_of(broker: Broker, topic: str) -> _Case:
    """Return the binding of a broker, and how something gets where it reads."""
    known = dict(broker.metadata)
    match broker.kind:
        case "redis":
            return _Case("redis", {**known, "stream": topic}, _through_pubsub)
        case "rabbitmq":
            url = known["connectionString"]
            return _Case("rabbitmq", {"host": url, "queueName": topic}, _into_queue(url))
        case "kafka":
            del known["maxMessageBytes"]  # of publishing
            return _Case("kafka", {**known, "topics": topic}, _through_pubsub)
        case "jetstream":
            return _Case("nats", {**known, "subject": topic}, _through_pubsub)
        case _:
            return _Case("mqtt3", {**known, "topic": topic}, _through_pubsub)


@OUTSIDE
async def test_a_binding_receives_and_acknowledges(
    broker: Broker, make: MakePubSub, topic: str, tmp_path: Path
) -> None:
    case, pubsub = case_of(broker, topic), make()
    module = import_module(f"perdure.triggers.bindings.{case.kind}")

    def source() -> Source:
        folder = tmp_path / "binding"
        folder.mkdir(exist_ok=True)
        settings = settings_of(folder, f"bindings.{case.kind}", case.items, name="incoming")
        built: Source = module.build(settings)
        assert not settings.unused()
        return built

    first, second = Reception(), Reception()
    async with Listening(source(), first) as listening:
        assert listening.source.name == "incoming"
        for body in (b"1", b"2"):
            await case.send(pubsub, topic, body)
        await first.until_accepted([b"1", b"2"])
    async with Listening(source(), second):
        await case.send(pubsub, topic, b"3")
        await second.until_accepted([b"3"])
    assert [message.data for message in second.came] == [b"3"]
    if broker.names_messages:
        ids = {message.message_id for message in (*first.came, *second.came)}
        assert len(ids) == 3
        assert None not in ids
