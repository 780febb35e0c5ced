"""What a person hands to a workflow: an input, an event's data, an output, tags."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from perdure.cli.exits import ExitCode, Trouble

STDIN = "-"
_EXCERPT_CHARACTERS = 60


def read_payload(given: str | None, file: Path | None, *, flag: str, raw: bool) -> bytes | None:
    """Return what to send: `--input`, the file's contents or the standard input, else None.

    It must be JSON unless `raw`. Raises Trouble that names the position of what is wrong.
    """
    if given is not None and file is not None:
        raise Trouble(
            f"{flag} and {flag}-file are both given.",
            advice="Give one of them.",
            code=ExitCode.USAGE,
        )
    if given == STDIN or (file is not None and str(file) == STDIN):
        content, origin = sys.stdin.buffer.read(), "the standard input"
    elif file is not None:
        content, origin = _contents(file), str(file)
    elif given is not None:
        content, origin = given.encode("utf-8", "surrogateescape"), flag
    else:
        return None
    if not raw:
        check_json(content, origin, flag)
    return content


def _contents(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise Trouble(
            f"{file} cannot be read: {fault.strerror}.",
            advice="Check the path and its permissions.",
            code=ExitCode.USAGE,
        ) from fault


def check_json(content: bytes, origin: str, flag: str) -> None:
    """Raise Trouble that shows where `content` stops being JSON; return if it is JSON."""
    try:
        # Numbers are only looked at, so they need not be exact, and may have any length.
        json.loads(content.decode("utf-8"), parse_constant=_refuse_constant, parse_int=float)
    except UnicodeDecodeError as fault:
        message = f"{origin} is not JSON: byte {fault.start} is not UTF-8."
        advice = "Payloads are UTF-8 text. Encode it as such."
    except json.JSONDecodeError as fault:
        message = f"{origin} is not JSON: {fault.msg} at line {fault.lineno}, column {fault.colno}."
        advice = "\n".join([*_excerpt(fault), *_json_advice(fault.doc, flag)])
    except ValueError as fault:
        message = f"{origin} is not JSON: {fault}."
        advice = "Send null or a text instead."
    except RecursionError:
        message = f"{origin} is nested too deep to be checked."
        advice = "Send it as it is with --raw, if the worker can read it."
    else:
        return
    raise Trouble(message, advice=advice, code=ExitCode.USAGE)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a value of JSON")


def _excerpt(fault: json.JSONDecodeError) -> list[str]:
    lines = fault.doc.splitlines()
    if not 0 < fault.lineno <= len(lines):
        return []
    first = max(0, fault.colno - 1 - _EXCERPT_CHARACTERS // 2)
    excerpt = lines[fault.lineno - 1][first : first + _EXCERPT_CHARACTERS]
    return [excerpt, " " * (fault.colno - 1 - first) + "^"]


def _json_advice(text: str, flag: str) -> list[str]:
    stripped = text.strip()
    if not stripped:
        return ["It is empty. Leave it out for no payload, or send it as it is with --raw."]
    if stripped[0] not in '{["':
        return [
            f"""A text needs quotes that the shell leaves alone: {flag} '"{stripped[:20]}"'""",
            "or send it as it is with --raw.",
        ]
    if "'" in stripped:
        return ["JSON quotes with \", not with '."]
    return ["Quote the whole for the shell with ' and every key and text within with \"."]


def tag_headers(tags: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return tags as the headers of a start. Quotes keep the blanks around a value."""
    return [("dapr-workflow-metadata", f'{key}="{value}"') for key, value in tags.items()]


def read_pairs(
    given: Sequence[str], *, flag: str, form: str, example: str
) -> list[tuple[str, str]]:
    """Return what was given as pairs, in their order. Raises Trouble for what is not `form`."""
    pairs: list[tuple[str, str]] = []
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name.strip():
            raise Trouble(
                f"{flag} {each!r} is not {form}.",
                advice=f"For example: {example}",
                code=ExitCode.USAGE,
            )
        pairs.append((name.strip(), value))
    return pairs


def read_options(given: Sequence[str]) -> dict[str, str]:
    """Return the `name=value` pairs as a mapping; of the same name twice, the last wins."""
    example = "--option taskQueue=orders"
    return dict(read_pairs(given, flag="--option", form="name=value", example=example))


def read_tags(given: Sequence[str]) -> dict[str, str]:
    """Return the `key=value` pairs as a mapping; of the same key twice, the last wins."""
    example = "--tag customer=acme --tag priority=high"
    tags = read_pairs(given, flag="--tag", form="key=value", example=example)
    for pair in given:
        if ";" in pair:
            raise Trouble(
                f"--tag {pair!r} holds a semicolon, which ends a tag on its way to the server.",
                advice="Give another --tag for each key.",
                code=ExitCode.USAGE,
            )
    return dict(tags)
