"""Activities that run in processes of their own, which import this module."""

import functools
import os
import signal
import sys
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from perdure.authoring.activities import ActivityContext


class Unlucky(Exception):
    """What one of them raises."""


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that leaves something else under the name, as Dapr's do."""

    @functools.wraps(function)
    def other() -> None:
        raise AssertionError("nobody calls what a decorator leaves")

    return other


def square(_: ActivityContext, number: int) -> list[int]:
    return [number * number, os.getpid()]


async def later(ctx: ActivityContext) -> str:
    return ctx.idempotency_key


@wrapped
def decorated(_: ActivityContext) -> str:
    return "itself"


def fails(_: ActivityContext) -> None:
    raise Unlucky("no luck")


def dies(_: ActivityContext) -> None:
    sys.stdout.flush()
    os._exit(7)


def holds(ctx: ActivityContext, file: str) -> None:
    """Write its process down, and never end; it shrugs off what Ctrl-C and a stop send."""
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    Path(file).write_text(str(os.getpid()))
    while True:
        ctx.heartbeat()


def silent(_: ActivityContext) -> None:
    signal.pause()


_SETTING = ContextVar("_SETTING", default="nothing")


def leaves(_ctx: ActivityContext) -> str:
    """What somebody has set before, and set it."""
    before = _SETTING.get()
    _SETTING.set("left behind")
    return before
