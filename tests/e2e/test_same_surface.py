"""`perdure.workflow` offers what the released SDK offers, and may be called as that is called."""

import json
import subprocess
from functools import cache
from typing import Any

import pytest

from tests.e2e import venvs
from tests.e2e.programs import clean_environment
from tests.e2e.venvs import REPOSITORY, Environment
from tests.e2e.workers.surface import surface_of

RELEASED = (venvs.DAPR_1_18, venvs.DAPR_1_19)
MODULES = {"dapr.ext.workflow": "perdure.workflow", "dapr.ext.workflow.aio": "perdure.workflow.aio"}

# Made by the runtime and never by an application: how they are made is nobody's business.
MADE_BY_THE_RUNTIME = {
    "ActivityResult",
    "ChildWorkflowResult",
    "DaprWorkflowContext",
    "PropagatedHistory",
    "WorkflowActivityContext",
    "WorkflowResult",
    "WorkflowState",
}
# Builds a history from a message of the SDK's own protobuf package.
OF_ITS_PROTOBUF = {"PropagatedHistory.from_proto"}

Told = dict[str, Any]


@cache
def released(environment: Environment, module: str) -> dict[str, Told]:
    """What the released module offers, told by itself in its own environment."""
    told = subprocess.run(
        [str(venvs.ensure(environment)), "-m", "tests.e2e.workers.surface", module],
        cwd=REPOSITORY,
        env=clean_environment({}),
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    surface: dict[str, Told] = json.loads(told.stdout.splitlines()[-1])
    return surface


CASES = [
    (environment, theirs, ours) for environment in RELEASED for theirs, ours in MODULES.items()
]


@pytest.mark.parametrize(
    ("environment", "theirs", "ours"), CASES, ids=[f"{e.name}-{m}" for e, m, _ in CASES]
)
def test_every_name_is_there_and_is_called_the_same(
    environment: Environment, theirs: str, ours: str
) -> None:
    offered = json.loads(json.dumps(surface_of(ours)))
    wanted = released(environment, theirs)
    assert len(wanted) > 2
    missing = sorted(wanted.keys() - offered.keys())
    differences = [
        complaint
        for name in sorted(wanted.keys() & offered.keys())
        for complaint in _compared(name, wanted[name], offered[name])
    ]
    assert not missing
    assert not differences, "\n".join(["", *differences])


def _compared(name: str, wanted: Told, offered: Told) -> list[str]:
    if wanted["kind"] != offered["kind"]:
        return [f"{name} is a {offered['kind']}, released as a {wanted['kind']}"]
    if wanted["kind"] == "enum":
        same = wanted["members"] == offered["members"]
        return [] if same else [f"{name} has {offered['members']}, not {wanted['members']}"]
    found: list[str] = []
    if wanted.get("error") != offered.get("error"):
        found.append(f"{name} is no exception, or should be none")
    if "call" in wanted and name not in MADE_BY_THE_RUNTIME:
        found += _calls(name, wanted["call"] or [], offered["call"] or [])
    for member, told in wanted.get("members", {}).items():
        theirs = offered["members"].get(member)
        whole = f"{name}.{member}"
        if whole not in OF_ITS_PROTOBUF:
            missing = [f"{whole} is missing"]
            found += missing if theirs is None else _compared(whole, told, theirs)
    return found


def _calls(name: str, wanted: list[Told], offered: list[Told]) -> list[str]:
    """Whatever calls the released one must call ours with the same meaning."""
    found = []
    by_name = {parameter["name"]: parameter for parameter in offered}
    positional = [p for p in wanted if p["kind"].startswith("POSITIONAL")]
    for place, parameter in enumerate(positional):
        ours = offered[place] if place < len(offered) else None
        # A name that begins so is none to call by.
        is_named = not parameter["name"].startswith("_")
        if ours is None or (is_named and ours["name"] != parameter["name"]):
            found.append(f"{name}: '{parameter['name']}' is not number {place + 1}")
    for parameter in wanted:
        ours = by_name.get(parameter["name"])
        if ours is None:
            if not parameter["kind"].startswith(("VAR", "POSITIONAL")):
                found.append(f"{name}: there is no '{parameter['name']}'")
        elif parameter["default"] != ours["default"]:
            found.append(
                f"{name}: '{parameter['name']}' defaults to {ours['default']}, "
                f"not {parameter['default']}"
            )
    known = {parameter["name"] for parameter in wanted}
    found += [
        f"{name}: '{parameter['name']}' would have to be given"
        for parameter in offered
        if parameter["name"] not in known
        and parameter["default"] is None
        and not parameter["kind"].startswith("VAR")
    ]
    return found
