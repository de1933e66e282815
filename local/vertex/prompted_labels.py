"""How an untuned model picks labels: by words shared with the labels and with the examples."""

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from local.vertex.answers import LabelKnowledge, LabelSetKnowledge
from local.vertex.features import grams
from local.vertex.linear import Array
from local.vertex.opinion_words import opinion_of, opinion_of_label
from local.vertex.questions import Choice, Question

_SHARPNESS = 14.0
_OPINION_WEIGHT = 0.14
_EXAMPLE_WEIGHT = 1.2
_NEIGHBOURS = 5
_LABEL_SET_THRESHOLD = 0.12
_ENDINGS = re.compile(r"(?:ing|edly|ed|es|s|ly|er|est)$")
_SHORTEST_STEM = 3

Vector = dict[str, float]


def know_labels(question: Question) -> LabelKnowledge | LabelSetKnowledge:
    """Score the labels that a prompt offers.

    Args:
        question: A question for a label or a list of labels, with at least one choice.

    Returns:
        The labels and their scores.
    """
    names = tuple(choice.name for choice in question.choices)
    scores = _by_description(question.choices, question.text)
    scores += _by_opinion(names, question.text)
    if question.examples:
        scores += _EXAMPLE_WEIGHT * _by_examples(names, question)
    if question.kind == "labels":
        odds = (scores - np.float32(_LABEL_SET_THRESHOLD)) * np.float32(_SHARPNESS)
        return LabelSetKnowledge(names, odds, never_empty=True)
    return LabelKnowledge(names, scores * np.float32(_SHARPNESS))


def _terms(text: str) -> Counter[str]:
    """Count a text's n-grams, with words cut to rough stems."""
    terms: Counter[str] = Counter()
    for gram in grams(re.sub(r"[_\-/]+", " ", text)):
        if gram.startswith("w "):
            stem = _ENDINGS.sub("", gram)
            terms[stem if len(stem) >= _SHORTEST_STEM + 2 else gram] += 3
        elif not gram.startswith(("b ", "#")):
            terms[gram] += 1
    return terms


def _weighted(terms: Counter[str], rarity: dict[str, float], otherwise: float) -> Vector:
    vector = {term: math.sqrt(count) * rarity.get(term, otherwise) for term, count in terms.items()}
    norm = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
    return {term: weight / norm for term, weight in vector.items()}


def _rarity(documents: Sequence[Counter[str]]) -> dict[str, float]:
    frequency = Counter(term for document in documents for term in document)
    return {term: math.log((1 + len(documents)) / count) for term, count in frequency.items()}


def _dot(left: Vector, right: Vector) -> float:
    small, large = (left, right) if len(left) < len(right) else (right, left)
    return sum(weight * large[term] for term, weight in small.items() if term in large)


@lru_cache(maxsize=64)
def _label_vectors(choices: tuple[Choice, ...]) -> tuple[dict[str, float], tuple[Vector, ...]]:
    documents = []
    for choice in choices:
        terms = _terms(choice.name)
        # The name says more than the description.
        documents.append(terms + terms + _terms(choice.description))
    rarity = _rarity(documents)
    return rarity, tuple(_weighted(document, rarity, 0.0) for document in documents)


def _by_description(choices: tuple[Choice, ...], text: str) -> Array:
    rarity, vectors = _label_vectors(choices)
    known = Counter({term: n for term, n in _terms(text).items() if term in rarity})
    asked = _weighted(known, rarity, 0.0)
    return np.array([_dot(vector, asked) for vector in vectors], dtype=np.float32)


def _by_opinion(names: tuple[str, ...], text: str) -> Array:
    opinions = [opinion_of_label(name) for name in names]
    known = [value for value in opinions if value is not None]
    if len(set(known)) < 2:  # noqa: PLR2004 - one opinion alone decides nothing
        return np.zeros(len(names), dtype=np.float32)
    extent = max(abs(value) for value in known)
    felt = opinion_of(text) * extent / 2
    return np.array(
        [
            -_OPINION_WEIGHT * abs(felt - value) if value is not None else -_OPINION_WEIGHT
            for value in opinions
        ],
        dtype=np.float32,
    )


_terms_of_example = lru_cache(maxsize=4096)(_terms)


def _by_examples(names: tuple[str, ...], question: Question) -> Array:
    """Score labels by the examples that resemble the text most."""
    documents = [_terms_of_example(user) for user, _ in question.examples]
    asked_terms = _terms(question.text)
    rarity = _rarity([*documents, asked_terms])
    asked = _weighted(asked_terms, rarity, 0.0)
    likeness = [_dot(_weighted(document, rarity, 0.0), asked) for document in documents]
    nearest = sorted(range(len(likeness)), key=lambda index: -likeness[index])[:_NEIGHBOURS]
    # What all examples share with the text says nothing about its label.
    usual = sum(likeness) / len(likeness)
    scores = np.zeros(len(names), dtype=np.float32)
    position = {name: index for index, name in enumerate(names)}
    for index in nearest:
        for label in _labels_of(question.examples[index][1], many=question.kind == "labels"):
            if label in position:
                scores[position[label]] += max(likeness[index] - usual, 0.0)
    return scores


def _labels_of(answer: str, *, many: bool) -> list[str]:
    last = answer.rsplit("Answer:", 1)[-1].strip()
    if not many:
        return [last]
    try:
        labels = json.loads(last)
    except ValueError:
        # An example whose answer is not in the asked form teaches nothing.
        return []
    return [str(label) for label in labels] if isinstance(labels, list) else []
