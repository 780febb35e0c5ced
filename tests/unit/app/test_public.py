"""The public port lets reads of health and metadata through and nothing else."""

import httpx
import pytest
from starlette.responses import PlainTextResponse

from perdure.app.public import HealthAndMetadata


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1.0/healthz", 200),
        ("HEAD", "/v1.0/healthz", 200),
        ("GET", "/v1.0/healthz/outbound", 200),
        ("GET", "/v1.0/metadata", 200),
        ("PUT", "/v1.0/metadata/key", 404),
        ("POST", "/v1.0/metadata", 404),
        ("POST", "/v1.0/shutdown", 404),
        ("GET", "/v1.0/workflows", 404),
        ("GET", "/v1.0/healthz/../workflows", 404),
        ("GET", "/metrics", 404),
    ],
)
async def test_what_is_let_through(method: str, path: str, status: int) -> None:
    transport = httpx.ASGITransport(HealthAndMetadata(PlainTextResponse("inside")))
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        assert (await client.request(method, path)).status_code == status
