"""Faults, as exceptions. Refusals, which a caller has to expect, are values (`core.requests`).

Each exception says whose trouble it is; every door maps them by one table.
"""


class PerdureError(Exception):
    """The root of every fault that this package raises on purpose."""


class CallerFault(PerdureError):
    """The request cannot be read: malformed, too large, of the wrong shape."""


class AccessDenied(PerdureError):
    """The caller's app may not do this to workflows of another app."""


class WorkerFault(PerdureError):
    """A worker's answer breaks the protocol; the turn is tried again, the worker is told."""


class StoreError(PerdureError):
    """The store could not do what was asked, and nothing of it was kept."""


class StoreUnavailable(StoreError):
    """The store cannot be asked just now: away, behind, or closing. Try again in a moment."""


class StoreAway(StoreUnavailable):
    """The store cannot be reached: its server is away, or the way to it. It is tried again."""


class StoreUnsure(StoreAway):
    """The store's reply was lost: what was asked of it may have been done all the same."""


class StoreFailed(StoreError):
    """The store was asked and could not: its disk full or failing, its file lost or locked.

    Once somebody has seen to it, trying again will help.
    """


class StoreBroken(StoreError):
    """The store's data or file cannot be used: damaged, read-only, of an unknown version."""


class StoreLocked(StoreError):
    """Another process owns the store."""


class StoreHalfFilled(StoreError):
    """Another store is being moved into this one, and not all of it is there."""


class ComponentError(PerdureError):
    """A workflow engine outside of this process could not do what was asked of it."""


class ComponentUnavailable(ComponentError):
    """That engine is away or too busy; whether it did what was asked may be unknown. Try again."""


class ConfigurationError(PerdureError):
    """A flag, an environment variable or a file cannot be used; the text names where and why."""


class ShuttingDown(PerdureError):
    """The process is stopping and takes no more work."""
