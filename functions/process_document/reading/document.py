"""What reading a document gives, what it needs to know, and how much it may take."""

from typing import NamedTuple

MAX_BYTES = 20_000_000
"""The largest document, whatever task.yaml says."""

MAX_CHARACTERS = 8_000_000
"""The most text that is read out of one file."""

SAVE_AGAIN = "Save it as text in UTF-8, and upload that."


class Document(NamedTuple):
    """A text to be answered.

    Attributes:
        text: The text, without white space around it. Empty when `flaw` says why.
        reader: How it was read, such as "HTML, utf-8".
        notes: What was left out or mended, in sentences without a full stop.
        row: Its number in a file of many documents, from 1; None for a file that is one document.
        flaw: Why this row of many cannot be answered.
    """

    text: str
    reader: str
    notes: tuple[str, ...] = ()
    row: int | None = None
    flaw: str = ""


class Hints(NamedTuple):
    """What task.yaml says about documents.

    Attributes:
        columns: The text's columns in a table; empty for the usual ones.
        encoding: The encoding of the labelled files, which decides between two that are probable.
        subject: Whether an e-mail's subject is part of its text.
    """

    columns: tuple[str, ...] = ()
    encoding: str | None = None
    subject: bool = True


NO_HINTS = Hints()
