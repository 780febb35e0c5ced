"""What perdure and Dapr's own sidecar answer to the same, side by side.

All that they answer is the same to the last character, but for what is told here, with its reason:
`docs/from-dapr.md` tells the same to users.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e import venvs
from tests.e2e.daprd import conversation
from tests.e2e.daprd.conversation import BESIDES, CALLS, SEEN_AFTERWARDS, STATES, Told
from tests.e2e.daprd.side_by_side import Both, Either, compare, held_with_both
from tests.e2e.programs import Program
from tests.e2e.venvs import REPOSITORY

# The first test waits until both conversations have been held.
pytestmark = pytest.mark.timeout(400)

_FORMATTER = "the sidecar leaks its formatter's complaint into the text"
_DOCUMENT = "the document form has this route"
_METHOD = "a route that knows the path but not the method says 405"
MEANT = {
    "terminate, missing": _FORMATTER,
    "purge, missing": _FORMATTER,
    "start what has a bad escape": "the sidecar's HTTP server answers before its routes do",
    "start at no component": _METHOD,
    "start by GET": _METHOD,
    "health by POST": _METHOD,
    "start with what is no text": "it reaches the workflow as base64",
    "get nothing": "says what is missing",
    "get by HEAD": "HEAD is answered wherever GET is",
    "raise what has no name": _DOCUMENT,
    "suspend": _DOCUMENT,
    "delete": _DOCUMENT,
    "get metadata": "other components, no actors, and a version of its own",
    "another building block": "there is none",
}
NAMES = (
    *(f"{call}, {state}" for state in STATES for call in CALLS),
    *(f"{call}, {state}, then get" for call, state in sorted(SEEN_AFTERWARDS)),
    *BESIDES,
)


def _converse(side: Either, folder: Path) -> Mapping[str, Told]:
    worker = Program(
        [str(venvs.ensure(venvs.DAPR_1_18)), "-m", "tests.e2e.workers.dapr_python.main"],
        log=folder / "worker.log",
        folder=REPOSITORY,
        environment=side.worker_environment,
    )
    try:
        worker.wait_for(finished=0)
        return conversation.hold(side)
    finally:
        worker.kill()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both[Told]:
    return held_with_both(tmp_path_factory, _converse)


@pytest.mark.parametrize("name", NAMES)
def test_answer(name: str, both: Both[Told]) -> None:
    compare(name, both, MEANT)


def test_every_difference_that_is_meant_was_looked_at() -> None:
    assert set(MEANT) <= set(NAMES)
