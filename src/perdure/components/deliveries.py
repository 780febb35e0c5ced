"""What a component can do for sources of messages: deliver each exactly once, and keep notes.

A component whose engine cannot put a message's receipt and its effect into one commit has no
`Deliveries`. Then a message that comes twice is told apart only by the instance id that it gives.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from perdure.core.deliveries import Delivered, Delivery
from perdure.core.notes import NoteRow
from perdure.core.requests import Refusal


@dataclass(frozen=True, slots=True)
class NotePage:
    """A page of a shelf; `next_token` is None at the end."""

    notes: tuple[NoteRow, ...]
    next_token: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvent:
    """An event in the mailbox. `key` is its note's."""

    key: str
    instance_id: str
    name: str
    input: str | None
    kept_at_us: int
    expires_at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedStart:
    """A start that waits for the present instance of its id to end. `key` is its note's."""

    key: str
    instance_id: str
    name: str
    input: str | None
    parked_at_us: int


class Deliveries(Protocol):
    """Deliveries and notes of one component. Every call may raise a StoreError."""

    async def deliver(self, delivery: Delivery) -> Delivered | Refusal:
        """Land a delivery in one commit; on disk when it returns.

        With a Refusal nothing is on disk, the receipt neither: the message may come again. After
        an error it may or may not be on disk, and delivering it again tells (DUPLICATE).
        Events for one instance take effect in the order in which they are delivered.
        """
        ...

    async def note(self, shelf: str, key: str) -> NoteRow | None:
        """Return a note by its name, or None if there is none."""
        ...

    async def notes(
        self, shelf: str, *, since_us: int = 0, token: str | None = None, limit: int
    ) -> NotePage:
        """Return a page of a shelf by moment, oldest first; raises CallerFault for a bad token."""
        ...

    async def notes_about(
        self, shelf: str, about: str, *, token: str | None = None, limit: int
    ) -> NotePage:
        """Return a page of the notes about something, in the order of writing."""
        ...

    async def count_notes(self, shelf: str) -> int:
        """Return how many notes there are on a shelf."""
        ...

    async def count_notes_about(self, shelf: str) -> dict[str, int]:
        """Return how many notes of a shelf there are about each thing."""
        ...

    async def forget_notes(self, shelf: str, before_us: int) -> int:
        """Remove the notes of a shelf from before a moment, in batches; return how many."""
        ...

    async def mailbox(self, instance_id: str | None, *, limit: int) -> Sequence[KeptEvent]:
        """Return events that wait for an instance, or with None for any; the first ones."""
        ...

    async def parked(self, instance_id: str | None, *, limit: int) -> Sequence[ParkedStart]:
        """Return starts that wait for an instance to end, or with None all; the first ones."""
        ...

    async def discard_kept(self, key: str) -> bool:
        """Remove an event from the mailbox; tell whether it was still there."""
        ...

    async def discard_parked(self, key: str) -> bool:
        """Remove a parked start; tell whether it was still there."""
        ...
