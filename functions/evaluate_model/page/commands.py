"""The commands that lead to the same verdict again, or to another champion."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from shared.records import DatasetRecord, EvaluationRecord, RunRecord, VerdictRecord


def reproduce(
    cloud: str,
    dataset: DatasetRecord,
    verdict: VerdictRecord,
    finalists: Sequence[EvaluationRecord],
    run: RunRecord | None,
) -> list[tuple[str, str]]:
    """List (what it does, command). Names of people's files are quoted for the shell."""
    if cloud == "local":
        file = PurePosixPath(dataset.source_object).name
        command = f".venv/bin/python -m local run --dataset {shlex.quote(file)}"
        return [("The same again, in the local cloud:", command)]
    upload = f"gs://{dataset.source_bucket}/{dataset.source_object}#{dataset.source_generation}"
    commands = [("The upload, as it was:", f"gcloud storage cp {shlex.quote(upload)} .")]
    if run:
        request = {
            "task": dataset.task_name,
            "dataset": dataset.id,
            "base_model": run.base_model,
            "sweep": [item.model_dump() for item in run.plan],
            "checkpoints": run.checkpoints,
        }
        said = "The same run; while its records are there, this finds it and changes nothing:"
        commands.append((said, _publish("tuning-requested", request)))
    for item in finalists:
        candidate = item.candidate
        if candidate.name == verdict.winner:
            said = "To make the winner the champion by hand:"
        else:
            said = f"To serve {candidate.name} instead, or to go back to it:"
        wanted = {"task": dataset.task_name, "dataset": dataset.id, "candidate": candidate.name}
        message = wanted | ({"run": candidate.run} if candidate.run else {})
        commands.append((said, _publish("promotion-requested", message)))
    return commands


def _publish(topic: str, message: Mapping[str, object]) -> str:
    text = json.dumps(message, ensure_ascii=False)
    return f"gcloud pubsub topics publish {topic} --message={shlex.quote(text)}"
