"""Phone verification: send a code, then wait for the right answer, but not for ever.

A durable timer says when the code expires, and up to three answers may come as events. Whichever
comes first decides; the wait survives restarts of this program and of the server.
"""

import random
import threading
from collections.abc import Generator
from datetime import timedelta
from typing import Any

from dapr.ext.workflow import (
    DaprWorkflowContext,
    WorkflowActivityContext,
    WorkflowRuntime,
    when_any,
)

# A workflow is a generator: it yields what it waits for, and is sent the result.
Steps = Generator[Any, Any, Any]

ANSWERS_MAX = 3
EXPIRES_IN_S = 120

runtime = WorkflowRuntime()


@runtime.workflow
def phone_verification(ctx: DaprWorkflowContext, request: dict[str, Any]) -> Steps:
    # The code is drawn in an activity: workflow code is run again and again, an activity is not.
    code = yield ctx.call_activity(create_challenge, input=request["phone"])
    expiry = ctx.create_timer(timedelta(seconds=request.get("expires_in_s", EXPIRES_IN_S)))

    for answers in range(1, ANSWERS_MAX + 1):
        ctx.set_custom_status(f"waiting for answer {answers} of {ANSWERS_MAX}")
        answer = ctx.wait_for_external_event("answer")
        first = yield when_any([expiry, answer])
        if first is expiry:
            return {"verified": False, "why": "the code has expired"}
        if answer.get_result() == code:
            return {"verified": True, "answers": answers}
    return {"verified": False, "why": f"{ANSWERS_MAX} wrong answers"}


@runtime.activity
def create_challenge(context: WorkflowActivityContext, phone: str) -> str:
    code = f"{random.randrange(10**6):06}"
    # Here a real application would call whoever delivers its short messages.
    print(f"[{context.workflow_id}] message to {phone}: your code is {code}", flush=True)
    return code


def main() -> None:
    runtime.start()
    print("The verification worker is ready.", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        runtime.shutdown()


if __name__ == "__main__":
    main()
