"""Facts about a file, made from plain lists, for tests of what is looked for in it."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from functions.convert_dataset.checks import Batch, Check, Facts, Finding, Sample
from functions.convert_dataset.keys import exact_key, near_key
from functions.convert_dataset.similarity import near_pairs
from shared.examples import Answer
from shared.task import Task


def facts_of(
    texts: Sequence[str],
    answers: Sequence[Answer],
    *,
    task: Task | None = None,
    given: Sequence[int] | None = None,
    kept: Sequence[bool] | None = None,
    refused: Mapping[str, int] | None = None,
    sample: int | None = None,
) -> Facts:
    """Make the facts of a file in which every row is an example.

    Args:
        texts: The texts.
        answers: Their answers.
        task: The task; left out, a classification by the labels there are.
        given: The splits that the file gives.
        kept: What earlier checks have left; everything, when left out.
        refused: The rows that could not be read.
        sample: How many examples the sample holds; all, when left out.
    """
    keep = np.array(kept if kept is not None else [True] * len(texts), dtype=bool)
    chosen = range(len(texts) if sample is None else sample)
    labels = Counter(
        label
        for row, answer in enumerate(answers)
        if keep[row] and not isinstance(answer, Mapping)
        for label in ([answer] if isinstance(answer, str) else answer)
    )
    numbers: dict[str, int] = {}
    splits = np.array(given if given is not None else [-1] * len(texts), dtype=np.int8)
    return Facts(
        task=task or Task(type="classification", multi_label=_several(answers)),
        declared=task is not None,
        kept=keep,
        exact=np.array([exact_key(text) for text in texts], dtype=np.uint64),
        near=np.array([near_key(text) for text in texts], dtype=np.uint64),
        answers=np.array([numbers.setdefault(str(answer), len(numbers)) for answer in answers]),
        given=splits,
        splits=np.where(keep, np.maximum(splits, 0), -1).astype(np.int8),
        labels=labels,
        sample=Sample(
            chosen, texts[: len(chosen)], answers[: len(chosen)], whole=len(chosen) == len(texts)
        ),
        refused=refused or {},
        near_pairs=near_pairs(texts[: len(chosen)], [exact_key(texts[row]) for row in chosen]),
    )


def run(check: Check, facts: Facts, batch: int = 2) -> list[Finding]:
    """Show a check the sample's examples in batches, and ask it for what it found."""
    sample = facts.sample
    for start in range(0, len(sample.rows), batch):
        part = slice(start, start + batch)
        check.look(Batch(sample.rows[part], sample.texts[part], sample.answers[part]))
    return list(check.findings(facts))


def _several(answers: Sequence[Answer]) -> bool:
    """Tell whether the answers are lists of labels."""
    return any(isinstance(answer, list) for answer in answers)
