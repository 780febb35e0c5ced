"""What perdure and Dapr's own sidecar answer to the same over gRPC, side by side."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.daprd.grpc_conversation import ASKED, SCRIPTS, STATUS_TURNS, Conversation
from tests.e2e.daprd.sidecar import Sidecar
from tests.e2e.serving import Server

# The first test waits until both conversations have been held.
pytestmark = pytest.mark.timeout(400)

_FORMATTER = "the sidecar leaks its formatter's complaint into the text"
_NAMELESS = "perdure refuses what no worker could ever run, or wait for"
MEANT = {
    "TerminateInstance running": "the sidecar waits for its worker, which here does nothing of it",
    "TerminateWorkflowBeta1 for nobody": _FORMATTER,
    "TerminateWorkflowAlpha1 for nobody": _FORMATTER,
    "PurgeWorkflowBeta1 for nobody": _FORMATTER,
    "PurgeWorkflowAlpha1 for nobody": _FORMATTER,
    "event without a name": _NAMELESS,
    "start without a name": _NAMELESS,
    "start of an active id": "the text has the words of Microsoft's engine, too",
}
NAMES = (
    *(f"status {number}" for number in range(1, STATUS_TURNS + 1)),
    *(f"state of {instance_id}" for instance_id in SCRIPTS),
    *(
        f"history of {instance_id}"
        for instance_id in ("fails", "calls", "calls-in-vain", "calls-for-nothing", "again")
    ),
    *ASKED,
)


def _converse(side: Sidecar | Server) -> dict[str, Any]:
    side.start()
    try:
        return Conversation(side.grpc_port).hold()
    finally:
        side.close()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], ...]:
    folders: list[Path] = [tmp_path_factory.mktemp(name) for name in ("daprd", "perdure")]
    sides = (Sidecar(folders[0]), Server.in_folder(folders[1]))
    with ThreadPoolExecutor(2) as threads:
        return tuple(threads.map(_converse, sides))


@pytest.mark.parametrize("name", NAMES)
def test_answer(name: str, both: tuple[dict[str, Any], ...]) -> None:
    theirs, ours = (told[name] for told in both)
    if name in MEANT:
        assert ours != theirs, f"no longer a difference: {MEANT[name]}"
    else:
        assert ours == theirs


def test_every_difference_that_is_meant_was_looked_at() -> None:
    assert set(MEANT) <= set(NAMES)
