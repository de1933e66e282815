"""How figures and times are written."""

import json
from dataclasses import dataclass

from shared.records import Mistake

HEADLINES = {
    "promote_tuned": "Serve the tuned model",
    "keep_prompting": "Keep prompting",
    "not_enough_data": "Not enough data to tell",
    "below_target": "Below target: nothing is good enough yet",
}

METRICS = {
    "exact_match": "exact match",
    "service_exact_match": "exact match by the evaluation service",
    "valid_share": "valid answers",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "weighted_f1": "weighted F1",
    "field_f1": "field F1",
}

NO_SHARES = ("kappa", "error", "mae")
"""Words in the names of metrics that are not shares of something."""

STEPS = {
    "label_noise": "label noise",
    "too_little_data": "too little data",
    "unclear_instruction": "unclear instruction",
    "rare_label": "rare label",
    "none": "",
}

LINKS = {
    "label_noise": "Rows that look wrong, in the data report",
    "too_little_data": "The task's other datasets and runs",
}

LONGEST_EXCERPT = 600
LEAST_P = 0.0001
LONG_SECONDS = 10


def metric_name(metric: str) -> str:
    """Write a metric's name for people."""
    return METRICS.get(metric, metric.replace("_", " "))


def percent(value: float) -> str:
    """Write a share: 0.9412 as 94.1 %."""
    return f"{100 * value:.1f}\u00a0%"


def hundredths(value: float) -> str:
    """Write a share in percent without the sign, where a heading or a neighbour has it."""
    return f"{100 * value:.1f}"


def whole(value: float) -> str:
    """Write a share as a mark on an axis: 0.9 as 90, 0.125 as 12.5."""
    return f"{round(100 * value, 1):g}"


def whole_points(value: float) -> str:
    """Write a difference as a mark on an axis."""
    return f"{round(100 * value, 1):+g}".replace("-", "\u2212") if value else "0"


def metric_value(metric: str, value: float) -> str:
    """Write a metric's value: a share in percent, anything else as a number."""
    if any(word in metric for word in NO_SHARES):
        return f"{value:.3f}".replace("-", "\u2212")
    return percent(value)


def points(value: float) -> str:
    """Write a difference of shares: 0.2549 as +25.5."""
    return f"{100 * value:+.1f}".replace("-", "\u2212")


def p_value(value: float) -> str:
    """Write how likely chance is."""
    said = f"p < {LEAST_P}" if value < LEAST_P else f"p = {value:.2g}"
    return said.replace(" ", "\u00a0")


def usd(value: float) -> str:
    """Write US dollars; of less than a dollar, what is needed to tell prices apart."""
    return f"${value:,.2f}" if value >= 1 or value == 0 else f"${value:.3g}"


def seconds(value: float) -> str:
    """Write a time."""
    return f"{value:.2f}\u00a0s" if value < LONG_SECONDS else f"{value:.0f}\u00a0s"


def excerpt(text: str) -> str:
    """Cut a long text, and show that."""
    return text if len(text) <= LONGEST_EXCERPT else f"{text[:LONGEST_EXCERPT]}…"


@dataclass(frozen=True)
class WrongField:
    """A field that a candidate got wrong."""

    name: str
    truth: str
    answer: str


def wrong_fields(mistake: Mistake) -> list[WrongField]:
    """List the fields whose values differ, as sets; none when the answers are not JSON objects."""
    truth, answer = _fields(mistake.truth), _fields(mistake.answer)
    if not truth or not answer:
        return []
    return [
        WrongField(name, _value(truth.get(name)), _value(answer.get(name)))
        for name in dict.fromkeys((*truth, *answer))
        if _values(truth.get(name)) != _values(answer.get(name))
    ]


def _fields(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _values(value: object) -> set[str]:
    items = value if isinstance(value, list) else [value]
    return {str(item) for item in items if item is not None}


def _value(value: object) -> str:
    """Write a field's value; nothing for a field that is empty."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value)
