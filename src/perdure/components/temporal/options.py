"""What a start may say for Temporal alone: where it runs, how long it may, and what it is found by.

Names count without regard to case, `_` and `-`: `task_queue`, as the first Temporal component of
Dapr had it, and `taskQueue` are one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from temporalio.api.enums.v1 import WorkflowIdConflictPolicy, WorkflowIdReusePolicy

from perdure.base.duration import parse_duration
from perdure.base.errors import CallerFault
from perdure.wire.json_api.text import JsonText, members, read

_REUSE: Final[dict[str, WorkflowIdReusePolicy.ValueType]] = {
    "allowduplicate": WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
    "allowduplicatefailedonly": (
        WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
    ),
    "rejectduplicate": WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
}
_CONFLICT: Final[dict[str, WorkflowIdConflictPolicy.ValueType]] = {
    "fail": WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
    "useexisting": WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
    "terminateexisting": WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
}


@dataclass(slots=True, kw_only=True)
class StartOptions:
    """The options of one start; None is "not given"."""

    task_queue: str | None = None
    execution_timeout_us: int | None = None
    run_timeout_us: int | None = None
    task_timeout_us: int | None = None
    reuse: WorkflowIdReusePolicy.ValueType | None = None
    conflict: WorkflowIdConflictPolicy.ValueType | None = None
    cron: str | None = None
    delay_us: int | None = None
    memo: Mapping[str, JsonText] = field(default_factory=dict)
    search_attributes: Mapping[str, Any] = field(default_factory=dict)


def read_options(pairs: Iterable[tuple[str, str]]) -> StartOptions:
    """Return the options that a start was given. Raises CallerFault, which says what there is."""
    options = StartOptions()
    for name, value in pairs:
        known = _OPTIONS.get(_folded(name))
        if known is None:
            raise CallerFault(f"there is no option '{name}'; the options are {', '.join(NAMES)}")
        attribute, reader = known
        setattr(options, attribute, reader(name, value))
    return options


def _folded(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")


def _text(name: str, value: str) -> str:
    if not value.strip():
        raise CallerFault(f"the option {name} is empty")
    return value.strip()


def _duration(name: str, value: str) -> int:
    length_us = parse_duration(value)
    if length_us is None or length_us < 0:
        raise CallerFault(f"the option {name} is a length of time such as 90s or 1h30m")
    return length_us


def _reuse(name: str, value: str) -> WorkflowIdReusePolicy.ValueType:
    found = _REUSE.get(_folded(value))
    if found is None:
        words = "allow_duplicate, allow_duplicate_failed_only, reject_duplicate"
        raise CallerFault(f"the option {name} is one of {words}")
    return found


def _conflict(name: str, value: str) -> WorkflowIdConflictPolicy.ValueType:
    found = _CONFLICT.get(_folded(value))
    if found is None:
        raise CallerFault(f"the option {name} is one of fail, use_existing, terminate_existing")
    return found


def _memo(name: str, value: str) -> Mapping[str, JsonText]:
    try:
        return members(value)
    except CallerFault as fault:
        raise CallerFault(f"the option {name} is a JSON object: {fault}") from fault


def _attributes(name: str, value: str) -> Mapping[str, Any]:
    return {key: read(text) for key, text in _memo(name, value).items()}


# Each option: the name that people are told, where its value goes, and how it is read.
_TABLE: Final[tuple[tuple[str, str, Callable[[str, str], Any]], ...]] = (
    ("taskQueue", "task_queue", _text),
    ("executionTimeout", "execution_timeout_us", _duration),
    ("runTimeout", "run_timeout_us", _duration),
    ("taskTimeout", "task_timeout_us", _duration),
    ("idReusePolicy", "reuse", _reuse),
    ("idConflictPolicy", "conflict", _conflict),
    ("cronSchedule", "cron", _text),
    ("startDelay", "delay_us", _duration),
    ("memo", "memo", _memo),
    ("searchAttributes", "search_attributes", _attributes),
)
NAMES: Final = tuple(name for name, _, _ in _TABLE)
_OPTIONS: Final = {_folded(name): (attribute, reader) for name, attribute, reader in _TABLE}
