"""Births whose parent is born in the same entry."""

from collections.abc import Callable
from dataclasses import replace

from perdure.store.port import BORN_FIRST, Birth, BirthOutcome, Entry


def born_in_order(entry: Entry, bear: Callable[[Birth], BirthOutcome]) -> tuple[BirthOutcome, ...]:
    """Let `bear` make the births of an entry, each with the key of its parent filled in."""
    outcomes: list[BirthOutcome] = []
    for birth in entry.births:
        made = birth
        if birth.identity.parent_key == BORN_FIRST:
            assert outcomes, "the first birth of an entry is not its own parent"
            made = replace(birth, identity=replace(birth.identity, parent_key=outcomes[0].key))
        outcomes.append(bear(made))
    return tuple(outcomes)
