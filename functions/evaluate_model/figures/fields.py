"""Figures of extracted fields, value by value: as they are written, and normalised.

A field's values are a set: their order does not matter. As written means after the parser, which
collapses white space for everybody.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.examples import Answer, FieldValue
from shared.normalise import normalise


@dataclass(frozen=True)
class FieldFigures:
    """What extracted fields came to.

    Attributes:
        metrics: Averages over all fields' values together (micro), and the share of records whose
            fields are all right once normalised.
        per_field: Field -> precision, recall, f1, each also `_normalised`, and support.
        scores: Each row's share of fields that are right, fields that are rightly empty included.
        parts: What each row counts as: (number of the field, hits, said, right).
    """

    metrics: dict[str, float]
    per_field: dict[str, dict[str, float]]
    scores: tuple[float, ...]
    parts: tuple[tuple[tuple[int, int, int, int], ...], ...]


def field_figures(
    names: Sequence[str], truths: Sequence[Answer], answers: Sequence[Answer | None]
) -> FieldFigures:
    """Compute the figures of extracted fields.

    Args:
        names: The fields.
        truths: The right values, one mapping a row.
        answers: The candidate's values; None for what is no answer.
    """
    written = [_counts(names, *pair, str) for pair in zip(truths, answers, strict=True)]
    alike = [_counts(names, *pair, normalise) for pair in zip(truths, answers, strict=True)]
    each, each_alike = _by_field(written), _by_field(alike)
    per_field = {}
    for number, name in enumerate(names):
        plain, normal = _f1(each[number]), _f1(each_alike[number])
        support = plain.pop("support")
        loose = {f"{kind}_normalised": normal[kind] for kind in plain}
        per_field[name] = {**plain, **loose, "support": support}
    total, total_alike = _f1(_sum(each.values())), _f1(_sum(each_alike.values()))
    whole = [
        answer is not None and all(hits == said == right for _, hits, said, right in row)
        for answer, row in zip(answers, alike, strict=True)
    ]
    scores = tuple(
        0.0 if answer is None else (len(names) - sum(map(_is_wrong, row))) / len(names)
        for answer, row in zip(answers, written, strict=True)
    )
    metrics = {
        "field_f1": total["f1"],
        "field_precision": total["precision"],
        "field_recall": total["recall"],
        "field_f1_normalised": total_alike["f1"],
        "exact_match_normalised": sum(whole) / len(whole),
    }
    return FieldFigures(metrics, per_field, scores, tuple(written))


def _counts(
    names: Sequence[str], truth: Answer, answer: Answer | None, key: Callable[[str], str]
) -> tuple[tuple[int, int, int, int], ...]:
    """Count a row's hits, values said and values that are right, where there are any."""
    found = []
    for number, name in enumerate(names):
        right, said = _values(truth, name, key), _values(answer, name, key)
        if right or said:
            found.append((number, len(right & said), len(said), len(right)))
    return tuple(found)


def _values(answer: Answer | None, name: str, key: Callable[[str], str]) -> frozenset[str]:
    """Return a field's values as a set of keys; empty when there is none."""
    value: FieldValue = answer.get(name) if isinstance(answer, Mapping) else None
    if value is None:
        return frozenset()
    return frozenset(map(key, value)) if isinstance(value, list) else frozenset({key(value)})


def _is_wrong(part: tuple[int, int, int, int]) -> bool:
    _, hits, said, right = part
    return not hits == said == right


def _by_field(rows: Sequence[tuple[tuple[int, int, int, int], ...]]) -> dict[int, Counter[str]]:
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for number, hits, said, right in row:
            counts[number].update(hits=hits, said=said, right=right)
    return counts


def _sum(counts: Iterable[Counter[str]]) -> Counter[str]:
    total = Counter[str]()
    for counted in counts:
        total.update(counted)
    return total


def _f1(counted: Counter[str]) -> dict[str, float]:
    precision = counted["hits"] / counted["said"] if counted["said"] else 0.0
    recall = counted["hits"] / counted["right"] if counted["right"] else 0.0
    both = precision + recall
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / both if both else 0.0,
        "support": float(counted["right"]),
    }
