"""Publishing: who is addressed, what is wrapped, and what a broker's absence is called."""

import json
from typing import Any

import pytest

from perdure.app.clock import SystemClock
from perdure.components.publishing import Publication, PublishReason
from perdure.triggers.port import PubSub
from perdure.triggers.publishing import BrokerPublisher
from tests.kit.reception import Broker


def publication(**more: Any) -> Publication:
    fields = {"pubsub": "messages", "topic": "orders", "data": b'{"n": 1}', **more}
    return Publication(**fields)


def publisher(*brokers: PubSub) -> BrokerPublisher:
    return BrokerPublisher({each.name: each for each in brokers}, SystemClock(), "shop")


async def test_a_payload_is_wrapped_and_handed_over() -> None:
    broker = Broker()
    metadata = {"ttlInSeconds": "5", "partitionKey": "k", "cloudevent.id": "7"}
    sent = publication(content_type="application/json", metadata=metadata)
    assert await publisher(broker).publish(sent) is None
    ((topic, outgoing),) = broker.published
    event = json.loads(outgoing.data)
    assert topic == "orders"
    assert outgoing.content_type == "application/cloudevents+json"
    assert outgoing.attributes == (("partitionKey", "k"),)
    assert (event["id"], event["source"], event["data"]) == ("7", "shop", {"n": 1})
    assert "expiration" in event


async def test_a_raw_payload_is_handed_over_as_it_is() -> None:
    broker = Broker()
    sent = publication(metadata={"rawPayload": "true"})
    assert await publisher(broker).publish(sent) is None
    ((_, outgoing),) = broker.published
    assert (outgoing.data, outgoing.content_type) == (b'{"n": 1}', "application/octet-stream")


@pytest.mark.parametrize(
    ("change", "reason", "text"),
    [
        ({"pubsub": "no"}, PublishReason.NOT_FOUND, "pubsub no not found"),
        ({"topic": ""}, PublishReason.TOPIC_EMPTY, "topic is empty in pubsub messages"),
        (
            {"content_type": "application/cloudevents+json", "data": b"["},
            PublishReason.BAD_EVENT,
            "cannot create cloudevent: the payload is not JSON",
        ),
        (
            {"metadata": {"ttlInSeconds": "x"}},
            PublishReason.BAD_METADATA,
            "failed deserializing metadata. Error: ttlInSeconds must be a whole number above 0",
        ),
    ],
)
async def test_what_is_not_published_says_why(
    change: dict[str, Any], reason: PublishReason, text: str
) -> None:
    broker = Broker()
    refusal = await publisher(broker).publish(publication(**change))
    assert refusal is not None
    assert (refusal.reason, refusal.text) == (reason, text)
    assert not broker.published


async def test_a_broker_that_is_away_and_none_at_all() -> None:
    broker = Broker()
    broker.away = True
    refusal = await publisher(broker).publish(publication())
    assert refusal is not None
    assert refusal.reason is PublishReason.AWAY
    assert "error when publishing to topic orders in pubsub messages: " in refusal.text
    refusal = await publisher().publish(publication())
    assert refusal is not None
    assert refusal.reason is PublishReason.NOT_CONFIGURED
