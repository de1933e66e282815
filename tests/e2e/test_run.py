"""`python -m local run`: one task, headless."""

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Command
from tests.unit.document_files import pdf_of, stream, word

pytestmark = pytest.mark.slow

EXAMPLE = ROOT / "examples" / "parcel_questions"


def test_a_task_is_inferred_when_there_is_no_task_file(
    local_command: Command, tmp_path: Path
) -> None:
    documents = tmp_path / "documents"
    shutil.copytree(EXAMPLE / "documents", documents)
    (documents / "letter.docx").write_bytes(word())
    (documents / "scan.pdf").write_bytes(pdf_of(stream(b"0 0 100 100 re f")))
    (documents / "monday.csv").write_bytes(b"id,text\n17,Where is my parcel?\n18,\n")
    done = local_command(
        *("run", "--dataset", EXAMPLE / "parcel_questions.csv"),
        *("--documents", documents, "--out", tmp_path / "out", "--json"),
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["task"]["type"] == "classification"
    assert any("inferred" in sentence for sentence in summary["task"]["explanation"])
    status = {item["name"]: item["status"] for item in summary["documents"]}
    assert len(status) == 12 + 3 + 2
    assert status["letter.docx"] in {"accepted", "review"}
    assert status["monday.csv/1"] in {"accepted", "review"}
    assert (status["monday.csv"], status["monday.csv/2"]) == ("divided", "rejected")
    assert status["scan.pdf"] == "rejected"
    assert {"id", "counts", "quarantined"} <= set(summary["dataset"])
    assert all((ROOT / path).exists() or Path(path).exists() for path in summary["artifacts"])


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.csv", b"", "empty"),
        ("one-label.csv", b"text,label\n" + b"".join(b"text %d,a\n" % i for i in range(50)), "'a'"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG picture"),
        ("mixed.csv", "text,label\ncafé à la crème,a\n".encode() * 20 + b"th\xe9,b\n", "UTF-8"),
        ("quote.csv", b'text,label\n"never closed,a\nhello,b\n', "line 2"),
        ("few.jsonl", b'{"text": "a", "label": "x"}\n{"text": "b", "label": "y"}\n', "too few"),
    ],
)
def test_a_file_that_nothing_can_be_learnt_from_is_rejected_with_its_reason(
    local_command: Command, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    done = local_command("run", "--dataset", path, "--out", tmp_path / "out", "--json")
    assert done.returncode == 2, done.stderr
    assert reason in json.loads(done.stdout)["rejected"]
    assert reason in done.stderr


def test_a_wrong_task_file_is_rejected_and_the_nearest_key_is_named(
    local_command: Command, tmp_path: Path
) -> None:
    task = tmp_path / "task.yaml"
    task.write_text("type: classification\ntuning: {epocs: 3}\n", "utf-8")
    done = local_command("run", "--task", task, "--dataset", EXAMPLE / "parcel_questions.csv")
    assert done.returncode == 2, done.stderr
    assert "tuning.epocs is not a known key (the nearest is tuning.sweep.epoch_count)" in (
        " ".join(done.stderr.split())
    )


def test_a_file_that_is_not_there_is_rejected_at_once(local_command: Command) -> None:
    done = local_command("run", "--dataset", "nowhere.csv", timeout=30)
    assert done.returncode == 2
    assert "nowhere.csv does not exist" in done.stderr


def test_help_teaches(local_command: Command) -> None:
    done = local_command("run", "--help", timeout=30)
    assert done.returncode == 0
    assert "Exit status" in done.stdout
