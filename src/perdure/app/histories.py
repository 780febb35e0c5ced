"""What is in a store, read while a server may be running on it."""

from collections.abc import Iterator

from perdure.app.moving import source_beside
from perdure.core.status import TERMINAL
from perdure.moving.streams import instances
from perdure.store.moving import Whole


def unfinished(store: str) -> Iterator[Whole]:
    """Yield the instances of a store that have not ended. Raises what opening it raises."""
    with source_beside(store) as source:
        for whole in instances(source, 0, source.numbers().key):
            if whole.head.phase not in TERMINAL:
                yield whole
