"""A campaign: clients, workers, and a server that dies until all of it is accounted for."""

import os
import signal
import subprocess
import threading
from pathlib import Path
from random import Random
from typing import Final

from tests.e2e.crash.calls import Calls, Door
from tests.e2e.crash.company import Company
from tests.e2e.crash.diaries import SERVER
from tests.e2e.crash.observing import Window
from tests.e2e.crash.plan import Before, Round
from tests.e2e.programs import clean_environment
from tests.e2e.proxy import Proxy
from tests.e2e.serving import Server

CLIENTS: Final = 6
CUT_CLIENTS: Final = 2  # of these the connections are cut at times


class Campaign:
    """One store from its first start to its last judgement.

    Two workers of the released SDK run throughout. `near` is connected by way of a proxy that
    keeps it waiting while there is no server, so that it is back as soon as the server is; `far`
    is connected as users connect it, and comes back when its own pauses are over.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.server = Server.in_folder(folder)
        self._random = Random(f"{seed}-campaign")
        self._proxy = Proxy(self.server.grpc_port).start()
        # Clients are turned away while there is no server, as they are without a proxy.
        self._client_proxies = [
            Proxy(port, patience_s=0.0).start()
            for port in (self.server.http_port, self.server.grpc_port)
        ]
        self._waiting = threading.Event()  # never set: it only lets time pass
        door = Door(self.server.http_port, self.server.grpc_port)
        window = Window(lambda: self.server.http_port)
        self.company = Company(folder, seed, window, Calls(door))
        by_proxy = Door(*(proxy.port for proxy in self._client_proxies))
        for number in range(CLIENTS):
            way = by_proxy if number < CUT_CLIENTS else door
            self.company.invite(f"c{number}", Calls(way))

    @property
    def complaints(self) -> list[str]:
        """What was found to be wrong so far."""
        return self.company.complaints

    # ---- its life

    def begin(self) -> None:
        self.server.start()
        self._hire("near", self._proxy.port)
        self._hire("far", self.server.grpc_port)
        self.company.begin()

    def _hire(self, name: str, port: int) -> None:
        environment = {**self.server.worker_environment, "DAPR_GRPC_PORT": str(port)}
        self.company.hire(name, environment)

    def play(self, planned: Round) -> None:
        """Play one round; at its end the server is up again, and nobody has been let in yet."""
        self.company.ledger.write("round", plan=str(planned))
        self._let_pass(planned.before_after_s)
        self._trouble(planned)
        if planned.killed_after_acks is None:
            self._let_pass(planned.killed_after_s)
        else:
            self.company.ledger.await_acks(planned.killed_after_acks, planned.killed_after_s)
        self._kill()
        self._come_back()

    def finish(self) -> None:
        """Let everything come to its end, and judge it all."""
        self.company.finish()

    def close(self) -> None:
        self.company.close()
        self._proxy.close()
        for proxy in self._client_proxies:
            proxy.close()
        self.server.close()

    def told(self) -> str:
        """What there was to judge, in one line for people."""
        return self.company.told()

    # ---- trouble

    def _trouble(self, planned: Round) -> None:
        match planned.before:
            case Before.NOTHING:
                return
            case Before.STOP:
                self._stop()
                self._come_back()
            case Before.PAUSE | Before.KILL_PAUSED:
                os.kill(self.server.pid, signal.SIGSTOP)
                self._let_pass(planned.lasts_s)
                if planned.before is Before.PAUSE:
                    os.kill(self.server.pid, signal.SIGCONT)
            case Before.KILL_STARTING:
                self._kill()
                self._kill_while_starting(planned.lasts_s)
                self._come_back()
            case Before.CUT:
                self._cut()
            case Before.KILL_WORKER:
                name = self._random.choice(self.company.workers)
                self.company.kill_worker(name)
                self.company.replace_worker(name)

    def _cut(self) -> None:
        # To the server it is as if the worker had died; what it still says comes late.
        self.company.note_death("near", "its connections were cut")
        for proxy in (self._proxy, *self._client_proxies):
            proxy.cut()

    def _stop(self) -> None:
        self.company.note_death(SERVER, "SIGTERM")
        code = self.server.stop()
        if code != 0:
            self.company.complaints.append(f"the server stopped with exit code {code}")

    def _kill(self) -> None:
        self.company.note_death(SERVER, "SIGKILL")
        self.server.kill()

    def _kill_while_starting(self, after_s: float) -> None:
        with self.server.log.open("ab") as log:
            starting = subprocess.Popen(
                self.server.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=clean_environment({}),
            )
        self._let_pass(after_s)
        self.company.note_death(SERVER, "SIGKILL while it starts")
        starting.kill()
        starting.wait()

    def _come_back(self) -> None:
        self.company.gate.close()
        self.server.start()
        self.company.judge_now()
        self.company.gate.open()

    def _let_pass(self, seconds: float) -> None:
        self._waiting.wait(seconds)
