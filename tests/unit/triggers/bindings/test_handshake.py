"""The handshake of the CloudEvents webhook specification, section 3."""

import pytest

from perdure.triggers.bindings.handshake import Permission, grant


def test_the_example_of_the_specification() -> None:
    permission = Permission(("eventemitter.example.com",), 100)
    asked = {"webhook-request-origin": "eventemitter.example.com", "webhook-request-rate": "120"}
    assert grant(permission, asked) == {
        "WebHook-Allowed-Origin": "eventemitter.example.com",
        "WebHook-Allowed-Rate": "100",
    }


@pytest.mark.parametrize(
    ("asked", "most", "granted"),
    [
        (None, None, "*"),
        (None, 100, "100"),
        ("120", None, "120"),
        ("50", 100, "50"),
        ("120", 100, "100"),
        ("0", 100, "100"),
        ("-1", None, "*"),
        ("many", 100, "100"),
        ("9" * 5_000, 100, "100"),
    ],
)
def test_rates(asked: str | None, most: int | None, granted: str) -> None:
    headers = {"webhook-request-origin": "a.example"}
    headers |= {} if asked is None else {"webhook-request-rate": asked}
    found = grant(Permission(("*",), most), headers)
    assert found == {"WebHook-Allowed-Origin": "a.example", "WebHook-Allowed-Rate": granted}


@pytest.mark.parametrize(
    ("origin", "allowed", "fits"),
    [
        ("eventgrid.azure.net", "*", True),
        ("EventGrid.azure.net", "eventgrid.azure.net", True),
        ("x.azure.net", "*.azure.net", True),
        ("azure.net", "*.azure.net", False),
        ("evilazure.net", "*.azure.net", False),
        ("other.example", "eventgrid.azure.net", False),
        ("", "*", False),
        (" ", "*", False),
    ],
)
def test_origins(origin: str, allowed: str, fits: bool) -> None:
    found = grant(Permission((allowed,)), {"webhook-request-origin": origin})
    assert (found is not None) == fits
