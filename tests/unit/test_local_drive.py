"""What `run` and `demo` wait for, and what they say is worth looking at."""

from datetime import timedelta
from pathlib import Path

from local.drive import documents_in, is_linked, worth_looking_at
from shared import paths
from tests.fakes import START, fake_world
from tests.unit.test_page import verdict


def test_the_page_that_links_all_others_is_named_first() -> None:
    names = ("champion.json", "datasets/d/dataset.json", "datasets/d/report.html", "index.html")
    found = worth_looking_at(Path("tasks/birds", name) for name in names)
    wanted = ("index.html", "champion.json", "datasets/d/report.html")
    assert found == [Path("tasks/birds", name) for name in wanted]


def test_a_verdict_counts_as_reached_once_the_page_that_links_it_is_written() -> None:
    fakes = fake_world()
    decided = verdict(created=START + timedelta(minutes=1))
    assert not is_linked(fakes.artifacts, "birds", decided)
    fakes.artifacts.put(paths.index_page("birds"), "before the verdict")
    assert not is_linked(fakes.artifacts, "birds", decided)
    fakes.clock.advance(61)
    fakes.artifacts.put(paths.index_page("birds"), "after it")
    assert is_linked(fakes.artifacts, "birds", decided)


def test_documents_are_a_folder_or_one_file(tmp_path: Path) -> None:
    deep = tmp_path / "inbox" / "monday"
    deep.mkdir(parents=True)
    for name in ("a.txt", ".hidden"):
        (deep / name).touch()
    assert documents_in(tmp_path / "inbox") == {"monday/a.txt": deep / "a.txt"}
    assert documents_in(deep / "a.txt") == {"a.txt": deep / "a.txt"}
