"""What is open in a history, as the effects that begin it once more."""

from perdure.base.ids import derived_id
from perdure.bridge.instance import Instance
from perdure.core.applying import birth_of_child, taken
from perdure.core.effects import Birth, RunTask
from perdure.core.events import ChildCreated, ParentLink, Router, TaskScheduled


def task_again(instance: Instance, scheduled: TaskScheduled) -> RunTask:
    """Return the effect of an activity that is in the history without its result."""
    return RunTask(scheduled, _target(instance, scheduled.router))


def birth_again(instance: Instance, created: ChildCreated) -> Birth:
    """Return the effect of a child that is in the history without its outcome."""
    parent = instance.state.started
    assert parent is not None, "an instance with children has started"
    link = ParentLink(
        instance_id=instance.instance_id,
        execution_id=parent.execution_id,
        name=parent.name,
        version=parent.version,
        task_id=created.event_id,
        app_id=instance.app_id,
    )
    generation, task_id = instance.state.generation, created.event_id
    execution_id = derived_id(parent.execution_id, generation, "child", task_id)
    app_id = _target(instance, created.router)
    started = birth_of_child(created, link, execution_id, Router(app_id))
    return Birth(started, app_id, taken(created), created.scope)


def _target(instance: Instance, router: Router | None) -> str:
    return instance.app_id if router is None else router.target_app or instance.app_id
