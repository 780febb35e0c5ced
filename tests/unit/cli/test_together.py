"""A server and an application side by side, as real programs that are really signalled.

The server here is a few lines that answer the health check; who runs the two is the subject.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from perdure.cli.exits import ExitCode
from perdure.cli.run import choose_ports

SERVER = """
import os, signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Door(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()
    def log_message(self, *words):
        pass
def stop(*_):
    print("server stops", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("server", os.getpid(), os.getpgrp(), flush=True)
HTTPServer(("127.0.0.1", int(sys.argv[1])), Door).serve_forever()
"""
BROKEN_SERVER = "import sys; print('no room', flush=True); sys.exit(4)"
READY = "import os, signal, sys, time; print('ready', os.getpid(), os.getpgrp(), flush=True)\n"
WAITS = READY + "signal.pause()"
STUBBORN = (
    "import signal\n"
    "for each in (signal.SIGINT, signal.SIGTERM): signal.signal(each, signal.SIG_IGN)\n"
    + READY
    + "while True: signal.pause()"
)
POLITE = (
    "import os, signal, sys\n"
    "def stop(number, _):\n"
    # Not printed: the signal may come while the program is still printing that it is ready.
    "    os.write(1, f'bye {signal.Signals(number).name}\\n'.encode())\n"
    "    sys.exit(5)\n"
    "for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP): signal.signal(each, stop)\n"
    + WAITS
)
DRIVER = """
import asyncio, json, os, sys
from perdure.cli.main import main
from perdure.cli import together
async def run(plan):
    return await together.run_together(together.Plan(**plan, app_environ=os.environ))
import perdure.cli.main as program, typer
app = typer.Typer(pretty_exceptions_enable=False)
@app.command()
def drive(text: str) -> None:
    raise typer.Exit(asyncio.run(run(json.loads(text))))
program.app = app
sys.exit(main())
"""


@dataclass
class Run:
    """A run in a process of its own, its lines as they come."""

    process: subprocess.Popen[str]
    lines: list[str]

    def read_until(self, word: str) -> list[str]:
        """Read until a line holds `word` and return that line's words."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if word in line:
                return line.split()
        raise AssertionError(f"no {word!r} in {self.lines}")

    def end(self) -> int:
        """Read to the end and return the exit code."""
        assert self.process.stdout is not None
        self.lines += self.process.stdout.read().splitlines()
        return self.process.wait()


@contextmanager
def running(
    app: str, *, server: str = SERVER, app_stop_s: float = 20, app_program: str = sys.executable
) -> Iterator[Run]:
    [port] = choose_ports("127.0.0.1", 0)
    plan = {
        "server": [sys.executable, "-c", server, str(port)],
        "app": [app_program, "-c", app],
        "health_url": f"http://127.0.0.1:{port}/v1.0/healthz",
        "app_stop_s": app_stop_s,
        "server_stop_s": 20,
    }
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, json.dumps(plan)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Run(process, [])
    finally:
        process.terminate()
        process.communicate()


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process_id}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"


def test_the_exit_code_is_that_of_the_application() -> None:
    with running(
        "print('one'); print('two'); import sys; print('three', file=sys.stderr); sys.exit(7)"
    ) as run:
        assert run.end() == 7
    for line in ("== APP == one", "== APP == two", "== APP == three", "server stops"):
        assert line in run.lines


def test_both_lead_groups_of_their_own() -> None:
    with running(WAITS) as run:
        _, server_id, server_group = run.read_until("server")
        *_, app_id, app_group = run.read_until("ready")
    assert server_id == server_group
    assert app_id == app_group


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_goes_to_the_application_while_its_server_is_there(
    number: signal.Signals,
) -> None:
    with running(POLITE) as run:
        run.read_until("ready")
        run.process.send_signal(number)
        assert run.end() == 5
    assert run.lines.index(f"== APP == bye {number.name}") < run.lines.index("server stops")


def test_what_does_not_handle_ctrl_c_ends_by_it() -> None:
    with running("import signal; signal.signal(2, signal.SIG_DFL)\n" + WAITS) as run:
        run.read_until("ready")
        run.process.send_signal(signal.SIGINT)
        assert run.end() == ExitCode.INTERRUPTED


def test_what_ignores_signals_is_killed_when_its_time_is_over() -> None:
    with running(STUBBORN, app_stop_s=0.2) as run:
        run.read_until("ready")
        run.process.send_signal(signal.SIGTERM)
        assert run.end() == 128 + signal.SIGKILL
    assert any("did not end within 0.2 s" in line for line in run.lines)
    assert "server stops" in run.lines


def test_a_second_signal_is_in_a_hurry() -> None:
    with running(STUBBORN, app_stop_s=1_000) as run:
        run.read_until("ready")
        run.process.send_signal(signal.SIGINT)
        run.process.send_signal(signal.SIGTERM)
        assert run.end() == 128 + signal.SIGKILL


def test_what_the_application_started_ends_with_it() -> None:
    app = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
        "print('child', child.pid, flush=True)"
    )
    with running(app) as run:
        child_id = int(run.read_until("child")[-1])
        assert run.end() == 0
    assert not is_alive(child_id)


def test_a_server_that_dies_ends_the_application() -> None:
    with running(WAITS) as run:
        server_id = int(run.read_until("server")[1])
        app_id = int(run.read_until("ready")[-2])
        os.kill(server_id, signal.SIGKILL)
        assert run.end() == ExitCode.FAILED
    assert any("The server ended with exit code 137" in line for line in run.lines)
    assert not is_alive(app_id)


def test_a_server_that_does_not_start_is_told_and_the_application_is_not_started() -> None:
    with running(WAITS, server=BROKEN_SERVER) as run:
        assert run.end() == 4
    assert run.lines[0] == "no room"
    assert any("exit code 4, before it was ready" in line for line in run.lines)
    assert not any("ready 1" in line for line in run.lines)


def test_a_signal_before_the_server_is_ready_ends_it() -> None:
    with running(WAITS, server=POLITE) as run:
        run.read_until("ready")
        run.process.send_signal(signal.SIGTERM)
        assert run.end() == 128 + signal.SIGTERM
    assert "bye SIGTERM" in run.lines


def test_a_program_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("no program", "utf-8")
    program.chmod(0o755)
    with running("", app_program=str(program)) as run:
        assert run.end() == ExitCode.FAILED
    assert any("cannot be started" in line for line in run.lines)
    assert "server stops" in run.lines


def test_lines_of_any_length_and_without_an_end_arrive() -> None:
    with running("import sys; sys.stdout.write('x' * 300_000 + '\\n' + 'last')") as run:
        assert run.end() == 0
    told = [line.removeprefix("== APP == ") for line in run.lines if line.startswith("== APP ==")]
    assert "".join(told) == "x" * 300_000 + "last"
