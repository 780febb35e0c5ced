"""Where a program's own engine keeps its workflows: in a file, a database, or the memory."""

import os
import socket
from typing import Final

from perdure.app import stores
from perdure.app.memory import memory_store
from perdure.base.errors import ConfigurationError
from perdure.engine.settings import Sharing
from perdure.moving.promotions import refuse_half_filled
from perdure.store.port import Store
from perdure.store.sharing import SharedStore

MEMORY: Final = ":memory:"


def named(place: str | os.PathLike[str]) -> str:
    """Return what names a place within this process: two names of one file are one."""
    text = os.fspath(place)
    return text if text == MEMORY or "://" in text else os.path.realpath(text)


def shown(place: str) -> str:
    """Return a place as it may be shown: without a password."""
    return stores.without_secrets(place)


def open_place(place: str) -> tuple[Store, Sharing | None]:
    """Open a store: the file of that path, a database, or for `:memory:` one of this process.

    Returns with it how it is shared with other processes, None where it is for this one alone.
    Raises StoreLocked if the file is open somewhere else, StoreBroken or StoreFailed if it cannot
    be used, ConfigurationError if it is no store.
    """
    if place == MEMORY:
        return memory_store(), None
    try:
        store: Store = stores.open_place(stores.place_of(place))
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
    try:
        refuse_half_filled(store)
    except BaseException:
        store.close()
        raise
    if not isinstance(store, SharedStore):
        return store, None
    name = f"{socket.gethostname()}, process {os.getpid()}"
    return store, Sharing(store=store, node=os.urandom(16).hex(), name=name)
