"""A server and an application that start together and end together.

The server starts first; the application starts when the server answers. From then on the first of
three things ends both: the application ends, the server ends, or somebody signals us. A signal goes
on to the application, which gets time to stop while its server is still there. Then the server
stops. A second signal means that we are to hurry: what is left is killed.
"""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

from perdure.cli.exits import ExitCode, Trouble
from perdure.cli.output import note, warn
from perdure.cli.program import Program

APP_MARK: Final = "== APP == "
_FORWARDED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_SIGNAL_EXIT_BASE: Final = 128
_READY_DEADLINE_S: Final = 60.0
_READY_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run side by side."""

    server: Sequence[str]
    app: Sequence[str]
    app_environ: Mapping[str, str]
    health_url: str
    app_stop_s: float
    server_stop_s: float


class _Signals:
    """The signals that reach us: the first one, and whether there was a second."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.first: asyncio.Future[signal.Signals] = loop.create_future()
        self.hurry = asyncio.Event()
        for number in _FORWARDED:
            loop.add_signal_handler(number, self._take, number)

    def _take(self, number: signal.Signals) -> None:
        if self.first.done():
            self.hurry.set()
        else:
            self.first.set_result(number)


async def run_together(plan: Plan) -> int:
    """Run both until one ends or a signal comes, and return the application's exit code."""
    signals = _Signals()
    server = await Program.start(plan.server, os.environ, prefix=None)
    try:
        if not await _is_ready(server, plan, signals):
            return _SIGNAL_EXIT_BASE + signals.first.result()
        return await _run_app(server, plan, signals)
    finally:
        await server.end(signal.SIGTERM, plan.server_stop_s, signals.hurry)


async def _is_ready(server: Program, plan: Plan, signals: _Signals) -> bool:
    """Return true once the server answers, false if a signal came first. Raises Trouble."""
    deadline = asyncio.get_running_loop().time() + _READY_DEADLINE_S
    # The proxy settings of the machine are not for a server on this machine.
    async with httpx.AsyncClient(trust_env=False, timeout=_READY_DEADLINE_S) as client:
        while not signals.first.done():
            if server.ended.done():
                raise _server_ended(server, "before it was ready")
            if await _answers(client, plan.health_url):
                return True
            if asyncio.get_running_loop().time() > deadline:
                raise Trouble(
                    f"The server was not ready within {_READY_DEADLINE_S:.0f} s.",
                    advice=f"Its log above says why; {plan.health_url} is where it was asked.",
                    code=ExitCode.AWAY,
                )
            either: set[asyncio.Future[Any]] = {server.ended, signals.first}
            await asyncio.wait(either, timeout=_READY_POLL_S)
    return False


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        answer = await client.get(url)
    except httpx.TransportError:
        return False
    return answer.is_success


def _server_ended(server: Program, when: str) -> Trouble:
    code = server.exit_code
    known = code in set(ExitCode)
    return Trouble(
        f"The server ended with exit code {code}, {when}.",
        advice="Its last lines above say why.",
        code=ExitCode(code) if known and code != ExitCode.OK else ExitCode.FAILED,
    )


async def _first_end(app: Program, server: Program, signals: _Signals) -> None:
    """Return when one of the two has ended, a signal came, or nobody reads our output any more."""
    pumps = set(app.pumps)
    while not (app.ended.done() or server.ended.done() or signals.first.done()):
        ends: set[asyncio.Future[Any]] = {app.ended, server.ended, signals.first, *pumps}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for pump in {pump for pump in pumps if pump.done()}:
            # A program may close its output and go on; a closed output of ours is raised here.
            pumps.remove(pump)
            pump.result()


async def _run_app(server: Program, plan: Plan, signals: _Signals) -> int:
    try:
        app = await Program.start(plan.app, plan.app_environ, prefix=APP_MARK)
    except OSError as fault:
        raise Trouble(
            f"{plan.app[0]} cannot be started: {fault.strerror}.",
            advice="Is it a program of this kind of machine, or a script with a #! line?",
        ) from fault
    why_end = signal.SIGTERM
    try:
        await _first_end(app, server, signals)
        if signals.first.done():
            why_end = signals.first.result()
    finally:
        running = not app.ended.done()
        killed = await app.end(why_end, plan.app_stop_s, signals.hurry)
    if running and killed and not signals.hurry.is_set():
        warn(f"The application did not end within {plan.app_stop_s:g} s, so it was killed.")
    if running and server.ended.done() and not signals.first.done():
        raise _server_ended(server, "so the application was stopped")
    note(f"The application ended with exit code {app.exit_code}.")
    return app.exit_code
