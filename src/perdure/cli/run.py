"""`perdure run`: a server and an application together, for as long as the application runs."""

import asyncio
import os
import shlex
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Annotated, Any, Final

import typer

from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.flags import STOPPING, as_arguments, given, with_server_flags
from perdure.cli.output import note
from perdure.cli.printable import cut

_EXAMPLES = """\b
[bold]Examples[/bold]
  perdure run --app-id shop -- python app.py
  perdure run --store shop.db --dapr-http-port 3500 -- node app.js
  perdure run --log-level warn -- sh -c './web & ./worker'

The application finds the server by APP_ID, DAPR_HTTP_PORT, DAPR_GRPC_PORT, DAPR_HTTP_ENDPOINT and DAPR_GRPC_ENDPOINT, as every Dapr SDK does. Its lines are marked with == APP ==. Both stop on Ctrl-C or when one of them ends; the exit code is that of the application.
"""  # noqa: E501 - a paragraph of help is one line

# The server is asked to stop within its own time; only one that hangs is killed, this much later.
_SERVER_STOP_MARGIN_S: Final = 5
_SHOWN_CHARACTERS: Final = 100
_ANY_ADDRESS: Final = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to call


@with_server_flags(
    dapr_http_port="a free one, or DAPR_HTTP_PORT", dapr_grpc_port="a free one, or DAPR_GRPC_PORT"
)
def run(
    program: Annotated[
        list[str], typer.Argument(metavar="PROGRAM", help="The application and its arguments.")
    ],
    *,
    app_stop_seconds: Annotated[
        float,
        typer.Option(
            metavar="N",
            help="Seconds that the application may take to stop before it is killed.",
            rich_help_panel=STOPPING,
        ),
    ] = 10,
    **settings: Any,
) -> None:
    """Run a server and an application together, for development and for small machines."""
    # Only `run` needs these, and they take a while to load.
    from perdure.app import config
    from perdure.cli.together import Plan, run_together

    check_program(program)
    loaded = config.load(given(settings), os.environ)
    host = callable_host(loaded.listen_addresses)
    asked = asked_ports(settings, os.environ)
    http_port, grpc_port = choose_ports(host, *asked)
    environ = app_environ(
        os.environ,
        app_id=loaded.app_id,
        http_address=f"{in_url(host)}:{http_port}",
        grpc_address=f"{in_url(host)}:{grpc_port}",
        grpc_scheme="http" if loaded.tls_cert is None else "https",
    )
    http_url = environ["DAPR_HTTP_ENDPOINT"]
    shown = cut(shlex.join(program), _SHOWN_CHARACTERS)
    note(f"Server: HTTP {http_url}, gRPC {in_url(host)}:{grpc_port}. Starting: {shown}")
    settings |= {"dapr_http_port": http_port, "dapr_grpc_port": grpc_port}
    plan = Plan(
        server=[sys.executable, "-m", "perdure", "serve", *as_arguments(settings)],
        app=program,
        app_environ=environ,
        health_url=f"{http_url}/v1.0/healthz/outbound",
        app_stop_s=app_stop_seconds,
        server_stop_s=loaded.stop_seconds + _SERVER_STOP_MARGIN_S,
    )
    raise typer.Exit(asyncio.run(run_together(plan)))


def check_program(program: Sequence[str]) -> None:
    """Raise Trouble if there is no such program to start."""
    if shutil.which(program[0]) is None:
        raise Trouble(
            f"There is no program {program[0]!r} to start.",
            advice="Name it by its path, or as it is found on PATH: "
            "perdure run --app-id shop -- python app.py",
            code=ExitCode.NOT_FOUND,
        )


def callable_host(listen_addresses: Sequence[str]) -> str:
    """Return the address under which a server that listens on these can be called from here."""
    first = listen_addresses[0].strip("[]")
    return _ANY_ADDRESS.get(first, first)


def in_url(host: str) -> str:
    """Return an address as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def asked_ports(settings: Mapping[str, object], environ: Mapping[str, str]) -> tuple[int, int]:
    """Return the HTTP and the gRPC port that somebody asked for; 0 is "any"."""
    http_port, grpc_port = (
        settings.get(key) or environ.get(key.upper()) or 0
        for key in ("dapr_http_port", "dapr_grpc_port")
    )
    return int(str(http_port)), int(str(grpc_port))


def choose_ports(host: str, *asked: int) -> list[int]:
    """Return the ports asked for, and free ones for those that are 0. Raises Trouble."""
    with ExitStack() as held:
        # All are held until the last is found, so that they differ.
        return [_hold(held, host, port) for port in asked]


def _hold(held: ExitStack, host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = held.enter_context(socket.socket(family))
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError as fault:
        raise Trouble(
            f"Port {port} of {host} cannot be used: {fault.strerror}.",
            advice="Another server may run there. Leave the port out to get a free one, "
            "or give another with --dapr-http-port and --dapr-grpc-port.",
            code=ExitCode.USAGE,
        ) from fault
    found: int = taken.getsockname()[1]
    return found


def app_environ(
    environ: Mapping[str, str],
    *,
    app_id: str,
    http_address: str,
    grpc_address: str,
    grpc_scheme: str,
) -> dict[str, str]:
    """Return the environment in which Dapr's SDKs find the server. An API token stays in it."""
    return {
        # Python keeps the lines of a program back when it does not write to a terminal.
        "PYTHONUNBUFFERED": "1",
        **environ,
        "APP_ID": app_id,
        "DAPR_HTTP_PORT": http_address.rpartition(":")[2],
        "DAPR_GRPC_PORT": grpc_address.rpartition(":")[2],
        "DAPR_HTTP_ENDPOINT": f"http://{http_address}",
        "DAPR_GRPC_ENDPOINT": f"{grpc_scheme}://{grpc_address}",
    }


def add_to(app: typer.Typer) -> None:
    """Make `run` known to the program."""
    app.command(
        "run",
        epilog=_EXAMPLES,
        rich_help_panel="Run",
        no_args_is_help=True,
        # What follows the program's name is the program's, even if it looks like a flag of ours.
        context_settings={"allow_interspersed_args": False},
    )(run)
