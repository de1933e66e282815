"""Labels that are probably wrong, found by confident learning.

A simple model (linear, on words or characters) is trained five times on four fifths of the examples
and asked about the rest. A label is doubted where the model is surer of another one than it is on
average of the examples that have that one. Source: Northcutt, Jiang and Chuang 2021, "Confident
Learning: Estimating Uncertainty in Dataset Labels", https://arxiv.org/abs/1911.00068
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.convert_dataset.checks import Check, Facts, Finding
from functions.convert_dataset.checks.wording import number_of, quoted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENOUGH = 100
ENOUGH_OF_A_LABEL = 5

_FOLDS = 5
_MAX_EXAMPLES = 10_000
_MAX_CHARACTERS = 3_000_000
_MAX_EXAMPLES_TIMES_LABELS = 1_000_000
_MAX_CHARACTERS_TIMES_LABELS = 100_000_000
_FEATURES = 1 << 16
"""Together these bound the work to half a minute, whatever the file holds."""

_SPACES_A_CHARACTER = 1 / 15
"""Texts with fewer spaces than this are in a script without them."""

_DOUBT = 0.1
"""A label is only doubted when the model gives it less than this share of what it gives that label
on average. On Banking77 with 5 % wrong labels, nine in ten of those named are then wrong; without
this, two in three."""


class _Labelled(NamedTuple):
    """One example with one label."""

    row: int
    text: str
    label: str


class LabelErrors(Check):
    """Labels that look wrong to a model that has learnt from the other examples."""

    name = "label-errors"
    severity = "warning"

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Give the rows whose labels are doubted, the most doubtful first."""
        import numpy as np

        if facts.task.type == "extraction" or facts.task.multi_label:
            return
        examples = _choose(facts)
        names = sorted({example.label for example in examples})
        if len(examples) < ENOUGH or len(names) < 2:  # noqa: PLR2004
            return
        numbers = {name: number for number, name in enumerate(names)}
        given = np.array([numbers[example.label] for example in examples])
        most = min(_MAX_CHARACTERS, _MAX_CHARACTERS_TIMES_LABELS // len(names)) // len(examples)
        features = _features([example.text[:most] for example in examples])
        doubted, looks_like = doubtful_labels(_probabilities(features, given), given)
        if not len(doubted):
            return
        rows = array("q", [examples[index].row for index in doubted])
        notes = {
            row: f"looks like {quoted(names[other])} rather than {quoted(names[own])}"
            for row, other, own in zip(rows, looks_like, given[doubted], strict=True)
        }
        yield Finding(
            check=self.name,
            severity=self.severity,
            count=len(rows),
            summary=f"{number_of(len(rows), 'label looks', 'labels look')} wrong to a simple model "
            f"that learnt from the other examples; it looked at {len(examples):,}",
            remedy="Read these examples with their labels, the first ones first, and correct the "
            "labels that are wrong; some will be right.",
            rows=rows,
            details=notes,
        )


def doubtful_labels(
    probabilities: "NDArray[np.float64]", given: "NDArray[np.int64]"
) -> tuple["NDArray[np.int64]", "NDArray[np.int64]"]:
    """Say which labels to doubt, and which label each of them looks like.

    Args:
        probabilities: For each example (row) the probability of each label (column), from a model
            that has not seen the example.
        given: For each example the label it has, as a column.

    Returns:
        The examples that are doubted, the most doubtful first, and a label for each. Nothing at all
        when the model is right about fewer than half of the examples: it has no say then.
    """
    import numpy as np

    examples = np.arange(len(given))
    own = probabilities[examples, given]
    if (probabilities.argmax(axis=1) == given).mean() < 0.5:  # noqa: PLR2004
        return examples[:0], given[:0]
    average = np.bincount(given, own) / np.bincount(given)
    sure = np.where(probabilities >= average, probabilities, 0.0)
    other = sure.argmax(axis=1)
    margin = sure[examples, other] - own
    doubted = np.flatnonzero((other != given) & (margin > 0) & (own < _DOUBT * average[given]))
    doubted = doubted[np.argsort(-margin[doubted], kind="stable")]
    return doubted, other[doubted]


def _choose(facts: Facts) -> list[_Labelled]:
    """Choose kept examples, in an order that does not depend on the file's."""
    sample = facts.sample
    examples = [
        _Labelled(row, text, answer)
        for row, text, answer in zip(sample.rows, sample.texts, sample.answers, strict=True)
        if facts.kept[row] and isinstance(answer, str)
    ]
    examples.sort(key=lambda example: (facts.exact[example.row], example.row))
    examples = _frequent(examples[:_MAX_EXAMPLES])
    labels = len({example.label for example in examples})
    return _frequent(examples[: _MAX_EXAMPLES_TIMES_LABELS // max(labels, 1)])


def _frequent(examples: list[_Labelled]) -> list[_Labelled]:
    """Leave out labels that are too rare to be in every fifth of the examples."""
    counts = Counter(example.label for example in examples)
    return [example for example in examples if counts[example.label] >= ENOUGH_OF_A_LABEL]


def _features(texts: Sequence[str]) -> Any:
    """Weigh the words and pairs of words of the texts; characters, where words are not separated.

    Words are hashed: a vocabulary of all pairs can take gigabytes.
    """
    import numpy as np
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

    form: dict[str, Any] = {
        "ngram_range": (1, 2),
        "n_features": _FEATURES,
        "alternate_sign": False,
        "norm": None,
        "dtype": np.float32,
    }
    spaces = sum(text.count(" ") for text in texts)
    if spaces < _SPACES_A_CHARACTER * sum(map(len, texts)):
        vectorizer = HashingVectorizer(analyzer="char", **form)
    else:
        words = r"\w+|[^\w\s]"
        vectorizer = HashingVectorizer(token_pattern=words, **form)
    return TfidfTransformer(sublinear_tf=True).fit_transform(vectorizer.transform(texts))


def _probabilities(features: Any, given: "NDArray[np.int64]") -> "NDArray[np.float64]":
    """Ask about each fifth of the examples a model trained on the others."""
    import numpy as np
    from sklearn.linear_model import SGDClassifier

    # Dealt out label by label, so that each fifth has the same share of each.
    fifth = np.empty(len(given), dtype=np.int64)
    fifth[np.argsort(given, kind="stable")] = np.arange(len(given)) % _FOLDS
    scores = np.empty((len(given), given.max() + 1))
    for number in range(_FOLDS):
        asked = fifth == number
        # A fixed number of passes: to wait for many labels to converge would take minutes, and
        # the last digits of a probability do not matter.
        model = SGDClassifier(loss="log_loss", alpha=3e-5, max_iter=8, tol=None, random_state=0)
        model.fit(features[~asked], given[~asked])
        found = model.decision_function(features[asked])
        scores[asked] = np.stack([-found, found], axis=1) if found.ndim == 1 else found
    # Logistic probabilities of each label against the rest, made to sum to 1. By logarithms,
    # because all of them can be too small for a number.
    logarithms = -np.logaddexp(0, -scores)
    shares = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
    result: NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
    return result
