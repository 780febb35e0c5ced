import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import wrappers_pb2 as _wrappers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Trace(_message.Message):
    __slots__ = ("traceparent", "span_id", "tracestate")
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    TRACESTATE_FIELD_NUMBER: _ClassVar[int]
    traceparent: str
    span_id: str
    tracestate: _wrappers_pb2.StringValue
    def __init__(self, traceparent: _Optional[str] = ..., span_id: _Optional[str] = ..., tracestate: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class Route(_message.Message):
    __slots__ = ("source_app", "target_app", "target_namespace")
    SOURCE_APP_FIELD_NUMBER: _ClassVar[int]
    TARGET_APP_FIELD_NUMBER: _ClassVar[int]
    TARGET_NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    source_app: str
    target_app: str
    target_namespace: str
    def __init__(self, source_app: _Optional[str] = ..., target_app: _Optional[str] = ..., target_namespace: _Optional[str] = ...) -> None: ...

class FailureDetails(_message.Message):
    __slots__ = ("error_type", "message", "stack_trace", "inner", "non_retriable")
    ERROR_TYPE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    STACK_TRACE_FIELD_NUMBER: _ClassVar[int]
    INNER_FIELD_NUMBER: _ClassVar[int]
    NON_RETRIABLE_FIELD_NUMBER: _ClassVar[int]
    error_type: str
    message: str
    stack_trace: _wrappers_pb2.StringValue
    inner: FailureDetails
    non_retriable: bool
    def __init__(self, error_type: _Optional[str] = ..., message: _Optional[str] = ..., stack_trace: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., inner: _Optional[_Union[FailureDetails, _Mapping]] = ..., non_retriable: _Optional[bool] = ...) -> None: ...

class InstanceRef(_message.Message):
    __slots__ = ("instance_id", "execution_id")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    execution_id: _wrappers_pb2.StringValue
    def __init__(self, instance_id: _Optional[str] = ..., execution_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class Parent(_message.Message):
    __slots__ = ("task_id", "name", "version", "instance", "app_id", "app_namespace")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    APP_ID_FIELD_NUMBER: _ClassVar[int]
    APP_NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    task_id: int
    name: _wrappers_pb2.StringValue
    version: _wrappers_pb2.StringValue
    instance: InstanceRef
    app_id: str
    app_namespace: str
    def __init__(self, task_id: _Optional[int] = ..., name: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., version: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., instance: _Optional[_Union[InstanceRef, _Mapping]] = ..., app_id: _Optional[str] = ..., app_namespace: _Optional[str] = ...) -> None: ...

class RerunOf(_message.Message):
    __slots__ = ("instance_id",)
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    def __init__(self, instance_id: _Optional[str] = ...) -> None: ...

class Version(_message.Message):
    __slots__ = ("patches", "name")
    PATCHES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    patches: _containers.RepeatedScalarFieldContainer[str]
    name: str
    def __init__(self, patches: _Optional[_Iterable[str]] = ..., name: _Optional[str] = ...) -> None: ...

class ExecutionStarted(_message.Message):
    __slots__ = ("name", "version", "input", "instance", "parent", "scheduled_start", "trace", "span_id", "tags")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    SCHEDULED_START_FIELD_NUMBER: _ClassVar[int]
    TRACE_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: _wrappers_pb2.StringValue
    input: _wrappers_pb2.StringValue
    instance: InstanceRef
    parent: Parent
    scheduled_start: _timestamp_pb2.Timestamp
    trace: Trace
    span_id: _wrappers_pb2.StringValue
    tags: _containers.ScalarMap[str, str]
    def __init__(self, name: _Optional[str] = ..., version: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., input: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., instance: _Optional[_Union[InstanceRef, _Mapping]] = ..., parent: _Optional[_Union[Parent, _Mapping]] = ..., scheduled_start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., trace: _Optional[_Union[Trace, _Mapping]] = ..., span_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., tags: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ExecutionCompleted(_message.Message):
    __slots__ = ("status", "result", "failure")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    status: int
    result: _wrappers_pb2.StringValue
    failure: bytes
    def __init__(self, status: _Optional[int] = ..., result: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., failure: _Optional[bytes] = ...) -> None: ...

class ExecutionTerminated(_message.Message):
    __slots__ = ("input", "recurse")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    RECURSE_FIELD_NUMBER: _ClassVar[int]
    input: _wrappers_pb2.StringValue
    recurse: bool
    def __init__(self, input: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., recurse: _Optional[bool] = ...) -> None: ...

class Reasoned(_message.Message):
    __slots__ = ("input",)
    INPUT_FIELD_NUMBER: _ClassVar[int]
    input: _wrappers_pb2.StringValue
    def __init__(self, input: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class ExecutionStalled(_message.Message):
    __slots__ = ("reason", "description")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    reason: int
    description: str
    def __init__(self, reason: _Optional[int] = ..., description: _Optional[str] = ...) -> None: ...

class TaskScheduled(_message.Message):
    __slots__ = ("name", "version", "input", "trace", "execution_id", "rerun_of", "scope")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    TRACE_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    RERUN_OF_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: _wrappers_pb2.StringValue
    input: _wrappers_pb2.StringValue
    trace: Trace
    execution_id: str
    rerun_of: RerunOf
    scope: int
    def __init__(self, name: _Optional[str] = ..., version: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., input: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., trace: _Optional[_Union[Trace, _Mapping]] = ..., execution_id: _Optional[str] = ..., rerun_of: _Optional[_Union[RerunOf, _Mapping]] = ..., scope: _Optional[int] = ...) -> None: ...

class TaskCompleted(_message.Message):
    __slots__ = ("task_id", "result", "execution_id")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: int
    result: _wrappers_pb2.StringValue
    execution_id: str
    def __init__(self, task_id: _Optional[int] = ..., result: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., execution_id: _Optional[str] = ...) -> None: ...

class TaskFailed(_message.Message):
    __slots__ = ("task_id", "failure", "execution_id")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: int
    failure: bytes
    execution_id: str
    def __init__(self, task_id: _Optional[int] = ..., failure: _Optional[bytes] = ..., execution_id: _Optional[str] = ...) -> None: ...

class EventOrigin(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class TimerCreated(_message.Message):
    __slots__ = ("fire_at", "name", "rerun_of", "plain", "external_event", "activity_retry", "child_retry")
    FIRE_AT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    RERUN_OF_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_EVENT_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_RETRY_FIELD_NUMBER: _ClassVar[int]
    CHILD_RETRY_FIELD_NUMBER: _ClassVar[int]
    fire_at: _timestamp_pb2.Timestamp
    name: str
    rerun_of: RerunOf
    plain: bytes
    external_event: EventOrigin
    activity_retry: bytes
    child_retry: bytes
    def __init__(self, fire_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., name: _Optional[str] = ..., rerun_of: _Optional[_Union[RerunOf, _Mapping]] = ..., plain: _Optional[bytes] = ..., external_event: _Optional[_Union[EventOrigin, _Mapping]] = ..., activity_retry: _Optional[bytes] = ..., child_retry: _Optional[bytes] = ...) -> None: ...

class TimerFired(_message.Message):
    __slots__ = ("fire_at", "timer_id")
    FIRE_AT_FIELD_NUMBER: _ClassVar[int]
    TIMER_ID_FIELD_NUMBER: _ClassVar[int]
    fire_at: _timestamp_pb2.Timestamp
    timer_id: int
    def __init__(self, fire_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., timer_id: _Optional[int] = ...) -> None: ...

class ChildCreated(_message.Message):
    __slots__ = ("instance_id", "name", "version", "input", "trace", "rerun_of", "scope", "retry_of")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    TRACE_FIELD_NUMBER: _ClassVar[int]
    RERUN_OF_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    RETRY_OF_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    name: str
    version: _wrappers_pb2.StringValue
    input: _wrappers_pb2.StringValue
    trace: Trace
    rerun_of: RerunOf
    scope: int
    retry_of: RerunOf
    def __init__(self, instance_id: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., input: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., trace: _Optional[_Union[Trace, _Mapping]] = ..., rerun_of: _Optional[_Union[RerunOf, _Mapping]] = ..., scope: _Optional[int] = ..., retry_of: _Optional[_Union[RerunOf, _Mapping]] = ...) -> None: ...

class WorkflowStarted(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: Version
    def __init__(self, version: _Optional[_Union[Version, _Mapping]] = ...) -> None: ...

class EventRaised(_message.Message):
    __slots__ = ("name", "input")
    NAME_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    name: str
    input: _wrappers_pb2.StringValue
    def __init__(self, name: _Optional[str] = ..., input: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class EventSent(_message.Message):
    __slots__ = ("instance_id", "name", "input")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    name: str
    input: _wrappers_pb2.StringValue
    def __init__(self, instance_id: _Optional[str] = ..., name: _Optional[str] = ..., input: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class DetachedCreated(_message.Message):
    __slots__ = ("instance_id",)
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    def __init__(self, instance_id: _Optional[str] = ...) -> None: ...

class HistoryEvent(_message.Message):
    __slots__ = ("event_id", "at", "execution_started", "execution_completed", "execution_terminated", "task_scheduled", "task_completed", "task_failed", "child_created", "child_completed", "child_failed", "timer_created", "timer_fired", "workflow_started", "event_sent", "event_raised", "execution_suspended", "execution_resumed", "execution_stalled", "detached_created", "router")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_STARTED_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_TERMINATED_FIELD_NUMBER: _ClassVar[int]
    TASK_SCHEDULED_FIELD_NUMBER: _ClassVar[int]
    TASK_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    TASK_FAILED_FIELD_NUMBER: _ClassVar[int]
    CHILD_CREATED_FIELD_NUMBER: _ClassVar[int]
    CHILD_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    CHILD_FAILED_FIELD_NUMBER: _ClassVar[int]
    TIMER_CREATED_FIELD_NUMBER: _ClassVar[int]
    TIMER_FIRED_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_STARTED_FIELD_NUMBER: _ClassVar[int]
    EVENT_SENT_FIELD_NUMBER: _ClassVar[int]
    EVENT_RAISED_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_SUSPENDED_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_RESUMED_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_STALLED_FIELD_NUMBER: _ClassVar[int]
    DETACHED_CREATED_FIELD_NUMBER: _ClassVar[int]
    ROUTER_FIELD_NUMBER: _ClassVar[int]
    event_id: int
    at: _timestamp_pb2.Timestamp
    execution_started: ExecutionStarted
    execution_completed: ExecutionCompleted
    execution_terminated: ExecutionTerminated
    task_scheduled: TaskScheduled
    task_completed: TaskCompleted
    task_failed: TaskFailed
    child_created: ChildCreated
    child_completed: TaskCompleted
    child_failed: TaskFailed
    timer_created: TimerCreated
    timer_fired: TimerFired
    workflow_started: WorkflowStarted
    event_sent: EventSent
    event_raised: EventRaised
    execution_suspended: Reasoned
    execution_resumed: Reasoned
    execution_stalled: ExecutionStalled
    detached_created: DetachedCreated
    router: Route
    def __init__(self, event_id: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., execution_started: _Optional[_Union[ExecutionStarted, _Mapping]] = ..., execution_completed: _Optional[_Union[ExecutionCompleted, _Mapping]] = ..., execution_terminated: _Optional[_Union[ExecutionTerminated, _Mapping]] = ..., task_scheduled: _Optional[_Union[TaskScheduled, _Mapping]] = ..., task_completed: _Optional[_Union[TaskCompleted, _Mapping]] = ..., task_failed: _Optional[_Union[TaskFailed, _Mapping]] = ..., child_created: _Optional[_Union[ChildCreated, _Mapping]] = ..., child_completed: _Optional[_Union[TaskCompleted, _Mapping]] = ..., child_failed: _Optional[_Union[TaskFailed, _Mapping]] = ..., timer_created: _Optional[_Union[TimerCreated, _Mapping]] = ..., timer_fired: _Optional[_Union[TimerFired, _Mapping]] = ..., workflow_started: _Optional[_Union[WorkflowStarted, _Mapping]] = ..., event_sent: _Optional[_Union[EventSent, _Mapping]] = ..., event_raised: _Optional[_Union[EventRaised, _Mapping]] = ..., execution_suspended: _Optional[_Union[Reasoned, _Mapping]] = ..., execution_resumed: _Optional[_Union[Reasoned, _Mapping]] = ..., execution_stalled: _Optional[_Union[ExecutionStalled, _Mapping]] = ..., detached_created: _Optional[_Union[DetachedCreated, _Mapping]] = ..., router: _Optional[_Union[Route, _Mapping]] = ...) -> None: ...
