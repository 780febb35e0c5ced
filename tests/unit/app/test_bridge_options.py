"""Flags of the bridge: from where they come, what they mean, and which one is to blame."""

from pathlib import Path

import pytest

from perdure.app.bridge_options import (
    ClusterFlags,
    check_config,
    cluster_flags,
    cluster_of,
    queues_of,
    without_a_store,
)
from perdure.app.component_files import Resources
from perdure.app.config import Config
from perdure.app.configuration_file import WorkflowSettings
from perdure.base.errors import ConfigurationError
from perdure.core.access import Policy
from perdure.core.status import Status


def test_a_flag_wins_over_the_variable_of_temporals_tools() -> None:
    environ = {"TEMPORAL_ADDRESS": "env:1", "TEMPORAL_NAMESPACE": "shop"}
    typed = {"temporal": "typed:2", "namespace": None, "temporal_tls": True}
    flags = cluster_flags(typed, environ)
    assert flags == ClusterFlags(temporal="typed:2", namespace="shop", temporal_tls=True)


def test_what_is_not_given_is_temporals_own_default() -> None:
    found = cluster_of(ClusterFlags(), Config(app_id="shop"), {})
    assert (found.hostport, found.namespace, found.tls) == ("localhost:7233", "default", None)
    assert found.identity.startswith("perdure-bridge/shop/")
    assert queues_of(ClusterFlags()) == "{app_id}"


def test_the_key_comes_from_the_environment_and_is_not_shown() -> None:
    found = cluster_of(ClusterFlags(), Config(), {"TEMPORAL_API_KEY": "open sesame"})
    assert found.api_key == "open sesame"
    assert "sesame" not in repr(found)


def test_files_of_tls_are_read(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_bytes(b"PEM")
    tls = cluster_of(ClusterFlags(temporal_tls_ca=authority), Config(), {}).tls
    assert tls is not None
    assert (tls.server_ca, tls.client_key) == (b"PEM", None)


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (ClusterFlags(temporal="localhost"), "--temporal localhost: expected HOST:PORT"),
        (ClusterFlags(temporal="h:0"), "--temporal h:0: expected HOST:PORT"),
        (ClusterFlags(temporal="h:65536"), "expected HOST:PORT"),
        (ClusterFlags(temporal_tls_key=Path("k")), "go together"),
        (ClusterFlags(temporal_tls_ca=Path("no/such")), "--temporal-tls-ca no/such: No such file"),
    ],
)
def test_what_cannot_be_used_is_named(flags: ClusterFlags, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        cluster_of(flags, Config(), {})


@pytest.mark.parametrize("queues", ["{app}", "{app_id}-{x}", "  "])
def test_a_pattern_of_queues_knows_one_word(queues: str) -> None:
    with pytest.raises(ConfigurationError, match="--task-queue"):
        queues_of(ClusterFlags(task_queue=queues))


def test_a_store_of_the_environment_means_nothing_to_a_bridge() -> None:
    environ = {"PERDURE_STORE": "x.db", "PERDURE_RESOURCES_PATH": "r", "DAPR_APP_ID": "shop"}
    assert without_a_store(environ) == {"DAPR_APP_ID": "shop"}


def test_a_retention_is_not_the_bridges_to_keep() -> None:
    kept = Config(workflow=WorkflowSettings(retention_us={Status.COMPLETED: 1}))
    assert "namespace" in check_config(kept).warnings[0]
    assert check_config(Config()).warnings == ()


def test_policies_are_not_for_what_workflows_ask_there() -> None:
    loaded = Config(resources=Resources(policies=[Policy("gate", ())]))
    (warning,) = check_config(loaded).warnings
    assert "is NOT judged by them" in warning
