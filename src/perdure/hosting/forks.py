"""Processes that were forked from one in which an engine is open.

A fork has neither the threads of the engine nor its file, which is the parent's. What it has of
both in memory is neither used nor closed: to close a database that another process has open would
not be without consequences, so it is kept until the fork ends.
"""

import logging
import os
from typing import Final

_log = logging.getLogger("perdure.engine")

_SENTENCE: Final = (
    "this process was forked from process {parent}, which has the engine of {store} open, and has "
    "neither its threads nor its file: open an engine after forking, in the process that uses it. "
    "With gunicorn leave out --preload, and have one worker. Where several processes need the "
    "engine, let one open it with a door, grpc=50001, and the others ask that"
)
_left: Final[list[object]] = []
_told: Final[set[int]] = set()


def left_to_parent(*things: object) -> None:
    """Keep what is the parent's from being closed with its last reference."""
    _left.extend(things)


class Birthplace:
    """The process in which something was opened."""

    __slots__ = ("_process_id", "_store")

    def __init__(self, store: str) -> None:
        """Note the present process; `store` is named as people may see it."""
        self._process_id = os.getpid()
        self._store = store

    @property
    def is_here(self) -> bool:
        """Whether that is this process, and not one that it was forked from."""
        return self._process_id == os.getpid()

    def check(self) -> None:
        """Raise RuntimeError in a fork; the first time it is logged, too.

        Web frameworks make of it an answer that says nothing.
        """
        if self.is_here:
            return
        text = _SENTENCE.format(parent=self._process_id, store=self._store)
        if os.getpid() not in _told:
            _told.add(os.getpid())
            _log.error("%s", text)
        raise RuntimeError(text)
