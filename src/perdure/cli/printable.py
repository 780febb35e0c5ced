"""Text of strangers made safe for a terminal: what a workflow carries may hold control codes."""

_FIRST_PLANE_LAST = 0xFFFF
_LEFT_ALONE = frozenset("\n\t")


def printable(text: str) -> str:
    """Return `text` with every character that a terminal would act upon written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter in _LEFT_ALONE else ascii(letter)[1:-1]
        for letter in text
    )


def printable_json(text: str) -> str:
    """Return JSON that means the same, with the control codes that JSON allows written out."""
    if text.isprintable():
        return text
    # Above the first plane nothing is acted upon, and an escape would take two.
    return "".join(
        letter
        if letter.isprintable() or letter == "\n" or ord(letter) > _FIRST_PLANE_LAST
        else f"\\u{ord(letter):04x}"
        for letter in text
    )


def on_one_line(text: str) -> str:
    """Return `text` on one line, safe for a terminal."""
    return printable(" ".join(text.split()))


def cut(text: str, characters: int) -> str:
    """Return `text` on one line that is no longer than this."""
    line = on_one_line(text)
    return line if len(line) <= characters else line[: characters - 1] + "…"
