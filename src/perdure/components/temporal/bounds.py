"""How long the cluster is waited for, and how much is asked of it at once.

No call is without a deadline: what a cluster does not answer is a fault, never a hang.
"""

from typing import Final

from perdure.base.time import SECOND_US

# One call of ours, with everything that it is tried again.
CALL_TIMEOUT_S: Final = 5.0
ATTEMPTS_MAX: Final = 4
RETRY_FIRST_S: Final = 0.1
RETRY_FACTOR: Final = 3.0
CONNECT_TIMEOUT_S: Final = 3.0

# The server itself ends a long poll after 20 seconds or so.
LONG_POLL_S: Final = 30.0
# What gives no signal is looked at again: an instance that is not there yet, or not started.
LOOK_AGAIN_S: Final = 0.25
# Deleting goes on after it was accepted; a purge looks this often whether it has come to its end.
DELETION_LOOKS_MAX: Final = 6

HEALTH_CHECK_S: Final = 10.0
ATTRIBUTES_KEPT_US: Final = 30 * SECOND_US

EVENTS_PAGE: Final = 250
# A history ends at 51,200 events by default; a server may be set to take more.
EVENTS_MAX: Final = 500_000
PLACES_MAX: Final = 256

RUNS_PAGE: Final = 200
RUNS_MAX: Final = 10_000
READS_AT_ONCE: Final = 8
NAMES_LOOKED_AT: Final = 1_000
# The server cuts nothing off and refuses what is too long; this much tells people enough.
REASON_CHARS_MAX: Final = 500

assert CONNECT_TIMEOUT_S < CALL_TIMEOUT_S < LONG_POLL_S
