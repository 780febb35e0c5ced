"""Every number that bounds something, in one place, with their relations asserted.

A limit that a user may set has its default here and its flag or key in `app.config`.
"""

from typing import Final

from perdure.base.time import DAY_US, SECOND_US

KIB: Final = 1024
MIB: Final = 1024 * KIB

# Identifiers. Dapr's Workflow API allows 64 bytes on its start calls; ids that come through
# TaskHub or from a parent are not checked there, so they get a wider bound of our own.
INSTANCE_ID_BYTES_MAX: Final = 64
TASKHUB_INSTANCE_ID_BYTES_MAX: Final = 1_024
NAME_BYTES_MAX: Final = 1_024

# The metadata (tags) of a start: the `dapr-workflow-metadata` header or gRPC metadata.
TAGS_MAX: Final = 64
TAG_KEY_CHARS_MAX: Final = 128
TAG_VALUE_CHARS_MAX: Final = 1_024

# Options of a start, for the component that is to run it.
OPTIONS_MAX: Final = 64
OPTION_NAME_CHARS_MAX: Final = 128

# Messages. Dapr's default is 4 MiB each way. A work item is refused to the stream (the
# instance stalls) above 95 % of it, so that it cannot end the stream for everybody else.
MESSAGE_BYTES_MAX: Final = 4 * MIB
WORK_ITEM_PERCENT_MAX: Final = 95
FAILURE_DEPTH_MAX: Final = 32

# Turns.
ACTIONS_PER_TURN_MAX: Final = 100_000
TURN_BATCH_EVENTS_MAX: Final = 10_000
TURN_RETRY_FIRST_US: Final = 1 * SECOND_US
# How long a result waits, where nothing else is under way, to land with the turn that takes it.
RESULT_WAITS_US: Final = SECOND_US // 200
# For a turn that will take up to so much of the time of a commit: one that is under way meanwhile
# makes the turn slower, too.
RESULT_WAITS_TURN_PERCENT_MAX: Final = 150
TURN_RETRY_LONGEST_US: Final = 60 * SECOND_US
STALL_RETRY_FIRST_US: Final = 5 * SECOND_US
STALL_RETRY_LONGEST_US: Final = 300 * SECOND_US

# Workers that lost their streams and echo no tokens: for how long their answers are reckoned with,
# for how many instances, and after how many answers that never agree one is believed.
GHOST_TTL_US: Final = 300 * SECOND_US
GHOST_INSTANCES_MAX: Final = 10_000
AMBIGUOUS_ANSWERS_MAX: Final = 8

# Work whose worker goes away while it has it: handed out again at once this often, then after
# a growing pause. What is larger than the message that most clients take, 4 MiB, and is lost this
# often, is taken for what makes them go.
LOSSES_AT_ONCE_MAX: Final = 2
LOSSES_OF_LARGE_MAX: Final = 3
CLIENT_MESSAGE_BYTES: Final = 4 * MIB

# What is held in memory.
RESIDENTS_MAX: Final = 10_000
FINISHED_RESIDENTS_MAX: Final = 256  # those who waited for their ends look at them
RESIDENT_BYTES_MAX: Final = 128 * MIB
READY_QUEUE_MAX: Final = 10_000
REFILL_ROWS_MAX: Final = 1_000

# Threads of activities whose time is over and that do not end: in the place of so many others are
# made, and each one more is one less for those that come.
ABANDONED_THREADS_MAX: Final = 100

# Streams.
STREAMS_MAX: Final = 1_000
STREAM_ITEMS_MAX: Final = 1_000
# A JavaScript worker holds 10 items and queues 100 more, then drops without a word.
STREAM_ITEMS_MAX_NODE: Final = 100
STREAM_SEND_TIMEOUT_US: Final = 10 * SECOND_US

# The committer.
COMMIT_ENTRIES_MAX: Final = 2_000
COMMIT_QUEUE_MAX: Final = 100_000

# Timers, retention and other background work.
TIMERS_PER_SWEEP_MAX: Final = 1_000
PURGES_PER_SWEEP_MAX: Final = 200
LIFECYCLE_ROWS_MAX: Final = 1_000_000

# Nodes that share a store. A lease runs for so long unless it is renewed, which is tried on a beat;
# a node takes its own for run out a margin earlier than the store does. So what a dead node had is
# taken over within a lease and a beat, and what it takes to read it.
LEASE_TTL_US: Final = 5 * SECOND_US
LEASE_TTL_US_MIN: Final = 2 * SECOND_US
LEASE_TTL_US_MAX: Final = 300 * SECOND_US
LEASE_BEAT_PERCENT: Final = 30
LEASE_MARGIN_PERCENT: Final = 20
# Where there is reason to look between two beats, and again and again, it is done so often at most,
# in percent of a beat: where many nodes come or go, each gives every other one a reason.
LEASE_CALM_PERCENT: Final = 10
# How long work that is out may keep a partition from being given back, and how long after its last
# worker has gone an app counts as having some.
LEASE_DRAIN_US: Final = 5 * SECOND_US
WORKERS_LINGER_US: Final = 2 * SECOND_US
# Into how many places a limit for all nodes is cut at most; how long a node asks for places after
# it last needed one; and for how long it may keep one of which there are too few.
PLACES_MAX: Final = 64
PLACES_LINGER_US: Final = 3 * SECOND_US
PLACE_HELD_US: Final = 2 * SECOND_US
# How long a database keeps a transaction whose node says nothing more, with all that it has locked:
# a node that stands still in the middle of one keeps others no longer than its leases do.
TRANSACTION_IDLE_US: Final = 4 * SECOND_US
# How often is looked, without being told, whether others have changed what is held here.
NEIGHBOURS_POLL_US: Final = 10 * SECOND_US
# How many rows of each kind are looked at then; where there are more, the next look goes on.
LOOK_ROWS_MAX: Final = 10_000

assert LEASE_TTL_US_MIN <= LEASE_TTL_US <= LEASE_TTL_US_MAX
assert TRANSACTION_IDLE_US < LEASE_TTL_US
# Two beats may fail and the third is still in time.
assert 2 * LEASE_BEAT_PERCENT + LEASE_MARGIN_PERCENT <= 100 - LEASE_MARGIN_PERCENT

# Reading.
PAGE_ROWS_DEFAULT: Final = 50
PAGE_ROWS_MAX: Final = 1_000
LIST_IDS_PAGE_DEFAULT: Final = 1_024
HISTORY_PAGE_ROWS_MAX: Final = 1_000
WAIT_SECONDS_MAX: Final = 3_600
WAITERS_MAX: Final = 100_000
QUERY_DEPTH_MAX: Final = 16
QUERY_TERMS_MAX: Final = 100

# Stopping.
# What workers have in hand when a stop is asked for may come to its end for so long.
STOP_DRAIN_US: Final = 2 * SECOND_US
STOP_TIMEOUT_US: Final = 10 * SECOND_US

assert INSTANCE_ID_BYTES_MAX <= TASKHUB_INSTANCE_ID_BYTES_MAX
assert 0 < WORK_ITEM_PERCENT_MAX < 100  # noqa: PLR2004 - a percentage
assert LOSSES_AT_ONCE_MAX < LOSSES_OF_LARGE_MAX
assert FINISHED_RESIDENTS_MAX <= RESIDENTS_MAX
assert REFILL_ROWS_MAX <= READY_QUEUE_MAX
assert REFILL_ROWS_MAX <= LOOK_ROWS_MAX
assert STREAM_ITEMS_MAX_NODE <= STREAM_ITEMS_MAX
assert PAGE_ROWS_DEFAULT <= PAGE_ROWS_MAX
assert COMMIT_ENTRIES_MAX <= COMMIT_QUEUE_MAX
assert TURN_RETRY_FIRST_US <= TURN_RETRY_LONGEST_US
assert STALL_RETRY_FIRST_US <= STALL_RETRY_LONGEST_US

# Landing what a worker has done while the store is away: tried again this often at most, from
# the first pause, doubled, up to the longest.
LAND_ATTEMPTS_MAX: Final = 200
LAND_RETRY_FIRST_US: Final = SECOND_US // 10
LAND_RETRY_LONGEST_US: Final = 5 * SECOND_US
START_ATTEMPTS_MAX: Final = 5
LOADS_AT_ONCE_MAX: Final = 64
DESCENDANTS_MAX: Final = 100_000

# Sources of messages. How many messages of one source are being handled at once, how often one that
# could not be kept just now is tried, how long one in hand is waited for when its source stops, and
# how often a broker that is away is called upon.
DELIVERIES_DEFAULT: Final = 100
DELIVERIES_MAX: Final = 10_000
LATER_RETRY_FIRST_US: Final = SECOND_US // 10
LATER_RETRY_LONGEST_US: Final = 10 * SECOND_US
DELIVERY_GRACE_US: Final = 2 * SECOND_US
RECONNECT_FIRST_US: Final = SECOND_US // 5
RECONNECT_LONGEST_US: Final = 30 * SECOND_US
BROKER_ANSWER_TIMEOUT_US: Final = 10 * SECOND_US

assert DELIVERIES_DEFAULT <= DELIVERIES_MAX
assert LATER_RETRY_FIRST_US <= LATER_RETRY_LONGEST_US
assert RECONNECT_FIRST_US <= RECONNECT_LONGEST_US
assert DELIVERY_GRACE_US < STOP_TIMEOUT_US

# Deliveries: messages that lead to a start or an event, each once. How long it is known that a
# message has come already, and what waits for instances to be born or to end.
RECEIPTS_KEPT_US: Final = 7 * DAY_US
NOTES_PER_SWEEP_MAX: Final = 1_000
MAILBOX_EVENTS_MAX: Final = 100_000
MAILBOX_EVENTS_OF_ONE_MAX: Final = 1_000
MAIL_BATCH_EVENTS_MAX: Final = 100
PARKED_STARTS_MAX: Final = 100_000
PARKED_STARTS_OF_ONE_MAX: Final = 1_000
DELIVERY_ATTEMPTS_MAX: Final = 20
# Messages that a trigger could not use and that are kept until somebody deals with them; beyond
# that they stay at their broker.
DEAD_LETTERS_OF_ONE_MAX: Final = 100_000

assert MAIL_BATCH_EVENTS_MAX <= MAILBOX_EVENTS_OF_ONE_MAX <= MAILBOX_EVENTS_MAX
assert PARKED_STARTS_OF_ONE_MAX <= PARKED_STARTS_MAX
