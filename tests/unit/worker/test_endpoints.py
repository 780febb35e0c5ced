"""Addresses of servers, as people and SDKs write them."""

import pytest

from perdure.base.errors import ConfigurationError
from perdure.worker.endpoints import Endpoint, endpoint_of


@pytest.mark.parametrize(
    ("text", "endpoint", "shown"),
    [
        ("localhost", Endpoint("localhost", 50001), "localhost:50001"),
        ("localhost:4001", Endpoint("localhost", 4001), "localhost:4001"),
        ("[::1]:4001", Endpoint("::1", 4001), "[::1]:4001"),
        ("http://host:1", Endpoint("host", 1), "host:1"),
        ("https://host", Endpoint("host", 443, tls=True), "https://host:443"),
        ("grpcs://host:7", Endpoint("host", 7, tls=True), "https://host:7"),
        ("dns:host:7", Endpoint("host", 7), "host:7"),
        ("dns://host:7?tls=true", Endpoint("host", 7, tls=True), "https://host:7"),
        ("host:7?tls=false", Endpoint("host", 7), "host:7"),
    ],
)
def test_what_is_understood(text: str, endpoint: Endpoint, shown: str) -> None:
    assert endpoint_of(text) == endpoint
    assert str(endpoint) == shown


@pytest.mark.parametrize("text", ["", ":1", "ftp://host", "host:port", "host:99999", "https://"])
def test_what_is_not(text: str) -> None:
    with pytest.raises(ConfigurationError):
        endpoint_of(text)


def test_encryption_speaks_the_transport_s_protocol() -> None:
    assert Endpoint("host", 1).tls_context() is None
    assert Endpoint("host", 1, tls=True).tls_context() is not None
