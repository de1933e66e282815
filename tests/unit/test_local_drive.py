"""What `run` and `demo` wait for, and what they say is worth looking at."""

from datetime import timedelta
from pathlib import Path

from local.drive import documents_in, is_linked, worth_looking_at
from shared import paths
from shared.records import VerdictRecord
from tests.fakes import START, fake_world


def test_the_page_that_links_all_others_is_named_first() -> None:
    names = ("champion.json", "datasets/d/dataset.json", "datasets/d/report.html", "index.html")
    found = worth_looking_at(Path("tasks/birds", name) for name in names)
    wanted = ("index.html", "champion.json", "datasets/d/report.html")
    assert found == [Path("tasks/birds", name) for name in wanted]


def test_a_verdict_counts_as_reached_once_the_page_that_links_it_is_written() -> None:
    fakes = fake_world()
    verdict = VerdictRecord(
        task_name="birds",
        dataset="d",
        basis="b",
        decision="keep_prompting",
        winner="few-shot",
        metric="exact_match",
        target=0.9,
        target_met=False,
        reason="The task says never to tune.",
        figures=(),
        created=START + timedelta(minutes=1),
    )
    assert not is_linked(fakes.artifacts, "birds", verdict)
    fakes.artifacts.put(paths.index_page("birds"), "before the verdict")
    assert not is_linked(fakes.artifacts, "birds", verdict)
    fakes.clock.advance(61)
    fakes.artifacts.put(paths.index_page("birds"), "after it")
    assert is_linked(fakes.artifacts, "birds", verdict)


def test_documents_are_a_folder_or_one_file(tmp_path: Path) -> None:
    deep = tmp_path / "inbox" / "monday"
    deep.mkdir(parents=True)
    for name in ("a.txt", ".hidden"):
        (deep / name).touch()
    assert documents_in(tmp_path / "inbox") == {"monday/a.txt": deep / "a.txt"}
    assert documents_in(deep / "a.txt") == {"a.txt": deep / "a.txt"}
