"""What a model knows about one text, and how an answer is drawn from it.

A label, a set of labels or a record of fields: each holds scores, and gives either its best answer
or one sampled at a temperature.
"""

import json
import random
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from local.vertex.linear import Array, sigmoid

# A label, a list of labels, or fields with their values.
Answer = str | list[str] | dict[str, Any]


@dataclass(frozen=True)
class Sampling:
    """How to draw.

    Attributes:
        temperature: 0 gives the best answer.
        top_k: Only the k best alternatives take part; 0 for all.
        top_p: Only the best alternatives up to this share of probability take part.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0


class Knowledge(Protocol):
    """What a model found out about one text."""

    def draw(self, sampling: Sampling, generator: random.Random) -> Answer:
        """Draw one answer.

        Args:
            sampling: How to draw.
            generator: The source of chance.

        Returns:
            The answer.
        """
        ...


def draw_index(scores: Array, sampling: Sampling, generator: random.Random) -> int:
    """Draw one of several alternatives by their scores.

    Args:
        scores: Log-probabilities up to a constant, one an alternative.
        sampling: How to draw.
        generator: The source of chance.

    Returns:
        The alternative's position.
    """
    if sampling.temperature <= 0:
        return int(np.argmax(scores))
    scaled = np.asarray(scores, dtype=np.float64) / sampling.temperature
    shares = np.exp(scaled - scaled.max())
    shares /= shares.sum()
    ranked = np.argsort(-shares, kind="stable")
    if sampling.top_k > 0:
        ranked = ranked[: sampling.top_k]
    if sampling.top_p < 1:
        before = np.cumsum(shares[ranked]) - shares[ranked]
        ranked = ranked[before < max(sampling.top_p, 1e-9)]
    return int(generator.choices(ranked.tolist(), weights=shares[ranked].tolist())[0])


@dataclass(frozen=True)
class LabelKnowledge:
    """Scores of labels of which one is right.

    Attributes:
        labels: The labels.
        scores: Log-probabilities up to a constant, one a label.
    """

    labels: tuple[str, ...]
    scores: Array

    def draw(self, sampling: Sampling, generator: random.Random) -> str:
        """Draw one label, as `Knowledge` says."""
        return self.labels[draw_index(self.scores, sampling, generator)]


@dataclass(frozen=True)
class LabelSetKnowledge:
    """Scores of labels of which any number may be right.

    Attributes:
        labels: The labels.
        scores: Log-odds, one a label.
        never_empty: Give the best label when none is likely.
    """

    labels: tuple[str, ...]
    scores: Array
    never_empty: bool

    def draw(self, sampling: Sampling, generator: random.Random) -> list[str]:
        """Draw a set of labels, as `Knowledge` says."""
        if sampling.temperature <= 0:
            chosen = self.scores > 0
        else:
            shares = sigmoid(self.scores / np.float32(sampling.temperature))
            chosen = np.array([generator.random() < share for share in shares.tolist()])
        if self.never_empty and not chosen.any():
            return [self.labels[draw_index(self.scores, sampling, generator)]]
        return [label for label, is_in in zip(self.labels, chosen, strict=True) if is_in]


@dataclass(frozen=True)
class FieldAlternatives:
    """The values that one field may have.

    Attributes:
        values: The alternatives; None stands for an absent field.
        scores: Log-probabilities up to a constant for a single value, log-odds for a list.
        is_list: Whether the field holds any number of values.
        bare_single: Whether a list of one is written without its brackets.
    """

    values: tuple[Any, ...]
    scores: Array
    is_list: bool = False
    bare_single: bool = False

    def draw(self, sampling: Sampling, generator: random.Random) -> Any:
        """Draw the field's value.

        Args:
            sampling: How to draw.
            generator: The source of chance.

        Returns:
            One value, None for an absent field, or a list of values.
        """
        if not self.is_list:
            return self.values[draw_index(self.scores, sampling, generator)]
        if not self.values:
            return []
        chosen = LabelSetKnowledge(self.values, self.scores, never_empty=False).draw(
            sampling, generator
        )
        return chosen[0] if self.bare_single and len(chosen) == 1 else chosen


@dataclass(frozen=True)
class FieldsKnowledge:
    """What is known about each field of a record.

    Attributes:
        fields: Field names to their alternatives, in the order of the answer.
        keep_absent: Write absent fields as null rather than leave them out.
    """

    fields: dict[str, FieldAlternatives]
    keep_absent: bool = True

    def draw(self, sampling: Sampling, generator: random.Random) -> dict[str, Any]:
        """Draw a record, each field for itself, as `Knowledge` says."""
        record: dict[str, Any] = {}
        for name, alternatives in self.fields.items():
            value = alternatives.draw(sampling, generator)
            if value in (None, []):
                if self.keep_absent:
                    record[name] = value
                continue
            record[name] = value
        return record


def write_answer(answer: Answer) -> str:
    """Write an answer as training files write it.

    Args:
        answer: A label, a list of labels or a record.

    Returns:
        The label itself, or compact JSON.
    """
    if isinstance(answer, str):
        return answer
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
