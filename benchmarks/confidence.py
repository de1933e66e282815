"""Measures how far confidences can be trusted, and how many samples they take.

Run it as `python -m benchmarks.confidence`; it writes docs/confidence.md and docs/confidence.svg.
The data is read from TUNEDROP_TEST_DATA. The models are the local stand-in's, tuned on the training
rows, so the figures are about the arithmetic of voting and calibrating, and not about Gemini.
"""

import argparse
import csv
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.confidence_page import write_page
from benchmarks.confidence_tables import Answered, DataFigures, figures_of
from benchmarks.stand_in import StandIn
from local.vertex.features import FeatureCache
from local.vertex.linear import HyperParameters
from local.vertex.tuned import train
from local.vertex.tuning_data import TuningExample
from shared.answers import parse_answer
from shared.candidates import sampling_of
from shared.examples import Answer
from shared.ports import Sampling
from shared.prompts import system_instruction, tuned_prompt
from shared.rating import rate
from shared.records import Candidate
from shared.stopping import MOST_SAMPLES, counted
from shared.task import Serving, Task
from shared.voting import vote
from tests.data_sets import FOLDER

VALIDATION_ROWS = 300
"""As many as evaluation.max_rows is, so that calibrations are fitted on as many as usually."""

TEST_ROWS = 1000
TUNED = HyperParameters(epoch_count=8, learning_rate_multiplier=1.0, adapter_size=4)
SERVING = Serving()
CANDIDATE = Candidate(name="tuned", kind="tuned", model="tuned", base_model="stand-in")

Rows = list[tuple[str, str]]


@dataclass(frozen=True)
class Data:
    """A data set's rows: (text, label)."""

    name: str
    kind: str
    train: Rows
    held_out: Rows


def banking77() -> Data:
    """Read Banking77: what bank customers want, with 77 labels."""
    train_rows, test = (_table(f"banking77/{name}.csv", "text", "category") for name in _SPLITS)
    return Data("Banking77", "classification", train_rows, test)


def waimai() -> Data:
    """Read waimai: whether Chinese reviews of food deliveries are good."""
    rows = _table("waimai_10k_zh/waimai_10k.csv", "review", "label")
    random.Random(1).shuffle(rows)
    return Data("waimai", "sentiment", rows[2500:], rows[:2500])


def sst5() -> Data:
    """Read sst5: sentences from film reviews, from 1 to 5."""
    train_rows, test = (_fasttext(f"sst5/sst_{name}.txt") for name in _SPLITS)
    return Data("sst5", "sentiment", train_rows, test)


_SPLITS = ("train", "test")
DATA: Sequence[Callable[[], Data]] = (banking77, waimai, sst5)


def _table(path: str, text: str, label: str) -> Rows:
    with (FOLDER / path).open(encoding="utf-8-sig", newline="") as file:
        return [(row[text], row[label]) for row in csv.DictReader(file)]


def _fasttext(path: str) -> Rows:
    lines = (FOLDER / path).read_text(encoding="utf-8").splitlines()
    split = [line.split(maxsplit=1) for line in lines if line.strip()]
    return [(text, label.removeprefix("__label__")) for label, text in split]


def measure(data: Data, validation: int, test: int) -> DataFigures:
    """Tune a model, have it answer the held-out rows, and compute everything about one data set."""
    labels = sorted({label for _, label in data.train})
    task = Task.model_validate({"type": data.kind, "labels": labels})
    instruction = system_instruction(task)
    examples = [TuningExample(instruction, (("user", x), ("model", y))) for x, y in data.train]
    generator = StandIn(train("stand-in", examples, TUNED, FeatureCache()))
    rows = list(data.held_out)
    random.Random(2).shuffle(rows)
    answered = [_ask(generator, task, *row) for row in rows[: validation + test]]
    return figures_of(data.name, answered[:validation], answered[validation:])


def _ask(generator: StandIn, task: Task, text: str, truth: str) -> Answered:
    """Ask about one row as process_document does, for as many samples as there can be."""
    prompt = tuned_prompt(task, text)
    asked = sampling_of(SERVING.model_copy(update={"samples": MOST_SAMPLES}), text)
    samples = _parsed(task, generator.generate("", prompt, asked).texts)
    (single,) = _parsed(task, generator.generate("", prompt, Sampling()).texts)
    served = vote(counted(samples[: SERVING.samples], SERVING.stop_at, SERVING.samples)).answer
    rated = task.type == "sentiment" and served is not None
    rating = rate(generator, CANDIDATE, task, text, served)[0] if rated and served else ""
    return Answered(truth, samples, single, rating)


def _parsed(task: Task, texts: Sequence[str]) -> list[Answer | None]:
    return [parse_answer(task, text) for text in texts]


def main() -> int:
    """Measure each data set, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.confidence")
    parser.add_argument("--validation", type=int, default=VALIDATION_ROWS)
    parser.add_argument("--test", type=int, default=TEST_ROWS)
    parser.add_argument("--out", type=Path, default=Path("docs"), help="the folder of the page")
    options = parser.parse_args()
    found = []
    for read in DATA:
        sys.stderr.write(f"{read.__name__} …\n")
        found.append(measure(read(), options.validation, options.test))
    sys.stdout.write(write_page(options.out, found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
