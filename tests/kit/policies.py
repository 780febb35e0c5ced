"""Policies as tests need them: what one app may do to workflows of another."""

from perdure.core.access import Access, Operation, Policy, Rule, WorkflowRule
from perdure.core.globs import compiled


def allowing(caller: str, target: str, name: str, *operations: Operation) -> Access:
    """Return the access where `caller` may do this to workflows of `target`, and nobody more."""
    rule = WorkflowRule(compiled(name), frozenset(operations))
    policy = Policy("gate", (Rule(frozenset({caller}), (rule,)),), frozenset({target}))
    return Access((policy,))
