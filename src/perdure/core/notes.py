"""Notes: small things that are kept beside the instances, as data.

A note has a name, which is its shelf and its key, a moment, and a body that only whoever wrote it
reads. It lands in the commit of what it belongs to: the receipt of a message with the start that
the message led to, the removal of a kept event with its delivery.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final


class Shelf(StrEnum):
    """The shelves that are in use. What is kept of a trigger's messages has one for each trigger.

    The moment of a note is when it was written, in the mailbox when it expires.
    """

    RECEIPTS = "receipts"  # which messages have been taken in; the engine's
    MAILBOX = "mailbox"  # events for instances that are not there yet; the engine's
    PARKED = "parked"  # starts that wait for the present instance to end; the engine's
    POSITIONS = "positions"  # where sources go on, by source
    DEAD_LETTERS = "dead letters"  # messages that could not be used, about a trigger each
    PAUSED = "paused"  # triggers that take nothing in, by trigger
    PROMOTING = "promoting"  # that another store is being moved into this one
    PROMOTED = "promoted"  # the stores that were


# The engine's own: others read them and leave them as they are.
ENGINE_SHELVES: Final = frozenset(
    {Shelf.RECEIPTS, Shelf.MAILBOX, Shelf.PARKED, Shelf.PROMOTING, Shelf.PROMOTED}
)


def kept_shelf(trigger: str) -> str:
    """Return the shelf of the messages that are kept of a trigger."""
    return f"kept/{trigger}"


class NoteRule(Enum):
    """What the addition of a note expects of its name."""

    NEW = 0  # that it is free; else nothing of the entry changes
    REPLACE = 1  # nothing: a note of that name goes


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdd:
    """One note to write. `about` is what it can be looked for by, besides its name."""

    shelf: str
    key: str
    at_us: int
    body: bytes = b""
    about: str | None = None
    rule: NoteRule = NoteRule.NEW


@dataclass(frozen=True, slots=True)
class NoteEnd:
    """One note to remove. `must_exist` makes the whole entry ENDED if it is gone."""

    shelf: str
    key: str
    must_exist: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRow:
    """A note that is kept. `row` grows with the order of writing; one that replaces is another."""

    row: int
    shelf: str
    key: str
    at_us: int
    body: bytes
    about: str | None
