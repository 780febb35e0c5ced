"""One message and one trigger that wants it: tried, and in the end a delivery or a dead letter."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import structlog

from perdure.base.errors import (
    CallerFault,
    ComponentError,
    ComponentUnavailable,
    StoreUnavailable,
)
from perdure.base.limits import DEAD_LETTERS_OF_ONE_MAX
from perdure.base.time import SECOND_US, Clock
from perdure.core.deliveries import (
    Delivered,
    Delivery,
    Fate,
    OnExisting,
    StartStep,
    Step,
    receipt_of,
)
from perdure.core.notes import NoteAdd, NoteRule, Shelf, kept_shelf
from perdure.core.requests import Reason, Refusal
from perdure.triggers.cloud_events import RAW_TYPE
from perdure.triggers.definitions import Subscription, Trigger
from perdure.triggers.delivering import Delivering
from perdure.triggers.outcomes import described
from perdure.triggers.port import Message, Outgoing, PubSub, Settled
from perdure.triggers.records import DeadLetter, KeptMessage, write_dead_letter, write_kept
from perdure.triggers.routing import (
    Ignored,
    Plan,
    Planned,
    Received,
    Rules,
    Unusable,
    decide,
    identity_of,
)
from perdure.triggers.topology import Stream

# Messages that only their content names are remembered here, one note for each content.
SEEN_SHELF: Final = "seen"
# What came of a message, in the words of the counters, besides the fates of deliveries.
IGNORED: Final = "ignored"
EXPIRED: Final = "expired"
DEAD_LETTERED: Final = "dead-lettered"
RETRIED: Final = "retried"
LATER: Final = "later"

_REASON_CHARS_MAX: Final = 2_000

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Tally:
    """What a trigger does and has done since the start of the server."""

    paused: bool
    counts: Counter[str]
    letters: int = 0  # dead letters there are, as counted now and then


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Where the messages of one stream are received, and what is needed for that."""

    delivering: Delivering
    clock: Clock
    rules: Rules
    stopping: asyncio.Event
    stream: Stream
    source: str
    broker: PubSub | None  # takes what goes to a dead letter topic
    tally: Callable[[str], Tally]

    def count(self, trigger: Trigger, what: str) -> None:
        """Count what became of a message."""
        self.tally(trigger.name).counts[what] += 1

    def place_notes(self, message: Message) -> tuple[NoteAdd, ...]:
        """Return the note of where the source goes on after this message, if it keeps one."""
        if message.position is None:
            return ()
        note = NoteAdd(
            shelf=Shelf.POSITIONS,
            key=self.source,
            at_us=self.clock.now_us(),
            body=message.position.encode(),
            rule=NoteRule.REPLACE,
        )
        return (note,)


class Case:
    """One message and one of the triggers that want it."""

    def __init__(
        self,
        post: Post,
        taker: tuple[Trigger, Subscription | None],
        message: Message,
        found: Received | None,
        *,
        carries_place: bool,
    ) -> None:
        """Take the message for `taker`; `found` is None if it cannot be read."""
        self._post = post
        self._trigger, self._way = taker
        self._message = message
        self._found = found
        self._place = post.place_notes(message) if carries_place else ()
        # Whether the source's place is on disk, or is another delivery's to keep.
        self.place_kept = not carries_place

    async def settled(self, plan: Plan) -> Settled:
        """Return ACCEPTED when what the plan leads to is on disk."""
        retry = self._trigger.retry
        pause_us = retry.first_pause_us
        for attempt in range(1, retry.attempts + 1):
            reason = await self._attempt(plan)
            if reason is None:
                return Settled.ACCEPTED
            if attempt == retry.attempts or self._is_final(plan, reason):
                return await self._dead_letter(reason.text, attempt)
            self._count(RETRIED)
            if await self._interrupted(pause_us):
                return Settled.LATER
            pause_us = min(2 * pause_us, retry.longest_pause_us)
            if self._found is not None:
                plan = decide(self._trigger, self._way, self._found, self._post.rules)
        raise AssertionError("there is at least one attempt")

    async def _attempt(self, plan: Plan) -> Refusal | None:
        match plan:
            case Unusable(reason):
                return Refusal(Reason.INVALID, reason)
            case Ignored(reason):
                return await self._deliver(None, f"{IGNORED}: {reason}")
            case Planned(step):
                return await self._deliver(step, None)

    async def _deliver(self, step: Step | None, outcome: str | None) -> Refusal | None:
        delivery = self._delivery(step, outcome or described(step))
        try:
            met = await self._post.delivering.deliver(self._trigger.component, delivery)
        except (CallerFault, ComponentError) as error:
            if isinstance(error, ComponentUnavailable):
                raise
            # The component was asked and will have none of it: as good as a refusal.
            return Refusal(Reason.INVALID, str(error))
        if isinstance(met, Refusal):
            return met
        self._note_landed(met, step)
        return None

    def _note_landed(self, met: Delivered, step: Step | None) -> None:
        # A message that came before changed nothing, not the place either.
        self.place_kept = not self._place or met.fate is not Fate.DUPLICATE
        if step is not None or met.fate is Fate.DUPLICATE:
            self._count(met.fate.value)

    def _delivery(
        self, step: Step | None, outcome: str, notes: tuple[NoteAdd, ...] = ()
    ) -> Delivery:
        event = None if self._found is None else self._found.event
        identity = identity_of(self._message, event)
        receipt = receipt_of(self._about, identity.key) if identity.certain else None
        if receipt is None:
            notes = (*notes, self._seen(identity.key))
        if self._trigger.keep_us:
            notes = (*notes, self._kept(outcome))
        return Delivery(receipt=receipt, step=step, notes=(*notes, *self._place))

    @property
    def _about(self) -> str:
        return f"{self._trigger.name}@{self._post.source}"

    def _seen(self, key: str) -> NoteAdd:
        # As NEW, the note makes the delivery of what was delivered before a DUPLICATE.
        again = self._message.redelivered
        return NoteAdd(
            shelf=SEEN_SHELF,
            key=receipt_of(self._about, key),
            at_us=self._post.clock.now_us(),
            rule=NoteRule.NEW if again else NoteRule.REPLACE,
        )

    def _kept(self, outcome: str) -> NoteAdd:
        at_us = self._post.clock.now_us()
        kept = KeptMessage(outcome=outcome, message=_with_time(self._message, at_us))
        return NoteAdd(
            shelf=kept_shelf(self._trigger.name),
            key=unique_key(at_us),
            at_us=at_us,
            body=write_kept(kept),
        )

    async def _dead_letter(self, reason: str, attempts: int) -> Settled:
        reason = reason[:_REASON_CHARS_MAX]
        topic = self._post.stream.dead_letter_topic(self._trigger)
        notes: tuple[NoteAdd, ...] = ()
        if topic is not None:
            if not await self._published(topic):
                return Settled.LATER
        elif self._post.tally(self._trigger.name).letters >= DEAD_LETTERS_OF_ONE_MAX:
            _log.error("a trigger has too many dead letters", trigger=self._trigger.name)
            return Settled.LATER
        else:
            notes = (self._letter(reason, attempts),)
        delivery = self._delivery(None, f"{DEAD_LETTERED}: {reason}", notes)
        met = await self._post.delivering.keeper.deliver(delivery)
        assert isinstance(met, Delivered), "nothing stands in the way of a note"
        self.place_kept = not self._place or met.fate is not Fate.DUPLICATE
        if met.fate is not Fate.DUPLICATE:
            self._count(DEAD_LETTERED)
            self._post.tally(self._trigger.name).letters += topic is None
            _log.warning(
                "a message could not be used and is a dead letter",
                trigger=self._trigger.name,
                source=self._post.source,
                attempts=attempts,
            )
        return Settled.ACCEPTED

    def _letter(self, reason: str, attempts: int) -> NoteAdd:
        at_us = self._post.clock.now_us()
        letter = DeadLetter(
            trigger=self._trigger.name,
            source=self._post.source,
            reason=reason,
            attempts=attempts,
            message=_with_time(self._message, at_us),
        )
        return NoteAdd(
            shelf=Shelf.DEAD_LETTERS,
            key=unique_key(at_us),
            about=self._trigger.name,
            at_us=at_us,
            body=write_dead_letter(letter),
        )

    async def _published(self, topic: str) -> bool:
        broker = self._post.broker
        assert broker is not None, "only topics have dead letter topics"
        message = self._message
        outgoing = Outgoing(
            data=message.data,
            content_type=message.content_type or RAW_TYPE,
            attributes=message.attributes,
        )
        try:
            await broker.publish(topic, outgoing)
        except StoreUnavailable as error:
            _log.warning("the dead letter topic is away", topic=topic, trouble=str(error))
            return False
        return True

    async def _interrupted(self, pause_us: int) -> bool:
        try:
            async with asyncio.timeout(pause_us / SECOND_US):
                await self._post.stopping.wait()
        except TimeoutError:
            return self._post.tally(self._trigger.name).paused
        return True

    def _is_final(self, plan: Plan, refusal: Refusal) -> bool:
        # To reject what exists already is what was asked for; no time will change it.
        match plan:
            case Planned(StartStep(on_existing=OnExisting.REJECT)):
                return refusal.reason is Reason.ALREADY_EXISTS
            case _:
                return False

    def _count(self, what: str) -> None:
        self._post.count(self._trigger, what)


def unique_key(at_us: int) -> str:
    """Return a key for a note that nobody else has, in the order of time."""
    return f"{at_us:017d}-{uuid.uuid4().hex[:12]}"


def _with_time(message: Message, at_us: int) -> Message:
    return message if message.received_at_us else replace(message, received_at_us=at_us)
