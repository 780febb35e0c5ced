"""Settings of an engine: each is checked when it is made, and says what is expected."""

from datetime import timedelta
from typing import Any

import pytest

from perdure import ConfigurationError, Engine, Registry, Status
from perdure.hosting.settings import settings_of


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"http": 70_000}, "http=70000"),
        ({"grpc": -1}, "grpc=-1"),
        ({"threads": 0}, "threads=0: expected from 1"),
        ({"processes": 1_000}, "processes=1000"),
        ({"app_id": ""}, "app_id"),
        ({"http": "3500"}, "http='3500': a port is a number"),
        ({"threads": 2.5}, "threads=2.5: expected from 1"),
        ({"stop_timeout": "10"}, "stop_timeout='10': expected a length of time"),
        ({"stop_timeout": -1}, "stop_timeout=-1"),
        ({"stop_timeout": float("nan")}, "stop_timeout=nan"),
        ({"retention": float("inf")}, "retention=inf"),
        ({"retention": timedelta(seconds=-1)}, "retention="),
    ],
)
def test_what_cannot_be_is_told_at_once(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        Engine("orders.db", **given)


def test_times_are_seconds_or_timedeltas() -> None:
    found = settings_of("a.db", stop_timeout=0.5, retention=timedelta(days=1))
    assert found.stop_timeout_us == 500_000
    assert found.retention_us[Status.FAILED] == 86_400_000_000
    assert not found.has_doors
    assert settings_of("a.db", http=0).has_doors


def test_an_engines_own_app_is_no_further_one() -> None:
    with pytest.raises(ConfigurationError, match="'orders' is the engine's own app"):
        Engine("orders.db", app_id="orders", apps={"orders": Registry()})
    with pytest.raises(ConfigurationError, match="app_id: expected a name"):
        Engine("orders.db", apps={"": Registry()})
