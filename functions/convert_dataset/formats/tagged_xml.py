"""XML in which an element is a text, and the elements in it tag its parts.

So address parsers keep their data: an `AddressString` with an `AddressNumber`, a `StreetName`, …
https://parserator.readthedocs.io/en/latest/
"""

import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from xml.parsers import expat

from functions.convert_dataset.reading.source import Beginning, Source
from functions.convert_dataset.reading.tags import one_or_several
from functions.convert_dataset.rows import ANSWER, TEXT, Refusal, Row
from shared.errors import Rejected

MAX_DEPTH = 50
MAX_TEXT_CHARACTERS = 1_000_000

_CHUNK = 65_536
_ITEM_DEPTH = 2


class _Reader:
    """Makes rows of what the parser sees.

    Attributes:
        rows: The rows that are ready.
        shapes: The tags of each text so far, for those who want to know what the file is.
        leaves: Depth -> how many elements there hold text only, for the same.
    """

    def __init__(self, depth: int, name: str) -> None:
        self.rows: list[Row | Refusal] = []
        self.shapes: list[tuple[str, ...]] = []
        self.leaves: Counter[int] = Counter()
        self._depth = depth
        self._name = name
        self._open = 0
        self._line = 0
        self._size = 0
        self._nested = self._has_children = False
        self._parts: list[tuple[str, list[str]]] = []
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._open += 1
        self._has_children = False
        if self._open > MAX_DEPTH:
            raise Rejected(
                f"{self._name} has elements in {MAX_DEPTH} others.",
                "Upload XML with one element a text, and elements in it that tag its parts.",
            )
        if self._open == self._depth:
            self._line, self._size, self._nested = self.parser.CurrentLineNumber, 0, False
            self._parts = [("", [])]
        elif self._open == self._depth + 1:
            self._add_part(name)
        elif self._open > self._depth:
            self._nested = True

    def _add_part(self, tag: str) -> None:
        self._size += 1
        if self._size <= MAX_TEXT_CHARACTERS:
            self._parts.append((tag, []))

    def _characters(self, text: str) -> None:
        if self._open >= self._depth:
            self._size += len(text)
            if self._size <= MAX_TEXT_CHARACTERS:
                self._parts[-1][1].append(text)

    def _end(self, _: str) -> None:
        self.leaves[self._open] += not self._has_children
        self._has_children = True
        if self._open == self._depth + 1:
            self._add_part("")
        elif self._open == self._depth:
            parts = [(tag, "".join(pieces)) for tag, pieces in self._parts]
            self.shapes.append(tuple(tag for tag, _ in parts if tag))
            self.rows.append(self._row(parts))
            self._parts = []
        self._open -= 1

    def _doctype(self, *_: object) -> None:
        """Refuse declarations: with them a small file becomes a large one, or reads another."""
        raise Rejected(
            f"Line {self.parser.CurrentLineNumber} of {self._name} has a DOCTYPE.",
            "Upload XML without one, and without entities of its own.",
        )

    def _row(self, parts: list[tuple[str, str]]) -> Row | Refusal:
        """Make a row of an element's parts: text without a tag, and with one."""
        if self._nested:
            detail = "an element in it has elements of its own; a tag holds text only"
            return Refusal(self._line, "nested tags", detail)
        if self._size > MAX_TEXT_CHARACTERS:
            detail = f"a text and its tags have at most {MAX_TEXT_CHARACTERS:,} characters"
            return Refusal(self._line, "text too long", detail)
        text = " ".join("".join(piece for _, piece in parts).split())
        return Row(self._line, {TEXT: text, ANSWER: _fields(parts)})


def sniff(beginning: Beginning) -> float:
    """Say how well a file's beginning fits: 0.95 for XML whose elements have different tags.

    Records, which all have the same elements one after another, are not tagged texts.
    """
    if not beginning.text.lstrip().startswith("<"):
        return 0.0
    try:
        depth = _depth(beginning, "")
    except Rejected:
        # Nothing else reads XML, so this says why it is not read.
        return 0.3
    if depth < _ITEM_DEPTH:
        return 0.0
    shapes = _look(beginning, depth, "").shapes
    alike = len(shapes) > 1 and len(set(shapes)) == 1
    return 0.0 if alike or not any(shapes) else 0.95


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the texts; their answers are the tags in them and what these hold.

    White space is one space. The same tag again, with nothing but white space between, goes on;
    further on it is another value.

    Raises:
        Rejected: The file is not XML, has a DOCTYPE, or no elements that tag parts of a text.
    """
    depth = _depth(source.beginning, source.name)
    if depth < _ITEM_DEPTH:
        raise Rejected(
            f"{source.name} has no elements that tag parts of a text.",
            "It needs one element for all, in it one a text, and in these one a tagged part.",
        )
    reader = _Reader(depth, source.name)
    with source.open_text() as text:
        try:
            while chunk := text.read(_CHUNK):
                reader.parser.Parse(chunk, False)  # noqa: FBT003
                yield from reader.rows
                reader.rows.clear()
                reader.shapes.clear()
            reader.parser.Parse("", True)  # noqa: FBT003
        except expat.ExpatError as error:
            why = expat.errors.messages.get(error.code, "")
            raise Rejected(
                f"Line {error.lineno} of {source.name} is not XML: {why}.", "Correct it there."
            ) from None
    yield from reader.rows


def _fields(parts: list[tuple[str, str]]) -> dict[str, str | list[str]]:
    """Collect the values of the tags; white space between parts belongs to the value it is in."""
    found: dict[str, dict[str, None]] = {}
    kept = [part for part in parts if part[0] or part[1]]
    for tag, run in itertools.groupby(_bridged(kept), key=lambda part: part[0]):
        value = " ".join("".join(piece for _, piece in run).split())
        if tag and value:
            found.setdefault(tag, {})[value] = None
    return one_or_several(found)


def _bridged(parts: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Give the white space between two parts with the same tag their tag."""
    for place, (tag, text) in enumerate(parts):
        around = {
            part[0] for part in (*parts[max(0, place - 1) : place], *parts[place + 1 : place + 2])
        }
        yield (around.pop() if not tag and text.isspace() and len(around) == 1 else tag), text


def _depth(beginning: Beginning, name: str) -> int:
    """Find the depth at which texts are: above most of the elements that hold text only.

    0 when it is not XML.
    """
    leaves = _look(beginning, MAX_DEPTH + 1, name).leaves.most_common(1)
    return leaves[0][0] - 1 if leaves else 0


def _look(beginning: Beginning, depth: int, name: str) -> _Reader:
    """Parse a beginning as far as it goes."""
    reader = _Reader(depth, name)
    # What comes before an error tells what the file is; `read` says what is wrong with it.
    with suppress(expat.ExpatError):
        reader.parser.Parse(beginning.text, beginning.whole)
    return reader
