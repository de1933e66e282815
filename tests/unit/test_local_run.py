"""`python -m local run`: what is wrong is said before anything is started."""

import json
from pathlib import Path

import pytest

from local.__main__ import main


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"type: classification\nlables: [a, b]\n", "lables is not a known key"),
        (b"type: [classification\n", "is not YAML at line 2, column 1"),
        (b"type: classification\ninstruction: caf\xe9\n", "is not UTF-8"),
        (b"type: sentiment\ntuning: {base_model: gemini-9}\n", "gemini-9"),
    ],
)
def test_a_wrong_task_is_refused_before_anything_is_started_and_its_path_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, why: str
) -> None:
    task, out = tmp_path / "typo.yaml", tmp_path / "out"
    task.write_bytes(content)
    given = ("--dataset", str(task), "--task", str(task), "--out", str(out), "--json")
    assert main(["run", *given]) == 2
    said = capsys.readouterr()
    assert why in said.err
    rejected = json.loads(said.out)["rejected"]
    assert why in rejected
    assert rejected.startswith(str(task))
    assert not out.exists()


def test_documents_that_are_not_there_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "birds.csv"
    file.touch()
    assert main(["run", "--dataset", str(file), "--documents", str(tmp_path / "inbox")]) == 2
    assert f"{tmp_path}/inbox does not exist." in capsys.readouterr().err
