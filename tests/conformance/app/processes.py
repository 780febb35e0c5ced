"""`perdure serve` as a process of its own, which tells by its output when it is ready."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DEADLINE_S = 60.0
_OURS = ("DAPR_", "PERDURE_", "OTEL_", "APP_ID", "NAMESPACE", "NOTIFY_SOCKET")


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of the tests without what would set up a server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**kept, "NO_COLOR": "1", "COLUMNS": "500", **(more or {})}


class Process:
    """A server that has said that it is ready."""

    def __init__(self, popen: "subprocess.Popen[str]") -> None:
        self.popen = popen
        self.lines: list[dict[str, Any]] = []
        self._read_until("is ready")

    def _read_until(self, text: str) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self.lines.append(json.loads(line))
            if text in self.lines[-1]["msg"]:
                return
        raise AssertionError(f"it ended before {text!r}: {self.lines}")

    @property
    def http(self) -> str:
        """Where the HTTP API is."""
        return self._said("serving HTTP", "url")

    @property
    def grpc(self) -> str:
        """Where the gRPC API is."""
        return self._said("serving gRPC", "address")

    def _said(self, message: str, key: str) -> str:
        return str(next(line[key] for line in self.lines if line["msg"] == message))

    def ended(self) -> tuple[int, str]:
        """Its exit code and what it said on stderr, once it has ended."""
        out, err = self.popen.communicate(timeout=DEADLINE_S)
        self.lines += [json.loads(line) for line in out.splitlines()]
        return self.popen.returncode, err


@contextmanager
def serving(
    folder: Path, *flags: str, environ: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """Start a server in `folder` on ports that the system chooses; kill what is left of it."""
    command = [sys.executable, "-m", "perdure", "serve", "--log-as-json"]
    ports = ["--dapr-http-port", "0", "--dapr-grpc-port", "0"]
    with subprocess.Popen(
        [*command, *ports, *flags],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=environment(environ),
        text=True,
    ) as popen:
        try:
            yield Process(popen)
        finally:
            popen.kill()


def refused(folder: Path, *flags: str) -> tuple[int, str]:
    """The exit code and stderr of a server that cannot start."""
    ended = subprocess.run(
        [sys.executable, "-m", "perdure", "serve", *flags],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert "Traceback" not in ended.stdout + ended.stderr
    return ended.returncode, ended.stderr
