import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import wrappers_pb2 as _wrappers_pb2
from perdure.wire.generated import history_pb2 as _history_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OrchestrationStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORCHESTRATION_STATUS_RUNNING: _ClassVar[OrchestrationStatus]
    ORCHESTRATION_STATUS_COMPLETED: _ClassVar[OrchestrationStatus]
    ORCHESTRATION_STATUS_CONTINUED_AS_NEW: _ClassVar[OrchestrationStatus]
    ORCHESTRATION_STATUS_FAILED: _ClassVar[OrchestrationStatus]
    ORCHESTRATION_STATUS_CANCELED: _ClassVar[OrchestrationStatus]
    ORCHESTRATION_STATUS_TERMINATED: _ClassVar[OrchestrationStatus]
    ORCHESTRATION_STATUS_PENDING: _ClassVar[OrchestrationStatus]
    ORCHESTRATION_STATUS_SUSPENDED: _ClassVar[OrchestrationStatus]
    ORCHESTRATION_STATUS_STALLED: _ClassVar[OrchestrationStatus]
ORCHESTRATION_STATUS_RUNNING: OrchestrationStatus
ORCHESTRATION_STATUS_COMPLETED: OrchestrationStatus
ORCHESTRATION_STATUS_CONTINUED_AS_NEW: OrchestrationStatus
ORCHESTRATION_STATUS_FAILED: OrchestrationStatus
ORCHESTRATION_STATUS_CANCELED: OrchestrationStatus
ORCHESTRATION_STATUS_TERMINATED: OrchestrationStatus
ORCHESTRATION_STATUS_PENDING: OrchestrationStatus
ORCHESTRATION_STATUS_SUSPENDED: OrchestrationStatus
ORCHESTRATION_STATUS_STALLED: OrchestrationStatus

class ReusePolicy(_message.Message):
    __slots__ = ("operation_status", "action")
    class Action(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ERROR: _ClassVar[ReusePolicy.Action]
        IGNORE: _ClassVar[ReusePolicy.Action]
        TERMINATE: _ClassVar[ReusePolicy.Action]
    ERROR: ReusePolicy.Action
    IGNORE: ReusePolicy.Action
    TERMINATE: ReusePolicy.Action
    OPERATION_STATUS_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    operation_status: _containers.RepeatedScalarFieldContainer[OrchestrationStatus]
    action: ReusePolicy.Action
    def __init__(self, operation_status: _Optional[_Iterable[_Union[OrchestrationStatus, str]]] = ..., action: _Optional[_Union[ReusePolicy.Action, str]] = ...) -> None: ...

class CreateInstanceRequest(_message.Message):
    __slots__ = ("instance_id", "name", "version", "input", "scheduled_start_timestamp", "orchestration_id_reuse_policy", "execution_id", "tags", "parent_trace_context", "enforce_unique_instance_id", "router")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    SCHEDULED_START_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    ORCHESTRATION_ID_REUSE_POLICY_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    PARENT_TRACE_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    ENFORCE_UNIQUE_INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    name: str
    version: _wrappers_pb2.StringValue
    input: _wrappers_pb2.StringValue
    scheduled_start_timestamp: _timestamp_pb2.Timestamp
    orchestration_id_reuse_policy: ReusePolicy
    execution_id: _wrappers_pb2.StringValue
    tags: _containers.ScalarMap[str, str]
    parent_trace_context: _history_pb2.Trace
    enforce_unique_instance_id: bool
    router: _history_pb2.Route
    def __init__(self, instance_id: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., input: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., scheduled_start_timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., orchestration_id_reuse_policy: _Optional[_Union[ReusePolicy, _Mapping]] = ..., execution_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., tags: _Optional[_Mapping[str, str]] = ..., parent_trace_context: _Optional[_Union[_history_pb2.Trace, _Mapping]] = ..., enforce_unique_instance_id: _Optional[bool] = ..., router: _Optional[_Union[_history_pb2.Route, _Mapping]] = ...) -> None: ...

class CreateInstanceResponse(_message.Message):
    __slots__ = ("instance_id",)
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    def __init__(self, instance_id: _Optional[str] = ...) -> None: ...

class GetInstanceRequest(_message.Message):
    __slots__ = ("instance_id", "get_inputs_and_outputs", "router")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    GET_INPUTS_AND_OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    get_inputs_and_outputs: bool
    router: _history_pb2.Route
    def __init__(self, instance_id: _Optional[str] = ..., get_inputs_and_outputs: _Optional[bool] = ..., router: _Optional[_Union[_history_pb2.Route, _Mapping]] = ...) -> None: ...

class WorkflowState(_message.Message):
    __slots__ = ("instance_id", "name", "version", "workflow_status", "scheduled_start_timestamp", "created_timestamp", "last_updated_timestamp", "input", "output", "custom_status", "failure_details", "execution_id", "completed_timestamp", "parent_instance_id", "tags", "parent_app_id", "started_at")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_STATUS_FIELD_NUMBER: _ClassVar[int]
    SCHEDULED_START_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CREATED_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATED_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    CUSTOM_STATUS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_DETAILS_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    PARENT_INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    PARENT_APP_ID_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    name: str
    version: _wrappers_pb2.StringValue
    workflow_status: OrchestrationStatus
    scheduled_start_timestamp: _timestamp_pb2.Timestamp
    created_timestamp: _timestamp_pb2.Timestamp
    last_updated_timestamp: _timestamp_pb2.Timestamp
    input: _wrappers_pb2.StringValue
    output: _wrappers_pb2.StringValue
    custom_status: _wrappers_pb2.StringValue
    failure_details: _history_pb2.FailureDetails
    execution_id: _wrappers_pb2.StringValue
    completed_timestamp: _timestamp_pb2.Timestamp
    parent_instance_id: _wrappers_pb2.StringValue
    tags: _containers.ScalarMap[str, str]
    parent_app_id: _wrappers_pb2.StringValue
    started_at: _timestamp_pb2.Timestamp
    def __init__(self, instance_id: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., workflow_status: _Optional[_Union[OrchestrationStatus, str]] = ..., scheduled_start_timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., created_timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_updated_timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., input: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., output: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., custom_status: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., failure_details: _Optional[_Union[_history_pb2.FailureDetails, _Mapping]] = ..., execution_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., completed_timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., parent_instance_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., tags: _Optional[_Mapping[str, str]] = ..., parent_app_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetInstanceResponse(_message.Message):
    __slots__ = ("exists", "workflow_state")
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_STATE_FIELD_NUMBER: _ClassVar[int]
    exists: bool
    workflow_state: WorkflowState
    def __init__(self, exists: _Optional[bool] = ..., workflow_state: _Optional[_Union[WorkflowState, _Mapping]] = ...) -> None: ...

class RaiseEventRequest(_message.Message):
    __slots__ = ("instance_id", "name", "input", "router")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    name: str
    input: _wrappers_pb2.StringValue
    router: _history_pb2.Route
    def __init__(self, instance_id: _Optional[str] = ..., name: _Optional[str] = ..., input: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., router: _Optional[_Union[_history_pb2.Route, _Mapping]] = ...) -> None: ...

class TerminateRequest(_message.Message):
    __slots__ = ("instance_id", "output", "recursive", "router")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    RECURSIVE_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    output: _wrappers_pb2.StringValue
    recursive: bool
    router: _history_pb2.Route
    def __init__(self, instance_id: _Optional[str] = ..., output: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., recursive: _Optional[bool] = ..., router: _Optional[_Union[_history_pb2.Route, _Mapping]] = ...) -> None: ...

class SuspendRequest(_message.Message):
    __slots__ = ("instance_id", "reason", "router")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    reason: _wrappers_pb2.StringValue
    router: _history_pb2.Route
    def __init__(self, instance_id: _Optional[str] = ..., reason: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., router: _Optional[_Union[_history_pb2.Route, _Mapping]] = ...) -> None: ...

class ResumeRequest(_message.Message):
    __slots__ = ("instance_id", "reason", "router")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    reason: _wrappers_pb2.StringValue
    router: _history_pb2.Route
    def __init__(self, instance_id: _Optional[str] = ..., reason: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., router: _Optional[_Union[_history_pb2.Route, _Mapping]] = ...) -> None: ...

class PurgeInstanceFilter(_message.Message):
    __slots__ = ("created_time_from", "created_time_to", "runtime_status", "timeout")
    CREATED_TIME_FROM_FIELD_NUMBER: _ClassVar[int]
    CREATED_TIME_TO_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_STATUS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    created_time_from: _timestamp_pb2.Timestamp
    created_time_to: _timestamp_pb2.Timestamp
    runtime_status: _containers.RepeatedScalarFieldContainer[OrchestrationStatus]
    timeout: _duration_pb2.Duration
    def __init__(self, created_time_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., created_time_to: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., runtime_status: _Optional[_Iterable[_Union[OrchestrationStatus, str]]] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class InstanceBatch(_message.Message):
    __slots__ = ("instance_ids",)
    INSTANCE_IDS_FIELD_NUMBER: _ClassVar[int]
    instance_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, instance_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class PurgeInstancesRequest(_message.Message):
    __slots__ = ("instance_id", "purge_instance_filter", "recursive", "force")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    PURGE_INSTANCE_FILTER_FIELD_NUMBER: _ClassVar[int]
    RECURSIVE_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    purge_instance_filter: PurgeInstanceFilter
    recursive: bool
    force: bool
    def __init__(self, instance_id: _Optional[str] = ..., purge_instance_filter: _Optional[_Union[PurgeInstanceFilter, _Mapping]] = ..., recursive: _Optional[bool] = ..., force: _Optional[bool] = ...) -> None: ...

class PurgeInstancesResponse(_message.Message):
    __slots__ = ("deleted_instance_count", "is_complete")
    DELETED_INSTANCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    IS_COMPLETE_FIELD_NUMBER: _ClassVar[int]
    deleted_instance_count: int
    is_complete: _wrappers_pb2.BoolValue
    def __init__(self, deleted_instance_count: _Optional[int] = ..., is_complete: _Optional[_Union[_wrappers_pb2.BoolValue, _Mapping]] = ...) -> None: ...

class RerunWorkflowFromEventRequest(_message.Message):
    __slots__ = ("source_instance_id", "event_id", "new_instance_id", "input", "overwrite_input", "new_child_workflow_instance_id", "router")
    SOURCE_INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    NEW_INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OVERWRITE_INPUT_FIELD_NUMBER: _ClassVar[int]
    NEW_CHILD_WORKFLOW_INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    source_instance_id: str
    event_id: int
    new_instance_id: str
    input: _wrappers_pb2.StringValue
    overwrite_input: bool
    new_child_workflow_instance_id: str
    router: _history_pb2.Route
    def __init__(self, source_instance_id: _Optional[str] = ..., event_id: _Optional[int] = ..., new_instance_id: _Optional[str] = ..., input: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., overwrite_input: _Optional[bool] = ..., new_child_workflow_instance_id: _Optional[str] = ..., router: _Optional[_Union[_history_pb2.Route, _Mapping]] = ...) -> None: ...

class RerunWorkflowFromEventResponse(_message.Message):
    __slots__ = ("new_instance_id",)
    NEW_INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    new_instance_id: str
    def __init__(self, new_instance_id: _Optional[str] = ...) -> None: ...

class ListInstanceIDsRequest(_message.Message):
    __slots__ = ("continuation_token", "page_size")
    CONTINUATION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    continuation_token: str
    page_size: int
    def __init__(self, continuation_token: _Optional[str] = ..., page_size: _Optional[int] = ...) -> None: ...

class ListInstanceIDsResponse(_message.Message):
    __slots__ = ("instance_ids", "continuation_token")
    INSTANCE_IDS_FIELD_NUMBER: _ClassVar[int]
    CONTINUATION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    instance_ids: _containers.RepeatedScalarFieldContainer[str]
    continuation_token: str
    def __init__(self, instance_ids: _Optional[_Iterable[str]] = ..., continuation_token: _Optional[str] = ...) -> None: ...

class GetInstanceHistoryRequest(_message.Message):
    __slots__ = ("instance_id",)
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    def __init__(self, instance_id: _Optional[str] = ...) -> None: ...

class GetInstanceHistoryResponse(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_history_pb2.HistoryEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[_history_pb2.HistoryEvent, _Mapping]]] = ...) -> None: ...

class StoredEvents(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, events: _Optional[_Iterable[bytes]] = ...) -> None: ...

class StreamInstanceHistoryRequest(_message.Message):
    __slots__ = ("instance_id", "execution_id", "for_work_item_processing")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    FOR_WORK_ITEM_PROCESSING_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    execution_id: _wrappers_pb2.StringValue
    for_work_item_processing: bool
    def __init__(self, instance_id: _Optional[str] = ..., execution_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., for_work_item_processing: _Optional[bool] = ...) -> None: ...

class InstanceFilter(_message.Message):
    __slots__ = ("runtime_status", "created_time_from", "created_time_to", "task_hub_names", "max_instance_count", "continuation_token", "instance_id_prefix", "fetch_inputs_and_outputs")
    RUNTIME_STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATED_TIME_FROM_FIELD_NUMBER: _ClassVar[int]
    CREATED_TIME_TO_FIELD_NUMBER: _ClassVar[int]
    TASK_HUB_NAMES_FIELD_NUMBER: _ClassVar[int]
    MAX_INSTANCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CONTINUATION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_PREFIX_FIELD_NUMBER: _ClassVar[int]
    FETCH_INPUTS_AND_OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    runtime_status: _containers.RepeatedScalarFieldContainer[OrchestrationStatus]
    created_time_from: _timestamp_pb2.Timestamp
    created_time_to: _timestamp_pb2.Timestamp
    task_hub_names: _containers.RepeatedCompositeFieldContainer[_wrappers_pb2.StringValue]
    max_instance_count: int
    continuation_token: _wrappers_pb2.StringValue
    instance_id_prefix: _wrappers_pb2.StringValue
    fetch_inputs_and_outputs: bool
    def __init__(self, runtime_status: _Optional[_Iterable[_Union[OrchestrationStatus, str]]] = ..., created_time_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., created_time_to: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., task_hub_names: _Optional[_Iterable[_Union[_wrappers_pb2.StringValue, _Mapping]]] = ..., max_instance_count: _Optional[int] = ..., continuation_token: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., instance_id_prefix: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., fetch_inputs_and_outputs: _Optional[bool] = ...) -> None: ...

class QueryInstancesRequest(_message.Message):
    __slots__ = ("query",)
    QUERY_FIELD_NUMBER: _ClassVar[int]
    query: InstanceFilter
    def __init__(self, query: _Optional[_Union[InstanceFilter, _Mapping]] = ...) -> None: ...

class QueryInstancesResponse(_message.Message):
    __slots__ = ("orchestration_state", "continuation_token")
    ORCHESTRATION_STATE_FIELD_NUMBER: _ClassVar[int]
    CONTINUATION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    orchestration_state: _containers.RepeatedCompositeFieldContainer[WorkflowState]
    continuation_token: _wrappers_pb2.StringValue
    def __init__(self, orchestration_state: _Optional[_Iterable[_Union[WorkflowState, _Mapping]]] = ..., continuation_token: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class ListFinishedRequest(_message.Message):
    __slots__ = ("runtime_status", "completed_time_from", "completed_time_to", "page_size", "last_instance_key")
    RUNTIME_STATUS_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_TIME_FROM_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_TIME_TO_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    LAST_INSTANCE_KEY_FIELD_NUMBER: _ClassVar[int]
    runtime_status: _containers.RepeatedScalarFieldContainer[OrchestrationStatus]
    completed_time_from: _timestamp_pb2.Timestamp
    completed_time_to: _timestamp_pb2.Timestamp
    page_size: int
    last_instance_key: _wrappers_pb2.StringValue
    def __init__(self, runtime_status: _Optional[_Iterable[_Union[OrchestrationStatus, str]]] = ..., completed_time_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., completed_time_to: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., last_instance_key: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class ListFinishedResponse(_message.Message):
    __slots__ = ("instance_ids", "last_instance_key")
    INSTANCE_IDS_FIELD_NUMBER: _ClassVar[int]
    LAST_INSTANCE_KEY_FIELD_NUMBER: _ClassVar[int]
    instance_ids: _containers.RepeatedScalarFieldContainer[str]
    last_instance_key: _wrappers_pb2.StringValue
    def __init__(self, instance_ids: _Optional[_Iterable[str]] = ..., last_instance_key: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class RestartInstanceRequest(_message.Message):
    __slots__ = ("instance_id", "restart_with_new_instance_id")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    RESTART_WITH_NEW_INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    restart_with_new_instance_id: bool
    def __init__(self, instance_id: _Optional[str] = ..., restart_with_new_instance_id: _Optional[bool] = ...) -> None: ...

class RestartInstanceResponse(_message.Message):
    __slots__ = ("instance_id",)
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    def __init__(self, instance_id: _Optional[str] = ...) -> None: ...
