"""`python -m local convert` on files, as a person runs it."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from local.__main__ import main
from local.convert import FILES
from local.folder_bucket import FolderBucket
from shared.errors import Conflict, NotFound

NOUNS = ("heron", "wren", "stork", "robin", "magpie", "finch", "swift", "kite", "dunlin", "plover")
PLACES = ("reed bed", "old mill", "north shore", "car park", "orchard", "railway bridge", "quarry")


def lines(count: int = 90) -> list[str]:
    """Make rows of a table whose texts are not alike."""
    chance = random.Random(5)
    words = [*NOUNS, *PLACES]
    return [
        f"{' '.join(chance.sample(words, 6))},{('calm', 'shy', 'loud')[number % 3]}"
        for number in range(count)
    ]


def table(folder: Path, *more: str, name: str = "birds.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(["text,label", *lines(), *more]) + "\n", encoding="utf-8")
    return path


def report(folder: Path) -> Any:
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def test_a_file_becomes_a_dataset_with_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = table(tmp_path, lines()[0], ",calm")
    out = tmp_path / "out"
    assert main(["convert", str(file), "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == set(FILES)
    found = report(out)
    assert (found["task"], found["rows"], found["quarantined"]) == ("birds", 92, 2)
    for split, count in found["examples"].items():
        assert len((out / f"{split}.jsonl").read_bytes().splitlines()) == count > 0
    quarantine = [json.loads(line) for line in (out / "quarantine.jsonl").read_bytes().splitlines()]
    assert [(row["line"], row["reason"]) for row in quarantine] == [
        (92, "exact-duplicates"),
        (93, "no text"),
    ]
    printed = capsys.readouterr().out
    assert "90 examples out of 92 rows" in printed
    assert "it will not tune by itself" in printed
    assert "no text" in printed
    assert str(out / "report.html") in printed
    assert '"severity"' not in printed, "the function's log is not for the person"
    assert not list(tmp_path.glob(".tunedrop-*"))


def test_the_page_shows_what_is_in_the_data_and_runs_none_of_it(tmp_path: Path) -> None:
    text = "<script>alert('heron')</script> in the quarry"
    file = table(tmp_path, f"{text},calm", f"{text},calm", "stork at the mill,<b>calm</b>")
    assert main(["convert", str(file), "--out", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(" in page
    assert "&lt;b&gt;calm&lt;/b&gt;" in page
    assert "<script" not in page
    assert "<b>calm" not in page
    assert "http" not in page
    assert "<code>{type: classification, checks: {severity: {" in page


def test_a_rejected_file_gives_its_reason_and_remedy_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "notes.csv"
    file.write_text("text,label\nthe heron,calm\nthe wren,calm\n", encoding="utf-8")
    assert main(["convert", str(file), "--out", str(tmp_path / "out")]) == 2
    printed = " ".join(capsys.readouterr().err.split())
    assert "Rejected: " in printed
    assert "Add examples" in printed
    assert [path.name for path in tmp_path.iterdir()] == ["notes.csv"]


def test_a_rejection_can_be_read_by_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "empty.csv"
    file.touch()
    assert main(["convert", str(file), "--out", str(tmp_path / "out"), "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert found["rejected"] == "empty.csv is empty."
    assert found["remedy"]


def test_a_task_beside_the_file_is_used_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = table(tmp_path, "a kite,rude")
    (tmp_path / "task.yaml").write_text(
        "type: classification\nlabels: [calm, shy, loud]\n", encoding="utf-8"
    )
    assert main(["convert", str(file), "--out", str(tmp_path / "out")]) == 0
    assert "task.yaml" in capsys.readouterr().err
    (refused,) = report(tmp_path / "out")["quarantine"]
    assert (refused["reason"], refused["count"]) == ("unknown label", 1)


def test_a_task_that_is_named_goes_before_the_one_beside_the_file(tmp_path: Path) -> None:
    file = table(tmp_path)
    (tmp_path / "task.yaml").write_text("type: nonsense\n", encoding="utf-8")
    other = tmp_path / "other.yaml"
    other.write_text("type: classification\nlines: messages\n", encoding="utf-8")
    out = tmp_path / "out"
    assert main(["convert", str(file), "--task", str(other), "--out", str(out)]) == 0
    first = json.loads((out / "train.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert "messages" in first


def test_a_task_file_by_another_name_is_named_and_is_no_labelled_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table(tmp_path)
    (tmp_path / "task.yml").write_text("type: classification\n", encoding="utf-8")
    assert main(["convert", str(tmp_path), "--name", "birds", "--out", str(tmp_path / "out")]) == 0
    assert "rename it to task.yaml" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "task.yml"), "--out", str(tmp_path / "out")]) == 2
    assert "is a task, not a labelled file" in " ".join(capsys.readouterr().err.split())


def test_a_wrong_task_is_rejected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = table(tmp_path)
    (tmp_path / "task.yaml").write_text("type: nonsense\n", encoding="utf-8")
    assert main(["convert", str(file), "--out", str(tmp_path / "out")]) == 2
    assert "task.yaml" in capsys.readouterr().err


def test_a_folder_with_one_file_is_a_task(tmp_path: Path) -> None:
    folder = tmp_path / "Shore Birds"
    folder.mkdir()
    table(folder, name="export.csv")
    (folder / "task.yaml").write_text("type: classification\n", encoding="utf-8")
    assert main(["convert", str(folder), "--out", str(tmp_path / "out")]) == 0
    assert report(tmp_path / "out")["source"] == "shore-birds/export.csv"


def test_a_folder_with_several_files_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table(tmp_path, name="one.csv")
    table(tmp_path, name="two.csv")
    assert main(["convert", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "one.csv, two.csv" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "word"), [("absent.csv", "not exist"), ("_hidden.csv", "ignored")]
)
def test_a_file_that_cannot_be_converted_is_named(
    name: str, word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table(tmp_path, name="_hidden.csv")
    assert main(["convert", str(tmp_path / name), "--out", str(tmp_path / "out")]) == 2
    printed = " ".join(capsys.readouterr().err.split())
    assert name in printed
    assert word in printed


def test_a_folder_with_other_things_is_not_written_into(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = table(tmp_path), tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine", encoding="utf-8")
    assert main(["convert", str(file), "--out", str(out)]) == 2
    assert "--out" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


def test_an_earlier_dataset_is_replaced_and_what_lies_beside_it_stays(tmp_path: Path) -> None:
    file, out = table(tmp_path), tmp_path / "out"
    assert main(["convert", str(file), "--out", str(out)]) == 0
    (out / "remarks.txt").write_text("mine", encoding="utf-8")
    table(tmp_path, "a kite,rude", "one more heron,calm")
    assert main(["convert", str(file), "--out", str(out)]) == 0
    assert report(out)["rows"] == 92
    assert (out / "remarks.txt").read_text(encoding="utf-8") == "mine"


def test_a_terminal_is_not_given_control_characters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = table(tmp_path, *["a \x1b[31mred\u202e kite,calm"] * 2)
    assert main(["convert", str(file), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "kite" in printed
    assert "\x1b" not in printed
    assert "\u202e" not in printed


def test_json_is_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(table(tmp_path)), "--out", str(tmp_path / "out"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == report(tmp_path / "out")


def test_texts_elsewhere_are_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    addresses = ["gs://other/a.txt", "gs://this-machine/../../secret.txt"]
    file = tmp_path / "import.csv"
    rows = [f"TRAIN,{addresses[number % 2]},calm" for number in range(40)]
    file.write_text("\n".join(rows), encoding="utf-8")
    assert main(["convert", str(file), "--out", str(tmp_path / "out")]) == 2
    assert "Texts in Cloud Storage cannot be read" in " ".join(capsys.readouterr().err.split())


def test_a_bucket_in_a_folder_never_leaves_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    bucket = FolderBucket("b", tmp_path / "inside")
    bucket.write("a", b"1")
    for name in ("../secret", "a/../../secret", "/etc/hosts", "", "a\0b", "x" * 300):
        assert bucket.find(name) is None
        with pytest.raises(NotFound):
            bucket.read(name)


def test_a_bucket_in_a_folder_keeps_its_promises(tmp_path: Path) -> None:
    bucket = FolderBucket("b", tmp_path)
    generation = bucket.write("t/one", b"1", if_generation=0)
    with pytest.raises(Conflict):
        bucket.write("t/one", b"2", if_generation=0)
    assert bucket.read("t/one", generation) == (b"1", generation)
    with pytest.raises(NotFound), bucket.open_read("t/one", generation + 1):
        pass
    with pytest.raises(ZeroDivisionError), bucket.open_write("t/two", "text/plain") as stream:
        stream.write(b"%d" % (1 // 0))
    assert bucket.find("t/two") is None
    with bucket.open_write("t/two", "text/plain") as stream:
        assert bucket.find("t/two") is None
        stream.write(b"2")
    assert [item.name for item in bucket.list("t/")] == ["t/one", "t/two"]
    bucket.delete("t/one")
    bucket.delete("t/one")
    assert [item.name for item in bucket.list("")] == ["t/two"]
