"""Bad input on the gRPC port of a real server: a clear error each, and everybody else goes on."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

import grpc
import pytest
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from tests.e2e.hostile import sockets
from tests.e2e.hostile.hands import DAPR, HUB, OPTIONS, Hands, Streamed, complete, fresh, going_on
from tests.e2e.hostile.sockets import connected, frame, message, reset, send_all
from tests.e2e.serving import HOST, Server

Code = grpc.StatusCode
MIB: Final = 1024 * 1024
SERVICES: Final = ("TaskHubSidecarService", "dapr.proto.runtime.v1.Dapr")
# These do what they are asked to, with whatever they are sent: they end the server, or wait.
NOT_FUZZED: Final = {DAPR + "Shutdown"}
WAITING: Final = {
    HUB + name for name in ("GetWorkItems", "WaitForInstanceStart", "WaitForInstanceCompletion")
}
# What a random request may be told. INTERNAL and UNKNOWN are how Dapr words many a refusal.
TOLD: Final = {
    Code.OK,
    Code.INVALID_ARGUMENT,
    Code.NOT_FOUND,
    Code.ALREADY_EXISTS,
    Code.FAILED_PRECONDITION,
    Code.RESOURCE_EXHAUSTED,
    Code.UNIMPLEMENTED,
    Code.UNKNOWN,
    Code.INTERNAL,
}


def methods(server: Server) -> list[str]:
    """Every method of both services, as the server itself tells them."""
    with grpc.insecure_channel(f"{HOST}:{server.grpc_port}", OPTIONS) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        found = []
        for service in SERVICES:
            file = database.FindFileContainingSymbol(service)
            package = f"{file.package}." if file.package else ""
            found += [
                f"/{service}/{method.name}"
                for each in file.service
                if package + each.name == service
                for method in each.method
            ]
    assert len(found) > 40, found
    return found


def ends(call: Callable[[], object]) -> tuple[grpc.StatusCode, str]:
    """How a call ends."""
    try:
        call()
    except grpc.RpcError as error:
        return status_of(error)
    return Code.OK, ""


def status_of(error: grpc.RpcError) -> tuple[grpc.StatusCode, str]:
    assert isinstance(error, grpc.Call), error
    return error.code(), error.details() or ""


@pytest.mark.parametrize("seed", range(4))
def test_random_bytes_to_every_method(server: Server, loud: str, seed: int) -> None:
    random = Random(seed)
    with going_on(server), Hands(server, loud) as hands:
        for path in methods(server):
            if path in NOT_FUZZED | WAITING:
                continue
            for _ in range(6):
                data = random.randbytes(random.choice((0, 1, 2, 7, 30, 300, 3_000)))
                code, text = ends(lambda path=path, data=data: hands.call(path, data))  # type: ignore[misc]  # the default binds it
                assert code in TOLD, (path, data, code, text)
                assert "the server failed" not in text, (path, data, text)


def test_random_bytes_to_open_streams_and_waits(server: Server, loud: str) -> None:
    random = Random(7)
    with going_on(server), Hands(server, loud) as hands:
        for path in sorted(WAITING):
            for _ in range(10):
                data = random.randbytes(random.choice((1, 7, 30, 300)))
                method: Streamed = hands.channel.unary_stream(path)
                call = method(data, timeout=0.3, metadata=(("dapr-app-id", loud),))
                code, text = ends(lambda call=call: list(call))  # type: ignore[misc]  # the default binds it
                assert code in TOLD | {Code.DEADLINE_EXCEEDED}, (path, data, code, text)


def test_methods_that_there_are_not(server: Server, loud: str) -> None:
    with going_on(server), Hands(server, loud) as hands:
        for path in ("/", "//", "/x", HUB + "Nothing", DAPR + "Nothing", "/a/b/c", HUB, "/é/x"):
            code, _ = ends(lambda path=path: hands.call(path, b""))  # type: ignore[misc]  # the default binds it
            assert code is Code.UNIMPLEMENTED, path


def test_a_message_that_is_too_large(server: Server, loud: str) -> None:
    with going_on(server), Hands(server, loud) as hands:
        instance = fresh("large")
        code, text = ends(lambda: hands.start(instance, text="1" * (5 * MIB)))
        assert code is Code.RESOURCE_EXHAUSTED, text
        assert "larger than max" in text.lower() or "max-body-size" in text, text
        # The connection goes on, with what is not too large.
        hands.start(instance, text="1" * (3 * MIB))


def test_a_result_that_is_too_large(server: Server, loud: str) -> None:
    """The worker is told, and may answer with something else."""
    with going_on(server), Hands(server, loud) as hands:
        hands.open()
        held = hands.half(fresh("large"))
        code, _ = ends(lambda: hands.result(held, '"' + "1" * (5 * MIB) + '"'))
        assert code is Code.RESOURCE_EXHAUSTED
        hands.rest(held)


@contextmanager
def guarded(folder: Path) -> Iterator[Server]:
    server = Server.in_folder(folder)
    server.environment = {"DAPR_API_TOKEN": "secret"}
    server.start()
    try:
        yield server
    finally:
        server.close()


@cache
def no_tokens() -> tuple[tuple[tuple[str, str], ...], ...]:
    wrong = ("", "wrong", "secre", "secret2", "SECRET")
    return ((), *((("dapr-api-token", token),) for token in wrong))


def test_a_token_that_is_none(tmp_path: Path) -> None:
    with guarded(tmp_path) as server:
        right = Hands(server, "quiet", (("dapr-api-token", "secret"),))
        with right.open():
            held = right.half("kept")
            for metadata in no_tokens():
                with Hands(server, "quiet", metadata) as wrong:
                    for path in (HUB + "Hello", HUB + "StartInstance", DAPR + "GetMetadata",
                                 DAPR + "Shutdown", HUB + "CompleteActivityTask"):  # fmt: skip
                        code, _ = ends(lambda path=path, hands=wrong: hands.call(path, b""))  # type: ignore[misc]  # the default binds it
                        assert code is Code.UNAUTHENTICATED, (path, metadata)
                    code, _ = ends(lambda hands=wrong: hands.open().item())  # type: ignore[misc]  # the default binds it
                    assert code is Code.UNAUTHENTICATED
            right.rest(held)
        assert server.output("kept") == "healthy"


# ---- beneath gRPC


@pytest.mark.parametrize("seed", range(3))
def test_random_bytes_on_the_port(server: Server, seed: int) -> None:
    random = Random(seed)
    with going_on(server):
        for _ in range(100):
            with connected(server.grpc_port) as opened:
                send_all(opened, random.randbytes(random.choice((1, 20, 300, 5_000))))
                reset(opened)


@pytest.mark.parametrize("seed", range(6))
def test_random_frames(server: Server, seed: int) -> None:
    """After a good greeting, frames of every kind with anything in them."""
    random = Random(seed)
    with going_on(server):
        for _ in range(60):
            with connected(server.grpc_port) as opened:
                block = sockets.headers(random.choice((HUB + "Hello", HUB + "GetWorkItems", "/x")))
                begun = frame(sockets.HEADERS, sockets.END_HEADERS, 1, block)
                data = sockets.greeting() + begun * random.randrange(2)
                send_all(opened, data + sockets.random_frames(random, random.randrange(1, 30)))
                if random.random() < 0.5:
                    reset(opened)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_client_that_goes_in_the_middle_of_its_call(
    server: Server, loud: str, share: float
) -> None:
    """With a reset, at a point of its bytes; what it began to ask for is not done."""
    instance = fresh("torn")
    with going_on(server), Hands(server, loud) as hands:
        request = hands.family.CreateInstanceRequest(instanceId=instance, name="flow")
        request.input.value = "1" * 10_000
        call = (
            frame(sockets.HEADERS, sockets.END_HEADERS, 1, sockets.headers(HUB + "StartInstance"))
            + frame(sockets.DATA, sockets.END_STREAM, 1, message(request.SerializeToString()))
        )  # fmt: skip
        for _ in range(50):
            with connected(server.grpc_port) as opened:
                opened.sendall(sockets.greeting() + call[: int(len(call) * share)])
                reset(opened)
        answer = hands.family.GetInstanceResponse.FromString(
            hands.hub("GetInstance", hands.family.GetInstanceRequest(instanceId=instance))
        )
        assert not answer.exists


def test_a_stream_that_is_half_closed_and_one_that_is_not(server: Server) -> None:
    """A worker's stream goes on when the client has said all; one that says nothing is answered."""
    with going_on(server), connected(server.grpc_port) as opened:
        block = sockets.headers(HUB + "Hello")
        head = frame(sockets.HEADERS, sockets.END_HEADERS | sockets.END_STREAM, 1, block)
        opened.sendall(sockets.greeting() + head)
        opened.shutdown(socket.SHUT_WR)
        # Closed without a message: the call ends with an error, and so does the connection.
        assert b"grpc-status" in sockets.until_closed(opened)


def test_streams_of_workers_that_are_reset_again_and_again(server: Server, loud: str) -> None:
    """Each takes the turn and goes; the workflow is done by the one who stays."""
    instance = fresh("passed-on")
    with going_on(server):
        with Hands(server, loud) as client:
            client.start(instance)
        # Each time after a longer pause than before, so not often.
        for _ in range(5):
            with Hands(server, loud) as hands:
                assert hands.open().turn().workflowRequest.instanceId == instance
        with Hands(server, loud) as hands:
            hands.open()
            hands.answer(hands.turn(), complete(1, '"done"'))
        assert server.output(instance) == "done"


def test_http_1_on_the_port(server: Server) -> None:
    with going_on(server), connected(server.grpc_port) as opened:
        opened.sendall(b"GET /v1.0/healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert len(sockets.until_closed(opened)) < 1_000
