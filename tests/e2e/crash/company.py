"""Workers and clients around a server, or several as one, and the judgement of all they tell."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.e2e import venvs
from tests.e2e.crash.calls import Calls
from tests.e2e.crash.diaries import extra_runs, judge_diaries
from tests.e2e.crash.judging import judge_end, judge_listing
from tests.e2e.crash.ledger import ACKED, UNKNOWN, Ledger, read_diaries
from tests.e2e.crash.load import Client, Gate
from tests.e2e.crash.observing import Window
from tests.e2e.crash.stories import stories_of
from tests.e2e.programs import Program
from tests.e2e.venvs import REPOSITORY

DRAIN_DEADLINE_S: Final = 60.0
WORKER_DEADLINE_S: Final = 60.0


class Company:
    """All that is around what is tested, from its first start to its last judgement."""

    def __init__(self, folder: Path, seed: int, window: Window, calls: Calls) -> None:
        """Begin without workers and clients; `calls` are those of who tidies up in the end."""
        self.folder = folder
        self.ledger = Ledger(folder / "ledger.jsonl")
        self.gate = Gate()
        self.complaints: list[str] = []
        self._seed = seed
        self._window = window
        self._workers: dict[str, tuple[Program, Mapping[str, str]]] = {}
        self._hired = 0
        self._clients: list[Client] = []
        self._finisher = Client("finisher", seed, calls, self.ledger, self.gate)

    # ---- who belongs to it

    def hire(self, name: str, environment: Mapping[str, str]) -> None:
        """Start a worker of the released SDK, and return when it is ready."""
        self._hired += 1
        diary = self.folder / f"diary-{self._hired}-{name}.jsonl"
        worker = Program(
            [str(venvs.ensure(venvs.DAPR_1_18)), "-m", "tests.e2e.crash.workers.dapr_python",
             name, str(diary)],
            log=self.folder / f"worker-{name}.log",
            folder=REPOSITORY,
            environment=environment,
        )  # fmt: skip
        self._workers[name] = (worker, environment)
        worker.wait_for(WORKER_DEADLINE_S, ready=name)

    @property
    def workers(self) -> list[str]:
        """The names of those that work."""
        return sorted(self._workers)

    def kill_worker(self, name: str) -> None:
        """Kill a worker."""
        self.note_death(name, "SIGKILL")
        self._workers[name][0].kill()

    def replace_worker(self, name: str) -> None:
        """Hire another in a dead one's place."""
        self.hire(name, self._workers[name][1])

    def invite(self, name: str, calls: Calls) -> None:
        """Let a client come, which begins when all begin."""
        self._clients.append(Client(name, self._seed, calls, self.ledger, self.gate))

    def begin(self) -> None:
        """Let the clients in."""
        self.gate.open()
        for client in self._clients:
            client.begin()

    # ---- what happens

    def note_death(self, whom: str, how: str, lasts_s: float = 0.0) -> None:
        """Write down what may be a reason for work to be handed out again, and until when."""
        self.ledger.write("death", whom=whom, how=how, lasts_s=lasts_s)

    @property
    def deaths(self) -> int:
        """How many there were."""
        return sum(record["what"] == "death" for record in self.ledger.records())

    # ---- judgement

    def judge_now(self) -> None:
        """Judge what the server tells while nobody asks anything of it."""
        records = self.ledger.records()
        self.complaints += judge_listing(records, self._window.statuses())
        self._judge_stuck(f"after death {self.deaths}")

    def finish(self) -> None:
        """Let everything come to its end, and judge it all."""
        for client in self._clients:
            client.finish()
        for instance, status in self._window.statuses().items():
            if status == "SUSPENDED":
                self._finisher.resume(instance)
        self._window.await_finish(DRAIN_DEADLINE_S)
        records = self.ledger.records()
        seen = self._window.everything()
        diaries = read_diaries(self.folder)
        self.complaints += judge_end(records, seen)
        self.complaints += judge_diaries(records, diaries, seen)
        self._judge_stuck("in the end")

    def _judge_stuck(self, when: str) -> None:
        count = self._window.stuck()
        if count:
            self.complaints.append(f"{count} instances are stuck {when}")

    def close(self) -> None:
        """Let everybody go."""
        for client in (*self._clients, self._finisher):
            client.close()
        for worker, _ in self._workers.values():
            worker.kill()
        self._window.close()

    def told(self) -> str:
        """What there was to judge, in one line for people."""
        records, diaries = self.ledger.records(), read_diaries(self.folder)
        stories = stories_of(records).values()
        acked = sum(record.get("outcome") == ACKED for record in records)
        unknown = sum(record.get("outcome") == UNKNOWN for record in records)
        return (
            f"{len(stories)} workflows, {acked} calls acknowledged, {unknown} without an answer, "
            f"{sum(r['what'] == 'run' for r in diaries)} activities run, "
            f"{extra_runs(diaries)} of them again, {self.deaths} deaths"
        )
