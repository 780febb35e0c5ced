"""A real `perdure bridge` as its own process, before a Temporal server of the test's own."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from typing_extensions import override

from tests.e2e.serving import Server, free_ports
from tests.kit.cluster import Cluster


@dataclass
class BridgeProcess(Server):
    """`perdure bridge` on ports of its own; what it keeps, the cluster keeps."""

    cluster: Cluster | None = None
    extra: Sequence[str] = field(default_factory=tuple)

    @classmethod
    def before(cls, cluster: Cluster, folder: Path, *extra: str) -> "BridgeProcess":
        """Return a bridge to a cluster; its log is in `folder`."""
        http_port, grpc_port = free_ports(2)
        return cls(
            folder / "no-store-here",
            folder / f"bridge-{http_port}.log",
            http_port,
            grpc_port,
            cluster=cluster,
            extra=extra,
        )

    @property
    @override
    def command(self) -> list[str]:
        assert self.cluster is not None, "a bridge leads to a cluster"
        return [
            *(sys.executable, "-m", "perdure", "bridge"),
            *("--temporal", self.cluster.hostport),
            *("--dapr-http-port", str(self.http_port)),
            *("--dapr-grpc-port", str(self.grpc_port)),
            *("--app-id", self.app_id),
            *self.extra,
        ]

    @property
    @override
    def worker_environment(self) -> dict[str, str]:
        # Every step goes to the cluster and back, and the machine may have other things to do.
        return {**super().worker_environment, "CASES_PATIENCE_S": "90"}
