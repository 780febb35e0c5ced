"""Publishing over gRPC, with messages made by hand from Dapr's field numbers."""

from pathlib import Path

import grpc

from perdure.wire.generated import publishing_pb2 as pb
from perdure.wire.generated import runtime_pb2
from tests.conformance.api.grpc_door import refused
from tests.conformance.api.message_door import message_door

JSON = "application/json"


def event(**more: object) -> pb.PublishEventRequest:
    fields = {
        "pubsub_name": "messages",
        "topic": "orders",
        "data": b'{"id": "a"}',
        "data_content_type": JSON,
        **more,
    }
    return pb.PublishEventRequest(**fields)  # type: ignore[arg-type]  # a table of examples


def test_fields_have_daprs_numbers() -> None:
    made = event(metadata={"k": "v"}).SerializeToString(deterministic=True)
    assert made == (
        b"\x0a\x08messages\x12\x06orders\x1a\x0b" + b'{"id": "a"}' + b"\x22\x10application/json"
        b"\x2a\x06\x0a\x01k\x12\x01v"
    )


async def test_an_event_is_published(tmp_path: Path) -> None:
    async with message_door(tmp_path) as door:
        trace = f"00-{'a' * 32}-{'b' * 16}-01"
        assert await door.dapr("PublishEvent", event(), [("traceparent", trace)]) == b""
        await door.until(lambda body: body["messages"].get("started") == 1)
        kept = (await door.call("GET", "/v1.0/triggers/orders/kept")).json()["messages"]
        assert trace in kept[0]["message"]["data"]


async def test_refusals_have_daprs_codes(tmp_path: Path) -> None:
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    async with message_door(tmp_path) as door:
        for request, text in (
            (event(pubsub_name=""), "pubsub name is empty"),
            (event(pubsub_name="none"), "pubsub none not found"),
            (event(topic=""), "topic is empty in pubsub messages"),
            (event(data_content_type="application/cloudevents+json", data=b"["), "cloudevent"),
            (event(metadata={"ttlInSeconds": "x"}), "metadata"),
        ):
            async with refused(invalid, text):
                await door.dapr("PublishEvent", request)
    async with (
        message_door(tmp_path, "") as door,
        refused(grpc.StatusCode.FAILED_PRECONDITION, "pubsub is not configured"),
    ):
        await door.dapr("PublishEvent", event())


async def test_several_are_published(tmp_path: Path) -> None:
    async with message_door(tmp_path) as door:
        for name in ("BulkPublishEventAlpha1", "BulkPublishEvent"):
            request = pb.BulkPublishRequest(pubsub_name="messages", topic="orders")
            for number in range(3):
                request.entries.add(
                    entry_id=str(number),
                    event=f'{{"id": "{name}-{number}"}}'.encode(),
                    content_type=JSON,
                )
            assert await door.dapr(name, request) == b""
        await door.until(lambda body: body["messages"].get("started") == 6)
        request.entries.add(entry_id="0", event=b"x")
        async with refused(grpc.StatusCode.INVALID_ARGUMENT, "entry id"):
            await door.dapr("BulkPublishEvent", request)


async def test_metadata_tell_of_the_broker(tmp_path: Path) -> None:
    async with message_door(tmp_path) as door:
        answer = await door.dapr("GetMetadata", runtime_pb2.SetMetadataRequest())
        found = runtime_pb2.GetMetadataResponse.FromString(answer)
        kinds = {each.name: each.type for each in found.registered_components}
        assert kinds == {"dapr": "workflow.dapr", "messages": "pubsub.in-memory"}
