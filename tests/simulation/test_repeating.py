"""The same seed is the same run, byte for byte, in any process."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def proved(*flags: str, hash_seed: str) -> subprocess.CompletedProcess[str]:
    """Run `perdure prove` in a process whose sets of text have an order of their own."""
    return subprocess.run(
        [sys.executable, "-m", "perdure", "prove", *flags],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_two_processes_tell_the_same() -> None:
    flags = ("--seed", "42", "--hours", "0.05", "--seeds", "2")
    first, second = proved(*flags, hash_seed="1"), proved(*flags, hash_seed="2")
    assert first.returncode == 0, first.stdout + first.stderr
    assert first.stdout == second.stdout
    assert first.stdout.count("violations      0") == 2
    assert "2 seeds, 0 violations" in first.stdout


def test_json_tells_all() -> None:
    done = proved("--seed", "43", "--hours", "0.02", "--json", hash_seed="3")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["violations"] == 0
    assert told["interrupted"] is False
    (run,) = told["runs"]
    assert run["seed"] == 43
    assert run["hours"] == 0.02
    assert {"faults", "acknowledged", "figures", "odds", "settings", "digest"} <= run.keys()
