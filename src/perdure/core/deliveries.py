"""Deliveries: what a message from outside leads to, as one step that happens once."""

from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from typing import Final

from perdure.core.notes import NoteAdd, NoteEnd
from perdure.core.requests import RaiseEvent, Start, Terminate

_RECEIPT_BYTES: Final = 20


class OnExisting(Enum):
    """What becomes of a start whose instance id is borne already, be it by a finished instance."""

    DISCARD = "discard"  # nothing; the message has been dealt with
    RECYCLE = "recycle"  # the existing instance is ended and deleted, and this one begun, as one
    REJECT = "reject"  # a refusal, and nothing on disk
    START_NEXT = "startNext"  # begun once the present one has ended, in the order of arrival


class OnMissing(Enum):
    """What becomes of an event whose instance is not there, or has ended."""

    KEEP = "keep"  # it waits in the mailbox for an instance of that id to be born
    DISCARD = "discard"  # nothing; the message has been dealt with
    DEAD_LETTER = "deadLetter"  # a refusal, and nothing on disk


@dataclass(frozen=True, slots=True, kw_only=True)
class StartStep:
    """Start an instance. Of `start`, what it says about existing instances does not count."""

    start: Start
    on_existing: OnExisting


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseStep:
    """Give an instance an event; `keep_us` is how long it waits in the mailbox."""

    event: RaiseEvent
    on_missing: OnMissing
    keep_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOrRaiseStep:
    """Give the running instance an event; if none is running, start one without it."""

    start: Start
    event: RaiseEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminateStep:
    """End an instance; one that is not there, or has ended, is as good as ended (DISCARDED)."""

    terminate: Terminate


Step = StartStep | RaiseStep | StartOrRaiseStep | TerminateStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message's receipt, notes, and at most one step: they land together or not at all.

    `receipt` is what `receipt_of` returns; with None nothing tells whether the message came
    before. Notes go on shelves that are not the engine's own. Those of a rule NEW whose name is
    taken, and those to be ended that must exist and do not, make it a DUPLICATE, too.
    """

    receipt: str | None
    step: Step | None = None
    notes: tuple[NoteAdd, ...] = ()
    ended_notes: tuple[NoteEnd, ...] = ()


class Fate(Enum):
    """What a delivery came to. All but DUPLICATE have their receipt and notes on disk."""

    STARTED = "started"
    RECYCLED = "recycled"
    PARKED = "parked"  # to be started once the present instance has ended
    RAISED = "raised"
    KEPT = "kept"  # in the mailbox
    TERMINATED = "terminated"  # ordered; it ends at once, without a worker
    DISCARDED = "discarded"
    NOTED = "noted"  # there was no step
    DUPLICATE = "duplicate"  # it was delivered before; nothing has changed


@dataclass(frozen=True, slots=True)
class Delivered:
    """A delivery that is on disk, now or since an earlier time."""

    fate: Fate


def receipt_of(source: str, message_id: str) -> str:
    """Return the name of the receipt of a source's message."""
    text = f"{len(source)}:{source}{message_id}".encode(errors="surrogatepass")
    return blake2b(text, digest_size=_RECEIPT_BYTES).hexdigest()
