"""The context of a workflow: what its code may ask for."""

from collections.abc import Callable
from typing import TypeVar, overload

from perdure.authoring.activities import ActivityContext
from perdure.authoring.payloads import Typing, signature_of, text_of
from perdure.authoring.propagation import PropagatedHistory
from perdure.authoring.registry import name_of
from perdure.authoring.retry import RetryPolicy
from perdure.authoring.run import OpenStep, Outcome
from perdure.authoring.statuses import custom_status_text
from perdure.authoring.tasks import AnyTask, Awaiting, Task, Yielding
from perdure.authoring.waiting import Waiting
from perdure.base.ids import child_instance_id
from perdure.core import actions as act
from perdure.core.events import PropagationScope, Router
from perdure.core.status import Status

In = TypeVar("In")
Out = TypeVar("Out")


class WorkflowContext(Waiting):
    """What a workflow asks of the world. All of it is the same in a replay."""

    __slots__ = ()

    @property
    def instance_id(self) -> str:
        """The id of the instance."""
        return self._run.instance_id

    @property
    def app_id(self) -> str:
        """The app that the instance belongs to."""
        return self._run.app_id

    @property
    def is_replaying(self) -> bool:
        """Whether the code is only being led back to where it was."""
        return self._run.replaying

    def set_custom_status(self, custom_status: str | None) -> None:
        """Tell readers where the workflow is. Anything but a text is told as JSON."""
        self._run.custom_status = custom_status_text(custom_status)

    @overload
    def call_activity(
        self,
        activity: Callable[[ActivityContext, In], Awaiting[Out]],
        input: In,
        *,
        retry_policy: RetryPolicy | None = None,
        app_id: str | None = None,
        propagation: PropagationScope | None = None,
    ) -> Task[Out]: ...
    @overload
    def call_activity(
        self,
        activity: Callable[[ActivityContext], Awaiting[Out]],
        input: None = None,
        *,
        retry_policy: RetryPolicy | None = None,
        app_id: str | None = None,
        propagation: PropagationScope | None = None,
    ) -> Task[Out]: ...
    @overload
    def call_activity(
        self,
        activity: Callable[[ActivityContext, In], Out],
        input: In,
        *,
        retry_policy: RetryPolicy | None = None,
        app_id: str | None = None,
        propagation: PropagationScope | None = None,
    ) -> Task[Out]: ...
    @overload
    def call_activity(
        self,
        activity: Callable[[ActivityContext], Out],
        input: None = None,
        *,
        retry_policy: RetryPolicy | None = None,
        app_id: str | None = None,
        propagation: PropagationScope | None = None,
    ) -> Task[Out]: ...
    @overload
    def call_activity(
        self,
        activity: str,
        input: object = None,
        *,
        retry_policy: RetryPolicy | None = None,
        app_id: str | None = None,
        propagation: PropagationScope | None = None,
    ) -> AnyTask: ...
    def call_activity(
        self,
        activity: Callable[..., object] | str,
        input: object = None,  # noqa: A002 - the name that people know
        *,
        retry_policy: RetryPolicy | None = None,
        app_id: str | None = None,
        propagation: PropagationScope | None = None,
    ) -> AnyTask:
        """Return the task of a call of an activity.

        - `activity` is the function, or its name; `input` is what it is given, sent as JSON.
        - With a policy it is tried again when it fails; the task fails once that is over.
        - With `app_id` it runs at the workers of that app.
        - `propagation` tells how much of the history it may see.
        """
        run = self._run
        number = run.next_id()
        action = act.ScheduleTask(
            id=number,
            name=activity if isinstance(activity, str) else name_of(activity),
            input=text_of(input),
            execution_id=run.next_execution_id(),
            router=self._router(app_id),
            scope=propagation or PropagationScope.NONE,
        )
        step = OpenStep(Task(), self._result_type(activity), action, retry_policy)
        run.ask(action, step)
        return step.task

    @overload
    def call_child_workflow(
        self,
        workflow: Callable[["WorkflowContext", In], Awaiting[Out]],
        input: In,
        *,
        instance_id: str | None = None,
        retry_policy: RetryPolicy | None = None,
        app_id: str | None = None,
        propagation: PropagationScope | None = None,
    ) -> Task[Out]: ...
    @overload
    def call_child_workflow(
        self,
        workflow: Callable[["WorkflowContext"], Awaiting[Out]],
        input: None = None,
        *,
        instance_id: str | None = None,
        retry_policy: RetryPolicy | None = None,
        app_id: str | None = None,
        propagation: PropagationScope | None = None,
    ) -> Task[Out]: ...
    @overload
    def call_child_workflow(
        self,
        workflow: Callable[..., Yielding[Out]],
        input: object = None,
        *,
        instance_id: str | None = None,
        retry_policy: RetryPolicy | None = None,
        app_id: str | None = None,
        propagation: PropagationScope | None = None,
    ) -> Task[Out]: ...
    @overload
    def call_child_workflow(
        self,
        workflow: str,
        input: object = None,
        *,
        instance_id: str | None = None,
        retry_policy: RetryPolicy | None = None,
        app_id: str | None = None,
        propagation: PropagationScope | None = None,
    ) -> AnyTask: ...
    def call_child_workflow(
        self,
        workflow: Callable[..., object] | str,
        input: object = None,  # noqa: A002 - the name that people know
        *,
        instance_id: str | None = None,
        retry_policy: RetryPolicy | None = None,
        app_id: str | None = None,
        propagation: PropagationScope | None = None,
    ) -> AnyTask:
        """Return the task of a child workflow, which completes with its output.

        Without an `instance_id` the child is named after its parent. The rest is as with
        `call_activity`.
        """
        run = self._run
        number = run.next_id()
        action = act.CreateChild(
            id=number,
            name=workflow if isinstance(workflow, str) else name_of(workflow),
            input=text_of(input),
            instance_id=instance_id or child_instance_id(run.instance_id, number),
            router=self._router(app_id),
            scope=propagation or PropagationScope.NONE,
        )
        step = OpenStep(Task(), self._result_type(workflow), action, retry_policy)
        run.ask(action, step)
        return step.task

    def continue_as_new(self, new_input: object, *, save_events: bool = False) -> None:
        """End here, and begin anew with the input and an empty history.

        With `save_events` the events that have come and were not taken are there again.
        """
        text = text_of(new_input)
        self._run.end(Outcome(Status.CONTINUED_AS_NEW, text, saves_events=save_events))

    def is_patched(self, patch_name: str) -> bool:
        """Tell whether the instance goes the way of the patch.

        It does if it had not come so far when the patch was deployed. Once told, it stays so.
        """
        run = self._run
        applied = run.applied_patches.get(patch_name)
        if applied is None:
            applied = patch_name in run.history_patches or not run.replaying
            run.applied_patches[patch_name] = applied
        if applied:
            run.encountered_patches.append(patch_name)
        return applied

    def get_propagated_history(self) -> PropagatedHistory | None:
        """Return the history that the caller lets this workflow see, or None."""
        lineage = self._run.sources.lineage()
        return None if lineage is None else PropagatedHistory(lineage)

    def _router(self, app_id: str | None) -> Router | None:
        return None if app_id is None else Router(self._run.app_id, app_id)

    def _result_type(self, function: Callable[..., object] | str) -> object | None:
        if isinstance(function, str) or self._run.typing is Typing.DAPR:
            return None
        return signature_of(function).output_type
