"""A server whose workflows run on a Temporal cluster: the same doors before another engine."""

import os
from collections.abc import Mapping
from functools import partial

from typing_extensions import override

from perdure.app.bridge_options import ClusterFlags, check_config, cluster_of, queues_of
from perdure.app.clock import SystemClock
from perdure.app.compose import House, furnish, listen
from perdure.app.config import Config
from perdure.app.serve import run
from perdure.app.server import Server
from perdure.app.stopping import Stopping
from perdure.bridge.component import BridgeComponent
from perdure.bridge.service import Bridge
from perdure.bridge.settings import BridgeSettings
from perdure.components.catalog import EMBEDDED, Catalog


class BridgeServer(Server):
    """The server of `perdure bridge`."""

    def __init__(self, settings: BridgeSettings, config: Config, stopping: Stopping) -> None:
        """Take the configuration; nothing is opened before `start`."""
        super().__init__(config, stopping)
        self._settings = settings

    @property
    @override
    def keeping(self) -> Mapping[str, str]:
        cluster = self._settings.cluster
        return {
            "temporal": cluster.hostport,
            "namespace": cluster.namespace,
            "task_queue": self._settings.queues.replace("{app_id}", self.config.app_id),
        }

    @override
    def _build(self) -> House:
        ears, clock = listen(self.config, self._process), SystemClock()
        component = BridgeComponent(self._settings, clock)
        catalog = Catalog({EMBEDDED: component}, {})
        bridge = Bridge(self._settings, clock, ears.observer)
        return furnish(self.config, self._process, ears, catalog, bridge, (component,))


def run_bridge(config: Config, flags: ClusterFlags) -> int:
    """Serve until a signal or a request ends it, and return the exit code.

    Raises ConfigurationError if a flag, a port or the cluster cannot be used.
    """
    workflow = config.workflow
    settings = BridgeSettings(
        cluster=cluster_of(flags, config, os.environ),
        app_id=config.app_id,
        queues=queues_of(flags),
        message_bytes_max=config.message_bytes_max,
        turns_max=workflow.turns_max,
        activities_max=workflow.activities_max,
        turns_max_by_name=workflow.turns_max_by_name,
        activities_max_by_name=workflow.activities_max_by_name,
    )
    return run(check_config(config), partial(BridgeServer, settings))
