"""A program that runs as our child: its lines, its signals, and its end with all that it started.

Each program leads a process group of its own. Ctrl-C at the terminal therefore reaches only us,
and we decide who is told, in which order; and whatever a program started ends with it.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import BinaryIO, Final, Self

_READ_BYTES: Final = 64 * 1024
_POLL_S: Final = 0.05
# How long the last lines may take to arrive once everything in the group has ended. Only a
# process that left the group, and still holds our pipe, can make us wait for that long.
_LAST_LINES_S: Final = 1.0
_SIGNAL_EXIT_BASE: Final = 128


class Program:
    """One running child. `start` makes it; `end` must be awaited in the end, however it went."""

    def __init__(self, process: Process, pumps: Sequence[asyncio.Task[None]]) -> None:
        self._process = process
        self._pumps = pumps
        self.ended: asyncio.Task[int] = asyncio.ensure_future(process.wait())

    @classmethod
    async def start(
        cls, arguments: Sequence[str], environ: Mapping[str, str], *, prefix: str | None
    ) -> Self:
        """Start a program. With a prefix its lines are marked; without, they are its own affair.

        Raises OSError if it cannot be started.
        """
        sinks = [] if prefix is None else [sys.stdout.buffer, sys.stderr.buffer]
        # The pipes are ours and not asyncio's, which would take a program for running as long as
        # anything that it started holds a pipe open.
        with ExitStack() as ends:
            pipes = [_pipe(ends) for _ in sinks]
            process = await asyncio.create_subprocess_exec(
                *arguments,
                env=environ,
                # A background group that reads from the terminal would be stopped by it.
                stdin=DEVNULL if prefix is None or sys.stdin.isatty() else None,
                stdout=pipes[0][1] if pipes else None,
                stderr=pipes[1][1] if pipes else None,
                process_group=0,
            )
        mark = (prefix or "").encode()
        pumps = [
            asyncio.create_task(_pump(read_end, sink, mark))
            for (read_end, _), sink in zip(pipes, sinks, strict=True)
        ]
        return cls(process, pumps)

    @property
    def pumps(self) -> Sequence[asyncio.Task[None]]:
        """What carries its lines; one of them fails when our own output is closed."""
        return self._pumps

    @property
    def exit_code(self) -> int:
        """The exit code as a shell tells it: 128 and the signal's number, if a signal ended it."""
        code = self.ended.result()
        return code if code >= 0 else _SIGNAL_EXIT_BASE - code

    async def end(self, first: signal.Signals, grace_s: float, hurry: asyncio.Event) -> bool:
        """End the whole group: `first`, and SIGKILL after `grace_s` or as soon as in a hurry.

        Returns whether it had to be killed.
        """
        self._send(first)
        killed = not await self._group_ends(grace_s, hurry)
        if killed:
            self._send(signal.SIGKILL)
        await self.ended
        if self._pumps:
            _, late = await asyncio.wait(self._pumps, timeout=_LAST_LINES_S)
            for pump in late:
                pump.cancel()
            # A closed output has been told already, through whoever watches the pumps.
            await asyncio.gather(*self._pumps, return_exceptions=True)
        return killed

    def _send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _is_group_alive(self) -> bool:
        self._reap_orphans()
        try:
            os.killpg(self._process.pid, 0)
        except (ProcessLookupError, PermissionError):
            # macOS says that we may not, where all that is left is a process on its way out.
            return False
        return True

    def _reap_orphans(self) -> None:
        """Take note of the group's dead that have become ours, as they do for the first process."""
        if self.ended.done():
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-self._process.pid, os.WNOHANG) != (0, 0):
                    pass

    async def _group_ends(self, grace_s: float, hurry: asyncio.Event) -> bool:
        deadline = asyncio.get_running_loop().time() + grace_s
        while not self.ended.done() or self._is_group_alive():
            left_s = deadline - asyncio.get_running_loop().time()
            if left_s <= 0 or hurry.is_set():
                return False
            await asyncio.sleep(min(_POLL_S, left_s))
        return True


def _pipe(write_ends: ExitStack) -> tuple[int, int]:
    read_end, write_end = os.pipe()
    write_ends.callback(os.close, write_end)
    return read_end, write_end


async def _pump(read_end: int, sink: BinaryIO, mark: bytes) -> None:
    """Copy line by line, so that the lines of several programs do not cut into each other."""
    source = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(source), os.fdopen(read_end, "rb", buffering=0)
    )
    rest = b""
    try:
        while chunk := await source.read(_READ_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _READ_BYTES:
                lines, rest = [*lines, rest], b""
            if lines:
                _write(sink, b"".join(mark + line + b"\n" for line in lines))
        if rest:
            _write(sink, mark + rest + b"\n")
    finally:
        transport.close()


def _write(sink: BinaryIO, lines: bytes) -> None:
    sink.write(lines)
    sink.flush()
