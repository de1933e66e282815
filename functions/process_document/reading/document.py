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
        media_type: What the file is that the model is to read by itself, since it has no text.
    """

    text: str
    reader: str
    notes: tuple[str, ...] = ()
    row: int | None = None
    flaw: str = ""
    media_type: str = ""


class Hints(NamedTuple):
    """What task.yaml says about documents, what the model takes, and what it was made of.

    Attributes:
        columns: The text's columns in a table; empty for the usual ones.
        encoding: The encoding of the labelled files, which decides between two that are probable.
        subject: Whether an e-mail's subject is part of its text.
        files: Media types of files without text that the model reads by itself.
        learnt: The text's column in the file that the model was made of, which is one of the usual
            ones then; empty when it is not known.
    """

    columns: tuple[str, ...] = ()
    encoding: str | None = None
    subject: bool = True
    files: tuple[str, ...] = ()
    learnt: str = ""


NO_HINTS = Hints()

AS_FILE = "the model was given the file itself; it was measured on texts"
"""What a result says about a document that the model read by itself."""
