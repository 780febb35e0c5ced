"""A server with a worker of the released Dapr Python SDK, started by `perdure run`."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.cli.calling import ORDERS, Caller
from tests.e2e.venvs import DAPR_1_18, ensure


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """A caller whose environment names the server."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "orders.py").write_text(ORDERS, "utf-8")
    python = str(ensure(DAPR_1_18))
    with Caller(folder).running(
        "run", "--app-id", "shop", "--log-level", "warn", "--", python, "orders.py"
    ) as lines:
        told = lines.read_until("Server: HTTP")
        url = told.partition("HTTP ")[2].partition(",")[0]
        lines.read_until("== APP == the worker is ready")
        yield Caller(folder, {"DAPR_HTTP_ENDPOINT": url})
        lines.process.send_signal(signal.SIGINT)
        assert lines.end() == 0, lines.text
        assert "== APP == the worker has stopped" in lines.seen


@pytest.fixture
def caller(tmp_path: Path) -> Caller:
    """A caller in an empty folder, with no server named."""
    return Caller(tmp_path)
