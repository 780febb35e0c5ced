"""A campaign: clients, workers, and a server that dies until all of it is accounted for."""

import os
import signal
import subprocess
import threading
from pathlib import Path
from random import Random
from typing import Final

from tests.e2e import venvs
from tests.e2e.crash.calls import Calls
from tests.e2e.crash.diaries import extra_runs, judge_diaries
from tests.e2e.crash.judging import judge_end, judge_listing
from tests.e2e.crash.ledger import Ledger, read_diaries
from tests.e2e.crash.load import Client, Gate
from tests.e2e.crash.observing import Window
from tests.e2e.crash.plan import Before, Round
from tests.e2e.crash.proxy import Proxy
from tests.e2e.crash.stories import stories_of
from tests.e2e.programs import Program, clean_environment
from tests.e2e.serving import Server
from tests.e2e.venvs import REPOSITORY

CLIENTS: Final = 6
CUT_CLIENTS: Final = 2  # of these the connections are cut at times
DRAIN_DEADLINE_S: Final = 60.0
WORKER_DEADLINE_S: Final = 60.0


class Campaign:
    """One store from its first start to its last judgement.

    Two workers of the released SDK run throughout. `near` is connected by way of a proxy that
    keeps it waiting while there is no server, so that it is back as soon as the server is; `far`
    is connected as users connect it, and comes back when its own pauses are over.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.server = Server.in_folder(folder)
        self.ledger = Ledger(folder / "ledger.jsonl")
        self._random = Random(f"{seed}-campaign")
        self._proxy = Proxy(self.server.grpc_port).start()
        # Clients are turned away while there is no server, as they are without a proxy.
        self._client_proxies = [
            Proxy(port, patience_s=0.0).start()
            for port in (self.server.http_port, self.server.grpc_port)
        ]
        self._gate = Gate()
        self._workers: dict[str, Program] = {}
        self._hired = 0
        self._waiting = threading.Event()  # never set: it only lets time pass
        self._window = Window(self.server)
        self._clients = [
            self._client(f"c{number}", seed, by_proxy=number < CUT_CLIENTS)
            for number in range(CLIENTS)
        ]
        self._finisher = self._client("finisher", seed)
        self.complaints: list[str] = []

    def _client(self, name: str, seed: int, *, by_proxy: bool = False) -> Client:
        if by_proxy:
            calls = Calls(*(proxy.port for proxy in self._client_proxies))
        else:
            calls = Calls(self.server.http_port, self.server.grpc_port)
        return Client(name, seed, calls, self.ledger, self._gate)

    # ---- its life

    def begin(self) -> None:
        self.server.start()
        self._hire("near")
        self._hire("far")
        self._gate.open()
        for client in self._clients:
            client.begin()

    def play(self, planned: Round) -> None:
        """Play one round; at its end the server is up again, and nobody has been let in yet."""
        self.ledger.write("round", plan=str(planned))
        self._let_pass(planned.before_after_s)
        self._trouble(planned)
        if planned.killed_after_acks is None:
            self._let_pass(planned.killed_after_s)
        else:
            self.ledger.await_acks(planned.killed_after_acks, planned.killed_after_s)
        self._kill()
        self._come_back()

    def finish(self) -> None:
        """Let everything come to its end, and judge it all."""
        for client in self._clients:
            client.finish()
        self._resume_suspended()
        self._window.await_finish(DRAIN_DEADLINE_S)
        records = self.ledger.records()
        seen = self._window.everything()
        diaries = read_diaries(self.folder)
        self.complaints += judge_end(records, seen)
        self.complaints += judge_diaries(records, diaries, seen)
        self._judge_stuck("in the end")

    def close(self) -> None:
        for client in (*self._clients, self._finisher):
            client.close()
        for worker in self._workers.values():
            worker.kill()
        self._proxy.close()
        for proxy in self._client_proxies:
            proxy.close()
        self._window.close()
        self.server.close()

    def told(self) -> str:
        """What there was to judge, in one line for people."""
        records, diaries = self.ledger.records(), read_diaries(self.folder)
        stories = stories_of(records).values()
        acked = sum(record.get("outcome") == "acked" for record in records)
        unknown = sum(record.get("outcome") == "unknown" for record in records)
        return (
            f"{len(stories)} workflows, {acked} calls acknowledged, {unknown} without an answer, "
            f"{sum(r['what'] == 'run' for r in diaries)} activities run, "
            f"{extra_runs(diaries)} of them again, "
            f"{sum(r['what'] == 'death' for r in records)} deaths"
        )

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
                self._kill_worker()

    def _kill_worker(self) -> None:
        name = self._random.choice(sorted(self._workers))
        self.ledger.write("death", whom=name, how="SIGKILL")
        self._workers[name].kill()
        self._hire(name)

    def _cut(self) -> None:
        # To the server it is as if the worker had died; what it still says comes late.
        self.ledger.write("death", whom="near", how="its connections were cut")
        for proxy in (self._proxy, *self._client_proxies):
            proxy.cut()

    def _stop(self) -> None:
        self.ledger.write("death", whom="server", how="SIGTERM")
        code = self.server.stop()
        if code != 0:
            self.complaints.append(f"the server stopped with exit code {code}")

    def _kill(self) -> None:
        self.ledger.write("death", whom="server", how="SIGKILL")
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
        self.ledger.write("death", whom="server", how="SIGKILL while it starts")
        starting.kill()
        starting.wait()

    def _come_back(self) -> None:
        self._gate.close()
        records = self.ledger.records()
        self.server.start()
        self.complaints += judge_listing(records, self._window.statuses())
        self._judge_stuck(f"after death {sum(r['what'] == 'death' for r in records)}")
        self._gate.open()

    def _judge_stuck(self, when: str) -> None:
        count = self._window.stuck()
        if count:
            self.complaints.append(f"{count} instances are stuck {when}")

    def _let_pass(self, seconds: float) -> None:
        self._waiting.wait(seconds)

    # ---- workers

    def _hire(self, name: str) -> None:
        self._hired += 1
        way = self._proxy.port if name == "near" else self.server.grpc_port
        environment = {**self.server.worker_environment, "DAPR_GRPC_PORT": str(way)}
        diary = self.folder / f"diary-{self._hired}-{name}.jsonl"
        worker = Program(
            [str(venvs.ensure(venvs.DAPR_1_18)), "-m", "tests.e2e.crash.workers.dapr_python",
             name, str(diary)],
            log=self.folder / f"worker-{name}.log",
            folder=REPOSITORY,
            environment=environment,
        )  # fmt: skip
        self._workers[name] = worker
        worker.wait_for(WORKER_DEADLINE_S, ready=name)

    # ---- the end

    def _resume_suspended(self) -> None:
        for instance, status in self._window.statuses().items():
            if status == "SUSPENDED":
                self._finisher.resume(instance)
