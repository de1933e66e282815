"""The command `convert`: the function's own code on a file of this machine, without any server."""

import argparse
import io
import json
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from functions.convert_dataset.report import DataReport
from functions.convert_dataset.upload import TASK_FILE, handle_upload, is_almost_task_file
from local.commands import BROKEN, DONE, REJECTED, task_name
from local.folder_bucket import FolderBucket
from local.show_report import plain, show_report
from shared.errors import Rejected
from shared.events import ObjectArrived
from shared.ports import Buckets, World
from shared.settings import Settings
from shared.task import TASK_NAME

RECORD = "dataset.json"
FILES = ("train.jsonl", "validation.jsonl", "test.jsonl", "quarantine.jsonl", "report.json",
         "report.html", RECORD)  # fmt: skip
"""What a dataset consists of; the record comes last, as in the artifacts bucket."""

BUCKET = "this-machine"
LOCATION = "us-central1"


class WrongArgument(Exception):
    """The command line asks for something that cannot be done; the message says what."""


class Changed(Exception):
    """The file changed while it was read."""


@dataclass(frozen=True)
class Input:
    """What is to be converted.

    Attributes:
        file: The labelled file.
        task: Its task.yaml, if there is one.
        name: The task's name.
        out: Where the dataset goes.
    """

    file: Path
    task: Path | None
    name: str
    out: Path


def convert(options: argparse.Namespace) -> int:
    """Convert a labelled file, and say what is in it and what to mend first."""
    console = Console(stderr=True)
    try:
        wanted = _input(options)
        if wanted.task is not None and options.task is None:
            console.print(f"Using {wanted.task}.", markup=False, highlight=False, soft_wrap=True)
        for name in _almost_task_files(wanted):
            said = (
                f"{name} beside it is not read: rename it to {TASK_FILE}, or name it with --task."
            )
            console.print(said, markup=False, highlight=False, soft_wrap=True)
        report = _convert(wanted, console)
    except (WrongArgument, Rejected) as error:
        return _rejected(console, error, as_json=options.json)
    except (Changed, OSError) as error:
        console.print(f"[red]Broken:[/red] {escape(plain(str(error)))}", soft_wrap=True)
        return BROKEN
    if options.json:
        print(report.model_dump_json(indent=1))
    else:
        show_report(Console(), report, wanted.out)
    return DONE


def _input(options: argparse.Namespace) -> Input:
    """Find the file, its task.yaml, the task's name and the folder for the dataset.

    Raises:
        WrongArgument: One of them is not as it should be.
    """
    given: Path = options.file
    file = _only_file(given) if given.is_dir() else given
    beside = file.with_name(TASK_FILE)
    task: Path | None = options.task or (beside if beside.is_file() else None)
    for path in (file, task):
        if path is not None and not path.is_file():
            what = "is not a file" if path.exists() else "does not exist"
            raise WrongArgument(f"{path} {what}.")
    if file.name == TASK_FILE or is_almost_task_file(file.name):
        raise WrongArgument(f"{file} is a task, not a labelled file. Name the file, or its folder.")
    if file.name[0] in "._":
        raise WrongArgument(f"{file}: files whose names begin with . or _ are ignored. Rename it.")
    name = options.name or task_name(Path(given.resolve().name) if given.is_dir() else file)
    if not TASK_NAME.fullmatch(name):
        raise WrongArgument(
            f"{name!r} cannot be a task's name. Use up to 40 lower-case letters, digits, - and _, "
            "beginning with a letter or digit."
        )
    out: Path = options.out or Path("out") / name
    if out.exists() and not out.is_dir():
        raise WrongArgument(f"{out} is a file. Name a folder with --out.")
    if out.is_dir() and any(out.iterdir()) and not (out / RECORD).exists():
        raise WrongArgument(
            f"{out} holds other things than a dataset, so nothing is written there. Name a new "
            "folder with --out."
        )
    return Input(file, task, name, out)


def _almost_task_files(wanted: Input) -> list[str]:
    """Name what lies beside a file without a task and may have been meant for one."""
    if wanted.task is not None:
        return []
    beside = sorted(path.name for path in wanted.file.parent.iterdir() if path.is_file())
    return [plain(name) for name in beside if is_almost_task_file(name)]


def _only_file(folder: Path) -> Path:
    """Return the labelled file of a folder such as those in the datasets bucket."""
    files = [
        path
        for path in sorted(folder.iterdir())
        if path.is_file()
        and path.name != TASK_FILE
        and path.name[0] not in "._"
        and not is_almost_task_file(path.name)
    ]
    if len(files) != 1:
        what = ", ".join(path.name for path in files[:5]) or "none"
        folders = [path.name for path in folder.iterdir() if path.is_dir()]
        if not files and folders:
            raise WrongArgument(
                f"{folder} holds folders: {', '.join(sorted(folders)[:5])}. If there is one for "
                "each label, zip them, and convert the archive."
            )
        raise WrongArgument(f"{folder} should hold one labelled file; it holds: {what}. Name it.")
    return files[0]


def _convert(wanted: Input, console: Console) -> DataReport:
    """Convert into a folder beside the one that is wanted, then put the files there.

    Raises:
        Rejected: Nothing can be learnt from the file, with the reason.
        Changed: The file changed meanwhile.
    """
    wanted.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".tunedrop-", dir=wanted.out.parent) as stage:
        world, uploads, artifacts = _world(Path(stage))
        folder = Path(stage) / BUCKET / wanted.name
        folder.mkdir(parents=True)
        (folder / wanted.file.name).symlink_to(wanted.file.resolve())
        if wanted.task is not None:
            (folder / TASK_FILE).symlink_to(wanted.task.resolve())
        found = uploads.find(f"{wanted.name}/{wanted.file.name}")
        if found is None:
            raise Changed(f"{wanted.file} is not there any more.")
        progress = _Progress(wanted.file.name, found.size, uploads, artifacts)
        # The function logs to stdout, which belongs to the report here.
        with console.status(progress), redirect_stdout(io.StringIO()):
            handle_upload(ObjectArrived(BUCKET, found.name, found.generation), world)
        records = [item.name for item in artifacts.list("tasks/") if item.name.endswith(RECORD)]
        if not records:
            raise Changed(f"{wanted.file} changed while it was read. Convert it again.")
        _move(Path(stage) / "artifacts" / Path(records[0]).parent, wanted.out)
    return DataReport.model_validate_json((wanted.out / "report.json").read_bytes())


def _move(made: Path, out: Path) -> None:
    """Put a dataset's files in the place of those that are there; the record last."""
    out.mkdir(exist_ok=True)
    (out / RECORD).unlink(missing_ok=True)
    for name in FILES:
        shutil.move(made / name, out / name)


def _world(stage: Path) -> tuple[World, FolderBucket, FolderBucket]:
    """Make the ports out of folders."""
    uploads = FolderBucket(BUCKET, stage / BUCKET)
    documents, results, artifacts = (
        FolderBucket(name, stage / name) for name in ("documents", "results", "artifacts")
    )
    settings = Settings(
        cloud="local",
        project="local",
        location=LOCATION,
        datasets_bucket=uploads.name,
        documents_bucket=documents.name,
        results_bucket=results.name,
        artifacts_bucket=artifacts.name,
    )
    buckets = Buckets(uploads, documents, results, artifacts)
    return World(settings, buckets, _Nobody(), _now), uploads, artifacts


class _Nobody:
    """A publisher without subscribers: nothing follows a conversion here."""

    def publish(self, topic: str, message: Mapping[str, object]) -> None:
        """Publish one message, which nobody receives."""


def _now() -> datetime:
    return datetime.now(UTC)


class _Progress:
    """The line that is shown on a terminal while a file is converted."""

    def __init__(
        self, name: str, size: int, uploads: FolderBucket, artifacts: FolderBucket
    ) -> None:
        self._name, self._size = plain(name), size
        self._uploads, self._artifacts = uploads, artifacts

    def __rich__(self) -> str:
        """Say how far it is; rich asks again and again, from a thread of its own."""
        stream, writing = self._uploads.reading, self._artifacts.writing
        try:
            share = stream.tell() / max(self._size, 1) if stream else 0.0
        except ValueError:
            # It is closed: the first pass is over and the second has not begun.
            return f"Checking {escape(self._name)} …"
        what = "Writing the dataset" if writing else f"Reading {escape(self._name)}"
        return f"{what}: {share:.0%}"


def _rejected(console: Console, error: Exception, *, as_json: bool) -> int:
    """Say why nothing was converted."""
    reason, remedy = str(error), ""
    if isinstance(error, Rejected):
        reason, remedy = error.reason, error.remedy
    if "gs://" in reason:
        remedy = f"{remedy} Texts in Cloud Storage cannot be read from here.".strip()
    console.print(f"[red]Rejected:[/red] {escape(plain(reason))}", soft_wrap=True)
    if remedy:
        console.print(escape(plain(remedy)), soft_wrap=True)
    if as_json:
        print(json.dumps({"rejected": reason, "remedy": remedy}, ensure_ascii=False, indent=1))
    return REJECTED
