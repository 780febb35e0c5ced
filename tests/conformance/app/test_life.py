"""The life of a server's process: how it begins, what it says, how it ends."""

import json
import secrets
import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conformance.app.processes import refused, serving

FREE_PORTS = ("--dapr-http-port", "0", "--dapr-grpc-port", "0")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path) as process:
        process.popen.send_signal(number)
        code, err = process.ended()
    assert (code, err) == (0, "")
    said = [line["msg"] for line in process.lines]
    assert said[-2:] == ["stopping", "stopped"]
    assert process.lines[-2]["reason"] == number.name


def test_a_second_signal_waits_for_nothing(tmp_path: Path) -> None:
    with (
        serving(tmp_path, "--dapr-graceful-shutdown-seconds", "3600") as process,
        httpx.Client(trust_env=False, timeout=60) as client,
    ):
        client.post(f"{process.http}/v1.0/workflows/order/i-1/start")
        where = urlsplit(process.http)
        with socket.create_connection((where.hostname, where.port or 0), timeout=60) as poll:
            poll.sendall(
                b"GET /v1.0/workflows/order/i-1 HTTP/1.1\r\nHost: x\r\nPrefer: wait=3600\r\n\r\n"
            )
            client.get(f"{process.http}/v1.0/healthz")
            process.popen.send_signal(signal.SIGTERM)
            process.popen.send_signal(signal.SIGTERM)
            code, _ = process.ended()
    assert code in {0, 1}


def test_a_request_by_force_is_exit_code_1(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        answer = httpx.post(
            f"{process.http}/v1.0/shutdown",
            headers={"dapr-force-shutdown": "true"},
            trust_env=False,
        )
        assert answer.status_code == httpx.codes.NO_CONTENT
        assert process.ended()[0] == 1


def test_it_says_where_it_is_and_what_it_keeps(tmp_path: Path) -> None:
    with serving(tmp_path, "--app-id", "shop", environ={"DAPR_API_TOKEN": "s3cret"}) as process:
        assert httpx.get(f"{process.http}/v1.0/healthz", trust_env=False).is_success
        assert process.grpc.startswith("127.0.0.1:")
        kept = next(line for line in process.lines if line["msg"] == "keeping workflows")
        assert kept["file"] == str((tmp_path / "perdure.db").resolve())
        assert "synchronous=FULL" in kept["durability"]
        ready = process.lines[-1]
        assert (ready["app_id"], ready["asks_for_token"]) == ("shop", True)


def test_tokens_and_payloads_are_never_logged(tmp_path: Path) -> None:
    canary = secrets.token_hex(8)
    environ = {"DAPR_API_TOKEN": f"t-{canary}"}
    with serving(tmp_path, "--log-level", "debug", environ=environ) as process:
        with httpx.Client(
            base_url=process.http, headers={"dapr-api-token": f"t-{canary}"}, trust_env=False
        ) as client:
            path = "/v1.0/workflows/order/i-1"
            assert client.post(f"{path}/start", content=canary).is_success
            assert client.post(f"{path}/raiseEvent/go", content=canary).is_success
            assert client.post(f"{path}/terminate", content=canary).is_success
            assert client.get("/v1.0/metadata", headers={"dapr-api-token": canary}).is_error
        process.popen.terminate()
        _, err = process.ended()
    said = json.dumps(process.lines) + err
    assert "instance created" in said
    assert canary not in said


def test_an_open_door_is_warned_about(tmp_path: Path) -> None:
    with serving(tmp_path, "--dapr-listen-addresses", "0.0.0.0") as process:
        warnings = [line["msg"] for line in process.lines if line["level"] == "warn"]
    assert len(warnings) == 1
    assert warnings[0].startswith("listening on 0.0.0.0 without an API token")


def test_whoever_started_it_is_told(tmp_path: Path) -> None:
    address = f"\0perdure-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.settimeout(60)
        listener.bind(address)
        with serving(tmp_path, environ={"NOTIFY_SOCKET": "@" + address[1:]}) as process:
            assert listener.recv(100) == b"READY=1"
            process.popen.terminate()
            assert listener.recv(100) == b"STOPPING=1"
            assert process.ended()[0] == 0


def test_a_port_in_use_says_what_to_do(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        port = str(urlsplit(process.http).port)
        code, err = refused(tmp_path, "--dapr-http-port", port, "--dapr-grpc-port", "0")
    assert code == 2
    assert f"port {port} is in use; another perdure or daprd may be running" in err
    assert "choose another with --dapr-http-port" in err


def test_a_store_in_use_says_what_to_do(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        code, err = refused(tmp_path, *FREE_PORTS)
        assert code == 4
        assert f"in use by process {process.popen.pid}" in err


def test_a_damaged_store_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "perdure.db").write_bytes(b"not a database, for sure" * 500)
    code, err = refused(tmp_path, *FREE_PORTS)
    assert code == 1
    assert "perdure.db" in err
    assert "damaged" in err


def test_a_bad_file_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(
        "apiVersion: a\nkind: Configuration\nmetadata: {name: c}\nspec:\n  workflow: 3\n"
    )
    code, err = refused(tmp_path, *FREE_PORTS, "--config", str(file))
    assert code == 2
    assert f"{file}:5:3: spec.workflow" in err
