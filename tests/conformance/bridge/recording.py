"""Histories of bridged workflows, kept as they were made by the versions that made them.

`python -m tests.conformance.bridge.recording NAME` makes a new recording with the released SDK:
after a change of the bridge that begins new runs in another way, never in place of an old one.
"""

import asyncio
import gzip
import json
import sys
import tempfile
from pathlib import Path

from temporalio.client import Client, WorkflowHistory

from tests.e2e import venvs
from tests.e2e.bridge.bridging import BridgeProcess
from tests.e2e.conftest import try_cases
from tests.kit.cluster import Cluster

RECORDINGS = Path(__file__).with_name("recordings")
# One of each kind of step, and nothing that carries a stack trace.
CASES = (
    "activities_in_a_chain_run_one_after_the_other",
    "ten_activities_run_side_by_side",
    "a_timer_fires_when_it_is_due",
    "an_event_can_win_against_a_timer",
    "an_event_before_its_wait_is_kept",
    "a_child_returns_its_result",
    "a_child_id_in_use_fails_the_call_and_not_the_parent",
    "a_terminated_child_is_a_failed_child",
    "carried_events_are_read_in_later_rounds",
    "a_result_of_an_earlier_round_resolves_nothing",
    "a_parent_waits_for_the_last_round_of_its_child",
    "a_suspended_workflow_takes_its_events_when_resumed",
    "terminating_a_parent_terminates_its_children",
    "a_scheduled_workflow_begins_at_its_time",
    "an_activity_sees_the_history_it_is_shown",
    "a_custom_status_is_seen_and_replaced",
)


def read(file: Path) -> list[WorkflowHistory]:
    """Return the histories of a recording."""
    kept = json.loads(gzip.decompress(file.read_bytes()))
    return [WorkflowHistory.from_json(each["id"], each["history"]) for each in kept]


def record(name: str) -> Path:
    """Run the cases, and keep what the cluster has of them."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        cluster = Cluster(folder, keeps=False)
        cluster.start()
        try:
            bridge = BridgeProcess.before(cluster, folder)
            told, _metrics, _code = try_cases(venvs.DAPR_1_18, CASES, bridge, folder)
            assert all(told[case]["ok"] for case in CASES), told
            kept = asyncio.run(_histories(cluster.hostport))
        finally:
            cluster.stop()
    file = RECORDINGS / f"{name}.json.gz"
    file.write_bytes(gzip.compress(json.dumps(kept).encode(), mtime=0))
    return file


async def _histories(hostport: str) -> list[dict[str, object]]:
    client = await Client.connect(hostport)
    found = client.list_workflows().map_histories()
    return [{"id": each.workflow_id, "history": each.to_json_dict()} async for each in found]


if __name__ == "__main__":
    sys.stdout.write(f"{record(sys.argv[1])}\n")
