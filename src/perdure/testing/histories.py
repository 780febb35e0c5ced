"""Histories as they were recorded, from files: exports, and what `perdure workflow history` prints.

A file that ends in `.perdure.jsonl` is an instance as `perdure export` writes it; any other is the
JSON of `perdure workflow history ID --json`, of one instance or a list of them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from perdure.base.errors import CallerFault, ConfigurationError
from perdure.core.events import Event, ExecutionCompleted, ExecutionStarted
from perdure.moving.instance_files import SUFFIX, read_file
from perdure.store.moving import Whole
from perdure.wire.events import decode
from perdure.wire.json_api.past import event_of


@dataclass(frozen=True, slots=True)
class History:
    """What happened in the present generation of an instance, and where that was read."""

    instance_id: str
    workflow: str
    events: tuple[Event, ...]
    source: str
    app_id: str = ""  # whose workers run it, where that is told

    @property
    def has_ended(self) -> bool:
        """Whether the instance was finished."""
        return any(isinstance(event, ExecutionCompleted) for event in self.events)


def history_of(whole: Whole, source: str) -> History:
    """Return the history of an instance of a store. Raises CallerFault if it cannot be read."""
    events = (row.event for row in whole.history)
    identity = whole.identity
    found = committed(identity.instance_id, identity.name, events, source)
    return replace(found, app_id=identity.app_id)


def committed(instance_id: str, workflow: str, events: Iterable[bytes], source: str) -> History:
    """Return a history of events as they were committed. Raises CallerFault if one is none."""
    return History(instance_id, workflow, tuple(map(decode, events)), source)


def told(members: Mapping[str, object], source: str) -> History:
    """Return a history of JSON. Raises CallerFault, which says what is wrong with it."""
    instance_id, events = members.get("instanceID"), members.get("events")
    if not isinstance(instance_id, str) or not isinstance(events, list):
        raise CallerFault(f"{source}: expected an object with instanceID and events")
    try:
        read = tuple(event_of(each) for each in events)
    except (AttributeError, CallerFault) as error:
        raise CallerFault(f"{source}: {error}") from error
    started = [event.name for event in read if isinstance(event, ExecutionStarted)]
    name = started[0] if started else str(members.get("workflowName", ""))
    return History(instance_id, name, read, source)


def read_histories(paths: Iterable[Path]) -> Iterator[History]:
    """Yield the histories of files, and of the files of folders, in the order of their names.

    Raises ConfigurationError if there is no such file, and CallerFault for one that cannot be read.
    """
    for path in paths:
        if path.is_dir():
            files = [*path.rglob("*.json"), *path.rglob(f"*{SUFFIX}")]
            for file in sorted(files):
                yield from _of_file(file)
        elif path.exists():
            yield from _of_file(path)
        else:
            raise ConfigurationError(f"{path}: there is no such file or folder")


def _of_file(path: Path) -> Iterator[History]:
    if path.name.endswith(SUFFIX):
        yield history_of(read_file(path).whole, str(path))
        return
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise CallerFault(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CallerFault(f"{path}: this is no JSON: {error}") from error
    for each in found if isinstance(found, list) else [found]:
        if not isinstance(each, dict):
            raise CallerFault(f"{path}: expected an object with instanceID and events")
        yield told(each, str(path))
