"""Real data sets through the front door. They are read where they are, and skipped when absent."""

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Command

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROWS = 4000
RECEIPTS = 350


def _banking(folder: Path, target: Path) -> Path:
    """The first rows of a table that is sorted by its 77 labels."""
    with (folder / "banking77" / "train.csv").open(encoding="utf-8", newline="") as source:
        rows = list(csv.reader(source))
    return _write_csv(target / "banking77.csv", rows[: ROWS + 1])


def _waimai(folder: Path, target: Path) -> Path:
    """A sample of a Chinese table whose first 4,000 rows all have the same label."""
    path = folder / "waimai_10k_zh" / "waimai_10k.csv"
    with path.open(encoding="utf-8-sig", newline="") as source:
        header, *rows = csv.reader(source)
    random.Random(0).shuffle(rows)
    return _write_csv(target / "waimai.csv", [header, *rows[:ROWS]])


def _sroie(folder: Path, target: Path) -> Path:
    """Receipts: the lines that were read, and the four keys that stand in them."""
    path = target / "sroie.jsonl"
    with path.open("w", encoding="utf-8") as out:
        for key in sorted((folder / "sroie_keys" / "key").glob("*.json"))[:RECEIPTS]:
            box = folder / "sroie_keys" / "box" / f"{key.stem}.csv"
            lines = box.read_text(encoding="utf-8", errors="replace").splitlines()
            cells = [line.split(",", 8) for line in lines]
            text = "\n".join(cell[8] for cell in cells if len(cell) == 9)
            fields = json.loads(key.read_text(encoding="utf-8"))
            out.write(json.dumps({"text": text, **fields}, ensure_ascii=False) + "\n")
    return path


def _write_csv(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    return path


def _figures(summary: dict[str, Any], split: str) -> dict[str, float]:
    metric = summary["verdict"]["metric"]
    return {
        item["name"]: item["metrics"][metric]
        for item in summary["candidates"]
        if item["split"] == split
    }


# Receipts come from a few shops, so that prompts with the nearest examples do nearly as well.
@pytest.mark.parametrize(("prepare", "wins"), [(_banking, True), (_waimai, True), (_sroie, False)])
def test_a_tuned_model_beats_zero_shot_by_far_and_mostly_the_best_prompt_too(
    prepare: Any, wins: bool, test_data: Path, tmp_path: Path, local_command: Command
) -> None:
    dataset = prepare(test_data, tmp_path)
    done = local_command("run", "--dataset", dataset, "--out", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    validation = _figures(summary, "validation")
    tuned = max(value for name, value in validation.items() if name.startswith("tuned"))
    assert tuned > validation["zero-shot"] + 0.15
    verdict = summary["verdict"]
    comparison = verdict["comparison"]
    assert (
        comparison["interval"]["low"] <= comparison["difference"] <= comparison["interval"]["high"]
    )
    if wins:
        assert verdict["decision"] == "promote_tuned"
        assert comparison["p_corrected"] < 0.001


def test_a_sorted_file_with_one_label_is_rejected_with_the_reason(
    test_data: Path, tmp_path: Path, local_command: Command
) -> None:
    path = test_data / "waimai_10k_zh" / "waimai_10k.csv"
    with path.open(encoding="utf-8-sig", newline="") as source:
        rows = list(csv.reader(source))
    dataset = _write_csv(tmp_path / "sorted.csv", rows[: ROWS + 1])
    done = local_command("run", "--dataset", dataset, "--out", tmp_path / "out", "--json")
    assert done.returncode == 2
    assert "sorted" in json.loads(done.stdout)["rejected"]
