"""The promises that are tried with each SDK, by the names of their cases, and who can try them."""

from tests.e2e import venvs
from tests.e2e.venvs import Environment

DAPR = (venvs.DAPR_1_17, venvs.DAPR_1_18, venvs.DAPR_1_19)
FROM_1_18 = (venvs.DAPR_1_18, venvs.DAPR_1_19)

TASKS = (
    "an_activity_returns_its_result",
    "activities_in_a_chain_run_one_after_the_other",
    "ten_activities_run_side_by_side",
    "a_failing_activity_is_tried_again",
    "retries_end_with_the_last_failure",
    "a_failure_for_good_is_not_tried_again",
    "a_workflow_sees_the_failure_of_its_activity",
    "a_workflow_that_raises_has_failed",
    "a_failure_nobody_catches_fails_the_workflow",
    "an_unknown_workflow_fails",
    "an_unknown_activity_fails_its_call",
)
EVENTS = (
    "a_timer_fires_when_it_is_due",
    "a_timer_already_due_fires_at_once",
    "a_timer_can_be_set_to_a_time_of_day",
    "an_event_wakes_its_waiter",
    "the_case_of_an_event_name_does_not_matter",
    "an_event_may_carry_no_data",
    "an_event_before_its_wait_is_kept",
    "events_of_one_name_arrive_in_order",
    "an_event_can_win_against_a_timer",
    "a_timer_can_win_against_an_event",
    "an_event_to_a_finished_workflow_is_dropped",
    "an_event_to_nobody_is_refused",
)
CHILDREN = (
    "a_child_returns_its_result",
    "a_child_may_be_named",
    "children_run_side_by_side",
    "children_have_children",
    "a_parent_sees_the_failure_of_its_child",
    "a_failing_child_is_tried_again",
    "a_child_id_in_use_fails_the_call_and_not_the_parent",
    "a_terminated_child_is_a_failed_child",
    "an_event_reaches_a_child_by_its_id",
)
GENERATIONS = (
    "a_workflow_continues_as_new_for_five_rounds",
    "carried_events_are_read_in_later_rounds",
    "each_round_waits_for_its_own_event",
    "events_not_carried_are_dropped",
    "no_event_is_lost_between_rounds",
    "a_result_of_an_earlier_round_resolves_nothing",
    "a_parent_waits_for_the_last_round_of_its_child",
)
LIFECYCLE = (
    "a_suspended_workflow_takes_its_events_when_resumed",
    "a_suspended_workflow_takes_its_results_when_resumed",
    "resuming_what_is_not_suspended_changes_nothing",
    "a_missing_workflow_cannot_be_suspended_or_terminated",
    "a_terminated_workflow_has_the_output_it_was_given",
    "terminating_twice_changes_nothing",
    "a_suspended_workflow_can_be_terminated",
    "terminating_a_parent_terminates_its_children",
    "terminating_a_parent_alone_spares_its_children",
    "a_late_result_of_a_terminated_workflow_is_dropped",
    "a_finished_workflow_can_be_purged",
    "a_running_workflow_cannot_be_purged",
    "purging_a_parent_purges_its_children",
    "purging_a_parent_alone_spares_its_children",
    "an_active_id_cannot_be_started_again",
    "a_finished_id_can_be_started_again",
    "a_custom_status_is_seen_and_replaced",
    "a_missing_workflow_is_not_there",
    "a_client_can_wait_for_the_start",
    "payloads_are_left_out_when_not_asked_for",
    "a_wait_for_completion_gives_up_in_time",
)
SCHEDULES = (
    "a_scheduled_workflow_begins_at_its_time",
    "a_start_in_the_past_begins_at_once",
    "an_event_neither_hastens_a_scheduled_start_nor_is_lost",
    "a_scheduled_workflow_can_be_terminated",
)
PAYLOADS = (
    "a_mebibyte_goes_through",
    "a_large_event_goes_through",
    "every_character_goes_through",
    "names_and_ids_may_be_in_any_script",
    "every_kind_of_value_goes_through",
    "no_input_is_not_an_empty_input",
    "a_hundred_workflows_run_at_once",
)
EVERYWHERE = TASKS + EVENTS + CHILDREN + GENERATIONS + LIFECYCLE + SCHEDULES + PAYLOADS

SINCE_1_18 = (
    "a_coroutine_is_an_activity",
    "a_wait_with_a_timeout_gives_up",
    "a_wait_with_a_timeout_takes_an_event_in_time",
    "an_event_after_a_timeout_is_for_the_next_wait",
    "an_activity_sees_the_history_it_is_shown",
    "an_activity_sees_no_history_unasked",
    "a_child_passes_on_the_history_of_its_ancestors",
    "a_child_may_keep_the_history_of_its_ancestors_to_itself",
)
SINCE_1_19 = (
    "instances_are_listed_page_by_page",
    "the_history_of_an_instance_can_be_read",
    "a_workflow_is_run_again_from_an_event",
    "a_rerun_gives_its_child_a_new_id",
    "a_rerun_that_makes_no_sense_is_refused",
    "a_worker_that_remembers_histories_replays_them_right",
    "a_client_starts_and_tells_a_workflow_of_another_app",
)

# The client of the building block's beta left the package after 1.17.
ONLY_1_17 = ("the_older_dapr_client_works",)

# What is looked at once all cases of an SDK are through.
AFTERWARDS = "the_server_is_well_afterwards"


def _dapr_cases(sdk: Environment) -> tuple[str, ...]:
    """The cases that this generation of the Dapr SDK can try."""
    cases = (*EVERYWHERE, "the_asyncio_client_works")
    if sdk is venvs.DAPR_1_17:
        return cases + ONLY_1_17
    if sdk is venvs.DAPR_1_18:
        return cases + SINCE_1_18
    return cases + SINCE_1_18 + SINCE_1_19


DURABLETASK = (
    "an_activity_returns_its_result",
    "activities_in_a_chain_run_one_after_the_other",
    "ten_activities_run_side_by_side",
    "a_failing_activity_is_tried_again",
    "retries_end_with_the_last_failure",
    "a_workflow_that_raises_has_failed",
    "an_unknown_workflow_fails",
    "an_unknown_activity_fails_its_call",
    "a_child_returns_its_result",
    "a_parent_sees_the_failure_of_its_child",
    "a_failing_child_is_tried_again",
    "a_timer_fires_when_it_is_due",
    "ids_drawn_in_a_replay_are_the_same",
    "a_hundred_workflows_run_at_once",
    "every_kind_of_value_goes_through",
    "a_mebibyte_goes_through",
    "the_case_of_an_event_name_does_not_matter",
    "events_before_their_wait_are_kept_in_order",
    "an_event_can_win_against_a_timer",
    "a_timer_can_win_against_an_event",
    "an_instance_sends_an_event_to_another",
    "carried_events_are_read_in_later_rounds",
    "a_suspended_workflow_takes_its_events_when_resumed",
    "terminating_a_parent_terminates_its_children",
    "a_late_result_of_a_terminated_workflow_is_dropped",
    "purging_a_parent_purges_its_children",
    "a_running_workflow_cannot_be_purged",
    "an_active_id_cannot_be_started_again",
    "a_scheduled_workflow_begins_at_its_time",
    "a_missing_workflow_is_not_there",
    "tags_are_kept_with_the_instance",
    "instances_can_be_queried_or_it_is_said_that_they_cannot",
    "histories_can_be_read_or_it_is_said_that_they_cannot",
    "what_this_server_does_not_offer_is_refused_plainly",
)


def cases_of(sdk: Environment) -> tuple[str, ...]:
    """The cases that are tried with this SDK."""
    return _dapr_cases(sdk) if sdk in DAPR else DURABLETASK
