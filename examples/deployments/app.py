"""A Deployment that is created starts this workflow, under the Deployment's name."""

import threading
from collections.abc import Generator
from typing import Any

from dapr.ext.workflow import DaprWorkflowContext, WorkflowActivityContext, WorkflowRuntime

# A workflow is a generator: it yields what it waits for, and is sent the result.
Steps = Generator[Any, Any, Any]

runtime = WorkflowRuntime()


@runtime.workflow
def deployment_created(ctx: DaprWorkflowContext, deployment: dict[str, Any]) -> Steps:
    images = [
        container["image"] for container in deployment["spec"]["template"]["spec"]["containers"]
    ]
    checked = yield ctx.call_activity(check_images, input=images)
    return {"deployment": ctx.instance_id, "images": images, "pinned": checked}


@runtime.activity
def check_images(context: WorkflowActivityContext, images: list[str]) -> bool:
    # Here a real application would ask its registry, a scanner or a person.
    pinned = all(":" in image and not image.endswith(":latest") for image in images)
    print(f"[{context.workflow_id}] {', '.join(images)}: pinned {pinned}", flush=True)
    return pinned


def main() -> None:
    runtime.start()
    print("The worker of deployments is ready.", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        runtime.shutdown()


if __name__ == "__main__":
    main()
