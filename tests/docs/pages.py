"""The pages of documentation as data: their fenced blocks, headings, links and spans of code.

What a block is for stands in its info string, after the language, where a reader of the rendered
page does not see it:

    bash                     is run, and must end with 0
    bash again               is run until it prints what the block after it says
    bash fails: 4            is run, and must end with 4
    bash background: ready   is run in the background, until it has printed that text
    bash not-run: needs Go   is not run, for that reason
    json output              is what the block before it prints; so are `http` and `text`
    python file: app.py      is a file, there for the blocks after it; so is any other language

Any other language without a word after it is for reading.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Others wrote these, and they run nothing that is not run elsewhere.
_NOT_OURS = {"docs/architecture.md", "docs/style.md", "docs/command-line.md"}
_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>.*)$")
_INFO = re.compile(r"(?P<language>\w+)(?: (?P<word>[a-z-]+)(?:: (?P<value>.+))?)?")
_HEADING = re.compile(r"^#{1,6} (.+)$")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`]+)`")
WORDS = {"again", "background", "fails", "file", "not-run", "output"}


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its language, what it is for, and where it stands."""

    language: str
    word: str | None
    value: str | None
    text: str
    line: int

    @property
    def is_output(self) -> bool:
        return self.word == "output"


@dataclass(frozen=True, slots=True)
class Page:
    """One page."""

    path: Path
    blocks: tuple[Block, ...]
    prose: str

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def headings(self) -> tuple[str, ...]:
        return tuple(
            found[1] for line in self.prose.splitlines() if (found := _HEADING.match(line))
        )

    @property
    def anchors(self) -> frozenset[str]:
        """What a link may name after `#`, as the usual renderers make it of a heading."""
        return frozenset(
            re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in self.headings
        )

    @property
    def links(self) -> tuple[str, ...]:
        return tuple(_LINK.findall(self.prose))

    @property
    def spans(self) -> tuple[str, ...]:
        """Every span of code in the prose."""
        return tuple(_SPAN.findall(self.prose))


@cache
def read(path: Path) -> Page:
    """Read a page. Raises ValueError for an info string that means nothing."""
    prose: list[str] = []
    blocks: list[Block] = []
    lines = iter(enumerate(path.read_text("utf-8").splitlines(), start=1))
    for number, line in lines:
        fence = _FENCE.match(line)
        if fence is None:
            prose.append(line)
            continue
        text = "\n".join(_until_fence(lines, len(fence["indent"])))
        blocks.append(_block(fence["info"].strip(), text, path, number))
    return Page(path, tuple(blocks), "\n".join(prose))


def _until_fence(lines: Iterator[tuple[int, str]], indent: int) -> Iterator[str]:
    for _, line in lines:
        if line.strip() == "```":
            return
        yield line[indent:]


def _block(info: str, text: str, path: Path, line: int) -> Block:
    found = _INFO.fullmatch(info or "text")
    if found is None or found["word"] not in {None, *WORDS}:
        raise ValueError(f"{path.name}:{line}: {info!r} says nothing about its block")
    return Block(found["language"], found["word"], found["value"], text, line)


def ours() -> list[Page]:
    """Every page whose truth is tested here."""
    others = {ROOT / name for name in _NOT_OURS}
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [read(path) for path in paths if path not in others]
