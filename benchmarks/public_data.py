"""Runs public data sets the whole way, and writes their verdicts into docs/evaluation.md.

Usage: python -m benchmarks.public_data [NAME …]; the data is read from TUNEDROP_TEST_DATA. Each is
given to `python -m local run`, so the models are the local stand-in's and not Gemini's. With names,
only those are run, and printed.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from docs.generators.markdown import fenced, page, paragraph, table
from shared.records import Figure, VerdictRecord
from tests.data_sets import DATA_SETS, FOLDER

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "evaluation.md"
TASKS: Mapping[str, tuple[str, str]] = {
    "banking77/train.csv": ("Banking77", "type: classification\ntuning:\n  budget_usd: 200\n"),
    "trec/TREC.train.all": ("TREC", ""),
    "sms_spam/sms.tsv": ("SMS spam", ""),
    "waimai_10k_zh/waimai_10k.csv": ("waimai", ""),
    "sst5/sst_train.txt": ("sst5", "type: sentiment\nordered: true\nlabels: [1, 2, 3, 4, 5]\n"),
    "goemotions/train.tsv": (
        "GoEmotions",
        "type: classification\nmulti_label: true\ntuning:\n  budget_usd: 200\n",
    ),
    "sroie_keys": ("SROIE", ""),
    "wnut17/wnut17train.conll": ("WNUT17", ""),
}
"""The file, its name in the table, and its task.yaml where it wants one that the data set lacks."""


def main() -> int:
    """Run what was asked for, one after the other."""
    wanted = {name.casefold() for name in sys.argv[1:]}
    failed = 0
    figures: list[list[str]] = []
    verdicts: list[list[str]] = []
    for data_set in DATA_SETS:
        name, task = TASKS.get(data_set.path, ("", ""))
        if not name or (wanted and name.casefold() not in wanted):
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            verdict = _run(
                Path(folder),
                data_set.content(FOLDER / data_set.path),
                data_set.path,
                task or data_set.task,
            )
        if verdict is None:
            failed += 1
            continue
        figures += [_row(name, verdict.metric, figure) for figure in verdict.figures]
        verdicts.append([name, verdict.decision, verdict.reason])
        minutes = (time.monotonic() - began) / 60
        print(f"{name}: {verdict.decision}, {minutes:.1f} minutes", file=sys.stderr, flush=True)
    text = _page(verdicts, figures)
    print(text)
    if not wanted and not failed:
        PAGE.write_text(text, encoding="utf-8")
    return 1 if failed else 0


def _page(verdicts: list[list[str]], figures: list[list[str]]) -> str:
    return page(
        "<!-- Written by `python -m benchmarks.public_data`. -->",
        "# Verdicts on public data",
        paragraph(
            "Eight public data sets, each given to `python -m local run` as it is and followed to "
            "its verdict. The answers are those of the local stand-in, which learns by simple "
            "means, and not of Gemini: the tables show that the whole chain works on real data of "
            "many kinds, and what its verdicts look like."
        ),
        paragraph(
            "At most 300 rows of a split are asked (`evaluation.max_rows`), up to five samples "
            "each at a temperature of 0.7. Everything is inferred but what a person would have to "
            "say: TREC's encoding, that sst5's labels have an order, that a text of GoEmotions has "
            "several labels, and that the sweeps of Banking77 and GoEmotions may cost $200 in "
            "place of $50."
        ),
        "## The verdicts",
        table(["data", "verdict", "why"], verdicts),
        paragraph("[verdict.md](verdict.md) has the rule."),
        "## The candidates",
        paragraph(
            "A tuned model is named after its epochs, learning-rate multiplier and adapter size. "
            "The interval is one of 95 %."
        ),
        table(
            ["data", "candidate", "split", "rows", "metric", "figure", "95 % interval", "others"],
            figures,
        ),
        fenced("sh", "python -m benchmarks.public_data"),
    )


def _run(folder: Path, content: bytes, path: str, task: str) -> VerdictRecord | None:
    """Run one data set to its verdict; None when it came to none, which is said on stderr."""
    suffix = Path(path).suffix if Path(path).suffix in {".csv", ".tsv", ".txt"} else ".jsonl"
    upload = folder / f"data{suffix if (FOLDER / path).is_file() else '.jsonl'}"
    upload.write_bytes(content)
    command = [sys.executable, "-m", "local", "run", "--dataset", str(upload), "--json"]
    command += ["--out", str(folder / "out"), "--name", "data"]
    if task:
        (folder / "task.yaml").write_text(task, encoding="utf-8")
        command += ["--task", str(folder / "task.yaml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = sorted((folder / "out").rglob("verdict.json"), key=lambda item: item.stat().st_mtime)
    if done.returncode or not found:
        print(
            f"{path}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}",
            file=sys.stderr,
        )
        return None
    return VerdictRecord.model_validate_json(found[-1].read_bytes())


def _row(name: str, metric: str, figure: Figure) -> list[str]:
    interval = f"{figure.interval.low:.3f} to {figure.interval.high:.3f}" if figure.interval else ""
    hidden = {metric, "service_exact_match", "valid_share"}
    others = ", ".join(
        f"{key} {value:.3f}" for key, value in figure.metrics.items() if key not in hidden
    )
    about = [name, figure.candidate, figure.split, str(figure.n), metric]
    return [*about, f"{figure.metrics[metric]:.3f}", interval, others]


if __name__ == "__main__":
    sys.exit(main())
