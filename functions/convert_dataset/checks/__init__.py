"""What is looked for in a dataset before a cent is spent on it: one check a module.

A check may see every example once, in batches, while the file is gone through (`look`), and says at
the end what it found (`findings`). What cannot be looked for in linear time is looked for in a
sample, and the finding says so. What becomes of a finding is the policy of task.yaml (`checks:`).
"""

from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from shared.examples import Answer
from shared.task import Severity, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Batch(NamedTuple):
    """Consecutive examples of a file. The lists have the same length.

    Attributes:
        rows: The examples' row indexes in the file, from 0.
        texts: Their texts, stripped.
        answers: Their answers.
    """

    rows: Sequence[int]
    texts: Sequence[str]
    answers: Sequence[Answer]


@dataclass(frozen=True)
class Sample:
    """Examples that are held in memory: all of them, or those with the smallest hashes.

    Attributes:
        rows: Their row indexes in the file, from 0.
        texts: Their texts.
        answers: Their answers.
        whole: Whether these are all examples of the file.
    """

    rows: Sequence[int]
    texts: Sequence[str]
    answers: Sequence[Answer]
    whole: bool


@dataclass(frozen=True)
class Facts:
    """What is known of a file once it has been gone through.

    All arrays have one item for each row of the file, rows that are no examples included.

    Attributes:
        task: The task, its labels or fields complete.
        declared: Whether task.yaml declares the labels or fields.
        kept: True for the examples that earlier checks have left in the dataset.
        exact: A hash of the text up to white space and letter case.
        near: A hash of the text up to punctuation as well.
        answers: A number for each different answer.
        given: The split that the file gives, -1 where it gives none: an index of splits.SPLITS.
        splits: The split that each example goes to, -1 for what is not kept.
        labels: Label -> number of kept examples; empty for an extraction.
        sample: Examples to look at more closely. It may hold some that are no longer kept.
        refused: Reason -> number of rows that could not be read as examples.
        near_pairs: Pairs of places in the sample whose texts are nearly the same.
        others: What else of the file could be declared fields: columns, or keys of the answers.
        unknown_labels: Label that task.yaml does not declare -> rows, the most frequent first.
    """

    task: Task
    declared: bool
    kept: "NDArray[np.bool_]"
    exact: "NDArray[np.uint64]"
    near: "NDArray[np.uint64]"
    answers: "NDArray[np.int64]"
    given: "NDArray[np.int8]"
    splits: "NDArray[np.int8]"
    labels: Mapping[str, int]
    sample: Sample
    refused: Mapping[str, int]
    near_pairs: Sequence[tuple[int, int]] = ()
    others: tuple[str, ...] = ()
    unknown_labels: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """Something that a person should know about a dataset.

    Attributes:
        check: The check's name, such as "near-duplicates".
        severity: How bad it is.
        count: How many rows it concerns, or labels, or whatever the summary counts.
        summary: What was found, one sentence without a full stop.
        remedy: What to do about it, one sentence.
        rows: The row indexes concerned, from 0; empty when it concerns the dataset as a whole.
        others: For each of them the row that it clashes with, or nothing at all.
        droppable: Whether those rows can be left out: the policy "drop" then does so.
        excerpts: Whether the report may show the beginning of those rows' texts.
        clash: What others are to rows: "the same example is on" (line 7).
        details: Short notes for some of the rows: row index -> note.
        refused: The reason of rows that could not even be read, which have no place in `rows`.
    """

    check: str
    severity: Severity
    count: int
    summary: str
    remedy: str
    rows: "array[int]" = field(default_factory=lambda: array("q"))
    others: "array[int]" = field(default_factory=lambda: array("q"))
    droppable: bool = True
    excerpts: bool = True
    clash: str = "it clashes with"
    details: Mapping[int, str] = field(default_factory=dict)
    refused: str = ""


class Check(ABC):
    """Looks for one thing. A new one is made for each file.

    Attributes:
        name: Its name in reports and in task.yaml.
        severity: How bad its findings are by default.
        counts_splits: Whether it is asked after all others, when nothing is dropped any more and
            the splits are final. It drops nothing itself.
    """

    name: str
    severity: Severity
    counts_splits = False

    def look(self, batch: Batch) -> None:  # noqa: B027 - most checks need not
        """See the next examples. Most checks need not."""

    @abstractmethod
    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Say what was found."""
