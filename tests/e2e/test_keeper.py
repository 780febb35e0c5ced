"""A test run that is killed leaves nothing behind that it has started."""

import os
import signal
import subprocess
import sys

import pytest

from tests.e2e.venvs import REPOSITORY

# Both hold the pipe's other end as long as they live; one of them is a shell with a child.
_RUN = """
import subprocess, sys
from tests.kit.keeper import KEEPER
held = int(sys.argv[1])
one = subprocess.Popen(["sleep", "600"], pass_fds=[held])
KEEPER.keep(one.pid)
group = subprocess.Popen(["sh", "-c", "sleep 600; :"], pass_fds=[held], start_new_session=True)
KEEPER.keep(group.pid, group=True)
ended = subprocess.Popen(["true"])
KEEPER.keep(ended.pid)
ended.wait()
KEEPER.let_go(ended.pid)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.timeout(60)
def test_what_a_killed_run_has_started_ends(by: signal.Signals) -> None:
    alive, held = os.pipe()
    run = subprocess.Popen(
        [sys.executable, "-c", _RUN, str(held)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[held],
        cwd=REPOSITORY,
    )
    os.close(held)
    assert run.stdin is not None
    assert run.stdout is not None
    with run.stdin, run.stdout, os.fdopen(alive, "rb") as lives:
        assert run.stdout.readline() == b"ready\n"
        run.send_signal(by)
        run.wait()
        # The pipe ends when the last process is gone that holds it.
        assert lives.read() == b""
