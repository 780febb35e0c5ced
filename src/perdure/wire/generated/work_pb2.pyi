import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import wrappers_pb2 as _wrappers_pb2
from perdure.wire.generated import history_pb2 as _history_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ScheduleTask(_message.Message):
    __slots__ = ("name", "version", "input", "router", "execution_id", "scope")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: _wrappers_pb2.StringValue
    input: _wrappers_pb2.StringValue
    router: bytes
    execution_id: bytes
    scope: int
    def __init__(self, name: _Optional[str] = ..., version: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., input: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., router: _Optional[bytes] = ..., execution_id: _Optional[bytes] = ..., scope: _Optional[int] = ...) -> None: ...

class CreateChild(_message.Message):
    __slots__ = ("instance_id", "name", "version", "input", "router", "scope", "retry_of")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    RETRY_OF_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    name: str
    version: _wrappers_pb2.StringValue
    input: _wrappers_pb2.StringValue
    router: bytes
    scope: int
    retry_of: _history_pb2.RerunOf
    def __init__(self, instance_id: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., input: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., router: _Optional[bytes] = ..., scope: _Optional[int] = ..., retry_of: _Optional[_Union[_history_pb2.RerunOf, _Mapping]] = ...) -> None: ...

class CreateTimer(_message.Message):
    __slots__ = ("fire_at", "name", "plain", "external_event", "activity_retry", "child_retry")
    FIRE_AT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_EVENT_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_RETRY_FIELD_NUMBER: _ClassVar[int]
    CHILD_RETRY_FIELD_NUMBER: _ClassVar[int]
    fire_at: _timestamp_pb2.Timestamp
    name: str
    plain: bytes
    external_event: _history_pb2.EventOrigin
    activity_retry: bytes
    child_retry: bytes
    def __init__(self, fire_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., name: _Optional[str] = ..., plain: _Optional[bytes] = ..., external_event: _Optional[_Union[_history_pb2.EventOrigin, _Mapping]] = ..., activity_retry: _Optional[bytes] = ..., child_retry: _Optional[bytes] = ...) -> None: ...

class SendEvent(_message.Message):
    __slots__ = ("instance", "name", "data")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    instance: _history_pb2.InstanceRef
    name: str
    data: _wrappers_pb2.StringValue
    def __init__(self, instance: _Optional[_Union[_history_pb2.InstanceRef, _Mapping]] = ..., name: _Optional[str] = ..., data: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class CompleteWorkflow(_message.Message):
    __slots__ = ("status", "result", "details", "new_version", "carryover", "failure")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    NEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    CARRYOVER_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    status: int
    result: _wrappers_pb2.StringValue
    details: _wrappers_pb2.StringValue
    new_version: _wrappers_pb2.StringValue
    carryover: _containers.RepeatedScalarFieldContainer[bytes]
    failure: bytes
    def __init__(self, status: _Optional[int] = ..., result: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., details: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., new_version: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., carryover: _Optional[_Iterable[bytes]] = ..., failure: _Optional[bytes] = ...) -> None: ...

class TerminateWorkflow(_message.Message):
    __slots__ = ("instance_id", "reason", "recurse")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RECURSE_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    reason: _wrappers_pb2.StringValue
    recurse: bool
    def __init__(self, instance_id: _Optional[str] = ..., reason: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., recurse: _Optional[bool] = ...) -> None: ...

class CreateDetached(_message.Message):
    __slots__ = ("instance_id", "name", "version", "input", "scheduled_start", "execution_id", "tags", "trace", "router")
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
    SCHEDULED_START_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    TRACE_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    name: str
    version: _wrappers_pb2.StringValue
    input: _wrappers_pb2.StringValue
    scheduled_start: _timestamp_pb2.Timestamp
    execution_id: _wrappers_pb2.StringValue
    tags: _containers.ScalarMap[str, str]
    trace: _history_pb2.Trace
    router: _history_pb2.Route
    def __init__(self, instance_id: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., input: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., scheduled_start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., execution_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., tags: _Optional[_Mapping[str, str]] = ..., trace: _Optional[_Union[_history_pb2.Trace, _Mapping]] = ..., router: _Optional[_Union[_history_pb2.Route, _Mapping]] = ...) -> None: ...

class Nothing(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Action(_message.Message):
    __slots__ = ("id", "schedule_task", "create_child", "create_timer", "send_event", "complete", "terminate", "version_not_available", "create_detached", "router")
    ID_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_TASK_FIELD_NUMBER: _ClassVar[int]
    CREATE_CHILD_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIMER_FIELD_NUMBER: _ClassVar[int]
    SEND_EVENT_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    TERMINATE_FIELD_NUMBER: _ClassVar[int]
    VERSION_NOT_AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    CREATE_DETACHED_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    id: int
    schedule_task: ScheduleTask
    create_child: CreateChild
    create_timer: CreateTimer
    send_event: SendEvent
    complete: CompleteWorkflow
    terminate: TerminateWorkflow
    version_not_available: Nothing
    create_detached: CreateDetached
    router: bytes
    def __init__(self, id: _Optional[int] = ..., schedule_task: _Optional[_Union[ScheduleTask, _Mapping]] = ..., create_child: _Optional[_Union[CreateChild, _Mapping]] = ..., create_timer: _Optional[_Union[CreateTimer, _Mapping]] = ..., send_event: _Optional[_Union[SendEvent, _Mapping]] = ..., complete: _Optional[_Union[CompleteWorkflow, _Mapping]] = ..., terminate: _Optional[_Union[TerminateWorkflow, _Mapping]] = ..., version_not_available: _Optional[_Union[Nothing, _Mapping]] = ..., create_detached: _Optional[_Union[CreateDetached, _Mapping]] = ..., router: _Optional[bytes] = ...) -> None: ...

class TurnAnswer(_message.Message):
    __slots__ = ("instance_id", "actions", "custom_status", "token", "version", "requires_history", "is_partial")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    CUSTOM_STATUS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REQUIRES_HISTORY_FIELD_NUMBER: _ClassVar[int]
    IS_PARTIAL_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    actions: _containers.RepeatedCompositeFieldContainer[Action]
    custom_status: _wrappers_pb2.StringValue
    token: str
    version: bytes
    requires_history: bool
    is_partial: bool
    def __init__(self, instance_id: _Optional[str] = ..., actions: _Optional[_Iterable[_Union[Action, _Mapping]]] = ..., custom_status: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., token: _Optional[str] = ..., version: _Optional[bytes] = ..., requires_history: _Optional[bool] = ..., is_partial: _Optional[bool] = ...) -> None: ...

class ActivityAnswer(_message.Message):
    __slots__ = ("instance_id", "task_id", "result", "failure", "token")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    task_id: int
    result: _wrappers_pb2.StringValue
    failure: bytes
    token: str
    def __init__(self, instance_id: _Optional[str] = ..., task_id: _Optional[int] = ..., result: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., failure: _Optional[bytes] = ..., token: _Optional[str] = ...) -> None: ...

class CachedHistory(_message.Message):
    __slots__ = ("event_count",)
    EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    event_count: int
    def __init__(self, event_count: _Optional[int] = ...) -> None: ...

class TurnRequest(_message.Message):
    __slots__ = ("instance_id", "execution_id", "past", "new", "requires_history_streaming", "router", "propagated", "cached")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    PAST_FIELD_NUMBER: _ClassVar[int]
    NEW_FIELD_NUMBER: _ClassVar[int]
    REQUIRES_HISTORY_STREAMING_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    PROPAGATED_FIELD_NUMBER: _ClassVar[int]
    CACHED_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    execution_id: _wrappers_pb2.StringValue
    past: _containers.RepeatedScalarFieldContainer[bytes]
    new: _containers.RepeatedScalarFieldContainer[bytes]
    requires_history_streaming: bool
    router: _history_pb2.Route
    propagated: bytes
    cached: CachedHistory
    def __init__(self, instance_id: _Optional[str] = ..., execution_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., past: _Optional[_Iterable[bytes]] = ..., new: _Optional[_Iterable[bytes]] = ..., requires_history_streaming: _Optional[bool] = ..., router: _Optional[_Union[_history_pb2.Route, _Mapping]] = ..., propagated: _Optional[bytes] = ..., cached: _Optional[_Union[CachedHistory, _Mapping]] = ...) -> None: ...

class ActivityRequest(_message.Message):
    __slots__ = ("name", "version", "input", "instance", "task_id", "trace", "execution_id", "propagated")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    TRACE_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    PROPAGATED_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: _wrappers_pb2.StringValue
    input: _wrappers_pb2.StringValue
    instance: _history_pb2.InstanceRef
    task_id: int
    trace: _history_pb2.Trace
    execution_id: str
    propagated: bytes
    def __init__(self, name: _Optional[str] = ..., version: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., input: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., instance: _Optional[_Union[_history_pb2.InstanceRef, _Mapping]] = ..., task_id: _Optional[int] = ..., trace: _Optional[_Union[_history_pb2.Trace, _Mapping]] = ..., execution_id: _Optional[str] = ..., propagated: _Optional[bytes] = ...) -> None: ...

class WorkItem(_message.Message):
    __slots__ = ("turn", "activity", "ping_microsoft", "ping", "recall", "token")
    TURN_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    PING_MICROSOFT_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    RECALL_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    turn: bytes
    activity: bytes
    ping_microsoft: Nothing
    ping: Nothing
    recall: str
    token: str
    def __init__(self, turn: _Optional[bytes] = ..., activity: _Optional[bytes] = ..., ping_microsoft: _Optional[_Union[Nothing, _Mapping]] = ..., ping: _Optional[_Union[Nothing, _Mapping]] = ..., recall: _Optional[str] = ..., token: _Optional[str] = ...) -> None: ...

class PropagatedChunk(_message.Message):
    __slots__ = ("events", "app_id", "instance_id", "workflow_name")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    APP_ID_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_NAME_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedScalarFieldContainer[bytes]
    app_id: str
    instance_id: str
    workflow_name: str
    def __init__(self, events: _Optional[_Iterable[bytes]] = ..., app_id: _Optional[str] = ..., instance_id: _Optional[str] = ..., workflow_name: _Optional[str] = ...) -> None: ...

class PropagatedHistory(_message.Message):
    __slots__ = ("scope", "chunks")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    scope: int
    chunks: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, scope: _Optional[int] = ..., chunks: _Optional[_Iterable[bytes]] = ...) -> None: ...

class GetWorkItems(_message.Message):
    __slots__ = ("turns_max", "activities_max", "entities_max", "capabilities", "capabilities_microsoft", "filters", "worker_id")
    TURNS_MAX_FIELD_NUMBER: _ClassVar[int]
    ACTIVITIES_MAX_FIELD_NUMBER: _ClassVar[int]
    ENTITIES_MAX_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_MICROSOFT_FIELD_NUMBER: _ClassVar[int]
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    turns_max: int
    activities_max: int
    entities_max: int
    capabilities: _containers.RepeatedScalarFieldContainer[int]
    capabilities_microsoft: _containers.RepeatedScalarFieldContainer[int]
    filters: bytes
    worker_id: str
    def __init__(self, turns_max: _Optional[int] = ..., activities_max: _Optional[int] = ..., entities_max: _Optional[int] = ..., capabilities: _Optional[_Iterable[int]] = ..., capabilities_microsoft: _Optional[_Iterable[int]] = ..., filters: _Optional[bytes] = ..., worker_id: _Optional[str] = ...) -> None: ...
