"""The commands of the local cloud's command line."""

import argparse
import json
import re
import signal
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from local.addresses import Addresses
from local.background import Repeating
from local.bundles import stage_bundle
from local.cloud import LOCATION, PROJECT, AlreadyRunning, LocalCloud, Options, PortTaken
from local.demo_review import review_loop, show_loop
from local.drive import Driver, InputRejected, NothingArrived
from local.folders import DownloadFolder, UploadFolder
from local.open_buckets import open_local_buckets
from local.processes import ProcessError
from local.progress import Progress
from local.show import show_task
from local.strays import Strays
from local.table import ROOT, read_table
from local.typed import typed
from shared.errors import Rejected
from shared.models import find_base_model
from shared.ports import Buckets
from shared.task import TASK_NAME, parse_task

DONE, BROKEN, REJECTED = 0, 1, 2

FIXED_PORTS = {"pubsub": 8085, "storage": 4443, "vertex": 8086}
FOLDER_SECONDS = 0.5
DEMO_TASKS = ("parcel_questions", "restaurant_reviews", "event_invitations")
DEMO_DATASETS = ("parcel_questions.csv", "restaurant_reviews.jsonl", "event_invitations.jsonl")
DEMO_SECONDS = 600.0


def up(options: argparse.Namespace) -> int:
    """Keep a local cloud up until it is interrupted."""
    console = Console(stderr=True)
    folder: Path = options.folder
    wanted = Options(keep=True, ports={} if options.free_ports else FIXED_PORTS)
    ended = _until_interrupted()
    try:
        with _started(folder, wanted, console) as cloud:
            addresses = Addresses.of(cloud)
            addresses.write(cloud.state)
            said = how_to_use(folder, addresses, cloud.table.topics)
            console.print(said, markup=False, highlight=False, soft_wrap=True)
            with _watched_folders(cloud):
                ended.wait()
            console.print("Ending the local cloud …")
    except (AlreadyRunning, PortTaken) as error:
        console.print(str(error), markup=False, soft_wrap=True)
        return BROKEN
    except (ProcessError, RuntimeError) as error:
        return _broken(console, error)
    return DONE


def run(options: argparse.Namespace) -> int:
    """Do one task from file to answers."""
    console = Console(stderr=True)
    wrong = _wrong_argument(options)
    if wrong:
        console.print(wrong, markup=False, soft_wrap=True)
        if options.json:
            _print_json({"rejected": wrong})
        return REJECTED
    name = options.name or task_name(options.dataset)
    out = options.out or Path("out") / name
    with tempfile.TemporaryDirectory(prefix="tunedrop-") as folder:
        wanted = Options(logs=out / "logs")
        try:
            with _started(Path(folder), wanted, console) as cloud, _progress(cloud, console):
                driver = Driver(cloud, _buckets(cloud))
                _one_task(driver, name, options.dataset, options.task, options.documents,
                          options.timeout)  # fmt: skip
                summary = {**driver.summarize(name), "artifacts": driver.export(out)}
        except InputRejected as rejection:
            console.print(f"Rejected: {rejection}", markup=False)
            if options.json:
                _print_json({"task": {"name": name}, "rejected": str(rejection)})
            return REJECTED
        except (NothingArrived, ProcessError, RuntimeError) as error:
            if options.json:
                _print_json({"task": {"name": name}, "broken": str(error)})
            return _broken(console, error)
    if options.json:
        _print_json(summary)
    else:
        show_task(Console(), summary, out)
        _show_paths(Console(), [*summary["artifacts"]])
    return DONE


def demo(options: argparse.Namespace) -> int:
    """Run the three example tasks side by side."""
    console = Console(stderr=True)
    out: Path = options.out
    wanted = Options(logs=out / "logs")
    try:
        with (
            tempfile.TemporaryDirectory(prefix="tunedrop-") as folder,
            _started(Path(folder), wanted, console) as cloud,
            _progress(cloud, console),
        ):
            driver = Driver(cloud, _buckets(cloud))
            _demo_tasks(driver)
            summaries = [driver.summarize(task) for task in DEMO_TASKS]
            loop = review_loop(driver, DEMO_SECONDS)
            pages = driver.export(out)
    except (InputRejected, NothingArrived, ProcessError, RuntimeError) as error:
        return _broken(console, error)
    if options.json:
        _print_json({"tasks": summaries, "review": loop, "artifacts": pages})
        return DONE
    for summary in summaries:
        show_task(Console(), summary, out)
    show_loop(Console(), loop)
    _show_paths(Console(), pages)
    return DONE


def _demo_tasks(driver: Driver) -> None:
    """Upload the three labelled files at once, and the documents once there are champions."""
    uploads = {}
    for task, dataset in zip(DEMO_TASKS, DEMO_DATASETS, strict=True):
        folder = ROOT / "examples" / task
        uploads[task] = driver.upload_dataset(task, folder / dataset, folder / "task.yaml")
    for task, upload in uploads.items():
        driver.wait_for_verdict(task, upload, DEMO_SECONDS)
    documents = {
        task: driver.upload_documents(task, ROOT / "examples" / task / "documents")
        for task in DEMO_TASKS
    }
    for task, uploaded in documents.items():
        driver.wait_for_answers(task, uploaded, DEMO_SECONDS)


def bundle(options: argparse.Namespace) -> int:
    """Write the functions' bundles."""
    console = Console()
    for name, function in read_table().functions.items():
        folder = stage_bundle(name, function, options.out / name)
        console.print(f"{name}: {folder}", highlight=False, soft_wrap=True)
    return DONE


def _one_task(
    driver: Driver,
    name: str,
    dataset: Path,
    task_file: Path | None,
    documents: Path | None,
    seconds: float,
) -> None:
    """Upload, wait for the verdict, upload the documents, wait for the answers."""
    upload = driver.upload_dataset(name, dataset, task_file)
    records = driver.wait_for_verdict(name, upload, seconds)
    if documents is not None:
        uploaded = driver.upload_documents(name, documents)
        has_champion = records.champion is not None
        driver.wait_for_answers(name, uploaded, seconds, champion=has_champion)


@contextmanager
def _started(folder: Path, options: Options, console: Console) -> Iterator[LocalCloud]:
    """Start a local cloud, saying so."""
    with console.status("Starting the local cloud …"), ExitStack() as stack:
        cloud = stack.enter_context(LocalCloud(folder, options))
        running = stack.pop_all()
    with running:
        yield cloud


@contextmanager
def _progress(cloud: LocalCloud, console: Console) -> Iterator[None]:
    """Print what happens while it happens."""
    with (
        Progress(cloud.clients, _buckets(cloud).artifacts, console) as progress,
        Repeating("progress", 0.0, progress.look),
    ):
        yield


@contextmanager
def _watched_folders(cloud: LocalCloud) -> Iterator[None]:
    """Keep the four folders in step with the buckets."""
    names, client = cloud.bucket_names(), cloud.clients.storage
    console, datasets = Console(stderr=True), cloud.folder / "datasets"
    strays = Strays(_buckets(cloud), datasets, console)
    folders: list[UploadFolder | DownloadFolder] = [
        UploadFolder(client, datasets, names["datasets"]),
        UploadFolder(client, cloud.folder / "documents", names["documents"], strays.uploaded),
        DownloadFolder(client, cloud.folder / "results", names["results"]),
        DownloadFolder(client, cloud.folder / "artifacts", names["artifacts"]),
    ]
    with ExitStack() as stack:
        for folder in folders:
            stack.enter_context(Repeating("folder", FOLDER_SECONDS, folder.look))
        stack.enter_context(_progress(cloud, console))
        yield


def _buckets(cloud: LocalCloud) -> Buckets:
    addresses = Addresses.of(cloud)
    return open_local_buckets(addresses.storage, PROJECT, addresses.buckets)


def _until_interrupted() -> threading.Event:
    """Return what is set once somebody asks for the end."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    return ended


def _wrong_argument(options: argparse.Namespace) -> str:
    """Say what is wrong with the arguments of `run`, before anything is started."""
    for path in (options.dataset, options.task):
        if path is not None and not path.is_file():
            return f"{path} is not a file." if path.exists() else f"{path} does not exist."
    if options.documents is not None and not options.documents.exists():
        return f"{options.documents} does not exist."
    if options.name is not None and not TASK_NAME.fullmatch(options.name):
        return (
            f"{options.name!r} cannot be a task's name. Use up to 40 lower-case letters, digits, "
            "- and _, beginning with a letter or digit."
        )
    return "" if options.task is None else _wrong_task(options.task)


def _wrong_task(path: Path) -> str:
    """Say what is wrong with a task.yaml, by the code that would reject it in the cloud."""
    try:
        task = parse_task(path.read_text(encoding="utf-8-sig"), str(path))
    except UnicodeDecodeError:
        return f"{path} is not UTF-8. Save it as UTF-8."
    except Rejected as rejection:
        return str(rejection)
    try:
        find_base_model(task.tuning.base_model, LOCATION, datetime.now(UTC).date())
    except Rejected as rejection:
        return f"{path}: {rejection}"
    return ""


def task_name(dataset: Path) -> str:
    """Make a task's name out of a file's name."""
    stem = dataset.name.split(".")[0].lower()
    return re.sub(r"[^a-z0-9_-]+", "-", stem).strip("-_")[:40] or "task"


def how_to_use(folder: Path, addresses: Addresses, topics: Sequence[str]) -> str:
    """Say where things go and come in a local cloud that is up.

    Args:
        folder: Its folder, as it was given.
        addresses: Its addresses.
        topics: Its topics.
    """
    there = folder.resolve()
    return f"""The local cloud is up.
  labelled files   {there}/datasets/<task>/
  documents        {there}/documents/<task>/
  answers          {there}/results/<task>/
  reports          {there}/artifacts/tasks/<task>/index.html
What happens is printed below; `{typed("status", folder)}` shows what there is.
Ctrl-C ends it.
To use Google's own clients:
  export PUBSUB_EMULATOR_HOST={addresses.pubsub} STORAGE_EMULATOR_HOST={addresses.storage}
  (project {addresses.project}; topics {", ".join(topics)})
"""


def _show_paths(console: Console, pages: list[str]) -> None:
    console.rule("Reports and results")
    for page in pages:
        console.print(page, markup=False, highlight=False, soft_wrap=True)


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=1))


def _broken(console: Console, error: Exception) -> int:
    console.print(f"[red]Broken:[/red] {escape(str(error))}", soft_wrap=True)
    return BROKEN
