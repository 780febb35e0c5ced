"""`kind: Configuration` as Dapr's users write it."""

from pathlib import Path

import pytest

from perdure.app.configuration_file import (
    ConfigurationFile,
    TracingSettings,
    WorkflowSettings,
    read_configuration,
)
from perdure.base.errors import ConfigurationError
from perdure.base.time import HOUR_US, MINUTE_US
from perdure.core.status import Status

HEAD = "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata:\n  name: c\n"


def read(folder: Path, spec: str, head: str = HEAD) -> ConfigurationFile:
    file = folder / "c.yaml"
    file.write_text(head + spec)
    return read_configuration(file)


def refusal(folder: Path, spec: str, head: str = HEAD) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(folder, spec, head)
    return str(caught.value).removeprefix(f"{folder}/c.yaml:")


def test_a_configuration_without_a_spec_sets_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "") == ConfigurationFile(
        workflow=WorkflowSettings(), tracing=None, warnings=()
    )


def test_every_workflow_setting(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """spec:
  workflow:
    maxConcurrentWorkflowInvocations: 10
    maxConcurrentActivityInvocations: 20
    globalMaxConcurrentWorkflowInvocations: 7
    globalMaxConcurrentActivityInvocations: 30
    workflowConcurrencyLimits:
      - {name: order, maxConcurrent: 3}
      - {name: order, maxConcurrent: 2}
    activityConcurrencyLimits:
      - name: charge
        maxConcurrent: 1
    stateRetentionPolicy:
      anyTerminal: 168h
      completed: 1h30m
      failed: "0"
""",
    )
    assert found.workflow == WorkflowSettings(
        turns_max=7,
        activities_max=20,
        turns_max_by_name={"order": 2},
        activities_max_by_name={"charge": 1},
        retention_us={
            Status.COMPLETED: HOUR_US + 30 * MINUTE_US,
            Status.FAILED: 0,
            Status.TERMINATED: 168 * HOUR_US,
            Status.CANCELED: 168 * HOUR_US,
        },
    )
    assert found.warnings == ()


def test_without_a_policy_everything_is_kept(tmp_path: Path) -> None:
    spec = "spec: {workflow: {stateRetentionPolicy: {failed: 1h}}}\n"
    assert read(tmp_path, spec).workflow.retention_us == {Status.FAILED: HOUR_US}


@pytest.mark.parametrize(
    ("otel", "endpoint"),
    [
        ("{endpointAddress: 'c:4318', isSecure: false, protocol: http}", "http://c:4318"),
        ("{endpointAddress: 'c:4318', protocol: http}", "https://c:4318"),
        ("{endpointAddress: 'http://c:4318'}", "http://c:4318"),
    ],
)
def test_tracing(tmp_path: Path, otel: str, endpoint: str) -> None:
    spec = f"spec:\n  tracing:\n    samplingRate: '0.5'\n    otel: {otel}\n"
    assert read(tmp_path, spec).tracing == TracingSettings(endpoint=endpoint, sampling_rate=0.5)


def test_what_means_nothing_here_is_warned_about_with_its_place(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """spec:
  mtls:
    enabled: true
  workflow:
    maxConcurrentWorkflowInvocatons: 3
    workflowConcurrencyLimits:
      - {name: order, maxConcurrent: 3, color: red}
""",
    )
    file = tmp_path / "c.yaml"
    tail = "is not used by perdure and has no effect"
    assert found.warnings == (
        f"{file}:6:3: spec.mtls {tail}",
        f"{file}:9:5: spec.workflow.maxConcurrentWorkflowInvocatons {tail}",
        f"{file}:11:41: spec.workflow.workflowConcurrencyLimits.0.color {tail}",
    )


def test_other_kinds_beside_it_are_warned_about(tmp_path: Path) -> None:
    other = "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\n---\n"
    [warning] = read(tmp_path, "", other + HEAD).warnings
    assert warning.endswith("c.yaml:2:1: kind Resiliency is not read from --config")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            "spec:\n  workflow:\n    maxConcurrentWorkflowInvocations: many\n",
            (
                "7:5: spec.workflow.maxConcurrentWorkflowInvocations: "
                "the value should be a valid integer"
            ),
        ),
        (
            "spec:\n  workflow:\n    maxConcurrentActivityInvocations: 0\n",
            (
                "7:5: spec.workflow.maxConcurrentActivityInvocations: "
                "the value should be greater than or equal to 1"
            ),
        ),
        (
            "spec:\n  workflow:\n    workflowConcurrencyLimits:\n    - name: order\n",
            "8:7: spec.workflow.workflowConcurrencyLimits.0.maxConcurrent: this key is missing",
        ),
        (
            "spec:\n  workflow:\n    stateRetentionPolicy:\n      completed: 7d\n",
            (
                "8:7: spec.workflow.stateRetentionPolicy.completed: "
                "expected a length of time such as 90s, 1h30m or 168h"
            ),
        ),
        (
            "spec:\n  workflow:\n    stateRetentionPolicy:\n      failed: -1h\n",
            (
                "8:7: spec.workflow.stateRetentionPolicy.failed: "
                "expected a length of time that is not negative"
            ),
        ),
        (
            "spec:\n  tracing:\n    samplingRate: 2\n",
            "7:5: spec.tracing.samplingRate: the value should be less than or equal to 1",
        ),
        (
            "spec:\n  tracing:\n    otel: {endpointAddress: 'c:4317', protocol: grpc}\n",
            "7:39: expected http",
        ),
        ("spec: [1]\n", "5:1: spec: "),
        ("---\n" + HEAD, "6:1: "),
    ],
)
def test_errors_name_place_and_expectation(tmp_path: Path, spec: str, expected: str) -> None:
    assert refusal(tmp_path, spec).startswith(expected)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("", "1:1: expected a resource of kind Configuration"),
        ("- a\n", "1:1: expected a resource with apiVersion"),
        ("kind: Configuration\n", "1:1: apiVersion: this key is missing"),
        ("apiVersion: a\nkind: Component\nmetadata: {name: x}\n", "1:1: expected a resource of"),
    ],
)
def test_files_that_are_no_configuration(tmp_path: Path, head: str, expected: str) -> None:
    assert refusal(tmp_path, "", head).startswith(expected)


FEATURES = "spec:\n  features:\n  - name: {name}\n    enabled: {enabled}\n"


def test_a_history_that_cannot_be_signed_is_not_passed_off_as_signed(tmp_path: Path) -> None:
    spec = FEATURES.format(name="WorkflowHistorySigning", enabled="true")
    said = refusal(tmp_path, spec)
    assert said.startswith("7:5: WorkflowHistorySigning cannot be enabled: ")
    assert said.endswith("; set enabled to false")
    spec = FEATURES.format(name="WorkflowHistorySigning", enabled="false")
    assert read(tmp_path, spec).warnings == ()


@pytest.mark.parametrize(
    "name", ["WorkflowsClusteredDeployment", "WorkflowsRemoteActivityReminder", "Whatever"]
)
def test_features_that_mean_nothing_here_are_warned_about(tmp_path: Path, name: str) -> None:
    (warning,) = read(tmp_path, FEATURES.format(name=name, enabled="true")).warnings
    assert warning == (
        f"{tmp_path}/c.yaml:7:5: the feature {name} is not used by perdure and has no effect"
    )
