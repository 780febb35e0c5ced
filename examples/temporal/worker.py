"""Order processing on a Temporal cluster: reserve, approve, pay, pack, ship, and undo on failure.

This is an ordinary Temporal worker. It knows nothing of the Workflow API that its workflows are
started, told of events and looked at through.
"""

import asyncio
import os
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError
from temporalio.worker import Worker

Order = dict[str, Any]

TASK_QUEUE = "orders"
APPROVAL_NEEDED_FROM = 1_000
APPROVAL_DEADLINE = timedelta(hours=24)
PACKING_TIME = timedelta(seconds=2)
CARRIERS = {"Brno": "by bicycle", "Lisbon": "by train", "Osaka": "by air"}

# Each attempt after the first waits twice as long as the one before.
PATIENTLY = RetryPolicy(
    initial_interval=timedelta(milliseconds=500), maximum_attempts=5, backoff_coefficient=2.0
)
ONCE = RetryPolicy(maximum_attempts=1)


# --- workflows: what is to be done, and in which order


@workflow.defn(name="order_processing")
class OrderProcessing:
    def __init__(self) -> None:
        self.approval: dict[str, Any] | None = None

    @workflow.signal(name="approval")
    def decide(self, approval: dict[str, Any]) -> None:
        self.approval = approval

    @workflow.run
    async def run(self, order: Order) -> dict[str, Any]:
        order = {**order, "id": workflow.info().workflow_id}
        total = order["quantity"] * order["price"]
        done_so_far: list[Callable[..., Any]] = []
        try:
            await call(reserve_stock, order, PATIENTLY)
            done_so_far.append(release_stock)

            if total >= APPROVAL_NEEDED_FROM:
                await self.await_approval(total)

            payment = await call(take_payment, {**order, "total": total})
            done_so_far.append(refund_payment)

            set_custom_status("packing")
            await workflow.sleep(PACKING_TIME)

            set_custom_status("shipping")
            parcel = await workflow.execute_child_workflow(
                Shipping.run, order, id=f"{order['id']}-shipping"
            )
        except (ActivityError, ChildWorkflowError, ApplicationError) as error:
            set_custom_status("undoing")
            for undo in reversed(done_so_far):
                await call(undo, order, PATIENTLY)
            set_custom_status("undone")
            await call(notify, f"Order {order['id']} is cancelled.")
            why = reason_of(error)
            raise ApplicationError(
                f"{why}; all that was done is undone", type="OrderCancelledError"
            ) from error

        set_custom_status("done")
        await call(notify, f"Order {order['id']} is on its way.")
        return {"payment": payment, **parcel}

    async def await_approval(self, total: float) -> None:
        """Wait until somebody approves or refuses, or until it is too late."""
        set_custom_status(f"waiting for approval of {total}")
        try:
            await workflow.wait_condition(
                lambda: self.approval is not None, timeout=APPROVAL_DEADLINE
            )
        except TimeoutError as error:
            raise ApplicationError("nobody approved it in time") from error
        if not self.approval["approved"]:
            raise ApplicationError(f"{self.approval['by']} did not approve it")


@workflow.defn(name="shipping")
class Shipping:
    """A child workflow: an instance of its own, with an id, a history and an outcome of its own."""

    @workflow.run
    async def run(self, order: Order) -> dict[str, Any]:
        carrier = await call(find_carrier, order["city"])
        tracking = await call(hand_over, order)
        return {"carrier": carrier, "tracking": tracking}


async def call(what: Callable[..., Any], value: Any, retries: RetryPolicy = ONCE) -> Any:
    return await workflow.execute_activity(
        what, value, start_to_close_timeout=timedelta(minutes=1), retry_policy=retries
    )


def set_custom_status(status: str) -> None:
    # In the memo, everybody can read it without asking a worker; the Workflow API does.
    workflow.upsert_memo({"dapr-workflow-custom-status": status})


def reason_of(error: BaseException) -> str:
    """What went wrong at the bottom of it."""
    while isinstance(error, ActivityError | ChildWorkflowError) and error.cause is not None:
        error = error.cause
    return str(error)


# --- activities: the work itself. Each may run more than once, so each must bear repetition


@activity.defn
async def reserve_stock(order: Order) -> None:
    # The first call for each order fails, so that there is something to retry.
    if order["id"] not in _called_before:
        _called_before.add(order["id"])
        say("the warehouse is busy and refuses")
        raise ConnectionError("the warehouse is busy")
    say(f"reserved {order['item']} ({order['quantity']})")


@activity.defn
async def release_stock(order: Order) -> None:
    say(f"released {order['item']} ({order['quantity']})")


@activity.defn
async def take_payment(order: Order) -> str:
    say(f"took {order['total']} from {order['customer']}")
    return f"payment-{order['id']}"


@activity.defn
async def refund_payment(order: Order) -> None:
    say(f"gave {order['customer']} their money back")


@activity.defn
async def find_carrier(city: str) -> str:
    if city not in CARRIERS:
        say(f"found nobody who delivers to {city}")
        raise LookupError(f"nobody delivers to {city}")
    say(f"found a carrier to {city}, {CARRIERS[city]}")
    return CARRIERS[city]


@activity.defn
async def hand_over(order: Order) -> str:
    tracking = f"PX{random.randrange(10**6):06}"
    say(f"handed over {order['item']} as {tracking}")
    return tracking


@activity.defn
async def notify(words: str) -> None:
    say(f"wrote to the customer: {words}")


_called_before: set[str] = set()


def say(words: str) -> None:
    print(f"[{activity.info().workflow_id}] {words}", flush=True)


async def main() -> None:
    client = await Client.connect(os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"))
    activities = [
        reserve_stock,
        release_stock,
        take_payment,
        refund_payment,
        find_carrier,
        hand_over,
        notify,
    ]
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[OrderProcessing, Shipping],
        activities=activities,
    )
    async with worker:
        print("The order worker is ready.", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
