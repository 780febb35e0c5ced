"""What every engine offers to the measurements: install, launch, load, and what it syncs."""

import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from benchmarks.peers.processes import Processes, Program
from tests.e2e.serving import free_ports

APPLICATIONS: Final = Path(__file__).parent / "applications"
HOST: Final = "127.0.0.1"
PROBE_TIMEOUT_S: Final = 5.0

__all__ = ["APPLICATIONS", "HOST", "Engine", "Place", "UnavailableError", "answers", "free_ports"]


class UnavailableError(Exception):
    """A peer cannot be had on this machine, and why."""


class Place(Protocol):
    """An engine with its data in one folder and on its own ports, launched any number of times."""

    def launch(self, processes: Processes) -> None:
        """Start the engine and its worker, and return once they are ready."""
        ...

    def load(self, processes: Processes) -> Program:
        """Start what gives the load."""
        ...

    def syncs(self) -> str:
        """What the running engine itself says about its syncs."""
        ...


class Engine(Protocol):
    """One engine."""

    @property
    def name(self) -> str:
        """How the report calls it."""
        ...

    @property
    def embedded(self) -> bool:
        """Whether the program that gives the load is the engine itself: a library."""
        ...

    def install(self) -> Mapping[str, str]:
        """Install it if need be and return its versions; UnavailableError says why it cannot be."""
        ...

    def place(self, folder: Path) -> Place:
        """Make a place for it in an empty folder."""
        ...


def answers(url: str) -> bool:
    """Whether somebody answers there with success."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=PROBE_TIMEOUT_S):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
