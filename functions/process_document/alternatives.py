"""What else the samples said: the runners-up, and the tally as it is shown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shared.answers import answer_text
from shared.examples import Answer
from shared.normalise import value_key
from shared.records import Alternative

MOST = 3
"""So many runners-up are shown."""

MAX_CHARACTERS = 300
"""What a model said is untrusted, and can be long: it is shortened where it is listed."""


def runners_up(
    answer: Answer | None, parts: Sequence[Sequence[Answer | None]]
) -> tuple[Alternative, ...]:
    """Find what was said most often of what is not in the answer.

    For one label these are other labels; for several labels, labels that are not in the answer; for
    fields, other values of a field, in the spelling that came first. That a field is not given is
    an alternative only to a text that was asked about whole: of several parts, most do not give it.

    Args:
        answer: The answer; without one there are no alternatives.
        parts: For each part of the text the parsed samples.

    Returns:
        At most MOST of them, with their shares of all samples, the largest first and of equal ones
        the one that was said first.
    """
    if answer is None:
        return ()
    samples = [sample for part in parts for sample in part]
    said = [item for sample in samples if sample is not None for item in _said(sample)]
    counts = Counter((item.field, item.key) for item in said)
    spelt = {(item.field, item.key): item.text for item in reversed(said)}
    chosen = {(item.field, item.key) for item in _said(answer)}
    others = [
        (field, spelt[field, key], count)
        for (field, key), count in counts.most_common()
        if (field, key) not in chosen and (key or len(parts) == 1)
    ]
    return tuple(
        Alternative(
            answer=None if text is None else shortened(text),
            share=count / len(samples),
            field=field,
        )
        for field, text, count in others[:MOST]
    )


def shown_tally(tally: Mapping[str, int]) -> dict[str, int]:
    """Shorten the answers of a tally; those that then look the same are counted together."""
    shown: Counter[str] = Counter()
    for text, count in tally.items():
        shown[shortened(text)] += count
    return dict(shown)


def shortened(text: str) -> str:
    """Cut what a model said to what is listed of it."""
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…"


class _Said(NamedTuple):
    """What can be an alternative by itself: a label, or a field's value."""

    field: str
    key: tuple[str, ...]
    text: str | None


def _said(answer: Answer) -> list[_Said]:
    """Take an answer apart."""
    if isinstance(answer, Mapping):
        return [
            _Said(name, value_key(value), None if value is None else answer_text(value))
            for name, value in answer.items()
        ]
    return [_Said("", (name,), name) for name in ([answer] if isinstance(answer, str) else answer)]
