"""What every program of this suite shares: its cases, run together, and told one JSON line each."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

# A server that has another one behind it may take longer.
PATIENCE_S = float(os.environ.get("CASES_PATIENCE_S", "30"))
POLL_S = 0.02
# Cases mostly wait, so many run at once; each waiter is a blocked thread here and a stream there.
CASES_AT_ONCE = 24

_output = threading.Lock()


def say(**fields: object) -> None:
    """Print one line that the test can wait for."""
    line = json.dumps(fields)
    with _output:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def expect(actual: object, wanted: object) -> None:
    if actual != wanted:
        raise AssertionError(f"got {_short(actual)}, wanted {_short(wanted)}")


def _short(value: object, limit: int = 400) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def refused(call: Callable[[], object], text: str, code: str) -> None:
    """Check that a gRPC call is refused with the status code and with the text in its details."""
    try:
        answer = call()
    except Exception as error:
        # The class is the SDK's choice; what it carries of the status is what is promised.
        carried = getattr(error, "code", None)
        details = getattr(error, "details", None)
        if carried is None or details is None:
            raise
        expect(carried().name, code)
        if text not in details():
            raise AssertionError(f"{text!r} is not in {details()!r}") from error
        return
    raise AssertionError(f"was not refused, but answered {_short(answer)}")


def until(look: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Look until there is something to see; the other side is a process, so there is no signal."""
    end = time.monotonic() + patience_s
    while not (seen := look()):
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {patience_s} s")
        time.sleep(POLL_S)
    return seen


class Tally:
    """Counts by key, from many threads: how often a piece of code really ran."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, key: str) -> int:
        with self._lock:
            self._counts[key] += 1
            return self._counts[key]

    def of(self, key: str) -> int:
        with self._lock:
            return self._counts[key]


class Gates:
    """Gates by name, closed at first. An activity waits at one until its case opens it."""

    def __init__(self) -> None:
        self._gates: dict[str, tuple[threading.Event, threading.Event]] = {}
        self._lock = threading.Lock()

    def _gate(self, name: str) -> tuple[threading.Event, threading.Event]:
        with self._lock:
            return self._gates.setdefault(name, (threading.Event(), threading.Event()))

    def pass_through(self, name: str) -> None:
        """Say that somebody has come, then wait for the gate to open."""
        reached, opened = self._gate(name)
        reached.set()
        if not opened.wait(PATIENCE_S):
            raise AssertionError(f"gate {name} was never opened")

    def await_visitor(self, name: str) -> None:
        reached, _ = self._gate(name)
        if not reached.wait(PATIENCE_S):
            raise AssertionError(f"nobody came to gate {name}")

    def open(self, name: str) -> None:
        _, opened = self._gate(name)
        opened.set()


class Cases:
    """The cases of one program, by the name of their function, which says what is promised."""

    def __init__(self) -> None:
        self._cases: dict[str, Callable[[Any], object]] = {}

    def __call__(self, case: Callable[[Any], object]) -> Callable[[Any], object]:
        name = case.__name__
        if name in self._cases:
            raise ValueError(f"there are two cases named {name}")
        self._cases[name] = case
        return case

    def run(self, app: object, wanted: Sequence[str]) -> None:
        """Run the wanted cases side by side. One that fails disturbs no other."""
        with ThreadPoolExecutor(CASES_AT_ONCE, thread_name_prefix="case") as threads:
            for name in wanted:
                threads.submit(self._run, app, name)
        say(finished=len(wanted))

    def _run(self, app: object, name: str) -> None:
        started = time.monotonic()
        problem = ""
        try:
            self._cases[name](app)
        except Exception:  # noqa: BLE001 - whatever a case dies of is told and judged by the test
            problem = traceback.format_exc()
        seconds = round(time.monotonic() - started, 3)
        say(case=name, ok=not problem, detail=problem, seconds=seconds)
