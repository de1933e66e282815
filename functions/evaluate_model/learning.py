"""Estimates from the labels at hand how much more training examples would help.

It is a learning curve across labels: those with more examples against those with fewer. It shows
that the two go together, not that one makes the other.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

MIN_LABELS = 8
MIN_SUPPORT = 3
_CHANCE = 0.05
_SPREAD = 2
MAX_NAMED = 5


@dataclass(frozen=True)
class LearningCurve:
    """How F1 goes with training examples.

    Attributes:
        gain: F1 gained with each doubling of a label's training examples.
        p_value: How likely such a slope is when there is none.
        n: How many labels it is estimated from.
        labels: The labels with the fewest examples that do worse than average.
    """

    gain: float
    p_value: float
    n: int
    labels: tuple[str, ...]


def learning_curve(
    training: Mapping[str, int], per_label: Mapping[str, Mapping[str, float]]
) -> LearningCurve | None:
    """Fit F1 against the logarithm of training examples, label by label.

    Args:
        training: Label -> training examples.
        per_label: Label -> f1 and support on validation, of a tuned model.

    Returns:
        The curve; None with too few labels, labels that are about as frequent, or no clear rise.
    """
    from scipy.stats import linregress

    known = {
        name: per_label[name]["f1"]
        for name, count in training.items()
        if count and per_label.get(name, {}).get("support", 0) >= MIN_SUPPORT
    }
    counts = [training[name] for name in known]
    if len(known) < MIN_LABELS or max(counts) < _SPREAD * min(counts):
        return None
    if len(set(known.values())) == 1:
        return None
    fit = linregress([math.log2(count) for count in counts], list(known.values()))
    if not (fit.slope > 0 and fit.pvalue < _CHANCE):
        return None
    average = sum(known.values()) / len(known)
    poor = [name for name in known if known[name] < average]
    poor.sort(key=lambda name: (training[name], name))
    return LearningCurve(float(fit.slope), float(fit.pvalue), len(known), tuple(poor[:MAX_NAMED]))
