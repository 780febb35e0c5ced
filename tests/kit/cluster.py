"""A Temporal development server of the test's own, which can be killed and started again."""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from perdure.app.clock import SystemClock
from perdure.components.temporal.component import TemporalComponent
from perdure.components.temporal.settings import TemporalSettings
from tests.kit.brokers.process import HOST, BrokerProcess, free_port

TEMPORAL: Final = Path(sys.executable).parent / "temporal"
# What a person would register for the tags that they search by.
ATTRIBUTES: Final = {
    "city": "Keyword",
    "items": "Int",
    "paid": "Bool",
    "due": "Datetime",
    "weight": "Double",
    "labels": "KeywordList",
}
_CONFIGURATION: Final = {
    "frontend.WorkflowPauseEnabled": "true",
    # Tests look again and again until a listing has caught up.
    "frontend.namespaceRPS.visibility": "10000",
    # What has finished can be deleted once the queues have noted it, which is every half a minute.
    "history.transferProcessorUpdateAckInterval": '"500ms"',
    "history.visibilityProcessorUpdateAckInterval": '"500ms"',
}


class Cluster(BrokerProcess):
    """The server with its state in a file of `folder`, so that it comes back as it was."""

    def __init__(
        self, folder: Path, configuration: Mapping[str, str] | None = None, *, keeps: bool = True
    ) -> None:
        """Take a port; `configuration` overrides what the tests usually ask of a server.

        One that need not come back `keeps` nothing, and is quicker for it.
        """
        self.port = free_port()
        # It has to come back after a kill, not after a power cut.
        file = ("--db-filename", str(folder / "temporal.db"), "--sqlite-pragma", "synchronous=OFF")
        super().__init__(
            [
                str(TEMPORAL),
                *("server", "start-dev", "--headless", "--log-level", "error", "--ip", HOST),
                *("--port", str(self.port), *(file if keeps else ())),
                *(
                    f"--dynamic-config-value={key}={value}"
                    for key, value in {**_CONFIGURATION, **(configuration or {})}.items()
                ),
                *(f"--search-attribute={name}={kind}" for name, kind in ATTRIBUTES.items()),
            ],
            folder=folder,
            # The last thing that it says once it takes connections.
            ready="Metrics:",
        )

    def freeze(self) -> None:
        """Let it do nothing, not even refuse."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "the server does not run"
        os.kill(self._process.pid, number)

    @property
    def hostport(self) -> str:
        """Where it takes connections."""
        return f"{HOST}:{self.port}"

    def settings(
        self, name: str = "cluster", task_queue: str | None = "orders"
    ) -> TemporalSettings:
        """What a component file of this server would say."""
        return TemporalSettings(
            name=name,
            hostport=self.hostport,
            namespace="default",
            identity="the tests",
            task_queue=task_queue,
            workflow_types=(),
            tls=None,
            api_key=None,
        )

    def component(self, task_queue: str | None = "orders") -> TemporalComponent:
        """A component of this server, not yet opened."""
        return TemporalComponent(self.settings(task_queue=task_queue), SystemClock(), app_id="app")
