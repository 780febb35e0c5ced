"""Dead letters and kept messages: read, edited, tried again, and let go of in time."""

import asyncio
from dataclasses import replace

import structlog

from perdure.base.errors import StoreError
from perdure.base.time import DAY_US
from perdure.components.triggering import (
    DeadLetterPage,
    DeadLetterView,
    KeptMessageView,
    KeptPage,
    MessageView,
    Replayed,
)
from perdure.core.deliveries import Delivered, Delivery, Fate
from perdure.core.notes import NoteAdd, NoteEnd, NoteRow, NoteRule, Shelf, kept_shelf
from perdure.core.requests import Refusal
from perdure.triggers.cases import SEEN_SHELF, Post
from perdure.triggers.cloud_events import NoEvent, mended
from perdure.triggers.definitions import Subscription, Trigger
from perdure.triggers.port import Message
from perdure.triggers.records import (
    DeadLetter,
    read_dead_letter,
    read_kept,
    write_dead_letter,
)
from perdure.triggers.routing import Planned, decide, received

# A message that only its content names is told from one that comes again for so long.
SEEN_US = 7 * DAY_US

_log = structlog.get_logger(__name__)


class Letters:
    """The dead letters of one trigger, and the messages that are kept of it."""

    def __init__(self, post: Post, taker: tuple[Trigger, Subscription | None]) -> None:
        """Deal with what was received at `post` for `taker`."""
        self._post = post
        self._keeper = post.delivering.keeper
        self._trigger, self._way = taker
        # Of an edit and a replay of one letter, the later finds what the earlier made of it.
        self._lock = asyncio.Lock()

    async def page(self, token: str | None, limit: int) -> DeadLetterPage:
        """Return a page of dead letters, oldest first."""
        page = await self._keeper.notes_about(
            Shelf.DEAD_LETTERS, self._trigger.name, token=token, limit=limit
        )
        return DeadLetterPage(tuple(_letter_view(note) for note in page.notes), page.next_token)

    async def get(self, key: str) -> DeadLetterView | None:
        """Return one dead letter."""
        found = await self._found(key)
        return None if found is None else _letter_view(found)

    async def edit(self, key: str, data: bytes, content_type: str | None) -> bool:
        """Put another payload in the place of a dead letter's."""
        async with self._lock:
            note = await self._found(key)
            if note is None:
                return False
            letter = read_dead_letter(note.body)
            old = letter.message
            if content_type is None:
                data = mended(old.data, old.content_type, data)
            message = replace(old, data=data, content_type=content_type or old.content_type)
            await self._rewrite(note, replace(letter, message=message))
            return True

    async def replay(self, key: str) -> Replayed | None:
        """Try a dead letter again; it is gone in the commit of what it leads to."""
        async with self._lock:
            note = await self._found(key)
            if note is None:
                return None
            letter = read_dead_letter(note.body)
            try:
                found = received(letter.source, letter.message, raw=self._post.stream.raw)
            except NoEvent as error:
                return await self._failed(note, letter, str(error))
            plan = decide(self._trigger, self._way, found, self._post.rules)
            if not isinstance(plan, Planned):
                return await self._failed(note, letter, plan.reason)
            ended = (NoteEnd(Shelf.DEAD_LETTERS, key),)
            met = await self._post.delivering.deliver(
                self._trigger.component, Delivery(receipt=None, step=plan.step, ended_notes=ended)
            )
            if isinstance(met, Refusal):
                return await self._failed(note, letter, met.text)
            if met.fate is Fate.DUPLICATE:
                return None
            self._post.count(self._trigger, met.fate.value)
            self._post.tally(self._trigger.name).letters -= 1
            return Replayed(True, met.fate.value)

    async def discard(self, key: str) -> bool:
        """Delete a dead letter."""
        async with self._lock:
            if await self._found(key) is None:
                return False
            ended = (NoteEnd(Shelf.DEAD_LETTERS, key),)
            met = await self._keeper.deliver(Delivery(receipt=None, ended_notes=ended))
            gone = isinstance(met, Delivered) and met.fate is not Fate.DUPLICATE
            self._post.tally(self._trigger.name).letters -= gone
            return gone

    async def kept(self, since_us: int, token: str | None, limit: int) -> KeptPage:
        """Return a page of the messages that are kept, oldest first."""
        page = await self._keeper.notes(
            kept_shelf(self._trigger.name), since_us=since_us, token=token, limit=limit
        )
        return KeptPage(tuple(_kept_view(note) for note in page.notes), page.next_token)

    async def sweep(self, now_us: int) -> None:
        """Let go of the messages whose time is over."""
        try:
            shelf = kept_shelf(self._trigger.name)
            await self._keeper.forget_notes(shelf, now_us - self._trigger.keep_us)
            await self._keeper.forget_notes(SEEN_SHELF, now_us - SEEN_US)
        except StoreError as error:
            _log.warning("kept messages were not cleared away", trouble=str(error))

    async def _found(self, key: str) -> NoteRow | None:
        note = await self._keeper.note(Shelf.DEAD_LETTERS, key)
        return note if note is not None and note.about == self._trigger.name else None

    async def _failed(self, note: NoteRow, letter: DeadLetter, reason: str) -> Replayed:
        again = replace(letter, reason=reason, attempts=letter.attempts + 1)
        await self._rewrite(note, again)
        return Replayed(False, reason)

    async def _rewrite(self, note: NoteRow, letter: DeadLetter) -> None:
        rewritten = NoteAdd(
            shelf=note.shelf,
            key=note.key,
            at_us=note.at_us,
            about=note.about,
            body=write_dead_letter(letter),
            rule=NoteRule.REPLACE,
        )
        await self._keeper.deliver(Delivery(receipt=None, notes=(rewritten,)))


def _letter_view(note: NoteRow) -> DeadLetterView:
    letter = read_dead_letter(note.body)
    return DeadLetterView(
        key=note.key,
        trigger=letter.trigger,
        source=letter.source,
        reason=letter.reason,
        attempts=letter.attempts,
        at_us=note.at_us,
        message=_message_view(letter.message),
    )


def _kept_view(note: NoteRow) -> KeptMessageView:
    kept = read_kept(note.body)
    return KeptMessageView(key=note.key, outcome=kept.outcome, message=_message_view(kept.message))


def _message_view(message: Message) -> MessageView:
    return MessageView(
        message_id=message.message_id,
        topic=message.topic,
        content_type=message.content_type,
        attributes=message.attributes,
        data=message.data,
        received_at_us=message.received_at_us,
        named_after=message.named_after,
    )
