"""Where a Temporal cluster is not as the embedded engine, in the words of docs/temporal.md.

Each has a test of its name in `test_exceptions.py`. Everything else is the same: the rest of the
suite runs on both.
"""

from typing import Final

EXCEPTIONS: Final[dict[str, str]] = {
    "order": (
        "A listing has one order, Temporal's own: what runs before what has ended, and within "
        "both the newest first. Any other `sort` is refused."
    ),
    "fields": (
        "Instances are selected by id, type, status, creation, completion, parent and tags. "
        "Other fields are refused."
    ),
    "tags": (
        "A tag can be searched for if it is a registered search attribute. Otherwise it is in the "
        "memo alone, comes back with GET, and a search for it is refused."
    ),
    "runs": (
        "A listing is of runs and may be a moment behind: an earlier run of an id that was used "
        "again is listed too, with its `runID`."
    ),
    "quoting": (
        "On a server that keeps its visibility in SQLite, as the development server does, a search "
        "for a value with a backslash or a double quote finds nothing."
    ),
    "empty": (
        "An empty payload is none: a workflow that takes no argument fails if it is given one."
    ),
    "spared": (
        "Terminating spares the children that were started to outlive their parent (ABANDON). "
        "With `recursive=false` it is refused, with 501, while there is a child that would end."
    ),
    "lingering": (
        "What has only just finished is deleted by Temporal within a minute: until then a purge "
        "answers 202, and the instance is still seen. Children and earlier runs are found "
        "through a listing, which may miss those of the last moment."
    ),
    "reset": (
        "A rerun is a reset: a new run under the same id. Another id or another input is refused "
        "with 501. Any event of a turn can be named, not only activities, timers and children."
    ),
    "numbers": (
        "Events of a history have Temporal's numbers; events that we have no name for have "
        "Temporal's name and its `attributes`."
    ),
    "timed_out": (
        "An instance whose time was over is FAILED, with a failure of type `TimeoutError`."
    ),
    "custom_status": (
        "There is a custom status only if the workflow keeps one in its memo, under "
        "`dapr-workflow-custom-status`."
    ),
    "no_pause": (
        "Suspending needs a server that pauses workflows (the dynamic configuration "
        "`frontend.WorkflowPauseEnabled`); elsewhere it is refused with 501."
    ),
}
