"""Messages from JetStream: a durable pull consumer that all readers of its name share.

- A message is acknowledged after it was accepted. While it is in hand the server is told so, before
  its `ackWait` is over; what nobody tells of for so long, the server delivers again.
- No more are asked for than there is room for.
- Stream, sequence and the moment it was stored name a message. The moment is there because a stream
  that was deleted and made anew counts from 1 again.
- A stream is not made here: what it keeps, and for how long, is its owner's choice.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from perdure.base.limits import DELIVERIES_DEFAULT, DELIVERIES_MAX
from perdure.base.time import DAY_US, LATEST_US, SECOND_US
from perdure.triggers.brokers.nats_place import TIMEOUT_S, NatsPlace
from perdure.triggers.brokers.sessions import SessionSource
from perdure.triggers.deliveries import Deliveries
from perdure.triggers.port import Message, Receiver, Settings
from perdure.triggers.reconnecting import connected

TROUBLES: Final = (NatsError,)
_FETCH_MAX: Final = 100
_FETCH_S: Final = 2.0
_COUNT_MOST: Final = 2**53
_NAME_CHARS: Final = frozenset("*>./\\ \t\r\n")
# The server's words for: there is nothing, and nothing came while it waited.
_ASK_AGAIN: Final = frozenset({"404", "408"})
_POLICIES: Final = {
    "all": DeliverPolicy.ALL,
    "last": DeliverPolicy.LAST,
    "new": DeliverPolicy.NEW,
    "sequence": DeliverPolicy.BY_START_SEQUENCE,
    "time": DeliverPolicy.BY_START_TIME,
}
_CONTENT_TYPE: Final = "content-type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a subject is read."""

    consumer_id: str
    durable: str | None
    stream: str | None
    deliveries_max: int
    consumer: ConsumerConfig

    def durable_for(self, subject: str) -> str:
        """Return the consumer's name, which tells the app and the subject."""
        if self.durable is not None:
            return self.durable
        name = f"{self.consumer_id}-{subject}"
        return "".join("_" if char in _NAME_CHARS else char for char in name)


def reading_of(settings: Settings) -> Reading:
    """Read the metadata of consuming."""
    if settings.one_of("ackPolicy", ("explicit", "all", "none"), "explicit") != "explicit":
        raise settings.fault(
            "ackPolicy", "each message is acknowledged after it is on disk; use explicit"
        )
    if settings.optional("rateLimit"):
        raise settings.fault("rateLimit", "is not supported; remove it: only so much is asked for")
    single = settings.one_of("concurrency", ("single", "parallel"), "single") == "single"
    pending = settings.integer("maxAckPending", 0, least=0, most=DELIVERIES_MAX)
    group = settings.optional("queueGroupName")
    durable = settings.optional("durableName") or group or None
    if durable is not None and _NAME_CHARS & set(durable):
        raise settings.fault("durableName", "expected a name without spaces and without * > . /")
    return Reading(
        consumer_id=settings.text("consumerID", settings.app_id),
        durable=durable,
        stream=settings.optional("streamName") or None,
        deliveries_max=1 if single else pending or DELIVERIES_DEFAULT,
        consumer=_consumer(settings, pending),
    )


def _consumer(settings: Settings, pending: int) -> ConsumerConfig:
    ack_wait_us = settings.duration_us("ackWait", 30 * SECOND_US)
    if not SECOND_US // 10 <= ack_wait_us <= DAY_US:
        raise settings.fault("ackWait", "expected 100ms to 24h")
    config = ConsumerConfig(
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ack_wait_us / SECOND_US,
        max_ack_pending=pending or None,
        max_deliver=settings.integer("maxDeliver", 0, least=-1, most=_COUNT_MOST) or None,
        num_replicas=settings.integer("replicas", 0, least=0, most=5) or None,
        mem_storage=settings.flag("memoryStorage", default=False) or None,
    )
    if settings.optional("backOff"):
        raise settings.fault(
            "backOff", "is not supported: a message that has to wait is held, not delivered again"
        )
    return _from_beginning(config, settings)


def _from_beginning(config: ConsumerConfig, settings: Settings) -> ConsumerConfig:
    sequence = settings.integer("startSequence", 0, least=0, most=_COUNT_MOST)
    start_s = settings.integer("startTime", 0, least=0, most=LATEST_US // SECOND_US)
    default = "sequence" if sequence else "time" if start_s else "all"
    # An older item says the same as the policy `all`, which is what happens without any.
    settings.flag("deliverAll", default=True)
    policy = settings.one_of("deliverPolicy", tuple(_POLICIES), default)
    return replace(
        config,
        deliver_policy=_POLICIES[policy],
        opt_start_seq=max(sequence, 1) if policy == "sequence" else None,
        opt_start_time=datetime.fromtimestamp(start_s, UTC) if policy == "time" else None,
    )


class NatsSource(SessionSource):
    """The messages of one subject that come to this reader of the consumer."""

    troubles = TROUBLES

    def __init__(self, name: str, subject: str, place: NatsPlace, reading: Reading) -> None:
        super().__init__(name)
        self._subject = subject
        self._place = place
        self._reading = reading
        self._held: dict[str, Msg] = {}  # by the subject that acknowledges each

    async def _session(self, receive: Receiver) -> None:
        closed = asyncio.Event()

        async def note_closed() -> None:
            closed.set()

        client = await self._place.connect(note_closed)
        try:
            pull = await self._pull(client)
            async with Deliveries(
                receive, self.standing, name=self.name, most=self._reading.deliveries_max
            ) as deliveries:
                deliveries.beside(_until_closed(closed))
                deliveries.beside(self._stay_owner(pull.ack_wait_s / 3))
                connected(self.name, self.standing)
                while True:
                    await self._read(pull, deliveries)
        finally:
            self._held.clear()
            await asyncio.shield(_close(client))

    async def _pull(self, client: Client) -> "_Pull":
        streams = self._place.jetstream(client)
        reading = self._reading
        stream = reading.stream or await self._stream(streams)
        durable = reading.durable_for(self._subject)
        try:
            found = (await streams.consumer_info(stream, durable)).config
        except NotFoundError:
            wanted = replace(reading.consumer, durable_name=durable, filter_subject=self._subject)
            found = (await streams.add_consumer(stream, wanted)).config
        if (why_not := _unfit(found, self._subject)) is not None:
            raise ConnectionError(
                f"the consumer {durable} of the stream {stream} {why_not}; "
                "delete it, or name another in durableName"
            )
        assert found.ack_wait is not None
        ask = f"{self._place.api}.CONSUMER.MSG.NEXT.{stream}.{durable}"
        return await _Pull.opened(client, ask, found.ack_wait)

    async def _stream(self, streams: JetStreamContext) -> str:
        try:
            return await streams.find_stream_name_by_subject(self._subject)
        except NotFoundError as error:
            raise ConnectionError(f"no stream has the subject {self._subject}; add one") from error

    async def _read(self, pull: "_Pull", deliveries: Deliveries) -> None:
        room = await deliveries.room()
        async for incoming in pull.next_messages(min(room, _FETCH_MAX)):
            self._held[incoming.reply] = incoming

            async def acknowledge(incoming: Msg = incoming) -> None:
                self._held.pop(incoming.reply, None)
                await incoming.ack()

            deliveries.hand_on(_message(incoming), acknowledge)

    async def _stay_owner(self, pause_s: float) -> None:
        """Tell the server of what is in hand, so that it does not deliver it again."""
        while True:
            await asyncio.sleep(pause_s)
            for incoming in tuple(self._held.values()):
                await incoming.in_progress()


class _Pull:
    """Asks a consumer for messages, and hands out each as it comes.

    The library's own `fetch` returns when a part of what it asked for is there, and lets the rest
    come in unseen, to grow old until the next call.
    """

    def __init__(self, client: Client, ask: str, inbox: str, ack_wait_s: float) -> None:
        self.ack_wait_s = ack_wait_s
        self._client = client
        self._ask = ask
        self._inbox = inbox
        self._arrived: asyncio.Queue[Msg] = asyncio.Queue()

    @classmethod
    async def opened(cls, client: Client, ask: str, ack_wait_s: float) -> "_Pull":
        """Return one that listens where its answers come in."""
        pull = cls(client, ask, client.new_inbox(), ack_wait_s)
        await client.subscribe(pull._inbox, cb=pull._arrived.put)
        return pull

    async def next_messages(self, count: int) -> AsyncIterator[Msg]:
        """Ask for `count` messages; ends when they are here or the server waits no longer."""
        request = {"batch": count, "expires": int(_FETCH_S * 1e9)}
        await self._client.publish(self._ask, json.dumps(request).encode(), reply=self._inbox)
        for _ in range(count):
            async with asyncio.timeout(_FETCH_S + TIMEOUT_S):
                incoming = await self._arrived.get()
            status = (incoming.headers or {}).get("Status")
            if status is None or incoming.reply:
                yield incoming
            elif status in _ASK_AGAIN:
                return
            else:
                about = (incoming.headers or {}).get("Description", "")
                raise ConnectionError(f"the consumer cannot be read: {status} {about}")


def _unfit(consumer: ConsumerConfig, subject: str) -> str | None:
    """Return why a consumer that is there already cannot be read, or None."""
    if consumer.deliver_subject is not None:
        return "is one that pushes"
    if consumer.ack_policy != AckPolicy.EXPLICIT:
        return "does not want each message acknowledged"
    if consumer.filter_subject not in {None, subject}:
        return f"reads {consumer.filter_subject}"
    return None


async def _until_closed(closed: asyncio.Event) -> None:
    await closed.wait()
    raise ConnectionError("the connection was lost")


async def _close(client: Client) -> None:
    if not client.is_closed:
        # What was acknowledged last is still to be sent.
        try:
            await client.flush(timeout=1)
        except (NatsError, OSError, TimeoutError):
            # It is acknowledged again after the next delivery.
            await client.close()
        else:
            await client.close()


def _message(incoming: Msg) -> Message:
    about = incoming.metadata
    headers = {key.lower(): value for key, value in (incoming.headers or {}).items()}
    return Message(
        message_id=f"{about.stream}/{about.sequence.stream}@{about.timestamp.isoformat()}",
        data=incoming.data,
        content_type=headers.pop(_CONTENT_TYPE, None),
        attributes=tuple(sorted(headers.items())),
        topic=incoming.subject,
        received_at_us=time.time_ns() // 1_000,
        redelivered=about.num_delivered > 1,
    )
