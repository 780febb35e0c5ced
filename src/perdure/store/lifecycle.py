"""To which instance a lifecycle row of an entry belongs."""

from collections.abc import Iterator

from perdure.store.port import BirthOutcome, Entry, LifecycleAdd


def lifecycle_rows(
    entry: Entry, births: tuple[BirthOutcome, ...]
) -> Iterator[tuple[int, LifecycleAdd]]:
    """Yield the lifecycle rows that an entry leaves behind, each with its instance's key.

    Those of the epitaph come first, and are about the entry's own instance.
    A row that names the id of one of the entry's births is about the newborn, and is dropped if
    that birth did not happen. Every other row is about the entry's own instance (0 if it has none).
    """
    for add in entry.epitaph:
        yield entry.key or 0, add
    if not entry.births:
        for add in entry.lifecycle:
            yield entry.key or 0, add
        return
    asked = {birth.identity.instance_id for birth in entry.births}
    born = {
        birth.identity.instance_id: outcome.key
        for birth, outcome in zip(entry.births, births, strict=True)
        if outcome.key is not None
    }
    for add in entry.lifecycle:
        if add.instance_id in born:
            yield born[add.instance_id], add
        elif add.instance_id not in asked:
            yield entry.key or 0, add
