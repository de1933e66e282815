"""Self-consistency: sample several answers, and let the majority decide.

Gemini gives no confidence; the share of the majority stands for it (Wang et al. 2023,
"Self-Consistency Improves Chain of Thought Reasoning in Language Models").
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.answers import answer_text
from shared.examples import Answer, FieldValue
from shared.normalise import value_key

INVALID = "(not an answer)"
"""How samples that could not be read are shown in a tally."""


@dataclass(frozen=True)
class Vote:
    """What a vote came to.

    Attributes:
        answer: The winner; None when no sample could be read.
        confidence: Share of all samples that agree with the winner, 0 to 1. For an extraction,
            the lowest of the fields' shares: a record is as sure as its weakest field. For several
            labels, the lowest share that agrees about one label, that it applies or does not.
        tally: How often each answer was given, most frequent first.
        field_confidences: For an extraction, each field's own share.
    """

    answer: Answer | None
    confidence: float
    tally: dict[str, int]
    field_confidences: dict[str, float]


def vote(samples: Sequence[Answer | None], label_names: Sequence[str] = ()) -> Vote:
    """Let the samples vote: on one label, on each of several labels, or on each field.

    Ties go to the answer that was given first, which keeps the result the same on every run. One of
    several labels is in the answer when at least half of the samples that are answers have it.
    Values of a field that differ in spelling only, as 2 May 2024 and 2024-05-02 do, are one.

    Args:
        samples: The parsed samples; None for one that is not an answer. It still counts in the
            denominator: a model that rambles half of the time is not to be trusted.
        label_names: The order in which several labels are named; others come after them.

    Raises:
        ValueError: There is no sample.
    """
    if not samples:
        raise ValueError("a vote needs at least one sample")
    shown = [INVALID if sample is None else answer_text(sample) for sample in samples]
    tally = dict(Counter(shown).most_common())
    read = [sample for sample in samples if sample is not None]
    if not read:
        return Vote(None, 0.0, tally, {})
    records = [sample for sample in read if isinstance(sample, Mapping)]
    if records:
        return _vote_by_field(records, len(samples), tally)
    lists = [sample for sample in read if isinstance(sample, list)]
    if lists:
        return _vote_by_label(lists, len(samples), tally, label_names)
    winner, count = Counter(map(answer_text, read)).most_common(1)[0]
    return Vote(winner, count / len(samples), tally, {})


def _vote_by_label(
    lists: Sequence[Sequence[str]], total: int, tally: dict[str, int], label_names: Sequence[str]
) -> Vote:
    """Let lists of labels vote label by label."""
    counts = Counter(name for names in lists for name in dict.fromkeys(names))
    order = dict.fromkeys((*label_names, *counts))
    answer = [name for name in order if counts[name] * 2 >= len(lists)]
    # A label that no list has is one that all of them agree about.
    agreed = [len(lists), *(max(count, len(lists) - count) for count in counts.values())]
    return Vote(answer, min(agreed) / total, tally, {})


def _vote_by_field(
    records: Sequence[Mapping[str, FieldValue]], total: int, tally: dict[str, int]
) -> Vote:
    """Let extractions vote field by field; of a value's spellings the most frequent is taken."""
    answer: dict[str, FieldValue] = {}
    shares: dict[str, float] = {}
    for name in records[0]:
        values = [record[name] for record in records]
        winner, count = Counter(map(value_key, values)).most_common(1)[0]
        spellings = [repr(value) for value in values if value_key(value) == winner]
        spelling = Counter(spellings).most_common(1)[0][0]
        answer[name] = next(value for value in values if repr(value) == spelling)
        shares[name] = count / total
    return Vote(answer, min(shares.values(), default=0.0), tally, shares)
