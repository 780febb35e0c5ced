"""Server reflection: tools such as grpcurl learn the services and their messages from it.

The messages are ours, in their own package, behind the services' released names; they live in a
pool of this server, so that an SDK in the same process finds nothing of them in the common one.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import grpc
from google.protobuf import any_pb2, duration_pb2, empty_pb2, timestamp_pb2, wrappers_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.reflection import aio

from perdure.api.grpc.health import HEALTH_SERVICE
from perdure.api.grpc.methods import AnyHandler, Method
from perdure.wire.generated import (
    history_pb2,
    management_pb2,
    publishing_pb2,
    runtime_pb2,
    work_pb2,
)

_REFLECTION_SERVICE: Final = "grpc.reflection.v1alpha.ServerReflection"

# The two versions are the same on the wire. Tools try the newer one first.
_PATHS: Final = (
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)

# A file before those that import it.
_FILES: Final = (
    *(any_pb2, duration_pb2, empty_pb2, timestamp_pb2, wrappers_pb2),
    *(history_pb2, work_pb2, management_pb2, runtime_pb2, publishing_pb2),
    *(health_pb2, reflection_pb2),
)


def reflection_handlers(services: Mapping[str, Sequence[Method]]) -> Mapping[str, AnyHandler]:
    """Return what answers questions about `services`, by path."""
    names = (*services, HEALTH_SERVICE, _REFLECTION_SERVICE)
    servicer = aio.ReflectionServicer(names, pool=_pool(services))
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        reflection_pb2.ServerReflectionRequest.FromString,
        reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    return dict.fromkeys(_PATHS, handler)


def _pool(services: Mapping[str, Sequence[Method]]) -> DescriptorPool:
    pool = DescriptorPool()
    for module in _FILES:
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    for service, methods in services.items():
        pool.AddSerializedFile(_file_of(service, methods).SerializeToString())
    return pool


def _file_of(service: str, methods: Sequence[Method]) -> FileDescriptorProto:
    """Return a file that declares one service."""
    package, _, name = service.rpartition(".")
    file = FileDescriptorProto(name=f"{name.lower()}.proto", package=package, syntax="proto3")
    declared = file.service.add(name=name)
    for method in methods:
        declared.method.add(
            name=method.name,
            input_type=f".{method.request.DESCRIPTOR.full_name}",
            output_type=f".{method.reply.DESCRIPTOR.full_name}",
            server_streaming=method.streams,
        )
    messages = (message for method in methods for message in (method.request, method.reply))
    file.dependency.extend(sorted({message.DESCRIPTOR.file.name for message in messages}))
    return file
