"""Publishing over gRPC: PublishEvent, and several messages at once."""

from collections.abc import Mapping
from typing import Final

import grpc
from google.protobuf.empty_pb2 import Empty

from perdure.api.grpc.calls import Call
from perdure.api.grpc.faults import Rejected
from perdure.base.errors import CallerFault
from perdure.components.catalog import Catalog
from perdure.components.publishing import NotPublished, Publication, PublishReason
from perdure.wire.generated import publishing_pb2 as pb

ENTRIES_MAX: Final = 1_000

# As Dapr has them, but for a broker that is away, which passes by itself.
_STATUSES: Final[dict[PublishReason, grpc.StatusCode]] = {
    PublishReason.NOT_CONFIGURED: grpc.StatusCode.FAILED_PRECONDITION,
    PublishReason.NOT_FOUND: grpc.StatusCode.INVALID_ARGUMENT,
    PublishReason.TOPIC_EMPTY: grpc.StatusCode.INVALID_ARGUMENT,
    PublishReason.BAD_EVENT: grpc.StatusCode.INVALID_ARGUMENT,
    PublishReason.BAD_METADATA: grpc.StatusCode.INVALID_ARGUMENT,
    PublishReason.AWAY: grpc.StatusCode.UNAVAILABLE,
}
_NOT_CONFIGURED: Final = NotPublished(PublishReason.NOT_CONFIGURED, "pubsub is not configured")
_NAME_EMPTY: Final = NotPublished(PublishReason.NOT_FOUND, "pubsub name is empty")


class Publishing:
    """The methods with which apps publish."""

    def __init__(self, catalog: Catalog) -> None:
        """Publish with the publisher of `catalog`, if there is one."""
        self._publisher = catalog.publisher

    async def publish(self, request: pb.PublishEventRequest, call: Call) -> Empty:
        """Publish a message; it is answered once the broker has confirmed it."""
        refusal = await self._published(
            self._publication(
                (request.pubsub_name, request.topic),
                request.data,
                request.data_content_type,
                request.metadata,
                call,
            )
        )
        if refusal is not None:
            raise Rejected(_STATUSES[refusal.reason], refusal.text)
        return Empty()

    async def publish_bulk(
        self, request: pb.BulkPublishRequest, call: Call
    ) -> pb.BulkPublishResponse:
        """Publish every entry; those that were not are named in the answer."""
        if len(request.entries) > ENTRIES_MAX:
            raise CallerFault(f"at most {ENTRIES_MAX} messages are published at once")
        if len({entry.entry_id for entry in request.entries}) != len(request.entries):
            raise CallerFault("the entry id of a message is its own")
        reply = pb.BulkPublishResponse()
        for entry in request.entries:
            refusal = await self._published(
                self._publication(
                    (request.pubsub_name, request.topic),
                    entry.event,
                    entry.content_type,
                    {**request.metadata, **entry.metadata},
                    call,
                )
            )
            if refusal is not None and refusal.reason is not PublishReason.AWAY:
                raise Rejected(_STATUSES[refusal.reason], refusal.text)
            if refusal is not None:
                reply.failed_entries.add(entry_id=entry.entry_id, error=refusal.text)
        return reply

    @staticmethod
    def _publication(
        place: tuple[str, str],
        data: bytes,
        content_type: str,
        metadata: Mapping[str, str],
        call: Call,
    ) -> Publication:
        return Publication(
            pubsub=place[0],
            topic=place[1],
            data=data,
            content_type=content_type or None,
            metadata=dict(metadata),
            traceparent=call.value("traceparent") or "",
            tracestate=call.value("tracestate") or "",
        )

    async def _published(self, publication: Publication) -> NotPublished | None:
        if self._publisher is None:
            return _NOT_CONFIGURED
        if not publication.pubsub:
            return _NAME_EMPTY
        return await self._publisher.publish(publication)
