"""What clients ask over gRPC, read tolerantly: two protobuf families share the service's paths.

No stream tells which family a client speaks, so where they differ in a field it is told by the
way the field is encoded (behaviour.md 3.5).
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from perdure.base.errors import CallerFault
from perdure.wire.generated import history_pb2, runtime_pb2
from perdure.wire.generated import management_pb2 as pb
from perdure.wire.generated.work_pb2 import GetWorkItems

AnyMessage = TypeVar("AnyMessage", bound=Message)

_BATCH_FIELD: Final = 4
_ROUTE_FIELD: Final = 5
_LENGTH_DELIMITED: Final = 2
_STATEFUL_HISTORY: Final = 2
_HEALTH_PING: Final = 3
# Of perdure's own worker alone; whoever does not know it passes over it.
_RECALLS: Final = 7001


def parse(message_type: type[AnyMessage], data: bytes) -> AnyMessage:
    """Return `data` as a message. Raises CallerFault if it is none of that type."""
    try:
        return message_type.FromString(data)
    except DecodeError as error:
        name = message_type.DESCRIPTOR.name
        raise CallerFault(f"the request is not a well-formed {name} message") from error


def text_of(message: Message, field: str) -> str | None:
    """Return the text of a StringValue field; an absent one is None, a present one may be ""."""
    wrapper: Any = getattr(message, field)
    return str(wrapper.value) if message.HasField(field) else None


def utf8_of(payload: bytes) -> str:
    """Return a payload that the wire has as bytes. Raises CallerFault if it is not UTF-8."""
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        msg = f"the payload is not UTF-8 text: {error.reason} at byte {error.start}"
        raise CallerFault(msg) from error


def reuse_of(policy: pb.ReusePolicy) -> tuple[frozenset[int], frozenset[int]]:
    """Return the statuses of an existing instance to leave in peace, and those to replace.

    Microsoft's policy has no action, which reads as ERROR. There it means REPLACE, but a caller
    who asked for an error must never lose a running workflow, so nothing is replaced.
    """
    statuses = frozenset(int(status) for status in policy.operation_status)
    match policy.action:
        case pb.ReusePolicy.IGNORE:
            return statuses, frozenset()
        case pb.ReusePolicy.TERMINATE:
            return frozenset(), statuses
        case _:
            return frozenset(), frozenset()


def batch_of(request: pb.PurgeInstancesRequest) -> tuple[str, ...] | None:
    """Return the ids of Microsoft's instanceBatch, or None if the request carries none."""
    fields = UnknownFieldSet(request)
    for unknown in (fields[index] for index in range(len(fields))):
        if unknown.field_number == _BATCH_FIELD and unknown.wire_type == _LENGTH_DELIMITED:
            return tuple(parse(pb.InstanceBatch, unknown.data).instance_ids)
    return None


def route_of(request: pb.PurgeInstancesRequest) -> history_pb2.Route:
    """Return where a purge is routed to. In Microsoft's dialect the field is a flag."""
    fields = UnknownFieldSet(request)
    for unknown in (fields[index] for index in range(len(fields))):
        if unknown.field_number == _ROUTE_FIELD and unknown.wire_type == _LENGTH_DELIMITED:
            return parse(history_pb2.Route, unknown.data)
    return history_pb2.Route()


def speaks_microsoft(request: GetWorkItems) -> bool | None:
    """Tell whether a worker's opening words are Microsoft's rather than Dapr's; None: either's.

    Microsoft's 1.12 and Dapr's 1.17 for Python open with the same bytes, fields 1 and 2.
    """
    if request.capabilities_microsoft or request.HasField("filters") or request.worker_id:
        return True
    if request.capabilities:
        return False
    either = request.turns_max or request.activities_max or request.entities_max
    return None if either else False


def keeps_history(request: GetWorkItems) -> bool:
    """Tell whether a worker of Dapr's dialect keeps the history of its instances."""
    return _STATEFUL_HISTORY in request.capabilities


def takes_pings(request: GetWorkItems) -> bool:
    """Tell whether a worker of Dapr's dialect wants to be pinged."""
    return _HEALTH_PING in request.capabilities


def takes_recalls(request: GetWorkItems) -> bool:
    """Tell whether a worker wants to hear of activities that nobody wants any more."""
    return _RECALLS in request.capabilities


def own_opening(*, stateful: bool) -> bytes:
    """Return the opening words of perdure's own worker, a serialized GetWorkItems.

    It knows pings and recalls, and unless it is `stateful` is sent whole histories.
    """
    capabilities = [_STATEFUL_HISTORY] if stateful else []
    return GetWorkItems(capabilities=[*capabilities, _HEALTH_PING, _RECALLS]).SerializeToString()


def error_details(code: int, text: str, reason: str, metadata: Mapping[str, str]) -> bytes:
    """Return a serialized google.rpc.Status with one ErrorInfo, as clients read status details."""
    status = runtime_pb2.StatusDetails(code=code, message=text)
    info = runtime_pb2.ErrorInfo(reason=reason, domain="dapr.io", metadata=metadata)
    detail = status.details.add()
    detail.type_url = "type.googleapis.com/google.rpc.ErrorInfo"
    detail.value = info.SerializeToString()
    return status.SerializeToString()
