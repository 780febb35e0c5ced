"""The settings of a component, read from YAML as `perdure serve` reads them."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from perdure.app.component_metadata import ComponentSettings, MetadataItem, Origin
from perdure.app.yaml_files import read_documents

APP = "orders"


def settings_of(
    folder: Path, kind: str, metadata: Mapping[str, str], *, name: str = "broker", app_id: str = APP
) -> ComponentSettings:
    """Write a component file and return its settings."""
    items = [{"name": key, "value": value} for key, value in metadata.items()]
    component = {
        "apiVersion": "dapr.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": name},
        "spec": {"type": kind, "version": "v1", "metadata": items},
    }
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(component, sort_keys=False))
    (document,) = read_documents(file)
    return ComponentSettings(
        Origin(document=document, component=name, type=kind, app_id=app_id),
        [MetadataItem(name=each["name"], value=each["value"]) for each in items],
        {},
        None,
    )
