"""What the comparisons with Dapr's own sidecar share."""

import pytest

from tests.e2e.daprd import sidecar


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """Build it, which takes minutes the first time."""
    sidecar.build_it()
