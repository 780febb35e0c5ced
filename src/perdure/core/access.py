"""Which app may do what to workflows and activities of another (behaviour.md 4.14).

Policies allow and never forbid. An app that no policy is for may be called by everybody. As soon as
one is for it, whatever no rule of its policies allows is denied. An app may always call itself.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

DENIED: Final = "access denied by workflow access policy"
DENIED_TYPE: Final = "WorkflowAccessPolicyDenied"


class Operation(Enum):
    """What can be done to a workflow, as policies name it. Activities can only be scheduled."""

    SCHEDULE = "schedule"
    TERMINATE = "terminate"
    RAISE = "raise"
    PAUSE = "pause"
    RESUME = "resume"
    PURGE = "purge"
    GET = "get"
    RERUN = "rerun"


@dataclass(frozen=True, slots=True)
class WorkflowRule:
    """Operations on workflows whose names match."""

    name: re.Pattern[str]
    operations: frozenset[Operation]


@dataclass(frozen=True, slots=True)
class Rule:
    """What some apps may do."""

    callers: frozenset[str]
    workflows: tuple[WorkflowRule, ...] = ()
    activities: tuple[re.Pattern[str], ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules for calls to the apps in its scopes, or with no scopes to every app."""

    name: str
    rules: tuple[Rule, ...]
    scopes: frozenset[str] = frozenset()

    def is_for(self, app_id: str) -> bool:
        """Tell whether calls to an app are subject to it."""
        return not self.scopes or app_id in self.scopes


@dataclass(frozen=True, slots=True)
class Access:
    """Everything that is allowed."""

    policies: tuple[Policy, ...]

    @property
    def is_open(self) -> bool:
        """Whether everybody may do everything."""
        return not self.policies

    def denies(self, caller: str, app_id: str, operation: Operation, name: str) -> str | None:
        """Return why a caller may not do something to workflows of this name; None if it may."""
        if caller == app_id or not (applying := self._applying(app_id)):
            return None
        allowed = any(
            operation in rule.operations and rule.name.fullmatch(name)
            for each in self._rules_of(applying, caller)
            for rule in each.workflows
        )
        return None if allowed else _text(caller, operation.value, f"workflow '{name}'", app_id)

    def denies_activity(self, caller: str, app_id: str, name: str) -> str | None:
        """Return why workflows of an app may not run an activity of another; None if they may."""
        if caller == app_id or not (applying := self._applying(app_id)):
            return None
        allowed = any(
            pattern.fullmatch(name)
            for each in self._rules_of(applying, caller)
            for pattern in each.activities
        )
        return None if allowed else _text(caller, "schedule", f"activity '{name}'", app_id)

    def _applying(self, app_id: str) -> list[Policy]:
        return [policy for policy in self.policies if policy.is_for(app_id)]

    @staticmethod
    def _rules_of(policies: Iterable[Policy], caller: str) -> Iterable[Rule]:
        return (rule for policy in policies for rule in policy.rules if caller in rule.callers)


OPEN: Final = Access(())


def _text(caller: str, verb: str, what: str, app_id: str) -> str:
    return f"{DENIED}: app '{caller}' may not {verb} {what} of app '{app_id}'"
