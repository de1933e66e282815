"""Too few examples to tune with."""

import math
from collections.abc import Iterator

from functions.convert_dataset.checks import Check, Facts, Finding
from functions.convert_dataset.checks.wording import number_of
from functions.convert_dataset.splits import NONE, TRAIN
from shared.examples import ENOUGH_FOR_TUNING


class FewExamples(Check):
    """Fewer training examples than Google advises for tuning."""

    name = "few-examples"
    severity = "warning"
    counts_splits = True

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Count what is left for training, and say how many rows more it takes."""
        train = int((facts.splits == TRAIN).sum())
        if train >= ENOUGH_FOR_TUNING:
            return
        whole = int((facts.splits != NONE).sum())
        split = facts.task.split
        share = train / whole if train else 1 - split.validation - split.test
        lacking = math.ceil((ENOUGH_FOR_TUNING - train) / share)
        tuned = facts.task.tuning.when == "always"
        yield Finding(
            check=self.name,
            severity=self.severity,
            count=train,
            summary=f"{number_of(train, 'example is', 'examples are')} left for training; Google "
            f"advises {ENOUGH_FOR_TUNING} and more for tuning"
            + ("" if tuned else ", and with fewer nothing is tuned by itself"),
            remedy=f"About {number_of(lacking, 'more row', 'more rows')} would do; or prompt: with "
            "so few, a few-shot prompt often does as well as a tuned model.",
            droppable=False,
        )
