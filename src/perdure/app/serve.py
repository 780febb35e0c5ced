"""The life of the process: start, serve until it is told to stop, stop in good order."""

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Callable
from typing import Final

import uvloop

import perdure
from perdure.app.config import Config
from perdure.app.open_files import allow_open_files
from perdure.app.readiness import notify
from perdure.app.server import Server
from perdure.app.stopping import Stopping
from perdure.observability.logs import logger, logging_to

# Beyond the stated time something hangs that nobody foresaw, such as a disk; nothing that was
# acknowledged depends on a good end.
_BACKSTOP_S: Final = 2.0

_YOUNG_OBJECTS: Final = 20_000  # made, and not gone by themselves, before garbage is looked for

_FILES_LEAST: Final = 1_000  # connections that a server is expected to bear

MakeServer = Callable[[Config, Stopping], Server]

_log = logger("perdure.runtime")


def run(config: Config, make_server: MakeServer = Server) -> int:
    """Serve until a signal or a request ends it, and return the exit code. Installs uvloop.

    Raises ConfigurationError if a port or a file cannot be used, StoreError if the store cannot.
    The process is gone at the latest two seconds after the configured time for stopping.
    """
    with (
        logging_to(
            sys.stdout,
            level=config.log_level,
            as_json=config.writes_json,
            app_id=config.app_id,
            version=perdure.__version__,
        ),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        _spare_collections()
        files = allow_open_files()
        if files < _FILES_LEAST:
            _log.warning(
                "few files may be open: connections beyond are turned away without a word",
                open_files_max=files,
                mend="ulimit -n 65536, or LimitNOFILE=65536 for systemd",
            )
        return runner.run(_serve_with_backstop(config, make_server))


async def serve(config: Config, stopping: Stopping, make_server: MakeServer = Server) -> int:
    """Serve until `stopping` is requested, and return the exit code."""
    server = make_server(config, stopping)
    await server.start()
    try:
        _tell_started(server)
        _notify("READY=1")
        await server.ended()
        _log.info("stopping", reason=stopping.reason, within_seconds=config.stop_seconds)
        _notify("STOPPING=1")
    finally:
        await server.stop()
    _log.info("stopped", exit_code=stopping.exit_code)
    return stopping.exit_code


def _spare_collections() -> None:
    """Look for garbage less often: what is here by now stays, and records make hardly any cycles.

    `hello` costs the server a tenth less CPU for it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 50)


def _notify(state: str) -> None:
    try:
        notify(state, os.environ)
    except OSError as error:
        _log.warning("whoever started this process cannot be told", state=state, error=str(error))


async def _serve_with_backstop(config: Config, make_server: MakeServer) -> int:
    stopping = Stopping()
    stopping.on_change = lambda: _arm_backstop(config, stopping)
    with stopping.by_signals():
        return await serve(config, stopping, make_server)


def _arm_backstop(config: Config, stopping: Stopping) -> None:
    within_s = _BACKSTOP_S + (0 if stopping.hurried.is_set() else config.stop_seconds)
    backstop = threading.Timer(within_s, _exit_now)
    backstop.daemon = True
    backstop.start()


def _exit_now() -> None:
    sys.stderr.write("perdure: stopping takes too long; ended without waiting any more\n")
    sys.stderr.flush()
    os._exit(1)


def _tell_started(server: Server) -> None:
    config = server.config
    for warning in config.warnings:
        _log.warning(warning)
    for warning in server.warnings:
        _log.warning(warning)
    for warning in _open_doors(config):
        _log.warning(warning)
    hosts = [f"[{host}]" if ":" in host else host for host in config.listen_addresses]
    for door in server.doors:
        urls = " ".join(f"http://{host}:{server.port_of(door)}" for host in hosts)
        _log.info("serving HTTP", door=door, url=urls)
    _log.info(
        "serving gRPC",
        address=" ".join(f"{host}:{server.grpc_port}" for host in hosts),
        tls=_tls(config),
    )
    _log.info("keeping workflows", **server.keeping)
    _log.info(
        f"perdure {perdure.__version__} is ready",
        app_id=config.app_id,
        asks_for_token=config.api_token is not None,
        process=os.getpid(),
    )


def _open_doors(config: Config) -> list[str]:
    if config.is_loopback_only:
        return []
    warnings = []
    addresses = ", ".join(config.listen_addresses)
    if config.api_token is None:
        warnings.append(
            f"listening on {addresses} without an API token: whoever reaches this machine can run "
            "and read workflows; set DAPR_API_TOKEN"
        )
    else:
        warnings.append(f"listening on {addresses}: other machines can reach this server")
    if config.tls_cert is not None:
        warnings.append("TLS is for the gRPC port only: HTTP is not encrypted")
    return warnings


def _tls(config: Config) -> str:
    if config.tls_cert is None:
        return "off"
    return "on" if config.tls_client_ca is None else "on, clients need a certificate"
