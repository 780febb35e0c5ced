"""The methods of dapr.proto.runtime.v1.Dapr that this server has."""

from collections.abc import Iterator, Sequence
from typing import Final

from google.protobuf.empty_pb2 import Empty

from perdure.api.grpc.dapr.metadata import Metadata
from perdure.api.grpc.dapr.publishing import Publishing
from perdure.api.grpc.dapr.workflows import Workflows
from perdure.api.grpc.methods import Makers, Method
from perdure.wire.generated import publishing_pb2 as events
from perdure.wire.generated import runtime_pb2 as pb

DAPR_SERVICE: Final = "dapr.proto.runtime.v1.Dapr"

# Every workflow method has three names, by its age; all do the same.
_SPELLINGS: Final = ("", "Beta1", "Alpha1")


def dapr_methods(
    makers: Makers, workflows: Workflows, metadata: Metadata, publishing: Publishing
) -> Sequence[Method]:
    """Return every method of the service; what is not among them is UNIMPLEMENTED."""
    return (
        *(method for end in _SPELLINGS for method in _workflow_methods(makers, workflows, end)),
        makers.unary("GetMetadata", Empty, pb.GetMetadataResponse, metadata.get),
        makers.unary("SetMetadata", pb.SetMetadataRequest, Empty, metadata.set),
        makers.unary("Shutdown", Empty, Empty, metadata.shutdown),
        makers.unary("PublishEvent", events.PublishEventRequest, Empty, publishing.publish),
        *(
            makers.unary(
                f"BulkPublishEvent{end}",
                events.BulkPublishRequest,
                events.BulkPublishResponse,
                publishing.publish_bulk,
            )
            for end in ("", "Alpha1")
        ),
    )


def _workflow_methods(makers: Makers, workflows: Workflows, end: str) -> Iterator[Method]:
    one, event = pb.InstanceRequest, pb.RaiseEventWorkflowRequest
    start, started = pb.StartWorkflowRequest, pb.StartWorkflowResponse
    get, got = pb.GetWorkflowRequest, pb.GetWorkflowResponse
    yield makers.unary(f"StartWorkflow{end}", start, started, workflows.start)
    yield makers.unary(f"GetWorkflow{end}", get, got, workflows.get)
    yield makers.unary(f"RaiseEventWorkflow{end}", event, Empty, workflows.raise_event)
    yield makers.unary(f"PauseWorkflow{end}", one, Empty, workflows.pause)
    yield makers.unary(f"ResumeWorkflow{end}", one, Empty, workflows.resume)
    yield makers.unary(f"TerminateWorkflow{end}", one, Empty, workflows.terminate)
    yield makers.unary(f"PurgeWorkflow{end}", one, Empty, workflows.purge)
