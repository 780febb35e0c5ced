"""An activity that outlives the workflow that asked for it, as a Temporal workflow of its own."""

from temporalio import workflow
from temporalio.common import RawValue

from perdure.bridge import names
from perdure.bridge.options import ACTIVITY_OPTIONS


@workflow.defn(name=names.LONE_ACTIVITY)
class LoneActivity:
    """An activity whose workflow has ended before it could begin."""

    @workflow.run
    async def run(self, name: str, text: RawValue, about: RawValue, propagated: RawValue) -> None:
        """Run the activity; nobody waits for what it returns."""
        await workflow.execute_activity(
            name, args=[text, about, propagated], result_type=RawValue, **ACTIVITY_OPTIONS
        )
