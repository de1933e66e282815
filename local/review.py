"""The review queue on a terminal: what to look at, and the file of corrections that comes of it."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from local.review_files import (
    Correction,
    Waiting,
    WrongAnswer,
    parse_correction,
    read_task,
    waiting,
    why_it_does_not_wait,
    write_corrections,
)
from local.show_report import plain
from local.typed import start
from shared.answers import answer_text
from shared.task import Task

DONE, WRONG = 0, 2
MOST_CHARACTERS = 1500
LISTED_CHARACTERS = 80
RIGHT, STOP = "=", "."

Ask = Callable[[str], str]


def review(options: argparse.Namespace) -> int:
    """Show what waits for a person, and write down what the person says."""
    console = Console()
    folder: Path = options.folder
    results, datasets = folder / "results", folder / "datasets"
    try:
        _check(folder)
        queue = waiting(results, datasets, options.task or "")
        tasks = {item.task: read_task(folder / "artifacts", item.task) for item in queue}
        if options.set or options.accept:
            said = _said(options, queue, tasks, folder)
        elif options.json:
            _print_json(queue)
            return DONE
        elif options.list or not sys.stdin.isatty():
            show_queue(console, queue, results)
            return DONE
        else:
            said = ask_about(queue, tasks, console, input)
    except ValueError as error:
        Console(stderr=True).print(plain(str(error)), markup=False, soft_wrap=True)
        return WRONG
    for path in write(said, datasets):
        console.print(f"Wrote {path}.", markup=False, highlight=False, soft_wrap=True)
    if said:
        words = f"`{start(folder)}` uploads it while it is up; then a new dataset is made of it."
        console.print(words, markup=False, highlight=False, soft_wrap=True)
    return DONE


def _check(folder: Path) -> None:
    """Raise ValueError when a folder is no local cloud's, and no copy of a deployment's buckets."""
    if not (folder / "results").is_dir():
        raise ValueError(
            f"There is no local cloud in {folder}: it has no folder results/. Name the folder of "
            f"one with --folder, or start one there with `{start(folder)}`."
        )


def write(said: Sequence[tuple[Waiting, Correction]], datasets: Path) -> list[Path]:
    """Write a file of corrections for each task that something was said of."""
    now = datetime.now(UTC)
    names = dict.fromkeys(item.task for item, _ in said)
    return [
        write_corrections(
            datasets,
            name,
            [
                item.line.model_copy(update={"correction": correction})
                for item, correction in said
                if item.task == name
            ],
            now,
        )
        for name in names
    ]


def show_queue(console: Console, queue: Sequence[Waiting], results: Path) -> None:
    """Print what waits, in a few lines each."""
    if not queue:
        console.print(f"Nothing waits for review in {results}.", markup=False, soft_wrap=True)
    for item in queue:
        text = " ".join(plain(" ".join(item.line.text.split())).split())
        short = text if len(text) <= LISTED_CHARACTERS else f"{text[: LISTED_CHARACTERS - 1]}…"
        console.print(
            f"[bold]{item.task}[/bold] {escape(plain(item.document))}: {_answer(item)}\n"
            f"  {escape(short) or '(the model was given the file itself)'}",
            highlight=False,
            soft_wrap=True,
        )


def ask_about(
    queue: Sequence[Waiting], tasks: Mapping[str, Task | None], console: Console, ask: Ask
) -> list[tuple[Waiting, Correction]]:
    """Go through the queue with a person.

    Args:
        queue: What waits.
        tasks: The tasks, for their labels and fields.
        console: Where to print.
        ask: Prints a prompt and returns what is typed.
    """
    said: list[tuple[Waiting, Correction]] = []
    for place, item in enumerate(queue, 1):
        task = tasks[item.task]
        console.rule(f"{item.task}, {place} of {len(queue)}: {escape(plain(item.document))}")
        text = "\n".join(plain(line) for line in item.line.text.splitlines())
        more = " …" if len(text) > MOST_CHARACTERS else ""
        console.print(f"{text[:MOST_CHARACTERS]}{more}", markup=False, highlight=False)
        console.print(f"Answered: {_answer(item)}", highlight=False)
        for number, name in enumerate(task.label_names if task else (), 1):
            console.print(f"  {number}  {escape(name)}", highlight=False)
        try:
            correction = _ask(item, task, console, ask)
        except EOFError:
            break
        if correction is not None:
            said.append((item, correction))
    return said


def _ask(item: Waiting, task: Task | None, console: Console, ask: Ask) -> Correction | None:
    """Ask until there is an answer; None to leave the document. Raises EOFError to stop."""
    fields = isinstance(item.line.answer, dict) or (task and task.type == "extraction")
    form = 'fields, as {"name": "value"}' if fields else "label or its number"
    while True:
        typed = ask(f"{form}; {RIGHT} it is right; Enter leave it; {STOP} stop> ").strip()
        if typed == STOP:
            raise EOFError
        if not typed:
            return None
        try:
            return _meant(typed, item, task)
        except WrongAnswer as wrong:
            console.print(str(wrong), markup=False, soft_wrap=True)


def _meant(typed: str, item: Waiting, task: Task | None) -> Correction:
    """Read what was typed: that the answer is right, a label's number, or the right answer."""
    if typed == RIGHT:
        return _accepted(item)
    names = task.label_names if task else ()
    if typed.isdecimal() and typed not in names and 1 <= int(typed) <= len(names):
        typed = names[int(typed) - 1]
    return parse_correction(typed, item.line, task)


def _accepted(item: Waiting) -> Correction:
    if item.line.answer is None:
        raise WrongAnswer(f"{item.document} has no answer that could be right.")
    return item.line.answer


def _said(
    options: argparse.Namespace,
    queue: Sequence[Waiting],
    tasks: Mapping[str, Task | None],
    folder: Path,
) -> list[tuple[Waiting, Correction]]:
    """Read --set and --accept. Raises ValueError."""
    said: list[tuple[Waiting, Correction]] = []
    for given in options.set or ():
        name, item = _find(given, queue, folder, "=")
        answer = given.removeprefix(f"{name}=")
        said.append((item, parse_correction(answer, item.line, tasks[item.task])))
    for given in options.accept or ():
        _, item = _find(given, queue, folder)
        said.append((item, _accepted(item)))
    return said


def _find(
    given: str, queue: Sequence[Waiting], folder: Path, then: str = ""
) -> tuple[str, Waiting]:
    """Find the document that is named, with or without its task: (its name as given, it).

    A name may hold an equals sign, so of several that fit the longest is meant.

    Raises:
        ValueError: None is named, or it is not clear which.
    """
    found = [
        (name, item)
        for item in queue
        for name in (item.document, item.line.document)
        if (given.startswith(f"{name}{then}") if then else given == name)
    ]
    longest = max((len(name) for name, _ in found), default=0)
    best = [(name, item) for name, item in found if len(name) == longest]
    if len(best) == 1:
        return best[0]
    if best:
        names = ", ".join(item.line.document for _, item in best)
        raise ValueError(f"{given!r} could be one of {names}. Write the task's name before it.")
    why = why_it_does_not_wait(given, folder)
    if why:
        raise ValueError(why)
    names = ", ".join(item.line.document for item in queue[:5]) or "none"
    raise ValueError(f"{given!r} names no document that waits; those that wait: {names}.")


def _answer(item: Waiting) -> str:
    """Say what was answered, how sure that is, and what else was said."""
    line = item.line
    answer = "no answer" if line.answer is None else answer_text(line.answer)
    sure = "" if line.confidence is None else f", confidence {line.confidence:.2f}"
    others = [
        f"{other.field + ': ' if other.field else ''}{other.answer or '(none)'} {other.share:.2f}"
        for other in line.alternatives
    ]
    more = f"; else {', '.join(others)}" if others else ""
    return escape(plain(f"{answer}{sure}{more}"))


def _print_json(queue: Sequence[Waiting]) -> None:
    lines = [item.line.model_dump(mode="json") for item in queue]
    print(json.dumps(lines, ensure_ascii=False, indent=1))
