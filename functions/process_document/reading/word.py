"""Word documents (.docx): the text of the body, with tables and text boxes.

A .docx file is a zip archive of XML files. Only two of them are read, as streams: the list of what
is inside, and the body. Declared entities are refused, which no Word document has.
Source: ECMA-376, part 1, 17 (WordprocessingML).
"""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

from functions.process_document.reading.document import MAX_CHARACTERS, Document, Hints
from shared.errors import Rejected
from shared.file_kinds import kind_of_office

if TYPE_CHECKING:
    from zipfile import ZipFile

MAX_XML_BYTES = 100_000_000
"""The most that a document's files may become together when they are unpacked."""

_CHUNK = 1 << 16
_CONTENTS = "[Content_Types].xml"
_USUAL_BODY = "word/document.xml"
_MAIN = "wordprocessingml.document.main+xml"
_MAIN_WITH_MACROS = "ms-word.document.macroEnabled.main+xml"
_SPACES = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
)
_HIDDEN = frozenset({"pPr", "rPr", "sectPr", "tblPr", "tcPr", "trPr", "del", "moveFrom"})
_FALLBACK = "http://schemas.openxmlformats.org/markup-compatibility/2006 Fallback"
_SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_SAVE = "Save it again as .docx, or as PDF."
_REMEDIES = {
    "a PowerPoint presentation": "Save it as PDF.",
    "an OpenDocument file": "Save it as .docx or PDF.",
    "an Excel workbook": "Save the sheet as CSV, with a column that is called text.",
    "a binary workbook (.xlsb)": "Save the sheet as CSV, with a column that is called text.",
}


def sniff(content: bytes) -> bool:
    """Whether bytes are a zip archive, whatever is inside."""
    return content.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def read(content: bytes, name: str, hints: Hints) -> list[Document]:  # noqa: ARG001
    """Read a Word document.

    Args:
        content: The file.
        name: Its name, for messages.
        hints: What task.yaml says.

    Raises:
        Rejected: It is another kind of zip archive, is damaged, or becomes too large.
    """
    from shared.unpacking.archives import open_member, open_zip

    with open_zip(io.BytesIO(content), name, MAX_XML_BYTES) as archive:
        kind = kind_of_office(archive.namelist())
        if kind != "a Word document":
            raise Rejected(
                f"{name} is {kind or 'a zip archive'}, which is not read.",
                _REMEDIES.get(kind or "", "Unpack it, and upload the documents inside."),
            )
        members = {member.filename: member for member in archive.infolist()}
        body = members.get(_body(archive, name))
        if body is None:
            raise Rejected(f"{name} is a Word document without a body.", _SAVE)
        collected = _Body(name)
        with open_member(archive, body, name) as stream:
            _parse(stream, name, collected.start, collected.end, collected.text)
    return [Document("".join(collected.parts).strip(), "Word document")]


def _body(archive: "ZipFile", name: str) -> str:
    """Find the name of the body: mostly the usual one, but Word goes by the list of contents."""
    from shared.unpacking.archives import open_member

    found: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        kind = attributes.get("ContentType", "")
        if tag.endswith(" Override") and kind.endswith((_MAIN, _MAIN_WITH_MACROS)):
            found.append(attributes.get("PartName", "").removeprefix("/"))

    if _CONTENTS in archive.namelist():
        with open_member(archive, archive.getinfo(_CONTENTS), name) as stream:
            _parse(stream, name, start, _ignore, _ignore)
    return found[0] if found else _USUAL_BODY


def _parse(
    stream: BinaryIO,
    name: str,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    text: Callable[[str], None],
) -> None:
    """Go through an XML file."""
    from xml.parsers import expat

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = lambda *_: _refuse_declarations(name)
    try:
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk, False)  # noqa: FBT003 - expat takes no names
        parser.Parse(b"", True)  # noqa: FBT003
    except expat.ExpatError as error:
        if error.code == expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]:
            raise MemoryError from None
        raise Rejected(
            f"{name} is damaged: its XML is wrong on line {error.lineno}.", _SAVE
        ) from None


def _refuse_declarations(name: str) -> None:
    """Refuse what Word never writes: entities are how XML is made to fill up memory."""
    raise Rejected(f"{name} declares entities, which no Word document does.", _SAVE)


def _ignore(_: Any) -> None:
    """Leave something out."""


def _name(tag: str) -> tuple[str, str]:
    """Return an element's name space and its own name."""
    space, _, local = tag.rpartition(" ")
    return space, local


class _Body:
    """Collects a body's text: a line a paragraph, and a row of a table with tabs in between."""

    def __init__(self, name: str) -> None:
        self.parts: list[str] = []
        self._name = name
        self._length = 0
        self._hidden = 0
        self._in_text = False

    def start(self, tag: str, _: dict[str, str]) -> None:
        """An element begins."""
        space, local = _name(tag)
        if self._hidden or tag == _FALLBACK or (space in _SPACES and local in _HIDDEN):
            self._hidden += 1
        elif space in _SPACES:
            self._in_text = local == "t"
            if local in _SIGNS:
                self._add(_SIGNS[local])

    def end(self, tag: str) -> None:
        """An element ends."""
        self._in_text = False
        if self._hidden:
            self._hidden -= 1
            return
        space, local = _name(tag)
        if space in _SPACES and local == "p":
            self._add("\n")
        elif space in _SPACES and local in {"tc", "tr"}:
            if self.parts and self.parts[-1] in {"\n", "\t"}:
                self.parts.pop()
            self._add("\t" if local == "tc" else "\n")

    def text(self, characters: str) -> None:
        """Some characters come."""
        if self._in_text and not self._hidden:
            self._add(characters)

    def _add(self, characters: str) -> None:
        self.parts.append(characters)
        self._length += len(characters)
        if self._length > MAX_CHARACTERS:
            raise Rejected(
                f"{self._name} has more than {MAX_CHARACTERS:,} characters.", "Split it."
            )
