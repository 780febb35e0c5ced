"""Messages from and to Redis streams, in a consumer group.

- An entry is acknowledged (XACK) after it was accepted; acknowledgements are sent in batches.
- An entry's id names it, and is the same each time it is delivered.
- Each run reads under a name of its own. What it has in hand is claimed anew before it grows old
  enough for others, so an entry that lies unacknowledged for `processingTimeout` belongs to a
  consumer that is gone: every `redeliverInterval` such entries are taken over.
- A group that is not there is made, from the beginning of the stream.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import redis.asyncio as aioredis
import structlog
from redis.exceptions import RedisError, ResponseError

from perdure.base.limits import DELIVERIES_DEFAULT, DELIVERIES_MAX
from perdure.base.time import DAY_US, HOUR_US, SECOND_US
from perdure.triggers.brokers.gathering import Gathering
from perdure.triggers.brokers.redis_place import BLOCK_MS, RedisPlace
from perdure.triggers.brokers.sessions import SessionSource
from perdure.triggers.deliveries import Deliveries
from perdure.triggers.port import Message, Receiver, Settings
from perdure.triggers.reconnecting import connected

_log = structlog.get_logger(__name__)

_CLAIM_ENTRIES_MAX: Final = 100
_CONNECTIONS_MAX: Final = 4
# A consumer without entries in hand that was not heard of for so long is one that died.
_FORGOTTEN_MS: Final = DAY_US // 1_000
_DATA: Final = b"data"
_METADATA: Final = b"metadata"

Entry = tuple[bytes, dict[bytes, bytes] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a stream is read."""

    group: str
    deliveries_max: int
    processing_timeout_us: int
    redeliver_interval_us: int


def reading_of(settings: Settings) -> Reading:
    """Read the metadata of consuming."""
    if settings.flag("ackOnError", default=False):
        raise settings.fault(
            "ackOnError", "a message is acknowledged only after it is on disk; remove this item"
        )
    concurrency = settings.integer("concurrency", DELIVERIES_DEFAULT, least=1, most=DELIVERIES_MAX)
    depth = settings.integer("queueDepth", DELIVERIES_MAX, least=1, most=1_000_000)
    reading = Reading(
        group=settings.text("consumerID", settings.app_id),
        deliveries_max=min(concurrency, depth),
        processing_timeout_us=settings.duration_us("processingTimeout", 15 * SECOND_US),
        redeliver_interval_us=settings.duration_us("redeliverInterval", 15 * SECOND_US),
    )
    for name, value_us in (
        ("processingTimeout", reading.processing_timeout_us),
        ("redeliverInterval", reading.redeliver_interval_us),
    ):
        if not SECOND_US // 10 <= value_us <= HOUR_US:
            raise settings.fault(
                name,
                "expected 100ms to 1h: what a consumer that died had in hand has to come again",
            )
    return reading


class RedisSource(SessionSource):
    """The entries of one stream that come to this consumer of the group."""

    troubles = (RedisError,)

    def __init__(self, name: str, stream: str, place: RedisPlace, reading: Reading) -> None:
        super().__init__(name)
        self._stream = stream
        self._place = place
        self._reading = reading
        self._consumer = f"{reading.group}-{secrets.token_hex(6)}"
        self._held: set[bytes] = set()

    async def _session(self, receive: Receiver) -> None:
        client = self._place.client(connections_max=_CONNECTIONS_MAX)
        try:
            await self._join(client)
            connected(self.name, self.standing)
            acks = Gathering[bytes](lambda ids: self._acknowledge(client, ids))
            async with self._deliveries(receive) as deliveries:
                deliveries.beside(acks.run())
                deliveries.beside(self._stay_owner(client))
                deliveries.beside(self._take_over(client, deliveries, acks))
                await self._read_own(client, deliveries, acks)
                await self._read_new(client, deliveries, acks)
        finally:
            self._held.clear()
            await asyncio.shield(client.aclose())

    def _deliveries(self, receive: Receiver) -> Deliveries:
        return Deliveries(receive, self.standing, name=self.name, most=self._reading.deliveries_max)

    async def _join(self, client: "aioredis.Redis") -> None:
        group = self._reading.group
        try:
            await client.xgroup_create(self._stream, group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        for consumer in await client.xinfo_consumers(self._stream, group):
            if consumer["pending"] == 0 and consumer["idle"] > _FORGOTTEN_MS:
                await client.xgroup_delconsumer(self._stream, group, consumer["name"])

    async def _read_own(
        self, client: "aioredis.Redis", deliveries: Deliveries, acks: Gathering[bytes]
    ) -> None:
        # What an earlier session of this run had in hand when its connection was lost.
        after: bytes | str = "0"
        while True:
            room = await deliveries.room()
            entries = await self._read(client, after, room, block_ms=None)
            if not entries:
                return
            after = entries[-1][0]
            await self._hand_on(entries, deliveries, acks, redelivered=True)

    async def _read_new(
        self, client: "aioredis.Redis", deliveries: Deliveries, acks: Gathering[bytes]
    ) -> None:
        while True:
            room = await deliveries.room()
            entries = await self._read(client, ">", room, block_ms=BLOCK_MS)
            await self._hand_on(entries, deliveries, acks, redelivered=False)

    async def _read(
        self, client: "aioredis.Redis", after: bytes | str, count: int, *, block_ms: int | None
    ) -> Sequence[Entry]:
        found: Any = await client.xreadgroup(
            self._reading.group, self._consumer, {self._stream: after}, count=count, block=block_ms
        )
        return _entries(found)

    async def _hand_on(
        self,
        entries: Sequence[Entry],
        deliveries: Deliveries,
        acks: Gathering[bytes],
        *,
        redelivered: bool,
    ) -> None:
        fresh = [entry for entry in entries if entry[0] not in self._held]
        # From now on they are ours and stay ours, also while they wait for room.
        self._held.update(entry_id for entry_id, _ in fresh)
        for entry_id, fields in fresh:

            async def acknowledge(entry_id: bytes = entry_id) -> None:
                await acks.add(entry_id)
                self._held.discard(entry_id)

            if fields is None:
                _log.warning(
                    "an entry was cut off its stream before it was handled",
                    source=self.name,
                    entry=entry_id.decode(),
                )
                deliveries.beside(acknowledge())
                continue
            await deliveries.room()
            message = _message(self._stream, entry_id, fields, redelivered=redelivered)
            deliveries.hand_on(message, acknowledge)

    async def _acknowledge(self, client: "aioredis.Redis", ids: list[bytes]) -> None:
        await client.xack(self._stream, self._reading.group, *ids)

    async def _stay_owner(self, client: "aioredis.Redis") -> None:
        """Keep what is in hand from growing old enough to be taken over."""
        pause_s = self._reading.processing_timeout_us / SECOND_US / 3
        while True:
            await asyncio.sleep(pause_s)
            if held := self._held:
                await client.xclaim(
                    self._stream,
                    self._reading.group,
                    self._consumer,
                    min_idle_time=0,
                    message_ids=[*held],
                    justid=True,
                )

    async def _take_over(
        self, client: "aioredis.Redis", deliveries: Deliveries, acks: Gathering[bytes]
    ) -> None:
        """Take over what consumers that are gone had in hand."""
        pause_s = self._reading.redeliver_interval_us / SECOND_US
        idle_ms = self._reading.processing_timeout_us // 1_000
        while True:
            start: bytes = b"0-0"
            while True:
                room = await deliveries.room()
                found = await client.xautoclaim(
                    self._stream,
                    self._reading.group,
                    self._consumer,
                    min_idle_time=idle_ms,
                    start_id=start,
                    count=min(room, _CLAIM_ENTRIES_MAX),
                )
                start, entries = found[0], found[1]
                await self._hand_on(entries, deliveries, acks, redelivered=True)
                if start == b"0-0":
                    break
            await asyncio.sleep(pause_s)


def _entries(found: Any) -> Sequence[Entry]:
    # One stream was asked for: a list of pairs in RESP2, a mapping in RESP3, or nothing at all.
    if not found:
        return []
    if isinstance(found, Mapping):
        batches = next(iter(found.values()))
        return [entry for batch in batches for entry in batch]
    return list(found[0][1])


def _message(
    stream: str, entry_id: bytes, fields: Mapping[bytes, bytes], *, redelivered: bool
) -> Message:
    attributes = _attributes(fields)
    return Message(
        message_id=entry_id.decode(),
        data=fields.get(_DATA, b""),
        content_type=attributes.pop("contentType", None),
        attributes=tuple(sorted(attributes.items())),
        topic=stream,
        received_at_us=time.time_ns() // 1_000,
        redelivered=redelivered,
    )


def _attributes(fields: Mapping[bytes, bytes]) -> dict[str, str]:
    """Read the fields besides the data; Dapr keeps a message's metadata in one, as JSON."""
    attributes = {
        key.decode(errors="replace"): value.decode(errors="replace")
        for key, value in fields.items()
        if key not in {_DATA, _METADATA}
    }
    if (metadata := fields.get(_METADATA)) is not None:
        try:
            pairs = json.loads(metadata)
        except ValueError:
            pairs = None
        if isinstance(pairs, dict):
            attributes |= {str(key): str(value) for key, value in pairs.items()}
        else:
            attributes["metadata"] = metadata.decode(errors="replace")
    return attributes
