"""What lies on the disk when a process dies, or the power goes, after so many steps.

A process that is killed loses nothing that it has written. When the power goes, each write since
its file's last sync may be there, be missing, or be there in part: disks write sectors, in any
order they like. Removals and new sizes are the file system's own, which keeps them in order; they
are taken as done.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Final

from tests.crash_points.recording import Step
from tests.crash_points.scenarios import TOLD

SECTOR_BYTES: Final = 512

Survives = Callable[[Step], bytes | None]  # what of an unsynced write is there


def after(steps: Sequence[Step], count: int) -> dict[str, bytearray]:
    """Return the files as a process leaves them that dies after `count` steps."""
    files: dict[str, bytearray] = {}
    for step in steps[:count]:
        _do(files, step)
    return files


def power_cut(steps: Sequence[Step], count: int, survives: Survives) -> dict[str, bytearray]:
    """Return the files as a power cut after `count` steps leaves them."""
    synced = {
        name: max((at for at, s in enumerate(steps[:count]) if s.kind == "S" and s.name == name))
        for name in {s.name for s in steps[:count] if s.kind == "S"}
    }
    files: dict[str, bytearray] = {}
    for at, step in enumerate(steps[:count]):
        # What the client has heard is not on this disk: it stays heard.
        if step.kind != "W" or step.name == TOLD or at < synced.get(step.name, -1):
            _do(files, step)
            continue
        there = survives(step)
        if there is not None:
            _do(files, Step("W", step.name, step.offset, there))
        elif step.name not in files:
            files[step.name] = bytearray()
    return files


def nothing(_step: Step) -> bytes | None:
    """Lose every write that was not synced."""
    return None


def some(chance: Random) -> Survives:
    """Keep, lose or tear each write that was not synced, by chance."""

    def survives(step: Step) -> bytes | None:
        match chance.randrange(3):
            case 0:
                return None
            case 1:
                return step.data
            case _:
                sectors = len(step.data) // SECTOR_BYTES
                return step.data[: chance.randrange(sectors + 1) * SECTOR_BYTES]

    return survives


def lay(files: dict[str, bytearray], folder: Path) -> None:
    """Write an image into an empty folder, without what the client was told."""
    for name, data in files.items():
        if name != TOLD:
            (folder / name).write_bytes(data)


def _do(files: dict[str, bytearray], step: Step) -> None:
    match step.kind:
        case "W":
            file = files.setdefault(step.name, bytearray())
            offset = len(file) if step.offset < 0 else step.offset
            if offset > len(file):
                file.extend(bytes(offset - len(file)))
            file[offset : offset + len(step.data)] = step.data
        case "T":
            file = files.setdefault(step.name, bytearray())
            del file[step.offset :]
            file.extend(bytes(step.offset - len(file)))
        case "U":
            files.pop(step.name, None)
        case _:
            pass
