"""What the programs beside this one run: an order, with a payment, an approval and a delivery.

Each of them has an engine of its own on one file, and no server.
"""

import asyncio
from datetime import timedelta

from pydantic import BaseModel

from perdure import (
    ActivityContext,
    NonRetryableError,
    Registry,
    RetryPolicy,
    TaskFailedError,
    WorkflowContext,
)

registry = Registry()

APPROVED_UP_TO = 1_000
PATIENT = RetryPolicy(
    first_retry_interval=timedelta(seconds=1), max_number_of_attempts=5, backoff_coefficient=2
)


class Order(BaseModel):
    customer: str
    amount: int
    city: str = "Lisbon"


class Receipt(BaseModel):
    key: str
    amount: int


@registry.activity(timeout=30)
async def charge(ctx: ActivityContext, order: Order) -> Receipt:
    """Take the money, once: the key is the same however often this runs."""
    await asyncio.sleep(0.01)  # a call to the bank, with the key in its Idempotency-Key header
    return Receipt(key=ctx.idempotency_key, amount=order.amount)


@registry.activity()
def ship(_: ActivityContext, order: Order) -> str:
    """Hand it over to a carrier, by a library that blocks: it runs in a thread."""
    if order.city == "Atlantis":
        raise NonRetryableError("nobody delivers to Atlantis")
    return f"on its way to {order.city}"


@registry.activity()
async def refund(_: ActivityContext, receipt: Receipt) -> None:
    """Give the money back."""


@registry.workflow()
async def order(ctx: WorkflowContext, order: Order) -> str:
    """Carry out an order; what is costly waits for somebody to approve it."""
    if order.amount > APPROVED_UP_TO:
        ctx.set_custom_status("waits for approval")
        try:
            approved = await ctx.wait_for_external_event(
                "approval", timeout=timedelta(days=3), data_type=bool
            )
        except TimeoutError:
            approved = False
        if not approved:
            return "not approved"
    ctx.set_custom_status("paying")
    receipt = await ctx.call_activity(charge, order, retry_policy=PATIENT)
    ctx.set_custom_status("shipping")
    try:
        return await ctx.call_activity(ship, order)
    except TaskFailedError as error:
        await ctx.call_activity(refund, receipt)
        return f"paid back: {error.details.message}"
