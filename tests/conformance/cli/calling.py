"""The program as people run it, against a real server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from perdure.cli.main import main

PROGRAM = (sys.executable, "-m", "perdure")
DEADLINE_S = 60

ORDERS = """
import signal, sys, threading
from dapr.ext.workflow import WorkflowRuntime

runtime = WorkflowRuntime()

@runtime.workflow
def order(ctx, order):
    yield ctx.call_activity(reserve, input=order)
    ctx.set_custom_status("reserved")
    answer = yield ctx.wait_for_external_event("approved")
    if not answer["ok"]:
        raise ValueError("refused by " + answer["by"])
    parcel = yield ctx.call_child_workflow(ship, input=order, instance_id=f"{ctx.instance_id}-ship")
    return {"parcel": parcel}

@runtime.workflow
def ship(ctx, order):
    yield ctx.create_timer(ctx.current_utc_datetime)
    return order["items"]

@runtime.workflow
def countdown(ctx, number):
    yield ctx.call_activity(reserve, input={"items": number})
    if number:
        ctx.continue_as_new(number - 1)
        return None
    return "start"

@runtime.activity
def reserve(ctx, order):
    return order["items"]

ended = threading.Event()
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: ended.set())
runtime.start()
print("the worker is ready", flush=True)
ended.wait()
runtime.shutdown()
print("the worker has stopped", flush=True)
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run of the program ended and what it wrote."""

    code: int
    stdout: str
    stderr: str

    def checked(self, code: int) -> "Outcome":
        assert "Traceback" not in self.stderr, self.stderr
        assert self.code == code, self
        return self


@dataclass(slots=True)
class Lines:
    """A process that runs, its lines as they come."""

    process: subprocess.Popen[str]
    seen: list[str] = field(default_factory=list)

    def read_until(self, word: str) -> str:
        """Read until a line holds `word`, and return that line."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.seen.append(line.rstrip("\n"))
            if word in line:
                return self.seen[-1]
        raise AssertionError("\n".join([f"there is no {word!r} in:", *self.seen]))

    def end(self) -> int:
        """Read to the end and return the exit code."""
        assert self.process.stdout is not None
        self.seen += self.process.stdout.read().splitlines()
        return self.process.wait(DEADLINE_S)

    @property
    def text(self) -> str:
        return "\n".join(self.seen)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody at a terminal, in a folder and an environment of their own."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def call(self, *arguments: str, code: int = 0) -> Outcome:
        """Run the program to its end; it must end with this code and without a traceback."""
        finished = subprocess.run(
            [*PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self._environ(),
            timeout=DEADLINE_S,
            check=False,
        )
        return Outcome(finished.returncode, finished.stdout, finished.stderr).checked(code)

    def ask(self, *arguments: str, code: int = 0, given: str = "") -> Outcome:
        """Run `perdure workflow …` as `call` does, but in this process: it is one of many."""
        return self.inside("workflow", *arguments, code=code, given=given)

    def inside(self, *arguments: str, code: int = 0, given: str = "") -> Outcome:
        """Run any program in this process."""
        out, err = StringIO(), StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(os, "environ", self._environ())
            patch.setattr(sys, "stdin", TextIOWrapper(BytesIO(given.encode()), "utf-8"))
            ended = main(list(arguments))
        return Outcome(ended, out.getvalue(), err.getvalue()).checked(code)

    def workflow(self, *arguments: str, code: int = 0, given: str = "") -> str:
        """Run `perdure workflow …` and return what it wrote to the standard output."""
        return self.ask(*arguments, code=code, given=given).stdout

    def trouble(self, *arguments: str, code: int) -> str:
        """Run `perdure workflow …`, which must fail, and return what was told of it."""
        return self.ask(*arguments, code=code).stderr

    def read(self, *arguments: str) -> Any:
        """Run `perdure workflow … --json` and return the value."""
        return json.loads(self.workflow(*arguments, "--json"))

    @contextmanager
    def running(self, *arguments: str) -> Iterator[Lines]:
        """Run the program while a test goes on. It is ended in the end, with all it started."""
        process = subprocess.Popen(
            [*PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env=self._environ(),
        )
        lines = Lines(process)
        try:
            yield lines
        finally:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=DEADLINE_S)

    def _environ(self) -> dict[str, str]:
        # Nothing of whoever runs the tests may name a server or a token, or change a width.
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("DAPR_", "PERDURE_", "OTEL_"))
            and key not in {"APP_ID", "COLUMNS"}
        }
        return {**kept, **self.environ}
