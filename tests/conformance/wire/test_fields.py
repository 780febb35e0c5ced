"""Every field of our own messages has the number and the encoding of the released protocol."""

from typing import Any, Final

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from perdure.wire.generated import history_pb2, management_pb2, runtime_pb2, work_pb2
from tests.conformance.wire import released

# Our message, and what it is in which family.
_TABLE: Final[dict[Any, tuple[str, str]]] = {
    management_pb2.CreateInstanceRequest: ("dapr", "CreateInstanceRequest"),
    management_pb2.CreateInstanceResponse: ("dapr", "CreateInstanceResponse"),
    management_pb2.ReusePolicy: ("older", "OrchestrationIdReusePolicy"),
    management_pb2.GetInstanceRequest: ("dapr", "GetInstanceRequest"),
    management_pb2.GetInstanceResponse: ("dapr", "GetInstanceResponse"),
    management_pb2.WorkflowState: ("dapr", "WorkflowState"),
    management_pb2.RaiseEventRequest: ("dapr", "RaiseEventRequest"),
    management_pb2.TerminateRequest: ("dapr", "TerminateRequest"),
    management_pb2.SuspendRequest: ("dapr", "SuspendRequest"),
    management_pb2.ResumeRequest: ("dapr", "ResumeRequest"),
    management_pb2.PurgeInstanceFilter: ("dapr", "PurgeInstanceFilter"),
    management_pb2.PurgeInstancesRequest: ("dapr", "PurgeInstancesRequest"),
    management_pb2.PurgeInstancesResponse: ("dapr", "PurgeInstancesResponse"),
    management_pb2.InstanceBatch: ("microsoft", "InstanceBatch"),
    management_pb2.RerunWorkflowFromEventRequest: ("dapr", "RerunWorkflowFromEventRequest"),
    management_pb2.RerunWorkflowFromEventResponse: ("dapr", "RerunWorkflowFromEventResponse"),
    management_pb2.ListInstanceIDsRequest: ("dapr", "ListInstanceIDsRequest"),
    management_pb2.ListInstanceIDsResponse: ("dapr", "ListInstanceIDsResponse"),
    management_pb2.GetInstanceHistoryRequest: ("dapr", "GetInstanceHistoryRequest"),
    management_pb2.GetInstanceHistoryResponse: ("dapr", "GetInstanceHistoryResponse"),
    management_pb2.StoredEvents: ("dapr", "GetInstanceHistoryResponse"),
    management_pb2.StreamInstanceHistoryRequest: ("microsoft", "StreamInstanceHistoryRequest"),
    management_pb2.InstanceFilter: ("microsoft", "InstanceQuery"),
    management_pb2.QueryInstancesRequest: ("microsoft", "QueryInstancesRequest"),
    management_pb2.QueryInstancesResponse: ("microsoft", "QueryInstancesResponse"),
    management_pb2.ListFinishedRequest: ("microsoft", "ListInstanceIdsRequest"),
    management_pb2.ListFinishedResponse: ("microsoft", "ListInstanceIdsResponse"),
    management_pb2.RestartInstanceRequest: ("microsoft", "RestartInstanceRequest"),
    management_pb2.RestartInstanceResponse: ("microsoft", "RestartInstanceResponse"),
    runtime_pb2.StartWorkflowRequest: ("runtime", "StartWorkflowRequest"),
    runtime_pb2.StartWorkflowResponse: ("runtime", "StartWorkflowResponse"),
    runtime_pb2.GetWorkflowRequest: ("runtime", "GetWorkflowRequest"),
    runtime_pb2.GetWorkflowResponse: ("runtime", "GetWorkflowResponse"),
    runtime_pb2.RaiseEventWorkflowRequest: ("runtime", "RaiseEventWorkflowRequest"),
    runtime_pb2.InstanceRequest: ("runtime", "TerminateWorkflowRequest"),
    runtime_pb2.GetMetadataResponse: ("runtime", "GetMetadataResponse"),
    runtime_pb2.ActorRuntime: ("runtime", "ActorRuntime"),
    runtime_pb2.ActiveActors: ("runtime", "ActiveActorsCount"),
    runtime_pb2.RegisteredComponent: ("runtime", "RegisteredComponents"),
    runtime_pb2.ConnectedWorkers: ("runtime", "MetadataWorkflows"),
    runtime_pb2.LoadedPolicy: ("runtime", "MetadataWorkflowAccessPolicy"),
    runtime_pb2.SetMetadataRequest: ("runtime", "SetMetadataRequest"),
    runtime_pb2.StatusDetails: ("runtime", "Status"),
    runtime_pb2.ErrorInfo: ("runtime", "ErrorInfo"),
    work_pb2.WorkItem: ("dapr", "WorkItem"),
    work_pb2.TurnRequest: ("dapr", "WorkflowRequest"),
    work_pb2.ActivityRequest: ("dapr", "ActivityRequest"),
    work_pb2.TurnAnswer: ("dapr", "WorkflowResponse"),
    work_pb2.ActivityAnswer: ("dapr", "ActivityResponse"),
    work_pb2.Action: ("dapr", "WorkflowAction"),
    work_pb2.ScheduleTask: ("dapr", "ScheduleTaskAction"),
    work_pb2.CreateChild: ("dapr", "CreateChildWorkflowAction"),
    work_pb2.CreateTimer: ("dapr", "CreateTimerAction"),
    work_pb2.SendEvent: ("dapr", "SendEventAction"),
    work_pb2.CompleteWorkflow: ("dapr", "CompleteWorkflowAction"),
    work_pb2.TerminateWorkflow: ("dapr", "TerminateWorkflowAction"),
    work_pb2.CreateDetached: ("dapr", "CreateDetachedWorkflowAction"),
    work_pb2.PropagatedHistory: ("dapr", "PropagatedHistory"),
    work_pb2.PropagatedChunk: ("dapr", "PropagatedHistoryChunk"),
    history_pb2.HistoryEvent: ("dapr", "HistoryEvent"),
    history_pb2.ExecutionStarted: ("dapr", "ExecutionStartedEvent"),
    history_pb2.ExecutionCompleted: ("dapr", "ExecutionCompletedEvent"),
    history_pb2.ExecutionTerminated: ("dapr", "ExecutionTerminatedEvent"),
    history_pb2.Reasoned: ("dapr", "ExecutionSuspendedEvent"),
    history_pb2.ExecutionStalled: ("dapr", "ExecutionStalledEvent"),
    history_pb2.TaskScheduled: ("dapr", "TaskScheduledEvent"),
    history_pb2.TaskCompleted: ("dapr", "TaskCompletedEvent"),
    history_pb2.TaskFailed: ("dapr", "TaskFailedEvent"),
    history_pb2.TimerCreated: ("dapr", "TimerCreatedEvent"),
    history_pb2.TimerFired: ("dapr", "TimerFiredEvent"),
    history_pb2.ChildCreated: ("dapr", "ChildWorkflowInstanceCreatedEvent"),
    history_pb2.EventRaised: ("dapr", "EventRaisedEvent"),
    history_pb2.EventSent: ("dapr", "EventSentEvent"),
    history_pb2.DetachedCreated: ("dapr", "DetachedWorkflowInstanceCreatedEvent"),
    history_pb2.WorkflowStarted: ("dapr", "WorkflowStartedEvent"),
    history_pb2.Parent: ("dapr", "ParentInstanceInfo"),
    history_pb2.InstanceRef: ("dapr", "WorkflowInstance"),
    history_pb2.FailureDetails: ("dapr", "TaskFailureDetails"),
    history_pb2.Trace: ("dapr", "TraceContext"),
    history_pb2.Route: ("dapr", "TaskRouter"),
    history_pb2.Version: ("dapr", "WorkflowVersion"),
    history_pb2.RerunOf: ("dapr", "RerunParentInstanceInfo"),
}

# Numbers of ours that the newest Dapr protocol no longer has, or never had.
_OLDER: Final = {
    ("CreateInstanceRequest", 6),  # the reuse policy, up to 1.17
    ("PurgeInstanceFilter", 4),  # Microsoft's time limit
    ("ScheduleTask", 4),  # the routers of 1.17 and 1.18
    ("CreateChild", 5),
    ("CreateDetached", 9),
    ("TurnAnswer", 7),  # Microsoft's requiresHistory and isPartial
    ("TurnAnswer", 8),
    ("WorkItem", 4),  # Microsoft's health ping
    ("WorkItem", 7001),  # ours: what is recalled, for workers that ask for it
}


@pytest.mark.parametrize("ours", _TABLE, ids=lambda ours: str(ours.DESCRIPTOR.name))
def test_fields_are_those_of_the_released_message(ours: Any) -> None:
    family, name = _TABLE[ours]
    theirs: Descriptor = getattr(getattr(released, family)(), name).DESCRIPTOR
    for field in ours.DESCRIPTOR.fields:
        other = theirs.fields_by_number.get(field.number)
        if other is None:
            assert (ours.DESCRIPTOR.name, field.number) in _OLDER, field.name
        else:
            assert _shape(field) == _shape(other), field.name


def test_microsofts_opening_words_are_read() -> None:
    """Its numbers are told apart from Dapr's by being there at all."""
    request = released.microsoft().GetWorkItemsRequest(
        maxConcurrentOrchestrationWorkItems=3,
        maxConcurrentActivityWorkItems=4,
        maxConcurrentEntityWorkItems=5,
        capabilities=[1, 2],
        worker_instance_id="w",
    )
    request.workItemFilters.SetInParent()
    ours = work_pb2.GetWorkItems.FromString(request.SerializeToString())
    assert (ours.turns_max, ours.activities_max, ours.entities_max) == (3, 4, 5)
    assert list(ours.capabilities_microsoft) == [1, 2]
    assert ours.worker_id == "w"
    assert ours.HasField("filters")
    assert not ours.capabilities


def _shape(field: FieldDescriptor) -> tuple[str, bool]:
    """How a field looks on the wire. A message and its bytes look the same there."""
    numbers = {FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_UINT32, FieldDescriptor.TYPE_BOOL}
    if field.type in numbers | {FieldDescriptor.TYPE_ENUM}:
        return "varint", field.is_repeated
    return "length-delimited", field.is_repeated
