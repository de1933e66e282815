"""Where everything is kept in the artifacts bucket, and ids that follow from content."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date

from shared.errors import Rejected
from shared.task import TASK_NAME, Configuration


def content_id(*parts: object) -> str:
    """Make an id out of content: 12 hexadecimal digits, the same for the same content."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def dataset_id(
    bucket: str, name: str, generation: int, data_key: Mapping[str, object], corrections: str = ""
) -> str:
    """Name a dataset after the upload, the part of the task that shapes it, and corrections."""
    added = (corrections,) if corrections else ()
    return content_id(bucket, name, generation, data_key, *added)


def run_id(
    dataset: str, base_model: str, plan: Sequence[Configuration], checkpoints: str = "last"
) -> str:
    """Name a run after its dataset, base model, plan, and whether all checkpoints are kept."""
    kept = () if checkpoints == "last" else (checkpoints,)
    return content_id(dataset, base_model, [item.model_dump() for item in plan], *kept)


def configuration_name(configuration: Configuration) -> str:
    """Name a configuration briefly, such as e4-m1-a1 (epochs, rate multiplier, adapter size)."""
    exact = repr(configuration.learning_rate_multiplier).removesuffix(".0")
    rate = exact.replace(".", "p").replace("-", "n")
    return f"e{configuration.epoch_count}-m{rate}-a{configuration.adapter_size}"


def task_of(object_name: str) -> str:
    """Return the task that an object in the datasets or documents bucket belongs to.

    Raises:
        Rejected: The object is not in a task's folder.
    """
    task, slash, rest = object_name.partition("/")
    if not slash or not rest:
        raise Rejected(
            f"{object_name!r} is not in a task's folder.",
            "Upload it as <task>/<file>; the folder's name becomes the task's name.",
        )
    return check_task_name(task)


def check_task_name(task: str) -> str:
    """Return a task's name if it is one. Raises Rejected."""
    if not TASK_NAME.fullmatch(task):
        raise Rejected(
            f"{task[:60]!r} cannot be a task's name.",
            "Use up to 40 lower-case letters, digits, - and _, beginning with a letter or digit.",
        )
    return task


def task_record(task: str) -> str:
    """The task as it is now."""
    return f"tasks/{task}/task.json"


def champion(task: str) -> str:
    """The task's champion."""
    return f"tasks/{task}/champion.json"


def index_page(task: str) -> str:
    """The page that links all others of the task."""
    return f"tasks/{task}/index.html"


def drift(task: str) -> str:
    """How far the task's answers are from those of its champion's evaluation."""
    return f"tasks/{task}/drift.json"


def dataset_folder(task: str, dataset: str) -> str:
    """Everything that belongs to a dataset."""
    return f"tasks/{task}/datasets/{dataset}"


def dataset_record(task: str, dataset: str) -> str:
    """The dataset's record, written last: the dataset exists once this does."""
    return f"{dataset_folder(task, dataset)}/dataset.json"


def split_file(task: str, dataset: str, split: str) -> str:
    """The Gemini lines of train, validation or test; or quarantine's rows."""
    return f"{dataset_folder(task, dataset)}/{split}.jsonl"


def example_pool(task: str, dataset: str, content: str) -> str:
    """The examples that prompts pick from, named by their content's id."""
    return f"{dataset_folder(task, dataset)}/examples/{content}.jsonl"


def run_folder(task: str, run: str) -> str:
    """Everything that belongs to a run."""
    return f"tasks/{task}/runs/{run}"


def run_record(task: str, run: str) -> str:
    """The run's record."""
    return f"{run_folder(task, run)}/run.json"


def job_record(task: str, run: str, job: str) -> str:
    """A job's record."""
    return f"{run_folder(task, run)}/jobs/{job}.json"


def batch_folder(task: str, batch: str) -> str:
    """Everything that belongs to a batch."""
    return f"tasks/{task}/batches/{batch}"


def batch_record(task: str, batch: str) -> str:
    """The batch's record, written after its requests."""
    return f"{batch_folder(task, batch)}/batch.json"


def batch_requests(task: str, batch: str) -> str:
    """What the batch asks, a line a request."""
    return f"{batch_folder(task, batch)}/requests.jsonl"


def batch_predictions(task: str, batch: str) -> str:
    """What the service's answers begin with."""
    return f"{batch_folder(task, batch)}/predictions"


def removed_endpoints(task: str, run: str) -> str:
    """What becomes of a run's endpoints after its verdict."""
    return f"{run_folder(task, run)}/removed.json"


def opening(owner: str) -> str:
    """Whom the test split was opened for, below the dataset's or the run's folder."""
    return f"{owner}/test-opened.json"


def evaluation_folder(owner: str, candidate: str, split: str) -> str:
    """A candidate's answers on a split, below the dataset's or the run's folder."""
    return f"{owner}/evaluations/{candidate}/{split}"


def open_marker(kind: str, task: str, identifier: str) -> str:
    """The sign that work is not finished yet; the watcher looks at every one."""
    return f"open/{kind}/{task}/{identifier}.json"


def rejection(function: str, *identity: object) -> str:
    """The record of a rejection."""
    return f"rejected/{function}/{content_id(*identity)}.json"


def budget(period: str) -> str:
    """The ledger of a period, such as 2026-11."""
    return f"budget/{period}.json"


WATCH = "watch.json"
"""What the watcher does once a day only, and when it last did."""

KILL_SWITCH = "stop.json"
"""While this object is in the artifacts bucket, no tuning job is created."""


REVIEW_FOLDER = "review"
"""The folder of a task's results that holds its review files; no document may be in it."""


def result(document_name: str) -> str:
    """The answer to a document, in the results bucket."""
    return f"{document_name}.json"


def review_file(task: str, day: date, part: int = 1) -> str:
    """The answers of a day that a person should look at, in the results bucket."""
    beyond = "" if part == 1 else f"-{part}"
    return f"{task}/{REVIEW_FOLDER}/{day.isoformat()}{beyond}.jsonl"


def corrections(task: str) -> str:
    """The folder of review files that a person has filled in, in the datasets bucket."""
    return f"{task}/corrections/"


def daily_export(task: str, day: date, kind: str) -> str:
    """The answers of a day as one file, in the results bucket."""
    return f"{task}/daily/{day.isoformat()}.{kind}"
