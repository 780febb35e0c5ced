"""A process killed at any moment leaves exactly what it acknowledged, or one commit more."""

import random
import signal
import subprocess
import sys
from pathlib import Path

from perdure.store.memory import MemoryStore
from perdure.store.sqlite import SqliteStore
from tests.unit.store.sqlite.committing import step, steps_taken

ROUNDS = 12


def _run_until_killed(path: Path, acks_wanted: int) -> int:
    """Let the program commit, kill it after some acknowledgements, return the last one."""
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.store.sqlite.committing", str(path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    lines = [program.stdout.readline() for _ in range(acks_wanted)]
    program.send_signal(signal.SIGKILL)
    lines += program.stdout.readlines()
    assert program.wait() == -signal.SIGKILL
    program.stdout.close()
    return int([line for line in lines if line.endswith("\n")][-1])


def test_a_killed_process_leaves_what_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    chance = random.Random(20_240_917)
    expected, done = MemoryStore(), 0
    for _ in range(ROUNDS):
        acknowledged = _run_until_killed(path, chance.randint(1, 120))
        store = SqliteStore(path)
        held = steps_taken(store)
        assert acknowledged <= held <= acknowledged + 1
        for number in range(done + 1, held + 1):
            expected.commit(step(number))
        done = held
        assert list(store.dump()) == list(expected.dump())
        store.close()
    assert done > ROUNDS
