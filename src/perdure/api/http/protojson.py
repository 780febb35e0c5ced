"""Whether a body is protojson of a message, refused in the words of Dapr's parser if it is not.

Dapr reads the bodies of some requests only to refuse those that it cannot read, and tells where.
This is a scanner that looks at each token as that parser does, and keeps nothing but its place.
Places count in characters, from one.
"""

import re
from collections.abc import Mapping
from typing import Final

from perdure.base.errors import CallerFault

DEPTH_MAX: Final = 10_000
_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![-+.\w])")
_WORD: Final = re.compile(r"(?:null|true|false)(?![-+.\w])")
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
# As much of what is no token as is shown.
_SHOWN: Final = re.compile(r"[-+._a-zA-Z0-9]{1,32}|.", re.DOTALL)
# A string as far as its escapes are known.
_STRING_SO_FAR: Final = re.compile(r'"(?:[^"\\]|\\["\\/bfnrtu])*')
_STRUCTURE: Final = frozenset("{}[],")
_OF_A_CONTAINER: Final = {"{": "}", "[": "]"}


def check(text: str, members: Mapping[str, str]) -> None:
    """Check that `text` is an object whose `members` are strings or null; others may be anything.

    `members` has the name that is told for each name that a member may have. Raises CallerFault.
    """
    scanner = _Scanner(text)
    first = scanner.token()
    if first != "{":
        raise scanner.unexpected()
    scanner.object(members)
    if scanner.has_more():
        scanner.token()
        raise scanner.unexpected()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._start = self._end = 0

    def has_more(self) -> bool:
        """Whether anything but blanks follows."""
        return self._after_blanks() < len(self._text)

    def token(self) -> str:
        """Take the next token, and return it as it is written."""
        self._start = self._after_blanks()
        if self._start >= len(self._text):
            raise CallerFault("proto: unexpected EOF")
        first = self._text[self._start]
        if first in _STRUCTURE:
            self._end = self._start + 1
        elif first == '"':
            self._end = self._end_of_string()
        else:
            found = _NUMBER.match(self._text, self._start) or _WORD.match(self._text, self._start)
            if found is None:
                raise self._refused(f"invalid value {self._shown(self._start)}")
            self._end = found.end()
        return self._text[self._start : self._end]

    def unexpected(self) -> CallerFault:
        """The fault of a token that may not stand where it does."""
        return self._refused(f"unexpected token {self._text[self._start : self._end]}")

    def object(self, members: Mapping[str, str]) -> None:
        """Take the rest of an object, of which only `members` mean something."""
        seen: set[str] = set()
        if self._closes("}"):
            return
        while True:
            field = members.get(self._name())
            if field is not None and field in seen:
                name = self._text[self._start : self._end]
                raise self._wrong(f"duplicate field {name}")
            self._colon()
            value = self.token()
            if field is not None:
                seen.add(field)
                if not value.startswith('"') and value != "null":
                    raise self._wrong(f"invalid value for string field {field}: {value}")
            else:
                self._rest_of(value)
            if self._ends("}"):
                return

    def _rest_of(self, value: str) -> None:
        """Take the rest of a value that means nothing, however deep it is."""
        open_ones: list[str] = []
        fresh = self._opens(value, open_ones)
        while open_ones:
            closing = _OF_A_CONTAINER[open_ones[-1]]
            if self._closes(closing) if fresh else self._ends(closing):
                open_ones.pop()
                fresh = False
                continue
            if closing == "}":
                self._name()
                self._colon()
            fresh = self._opens(self.token(), open_ones)

    def _opens(self, value: str, open_ones: list[str]) -> bool:
        """Whether a value is a container, which is then put upon those that are open."""
        if value in _OF_A_CONTAINER:
            if len(open_ones) >= DEPTH_MAX:
                raise CallerFault("proto: exceeded max recursion depth")
            open_ones.append(value)
            return True
        if value in _STRUCTURE:
            raise self.unexpected()
        return False

    def _closes(self, closing: str) -> bool:
        """Whether a container that was just opened has nothing in it."""
        place = self._after_blanks()
        if self._text.startswith(closing, place):
            self._end = place + 1
            return True
        return False

    def _ends(self, closing: str) -> bool:
        """Take what follows a value in a container, and return whether that was its end."""
        follows = self.token()
        if follows not in {",", closing}:
            raise self.unexpected()
        return follows == closing

    def _name(self) -> str:
        name = self.token()
        if not name.startswith('"'):
            raise self.unexpected()
        return name[1:-1]

    def _colon(self) -> None:
        place = self._after_blanks()
        if place >= len(self._text):
            raise CallerFault("proto: unexpected EOF")
        if self._text[place] != ":":
            self._start = place
            shown = self._shown(place)
            raise self._refused(f'unexpected character {shown}, missing ":" after field name')
        self._end = place + 1

    def _end_of_string(self) -> int:
        found = _STRING.match(self._text, self._start)
        if found is not None:
            return found.end()
        so_far = _STRING_SO_FAR.match(self._text, self._start)
        assert so_far is not None, "a string begins here"
        rest = self._text[so_far.end() : so_far.end() + 2]
        match rest[:1]:
            case "\\" if len(rest) > 1:
                raise self._refused(f'invalid escape code "\\{rest}" in string')
            case '"':
                raise self._refused("invalid character in string")
            case _:
                raise CallerFault("proto: unexpected EOF")

    def _after_blanks(self) -> int:
        blanks = _BLANKS.match(self._text, self._end)
        assert blanks is not None, "the pattern matches nothing as well"
        return blanks.end()

    def _shown(self, place: int) -> str:
        shown = _SHOWN.match(self._text, place)
        assert shown is not None, "there is a character at this place"
        return shown.group()

    def _place(self) -> str:
        lines = self._text.count("\n", 0, self._start)
        column = self._start - self._text.rfind("\n", 0, self._start)
        return f"(line {lines + 1}:{column})"

    def _refused(self, what: str) -> CallerFault:
        return CallerFault(f"proto: syntax error {self._place()}: {what}")

    def _wrong(self, what: str) -> CallerFault:
        return CallerFault(f"proto: {self._place()}: {what}")
