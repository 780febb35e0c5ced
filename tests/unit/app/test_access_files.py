"""Policies in files: what they come to, and where they are wrong."""

from pathlib import Path

import pytest

from perdure.app.access_files import read_policy
from perdure.app.component_files import read_resources
from perdure.app.yaml_files import read_documents
from perdure.base.errors import ConfigurationError
from perdure.core.access import Access, Operation, Policy

HEAD = "apiVersion: dapr.io/v1alpha1\nkind: WorkflowAccessPolicy\nmetadata:\n  name: p\n"
WHOLE = (
    HEAD
    + """\
scopes: [orders]
spec:
  rules:
  - callers:
    - appID: web
    - appID: cli
    workflows:
    - name: Order*
      operations: [schedule, get]
    activities:
    - name: Charge
"""
)


def read(tmp_path: Path, text: str) -> tuple[Policy, list[str]]:
    file = tmp_path / "policy.yaml"
    file.write_text(text)
    (document,) = read_documents(file)
    return read_policy(document)


def test_a_whole_policy(tmp_path: Path) -> None:
    policy, warnings = read(tmp_path, WHOLE)
    assert warnings == []
    assert (policy.name, policy.scopes) == ("p", frozenset({"orders"}))
    access = Access((policy,))
    assert access.denies("cli", "orders", Operation.GET, "OrderFlow") is None
    assert access.denies("cli", "orders", Operation.PURGE, "OrderFlow")
    assert access.denies_activity("web", "orders", "Charge") is None
    assert access.denies_activity("web", "orders", "Charges")
    assert access.denies("web", "billing", Operation.PURGE, "x") is None


def test_no_rules_deny_everything(tmp_path: Path) -> None:
    policy, _ = read(tmp_path, HEAD + "spec:\n  rules: []\n")
    assert Access((policy,)).denies("web", "orders", Operation.GET, "x")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    - appID: web\n", "    - appId: web\n", "12:5: "),
        ("Order*", "'[a'", "11:7: spec.rules.0.workflows.0.name: the pattern [a cannot be read"),
        ("[schedule, get]", "[schedule, delete]", ":17: spec.rules.0.workflows.0.operations.1"),
        ("[schedule, get]", "[]", "12:7: spec.rules.0.workflows.0.operations"),
        ("name: Charge", "name: ''", "spec.rules.0.activities.0.name"),
        ("scopes: [orders]", "scopes: orders", "5:1: scopes"),
        ("  rules:\n", "  rules: 7\n  more:\n", "7:3: spec.rules"),
    ],
)
def test_a_bad_policy_is_an_error_with_its_place(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in WHOLE
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, WHOLE.replace(old, new))
    assert "policy.yaml:" in str(caught.value)
    assert message.lstrip("0123456789:") in str(caught.value)


def test_a_rule_for_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"policy\.yaml:7:5: a rule allows nothing"):
        read(tmp_path, HEAD + "spec:\n  rules:\n  - callers: [{appID: web}]\n")


def test_what_a_rule_requires_besides_is_never_fulfilled(tmp_path: Path) -> None:
    more = "      requires:\n      - {eventType: activity.completed, name: Check}\n"
    policy, warnings = read(
        tmp_path, WHOLE.replace("    activities:\n", more + "    activities:\n")
    )
    (warning,) = warnings
    assert "policy.yaml:14:7: requires needs signed histories" in warning
    assert Access((policy,)).denies("web", "orders", Operation.GET, "OrderFlow")
    assert Access((policy,)).denies_activity("web", "orders", "Charge") is None


def test_unknown_keys_are_warned_of(tmp_path: Path) -> None:
    _, warnings = read(tmp_path, WHOLE + "  defaultAction: deny\n")
    assert warnings == [
        f"{tmp_path}/policy.yaml:16:3: spec.defaultAction is not used by perdure and has no effect"
    ]


def test_policies_are_among_the_resources(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(WHOLE)
    (tmp_path / "b.yaml").write_text(WHOLE.replace("name: p", "name: q"))
    resources = read_resources([tmp_path], app_id="orders")
    assert [policy.name for policy in resources.policies] == ["p", "q"]
    assert resources.warnings == []


def test_two_policies_of_one_name_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(WHOLE)
    (tmp_path / "b.yaml").write_text(WHOLE)
    with pytest.raises(ConfigurationError, match=r"b\.yaml:4:3: a policy p is loaded already"):
        read_resources([tmp_path], app_id="orders")
