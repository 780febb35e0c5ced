"""The brokers of the tests: how each is started, and how a component is told of it."""

import secrets
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import nats
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.kit.brokers import kafka_jars
from tests.kit.brokers.process import HOST, BrokerProcess, free_port
from tests.kit.keeper import KEEPER

Metadata = dict[str, str]

IN_MEMORY: Final = "in-memory"


async def _ready(_topic: str) -> None:
    """Most brokers make a topic when it is first used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A broker that can be started, and what it is to a component and to the suite."""

    kind: str  # of `pubsub.<kind>`
    port: int
    process: BrokerProcess
    metadata: Metadata
    # What the suite may expect of this broker.
    names_messages: bool = True
    orders_keys: bool = False
    shares_by_group: bool = True
    carries_attributes: bool = True
    bound_item: str = "maxInFlight"  # what says how many messages may be in hand
    one_at_a_time: Metadata = field(default_factory=lambda: {"maxInFlight": "1"})
    # What has to be there before a topic can be used, and what ends with the tests.
    prepare: Callable[[str], Awaitable[None]] = field(default=_ready)
    close: Callable[[], None] = field(default=lambda: None)

    def stop_for_good(self) -> None:
        """End the process and what it left running."""
        self.process.kill()
        self.close()


def redis(folder: Path, front: int | None = None) -> Broker:
    """Redis with an append-only file that is flushed with each write."""
    port = free_port()
    process = BrokerProcess(
        [
            *("redis-server", "--port", str(port), "--bind", HOST, "--save", ""),
            *("--appendonly", "yes", "--appendfsync", "always", "--dir", str(folder)),
        ],
        folder=folder,
        ready="Ready to accept connections",
    )
    return Broker(
        kind="redis",
        port=port,
        process=process,
        metadata={
            "redisHost": f"{HOST}:{front or port}",
            "processingTimeout": "500ms",
            "redeliverInterval": "200ms",
        },
        bound_item="concurrency",
        one_at_a_time={"concurrency": "1"},
    )


def rabbitmq(folder: Path, front: int | None = None) -> Broker:
    """RabbitMQ as a node of its own, with a port mapper of its own."""
    port, dist_port, epmd_port = free_port(), free_port(), free_port()
    config = folder / "rabbitmq.conf"
    config.write_text(
        f"listeners.tcp.1 = {HOST}:{port}\nlog.console = true\nlog.console.level = info\n"
    )
    environment = {
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"perdure-{secrets.token_hex(4)}@localhost",
        "RABBITMQ_CONFIG_FILE": str(config),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_DIST_PORT": str(dist_port),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        "ERL_EPMD_PORT": str(epmd_port),
        "ERL_EPMD_ADDRESS": HOST,
    }
    (folder / "plugins").write_text("[].\n")
    # The port mapper would outlive the node that starts it; this one is the test's own.
    mapper = subprocess.Popen(["epmd", "-port", str(epmd_port), "-address", HOST])
    KEEPER.keep(mapper.pid)
    process = BrokerProcess(
        ["/usr/lib/rabbitmq/bin/rabbitmq-server"],
        folder=folder,
        ready="Server startup complete",
        environment=environment,
    )

    def end_port_mapper() -> None:
        mapper.kill()
        mapper.wait()
        KEEPER.let_go(mapper.pid)

    return Broker(
        kind="rabbitmq",
        port=port,
        process=process,
        metadata={"connectionString": f"amqp://guest:guest@{HOST}:{front or port}"},
        bound_item="prefetchCount",
        one_at_a_time={"concurrency": "single"},
        close=end_port_mapper,
    )


def jetstream(folder: Path, front: int | None = None) -> Broker:
    """NATS with JetStream, and a stream for all topics of the tests."""
    port = free_port()
    config = folder / "nats.conf"
    config.write_text(
        f'listen: "{HOST}:{port}"\nmax_payload: 8MB\n'
        f'jetstream {{ store_dir: "{folder}/streams", max_file_store: 1GB }}\n'
    )
    process = BrokerProcess(
        ["nats-server", "-c", str(config)], folder=folder, ready="Server is ready"
    )

    async def add_stream(topic: str) -> None:
        client = await nats.connect(f"nats://{HOST}:{port}")
        try:
            await client.jetstream().add_stream(name=topic, subjects=[topic])
        finally:
            await client.close()

    return Broker(
        kind="jetstream",
        port=port,
        process=process,
        metadata={
            "natsURL": f"nats://{HOST}:{front or port}",
            "ackWait": "600ms",
            "concurrency": "parallel",
        },
        bound_item="maxAckPending",
        one_at_a_time={"concurrency": "single"},
        prepare=add_stream,
    )


def mqtt3(folder: Path, front: int | None = None) -> Broker:
    """Mosquitto, which keeps sessions over a restart in good order."""
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} {HOST}\nallow_anonymous true\npersistence true\n"
        f"persistence_location {folder}/\nuser root\nlog_dest stderr\nmax_queued_messages 0\n"
    )
    process = BrokerProcess(
        ["mosquitto", "-c", str(config)],
        folder=folder,
        ready=" running",
    )
    return Broker(
        kind="mqtt3",
        port=port,
        process=process,
        metadata={"url": f"tcp://{HOST}:{front or port}"},
        names_messages=False,
        orders_keys=True,
        shares_by_group=False,
        carries_attributes=False,
    )


def kafka(folder: Path, front: int | None = None) -> Broker:
    """Apache Kafka from its own jars, one node that is broker and controller."""
    port = free_port()
    servers = f"{HOST}:{front or port}"
    config, java = _kafka_config(folder, port, servers), kafka_jars.java(folder)
    formatted = subprocess.run(
        [*java, "kafka.tools.StorageTool", "format", "-t", kafka_jars.CLUSTER_ID, "-c", config],
        check=False,
        capture_output=True,
        text=True,
    )
    assert formatted.returncode == 0, formatted.stdout + formatted.stderr
    process = BrokerProcess(
        [*java, "kafka.Kafka", str(config)], folder=folder, ready="Kafka Server started"
    )

    async def add_topic(topic: str) -> None:
        client = AIOKafkaAdminClient(bootstrap_servers=servers)
        await client.start()
        try:
            await client.create_topics([NewTopic(topic, num_partitions=3, replication_factor=1)])
        finally:
            await client.close()

    return Broker(
        kind="kafka",
        port=port,
        process=process,
        metadata={
            "brokers": servers,
            "authType": "none",
            "initialOffset": "oldest",
            "sessionTimeout": "3s",
            "heartbeatInterval": "300ms",
            "maxMessageBytes": str(2 * 1024 * 1024),
        },
        orders_keys=True,
        prepare=add_topic,
    )


def _kafka_config(folder: Path, port: int, servers: str) -> Path:
    controller = f"{HOST}:{free_port()}"
    lines: Mapping[str, object] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{servers}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": folder / "logs",
        "num.partitions": 3,
        "offsets.topic.num.partitions": 1,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.num.partitions": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 500,
        "message.max.bytes": 4 * 1024 * 1024,
    }
    config = folder / "server.properties"
    config.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
    return config


def in_memory() -> Broker:
    """Return the broker within the server itself, which has neither a process nor settings."""
    return Broker(
        kind=IN_MEMORY,
        port=0,
        process=BrokerProcess.absent(),
        metadata={},
        orders_keys=False,
        one_at_a_time={},
    )


class MakeBroker(Protocol):
    """Makes a broker that keeps its files in a folder.

    `front` is the port by which components reach it, if that is not its own.
    """

    def __call__(self, folder: Path, front: int | None = None) -> Broker: ...


KINDS: Mapping[str, MakeBroker] = {
    "redis": redis,
    "rabbitmq": rabbitmq,
    "kafka": kafka,
    "jetstream": jetstream,
    "mqtt3": mqtt3,
}


def missing() -> list[str]:
    """The programs that the brokers need and this machine lacks."""
    programs = ("redis-server", "nats-server", "mosquitto", "epmd", "java")
    return [each for each in programs if shutil.which(each) is None]
