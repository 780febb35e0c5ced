"""Webhooks of a real server: who may call them, and what stops its start."""

import hmac
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.serving import Answer, Server
from tests.e2e.triggers.instances import instance_ids

pytestmark = pytest.mark.timeout(200)

TOKEN = "let-me-in"
BODY = b'{"n": 1}'


def component(name: str, **items: str) -> str:
    metadata = [{"name": key, "value": value} for key, value in items.items()]
    parts = [
        {
            "apiVersion": "dapr.io/v1alpha1",
            "kind": "Component",
            "metadata": {"name": name},
            "spec": {"type": "bindings.http", "version": "v1", "metadata": metadata},
        },
        {
            "apiVersion": "perdure.io/v1alpha1",
            "kind": "WorkflowTrigger",
            "metadata": {"name": name},
            "spec": {"source": {"binding": name}, "action": "start", "workflow": "taken"},
        },
    ]
    # JSON is YAML.
    return "\n---\n".join(json.dumps(part, indent=1) for part in parts)


def server_of(folder: Path, *components: str) -> Server:
    place = folder / "resources"
    place.mkdir()
    for number, text in enumerate(components):
        (place / f"{number}.yaml").write_text(text)
    return Server.in_folder(folder, "--resources-path", str(place))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = server_of(
        tmp_path_factory.mktemp("guarded"),
        component("signed", path="/hooks/signed", secret="s3"),
        component("plain", path="/hooks/plain"),
        component("public", path="/hooks/public", apiToken="notRequired"),
        component("strict", path="/hooks/strict", secret="s3", apiToken="required"),
    )
    server.environment = {"DAPR_API_TOKEN": TOKEN}
    try:
        yield server.start()
    finally:
        server.close()


def post(server: Server, path: str, *, token: bool, signed: bool) -> Answer:
    signature = "sha256=" + hmac.digest(b"s3", BODY, "sha256").hex()
    headers = {"X-Hub-Signature-256": signature} if signed else {}
    headers["Idempotency-Key"] = str(uuid.uuid4())
    # The token of the server's own requests is left out by an empty one.
    headers |= {} if token else {"dapr-api-token": ""}
    return server.request("POST", path, BODY, headers)


@pytest.mark.parametrize(
    ("path", "token", "signed", "status"),
    [
        ("/hooks/signed", False, True, 202),
        ("/hooks/signed", False, False, 401),
        ("/hooks/signed", True, False, 401),
        ("/hooks/plain", False, False, 401),
        ("/hooks/plain", True, False, 202),
        ("/hooks/public", False, False, 202),
        ("/hooks/strict", False, True, 401),
        ("/hooks/strict", True, True, 202),
        ("//hooks/signed/", False, True, 202),
        ("/hooks/other", False, False, 401),
        ("/v1.0/workflows", False, True, 401),
    ],
)
def test_who_may_call(guarded: Server, path: str, token: bool, signed: bool, status: int) -> None:
    before = len(instance_ids(guarded))
    assert post(guarded, path, token=token, signed=signed).status == status
    assert len(instance_ids(guarded)) == before + (status == 202)


def test_the_handshake_needs_no_token_where_a_signature_is_checked(guarded: Server) -> None:
    asked = {"WebHook-Request-Origin": "a.example", "dapr-api-token": ""}
    granted = guarded.request("OPTIONS", "/hooks/signed", headers=asked)
    assert (granted.status, granted.headers["webhook-allowed-origin"]) == (200, "a.example")
    assert guarded.request("OPTIONS", "/hooks/plain", headers=asked).status == 401


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["/v1.0/workflows/a/b/start"], "path: /v1.0/workflows/a/b/start belongs to the API"),
        (["/hooks/a", "/hooks/a"], "path: /hooks/a is the path of component c0; expected another"),
    ],
)
def test_a_path_that_is_not_free_stops_the_start(
    tmp_path: Path, paths: list[str], words: str
) -> None:
    components = [component(f"c{number}", path=path) for number, path in enumerate(paths)]
    server = server_of(tmp_path, *components)
    with pytest.raises(AssertionError) as stopped:
        server.start()
    assert "the server ended with 2" in str(stopped.value)
    assert f"resources/{len(paths) - 1}.yaml:" in str(stopped.value)
    assert words in str(stopped.value)
