"""Programs of others, and of ours in other languages, built before tests run them."""

import subprocess
from collections.abc import Sequence
from pathlib import Path


def build(command: Sequence[str], *, folder: Path, deadline_s: float) -> None:
    """Run a build in a folder; what is not installed, or does not build, fails the test."""
    words = " ".join(command)
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=deadline_s,
        )
    except FileNotFoundError as missing:
        raise AssertionError(f"`{command[0]}` is not installed; these tests need it") from missing
    assert done.returncode == 0, f"`{words}` ended with {done.returncode}:\n{done.stdout}"
