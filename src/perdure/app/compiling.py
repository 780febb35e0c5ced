"""Expressions of resource files, compiled, and refused with their place."""

from typing import Annotated, Final

from pydantic import BeforeValidator

from perdure.app.yaml_files import Document, Location
from perdure.triggers.expressions import BadExpression, Expression

SPEC: Final = "spec"
# The kinds of result that may turn out to be true or false, text or a map; DYN is known only then.
TRUTH: Final = ("BOOL", "DYN")
NAMES: Final = ("STRING", "INT", "UINT", "DYN")
MAPS: Final = ("MAP", "DYN")
_WORDS: Final = {TRUTH: "true or false", NAMES: "text", MAPS: "a map"}


def _as_texts(value: object) -> object:
    if not isinstance(value, dict):
        return value
    # YAML makes a bool of a bare `true`, which Dapr's metadata write as text.
    words = {True: "true", False: "false"}
    return {
        key: words[each] if isinstance(each, bool) else str(each) if isinstance(each, int) else each
        for key, each in value.items()
    }


Pairs = Annotated[dict[str, str], BeforeValidator(_as_texts)]


class Compiler:
    """Compiles what stands below `spec` of a document."""

    def __init__(self, document: Document) -> None:
        """Compile for this document."""
        self._document = document

    def expression(
        self, at: Location, text: str | None, kinds: tuple[str, ...] = ()
    ) -> Expression | None:
        """Return it compiled; None for None. Raises ConfigurationError with the place."""
        if text is None:
            return None
        key = ".".join(map(str, at))
        try:
            compiled = Expression(text)
        except BadExpression as error:
            raise self._document.error((SPEC, *at), f"{key}: {error}") from error
        if kinds and compiled.kind not in kinds:
            wanted = _WORDS[kinds]
            raise self._document.error(
                (SPEC, *at), f"{key}: expected {wanted}, and this is {compiled.kind.lower()}"
            )
        return compiled
