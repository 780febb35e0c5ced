"""Whether a trigger fits the workflow component that it names; streams as metadata tell of them."""

from perdure.base.errors import ConfigurationError
from perdure.components.catalog import Catalog
from perdure.components.publishing import SubscriptionView
from perdure.core.deliveries import OnExisting, OnMissing
from perdure.triggers.definitions import Action, Trigger
from perdure.triggers.topology import Stream


def check_component(trigger: Trigger, catalog: Catalog) -> None:
    """Raise ConfigurationError for what the component does not have, or cannot do."""
    component = catalog.named(trigger.component)
    if component is None:
        known = ", ".join(sorted(catalog.components))
        raise ConfigurationError(
            f"{trigger.place}: there is no workflow component {trigger.component}; loaded: {known}"
        )
    if trigger.workflow is not None and catalog.named(trigger.workflow) is not None:
        raise ConfigurationError(
            f"{trigger.place}: workflow {trigger.workflow} has the name of a workflow component, "
            "which no workflow type may have; give it another name"
        )
    if component.deliveries is not None:
        return
    for refused, words in (
        (
            trigger.action is Action.START
            and trigger.on_existing in {OnExisting.RECYCLE, OnExisting.START_NEXT},
            f"onExisting: {trigger.on_existing.value}",
        ),
        (
            trigger.action is Action.RAISE_EVENT and trigger.on_missing is OnMissing.KEEP,
            f"onMissing: {trigger.on_missing.value}",
        ),
    ):
        if refused:
            raise ConfigurationError(
                f"{trigger.place}: component {trigger.component} ({component.kind}) cannot do "
                f"{words}, which takes the engine of component dapr; choose another"
            )


def subscription_view(stream: Stream) -> SubscriptionView:
    """Return what metadata say of a topic that is received."""
    ways = [way for _, way in stream.takers if way is not None]
    rules = [(match.text, path) for way in ways[:1] for match, path in way.rules]
    return SubscriptionView(
        pubsub=stream.component,
        topic=stream.topic or "",
        rules=rules + [("", way.default) for way in ways[:1] if way.default is not None],
        dead_letter_topic=next((way.dead_letter_topic or "" for way in ways), ""),
        metadata=stream.metadata,
    )
