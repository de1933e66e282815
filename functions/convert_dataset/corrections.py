"""What people corrected in review files: read from a task's corrections/, as rows of a dataset.

A line counts when its `correction` is filled in. Lines that cannot be used become refusals that
name the file, the line and the remedy, and go to quarantine. docs/decisions/0014-review.md.
"""

import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from functions.convert_dataset.columns import Columns
from functions.convert_dataset.keys import exact_key
from functions.convert_dataset.labelled import example_reader
from functions.convert_dataset.rows import ANSWER, TEXT, Refusal, Row
from shared import paths
from shared.answers import answer_text
from shared.errors import NotFound, Rejected
from shared.events import ObjectArrived
from shared.examples import Example
from shared.ports import Bucket
from shared.task import Task

MAX_FILE_BYTES = 20_000_000
MAX_FILES = 1000
MAX_CORRECTIONS = 20_000
"""As many fit into memory; who has more makes a labelled file of them."""

_COLUMNS = Columns(TEXT, ANSWER, {}, ())
_SHOWN_FILES = 3


@dataclass(frozen=True)
class Correction:
    """One corrected answer.

    Attributes:
        place: Its file and line, for messages.
        document: The document's name and generation.
        text: What the model was given; empty when there is none.
        answer: What a person says is right, as it stands in the file.
    """

    place: str
    document: tuple[str, int]
    text: str
    answer: Any


@dataclass(frozen=True)
class Corrections:
    """All of a task's corrections, those that were replaced left out.

    Attributes:
        corrections: In the order in which they were uploaded.
        refusals: Lines that cannot be read.
        files: The files that they come from.
        keys: keys.exact_key of their texts -> where the correction stands.
    """

    corrections: Sequence[Correction] = ()
    refusals: Sequence[Refusal] = ()
    files: Sequence[str] = ()
    keys: Mapping[int, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is anything to add to a labelled file."""
        return bool(self.corrections or self.refusals)

    @property
    def identifier(self) -> str:
        """What they add to the id of a dataset; empty without any that counts."""
        if not self.corrections:
            return ""
        parts = sorted([*item.document, item.text, answer_text(item.answer)]
                       for item in self.corrections)  # fmt: skip
        return paths.content_id(parts)

    @property
    def explanation(self) -> tuple[str, ...]:
        """What the report says of them."""
        if not self:
            return ()
        count = len(self.corrections)
        files = ", ".join(self.files[:_SHOWN_FILES])
        more = " …" if len(self.files) > _SHOWN_FILES else ""
        what = "1 correction was" if count == 1 else f"{count:,} corrections were"
        return (
            f"{what} added behind the file's last row, and numbered on from there ({files}{more})",
        )

    def check(self, name: str) -> None:
        """Raise Rejected when a file holds lines that cannot be read, and no correction."""
        found = [item for item in self.refusals if item.detail.startswith(name)]
        if found and not any(item.place.startswith(name) for item in self.corrections):
            raise Rejected(
                f"{len(found):,} lines of {name} cannot be used: {found[0].detail}.",
                "See docs/documents.md.",
            )

    def refusal_of(self, text: str, line: int) -> Refusal | None:
        """Say that a row of the labelled file gives way to a correction; None when it does not."""
        place = self.keys.get(exact_key(text)) if self.keys else None
        return Refusal(line, "corrected", f"its text has a correction: {place}") if place else None

    def rows(self, task: Task, after: int) -> Iterator[tuple[Row | Refusal, Example | Refusal]]:
        """Go through them as rows, numbered on from a file's last line: (row, its example).

        Args:
            task: The task, its labels or fields complete.
            after: The number of the file's last line.
        """
        read = example_reader(task, _COLUMNS)
        for number, item in enumerate(self.corrections, after + 1):
            row = Row(number, {TEXT: item.text, ANSWER: item.answer, "place": item.place})
            yield row, _explained(_field_refusal(item, task, number) or read(row), item, task)
        for number, refusal in enumerate(self.refusals, after + len(self.corrections) + 1):
            numbered = refusal._replace(line=number)
            yield numbered, numbered


NO_CORRECTIONS = Corrections()


def is_correction(name: str) -> bool:
    """Whether an object in the datasets bucket is a file of corrections."""
    return name.startswith(paths.corrections(name.partition("/")[0]))


def read_corrections(bucket: Bucket, task: str, is_ignored: Callable[[str], bool]) -> Corrections:
    """Read all of a task's corrections, the oldest upload first.

    Args:
        bucket: The datasets bucket.
        task: The task's name.
        is_ignored: Whether an object is no file that people mean.

    Raises:
        Rejected: There are more than fit into memory.
    """
    found = [item for item in bucket.list(paths.corrections(task)) if not is_ignored(item.name)]
    if len(found) > MAX_FILES:
        raise Rejected(
            f"{paths.corrections(task)} holds {len(found):,} files; {MAX_FILES:,} are taken.",
            "Put their lines together into fewer files.",
        )
    by_document: dict[tuple[str, int], Correction] = {}
    refusals: list[Refusal] = []
    files: list[str] = []
    for item in sorted(found, key=lambda stored: stored.generation):
        name = item.name.partition("/")[2]
        event = ObjectArrived(bucket.name, item.name, item.generation)
        lines = list(_lines(bucket, event, item.size, name))
        files += [name] if lines else []
        for line in lines:
            if isinstance(line, Refusal):
                refusals.append(line)
            else:
                by_document.pop(line.document, None)
                by_document[line.document] = line
        if len(by_document) + len(refusals) > MAX_CORRECTIONS:
            raise Rejected(
                f"{paths.corrections(task)} holds more than {MAX_CORRECTIONS:,} corrections.",
                "Put the older ones into a labelled file, and delete them there.",
            )
    by_text: dict[int | tuple[str, int], Correction] = {}
    for correction in by_document.values():
        key = exact_key(correction.text) if correction.text else correction.document
        by_text.pop(key, None)
        by_text[key] = correction
    kept = tuple(by_text.values())
    keys = {exact_key(item.text): item.place for item in kept if item.text}
    return Corrections(kept, tuple(refusals), tuple(files), keys)


def _lines(
    bucket: Bucket, event: ObjectArrived, size: int, name: str
) -> Iterator[Correction | Refusal]:
    """Read one file's lines that have a correction, and what is wrong with others."""
    if size > MAX_FILE_BYTES:
        detail = f"{name} has {size:,} bytes; {MAX_FILE_BYTES:,} are read. Divide it"
        yield Refusal(0, "not corrections", detail)
        return
    try:
        content, _ = bucket.read(event.name, event.generation)
    except NotFound:
        return
    try:
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        yield Refusal(0, "not corrections", f"{name} is not UTF-8. Save it as UTF-8")
        return
    for number, text in enumerate(lines, 1):
        if text.strip():
            line = _line(text, f"{name} line {number}")
            if line is not None:
                yield line


def _line(text: str, place: str) -> Correction | Refusal | None:
    """Read one line; None when nobody corrected anything in it."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        detail = f"{place} is not JSON. Each line is one, as in the review file; correct it"
        return Refusal(0, "not corrections", detail, text)
    if not isinstance(values, dict) or not isinstance(values.get("document"), str):
        detail = f"{place} is not a line of a review file: it names no document. Take it out"
        return Refusal(0, "not corrections", detail, values)
    if not _is_unicode(values):
        detail = f"{place} holds half of a surrogate pair, which is not text. Correct it"
        return Refusal(0, "not corrections", detail, values)
    answer = values.get("correction")
    if answer is None or (isinstance(answer, str) and not answer.strip()):
        return None
    generation = values.get("generation")
    shown = values.get("answer")
    if isinstance(answer, dict) and isinstance(shown, dict):
        answer = {**shown, **answer}
    said = values.get("text")
    return Correction(
        place,
        (values["document"], generation if isinstance(generation, int) else 0),
        said.strip() if isinstance(said, str) else "",
        answer,
    )


def _is_unicode(values: Mapping[str, object]) -> bool:
    """Whether everything in a line can be written as UTF-8."""
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _field_refusal(item: Correction, task: Task, line: int) -> Refusal | None:
    """Refuse a field that the task does not have: nobody would notice that it is ignored."""
    if task.type != "extraction" or not isinstance(item.answer, dict):
        return None
    strange = [name for name in item.answer if name not in task.field_names]
    if not strange:
        return None
    near = difflib.get_close_matches(strange[0], task.field_names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return Refusal(line, "unknown field", f"{strange[0][:60]!r} is not declared{hint}")


def _explained(read: Example | Refusal, item: Correction, task: Task) -> Example | Refusal:
    """Say in a refusal where the correction stands, and what to do about it."""
    if isinstance(read, Example):
        return read
    if read.reason == "no text":
        return read._replace(
            detail=f"{item.place} has no text: the model was given the file itself. Write the "
            "document's text into `text`"
        )
    known = ", ".join((task.field_names or task.label_names)[:20])
    what = "fields" if task.type == "extraction" else "labels"
    remedy = f"Correct it, and upload the file again; the {what} are {known}"
    end = "" if read.detail.endswith("?") else "."
    return read._replace(detail=f"{item.place}: {read.detail}{end} {remedy}")
