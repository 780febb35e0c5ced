"""What is in a store's file, read while a server may be running on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from perdure.base.limits import MIB
from perdure.core.status import TERMINAL
from perdure.store.moving import Whole
from perdure.store.sqlite.source import SqliteSource

_INSTANCES_AT_ONCE: Final = 200
_HISTORY_BYTES_AT_ONCE: Final = 16 * MIB


def unfinished(path: Path) -> Iterator[Whole]:
    """Yield the instances of a file that have not ended. Raises what opening it raises."""
    source = SqliteSource(path, alone=False)
    after_key = 0
    try:
        while wholes := source.wholes(after_key, _INSTANCES_AT_ONCE, _HISTORY_BYTES_AT_ONCE):
            for whole in wholes:
                if whole.head.phase not in TERMINAL:
                    yield whole
            after_key = wholes[-1].key
    finally:
        source.close()
