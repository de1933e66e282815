"""Measures what converting a CSV file costs, and writes docs/conversion.md.

Run it as `make bench`, or as `python -m benchmarks.conversion [--rows 1000000]`. It makes its
input: texts with line breaks in quotes and some Chinese, 20 labels. Each way runs in a process of
its own and is measured in CPU seconds; times on one machine say little about another, so each is
divided by the floor of the same run: to parse, strip, hash and deduplicate without any output.
"""

import argparse
import csv
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

from docs.generators.markdown import fenced, page, paragraph, table
from local.table import ROOT
from shared.records import TaskRecord
from shared.task import Split, Task

ROWS = 1_000_000
MEMORY_ROWS = (100_000, 1_000_000, 3_000_000)
PAGE = ROOT / "docs" / "conversion.md"
COMMAND = "make bench"
MIB = 1 << 20


def generate(path: Path, rows: int, size: int = 36) -> None:
    """Write a CSV file of about 230 bytes a row; a text has `size` words."""
    chance = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 9))) for _ in range(5000)]
    characters = [chr(chance.randint(0x4E00, 0x9FA5)) for _ in range(3000)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for number in range(rows):
            text = "".join(chance.choices(characters, k=2 * size))
            if number % 10:
                text = " ".join(chance.choices(words, k=size))
            if number % 20 == 1:
                text = text.replace(" ", "\n", 1)
            writer.writerow([text, f"label_{chance.randrange(20)}"])


def floor(path: Path, out: Path) -> int:  # noqa: ARG001 - every way has the same arguments
    """Parse, strip, hash and deduplicate, without any output."""
    seen: set[bytes] = set()
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, strict=True)
        next(rows)
        for text, _ in rows:
            seen.add(blake2b(text.strip().encode(), digest_size=8).digest())
    return len(seen)


def whole_objects(path: Path, out: Path) -> int:
    """What one writes first: one pass, a dictionary a row, json.dumps, three files."""
    seen: set[bytes] = set()
    files = [(out / f"{name}.jsonl").open("w", encoding="utf-8") for name in "abc"]
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            text = row["text"].strip()
            digest = blake2b(text.encode(), digest_size=8).digest()
            if digest in seen:
                continue
            seen.add(digest)
            files[_third(digest)].write(json.dumps(_line(text, row["label"])) + "\n")
    for opened in files:
        opened.close()
    return len(seen)


def pandas_way(path: Path, out: Path) -> int:
    """What notebooks do: read_csv, drop_duplicates, apply, to_json."""
    import pandas as pd

    frame = pd.read_csv(path)
    frame["text"] = frame["text"].str.strip()
    frame = frame.drop_duplicates("text")
    frame["line"] = frame.apply(lambda row: _line(row["text"], row["label"]), axis=1)
    frame = frame.sample(frac=1, random_state=1)
    cuts = [0, int(len(frame) * 0.65), int(len(frame) * 0.8), len(frame)]
    for number in range(3):
        lines = frame["line"].iloc[cuts[number] : cuts[number + 1]]
        lines.to_frame().to_json(out / f"{number}.jsonl", orient="records", lines=True)
    return len(frame)


def ours(path: Path, out: Path) -> int:
    """The function's code, with all linear checks and the sampled ones."""
    return _convert(path, out, linear_only=False)


def ours_linear(path: Path, out: Path) -> int:
    """The function's code, with the linear checks only."""
    return _convert(path, out, linear_only=True)


def ours_by_size(path: Path, out: Path) -> int:
    """The function's code, with so few training rows that three million fit into 1 GB of lines."""
    return _convert(path, out, linear_only=False, split=Split(test=0.4, validation=0.02))


def _convert(path: Path, out: Path, *, linear_only: bool, split: Split | None = None) -> int:
    from functions.convert_dataset.convert import convert
    from local.folder_bucket import FolderBucket
    from shared.events import ObjectArrived
    from shared.ports import Buckets, World
    from shared.settings import Settings

    class Silent:
        def publish(self, topic: str, message: object) -> None:  # noqa: ARG002
            raise AssertionError("a conversion publishes nothing by itself")

    datasets = FolderBucket("datasets", path.parent.parent)
    artifacts = FolderBucket("artifacts", out)
    buckets = Buckets(
        datasets, FolderBucket("documents", out), FolderBucket("results", out), artifacts
    )
    settings = Settings(
        "local", "local", "us-central1", "datasets", "documents", "results", "artifacts"
    )
    world = World(settings, buckets, Silent(), lambda: datetime.now(UTC))
    name = f"{path.parent.name}/{path.name}"
    found = datasets.find(name)
    assert found is not None
    if linear_only:
        _use_linear_checks_only()
    task = Task(type="classification", split=split) if split else None
    declared = None
    if task is not None:
        declared = TaskRecord(name="task", task=task, source="task.yaml", source_generation=1)
    record = convert(ObjectArrived("datasets", name, found.generation), world, declared)
    assert record is not None
    return sum(record.counts.values())


def _use_linear_checks_only() -> None:
    """Empty the sample, so that what looks at it finds nothing to do."""
    from functions.convert_dataset import sample

    sample.SAMPLE_ROWS = 0


def _third(digest: bytes) -> int:
    return 0 if digest[0] < 166 else 1 if digest[0] < 205 else 2


def _line(text: str, label: str) -> dict[str, object]:
    return {
        "systemInstruction": {"role": "system", "parts": [{"text": "Name the label."}]},
        "contents": [
            {"role": "user", "parts": [{"text": text}]},
            {"role": "model", "parts": [{"text": label}]},
        ],
    }


WAYS: dict[str, Callable[[Path, Path], int]] = {
    "floor": floor,
    "whole_objects": whole_objects,
    "pandas_way": pandas_way,
    "ours_linear": ours_linear,
    "ours": ours,
}
BY_SIZE = {"ours_by_size": ours_by_size}


@dataclass(frozen=True)
class Figures:
    """What one way took: CPU seconds, and peak memory in bytes above that of the interpreter."""

    seconds: float
    memory: int
    examples: int


def measure(way: str, path: Path) -> Figures:
    """Run one way in a process of its own."""
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.conversion", "--way", way,
             "--input", str(path), "--out", out],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{way}: {done.stderr[-2000:]}")
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def run_one(way: str, path: Path, out: Path) -> None:
    """Run one way here, and print its figures."""
    before = _peak()
    start = time.process_time()
    examples = (WAYS | BY_SIZE)[way](path, out)
    seconds = time.process_time() - start
    sys.stdout.write(
        json.dumps({"seconds": seconds, "memory": _peak() - before, "examples": examples}) + "\n"
    )


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> int:
    """Measure everything, print it, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conversion")
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of the input")
    parser.add_argument("--way", choices=[*WAYS, *BY_SIZE], help=argparse.SUPPRESS)
    parser.add_argument("--input", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--no-page", action="store_true", help="print only")
    options = parser.parse_args()
    if options.way:
        run_one(options.way, options.input, options.out)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        text = _report(Path(folder), options.rows)
    sys.stdout.write(text)
    if not options.no_page:
        PAGE.write_text(text, encoding="utf-8")
    return 0


def _report(folder: Path, rows: int) -> str:
    """Measure, and write the page's text."""
    path = folder / "task" / "texts.csv"
    path.parent.mkdir()
    generate(path, rows)
    size = path.stat().st_size
    figures: dict[str, Figures] = {}
    for way in WAYS:
        sys.stderr.write(f"{way} …\n")
        figures[way] = measure(way, path)
    ground = figures["floor"].seconds
    ways = [
        [f"{(WAYS[way].__doc__ or way).partition(chr(10))[0]}", f"{found.seconds / ground:.2f}",
         f"{found.memory / MIB:,.0f}"]
        for way, found in figures.items()
    ]  # fmt: skip
    growth = []
    for count in (item for item in MEMORY_ROWS if item <= 3 * rows):
        generate(path, count, size=8)
        sys.stderr.write(f"memory at {count:,} rows …\n")
        found = measure("ours_by_size", path)
        growth.append([f"{count:,}", f"{path.stat().st_size / 1e6:,.0f}",
                       f"{found.memory / MIB:,.0f}"])  # fmt: skip
    python, cores = platform.python_version(), os.cpu_count()
    return page(
        "Conversion",
        paragraph(
            f"Written by `{COMMAND}` on Python {python} with {cores} cores. The input is a "
            f"generated CSV file of {rows:,} rows and {size / 1e6:,.0f} MB, with line breaks in "
            "texts and one row in ten in Chinese. CPU is relative to the floor of the same run; "
            "memory is the peak above that of the interpreter with the benchmark's own imports."
        ),
        table(["Way", "CPU, floor = 1", "Peak memory, MiB"], ways),
        paragraph(
            "Memory of the function's code, all checks on, by size of the input. Texts are shorter "
            "here, and more of them are for test: else the training lines of three million rows "
            "would be more than the 1 GB that Gemini is tuned with, and the file be rejected."
        ),
        table(["Rows", "MB", "Peak memory, MiB"], growth),
        fenced("sh", COMMAND),
    )


if __name__ == "__main__":
    sys.exit(main())
