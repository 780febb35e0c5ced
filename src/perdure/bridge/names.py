"""The names by which the parts of the bridge know each other on a Temporal cluster."""

from typing import Final

# Names of workflow types, activities, events and memo entries that begin so are the bridge's own.
RESERVED: Final = "perdure."
TEMPORALS: Final = "__temporal"

# Activities.
TURN: Final = "perdure.turn"
END_RUN: Final = "perdure.end-run"
AWAIT_WORKER: Final = "perdure.await-worker"
AWAIT_CHILD: Final = "perdure.await-child"

# A workflow type: one activity that nobody waits for.
LONE_ACTIVITY: Final = "perdure.lone-activity"

# Signals.
SUSPEND: Final = "perdure.suspend"
RESUME: Final = "perdure.resume"
TERMINATE: Final = "perdure.terminate"

# A query: committed events, from one on.
HISTORY: Final = "perdure.history"

# Entries of the memo: what stays, and what changes as the instance goes on.
ORIGIN: Final = "perdure.origin"
PROGRESS: Final = "perdure.progress"
INPUT: Final = "perdure.input"

# Types of failures between the bridge's own activities and its workflow.
TOO_LARGE: Final = "perdure.TooLarge"
WORKERS_GONE: Final = "perdure.WorkersGone"

# What a run that was ended by a terminate is told to be.
TERMINATED_REASON: Final = "terminated through the workflow API"


def is_reserved(name: str) -> bool:
    """Tell whether a name of a workflow, an activity or an event cannot be used on the bridge."""
    return name.startswith((RESERVED, TEMPORALS))
