"""Staying connected to a broker: for ever, with growing pauses, and with its standing told.

A session is one connection from its opening to its end. It says `connected` once it receives, and
ends by raising what went wrong; then it is entered anew after a pause. A broker that is away costs
one log line for each attempt, and the attempts come ever more rarely.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

import structlog

from perdure.base.limits import RECONNECT_FIRST_US, RECONNECT_LONGEST_US
from perdure.base.time import SECOND_US
from perdure.triggers.port import Standing

_log = structlog.get_logger(__name__)

# What held for so long was a good connection: what ends it then is new trouble.
_STEADY_S: Final = 10.0
_WORDS_CHARS_MAX: Final = 500


class Pauses:
    """Growing pauses, in seconds: each is twice the last, up to the longest, a little by chance."""

    def __init__(self, first_us: int, longest_us: int) -> None:
        self._first_s = first_us / SECOND_US
        self._longest_s = longest_us / SECOND_US
        self._next_s = self._first_s

    def next_s(self) -> float:
        """Return how long to wait now."""
        pause_s = self._next_s
        self._next_s = min(2 * pause_s, self._longest_s)
        # By chance, so that those who lost the same broker do not all come back at one moment.
        return pause_s * random.uniform(0.8, 1.0)  # noqa: S311 - spreads, protects nothing

    def begin_again(self) -> None:
        """Start from the first pause."""
        self._next_s = self._first_s


async def stay_connected(
    session: Callable[[], Awaitable[None]],
    *,
    name: str,
    standing: Standing,
    troubles: tuple[type[Exception], ...],
) -> NoReturn:
    """Enter `session` again and again until cancelled.

    What is not one of the `troubles` that a broker makes is survived too, and logged with its
    traceback: the source of a fault is to be found, and messages are to be received meanwhile.
    """
    loop = asyncio.get_running_loop()
    pauses = Pauses(RECONNECT_FIRST_US, RECONNECT_LONGEST_US)
    task = asyncio.current_task()
    assert task is not None
    while True:
        # What a session raised may hide that it was cancelled.
        if task.cancelling():
            raise asyncio.CancelledError
        began_s = loop.time()
        words, fault = await _entered(session, (OSError, *troubles))
        if loop.time() - began_s >= _STEADY_S:
            pauses.begin_again()
        standing.connected = False
        standing.trouble = words
        pause_s = pauses.next_s()
        again = {"source": name, "trouble": words, "again_in_s": round(pause_s, 1)}
        if fault is None:
            _log.warning("a source is away", **again)
        else:
            _log.error("a source failed", **again, exc_info=fault)
        await asyncio.sleep(pause_s)


async def _entered(
    session: Callable[[], Awaitable[None]], expected: tuple[type[Exception], ...]
) -> tuple[str, Exception | None]:
    """Enter a session; return what ended it in words, and the fault if it is one of ours."""
    task = asyncio.current_task()
    assert task is not None
    try:
        await session()
    except expected as error:
        return in_words(error), None
    except asyncio.CancelledError as error:
        # A library may let out what it cancelled within itself; nobody has cancelled us then.
        if task.cancelling():
            raise
        return in_words(error), None
    except Exception as error:  # noqa: BLE001 - survived, and logged by the caller
        return in_words(error), error
    return "the connection ended", None


def connected(name: str, standing: Standing) -> None:
    """Note that a source receives again."""
    standing.connected = True
    standing.trouble = None
    _log.info("a source is connected", source=name)


def in_words(error: BaseException) -> str:
    """Return what went wrong, for people; never empty and never long."""
    kind, text = type(error).__name__, str(error).strip()
    words = text if text.startswith(kind) else f"{kind}: {text}" if text else kind
    return words[:_WORDS_CHARS_MAX]
