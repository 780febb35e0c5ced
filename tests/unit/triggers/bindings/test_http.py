"""The metadata of a webhook: what is taken, what is refused, and who needs the API token."""

import pytest

from perdure.base.errors import ConfigurationError
from perdure.triggers.bindings import http
from perdure.triggers.bindings.webhook import WebhookSource
from tests.kit.metadata import Metadata


def build(**items: str) -> WebhookSource:
    return http.build(Metadata("bindings.http", component="orders", **items))


def paths(source: WebhookSource) -> list[str]:
    return [getattr(route, "path") for route in source.routes]  # noqa: B009 - a route may have none


async def test_the_case_of_an_item_s_name_does_not_matter() -> None:
    source = build(Path="/hooks/a", SECRET="s", maxbodysize="2048")
    assert paths(source) == ["/hooks/a"]
    assert source.open_paths == {"/hooks/a"}


async def test_a_webhook_listens_at_a_path_of_its_own() -> None:
    assert paths(build()) == ["/webhooks/orders"]
    assert paths(build(path="/github/push_1")) == ["/github/push_1"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1.0/workflows/a/b/start",
        "/V1.0",
        "/v1.0-beta1/x",
        "/v2/x",
        "/openapi.json",
        "/metrics",
        "/healthz",
        "/dashboard/x",
    ],
)
async def test_a_path_of_the_api_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match=r"path: .* belongs to the API; expected another"):
        build(path=path)


@pytest.mark.parametrize(
    "path", ["orders", "/", "/orders/", "//orders", "/{id}", "/a b", "/a%2fb", "/../v1.0", "/./a"]
)
async def test_what_cannot_be_a_path_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match=r"path: .* cannot be the path of a webhook"):
        build(path=path)


@pytest.mark.parametrize(
    ("items", "is_open"),
    [
        ({}, False),
        ({"apiToken": "notRequired"}, True),
        ({"secret": "s"}, True),
        ({"bearerToken": "t"}, True),
        ({"secret": "s", "apiToken": "required"}, False),
    ],
)
async def test_who_needs_the_api_token(items: dict[str, str], is_open: bool) -> None:
    assert build(**items).open_paths == ({"/webhooks/orders"} if is_open else set())


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ({"url": "http://x"}, "url: perdure's bindings.http is called and calls nobody"),
        ({"direction": "output"}, "direction: perdure has no output bindings"),
        ({"methd": "POST"}, "methd: bindings.http has no item methd; did you mean method"),
        ({"method": "TRACE"}, "method: expected one of"),
        ({"signature": "github"}, "signature: is set, and there is no secret"),
        ({"previousSecret": "x"}, "previousSecret: is set, and there is no secret"),
        ({"secret": ""}, "secret: is missing"),
        ({"bearerToken": ""}, "bearerToken: is missing"),
        ({"secret": "s", "previousSecret": ""}, "previousSecret: is missing"),
        ({"secret": "s", "signature": "magic"}, "signature: expected one of github, hmac"),
        ({"secret": "?", "signature": "standard"}, "secret: expected whsec_ and a key"),
        ({"secret": "s", "signatureHeader": "no header"}, "signatureHeader: 'no header' is no"),
        ({"secret": "s", "signatureAlgorithm": "md5"}, "signatureAlgorithm: expected one of"),
        ({"secret": "s", "signatureTolerance": "0s"}, "signatureTolerance: expected a duration"),
        ({"idHeader": "a,,b"}, "idHeader: '' is no name of a header"),
        ({"maxBodySize": "1"}, "maxBodySize: expected a whole number"),
    ],
)
async def test_bad_metadata_is_refused(items: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        build(**items)
