"""Opens the stores that instances are moved, exported and imported between."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import perdure
from perdure.app.clock import SystemClock
from perdure.app.stores import Place, open_place, place_of
from perdure.base.errors import ConfigurationError
from perdure.moving import promotions
from perdure.moving.exporting import Family, exported, file_of, with_descendants, write_file
from perdure.moving.importing import IdsInUse, Imported, check_files, import_files
from perdure.moving.instance_files import read_file
from perdure.moving.mending import Mended
from perdure.moving.promoting import (
    Promoted,
    Refused,
    Tell,
    abandon,
    obstacle_to,
    promote,
)
from perdure.moving.telling import told_whole
from perdure.store.moving import Target
from perdure.store.sqlite.source import SqliteSource


def by_us() -> str:
    """Return what a file says it was written by."""
    return f"perdure {perdure.__version__}"


@contextmanager
def source_alone(path: str) -> Iterator[SqliteSource]:
    """Open a file to read it, with nobody else on it."""
    source = SqliteSource(path, alone=True)
    try:
        yield source
    finally:
        source.close()


@contextmanager
def source_beside(store: str) -> Iterator[Family]:
    """Open a store to read it, whether or not a server runs on it."""
    place = _place(store)
    source: Family
    match place:
        case Path():
            source = SqliteSource(place, alone=False)
        case _:
            source = open_place(place, may_migrate=False)
    try:
        yield source
    finally:
        source.close()


@contextmanager
def target_at(store: str) -> Iterator[Target]:
    """Open a store to put something in. Raises ConfigurationError for an address of no store."""
    target = open_place(_place(store))
    try:
        yield target
    finally:
        target.close()


def _place(store: str) -> Place:
    try:
        return place_of(store)
    except ValueError as error:
        scheme = store.partition("://")[0]
        raise ConfigurationError(
            f"{scheme}:// is no store: name a file, or postgres://host/database"
        ) from error


def shown(store: str) -> str:
    """Return the name of a store for people and for files; no secret stands in it."""
    place = _place(store)
    return os.path.realpath(place) if isinstance(place, Path) else str(place)


def promote_store(path: str, into: str, *, beside: bool, tell: Tell) -> Refused | Promoted:
    """Move a file's instances into another store. Raises ConfigurationError and StoreErrors."""
    _check_apart(path, into)
    with source_alone(path) as source, target_at(into) as target:
        clock = SystemClock()
        return promote(
            source, target, name=shown(path), now_us=clock.now_us, beside=beside, tell=tell
        )


def _check_apart(path: str, into: str) -> None:
    if shown(path) == shown(into):
        raise ConfigurationError(f"{into}: this is the file that is to be moved")


def look_ahead(path: str, into: str, *, beside: bool) -> tuple[Refused | None, dict[int, int]]:
    """Return what stands in the way of a promotion, and how many are to be moved by status."""
    _check_apart(path, into)
    place = _place(into)
    if isinstance(place, Path) and not place.exists():
        with source_alone(path) as source:
            promotions.refuse_half_filled(source)
            return None, source.counts()
    with source_alone(path) as source, target_at(into) as target:
        return obstacle_to(source, target, shown(path), beside=beside), source.counts()


def abandon_promotion(into: str) -> Mended | None:
    """Take out what a promotion that has not finished has put in; None if there is none."""
    with target_at(into) as target:
        return abandon(target)


def export_from(
    store: str, ids: Sequence[str], folder: Path, *, children: bool
) -> tuple[list[Path], list[str]]:
    """Write instances into a folder, a file each; return the files, and ids that nobody bears.

    Raises StoreErrors and OSError.
    """
    written: list[Path] = []
    missing: list[str] = []
    with source_beside(store) as source:
        wanted: dict[str, None] = {}
        for instance_id in ids:
            family = with_descendants(source, instance_id) if children else ()
            wanted |= dict.fromkeys((instance_id, *family))
        for instance_id in wanted:
            now_us = SystemClock().now_us()
            file = exported(source, instance_id, name=shown(store), by=by_us(), now_us=now_us)
            if file is None:
                missing.append(instance_id)
            else:
                written.append(write_file(file, folder))
    return written, missing


def write_told(
    members: Mapping[str, object], events: Sequence[bytes], name: str, folder: Path
) -> Path:
    """Write what a server has told of an instance into a folder. Raises CallerFault, OSError."""
    whole = told_whole(members, events)
    now_us = SystemClock().now_us()
    file = file_of(whole, complete=False, name=name, by=by_us(), now_us=now_us)
    return write_file(file, folder)


def import_into(store: str, paths: Sequence[Path]) -> IdsInUse | Imported:
    """Put the instances of files into a store, all or none.

    Raises CallerFault for a file that cannot be used, and StoreErrors.
    """
    files = [read_file(path) for path in paths]
    check_files(files)  # before a store is made that would stay empty
    with target_at(store) as target:
        promotions.refuse_half_filled(target)
        return import_files(target, files, now_us=SystemClock().now_us())
