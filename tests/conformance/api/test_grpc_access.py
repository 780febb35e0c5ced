"""Whose workflow a call is for, and whether its app may do that, over gRPC."""

from typing import Any

import grpc
import pytest

from perdure.core.access import Operation
from tests.conformance.api.grpc_door import APP_ID, Door, open_door, refused
from tests.conformance.wire import released
from tests.kit.policies import allowing

Code = grpc.StatusCode
DENIED = "access denied by workflow access policy"
OTHER = "other"
LOOKS = allowing(OTHER, APP_ID, "fl*", Operation.GET)
AS_OTHER = (("dapr-app-id", OTHER),)

DAPR: list[tuple[str, dict[str, str], str]] = [
    ("Start", {"workflow_name": "flow", "app_id": APP_ID}, "error starting workflow 'flow': "),
    ("RaiseEvent", {"event_name": "e"}, "error raising event on workflow 'i': "),
    ("Pause", {}, "error pausing workflow i: "),
    ("Resume", {}, "error resuming workflow i: "),
    ("Terminate", {}, "error terminating workflow 'i': "),
    ("Purge", {}, "error purging workflow i: "),
]
HUB: list[tuple[str, str, dict[str, Any]]] = [
    ("RaiseEvent", "RaiseEventRequest", {"instanceId": "i", "name": "e"}),
    ("TerminateInstance", "TerminateRequest", {"instanceId": "i"}),
    ("SuspendInstance", "SuspendRequest", {"instanceId": "i"}),
    ("ResumeInstance", "ResumeRequest", {"instanceId": "i"}),
    ("PurgeInstances", "PurgeInstancesRequest", {"instanceId": "i", "force": True}),
    ("RerunWorkflowFromEvent", "RerunWorkflowFromEventRequest", {"sourceInstanceID": "i"}),
]
READS: list[tuple[str, str]] = [
    ("GetInstance", "GetInstanceRequest"),
    ("WaitForInstanceStart", "GetInstanceRequest"),
    ("WaitForInstanceCompletion", "GetInstanceRequest"),
    ("GetInstanceHistory", "GetInstanceHistoryRequest"),
]


async def _ask(door: Door, verb: str, fields: dict[str, str]) -> None:
    request = getattr(released.runtime(), f"{verb}WorkflowRequest")
    await door.dapr(f"{verb}WorkflowBeta1", request(instance_id="i", **fields), None, AS_OTHER)


@pytest.mark.parametrize(("verb", "fields", "text"), DAPR)
async def test_daprs_methods_are_internal_and_name_the_call(
    verb: str, fields: dict[str, str], text: str
) -> None:
    async with open_door(access=LOOKS) as door:
        await door.start("i")
        async with refused(Code.INTERNAL, text, DENIED):
            await _ask(door, verb, fields)
        assert (await door.state("i")).workflowState.workflowStatus == 6, "it is PENDING as before"


@pytest.mark.parametrize(("method", "message", "fields"), HUB)
async def test_taskhubs_methods_are_denied(
    method: str, message: str, fields: dict[str, Any]
) -> None:
    async with open_door(access=LOOKS) as door:
        await door.start("i")
        request = getattr(released.dapr(), message)(**fields)
        async with refused(Code.PERMISSION_DENIED, DENIED):
            await door.hub(method, request, None, AS_OTHER)


@pytest.mark.parametrize(("method", "message"), READS)
async def test_reading_is_denied(method: str, message: str) -> None:
    async with open_door(access=LOOKS) as door:
        await door.start("i")
        request = getattr(released.dapr(), message)(instanceId="i")
        async with refused(Code.PERMISSION_DENIED, DENIED):
            await door.hub(method, request, None, (("dapr-app-id", "third"),))


async def test_what_is_allowed_is_done() -> None:
    family = released.dapr()
    async with open_door(access=LOOKS) as door:
        await door.start("i")
        request = family.GetInstanceRequest(instanceId="i")
        reply = await door.hub("GetInstance", request, family.GetInstanceResponse, AS_OTHER)
        assert reply.exists
        await _ask(door, "Get", {})


async def test_listings_leave_out_what_may_not_be_seen() -> None:
    family = released.dapr()
    async with open_door(access=LOOKS) as door:
        await door.start("seen")
        await door.start("unseen", "secret")
        request, reply = family.ListInstanceIDsRequest(), family.ListInstanceIDsResponse
        page = await door.hub("ListInstanceIDs", request, reply, AS_OTHER)
        assert list(page.instanceIds) == ["seen"]
        page = await door.hub("ListInstanceIDs", request, reply)
        assert list(page.instanceIds) == ["seen", "unseen"]


async def test_a_purge_by_filter_takes_what_the_caller_may_purge() -> None:
    family = released.dapr()
    async with open_door(
        access=allowing(OTHER, APP_ID, "fl*", Operation.GET, Operation.PURGE)
    ) as door:
        await door.start("one")
        await door.start("two", "secret")
        request = family.PurgeInstancesRequest(force=True)
        request.purgeInstanceFilter.SetInParent()
        reply = await door.hub("PurgeInstances", request, family.PurgeInstancesResponse, AS_OTHER)
        assert reply.deletedInstanceCount == 1
        assert (await door.state("two")).exists


async def test_metadata_tells_of_policies() -> None:
    async with open_door(access=LOOKS) as door:
        reply = await door.dapr("GetMetadata", b"", released.runtime().GetMetadataResponse)
        assert [policy.name for policy in reply.workflow_access_policies] == ["gate"]


async def test_a_start_is_routed_to_the_app_that_it_names() -> None:
    family = released.dapr()
    async with open_door() as door:
        request = family.CreateInstanceRequest(instanceId="i", name="flow")
        request.router.targetAppID = OTHER
        await door.hub("StartInstance", request)
        view = await door.component.get("i")
        assert view is not None
        assert view.app_id == OTHER
        for app_id, exists in ((OTHER, True), (APP_ID, False)):
            get = family.GetInstanceRequest(instanceId="i")
            get.router.targetAppID = app_id
            reply = await door.hub("GetInstance", get, family.GetInstanceResponse)
            assert reply.exists is exists
        purge = family.PurgeInstancesRequest(instanceId="i", force=True)
        purge.router.targetAppID = APP_ID
        async with refused(Code.UNKNOWN, "no such instance exists"):
            await door.hub("PurgeInstances", purge)
        purge.router.targetAppID = OTHER
        await door.hub("PurgeInstances", purge)


@pytest.mark.parametrize("app_id", ["a.b", "a b", "a||b"])
async def test_an_app_id_that_cannot_be(app_id: str) -> None:
    family = released.dapr()
    async with open_door() as door:
        async with refused(Code.INVALID_ARGUMENT, f"workflow app ID '{app_id}' is invalid"):
            await _ask(door, "Get", {"app_id": app_id})
        request = family.SuspendRequest(instanceId="i")
        request.router.targetAppID = app_id
        async with refused(Code.INVALID_ARGUMENT, f"workflow app ID '{app_id}' is invalid"):
            await door.hub("SuspendInstance", request)
