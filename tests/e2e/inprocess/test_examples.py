"""The examples of engines in a program's own process, run as their README says."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.polling import until
from tests.e2e.programs import clean_environment, tail
from tests.e2e.serving import free_ports
from tests.e2e.venvs import REPOSITORY

EXAMPLES = REPOSITORY / "examples" / "in_process"
DEADLINE_S = 60.0
SITE = ("--no-control-socket", "django_site:application")

Serve = Callable[..., httpx.Client]


def _run(name: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name)],
        cwd=folder,
        env=clean_environment({}),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_plain_program(tmp_path: Path) -> None:
    assert _run("plain.py", tmp_path).splitlines() == [
        "small: on its way to Lisbon",
        "large: waits for approval",
        "large: on its way to Lisbon",
        "lost: paid back: nobody delivers to Atlantis",
    ]


def test_a_script_does_nothing_twice(tmp_path: Path) -> None:
    first = _run("script.py", tmp_path).splitlines()
    assert first == ["2026-001: on its way to Lisbon", "2026-002: on its way to Oslo"]
    assert _run("script.py", tmp_path).splitlines() == [
        "2026-001 is known",
        "2026-002 is known",
        *first,
    ]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a site and return a client of it, once it answers; SIGINT ends it, as Ctrl-C does."""
    running: list[tuple[subprocess.Popen[bytes], httpx.Client]] = []
    log = tmp_path / "site.log"

    def start(*command: str) -> httpx.Client:
        [port] = free_ports(1)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, *(word.format(port=port) for word in command)],
                cwd=tmp_path,
                env=clean_environment({"PYTHONPATH": str(EXAMPLES)}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30)
        running.append((process, client))
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            assert process.poll() is None, tail(log)
            try:
                client.get("/")
            except httpx.TransportError:
                # Nobody listens yet: that is what is being waited for.
                time.sleep(0.05)
            else:
                return client
        raise AssertionError(tail(log))

    yield start
    for process, client in running:
        client.close()
        process.send_signal(signal.SIGINT)
        process.wait(DEADLINE_S)


def _state(client: httpx.Client, path: str, wanted: str) -> dict[str, object]:
    def state() -> dict[str, object]:
        found: dict[str, object] = client.get(path).json()
        return found

    return until(
        state,
        lambda seen: seen["status"] == wanted,
        deadline_s=DEADLINE_S,
        what=f"{path} has to become {wanted}",
    )


@pytest.mark.parametrize(
    ("command", "look"),
    [
        (("-m", "uvicorn", "web:app", "--port", "{port}"), "/orders/{}"),
        (
            (str(EXAMPLES / "django_site.py"), "runserver", "--noreload", "127.0.0.1:{port}"),
            "/orders/{}/state",
        ),
        (("-m", "gunicorn", "-w", "1", "-b", "127.0.0.1:{port}", *SITE), "/orders/{}/state"),
    ],
    ids=["fastapi", "django", "gunicorn"],
)
def test_a_site(serve: Serve, command: tuple[str, ...], look: str) -> None:
    client = serve(*command)
    small = {"customer": "Ada", "amount": 700}
    assert client.post("/orders/a", json=small).status_code == 202
    assert client.post("/orders/a", json=small).status_code == 409
    assert _state(client, look.format("a"), "COMPLETED")["result"] == "on its way to Lisbon"
    large = {"customer": "Percy", "amount": 9_000}
    assert client.post("/orders/b", json=large).status_code == 202
    assert _state(client, look.format("b"), "RUNNING")["now"] == "waits for approval"
    if look.endswith("state"):
        assert client.post("/orders/b/approval", content="true").status_code == 202
    else:
        approved = client.post("/orders/b/approval", params={"approved": True})
        assert approved.status_code == 202
    assert _state(client, look.format("b"), "COMPLETED")["result"] == "on its way to Lisbon"
    assert client.get(look.format("nobody")).status_code == 404


def test_a_site_that_was_forked_after_opening_says_what_to_do(serve: Serve, tmp_path: Path) -> None:
    """The engine is in the parent, where nobody is asked anything."""
    client = serve("-m", "gunicorn", "--preload", "-w", "1", "-b", "127.0.0.1:{port}", *SITE)
    for number in "ab":
        answer = client.post(f"/orders/{number}", json={"customer": "Ada", "amount": 700})
        assert answer.status_code == 500
    log = (tmp_path / "site.log").read_text()
    assert log.count("\nthis process was forked from process ") == 1, "it is told once"
    assert "leave out --preload" in log
    assert "orders.db" in log
