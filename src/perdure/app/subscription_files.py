"""`kind: Subscription`, in both versions of Dapr's: read, compiled, and refused with its place."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import Field

from perdure.app.compiling import SPEC, TRUTH, Compiler, Pairs
from perdure.app.documents import FileModel, Resource, check, unknown_keys
from perdure.app.yaml_files import Document
from perdure.triggers.definitions import Subscription
from perdure.triggers.expressions import Expression

_ROUTING_VERSION: Final = "dapr.io/v2alpha1"
Text = Annotated[str, Field(min_length=1)]


class _Rule(FileModel):
    match: str = ""
    path: Text


class _Routes(FileModel):
    rules: tuple[_Rule, ...] = ()
    default: str = ""


class _SubscriptionSpec(FileModel):
    pubsubname: Text
    topic: Text
    routes: _Routes = _Routes()
    route: str = ""
    dead_letter_topic: str = ""
    metadata: Pairs = Field(default_factory=dict)
    bulk_subscribe: Any = None


class _Subscription(Resource):
    spec: _SubscriptionSpec
    scopes: tuple[str, ...] = ()


def read_subscription(
    document: Document, *, app_id: str, warn: Callable[[str], None], every_app: bool = False
) -> Subscription | None:
    """Return the subscription, or None if it is for other apps; raises ConfigurationError."""
    file = check(document, _Subscription)
    if file.scopes and app_id not in file.scopes and not every_app:
        return None
    spec = file.spec
    for warning in unknown_keys(document, file):
        warn(warning)
    if spec.bulk_subscribe is not None:
        place = document.place((SPEC, "bulkSubscribe"))
        warn(f"{place}: bulkSubscribe has no effect: messages are taken in together as it is")
    if file.api_version != _ROUTING_VERSION and (spec.routes.rules or spec.routes.default):
        raise document.error(("apiVersion",), f"routes need apiVersion: {_ROUTING_VERSION}")
    rules, default = _rules(document, spec)
    if not rules and default is None:
        raise document.error((SPEC,), "routes is missing; expected rules with paths, or a default")
    return Subscription(
        name=file.metadata.name,
        pubsub=spec.pubsubname,
        topic=spec.topic,
        rules=rules,
        default=default,
        dead_letter_topic=spec.dead_letter_topic or None,
        metadata=tuple(sorted(spec.metadata.items())),
        place=document.place(("metadata", "name")),
    )


def _rules(
    document: Document, spec: _SubscriptionSpec
) -> tuple[tuple[tuple[Expression, str], ...], str | None]:
    compiler = Compiler(document)
    rules: list[tuple[Expression, str]] = []
    default = spec.routes.default or spec.route or None
    for number, rule in enumerate(spec.routes.rules):
        match = compiler.expression(("routes", "rules", number, "match"), rule.match or None, TRUTH)
        if match is None:
            # A rule without a match is the default, and what stands below it is never reached.
            return tuple(rules), rule.path
        rules.append((match, rule.path))
    return tuple(rules), default
