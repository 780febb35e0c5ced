"""The methods of TaskHubSidecarService, whose path has no package in front."""

from collections.abc import Sequence
from typing import Final

from google.protobuf.empty_pb2 import Empty

from perdure.api.grpc.calls import Call
from perdure.api.grpc.methods import Makers, Method
from perdure.api.grpc.taskhub.changing import Changing
from perdure.api.grpc.taskhub.purging import Purging
from perdure.api.grpc.taskhub.reading import Reading
from perdure.api.grpc.taskhub.starting import Starting
from perdure.api.grpc.taskhub.work import Work
from perdure.wire.generated import management_pb2 as pb
from perdure.wire.generated import work_pb2

TASKHUB_SERVICE: Final = "TaskHubSidecarService"


def taskhub_methods(
    makers: Makers,
    *,
    starting: Starting,
    reading: Reading,
    changing: Changing,
    purging: Purging,
    work: Work,
) -> Sequence[Method]:
    """Return every method of the service; what is not among them is UNIMPLEMENTED."""
    return (
        makers.unary("Hello", Empty, Empty, _hello),
        *_instances(makers, starting, reading),
        *_changes(makers, changing, purging),
        *_work(makers, work),
        *_microsofts(makers, starting, reading),
    )


async def _hello(_request: Empty, _call: Call) -> Empty:
    return Empty()


def _instances(makers: Makers, starting: Starting, reading: Reading) -> Sequence[Method]:
    one, state = pb.GetInstanceRequest, pb.GetInstanceResponse
    ids, ids_reply = pb.ListInstanceIDsRequest, pb.ListInstanceIDsResponse
    events, events_reply = pb.GetInstanceHistoryRequest, pb.GetInstanceHistoryResponse
    rerun, rerun_reply = pb.RerunWorkflowFromEventRequest, pb.RerunWorkflowFromEventResponse
    start, start_reply = pb.CreateInstanceRequest, pb.CreateInstanceResponse
    return (
        makers.unary("StartInstance", start, start_reply, starting.start),
        makers.unary("RerunWorkflowFromEvent", rerun, rerun_reply, starting.rerun),
        makers.unary("GetInstance", one, state, reading.get),
        makers.unary("WaitForInstanceStart", one, state, reading.wait_for_start),
        makers.unary("WaitForInstanceCompletion", one, state, reading.wait_for_completion),
        makers.unary("ListInstanceIDs", ids, ids_reply, reading.list_ids),
        makers.unary_of("GetInstanceHistory", events, events_reply, reading.history),
    )


def _changes(makers: Makers, changing: Changing, purging: Purging) -> Sequence[Method]:
    nothing = work_pb2.Nothing
    purge, purge_reply = pb.PurgeInstancesRequest, pb.PurgeInstancesResponse
    return (
        makers.unary("RaiseEvent", pb.RaiseEventRequest, nothing, changing.raise_event),
        makers.unary("TerminateInstance", pb.TerminateRequest, nothing, changing.terminate),
        makers.unary("SuspendInstance", pb.SuspendRequest, nothing, changing.suspend),
        makers.unary("ResumeInstance", pb.ResumeRequest, nothing, changing.resume),
        makers.unary("PurgeInstances", purge, purge_reply, purging.purge),
    )


def _work(makers: Makers, work: Work) -> Sequence[Method]:
    nothing, turn = work_pb2.Nothing, work_pb2.TurnAnswer
    opening, item = work_pb2.GetWorkItems, work_pb2.WorkItem
    activity = work_pb2.ActivityAnswer
    return (
        makers.stream("GetWorkItems", opening, item, work.get_work_items),
        makers.passed_on("CompleteActivityTask", activity, nothing, work.complete_activity),
        # The same under both its names: SDKs call the one or the other.
        makers.passed_on("CompleteOrchestratorTask", turn, nothing, work.complete_turn),
        makers.passed_on("CompleteWorkflowTask", turn, nothing, work.complete_turn),
    )


def _microsofts(makers: Makers, starting: Starting, reading: Reading) -> Sequence[Method]:
    query, query_reply = pb.QueryInstancesRequest, pb.QueryInstancesResponse
    finished, finished_reply = pb.ListFinishedRequest, pb.ListFinishedResponse
    restart, restart_reply = pb.RestartInstanceRequest, pb.RestartInstanceResponse
    events, chunk = pb.StreamInstanceHistoryRequest, pb.GetInstanceHistoryResponse
    return (
        makers.unary("QueryInstances", query, query_reply, reading.query),
        makers.unary("ListInstanceIds", finished, finished_reply, reading.list_finished),
        makers.unary("RestartInstance", restart, restart_reply, starting.restart),
        makers.stream("StreamInstanceHistory", events, chunk, reading.stream_history),
    )
