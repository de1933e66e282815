"""The pages as the product writes them, in a folder as a person gets them."""

from pathlib import Path

from functions.evaluate_model.page.index import write_index
from functions.evaluate_model.report import write_report
from local.__main__ import main
from shared.records import ChampionRecord, Promotion
from tests.browser.stories import NASTY, STORIES, Story
from tests.fakes import FakeWorld, fake_world

INDEX = "index"
DATA_REPORT = "data-report"
ALL = (*STORIES, INDEX, DATA_REPORT)


def publish(name: str, folder: Path) -> Path:
    """Write a page, and verdict.json beside it where there is one; return the page's path."""
    if name == DATA_REPORT:
        return _data_report(folder)
    fakes = fake_world()
    story = STORIES["parcels" if name == INDEX else name]()
    store(fakes, story)
    if name == INDEX:
        write_index(fakes.world, story.dataset.task_name)
        path = f"tasks/{story.dataset.task_name}/index.html"
    else:
        path = f"{story.folder}/{'report' if story.run else 'evaluation'}.html"
    for written in fakes.artifacts.names("tasks/"):
        target = folder / written
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(fakes.artifacts.content(written))
    return folder / path


def store(fakes: FakeWorld, story: Story) -> None:
    """Store what a story's page and the index are drawn from, and the page."""
    task, dataset = story.dataset.task_name, story.dataset
    fakes.artifacts.put(f"{story.folder}/verdict.json", story.verdict.model_dump_json())
    home = f"tasks/{task}/datasets/{dataset.id}"
    fakes.artifacts.put(f"{home}/dataset.json", dataset.model_dump_json())
    fakes.artifacts.put(f"{home}/report.html", "<!doctype html><title>data</title>")
    if story.run:
        fakes.artifacts.put(f"{story.folder}/run.json", story.run.model_dump_json())
    write_report(
        fakes.artifacts,
        "google",
        story.folder,
        dataset,
        dataset.task,
        story.verdict,
        story.finalists,
        story.jobs,
        story.run,
    )
    winner = next(
        item.candidate for item in story.finalists if item.candidate.name == story.verdict.winner
    )
    before = Promotion(candidate="few-shot", dataset=dataset.id, run="", at=dataset.created)
    now = Promotion(
        candidate=winner.name, dataset=dataset.id, run=winner.run, at=story.verdict.created
    )
    champion = ChampionRecord(
        task_name=task,
        candidate=winner,
        task=dataset.task,
        dataset=dataset.id,
        run=winner.run,
        at=now.at,
        history=(before, now),
    )
    fakes.artifacts.put(f"tasks/{task}/champion.json", champion.model_dump_json())


def _data_report(folder: Path) -> Path:
    cells = [text.replace('"', '""').replace("\x00", "") for text in NASTY]
    rows = [
        f'"{cell} {number}",{"yes" if number % 3 else "no"}'
        for number in range(12)
        for cell in cells
    ]
    file = folder / "birds.csv"
    file.write_text("\n".join(["text,label", *rows, ",yes", *rows[:3]]) + "\n", encoding="utf-8")
    assert main(["convert", str(file), "--out", str(folder / "out")]) == 0
    return folder / "out" / "report.html"
