"""Order processing: reserve, approve, pay, pack, ship, and undo what was done if a step fails.

This is an ordinary Dapr Workflow application. It knows nothing of the server behind it but what the
SDK reads from the environment (`DAPR_GRPC_PORT`).
"""

import random
import threading
from collections.abc import Generator
from datetime import timedelta
from typing import Any

from dapr.ext.workflow import (
    DaprWorkflowContext,
    RetryPolicy,
    TaskFailedError,
    WorkflowActivityContext,
    WorkflowRuntime,
    when_any,
)

Order = dict[str, Any]
# A workflow is a generator: it yields what it waits for, and is sent the result.
Steps = Generator[Any, Any, Any]

APPROVAL_NEEDED_FROM = 1_000
APPROVAL_DEADLINE = timedelta(hours=24)
PACKING_TIME = timedelta(seconds=2)
CARRIERS = {"Brno": "by bicycle", "Lisbon": "by train", "Osaka": "by air"}

# Each attempt after the first waits twice as long as the one before.
PATIENTLY = RetryPolicy(
    first_retry_interval=timedelta(milliseconds=500),
    max_number_of_attempts=5,
    backoff_coefficient=2.0,
)

runtime = WorkflowRuntime()


# --- workflows: what is to be done, and in which order


@runtime.workflow
def order_processing(ctx: DaprWorkflowContext, order: Order) -> Steps:
    order = {**order, "id": ctx.instance_id}
    total = order["quantity"] * order["price"]
    done_so_far: list[Any] = []
    try:
        yield ctx.call_activity(reserve_stock, input=order, retry_policy=PATIENTLY)
        done_so_far.append(release_stock)

        if total >= APPROVAL_NEEDED_FROM:
            yield from await_approval(ctx, total)

        payment = yield ctx.call_activity(take_payment, input={**order, "total": total})
        done_so_far.append(refund_payment)

        ctx.set_custom_status("packing")
        yield ctx.create_timer(PACKING_TIME)

        ctx.set_custom_status("shipping")
        parcel = yield ctx.call_child_workflow(
            shipping, input=order, instance_id=f"{ctx.instance_id}-shipping"
        )
    except (TaskFailedError, NotApprovedError) as error:
        ctx.set_custom_status("undoing")
        for undo in reversed(done_so_far):
            yield ctx.call_activity(undo, input=order, retry_policy=PATIENTLY)
        ctx.set_custom_status("undone")
        yield ctx.call_activity(notify, input=f"Order {order['id']} is cancelled.")
        raise OrderCancelledError(f"{error}; all that was done is undone") from error

    ctx.set_custom_status("done")
    yield ctx.call_activity(notify, input=f"Order {order['id']} is on its way.")
    return {"payment": payment, **parcel}


def await_approval(ctx: DaprWorkflowContext, total: float) -> Steps:
    """Wait until somebody approves or refuses, or until it is too late."""
    ctx.set_custom_status(f"waiting for approval of {total}")
    decision = ctx.wait_for_external_event("approval")
    deadline = ctx.create_timer(APPROVAL_DEADLINE)
    first = yield when_any([decision, deadline])
    if first is deadline:
        raise NotApprovedError("nobody approved it in time")
    answer = decision.get_result()
    if not answer["approved"]:
        raise NotApprovedError(f"{answer['by']} did not approve it")


@runtime.workflow
def shipping(ctx: DaprWorkflowContext, order: Order) -> Steps:
    """A child workflow: an instance of its own, with an id, a history and an outcome of its own."""
    carrier = yield ctx.call_activity(find_carrier, input=order["city"])
    tracking = yield ctx.call_activity(hand_over, input=order)
    return {"carrier": carrier, "tracking": tracking}


class NotApprovedError(Exception):
    """The order needed an approval and did not get one."""


class OrderCancelledError(Exception):
    """The order could not be fulfilled, and nothing of it remains."""


# --- activities: the work itself. Each may run more than once, so each must bear repetition


@runtime.activity
def reserve_stock(context: WorkflowActivityContext, order: Order) -> None:
    # The first call for each order fails, so that there is something to retry.
    if order["id"] not in _called_before:
        _called_before.add(order["id"])
        say(context, "the warehouse is busy and refuses")
        raise ConnectionError("the warehouse is busy")
    say(context, f"reserved {order['item']} ({order['quantity']})")


@runtime.activity
def release_stock(context: WorkflowActivityContext, order: Order) -> None:
    say(context, f"released {order['item']} ({order['quantity']})")


@runtime.activity
def take_payment(context: WorkflowActivityContext, order: Order) -> str:
    say(context, f"took {order['total']} from {order['customer']}")
    return f"payment-{order['id']}"


@runtime.activity
def refund_payment(context: WorkflowActivityContext, order: Order) -> None:
    say(context, f"gave {order['customer']} their money back")


@runtime.activity
def find_carrier(context: WorkflowActivityContext, city: str) -> str:
    if city not in CARRIERS:
        say(context, f"found nobody who delivers to {city}")
        raise LookupError(f"nobody delivers to {city}")
    say(context, f"found a carrier to {city}, {CARRIERS[city]}")
    return CARRIERS[city]


@runtime.activity
def hand_over(context: WorkflowActivityContext, order: Order) -> str:
    tracking = f"PX{random.randrange(10**6):06}"
    say(context, f"handed over {order['item']} as {tracking}")
    return tracking


@runtime.activity
def notify(context: WorkflowActivityContext, words: str) -> None:
    say(context, f"wrote to the customer: {words}")


_called_before: set[str] = set()


def say(context: WorkflowActivityContext, words: str) -> None:
    print(f"[{context.workflow_id}] {words}", flush=True)


def main() -> None:
    runtime.start()
    print("The order worker is ready.", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        runtime.shutdown()


if __name__ == "__main__":
    main()
