"""The ring, once around: what the engine promises about the plainest workflows."""

from perdure.core.status import Status
from tests.kit.house import House
from tests.kit.worker import hello


async def test_hello() -> None:
    async with House() as house:
        house.worker().work(hello)
        await house.start("a", input="1")
        view = await house.finished("a")
        assert view.status is Status.COMPLETED
        assert view.output == "1"
        assert house.kinds("a") == [
            "WorkflowStarted",
            "ExecutionStarted",
            "TaskScheduled",
            "WorkflowStarted",
            "TaskCompleted",
            "ExecutionCompleted",
        ]
