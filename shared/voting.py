"""Self-consistency: sample several answers, and let the majority decide.

Gemini gives no confidence; the share of the majority stands for it (Wang et al. 2023,
"Self-Consistency Improves Chain of Thought Reasoning in Language Models").
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.answers import answer_text
from shared.examples import Answer, FieldValue

INVALID = "(not an answer)"
"""How samples that could not be read are shown in a tally."""


@dataclass(frozen=True)
class Vote:
    """What a vote came to.

    Attributes:
        answer: The winner; None when no sample could be read.
        confidence: Share of all samples that agree with the winner, 0 to 1. For an extraction,
            the lowest of the fields' shares: a record is as sure as its weakest field.
        tally: How often each answer was given, most frequent first.
        field_confidences: For an extraction, each field's own share.
    """

    answer: Answer | None
    confidence: float
    tally: dict[str, int]
    field_confidences: dict[str, float]


def vote(samples: Sequence[Answer | None]) -> Vote:
    """Let the samples vote.

    Ties go to the answer that was given first, which keeps the result the same on every run.

    Args:
        samples: The parsed samples; None for one that is not an answer. It still counts in the
            denominator: a model that rambles half of the time is not to be trusted.

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
    by_text = {answer_text(sample): sample for sample in reversed(read)}
    winner, count = Counter(map(answer_text, read)).most_common(1)[0]
    return Vote(by_text[winner], count / len(samples), tally, {})


def _vote_by_field(
    records: Sequence[Mapping[str, FieldValue]], total: int, tally: dict[str, int]
) -> Vote:
    """Let extractions vote field by field."""
    answer: dict[str, FieldValue] = {}
    shares: dict[str, float] = {}
    for name in records[0]:
        keys = [repr(record[name]) for record in records]
        winner, count = Counter(keys).most_common(1)[0]
        answer[name] = records[keys.index(winner)][name]
        shares[name] = count / total
    return Vote(answer, min(shares.values(), default=0.0), tally, shares)
