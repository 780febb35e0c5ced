"""`perdure bridge`: the workflows of Dapr SDKs, run on a Temporal cluster."""

import os
from pathlib import Path
from typing import Any, Final

import typer

from perdure.base.errors import ConfigurationError
from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.flags import Flag, given, with_server_flags

_PANEL: Final = "Temporal"
_TEXT: Final = str | None
_FILE: Final = Path | None
# What a bridge keeps is kept by the cluster.
_NOT_OF_A_BRIDGE: Final = frozenset(
    {"store", "no_migrate", "resources_path", "receipts_kept", "node_name", "lease_ttl"}
)
CLUSTER_FLAGS: Final = (
    Flag(
        "temporal",
        _TEXT,
        _PANEL,
        "Address of the cluster's front end.",
        "localhost:7233, or TEMPORAL_ADDRESS",
        "HOST:PORT",
    ),
    Flag(
        "namespace",
        _TEXT,
        _PANEL,
        "Namespace of the cluster.",
        "default, or TEMPORAL_NAMESPACE",
        "NAME",
    ),
    Flag(
        "task_queue",
        _TEXT,
        _PANEL,
        "Task queue of workflows and activities; {app_id} in it stands for the app, this one or "
        "another one that is called.",
        "{app_id}",
        "NAME",
    ),
    Flag(
        "temporal_tls",
        bool | None,
        _PANEL,
        "Speak TLS to the cluster. TEMPORAL_API_KEY, if set, is sent, too.",
        metavar="",
    ),
    Flag("temporal_tls_ca", _FILE, _PANEL, "Certificate authority (PEM).", metavar="FILE"),
    Flag("temporal_tls_cert", _FILE, _PANEL, "Certificate to show (PEM).", metavar="FILE"),
    Flag("temporal_tls_key", _FILE, _PANEL, "Private key of that (PEM).", metavar="FILE"),
)

_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure bridge --temporal localhost:7233 --app-id shop
  perdure bridge --temporal temporal.internal:7233 --namespace orders --app-id shop --dapr-grpc-port 50002
  TEMPORAL_API_KEY=secret perdure bridge --temporal us-east-1.aws.api.temporal.io:7233 --temporal-tls --app-id shop

Workers and clients find the bridge as they find `perdure serve`: by DAPR_GRPC_PORT or DAPR_GRPC_ENDPOINT. Nothing is kept here: a bridge that is stopped or killed is replaced by another, and the workflows go on.
"""  # noqa: E501 - a paragraph of help is one line


@with_server_flags(without=_NOT_OF_A_BRIDGE, more=CLUSTER_FLAGS)
def bridge(**settings: object) -> None:
    """Run workflows of Dapr SDKs on a Temporal cluster, until it is stopped."""
    try:
        code = _run(given(settings))
    except ConfigurationError as fault:
        advice = "See `perdure bridge --help`." if str(fault).startswith("--") else ""
        raise Trouble(str(fault), advice=advice, code=ExitCode.USAGE) from fault
    raise typer.Exit(code)


def _run(typed: dict[str, Any]) -> int:
    # The server's modules take a while to load: only whoever serves should wait for them.
    from perdure.app import bridge_options, config

    of_cluster = {flag.key: typed.pop(flag.key, None) for flag in CLUSTER_FLAGS}
    loaded = config.load(typed, bridge_options.without_a_store(os.environ))
    flags = bridge_options.cluster_flags(of_cluster, os.environ)
    try:
        from perdure.app import bridging
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the bridge needs Temporal's client, and {error.name} is not installed; "
            "install it with: pip install 'perdure[temporal]'"
        ) from error
    return bridging.run_bridge(loaded, flags)


def add_to(app: typer.Typer) -> None:
    """Make `bridge` known to the program."""
    app.command("bridge", epilog=_EXAMPLES, rich_help_panel="Run")(bridge)
