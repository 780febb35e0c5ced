"""`kind: WorkflowTrigger`: read, compiled, and refused with its place."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, Field

from perdure.app.compiling import MAPS, NAMES, SPEC, TRUTH, Compiler, Pairs
from perdure.app.documents import FileModel, Resource, check
from perdure.app.units import parse_duration
from perdure.app.yaml_files import Document, Location
from perdure.base.errors import ConfigurationError
from perdure.base.limits import TAG_KEY_CHARS_MAX, TAGS_MAX
from perdure.base.time import DAY_US
from perdure.components.catalog import EMBEDDED
from perdure.core.deliveries import OnExisting, OnMissing
from perdure.triggers.definitions import (
    ATTEMPTS_DEFAULT,
    ATTEMPTS_MAX,
    EVENT_EXPIRY_US,
    FIRST_PAUSE_US,
    LONGEST_PAUSE_US,
    Action,
    OfBinding,
    OfRoute,
    OfTopic,
    Retry,
    Trigger,
)
from perdure.triggers.expressions import Expression

KEEP_US_MAX: Final = 366 * DAY_US
Word = TypeVar("Word", Action, OnExisting, OnMissing)


def _duration(value: object) -> object:
    duration_us = parse_duration(str(value)) if isinstance(value, str | int) else None
    if duration_us is None or not 0 <= duration_us <= KEEP_US_MAX:
        raise ValueError("expected a length of time such as 90s, 1h30m or 24h, of at most a year")
    return duration_us


DurationUs = Annotated[int, BeforeValidator(_duration)]
Text = Annotated[str, Field(min_length=1)]


class _Source(FileModel):
    binding: Text | None = None
    pubsub: Text | None = None
    topic: Text | None = None
    metadata: Pairs = Field(default_factory=dict)
    subscription: Text | None = None
    path: Text | None = None


class _Retry(FileModel):
    attempts: Annotated[int, Field(ge=1, le=ATTEMPTS_MAX)] = ATTEMPTS_DEFAULT
    first_pause: DurationUs = FIRST_PAUSE_US
    longest_pause: DurationUs = LONGEST_PAUSE_US


class _TriggerSpec(FileModel):
    source: _Source
    action: str
    workflow: Text | None = None
    component: Text = EMBEDDED
    match: Text | None = None
    instance_id: Annotated[Text | None, Field(alias="instanceID")] = None
    input: Text | None = None
    event_name: Text | None = None
    tags: str | dict[str, str] = Field(default_factory=dict)
    on_existing: str = OnExisting.DISCARD.value
    on_missing: str = OnMissing.DEAD_LETTER.value
    event_expiry: DurationUs = EVENT_EXPIRY_US
    keep: DurationUs = 0
    retry: _Retry = _Retry()
    paused: bool = False


class _Trigger(Resource):
    spec: _TriggerSpec
    scopes: tuple[str, ...] = ()


def read_trigger(document: Document, *, app_id: str, every_app: bool = False) -> Trigger | None:
    """Return the trigger, or None if it is for other apps; raises ConfigurationError."""
    file = check(document, _Trigger)
    _refuse_unknown(document, file)
    if file.scopes and app_id not in file.scopes and not every_app:
        return None
    spec = file.spec
    action = _word(document, "action", Action, spec.action)
    compiler = Compiler(document)
    trigger = Trigger(
        name=_checked_name(document, file.metadata.name),
        origin=_origin(document, spec.source, file.metadata.name),
        action=action,
        component=spec.component,
        workflow=spec.workflow,
        match=compiler.expression(("match",), spec.match, TRUTH),
        instance_id=compiler.expression(("instanceID",), spec.instance_id, NAMES),
        input=compiler.expression(("input",), spec.input),
        event_name=compiler.expression(("eventName",), spec.event_name, NAMES),
        tags=_tags(compiler, spec.tags),
        on_existing=_word(document, "onExisting", OnExisting, spec.on_existing),
        on_missing=_word(document, "onMissing", OnMissing, spec.on_missing),
        event_expiry_us=spec.event_expiry,
        keep_us=spec.keep,
        retry=Retry(
            attempts=spec.retry.attempts,
            first_pause_us=spec.retry.first_pause,
            longest_pause_us=max(spec.retry.first_pause, spec.retry.longest_pause),
        ),
        paused=spec.paused,
        spec=_as_written(document),
        place=document.place(("metadata", "name")),
    )
    _check_action(document, spec, action)
    return trigger


def _tags(
    compiler: Compiler, tags: str | Mapping[str, str]
) -> Expression | tuple[tuple[str, Expression], ...]:
    if isinstance(tags, str):
        compiled = compiler.expression(("tags",), tags, MAPS)
        assert compiled is not None
        return compiled
    found = ((key, compiler.expression(("tags", key), text)) for key, text in tags.items())
    return tuple((key, each) for key, each in found if each is not None)


def _origin(document: Document, source: _Source, name: str) -> OfBinding | OfTopic | OfRoute:
    at = (SPEC, "source")
    match source:
        case _Source(binding=str(binding), pubsub=None, topic=None, subscription=None, path=None):
            return OfBinding(binding)
        case _Source(binding=None, pubsub=str(pubsub), topic=str(topic), subscription=None):
            return OfTopic(pubsub, topic, tuple(sorted(source.metadata.items())))
        case _Source(binding=None, pubsub=None, topic=None, subscription=str(subscription)):
            return OfRoute(subscription, source.path or f"/{name}")
        case _:
            raise document.error(
                at, "source: expected binding, or pubsub with topic, or subscription (with path)"
            )


def _check_action(document: Document, spec: _TriggerSpec, action: Action) -> None:
    if action.starts and spec.workflow is None:
        raise document.error(
            (SPEC, "action"), f"{action.value} needs workflow, the type that it starts"
        )
    if action is not Action.START and spec.instance_id is None:
        raise document.error(
            (SPEC, "action"),
            f"{action.value} needs instanceID, an expression such as event.data.orderID",
        )
    if len(spec.tags) > TAGS_MAX and not isinstance(spec.tags, str):
        raise document.error((SPEC, "tags"), f"tags: expected at most {TAGS_MAX}")
    for key in () if isinstance(spec.tags, str) else spec.tags:
        if not 0 < len(key) <= TAG_KEY_CHARS_MAX:
            raise document.error(
                (SPEC, "tags", key), f"tags: a key has 1 to {TAG_KEY_CHARS_MAX} characters"
            )
    for key, used in (
        ("onExisting", action is Action.START),
        ("onMissing", action is Action.RAISE_EVENT),
        ("eventName", action.raises),
        ("tags", action.starts),
    ):
        if not used and (SPEC, key) in document.places:
            raise document.error((SPEC, key), f"{key} means nothing to {action.value}; remove it")


def _word(document: Document, key: str, words: type[Word], text: str) -> Word:
    known = [word.value for word in words]
    if text in known:
        return words(text)
    near = difflib.get_close_matches(text, known, n=1)
    advice = f"; did you mean {near[0]}?" if near else ""
    raise document.error((SPEC, key), f"{key}: expected one of {', '.join(known)}{advice}")


def _checked_name(document: Document, name: str) -> str:
    legal = name.isascii() and name.replace("-", "").replace(".", "").replace("_", "").isalnum()
    if not legal or len(name) > 253:  # noqa: PLR2004 - as long as a name in Kubernetes
        raise document.error(
            ("metadata", "name"), "expected a name of letters, digits, -, _ and . (253 at most)"
        )
    return name


def _refuse_unknown(document: Document, file: _Trigger) -> None:
    for at, model in _models(file, ()):
        for key in model.model_extra or {}:
            known = [field.alias or name for name, field in type(model).model_fields.items()]
            near = difflib.get_close_matches(key, known, n=1)
            advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            raise document.error((*at, key), f"there is no key {key} here; {advice}")


def _models(file: _Trigger, at: Location) -> Iterator[tuple[Location, BaseModel]]:
    spec = (*at, SPEC)
    yield at, file
    yield spec, file.spec
    yield (*spec, "source"), file.spec.source
    yield (*spec, "retry"), file.spec.retry


def _as_written(document: Document) -> Mapping[str, Any]:
    assert isinstance(document.value, dict), "checked by the model"
    spec = document.value[SPEC]
    if not isinstance(spec, dict):
        raise ConfigurationError(f"{document.file}: spec is no mapping")
    return spec
