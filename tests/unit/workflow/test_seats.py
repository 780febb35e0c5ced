"""Where a runtime or client works: what is given, then the environment, then the default file."""

import pytest

from perdure.base.errors import ConfigurationError
from perdure.worker.endpoints import Endpoint
from perdure.workflow.seats import AtAddress, InThisProcess, place_of

VARIABLES = (
    "PERDURE_STORE",
    "DAPR_GRPC_ENDPOINT",
    "DAPR_GRPC_PORT",
    "DAPR_RUNTIME_HOST",
    "DAPR_APP_ID",
    "APP_ID",
    "DAPR_API_TOKEN",
)

DEFAULT = InThisProcess("perdure.db", "perdure")


@pytest.mark.parametrize(
    ("given", "environment", "place"),
    [
        ((None, None), {}, DEFAULT),
        ((None, None), {"PERDURE_STORE": "orders.db"}, InThisProcess("orders.db", "perdure")),
        ((None, None), {"APP_ID": "shop"}, InThisProcess("perdure.db", "shop")),
        (
            (None, None),
            {"PERDURE_STORE": "orders.db", "DAPR_GRPC_PORT": "7", "DAPR_APP_ID": "shop"},
            InThisProcess("orders.db", "shop"),
        ),
        (
            (None, None),
            {"DAPR_GRPC_ENDPOINT": "https://flows.example"},
            AtAddress(Endpoint("flows.example", 443, tls=True)),
        ),
        ((None, None), {"DAPR_GRPC_PORT": "7"}, AtAddress(Endpoint("127.0.0.1", 7))),
        ((None, None), {"DAPR_RUNTIME_HOST": "side"}, AtAddress(Endpoint("side", 50001))),
        (("there", None), {"PERDURE_STORE": "x.db"}, AtAddress(Endpoint("there", 50001))),
        ((None, "9"), {"DAPR_GRPC_ENDPOINT": "there:1"}, AtAddress(Endpoint("127.0.0.1", 9))),
        (
            ("there", "9"),
            {"DAPR_API_TOKEN": "secret"},
            AtAddress(Endpoint("there", 9), (("dapr-api-token", "secret"),)),
        ),
    ],
)
def test_a_place_is_what_is_told_first(
    given: tuple[str | None, str | None],
    environment: dict[str, str],
    place: InThisProcess | AtAddress,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert place_of(*given) == place


def test_an_address_that_means_nothing_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        place_of("host:port:nonsense", None)
