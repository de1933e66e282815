"""Flips labels of public data sets, and prints how many of them the check label-errors finds.

Run it as `python -m benchmarks.label_noise`; TUNEDROP_TEST_DATA names the folder of the data sets.
One label in twenty becomes another one, at random, three times with different seeds. Copies of a
text are left out first, as convert_dataset does. What a clean file is flagged for may be right: the
labels of these data sets have errors of their own.
"""

import random
import sys
import time
from collections.abc import Sequence
from statistics import mean

from functions.convert_dataset.checks import Batch
from functions.convert_dataset.checks.label_errors import LabelErrors
from tests.data_sets import DATA_SETS, FOLDER
from tests.unit.intake_facts import facts_of

FILES = (
    "banking77/train.csv",
    "sms_spam/sms.tsv",
    "trec/TREC.train.all",
    "thucnews_titles_zh/dev.txt",
    "waimai_10k_zh/waimai_10k.csv",
)
SHARE = 0.05
SEEDS = (1, 2, 3)
MOST_ROWS = 10_000
"""So many rows are looked at in a file; more would only blur the figures."""


def flagged(texts: Sequence[str], labels: Sequence[str]) -> set[int]:
    """Return the rows whose labels the check doubts."""
    check = LabelErrors()
    check.look(Batch(range(len(texts)), texts, labels))
    return {row for found in check.findings(facts_of(texts, labels)) for row in found.rows}


def flip(labels: Sequence[str], seed: int) -> tuple[list[str], set[int]]:
    """Give one label in twenty another value; return all labels, and the rows that were changed."""
    chance = random.Random(seed)
    names = sorted(set(labels))
    rows = set(chance.sample(range(len(labels)), round(len(labels) * SHARE)))
    changed = [
        chance.choice([name for name in names if name != label]) if row in rows else label
        for row, label in enumerate(labels)
    ]
    return changed, rows


def main() -> int:
    """Print a line for each file."""
    sys.stdout.write("| file | rows | precision | recall | flagged when clean | CPU seconds |\n")
    sys.stdout.write("| --- | --- | --- | --- | --- | --- |\n")
    for data in DATA_SETS:
        if data.path not in FILES:
            continue
        pairs = {" ".join(text.split()).casefold(): (text.strip(), str(label))
                 for text, label in data.count(FOLDER / data.path)}  # fmt: skip
        rows = random.Random(0).sample(sorted(pairs.values()), min(len(pairs), MOST_ROWS))
        texts, labels = [text for text, _ in rows], [label for _, label in rows]
        start = time.process_time()
        clean = len(flagged(texts, labels))
        seconds = time.process_time() - start
        precision, recall = [], []
        for seed in SEEDS:
            changed, wrong = flip(labels, seed)
            found = flagged(texts, changed)
            precision.append(len(found & wrong) / max(1, len(found)))
            recall.append(len(found & wrong) / len(wrong))
        sys.stdout.write(
            f"| {data.path} | {len(rows):,} | {mean(precision):.2f} | {mean(recall):.2f} | "
            f"{clean} | {seconds:.1f} |\n"
        )
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
