"""What could not be stored, over gRPC: a status for each call that names it."""

from typing import Any, Final

import grpc
import pytest

from tests.conformance.api.grpc_door import open_door, refused
from tests.conformance.wire import released
from tests.kit.shaky_store import ShakyStore

Code = grpc.StatusCode
DISK: Final = "the disk"

CALLS: Final = [
    ("Start", {"workflow_name": "flow"}, "error starting workflow 'flow': "),
    ("Get", {}, "error while getting workflow info on instance 'i': "),
    ("RaiseEvent", {"event_name": "e"}, "error raising event on workflow 'i': "),
    ("Pause", {}, "error pausing workflow i: "),
    ("Resume", {}, "error resuming workflow i: "),
    ("Terminate", {}, "error terminating workflow 'i': "),
    ("Purge", {}, "error purging workflow i: "),
]


@pytest.mark.parametrize(("verb", "fields", "text"), CALLS)
@pytest.mark.parametrize(
    ("away", "code", "inner"),
    [(False, Code.INTERNAL, DISK), (True, Code.UNAVAILABLE, "away")],
)
async def test_a_fault_names_the_call(
    verb: str, fields: dict[str, str], text: str, away: bool, code: Code, inner: str
) -> None:
    store = ShakyStore()
    async with open_door(store) as door:
        request_name = {"Start": "StartWorkflow", "Get": "GetWorkflow"}.get(verb, f"{verb}Workflow")
        request: Any = getattr(released.runtime(), f"{request_name}Request")
        store.fail_reads(1, away=away)
        store.fail_commits(1, away=away)
        async with refused(code, text, inner):
            await door.dapr(f"{verb}WorkflowBeta1", request(instance_id="i", **fields))


async def test_taskhubs_calls_end_the_same() -> None:
    store, family = ShakyStore(), released.dapr()
    async with open_door(store) as door:
        for away, code in ((False, Code.INTERNAL), (True, Code.UNAVAILABLE)):
            store.fail_commits(1, away=away)
            async with refused(code):
                await door.start("i")
        await door.start("i")
        store.fail_commits(1)
        async with refused(Code.INTERNAL, DISK):
            await door.hub("RaiseEvent", family.RaiseEventRequest(instanceId="i", name="e"))
        store.fail_reads(1)
        async with refused(Code.INTERNAL, DISK):
            await door.state("another")
