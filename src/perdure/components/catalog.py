"""The loaded workflow components by name, and which of the two path forms is meant."""

from dataclasses import dataclass, replace
from typing import Final

from perdure.components.asking import Asker
from perdure.components.guarded import Guarded
from perdure.components.port import WorkflowComponent
from perdure.components.publishing import Publisher
from perdure.components.triggering import Triggers
from perdure.core.access import OPEN, Access

EMBEDDED: Final = "dapr"


@dataclass(frozen=True, slots=True)
class Catalog:
    """The workflow components of this process. `dapr`, the embedded one, is always there."""

    components: dict[str, WorkflowComponent]
    # Workflow types that another component than the embedded one runs, for the document form.
    component_of_type: dict[str, str]
    # Where messages come from and go to; None where nothing of that kind is configured.
    publisher: Publisher | None = None
    triggers: Triggers | None = None
    # What apps may do to workflows of other apps.
    access: Access = OPEN

    def seen_by(self, asker: Asker) -> "Catalog":
        """Return the catalog as one caller sees it, who may not do everything."""
        if self.access.is_open and asker.owner is None:
            return self
        guarded: dict[str, WorkflowComponent] = {
            name: Guarded(component, self.access, asker)
            for name, component in self.components.items()
        }
        return replace(self, components=guarded)

    def named(self, name: str) -> WorkflowComponent | None:
        """Return the component of this name."""
        return self.components.get(name)

    def troubles(self) -> dict[str, str]:
        """Return why components cannot be asked just now, as metadata for people."""
        told = {name: component.trouble() for name, component in self.components.items()}
        troubles = {f"component.{name}.trouble": text for name, text in told.items() if text}
        sources = None if self.triggers is None else self.triggers.trouble()
        return troubles if sources is None else {**troubles, "sources.trouble": sources}

    def for_type(self, workflow_type: str) -> WorkflowComponent:
        """Return the component that runs this workflow type."""
        return self.components[self.component_of_type.get(workflow_type, EMBEDDED)]


def is_released_form(
    *, prefix: str, first_segment: str, component_names: frozenset[str], has_instance_query: bool
) -> bool:
    """Tell whether a path is in released form rather than in document form (api.md section 1).

    `prefix` is the version segment (`v1.0`, `v1.0-beta1`, `v1.0-alpha1`), `has_instance_query`
    whether a start carries an `instanceID` query parameter.
    """
    return prefix != "v1.0" or has_instance_query or first_segment in component_names
