"""The samples in `examples/`, run as they are and driven over HTTP as their READMEs say."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import venvs
from tests.e2e.programs import Line, Program, clean_environment
from tests.e2e.serving import Server
from tests.e2e.venvs import REPOSITORY

pytestmark = pytest.mark.timeout(400)

Run = Callable[[str], Program]


@pytest.fixture
def run(server: Server, tmp_path: Path) -> Iterator[Run]:
    """Run a sample's worker and wait until it says that it is ready."""
    running: list[Program] = []

    def start(sample: str) -> Program:
        worker = Program(
            [str(venvs.ensure(venvs.DAPR_1_18)), str(REPOSITORY / "examples" / sample / "app.py")],
            log=tmp_path / f"{sample}.log",
            folder=tmp_path,
            environment=server.worker_environment,
        )
        running.append(worker)
        said(worker, "ready")
        return worker

    yield start
    for worker in running:
        worker.kill()


def said(worker: Program, words: str) -> str:
    """Wait until the worker prints a line with these words, and return the line."""

    def spoken(lines: list[Line]) -> list[Line]:
        return [line for line in lines if words in line.get("text", "")]

    found = worker.wait_until(spoken, 30.0)
    assert found, f"the worker did not say {words!r} but {worker.lines}"
    text: str = found[0]["text"]
    return text.rstrip()


def start(server: Server, workflow: str, instance_id: str, value: object) -> None:
    answer = server.request(
        "POST", f"/v1.0/workflows/{workflow}/{instance_id}/start", json.dumps(value)
    )
    assert answer.status == 202
    assert answer.headers["location"].endswith(f"/v1.0/workflows/{workflow}/{instance_id}")


def tell(server: Server, workflow: str, instance_id: str, event: str, value: object) -> None:
    path = f"/v1.0/workflows/{workflow}/{instance_id}/raiseEvent/{event}"
    assert server.request("POST", path, json.dumps(value)).status == 202


def ended(server: Server, workflow: str, instance_id: str) -> dict[str, Any]:
    """Wait, with one request, until the workflow has ended."""
    answer = server.request(
        "GET", f"/v1.0/workflows/{workflow}/{instance_id}", headers={"Prefer": "wait=25"}
    )
    assert answer.status == 200, answer
    state: dict[str, Any] = answer.json()
    return state


ORDER = {"customer": "Ada", "item": "loom", "quantity": 2, "price": 700, "city": "Lisbon"}


def test_an_order_is_approved_and_shipped(server: Server, run: Run) -> None:
    worker = run("order_processing")
    start(server, "order_processing", "order-1", ORDER)
    said(worker, "[order-1] reserved loom (2)")
    assert said(worker, "the warehouse is busy").startswith("[order-1]")
    tell(server, "order_processing", "order-1", "approval", {"approved": True, "by": "Charles"})
    state = ended(server, "order_processing", "order-1")
    assert state["runtimeStatus"] == "COMPLETED"
    assert state["customStatus"] == "done"
    assert state["output"]["payment"] == "payment-order-1"
    assert state["output"]["carrier"] == "by train"
    child = ended(server, "shipping", "order-1-shipping")
    assert child["parentInstanceID"] == "order-1"
    assert child["output"]["tracking"] == state["output"]["tracking"]


def test_an_order_that_is_refused_is_undone(server: Server, run: Run) -> None:
    worker = run("order_processing")
    start(server, "order_processing", "order-2", ORDER)
    tell(server, "order_processing", "order-2", "approval", {"approved": False, "by": "Charles"})
    state = ended(server, "order_processing", "order-2")
    assert state["runtimeStatus"] == "FAILED"
    assert state["failure"]["type"] == "OrderCancelledError"
    assert "Charles did not approve it" in state["failure"]["message"]
    said(worker, "[order-2] released loom (2)")
    assert not [line for line in worker.lines if "took" in line.get("text", "")]


def test_an_order_that_cannot_be_delivered_is_undone_in_reverse_order(
    server: Server, run: Run
) -> None:
    worker = run("order_processing")
    order = {**ORDER, "price": 10, "city": "Atlantis"}
    start(server, "order_processing", "order-3", order)
    state = ended(server, "order_processing", "order-3")
    assert state["runtimeStatus"] == "FAILED"
    assert state["customStatus"] == "undone"
    assert "nobody delivers to Atlantis" in state["failure"]["message"]
    words = [line["text"].split("] ")[-1].rstrip() for line in worker.lines if "text" in line]
    assert words[1:] == [
        "the warehouse is busy and refuses",
        "reserved loom (2)",
        "took 20 from Ada",
        "found nobody who delivers to Atlantis",
        "gave Ada their money back",
        "released loom (2)",
        "wrote to the customer: Order order-3 is cancelled.",
    ]


def challenge(server: Server, worker: Program, instance_id: str, expires_in_s: float) -> str:
    """Ask for a verification and return the code that was sent."""
    request = {"phone": "+420 123 456 789", "expires_in_s": expires_in_s}
    start(server, "phone_verification", instance_id, request)
    return said(worker, f"[{instance_id}] message to +420 123 456 789").rsplit(" ", 1)[-1]


def test_a_phone_is_verified_by_the_right_answer(server: Server, run: Run) -> None:
    code = challenge(server, run("phone_verification"), "call-1", 600)
    for answer in ("not the code", code):
        tell(server, "phone_verification", "call-1", "answer", answer)
    state = ended(server, "phone_verification", "call-1")
    assert state["output"] == {"verified": True, "answers": 2}


def test_a_phone_is_not_verified_by_three_wrong_answers(server: Server, run: Run) -> None:
    code = challenge(server, run("phone_verification"), "call-2", 600)
    for answer in ("wrong", "wrong again", "still wrong"):
        tell(server, "phone_verification", "call-2", "answer", answer)
    state = ended(server, "phone_verification", "call-2")
    assert state["output"] == {"verified": False, "why": "3 wrong answers"}
    # The right answer comes too late, and whoever sends it is told so.
    path = "/v1.0/workflows/phone_verification/call-2/raiseEvent/answer"
    assert server.request("POST", path, json.dumps(code)).status == 409


def test_a_phone_is_not_verified_when_the_code_has_expired(server: Server, run: Run) -> None:
    challenge(server, run("phone_verification"), "call-3", 0.5)
    state = ended(server, "phone_verification", "call-3")
    assert state["output"] == {"verified": False, "why": "the code has expired"}


def test_the_demo_shows_an_order_from_its_start_to_its_end() -> None:
    venvs.ensure(venvs.DAPR_1_18)
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "examples" / "demo.py")],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env=clean_environment({}),
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    for words in (
        "the warehouse is busy",
        "approves it over HTTP, was answered 202",
        '"runtimeStatus": "COMPLETED"',
        "gave Percy their money back",
        '"runtimeStatus": "FAILED"',
        "Both orders went as they should.",
    ):
        assert words in done.stdout
