"""`perdure serve`: one process, one file, both doors."""

import os
from pathlib import Path

import typer

from perdure.base.errors import StoreError, StoreHalfFilled, StoreLocked
from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.flags import given, with_server_flags

_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure serve
  perdure serve --store /var/lib/shop/workflows.db --app-id shop
  perdure serve --dapr-http-port 3501 --dapr-grpc-port 50002 --log-as-json
  DAPR_API_TOKEN=secret perdure serve --dapr-listen-addresses 0.0.0.0

Workers find the server by DAPR_GRPC_PORT or DAPR_GRPC_ENDPOINT. With DAPR_API_TOKEN set, every caller must send that token. SIGTERM and Ctrl-C stop it in good order; nothing is lost by either.
"""  # noqa: E501 - a paragraph of help is one line


@with_server_flags()
def serve(**settings: object) -> None:
    """Run the server until it is stopped."""
    # The server's modules take a while to load: only whoever serves should wait for them.
    from perdure.app import config, serve

    loaded = config.load(given(settings), os.environ)
    try:
        code = serve.run(loaded)
    except StoreLocked as fault:
        raise Trouble(
            str(fault),
            advice="Stop the other process, or give this one another file with --store.",
            code=ExitCode.CONFLICT,
        ) from fault
    except StoreHalfFilled as fault:
        raise Trouble(
            f"{fault}.",
            advice="Run the same `perdure promote` again, which goes on where it was, or take back "
            "what it has\nput there with `perdure promote --abandon`.",
            code=ExitCode.CONFLICT,
        ) from fault
    except StoreError as fault:
        advice = "--store names another file." if isinstance(loaded.store, Path) else ""
        raise Trouble(str(fault), advice=advice) from fault
    raise typer.Exit(code)


def add_to(app: typer.Typer) -> None:
    """Make `serve` known to the program."""
    app.command("serve", epilog=_EXAMPLES, rich_help_panel="Run")(serve)
