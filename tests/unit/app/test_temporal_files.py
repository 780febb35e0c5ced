"""Component files of Temporal clusters: what they come to, and what is wrong with them, where."""

import json
from pathlib import Path

import pytest

from perdure.app.config import Config, load
from perdure.app.temporal_files import component_of_type
from perdure.base.errors import ConfigurationError


def component(name: str = "cluster", **metadata: str) -> str:
    items = (
        f"    - name: {key}\n      value: {json.dumps(value)}\n" for key, value in metadata.items()
    )
    listed = "".join(items)
    return (
        f"apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n"
        f"  type: workflow.temporal\n  version: v1\n" + (f"  metadata:\n{listed}" if listed else "")
    )


def loaded(folder: Path, *texts: str, **environ: str) -> Config:
    for number, text in enumerate(texts):
        (folder / f"{number}.yaml").write_text(text)
    return load({"resources_path": [str(folder)], "store": str(folder / "x.db")}, environ)


def test_a_file_with_nothing_but_its_type(tmp_path: Path) -> None:
    config = loaded(tmp_path, component())
    [settings] = config.temporal
    assert (settings.name, settings.hostport, settings.namespace) == (
        "cluster",
        "localhost:7233",
        "default",
    )
    assert settings.identity.startswith("perdure@")
    assert (settings.task_queue, settings.workflow_types, settings.tls, settings.api_key) == (
        None,
        (),
        None,
        None,
    )
    assert config.warnings == ()


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    text = component(
        hostPort="[::1]:7233",
        namespace="shop",
        identity="the shop",
        taskQueue="orders",
        workflowTypes=" order, shipping,,order ",
        tls="true",
        tlsServerName="cluster.shop",
        apiKey="secret",
        unheardOf="x",
    )
    config = loaded(tmp_path, text)
    [settings] = config.temporal
    assert (settings.hostport, settings.namespace, settings.identity) == (
        "[::1]:7233",
        "shop",
        "the shop",
    )
    assert (settings.task_queue, settings.workflow_types) == ("orders", ("order", "shipping"))
    assert settings.tls is not None
    assert settings.tls.server_name == "cluster.shop"
    assert settings.api_key == "secret"
    assert "secret" not in repr(settings)
    [warning] = config.warnings
    assert "unheardOf is not used by perdure's workflow.temporal and has no effect" in warning


def test_a_key_from_the_environment(tmp_path: Path) -> None:
    text = component() + "  metadata:\n    - name: apiKey\n      envRef: CLUSTER_KEY\n"
    [settings] = loaded(tmp_path, text, CLUSTER_KEY="secret").temporal
    assert settings.api_key == "secret"
    # A key is not sent in the clear unless somebody says so.
    assert settings.tls is not None


def test_types_of_several_clusters(tmp_path: Path) -> None:
    config = loaded(
        tmp_path, component("a", workflowTypes="x, y"), component("b", workflowTypes="z")
    )
    assert component_of_type(config.temporal) == {"x": "a", "y": "a", "z": "b"}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            [component(hostport="https://cluster:7233")],
            (
                "0.yaml:10:7: component cluster: hostport: expected host:port, such as "
                "localhost:7233, without a scheme before it"
            ),
        ),
        ([component(hostport="cluster")], "0.yaml:10:7: component cluster: hostport: expected"),
        ([component(hostport="cluster:0")], "0.yaml:10:7: component cluster: hostport: expected"),
        (
            [component(workflowTypes="x, dapr")],
            "workflowTypes: dapr is the name of a component, which a path means first; rename",
        ),
        (
            [component(workflowTypes="cluster")],
            "workflowTypes: cluster is the name of a component",
        ),
        (
            [component("a", workflowTypes="x"), component("b", workflowTypes="x")],
            "1.yaml:10:7: component b: workflowTypes: x is at component a already",
        ),
        ([component(tls="maybe")], 'tls: expected "true" or "false"'),
        (
            [component(tls="false", tlsServerName="x")],
            'tlsServerName: goes with TLS, and tls is "false"; remove one of them',
        ),
        (
            [component(tlsClientKey="-----BEGIN PRIVATE KEY-----")],
            "tlsClientKey: tlsClientCert and tlsClientKey go together; give both",
        ),
        (
            [component(tlsServerCA="/nowhere.pem")],
            "tlsServerCA: expected PEM, or the path of a file with it; /nowhere.pem: No such file",
        ),
        ([component("dapr")], "0.yaml:4:3: the name dapr belongs to the embedded engine"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, texts: list[str], expected: str
) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        loaded(tmp_path, *texts)
    assert expected in str(wrong.value)


def test_a_file_without_pem_is_none(tmp_path: Path) -> None:
    file = tmp_path / "ca.txt"
    file.write_text("trust me")
    with pytest.raises(ConfigurationError, match="holds no PEM"):
        loaded(tmp_path, component(tlsServerCA=str(file)))
