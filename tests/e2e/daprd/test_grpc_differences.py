"""What perdure and Dapr's own sidecar answer to the same over gRPC, side by side."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.daprd.grpc_conversation import ASKED, SCRIPTS, STATUS_TURNS, Conversation
from tests.e2e.daprd.side_by_side import Both, Either, compare, held_with_both

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


def _converse(side: Either, _folder: Path) -> Mapping[str, Any]:
    return Conversation(side.grpc_port).hold()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both[Any]:
    return held_with_both(tmp_path_factory, _converse)


@pytest.mark.parametrize("name", NAMES)
def test_answer(name: str, both: Both[Any]) -> None:
    compare(name, both, MEANT)


def test_every_difference_that_is_meant_was_looked_at() -> None:
    assert set(MEANT) <= set(NAMES)
