"""Servers for hostile tests: one for a whole module where it must not come to harm anyway."""

from collections.abc import Iterator

import pytest

from tests.e2e.hostile.hands import fresh
from tests.e2e.serving import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that every test of a module is hostile to, one after the other."""
    server = Server.in_folder(tmp_path_factory.mktemp("hostile")).start()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def loud() -> str:
    """The app of a test's own hostile workers; what one test leaves is no other test's work."""
    return fresh("loud")
