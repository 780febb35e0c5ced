"""A tweet of an account that is followed starts this workflow, under the tweet's id."""

import threading
from collections.abc import Generator
from typing import Any

from dapr.ext.workflow import DaprWorkflowContext, WorkflowActivityContext, WorkflowRuntime

# A workflow is a generator: it yields what it waits for, and is sent the result.
Steps = Generator[Any, Any, Any]

runtime = WorkflowRuntime()


@runtime.workflow
def tweet_posted(ctx: DaprWorkflowContext, tweet: dict[str, Any]) -> Steps:
    words = yield ctx.call_activity(announce, input=tweet["text"])
    return {"tweet": ctx.instance_id, "words": words}


@runtime.activity
def announce(context: WorkflowActivityContext, text: str) -> int:
    # Here a real application would tell whoever wants to know.
    print(f"[{context.workflow_id}] {text}", flush=True)
    return len(text.split())


def main() -> None:
    runtime.start()
    print("The worker of tweets is ready.", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        runtime.shutdown()


if __name__ == "__main__":
    main()
