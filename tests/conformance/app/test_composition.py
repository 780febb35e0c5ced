"""Everything put together: the doors, the engine, the file, the metrics, the configuration."""

import asyncio
from pathlib import Path

import httpx
import pytest

from perdure.app.config import load
from perdure.app.server import Server
from perdure.app.stopping import Stopping
from perdure.base.errors import ConfigurationError, StoreBroken, StoreLocked
from tests.conformance.api.grpc_worker import complete, schedule
from tests.conformance.app.running import DEADLINE_S, Running, client, running

CREATED = httpx.codes.ACCEPTED


async def begin(server: Running, instance_id: str) -> None:
    answer = await server.http.post(f"/v1.0/workflows/order/{instance_id}/start", content="1")
    assert answer.status_code == CREATED, answer.text


async def status(server: Running, instance_id: str) -> str:
    answer = await server.http.get(f"/v1.0/workflows/order/{instance_id}")
    return str(answer.json()["runtimeStatus"])


async def test_it_is_healthy_and_says_what_it_is(tmp_path: Path) -> None:
    async with running(tmp_path, flags={"app_id": "shop"}) as server:
        assert (await server.http.get("/v1.0/healthz")).status_code == httpx.codes.NO_CONTENT
        outbound = await server.http.get("/v1.0/healthz/outbound")
        assert outbound.status_code == httpx.codes.NO_CONTENT
        assert (await server.http.get("/v1.0/metadata")).json()["id"] == "shop"


async def test_a_workflow_runs_and_is_counted(tmp_path: Path) -> None:
    async with running(tmp_path, flags={"app_id": "shop"}) as server, server.worker() as worker:
        await begin(server, "i-1")
        await worker.answer(await worker.turn(), schedule(1, "charge", "41"))
        await worker.result(await worker.activity(), "42")
        await worker.answer(await worker.turn(), complete(2, '"done"'))
        done = await server.http.get("/v1.0/workflows/order/i-1", headers={"Prefer": "wait=30"})
        assert done.json()["output"] == "done"
        page = await server.page()
    tags = 'app_id="shop",namespace="default"'
    assert f'workflow_execution_count{{{tags},status="success",workflow_name="order"}} 1.0' in page
    assert f'activity_execution_count{{activity_name="charge",{tags},status="success"}} 1.0' in page
    assert f'operation_count{{{tags},operation="create_workflow",status="success"}} 1.0' in page
    assert "perdure_stuck_instances 0.0" in page
    assert "perdure_open_streams 1.0" in page
    assert 'perdure_instances{status="COMPLETED"} 1.0' in page


async def test_a_restart_resumes_what_was_under_way(tmp_path: Path) -> None:
    async with running(tmp_path) as server, server.worker() as worker:
        await begin(server, "i-1")
        await worker.answer(await worker.turn(), schedule(1, "charge"))
        await worker.activity()
    async with running(tmp_path) as server, server.worker() as worker:
        assert await status(server, "i-1") == "RUNNING"
        await worker.result(await worker.activity(), "42")
        turn = await worker.turn()
        assert len(turn.workflowRequest.pastEvents) == 3
        await worker.answer(turn, complete(2, None))
        await server.http.get("/v1.0/workflows/order/i-1", headers={"Prefer": "wait=30"})
        assert await status(server, "i-1") == "COMPLETED"


async def test_a_token_guards_everything_but_health(tmp_path: Path) -> None:
    environ = {"DAPR_API_TOKEN": "s3cret"}
    async with running(tmp_path, environ) as server, client(server.server.port_of("http")) as bare:
        for path in ("/metrics", "/v1.0/workflows", "/v1.0/metadata", "/openapi.json"):
            assert (await bare.get(path)).status_code == httpx.codes.UNAUTHORIZED, path
            assert (await server.http.get(path)).status_code == httpx.codes.OK, path
        assert (await bare.get("/v1.0/healthz")).status_code == httpx.codes.NO_CONTENT
        async with server.worker() as worker:
            await begin(server, "i-1")
            await worker.turn()


async def test_public_and_metrics_ports_need_no_token_and_show_nothing_else(tmp_path: Path) -> None:
    flags: dict[str, object] = {"dapr_public_port": 0, "metrics_port": 0}
    async with running(tmp_path, {"DAPR_API_TOKEN": "s3cret"}, flags) as server:
        async with server.of("public") as public:
            assert (await public.get("/v1.0/healthz")).status_code == httpx.codes.NO_CONTENT
            assert (await public.get("/v1.0/metadata")).json()["id"] == "perdure"
            for path in ("/v1.0/workflows", "/metrics", "/openapi.json"):
                assert (await public.get(path)).status_code == httpx.codes.NOT_FOUND, path
        async with server.of("metrics") as metrics:
            page = await metrics.get("/metrics")
            assert page.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert "process_resident_memory_bytes" in page.text
            for path in ("/v1.0/workflows", "/v1.0/healthz"):
                assert (await metrics.get(path)).status_code == httpx.codes.NOT_FOUND, path


async def test_flags_reach_the_doors(tmp_path: Path) -> None:
    flags: dict[str, object] = {
        "max_body_size": "64Ki",
        "instance_id_max_bytes": 5,
        "instance_id_extra_characters": ".",
        "allowed_origins": "https://a.example, https://b.example",
    }
    async with running(tmp_path, flags=flags) as server:
        path = "/v1.0/workflows/order/a.b/start"
        large = await server.http.post(path, content="x" * (64 * 1024 + 1))
        assert large.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
        assert (await server.http.post(path)).status_code == CREATED
        long = await server.http.post("/v1.0/workflows/order/abcdef/start")
        assert long.status_code == httpx.codes.BAD_REQUEST
        for origin, allowed in (("https://b.example", True), ("https://c.example", False)):
            answer = await server.http.get("/v1.0/healthz", headers={"Origin": origin})
            assert ("access-control-allow-origin" in answer.headers) is allowed


CONFIGURATION = """apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: {name: c}
spec:
  workflow:
    maxConcurrentWorkflowInvocations: 1
    stateRetentionPolicy: {completed: "0"}
"""


async def test_limits_and_retention_of_a_configuration_are_felt(tmp_path: Path) -> None:
    async with running(tmp_path) as server, server.worker() as worker:
        await begin(server, "before")
        await worker.finish_next()
        await server.http.get("/v1.0/workflows/order/before", headers={"Prefer": "wait=30"})
    file = tmp_path / "c.yaml"
    file.write_text(CONFIGURATION)
    async with running(tmp_path, flags={"config": str(file)}) as server, server.worker() as worker:
        await begin(server, "one")
        await begin(server, "two")
        first = await worker.turn()
        assert 'perdure_outstanding{kind="turn"} 1.0' in await server.page()
        await worker.answer(first, complete(1, None))
        await worker.answer(await worker.turn(), complete(1, None))
        # What ended before the policy was set goes too.
        await purged(server, 3)
        assert (await server.http.get("/v1.0/workflows")).json()["instances"] == []


async def purged(server: Running, count: int) -> None:
    """Return when the page says that retention has deleted so many instances."""
    async with asyncio.timeout(DEADLINE_S):
        wanted = f'perdure_instances_purged_total{{by="retention"}} {count}.0'
        while wanted not in await server.page():
            continue


async def test_a_port_in_use_leaves_nothing_open(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        for flag in ("dapr_http_port", "dapr_grpc_port", "metrics_port"):
            taken = {
                "dapr_http_port": server.server.port_of("http"),
                "dapr_grpc_port": server.server.grpc_port,
                "metrics_port": server.server.port_of("http"),
            }[flag]
            folder = tmp_path / flag
            folder.mkdir()
            flags = {"dapr_http_port": 0, "dapr_grpc_port": 0, flag: taken}
            config = load({**flags, "store": str(folder / "s.db")}, {})
            with pytest.raises(ConfigurationError, match=flag.replace("_", "-")):
                await Server(config, Stopping()).start()
            # The file is free again.
            async with running(folder, flags={"store": str(folder / "s.db")}):
                continue


async def test_a_store_in_use_or_damaged_is_one_sentence(tmp_path: Path) -> None:
    async with running(tmp_path):
        with pytest.raises(StoreLocked, match="in use by process"):
            async with running(tmp_path):
                pass
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"no database at all" * 1_000)
    with pytest.raises(StoreBroken, match="damaged"):
        async with running(tmp_path, flags={"store": str(damaged)}):
            pass
    async with running(tmp_path):
        pass


async def test_stopping_ends_worker_streams_well_and_after_listening(tmp_path: Path) -> None:
    async with running(tmp_path) as server, server.worker() as worker:
        await begin(server, "i-1")
        await worker.turn()
        port = server.server.port_of("http")
        await server.server.stop()
        await worker.ended()
        assert (await worker.stream.code()).name == "OK"
        async with client(port) as late:
            with pytest.raises(httpx.ConnectError):
                await late.get("/v1.0/healthz")


async def test_a_long_poll_is_told_and_holds_nothing_up(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        await begin(server, "i-1")
        poll = asyncio.create_task(
            server.http.get("/v1.0/workflows/order/i-1", headers={"Prefer": "wait=600"})
        )
        # The poll goes out on the connection that is open; a new one takes longer to be served.
        async with client(server.server.port_of("http")) as other:
            await other.get("/v1.0/healthz")
        await server.server.stop()
        assert (await poll).status_code == httpx.codes.SERVICE_UNAVAILABLE


@pytest.mark.parametrize(("headers", "code"), [({}, 0), ({"dapr-force-shutdown": "true"}, 1)])
async def test_a_request_can_stop_it(tmp_path: Path, headers: dict[str, str], code: int) -> None:
    async with running(tmp_path) as server:
        answer = await server.http.post("/v1.0/shutdown", headers=headers)
        assert answer.status_code == httpx.codes.NO_CONTENT
        await server.server.ended()
        assert server.stopping.exit_code == code
        health = await server.http.get("/v1.0/healthz")
        assert health.status_code == httpx.codes.INTERNAL_SERVER_ERROR
