"""First pass over a file: what its rows are, in a few numbers for each of them.

30 bytes a row are kept, and a sample of the texts.
"""

import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xxhash import xxh3_64_intdigest

from functions.convert_dataset.batches import (
    RawRow,
    correction_batches,
    file_batches,
    split_word,
)
from functions.convert_dataset.checks import Batch, Check, Sample
from functions.convert_dataset.columns import SPLIT_WORDS, Columns
from functions.convert_dataset.corrections import NO_CORRECTIONS, Corrections
from functions.convert_dataset.keys import exact_key, near_key
from functions.convert_dataset.rows import Refusal, Row
from functions.convert_dataset.sample import Reservoir
from functions.convert_dataset.sentiment_words import worst_to_best
from functions.convert_dataset.splits import NONE
from functions.convert_dataset.tally import LabelTally
from shared.answers import answer_text
from shared.errors import Rejected
from shared.examples import Answer, Example
from shared.task import FieldSpec, Label, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_ROWS = 10_000_000
"""The most examples that Vertex AI takes in a training file."""

_NO_ANSWER = -1
_MAX_FIELDS = 200


@dataclass
class Survey:
    """What the first pass found. The arrays have one item for each row of the file.

    Attributes:
        task: The task, its labels or fields complete.
        lines: The line, or row, that each row begins on.
        kept: 1 for an example, 0 for a row that is none.
        exact: keys.exact_key of the text.
        near: keys.near_key of the text.
        answers: A number for each different answer.
        given: The split that the file gives, NONE where it gives none.
        groups: A hash of what the rows are grouped by; empty when they are not.
        refused: Reason -> number of rows.
        first_refused: Reason -> the first of them.
        numbers: Answer -> its number, for labels.
        characters: Characters of all texts.
        corrected_from: The index of the first correction; those of the file come before it.
        others: columns.Columns.others.
        tally: The file's labels that are not spelt as they are declared.
    """

    task: Task
    lines: "array[int]" = field(default_factory=lambda: array("I"))
    kept: "array[int]" = field(default_factory=lambda: array("b"))
    exact: "array[int]" = field(default_factory=lambda: array("Q"))
    near: "array[int]" = field(default_factory=lambda: array("Q"))
    answers: "array[int]" = field(default_factory=lambda: array("q"))
    given: "array[int]" = field(default_factory=lambda: array("b"))
    groups: "array[int]" = field(default_factory=lambda: array("Q"))
    refused: Counter[str] = field(default_factory=Counter)
    first_refused: dict[str, Refusal] = field(default_factory=dict)
    numbers: dict[Answer | tuple[str, ...], int] = field(default_factory=dict)
    characters: int = 0
    corrected_from: int = 0
    others: tuple[str, ...] = ()
    tally: LabelTally = field(default_factory=LabelTally)
    sample: Sample = field(default_factory=lambda: Sample((), (), (), whole=True))

    def label_counts(self, kept: "NDArray[np.bool_]") -> dict[str, int]:
        """Count the kept examples of each label."""
        import numpy as np

        if self.task.type == "extraction":
            return {}
        numbers = np.frombuffer(self.answers, np.int64)[kept]
        counts = np.bincount(numbers, minlength=len(self.numbers))
        by_label: Counter[str] = Counter(dict.fromkeys(self.task.label_names, 0))
        for answer, number in self.numbers.items():
            for label in answer if isinstance(answer, tuple) else (str(answer),):
                by_label[label] += int(counts[number])
        return dict(by_label)


def survey_rows(
    rows: Iterable[Row | Refusal],
    task: Task,
    columns: Columns,
    checks: Sequence[Check],
    after_batch: Callable[[int], None],
    corrections: Corrections = NO_CORRECTIONS,
) -> Survey:
    """Go through all rows once.

    Args:
        rows: The file's rows.
        task: The task, perhaps without its labels or fields.
        columns: Which column holds what.
        checks: They see every example.
        after_batch: Told how many rows have been seen; may raise to stop.
        corrections: What people corrected; they come behind the file's rows, and are held against
            the labels or fields that these have.

    Raises:
        Rejected: The file has too many rows, or too many different fields.
    """
    survey = Survey(task, others=columns.others)
    reservoir = Reservoir()
    names: Counter[str] = Counter()

    def take(first: int, chunk: Sequence[RawRow], examples: Sequence[Example | Refusal]) -> None:
        batch = _keep(survey, first, chunk, examples, columns)
        keys = survey.near[first:] if len(batch.rows) == len(chunk) else None
        reservoir.add(keys or [survey.near[row] for row in batch.rows], batch)
        for check in checks:
            check.look(batch)
        if task.type == "extraction" and not task.fields:
            names.update(name for answer in batch.answers for name in answer)
        if len(survey.kept) > MAX_ROWS:
            raise Rejected(
                f"The file has more than {MAX_ROWS:,} rows, the most that Gemini is tuned with.",
                "Upload a part of it.",
            )
        after_batch(len(survey.kept))

    for first, chunk, examples in file_batches(rows, task, columns, corrections, survey.tally):
        take(first, chunk, examples)
    survey.corrected_from = len(survey.kept)
    survey.task = _complete(task, survey, names)
    last = survey.lines[-1] if survey.lines else 0
    for first, chunk, examples in correction_batches(
        corrections, survey.task, survey.corrected_from, last
    ):
        take(first, chunk, examples)
    survey.sample = reservoir.sample()
    return survey


def _keep(
    survey: Survey,
    first: int,
    chunk: Sequence[Row | Refusal],
    examples: Sequence[Example | Refusal],
    columns: Columns,
) -> Batch:
    """Add a batch's numbers to the arrays; return its examples."""
    places, texts, answers = _good(examples)
    numbers = _numbers(survey, answers)
    exact, near = list(map(exact_key, texts)), list(map(near_key, texts))
    survey.characters += sum(map(len, texts))
    if len(texts) < len(examples):
        for item in examples:
            if isinstance(item, Refusal):
                survey.refused[item.reason] += 1
                survey.first_refused.setdefault(item.reason, item)
        exact, near = _spread(exact, places, len(chunk), 0), _spread(near, places, len(chunk), 0)
        numbers = _spread(numbers, places, len(chunk), _NO_ANSWER)
    survey.exact.extend(exact)
    survey.near.extend(near)
    survey.answers.extend(numbers)
    survey.lines.extend([row.line for row in chunk])
    survey.kept.extend([item.__class__ is Example for item in examples])
    if columns.split is None:
        survey.given.extend(array("b", [NONE]) * len(chunk))
    else:
        survey.given.extend(
            SPLIT_WORDS.get(split_word(row, columns.split), NONE) if isinstance(row, Row) else NONE
            for row in chunk
        )
    if columns.group is not None:
        survey.groups.extend(_group_keys(chunk, columns.group, survey.near[first:]))
    return Batch([first + place for place in places], texts, answers)


def _good(
    examples: Sequence[Example | Refusal],
) -> tuple[Sequence[int], Sequence[str], Sequence[Answer]]:
    """Take out the places, texts and answers of the rows that are examples."""
    if Refusal in set(map(type, examples)):
        good = [(place, *item) for place, item in enumerate(examples) if isinstance(item, Example)]
        places, texts, answers = zip(*good, strict=True) if good else ((), (), ())
        return places, texts, answers
    texts, answers = zip(*examples, strict=True)
    return range(len(examples)), texts, answers


def _spread(values: list[int], places: Sequence[int], size: int, nothing: int) -> list[int]:
    """Put values to their places among rows that have none."""
    spread = [nothing] * size
    for place, value in zip(places, values, strict=True):
        spread[place] = value
    return spread


def _numbers(survey: Survey, answers: Sequence[Answer]) -> list[int]:
    """Number answers: labels in the order they come, an extraction's by a hash."""
    if survey.task.type == "extraction":
        return [_answer_hash(answer) for answer in answers]
    numbers = survey.numbers
    named = [answer if isinstance(answer, str) else tuple(answer) for answer in answers]
    return [numbers.setdefault(name, len(numbers)) for name in named]


def _answer_hash(answer: Answer) -> int:
    """Hash an extraction's fields that have a value to 63 bits.

    Letter case and the order of a list do not matter, as they do not between equal texts.
    """
    assert not isinstance(answer, str | list)  # noqa: S101 - an extraction's answers are mappings
    filled = {
        name: sorted({text.casefold() for text in ([value] if isinstance(value, str) else value)})
        for name in sorted(answer)
        if (value := answer[name])
    }
    return xxh3_64_intdigest(answer_text(filled).encode()) >> 1


def _group_keys(chunk: Sequence[Row | Refusal], column: str, near: Sequence[int]) -> Iterator[int]:
    """Hash what rows are grouped by; a row without it is a group of its own."""
    for row, own in zip(chunk, near, strict=True):
        value = row.values.get(column) if isinstance(row, Row) else None
        yield own if value in (None, "") else xxh3_64_intdigest(f"group {value}".encode())


def _complete(task: Task, survey: Survey, fields: Counter[str]) -> Task:
    """Complete a task with the data's labels or fields: numbers and sentiments in their order."""
    if task.type == "extraction":
        if task.fields or not fields:
            return task
        if len(fields) > _MAX_FIELDS:
            raise Rejected(
                f"The answers have {len(fields)} different fields.",
                "Name those that matter in task.yaml: `fields: […]`.",
            )
        named = tuple(FieldSpec(name=name) for name in fields)
        return task.model_copy(update={"fields": named})
    if task.labels:
        return task
    found = {
        label
        for answer in survey.numbers
        for label in (answer if isinstance(answer, tuple) else (str(answer),))
    }
    known = worst_to_best(found) if task.type == "sentiment" else None
    if known:
        return task.model_copy(update={"labels": tuple(Label(name=name) for name in known)})
    numeric = all(re.fullmatch(r"-?[0-9]{1,15}([.][0-9]{1,15})?", name) for name in found)
    ordered = sorted(found, key=lambda name: (float(name) if numeric else 0.0, name))
    return task.model_copy(update={"labels": tuple(Label(name=name) for name in ordered)})
