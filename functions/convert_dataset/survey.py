"""First pass over a file: which rows are examples, which go to quarantine, and who goes where."""

import hashlib
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from functions.convert_dataset.columns import Columns
from functions.convert_dataset.labelled import example_of
from functions.convert_dataset.rows import Refusal, Row
from functions.convert_dataset.splits import QUARANTINE, SPLITS, SplitPlan, text_hash
from shared.errors import Rejected
from shared.examples import Answer, Example
from shared.prompts import answer_text
from shared.task import Label, Task

MAX_LABELS = 1000


@dataclass(frozen=True)
class Survey:
    """What the first pass found.

    Attributes:
        task: The task with its labels complete.
        codes: A split or QUARANTINE for each row, in the file's order.
        refusals: Row index -> why that row is quarantined.
        labels: Label -> split -> number of examples; empty for an extraction.
    """

    task: Task
    codes: "array[int]"
    refusals: dict[int, Refusal]
    labels: dict[str, dict[str, int]]

    @property
    def counts(self) -> dict[str, int]:
        """Examples in each split."""
        found = Counter(self.codes)
        return {split: found[code] for code, split in enumerate(SPLITS)}

    @property
    def reasons(self) -> dict[str, int]:
        """Quarantined rows for each reason, most frequent first."""
        return dict(Counter(refusal.reason for refusal in self.refusals.values()).most_common())


@dataclass
class _Seen:
    """Texts that were seen: text hash -> (answer hash, line)."""

    texts: dict[int, tuple[int, int]] = field(default_factory=dict)

    def check(self, hashed: int, answer: Answer, line: int) -> Refusal | None:
        """Refuse a text that was seen before."""
        digest = hashlib.blake2b(answer_text(answer).encode(), digest_size=8).digest()
        answer_hash = int.from_bytes(digest, "big")
        earlier = self.texts.setdefault(hashed, (answer_hash, line))
        if earlier[1] == line:
            return None
        if earlier[0] == answer_hash:
            return Refusal(line, "duplicate", f"the same example is on line {earlier[1]}")
        detail = f"line {earlier[1]} has the same text with another answer, and is the one kept"
        return Refusal(line, "conflicting answer", detail)


def survey_rows(rows: Iterable[Row | Refusal], task: Task, columns: Columns) -> Survey:
    """Go through all rows once.

    Args:
        rows: The file's rows.
        task: The task, perhaps without its labels.
        columns: Which column holds what.
    """
    seen = _Seen()
    plan = SplitPlan(task.split)
    refusals: dict[int, Refusal] = {}
    strata: list[tuple[str, ...]] = []
    names: Counter[str] = Counter()
    total = 0
    for index, row in enumerate(rows):
        total += 1
        example = example_of(row, task, columns) if isinstance(row, Row) else row
        if isinstance(example, Example):
            hashed = text_hash(example.text)
            refusal = seen.check(hashed, example.answer, row.line)
        else:
            refusal = example
        if refusal is not None or not isinstance(example, Example):
            refusals[index] = refusal or Refusal(row.line, "not an example")
            continue
        labels = _labels_of(example.answer)
        names.update(labels)
        strata.append(labels)
        plan.add(hashed, "\n".join(labels))
    codes = array("b", [QUARANTINE]) * total
    decided = plan.decide()
    kept = (index for index in range(total) if index not in refusals)
    for index, code in zip(kept, decided, strict=True):
        codes[index] = code
    by_label: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(SPLITS, 0))
    for labels, code in zip(strata, decided, strict=True):
        for label in labels:
            by_label[label][SPLITS[code]] += 1
    return Survey(_with_labels(task, names), codes, refusals, dict(sorted(by_label.items())))


def check_survey(survey: Survey, name: str) -> None:
    """Refuse a file that nothing can be learnt from.

    Raises:
        Rejected: There is no example, a split is empty, or there is one label only.
    """
    counts = survey.counts
    total = sum(counts.values())
    if total == 0:
        why = ", ".join(f"{reason}: {count}" for reason, count in survey.reasons.items())
        raise Rejected(f"{name} has no usable row ({why or 'it is empty'}).", "See docs/task.md.")
    for split, count in counts.items():
        if count == 0:
            raise Rejected(
                f"{name} has {total} usable examples, too few to leave any for {split}.",
                "Add examples: 100 are the least that tuning makes sense with.",
            )
    if survey.task.type != "extraction" and len(survey.labels) < 2:  # noqa: PLR2004 - a choice
        raise Rejected(
            f"Every example of {name} has the label {next(iter(survey.labels), None)!r}.",
            "Add examples of the other labels; is the file a part of a sorted one?",
        )
    if len(survey.task.labels) > MAX_LABELS:
        raise Rejected(
            f"{name} has {len(survey.task.labels)} different labels, too many to classify.",
            "Name the label's column in task.yaml: `columns: {label: …}`.",
        )


def _labels_of(answer: Answer) -> tuple[str, ...]:
    """Return an answer's labels; an extraction has none."""
    if isinstance(answer, str):
        return (answer,)
    return tuple(answer) if isinstance(answer, list) else ()


def _with_labels(task: Task, names: Counter[str]) -> Task:
    """Complete a task with the labels found in the data, numbers in their order."""
    if task.type == "extraction" or task.labels:
        return task
    numeric = all(re.fullmatch(r"-?[0-9]{1,15}([.][0-9]{1,15})?", name) for name in names)
    ordered = sorted(names, key=lambda name: (float(name) if numeric else 0.0, name))
    return task.model_copy(update={"labels": tuple(Label(name=name) for name in ordered)})
