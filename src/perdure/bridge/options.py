"""Times and bounds of what the bridge asks of Temporal."""

from datetime import timedelta
from typing import Final, TypedDict

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

from perdure.base.limits import MIB
from perdure.base.time import SECOND_US
from perdure.bridge import names

# An activity of a workflow has no time limit of its own: it may wait for a worker for as long as
# it takes. That its bridge has gone is seen by the heartbeats that stop.
FOREVER: Final = timedelta(days=3_650)
HEARTBEAT_TIMEOUT: Final = timedelta(seconds=15)
HEARTBEAT_EVERY_S: Final = 4.0
# What a bridge without workers gives back waits so long before another one may take it.
GIVE_BACK_DELAY: Final = timedelta(milliseconds=200)

# A workflow task may send so much in its answer, of the 4 MiB that a message may have.
MESSAGES_BYTES_MAX: Final = 3 * MIB

# What Temporal takes in one run is bounded (50,000 events). From here on no further turn begins
# before the activities under way have come back, so that a fresh run can take over.
HISTORY_EVENTS_HOLD: Final = 20_000

# A run that is asked may have to be replayed first, by a bridge that has other things to do.
QUERY_TIMEOUT_S: Final = 20.0

# How long a change is waited for before it is reported as accepted and not yet in force, and how
# often it is looked for: a run gives no signal to whoever is outside.
IN_FORCE_WAIT_US: Final = 5 * SECOND_US
LOOK_AGAIN_S: Final = 0.05


class ActivityOptions(TypedDict):
    """What every activity of a workflow is scheduled with."""

    start_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy
    cancellation_type: ActivityCancellationType


# Tried again are only those whose bridge or worker has gone: what workflow code calls a failure
# is final here, and tried again by workflow code.
ACTIVITY_OPTIONS: Final[ActivityOptions] = {
    "start_to_close_timeout": FOREVER,
    "heartbeat_timeout": HEARTBEAT_TIMEOUT,
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(seconds=10),
        non_retryable_error_types=[names.TOO_LARGE],
    ),
    "cancellation_type": ActivityCancellationType.ABANDON,
}
TURN_OPTIONS: Final[ActivityOptions] = {
    **ACTIVITY_OPTIONS,
    # The turn of an instance that is to end is of no use to anybody.
    "cancellation_type": ActivityCancellationType.TRY_CANCEL,
}


class LocalOptions(TypedDict):
    """What a step within the bridge's own process is scheduled with."""

    schedule_to_close_timeout: timedelta
    retry_policy: RetryPolicy


END_RUN_OPTIONS: Final[LocalOptions] = {
    "schedule_to_close_timeout": FOREVER,
    "retry_policy": RetryPolicy(maximum_interval=timedelta(seconds=10)),
}
