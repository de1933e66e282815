"""A tuned model: which kind of answers its examples gave decides what is trained."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import joblib

from local.vertex.answers import Knowledge
from local.vertex.classifier import LabelModel, train_labels
from local.vertex.extraction_training import train_fields
from local.vertex.extractor import FieldModel
from local.vertex.features import FeatureCache
from local.vertex.linear import HyperParameters, Training
from local.vertex.tuning_data import DatasetError, TuningExample

Kind = Literal["label", "labels", "fields"]

# A classifier over more labels than this would be free text in disguise.
_MOST_LABELS = 2_000


@dataclass(frozen=True)
class TunedModel:
    """A trained model and where it came from.

    Attributes:
        name: The base model's name.
        kind: What it answers with: a label, a list of labels or fields.
        learner: The trained classifier or extractor.
    """

    name: str
    kind: Kind
    learner: LabelModel | FieldModel

    def know(self, text: str, checkpoint: int = -1) -> Knowledge:
        """Find out about one text.

        Args:
            text: What the user said.
            checkpoint: Which epoch's weights to use, counted from zero; the last by default.

        Returns:
            What answers can be drawn from.
        """
        return self.learner.know(text, checkpoint)

    def save(self, path: Path) -> None:
        """Write the model to a file, whole or not at all.

        Args:
            path: The file.
        """
        unfinished = path.with_suffix(".unfinished")
        joblib.dump(self, unfinished)
        unfinished.replace(path)

    @staticmethod
    def load(path: Path) -> "TunedModel":
        """Read a model that `save` wrote; never read one from elsewhere.

        Args:
            path: The file.

        Returns:
            The model.
        """
        model = joblib.load(path)
        if not isinstance(model, TunedModel):
            raise TypeError(f"{path} does not hold a tuned model")
        return model


def kind_of(answers: Sequence[str]) -> Kind:
    """Tell from the answers what is to be learnt.

    Args:
        answers: What the model is to say to each example.

    Returns:
        The kind: fields when all are JSON objects, labels when all are JSON arrays of strings.
    """
    parsed = [_parse(answer) for answer in answers]
    if all(isinstance(value, dict) for value in parsed):
        return "fields"
    if all(
        isinstance(value, list) and all(isinstance(item, str) for item in value) for value in parsed
    ):
        return "labels"
    return "label"


def _parse(answer: str) -> Any:
    if not answer.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(answer)
    except ValueError:
        # An answer that is no JSON is a label.
        return None


def train(
    base_model: str,
    examples: Sequence[TuningExample],
    hyper_parameters: HyperParameters,
    cache: FeatureCache,
    stop: Callable[[], bool] = lambda: False,
) -> TunedModel:
    """Train a model on tuning examples; the same examples give the same model.

    Args:
        base_model: The base model's name.
        examples: The training examples.
        hyper_parameters: What the job asked for.
        cache: Keeps the features of recent datasets.
        stop: Asked after every epoch; training ends early when it says true.

    Returns:
        The trained model.

    Raises:
        DatasetError: The answers are neither labels, lists of labels nor records.
    """
    texts = [example.text for example in examples]
    answers = [example.answer for example in examples]
    kind = kind_of(answers)
    digest = hashlib.sha256("\0".join((*texts, *answers)).encode("utf-8", "surrogatepass"))
    seed = int.from_bytes(digest.digest()[:4], "big")
    training = Training(hyper_parameters, seed, stop)
    if kind == "fields":
        records = [json.loads(answer) for answer in answers]
        if not any(records):
            raise DatasetError("no example names a field")
        return TunedModel(base_model, kind, train_fields(texts, records, training, cache))
    rows = [json.loads(answer) if kind == "labels" else [answer] for answer in answers]
    labels = {label for row in rows for label in row}
    if not 1 <= len(labels) <= _MOST_LABELS:
        raise DatasetError(
            f"{len(labels)} different labels; the stand-in learns 1 to {_MOST_LABELS}, "
            "or JSON records, and no free text"
        )
    many = kind == "labels"
    learner = train_labels(texts, rows, many=many, training=training, cache=cache)
    return TunedModel(base_model, kind, learner)
