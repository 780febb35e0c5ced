"""What Postgres' errors mean to us: which fault it is, and what to do next (decision 0010)."""

from typing import Final

import asyncpg

from perdure.base.errors import (
    StoreAway,
    StoreBroken,
    StoreError,
    StoreFailed,
    StoreUnavailable,
)

_AWAY: Final = (
    "the database cannot be reached just now: see that it runs, and that the address is right"
)
_GRANT: Final = "let the user of the address use, and create, what is in the store's schema"

# By SQLSTATE, the longest beginning that fits. What is not named here is trouble that may pass.
_FAULTS: Final[dict[str, tuple[type[StoreError], str]]] = {
    "08": (StoreAway, _AWAY),
    "25006": (
        StoreAway,
        "the server is a replica now; the one that can write is looked for",
    ),
    "28": (StoreBroken, "the server refuses the user or password: correct the store's address"),
    "3D": (StoreBroken, "there is no such database: create it, or correct the store's address"),
    "3F": (StoreBroken, "the store's schema is not there: run `perdure migrate`"),
    "40": (StoreUnavailable, "too many others change the same instances; try again in a moment"),
    "42501": (StoreBroken, f"the user may not do that: {_GRANT}"),
    "42": (
        StoreBroken,
        (
            "the schema does not hold what it should: run `perdure migrate --check`, and restore "
            "it from a backup if that finds nothing"
        ),
    ),
    # The servers' own disks are not full, and whoever sees to the database need not see to them.
    "53100": (
        StoreUnavailable,
        "the disk of the database is full: nothing of this change was kept; free some space",
    ),
    "53200": (StoreFailed, "the database is out of memory: see its settings and its machine"),
    "53300": (
        StoreUnavailable,
        "the database has too many connections: raise max_connections, or let fewer others connect",
    ),
    "55P03": (StoreUnavailable, "another transaction holds locks for too long; try again"),
    "57014": (StoreUnavailable, "the statement was cancelled; try again"),
    "57": (StoreAway, _AWAY),
    "58": (StoreFailed, "the database could not read or write its disk: see the server's log"),
    "XX": (StoreBroken, "the database is damaged: stop it and restore it from a backup"),
}
_CODE_CHARS_MIN: Final = 2

# What makes a commit begin anew: others were in the way, or took the same id or name meanwhile.
IN_THE_WAY: Final = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.UniqueViolationError,
)
# Errors after which a connection is of no use, or says that all of them are.
LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # The server has said something between two statements, such as that it shuts down.
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    ConnectionError,
    TimeoutError,
    OSError,
)
TROUBLE: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


def fault_of(error: BaseException, where: str) -> BaseException:
    """Return the fault that `error` means, its text naming the store and the next step.

    What only a mistake of ours can cause is an AssertionError; text or numbers that no store holds
    are told as Python tells them.
    """
    match error:
        case asyncpg.IntegrityConstraintViolationError():
            return AssertionError(f"{where}: an invariant is broken: {error}")
        case asyncpg.DataError() if isinstance(error.__cause__, Exception):
            return error.__cause__  # the client found it before anything was sent
        case asyncpg.TargetServerAttributeNotMatched():
            return StoreAway(f"{where}: no server of the address takes changes ({error})")
        case asyncpg.PostgresError():
            fault, advice = _named(error.sqlstate or "")
            return fault(f"{where}: {advice} ({error.sqlstate}: {error})")
        case _:
            detail = str(error) or type(error).__name__
            return StoreAway(f"{where}: {_AWAY} ({detail})")


def _named(code: str) -> tuple[type[StoreError], str]:
    for length in range(len(code), _CODE_CHARS_MIN - 1, -1):
        if code[:length] in _FAULTS:
            return _FAULTS[code[:length]]
    return StoreFailed, "the database could not do it; try again"
