"""Runs a page: its files are written, its programs run in order in a folder of their own.

The blocks share a folder and an environment, as in one terminal. The ports of the page are
replaced by ports that are free, in programs, files and expected output alike. `perdure` is this
repository's, `python` that of the environment that holds the released SDK.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from tests.docs.matching import differs
from tests.docs.pages import Block, Page
from tests.e2e import venvs
from tests.e2e.serving import free_ports
from tests.kit.schemas import shared_server

BLOCK_DEADLINE_S = 60.0
STOP_DEADLINE_S = 15.0
# Every port that a page may name.
PORTS = ("3500", "6379", "50001", "3501", "50002", "3502", "9090", "7233", "5432")
_POSTGRES_PORT = "5432"
_OF_THIS_PACKAGE = {"in-process", "temporal", "testing", "writing-workflows"}
_PORT = re.compile(rf"(?<![\d.])({'|'.join(PORTS)})(?!\d)")
# The environment of one block is the one that the block before it has left.
_SCRIPT = "trap 'env -0 > \"$DOCS_STATE\"' EXIT\nset -eo pipefail\n{}\n"
# Readers have this package and the SDK in one environment, where the tests have two.
# A program on standard input is `-`, which grep would read away.
_OURS = f"""[ -f "$1" ] && grep -q '^import perdure' "$1" && exec "{sys.executable}" "$@"\n"""


class Background:
    """A program in the background, in a process group of its own; its lines are collected."""

    def __init__(self, script: str, folder: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash", "-c", script],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.text = ""
        self._changed = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                with self._changed:
                    self.text += line
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, words: str) -> None:
        """Return once it has printed `words`."""
        with self._changed:
            told = self._changed.wait_for(
                lambda: words in self.text or self._ended, BLOCK_DEADLINE_S
            )
        assert told, f"{words!r} was not printed in time:\n{self.text}"
        assert words in self.text, f"ended without printing {words!r}:\n{self.text}"

    def end(self) -> None:
        """End it: politely, since what it has started itself may be beyond our reach, then not."""
        for number, patience_s in ((signal.SIGTERM, STOP_DEADLINE_S), (signal.SIGKILL, None)):
            try:
                os.killpg(self._process.pid, number)
                self._process.wait(patience_s)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        self._process.wait()
        self._reader.join(STOP_DEADLINE_S)
        assert not self._reader.is_alive(), f"something that it started is left over:\n{self.text}"


def _python_of(page: Page) -> Path:
    """The Python whose packages a page speaks of: Dapr's SDK, or this package and Temporal's."""
    if page.path.stem in _OF_THIS_PACKAGE:
        return Path(sys.executable)
    return venvs.ensure(venvs.DAPR_1_18)


class Run:
    """One run of one page."""

    def __init__(self, page: Page, folder: Path) -> None:
        self._page = page
        self._folder = folder / "here"
        self._state = folder / "environment"
        self._ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        self._background: list[Background] = []
        self._output = ""
        self._again = ""  # what may be run again until its output is as it should be
        self._folder.mkdir()
        self._environment = self._first_environment(folder)
        self._databases: set[str] = set()
        if any(f":{_POSTGRES_PORT}/" in block.text for block in page.blocks):
            self._lend_postgres()

    def _first_environment(self, folder: Path) -> dict[str, str]:
        programs = folder / "bin"
        programs.mkdir()
        for name, target in (
            ("perdure", Path(sys.executable).parent / "perdure"),
            ("python", _python_of(self._page)),
            ("temporal", Path(sys.executable).parent / "temporal"),
        ):
            # A link would make Python look for its environment in the wrong place.
            program = programs / name
            program.write_text(
                f'#!/bin/sh\n{_OURS if name == "python" else ""}exec "{target}" "$@"\n'
            )
            program.chmod(0o755)
        return {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "DAPR_HTTP_PORT": self._ports["3500"],
            "DAPR_GRPC_PORT": self._ports["50001"],
            "DOCS_STATE": str(self._state),
        }

    def _lend_postgres(self) -> None:
        """Let the page have a Postgres that throws everything away in the end."""
        server = shared_server()
        self._ports[_POSTGRES_PORT] = str(server.port)
        made = re.findall(r"CREATE DATABASE (\w+)", "".join(b.text for b in self._page.blocks))
        self._databases = set(made)
        for name in made:
            server.asked(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def all(self) -> None:
        """Run the page from its first block to its last."""
        try:
            for block in self._page.blocks:
                try:
                    self._take(block)
                except AssertionError as error:
                    raise AssertionError(f"{self._page.name}:{block.line}: {error}") from error
        finally:
            for program in reversed(self._background):
                program.end()
            for name in self._databases:
                shared_server().asked(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _take(self, block: Block) -> None:
        text = self._with_free_ports(block.text)
        match block.word:
            case "file":
                assert block.value is not None, "a file has a name"
                file = self._folder / block.value
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text + "\n", "utf-8")
            case "output":
                self._compare(block.language, text)
            case "background":
                assert block.value is not None, "what is in the background says when it is ready"
                program = Background(text, self._folder, self._environment)
                self._background.append(program)
                program.wait_for(block.value)
            case "fails":
                self._run(text, int(block.value or "1"))
            case "again":
                self._run(text, 0)
                self._again = text
            case None if block.language == "bash":
                self._run(text, 0)
            case _:
                pass

    def _compare(self, language: str, expected: str) -> None:
        """Compare what came with what the page shows; what is to come, comes before a deadline."""
        end = time.monotonic() + BLOCK_DEADLINE_S
        while (difference := differs(language, expected, self._output)) and self._again:
            assert time.monotonic() < end, difference
            self._run(again := self._again, 0)
            self._again = again
        assert difference is None, difference

    def _run(self, text: str, code: int) -> None:
        done = subprocess.run(
            ["bash", "-c", _SCRIPT.format(text)],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BLOCK_DEADLINE_S,
            check=False,
        )
        lines = "".join(f"\n--- background\n{each.text}" for each in self._background)
        self._again = ""
        self._output = done.stdout if done.stdout.strip() else done.stderr
        assert done.returncode == code, (
            f"ended with {done.returncode}:\n{text}\n{done.stdout}{done.stderr}{lines}"
        )
        self._environment = dict(
            pair.split("=", 1) for pair in self._state.read_text().split("\0") if pair
        )

    def _with_free_ports(self, text: str) -> str:
        return _PORT.sub(lambda found: self._ports[found[1]], text)
