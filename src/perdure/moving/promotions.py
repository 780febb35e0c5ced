"""What a target knows of promotions into it: the one that is under way, and those that are done.

Both are notes. While there is one under way, nobody may work on the target: half of the instances
are there, or half of what they know.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final, Protocol

from perdure.base.errors import StoreHalfFilled
from perdure.core.notes import NoteAdd, NoteEnd, NoteRow, NoteRule, Shelf
from perdure.moving.mending import Stretch
from perdure.moving.tallies import Total
from perdure.store.moving import Numbers, Target
from perdure.store.port import Entry

# Of those under way there is one at most.
_NAME: Final = "under way"


@dataclass(frozen=True, slots=True)
class Promotion:
    """One that is under way: what is moved in, since when, and the numbers, once they are known."""

    source: str
    begun_at_us: int
    own: Stretch | None


class HasNotes(Protocol):
    """A store, as far as this file needs to know it."""

    def note(self, shelf: str, key: str) -> NoteRow | None:
        """Return a note by its name."""
        ...


def under_way(store: HasNotes) -> Promotion | None:
    """Return the promotion into a store that has not finished."""
    note = store.note(Shelf.PROMOTING, _NAME)
    if note is None:
        return None
    body = json.loads(note.body)
    own = body["own"] and Stretch(Numbers(**body["own"]["base"]), Numbers(**body["own"]["length"]))
    return Promotion(body["source"], note.at_us, own)


def refuse_half_filled(store: HasNotes) -> None:
    """Raise StoreHalfFilled if a promotion into a store has not finished."""
    found = under_way(store)
    if found is not None:
        raise StoreHalfFilled(
            f"{found.source} is being promoted into this store and has not arrived as a whole"
        )


def begin(target: Target, promotion: Promotion) -> None:
    """Note that a promotion is under way, or what has become known of it."""
    own = promotion.own and {
        "base": asdict(promotion.own.base),
        "length": asdict(promotion.own.length),
    }
    note = NoteAdd(
        shelf=Shelf.PROMOTING,
        key=_NAME,
        at_us=promotion.begun_at_us,
        body=json.dumps({"source": promotion.source, "own": own}).encode(),
        rule=NoteRule.REPLACE,
    )
    target.commit([Entry(key=None, notes=(note,))])


def finish(target: Target, promotion: Promotion, at_us: int, totals: Mapping[str, Total]) -> None:
    """Note that it is done, and what was moved."""
    note = NoteAdd(
        shelf=Shelf.PROMOTED,
        key=f"{promotion.source} {promotion.begun_at_us}",
        at_us=at_us,
        body=json.dumps(
            {
                "source": promotion.source,
                "tables": {table: asdict(total) for table, total in totals.items()},
            }
        ).encode(),
        rule=NoteRule.REPLACE,
    )
    target.commit([Entry(key=None, notes=(note,), ended_notes=(NoteEnd(Shelf.PROMOTING, _NAME),))])


def drop(target: Target) -> None:
    """Note that there is none under way any more."""
    target.commit([Entry(key=None, ended_notes=(NoteEnd(Shelf.PROMOTING, _NAME),))])
