"""Every item of a broker's metadata is read, refused with words, or warned of with its place."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from perdure.base.errors import ConfigurationError
from perdure.triggers.port import PubSub
from perdure.triggers.registry import build_binding, build_pubsub
from tests.kit.brokers.settings import settings_of

# What each type needs at least.
NEEDED: Mapping[str, Mapping[str, str]] = {
    "pubsub.redis": {"redisHost": "localhost:6379"},
    "pubsub.rabbitmq": {"connectionString": "amqp://guest:guest@localhost:5672"},
    "pubsub.kafka": {"brokers": "localhost:9092", "authType": "none"},
    "pubsub.jetstream": {"natsURL": "nats://localhost:4222"},
    "pubsub.mqtt3": {"url": "tcp://localhost:1883"},
    "bindings.redis": {"redisHost": "localhost:6379", "stream": "orders"},
    "bindings.rabbitmq": {"host": "amqp://localhost", "queueName": "orders"},
    "bindings.kafka": {"brokers": "localhost:9092", "topics": "a,b", "authType": "none"},
    "bindings.nats": {"natsURL": "nats://localhost:4222", "subject": "orders"},
    "bindings.mqtt3": {"url": "tcp://localhost:1883", "topic": "orders/+"},
}

# What Dapr knows too, and has the meaning that Dapr gives it.
KNOWN: Mapping[str, Mapping[str, str]] = {
    "pubsub.redis": {
        "redisPassword": "p",
        "redisUsername": "u",
        "consumerID": "group",
        "enableTLS": "true",
        "redeliverInterval": "30s",
        "processingTimeout": "20s",
        "queueDepth": "50",
        "concurrency": "5",
        "redisType": "node",
        "redisDB": "3",
        "dialTimeout": "1s",
        "readTimeout": "2s",
        "failover": "false",
        "maxLenApprox": "1000",
    },
    "pubsub.rabbitmq": {
        "durable": "true",
        "deletedWhenUnused": "false",
        "autoAck": "false",
        "maxLen": "10",
        "deliveryMode": "2",
        "prefetchCount": "10",
        "maxLenBytes": "1000",
        "protocol": "amqp",
        "exchangeKind": "topic",
        "enableDeadLetter": "true",
        "concurrency": "single",
        "publisherConfirm": "true",
        "ttlInSeconds": "60",
        "consumerID": "c",
    },
    "pubsub.kafka": {
        "consumerGroup": "g",
        "clientID": "c",
        "authType": "password",
        "saslUsername": "u",
        "saslPassword": "p",
        "saslMechanism": "SHA-512",
        "initialOffset": "oldest",
        "maxMessageBytes": "2048",
        "disableTls": "true",
        "heartbeatInterval": "1s",
        "sessionTimeout": "5s",
        "compression": "gzip",
        "consumerGroupRebalanceStrategy": "sticky",
    },
    "pubsub.jetstream": {
        "token": "t",
        "name": "n",
        "streamName": "s",
        "durableName": "d",
        "ackWait": "10s",
        "queueGroupName": "q",
        "maxDeliver": "5",
        "maxAckPending": "10",
        "replicas": "1",
        "memoryStorage": "false",
        "deliverPolicy": "new",
        "ackPolicy": "explicit",
        "domain": "d",
        "apiPrefix": "$JS.API",
        "concurrency": "parallel",
    },
    "pubsub.mqtt3": {"qos": "2", "retain": "true", "cleanSession": "false", "consumerID": "c"},
    "bindings.redis": {"direction": "input", "route": "/orders"},
    "bindings.rabbitmq": {
        "durable": "true",
        "deleteWhenUnused": "false",
        "ttlInSeconds": "60",
        "prefetchCount": "5",
        "exclusive": "false",
        "maxPriority": "10",
    },
}

REFUSED = [
    ("pubsub.redis", "redisHost", "", "redisHost: is missing"),
    ("pubsub.redis", "redisHost", "a:1,b:2", "clusters are not supported"),
    ("pubsub.redis", "redisHost", "localhost:70000", "expected host:port"),
    ("pubsub.redis", "redisType", "cluster", "Redis Cluster is not supported"),
    ("pubsub.redis", "failover", "true", "Redis Sentinel is not supported"),
    ("pubsub.redis", "useEntraID", "true", "use redisUsername and redisPassword"),
    ("pubsub.redis", "clientCert", "PEM", "client certificates are not supported"),
    ("pubsub.redis", "ackOnError", "true", "acknowledged only after it is on disk"),
    ("pubsub.redis", "processingTimeout", "0s", "expected 100ms to 1h"),
    ("pubsub.redis", "redeliverInterval", "2h", "expected 100ms to 1h"),
    ("pubsub.redis", "concurrency", "none", "expected a whole number from 1"),
    ("pubsub.rabbitmq", "connectionString", "http://localhost", "expected amqp://"),
    ("pubsub.rabbitmq", "connectionString", "", "connectionString: is missing"),
    ("pubsub.rabbitmq", "protocol", "amqps", "connectionString says amqp"),
    ("pubsub.rabbitmq", "autoAck", "true", "acknowledged only after it is on disk"),
    ("pubsub.rabbitmq", "saslExternal", "true", "is not supported"),
    ("pubsub.rabbitmq", "exchangeKind", "direct", "expected one of fanout, topic"),
    ("pubsub.kafka", "brokers", "a:1,,b:2", "separated by commas"),
    ("pubsub.kafka", "authType", "oidc", "oidc is not supported; use password or mtls"),
    ("pubsub.kafka", "authType", "awsiam", "awsiam is not supported"),
    ("pubsub.kafka", "authType", "mtls", "with clientCert and clientKey"),
    ("pubsub.kafka", "authType", "password", "saslUsername: is missing"),
    ("pubsub.kafka", "schemaRegistryURL", "http://localhost", "is not supported"),
    ("pubsub.kafka", "initialOffset", "middle", "expected one of newest, oldest"),
    ("pubsub.kafka", "compression", "zstd", "expected one of none, gzip"),
    ("pubsub.kafka", "heartbeatInterval", "1m", "expected less than sessionTimeout"),
    ("pubsub.kafka", "caCert", "not PEM", "expected a certificate as PEM text"),
    ("pubsub.jetstream", "natsURL", "localhost:4222", "expected nats://host:4222"),
    ("pubsub.jetstream", "jwt", "eyJ", "JWT is not supported"),
    ("pubsub.jetstream", "ackPolicy", "none", "use explicit"),
    ("pubsub.jetstream", "rateLimit", "10", "is not supported"),
    ("pubsub.jetstream", "backOff", "1s, 2s", "is held, not delivered again"),
    ("pubsub.jetstream", "durableName", "a.b", "expected a name without"),
    ("pubsub.jetstream", "tls_client_cert", "/nowhere.pem", "go together"),
    ("pubsub.mqtt3", "url", "localhost", "expected tcp://"),
    ("pubsub.mqtt3", "url", "tcp://localhost:port", "its port cannot be read"),
    ("pubsub.mqtt3", "qos", "0", "nothing is acknowledged"),
    ("bindings.redis", "direction", "output", "perdure has no output bindings"),
    ("bindings.redis", "stream", "", "stream: is missing"),
    ("bindings.rabbitmq", "queueName", "", "queueName: is missing"),
    ("bindings.kafka", "topics", "a,,b", "separated by commas"),
    ("bindings.nats", "subject", "", "subject: is missing"),
    ("bindings.mqtt3", "topic", "", "topic: is missing"),
]


def build(folder: Path, kind: str, items: Mapping[str, str]) -> list[str]:
    """Build a component; return the warnings of items that it has not asked for."""
    settings = settings_of(folder, kind, {**NEEDED[kind], **items})
    if kind.startswith("pubsub."):
        build_pubsub(settings)
    else:
        build_binding(settings)
    return settings.unused()


@pytest.mark.parametrize("kind", NEEDED)
async def test_what_is_needed_is_enough(kind: str, tmp_path: Path) -> None:
    assert build(tmp_path, kind, {}) == []


@pytest.mark.parametrize("kind", KNOWN)
async def test_items_of_dapr_are_known(kind: str, tmp_path: Path) -> None:
    assert build(tmp_path, kind, KNOWN[kind]) == []


@pytest.mark.parametrize("kind", NEEDED)
async def test_an_unknown_item_is_told_with_its_place(kind: str, tmp_path: Path) -> None:
    (warning,) = build(tmp_path, kind, {"noSuchItem": "1"})
    assert str(tmp_path) in warning
    assert f"noSuchItem is not used by perdure's {kind}" in warning


@pytest.mark.parametrize(("kind", "name", "value", "words"), REFUSED)
async def test_what_cannot_be_is_refused_with_file_line_and_words(
    kind: str, name: str, value: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build(tmp_path, kind, {name: value})
    text = str(caught.value)
    place, _, _ = text.partition(" ")
    file, line, column, _ = place.rsplit(":", 3)
    assert Path(file) == tmp_path / "broker.yaml"
    assert line.isdecimal()
    assert column.isdecimal()
    assert words in text


@pytest.mark.parametrize("kind", [kind for kind in NEEDED if kind.startswith("pubsub.")])
async def test_a_subscription_knows_its_metadata(kind: str, tmp_path: Path) -> None:
    pubsub: PubSub = build_pubsub(settings_of(tmp_path, kind, NEEDED[kind]))
    assert pubsub.subscribe("orders", {"rawPayload": "true"}).name == "broker/orders"
    with pytest.raises(ConfigurationError, match="noSuchItem"):
        pubsub.subscribe("orders", {"noSuchItem": "1"})


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"queueType": "stream"}, "use classic or quorum"),
        ({"maxPriority": "300"}, "expected a number from 1 to 255"),
        ({"maxLen": "many"}, "expected a number from 1"),
    ],
)
async def test_metadata_of_a_subscription_of_rabbitmq_are_bounded(
    metadata: Mapping[str, str], words: str, tmp_path: Path
) -> None:
    kind = "pubsub.rabbitmq"
    pubsub = build_pubsub(settings_of(tmp_path, kind, NEEDED[kind]))
    with pytest.raises(ConfigurationError, match=words):
        pubsub.subscribe("orders", metadata)
