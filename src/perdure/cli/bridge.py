"""`perdure bridge`: the workflows of Dapr SDKs, run on a Temporal cluster."""

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from perdure.base.errors import ConfigurationError
from perdure.cli.flags import given, with_server_flags

_PANEL: Final = "Temporal"
# What a bridge keeps is kept by the cluster.
_NOT_OF_A_BRIDGE: Final = frozenset({"store", "resources_path"})

_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure bridge --temporal localhost:7233 --app-id shop
  perdure bridge --temporal temporal.internal:7233 --namespace orders --app-id shop --dapr-grpc-port 50002
  TEMPORAL_API_KEY=secret perdure bridge --temporal us-east-1.aws.api.temporal.io:7233 --temporal-tls --app-id shop

Workers and clients find the bridge as they find `perdure serve`: by DAPR_GRPC_PORT or DAPR_GRPC_ENDPOINT. Nothing is kept here: a bridge that is stopped or killed is replaced by another, and the workflows go on.
"""  # noqa: E501 - a paragraph of help is one line


@with_server_flags(without=_NOT_OF_A_BRIDGE)
def bridge(  # noqa: PLR0913 - every flag is a parameter
    *,
    temporal: Annotated[
        str | None,
        typer.Option(
            help="Address of the cluster's front end. [dim]\\[default: localhost:7233][/dim]",
            envvar="TEMPORAL_ADDRESS",
            metavar="HOST:PORT",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    namespace: Annotated[
        str | None,
        typer.Option(
            help="Namespace of the cluster. [dim]\\[default: default][/dim]",
            envvar="TEMPORAL_NAMESPACE",
            metavar="NAME",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    task_queue: Annotated[
        str | None,
        typer.Option(
            help="Task queue of the workflows and activities; {app_id} in it stands for the app, "
            "this one or another one that is called. [dim]\\[default: {app_id}][/dim]",
            metavar="NAME",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    temporal_tls: Annotated[
        bool,
        typer.Option(
            "--temporal-tls",
            help="Speak TLS to the cluster. TEMPORAL_API_KEY sends a key, too.",
            rich_help_panel=_PANEL,
        ),
    ] = False,
    temporal_tls_ca: Annotated[
        Path | None,
        typer.Option(
            help="Certificate authority of the cluster (PEM).",
            metavar="FILE",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    temporal_tls_cert: Annotated[
        Path | None,
        typer.Option(
            help="Certificate to show to the cluster (PEM).",
            metavar="FILE",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    temporal_tls_key: Annotated[
        Path | None,
        typer.Option(
            help="Private key of that certificate (PEM).", metavar="FILE", rich_help_panel=_PANEL
        ),
    ] = None,
    **settings: object,
) -> None:
    """Run workflows of Dapr SDKs on a Temporal cluster, until it is stopped."""
    # The server's modules take a while to load: only whoever serves should wait for them.
    from perdure.app import config  # noqa: PLC0415
    from perdure.app.bridge_options import ClusterFlags  # noqa: PLC0415

    loaded = config.load(given(settings), os.environ)
    flags = ClusterFlags(
        temporal=temporal,
        namespace=namespace,
        task_queue=task_queue,
        temporal_tls=temporal_tls,
        temporal_tls_ca=temporal_tls_ca,
        temporal_tls_cert=temporal_tls_cert,
        temporal_tls_key=temporal_tls_key,
    )
    try:
        from perdure.app import bridging  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the bridge needs Temporal's client, and {error.name} is not installed; "
            "install it with: pip install 'perdure[temporal]'"
        ) from error
    raise typer.Exit(bridging.run_bridge(loaded, flags))


def add_to(app: typer.Typer) -> None:
    """Make `bridge` known to the program."""
    app.command("bridge", epilog=_EXAMPLES, rich_help_panel="Run")(bridge)
