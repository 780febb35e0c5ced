"""Instances out of a store into files of their own, each written whole or not at all."""

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote

from perdure.base.errors import CallerFault
from perdure.base.limits import DESCENDANTS_MAX
from perdure.moving.instance_files import SUFFIX, InstanceFile, lines_of
from perdure.store.moving import Source, Whole, whole_of
from perdure.store.port import Snapshot

_NAME_CHARACTERS_MAX: Final = 150
_DIGEST_CHARACTERS: Final = 16


class Family(Source, Protocol):
    """A source that knows who is whose child."""

    def children(self, key: int) -> tuple[Snapshot, ...]:
        """Return the instances whose parent is the instance `key`, in the order of birth."""
        ...


def with_descendants(source: Family, instance_id: str) -> Iterator[str]:
    """Yield the ids of an instance and of everyone below it, parents first.

    Raises CallerFault if they are more than DESCENDANTS_MAX.
    """
    found = source.snapshot(instance_id)
    waiting = [] if found is None else [found]
    for _ in range(DESCENDANTS_MAX):
        if not waiting:
            return
        parent = waiting.pop()
        yield parent.identity.instance_id
        waiting += reversed(source.children(parent.key))
    if waiting:
        raise CallerFault(
            f"{instance_id} has more than {DESCENDANTS_MAX} descendants: export its children one "
            "by one, or move the whole store"
        )


def exported(
    source: Source, instance_id: str, *, name: str, by: str, now_us: int
) -> InstanceFile | None:
    """Return an instance as a file, None if there is none; `name` and `by` are told in it."""
    whole = whole_of(source, instance_id)
    if whole is None:
        return None
    return file_of(whole, complete=True, name=name, by=by, now_us=now_us)


def file_of(whole: Whole, *, complete: bool, name: str, by: str, now_us: int) -> InstanceFile:
    """Return an instance as a file."""
    return InstanceFile(
        whole=whole, complete=complete, exported_at_us=now_us, exported_by=by, source=name
    )


def file_name(instance_id: str) -> str:
    """Return the name of an instance's file: its id, as far as that can be a file's name."""
    safe = quote(instance_id, safe="")
    safe = safe.replace(".", "%2E", 1) if safe.startswith(".") else safe
    if len(safe) > _NAME_CHARACTERS_MAX:
        digest = sha256(instance_id.encode()).hexdigest()[:_DIGEST_CHARACTERS]
        safe = f"{safe[:_NAME_CHARACTERS_MAX]}~{digest}"
    return safe + SUFFIX


def write_file(file: InstanceFile, folder: Path) -> Path:
    """Write a file into a folder, over one that is there, and return its path.

    Raises OSError; then what was there is there still.
    """
    path = folder / file_name(file.whole.identity.instance_id)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as opened:
            opened.writelines(lines_of(file))
            opened.flush()
            os.fsync(opened.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path
