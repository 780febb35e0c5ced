"""Requests of two protobuf families on one path, told apart by how a field is encoded."""

from typing import Any

import pytest

from perdure.base.errors import CallerFault
from perdure.wire import management
from perdure.wire.generated import management_pb2 as pb
from perdure.wire.generated import runtime_pb2
from perdure.wire.generated.work_pb2 import GetWorkItems


def test_what_cannot_be_parsed_is_the_callers_fault() -> None:
    with pytest.raises(CallerFault, match="not a well-formed GetInstanceRequest message"):
        management.parse(pb.GetInstanceRequest, b"\x0a\xff")


def test_text_that_is_not_utf8_is_the_callers_fault() -> None:
    with pytest.raises(CallerFault):
        management.parse(pb.GetInstanceRequest, b"\x0a\x01\xff")


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"", None), (b"\x22\x00", ""), (b"\x22\x03\x0a\x01x", "x")],
)
def test_absent_is_not_empty(data: bytes, text: str | None) -> None:
    request = management.parse(pb.CreateInstanceRequest, data)
    assert management.text_of(request, "input") == text


@pytest.mark.parametrize(
    ("field", "force", "batch"),
    [
        (b"", False, None),
        (b"\x20\x01", True, None),
        (b"\x20\x00", False, None),
        (b"\x22\x00", False, ()),
        (b"\x22\x03\x0a\x01b", False, ("b",)),
        (b"\x22\x06\x0a\x01b\x0a\x01c", False, ("b", "c")),
        # Field 5: a router as Dapr sends it, a flag as Microsoft does.
        (b"\x2a\x03\x0a\x01r\x20\x01", True, None),
        (b"\x28\x01\x22\x03\x0a\x01b", False, ("b",)),
    ],
)
def test_field_four_of_a_purge(field: bytes, force: bool, batch: Any) -> None:
    request = management.parse(pb.PurgeInstancesRequest, b"\x0a\x01a" + field)
    assert request.instance_id == "a"
    assert request.force is force
    assert management.batch_of(request) == batch


def test_field_ten_of_a_start() -> None:
    unique = management.parse(pb.CreateInstanceRequest, b"\x0a\x01a\x50\x01")
    timed = management.parse(pb.CreateInstanceRequest, b"\x0a\x01a\x52\x02\x08\x01")
    assert unique.enforce_unique_instance_id
    assert not timed.enforce_unique_instance_id


@pytest.mark.parametrize(
    ("policy", "ignored", "ended"),
    [
        (pb.ReusePolicy(), set(), set()),
        (pb.ReusePolicy(operation_status=[pb.ORCHESTRATION_STATUS_RUNNING]), set(), set()),
        (
            pb.ReusePolicy(operation_status=["ORCHESTRATION_STATUS_RUNNING"], action="IGNORE"),
            {0},
            set(),
        ),
        (
            pb.ReusePolicy(
                operation_status=["ORCHESTRATION_STATUS_RUNNING", "ORCHESTRATION_STATUS_PENDING"],
                action="TERMINATE",
            ),
            set(),
            {0, 6},
        ),
    ],
)
def test_reuse_policies(policy: pb.ReusePolicy, ignored: set[int], ended: set[int]) -> None:
    assert management.reuse_of(policy) == (frozenset(ignored), frozenset(ended))


@pytest.mark.parametrize(
    ("data", "microsoft", "history", "pings"),
    [
        (b"", False, False, False),
        (b"\x22\x02\x03\x02", False, True, True),  # seen from dapr 1.19
        (b"\x22\x01\x03", False, False, True),
        (
            b"\x08\xc8\x01\x10\xc8\x01",
            None,
            False,
            False,
        ),  # seen from dapr 1.17 and durabletask 1.12
        (b"\x10\x05", None, False, False),
        (b"\x52\x01\x01", True, False, False),
        (b"\x5a\x00", True, False, False),
        (b"\x62\x01w", True, False, False),
    ],
)
def test_dialects(data: bytes, microsoft: bool | None, history: bool, pings: bool) -> None:
    request = management.parse(GetWorkItems, data)
    assert management.speaks_microsoft(request) is microsoft
    assert management.keeps_history(request) is history
    assert management.takes_pings(request) is pings


def test_a_payload_that_is_not_text_is_the_callers_fault() -> None:
    assert management.utf8_of("ü".encode()) == "ü"
    with pytest.raises(CallerFault, match="not UTF-8 text: invalid start byte at byte 1"):
        management.utf8_of(b"a\xff")


def test_error_details_are_a_status_with_an_error_info() -> None:
    data = management.error_details(16, "Unauthorized", "WHY", {"k": "v"})
    status = runtime_pb2.StatusDetails.FromString(data)
    assert (status.code, status.message) == (16, "Unauthorized")
    assert status.details[0].type_url == "type.googleapis.com/google.rpc.ErrorInfo"
    info = runtime_pb2.ErrorInfo.FromString(status.details[0].value)
    assert (info.reason, info.domain, dict(info.metadata)) == ("WHY", "dapr.io", {"k": "v"})
