"""The steps of a program, each a generator that waits by yielding."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from perdure.core.events import Event
from perdure.proving.flow import Decided, Flow, Later, Steps, decided

RELEASE: Final = 2  # the newest of the workflow code


def decide(past: Iterable[Event], new: Iterable[Event], release: int = RELEASE) -> Decided:
    """Return what a program decides about the new events; raises `Strayed` if it cannot be."""
    flow = Flow(run, release)
    for event in past:
        flow.read(event)
    flow.replaying = False
    for event in new:
        flow.read(event)
    return decided(flow)


def run(flow: Flow) -> Steps:
    """Run a program to its end."""
    for step in flow.program.steps:
        name, *given = step
        yield from _STEPS[str(name)](flow, *given)
        if flow.end is not None:
            return
    flow.finish()


def _until(*laters: Later) -> Steps:
    while not all(later.done for later in laters):
        yield


def _call(flow: Flow, name: str) -> Steps:
    yield from _until(flow.call(name))


def _retry(flow: Flow, name: str, attempts: int, pause_s: int) -> Steps:
    for attempt in range(attempts):
        called = flow.call(name)
        yield from _until(called)
        if not called.failed or attempt == attempts - 1:
            return
        yield from _until(flow.timer(pause_s << attempt))


def _all(flow: Flow, count: int) -> Steps:
    yield from _until(*[flow.call("fetch") for _ in range(count)])


def _sleep(flow: Flow, seconds: int) -> Steps:
    yield from _until(flow.timer(seconds))


def _wait(flow: Flow, name: str, timeout_s: int | None) -> Steps:
    raised = flow.event(name)
    if raised.done:
        return
    if timeout_s is None:
        yield from _until(raised)
        return
    timer = flow.timer(timeout_s, name)
    while not raised.done and not timer.done:
        yield
    if not raised.done:
        flow.waits[name.casefold()].remove(raised)


def _race(flow: Flow, seconds: int) -> Steps:
    called, timer = flow.call("store"), flow.timer(seconds)
    while not called.done and not timer.done:
        yield


def _child(flow: Flow, named: str, program: str) -> Steps:
    yield from _until(flow.child(named, program))


def _children(flow: Flow, programs: list[str]) -> Steps:
    yield from _until(*[flow.child("", program) for program in programs])


def _spawn(flow: Flow, program: str) -> Steps:
    flow.child("", program)
    yield from ()


def _detach(flow: Flow, named: str, program: str) -> Steps:
    flow.detach(named, program)
    yield from ()


def _send(flow: Flow, target: str, name: str) -> Steps:
    flow.send(target, name)
    yield from ()


def _end(flow: Flow, target: str) -> Steps:
    flow.finish_other(target)
    yield from ()


def _patch(flow: Flow, name: str) -> Steps:
    is_new = flow.release > 1 and flow.patched(name)
    yield from _until(flow.call("mail" if is_new else "fetch"))


def _status(flow: Flow, text: str) -> Steps:
    flow.custom_status = text
    yield from ()


def _fail(flow: Flow) -> Steps:
    flow.fail()
    yield from ()


_STEPS: Final[dict[str, Callable[..., Any]]] = {
    "call": _call,
    "retry": _retry,
    "all": _all,
    "sleep": _sleep,
    "wait": _wait,
    "race": _race,
    "child": _child,
    "children": _children,
    "spawn": _spawn,
    "detach": _detach,
    "send": _send,
    "end": _end,
    "patch": _patch,
    "status": _status,
    "fail": _fail,
}
