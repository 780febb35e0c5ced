"""`kind: WorkflowAccessPolicy` files: which apps may do what to workflows of which (4.14)."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from perdure.app.documents import FileModel, Resource, check, unknown_keys
from perdure.app.yaml_files import Document, Location
from perdure.core.access import Operation, Policy, Rule, WorkflowRule
from perdure.core.globs import compiled

KIND: Final = "WorkflowAccessPolicy"


def _readable(pattern: str) -> str:
    try:
        compiled(pattern)
    except ValueError as error:
        raise ValueError(f"the pattern {pattern} cannot be read: {error}") from error
    return pattern


_Name = Annotated[str, Field(min_length=1), AfterValidator(_readable)]


class _Caller(FileModel):
    app_id: Annotated[str, Field(alias="appID", min_length=1)]


class _Workflow(FileModel):
    name: _Name
    operations: Annotated[tuple[Operation, ...], Field(min_length=1)]


class _Activity(FileModel):
    name: _Name


class _Rule(FileModel):
    callers: Annotated[tuple[_Caller, ...], Field(min_length=1)]
    workflows: tuple[_Workflow, ...] = ()
    activities: tuple[_Activity, ...] = ()


class _Spec(FileModel):
    rules: tuple[_Rule, ...] = ()


class _Policy(Resource):
    spec: _Spec
    scopes: tuple[str, ...] = ()


def read_policy(document: Document) -> tuple[Policy, list[str]]:
    """Return a policy and what there is to warn about; raises ConfigurationError with the place.

    What a rule demands besides and we cannot look at is never fulfilled, so that the rule allows
    nothing: a file must not allow more here than where it was written for.
    """
    found = check(document, _Policy)
    warnings = [each for each in unknown_keys(document, found) if "requires" not in each]
    rules = []
    for number, rule in enumerate(found.spec.rules):
        at: Location = ("spec", "rules", number)
        if not rule.workflows and not rule.activities:
            raise document.error(at, "a rule allows nothing without workflows or activities")
        rules.append(
            Rule(
                callers=frozenset(caller.app_id for caller in rule.callers),
                workflows=tuple(
                    WorkflowRule(compiled(each.name), frozenset(each.operations))
                    for n, each in enumerate(rule.workflows)
                    if _asks_no_more(document, each, (*at, "workflows", n), warnings)
                ),
                activities=tuple(
                    compiled(each.name)
                    for n, each in enumerate(rule.activities)
                    if _asks_no_more(document, each, (*at, "activities", n), warnings)
                ),
            )
        )
    return Policy(found.metadata.name, tuple(rules), frozenset(found.scopes)), warnings


def _asks_no_more(document: Document, each: FileModel, at: Location, warnings: list[str]) -> bool:
    if "requires" not in (each.model_extra or {}):
        return True
    place = document.place((*at, "requires"))
    warnings.append(
        f"{place}: requires needs signed histories, which there are none of: this entry allows "
        "nothing"
    )
    return False
