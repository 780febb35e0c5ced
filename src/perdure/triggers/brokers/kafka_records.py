"""Messages from topics of Kafka, in a consumer group.

- An offset is committed when every record before it was accepted; commits gather.
- Topic, partition, offset and the record's timestamp name a message. The timestamp is there because
  a topic that was deleted and made anew counts from 0 again.
- Records of one key are handed on one after the other; others side by side.
- A partition without a committed offset gets one as soon as it is ours. Otherwise a record received
  and lost by a crash would lie before where `newest` begins after the start.
- The library hides that it lost its servers. So they are asked something when nothing comes in.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError

from perdure.base.limits import (
    BROKER_ANSWER_TIMEOUT_US,
    DELIVERIES_DEFAULT,
    DELIVERIES_MAX,
    DELIVERY_GRACE_US,
    MIB,
)
from perdure.base.time import DAY_US, HOUR_US, SECOND_US
from perdure.triggers.brokers.gathering import Gathering
from perdure.triggers.brokers.kafka_offsets import Progress
from perdure.triggers.brokers.kafka_place import KafkaPlace
from perdure.triggers.deliveries import Deliveries
from perdure.triggers.port import Message, Receiver, Settings, Standing
from perdure.triggers.reconnecting import connected, in_words, stay_connected

_log = structlog.get_logger(__name__)

TROUBLES: Final = (KafkaError,)
_LEAVE_S: Final = DELIVERY_GRACE_US / SECOND_US
_POLL_MS: Final = 1_000
_PROBE_S: Final = 5.0
_ANSWER_S: Final = 5.0
_FETCH_BYTES_MAX: Final = 16 * MIB
# For so long topics and partitions that are new may go unnoticed.
_METADATA_AGE_MS: Final = 5_000
_ASSIGNORS: Final = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "sticky": StickyPartitionAssignor,
}

Record = ConsumerRecord[bytes, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How topics are read."""

    group: str
    from_oldest: bool
    deliveries_max: int
    session_timeout_ms: int
    heartbeat_ms: int
    strategy: str

    def consumer(self, place: KafkaPlace) -> AIOKafkaConsumer:
        """Return a consumer that commits nothing by itself."""
        return AIOKafkaConsumer(
            **place.arguments(),
            group_id=self.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest" if self.from_oldest else "latest",
            isolation_level="read_committed",
            session_timeout_ms=self.session_timeout_ms,
            heartbeat_interval_ms=self.heartbeat_ms,
            # Waiting for room is no failure, however long: heartbeats tell that we are alive.
            max_poll_interval_ms=DAY_US // 1_000,
            rebalance_timeout_ms=2 * DELIVERY_GRACE_US // 1_000 + self.session_timeout_ms,
            metadata_max_age_ms=_METADATA_AGE_MS,
            request_timeout_ms=BROKER_ANSWER_TIMEOUT_US // 1_000,
            fetch_max_bytes=_FETCH_BYTES_MAX,
            partition_assignment_strategy=[_ASSIGNORS[self.strategy]],
        )


def reading_of(settings: Settings) -> Reading:
    """Read the metadata of consuming."""
    session_us = settings.duration_us("sessionTimeout", 10 * SECOND_US)
    heartbeat_us = settings.duration_us("heartbeatInterval", min(3 * SECOND_US, session_us // 3))
    if not SECOND_US // 2 <= session_us <= HOUR_US:
        raise settings.fault("sessionTimeout", "expected 500ms to 1h")
    if not 0 < heartbeat_us < session_us:
        raise settings.fault("heartbeatInterval", "expected less than sessionTimeout")
    consumer_id = settings.text("consumerID", settings.app_id)
    return Reading(
        group=settings.text("consumerGroup", consumer_id),
        from_oldest=settings.one_of("initialOffset", ("newest", "oldest"), "newest") == "oldest",
        deliveries_max=settings.integer(
            "maxInFlight", DELIVERIES_DEFAULT, least=1, most=DELIVERIES_MAX
        ),
        session_timeout_ms=session_us // 1_000,
        heartbeat_ms=heartbeat_us // 1_000,
        strategy=settings.one_of("consumerGroupRebalanceStrategy", tuple(_ASSIGNORS), "range"),
    )


class KafkaSource:
    """The records of the partitions that come to this member of the group."""

    def __init__(
        self, name: str, topics: Sequence[str], place: KafkaPlace, reading: Reading
    ) -> None:
        self.name = name
        self.standing = Standing()
        self._topics = topics
        self._place = place
        self._reading = reading
        self._leaving: set[asyncio.Future[None]] = set()

    async def run(self, receive: Receiver, position: str | None) -> None:
        """Receive until cancelled; the group keeps the position."""
        del position

        async def session() -> None:
            consumer = self._reading.consumer(self._place)
            try:
                await consumer.start()
                await _Session(self, consumer).run(receive, self._topics, self._reading)
            finally:
                await self._leave(consumer)

        await stay_connected(session, name=self.name, standing=self.standing, troubles=TROUBLES)

    async def _leave(self, consumer: AIOKafkaConsumer) -> None:
        # To leave the group is a courtesy, which takes its time where nobody hears it.
        leaving = asyncio.ensure_future(consumer.stop())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._left)
        await asyncio.wait((leaving,), timeout=_LEAVE_S)

    def _left(self, leaving: "asyncio.Future[None]") -> None:
        self._leaving.discard(leaving)
        if not leaving.cancelled() and (trouble := leaving.exception()) is not None:
            _log.warning(
                "a group was not left in good order", source=self.name, trouble=in_words(trouble)
            )


class _Session(ConsumerRebalanceListener):
    """One membership of the group: the partitions that are ours, and how far each has come."""

    def __init__(self, source: KafkaSource, consumer: AIOKafkaConsumer) -> None:
        self._source = source
        self._consumer = consumer
        self._ours: dict[TopicPartition, Progress] = {}
        self._settled = asyncio.Event()
        self._deliveries: Deliveries | None = None
        self._heard_s = 0.0

    async def run(self, receive: Receiver, topics: Sequence[str], reading: Reading) -> None:
        commits = Gathering[tuple[TopicPartition, int]](self._commit)
        async with Deliveries(
            receive,
            self._source.standing,
            name=self._source.name,
            most=reading.deliveries_max,
        ) as deliveries:
            self._deliveries = deliveries
            deliveries.beside(commits.run())
            deliveries.beside(self._ask_when_silent())
            self._consumer.subscribe(topics, listener=self)
            while True:
                await self._settled.wait()
                room = await deliveries.room()
                found = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=room)
                for partition, records in found.items():
                    self._heard_s = asyncio.get_running_loop().time()
                    if self._settled.is_set():
                        for record in records:
                            self._hand_on(partition, record, deliveries, commits)
                    else:
                        self._put_back(partition, records[0].offset)

    def _hand_on(
        self,
        partition: TopicPartition,
        record: Record,
        deliveries: Deliveries,
        commits: Gathering[tuple[TopicPartition, int]],
    ) -> None:
        progress = self._ours[partition]
        progress.take(record.offset)

        async def acknowledge() -> None:
            next_offset = progress.accept(record.offset)
            if next_offset is not None and self._ours.get(partition) is progress:
                await commits.add((partition, next_offset))

        lane = (
            None
            if record.key is None
            else f"{partition.topic}/{partition.partition}/{record.key!r}"
        )
        deliveries.hand_on(_message(record), acknowledge, lane=lane)

    def _put_back(self, partition: TopicPartition, offset: int) -> None:
        """Read again from `offset`, once it is known whose the partition is."""
        if partition in self._consumer.assignment():
            self._consumer.seek(partition, offset)

    async def _commit(self, reached: list[tuple[TopicPartition, int]]) -> None:
        offsets: dict[TopicPartition, int] = {}
        for partition, offset in reached:
            if partition in self._ours:
                offsets[partition] = max(offset, offsets.get(partition, 0))
        if offsets:
            await self._consumer.commit(offsets)

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Let what is in hand come to its end, so that the next owner does not begin with it."""
        self._settled.clear()
        if revoked and self._deliveries is not None:
            await self._deliveries.quiet()
        self._ours.clear()

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Begin where the group has come to, and write down where that is."""
        beginnings: dict[TopicPartition, int] = {}
        for partition in assigned:
            if await self._consumer.committed(partition) is None:
                beginnings[partition] = await self._consumer.position(partition)
        if beginnings:
            await self._consumer.commit(beginnings)
        self._ours = {partition: Progress() for partition in assigned}
        self._heard_s = asyncio.get_running_loop().time()
        self._settled.set()
        self._source.standing.notes["partitions"] = str(len(self._ours))
        connected(self._source.name, self._source.standing)

    async def _ask_when_silent(self) -> None:
        while True:
            await asyncio.sleep(_PROBE_S)
            if asyncio.get_running_loop().time() - self._heard_s < _PROBE_S:
                continue
            try:
                async with asyncio.timeout(_ANSWER_S):
                    if self._ours:
                        await self._consumer.end_offsets([next(iter(self._ours))])
                    else:
                        await self._consumer.topics()
            except TimeoutError as error:
                raise ConnectionError("the servers do not answer") from error


def _message(record: Record) -> Message:
    headers = {
        str(key).lower(): (value or b"").decode(errors="replace") for key, value in record.headers
    }
    if record.key is not None:
        headers["partitionKey"] = record.key.decode(errors="replace")
    return Message(
        message_id=f"{record.topic}/{record.partition}/{record.offset}@{record.timestamp}",
        # A record without a value is a tombstone of a compacted topic.
        data=record.value or b"",
        content_type=headers.pop("content-type", None),
        attributes=tuple(sorted(headers.items())),
        topic=record.topic,
        received_at_us=time.time_ns() // 1_000,
    )
