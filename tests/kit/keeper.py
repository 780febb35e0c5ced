"""Ends what a test run leaves running when it is killed itself.

A test ends what it has started, but a run that is killed with SIGKILL ends nothing. So each
process of a run has a keeper: a program at the other end of a pipe, told what was started and what
has ended. When the pipe is closed, for whatever reason, it kills what is left.

(The kernel's own way, a signal at the parent's death, is sent when the *thread* ends that has
started the child, and a shell's children do not inherit it.)
"""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Final

_PROGRAM: Final = """
import os, signal, sys
kept = {}
for line in sys.stdin:
    what, number, whom = line.split()
    if what == "keep":
        kept[number] = os.killpg if whom == "group" else os.kill
    else:
        kept.pop(number, None)
for number, kill in kept.items():
    try:
        kill(int(number), signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
"""
# Beside a server's own: `-S -E` starts in a few milliseconds, and reads no settings of the run.
_COMMAND: Final = (sys.executable, "-S", "-E", "-c", _PROGRAM)


class Keeper:
    """The keeper of this process, started when the first thing is kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def keep(self, pid: int, *, group: bool = False) -> None:
        """See to it that a process, or its whole group, does not outlive this one."""
        self._tell("keep", pid, group=group)

    def let_go(self, pid: int) -> None:
        """Forget a process that has ended: its number may be another's soon."""
        self._tell("forget", pid, group=False)

    def _tell(self, what: str, pid: int, *, group: bool) -> None:
        with self._lock:
            pipe = self._pipe()
            pipe.write(f"{what} {pid} {'group' if group else 'one'}\n".encode())
            pipe.flush()

    def _pipe(self) -> IO[bytes]:
        # A fork of this process is another process, with things of its own to keep.
        if self._process is None or self._owner != os.getpid():
            self._owner = os.getpid()
            # In a session of its own, so that what ends the run does not end the keeper first.
            self._process = subprocess.Popen(
                _COMMAND, stdin=subprocess.PIPE, cwd=Path("/"), start_new_session=True
            )
        assert self._process.stdin is not None
        return self._process.stdin


KEEPER: Final = Keeper()
