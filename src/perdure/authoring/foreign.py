"""What workflow code awaits that is none of ours: where it does so, and what to write instead."""

import asyncio
from types import CodeType, FrameType
from typing import Final, TypeAlias

from perdure.authoring.failures import ForeignAwaitable

Place: TypeAlias = tuple[str, int]

# How many calls deep code is looked through.
_FRAMES_MAX: Final = 1_000

_IN_AN_ACTIVITY: Final = "do it in an activity: `await ctx.call_activity(...)`"
# What to write in place of a function of asyncio.
_INSTEAD: Final = {
    "sleep": "use `await ctx.create_timer(timedelta(seconds=...))`",
    "wait_for": "use `await wf.wait_for(task, timeout)`",
    "timeout": "use `await wf.wait_for(task, timeout)`",
    "timeout_at": "use `await wf.wait_for(task, timeout)`",
    "gather": "use `await wf.gather(...)`",
    "wait": "use `await wf.when_any([...])`",
    "as_completed": "use `for next_one in wf.as_completed([...])`",
    "create_task": "give the coroutine to `wf.gather(...)`",
    "ensure_future": "give the coroutine to `wf.gather(...)`",
    "TaskGroup": "use `await wf.gather(...)`",
}


def foreign(frame: FrameType | None) -> ForeignAwaitable:
    """Return the refusal of what was called from `frame`, in the words of who called it."""
    called = ""
    for _ in range(_FRAMES_MAX):
        if frame is None or not _is_library(frame.f_code):
            break
        called = _name_of(frame)
        frame = frame.f_back
    place = None if frame is None else (frame.f_code.co_filename, frame.f_lineno)
    return refusal(_what(called), called, place)


def _what(called: str) -> str:
    return f"asyncio.{called}" if hasattr(asyncio, called) else "what only an event loop has"


def _name_of(frame: FrameType) -> str:
    owner = frame.f_locals.get("self")
    kind = type(owner).__name__
    return kind if kind in _INSTEAD else frame.f_code.co_name


_LIBRARY: Final = asyncio.__file__.rpartition("__init__")[0]


def _is_library(code: CodeType) -> bool:
    return code.co_filename.startswith(_LIBRARY)


def refusal(what: str, called: str, place: Place | None = None) -> ForeignAwaitable:
    """Return the refusal of `what`, which is waited for at `place` by calling `called`."""
    where = "" if place is None else f" at {place[0]}:{place[1]}"
    return ForeignAwaitable(
        f"the workflow waits for {what}{where}, which a replay could not repeat; "
        f"{_INSTEAD.get(called, _IN_AN_ACTIVITY)}"
    )


def no_task(found: object) -> str:
    """Say that something cannot be awaited by itself."""
    return f"a {type(found).__name__}, which is no task of its own"


def place_of(steps: object) -> Place:
    """Return the file and line at which a generator or coroutine waits, however deep."""
    place = ("", 0)
    for _ in range(_FRAMES_MAX):
        frame = getattr(steps, "gi_frame", None) or getattr(steps, "cr_frame", None)
        if frame is None:
            break
        if not is_ours(frame.f_code) and not _is_library(frame.f_code):
            place = (frame.f_code.co_filename, frame.f_lineno)
        steps = getattr(steps, "gi_yieldfrom", None) or getattr(steps, "cr_await", None)
    return place


_OURS: Final = __file__.rpartition("foreign")[0]


def is_ours(code: CodeType) -> bool:
    """Tell whether code is of this room, and not of the workflow."""
    return code.co_filename.startswith(_OURS)


def explained(error: BaseException) -> BaseException:
    """Return an exception of asyncio's own, because it found no loop, in words that help."""
    if not isinstance(error, RuntimeError):
        return error
    called, place = "", None
    trace = error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if not _is_library(frame.f_code):
            called, place = "", (frame.f_code.co_filename, trace.tb_lineno)
        elif not called:
            called = _name_of(frame)
        trace = trace.tb_next
    if not called:
        return error
    better = refusal(_what(called), called, place)
    better.__cause__ = error
    return better
