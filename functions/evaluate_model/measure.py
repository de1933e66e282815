"""Measures one candidate on one split: asks it in shards, stores every answer, computes figures.

A shard that is stored is never asked again, so a crash costs at most the shards in progress.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter

from functions.evaluate_model.candidates import candidate_key
from functions.evaluate_model.figures import compute_figures
from functions.evaluate_model.held_out import held_out_rows
from shared import log, paths
from shared.candidates import prompt_of
from shared.errors import Conflict, NotFound, Rejected
from shared.examples import Example
from shared.ports import Bucket, ExactMatch, Generator, Sampling, World
from shared.prompts import answer_text, parse_answer
from shared.record_store import create, read
from shared.records import Candidate, DatasetRecord, EvaluationRecord, Record
from shared.voting import INVALID

SHARD_ROWS = 16


@dataclass(frozen=True)
class Services:
    """The two services that candidates are measured with."""

    generator: Generator
    exact_match: ExactMatch


class Said(Record):
    """What a candidate said to one row; `said` is None when the service refused to answer."""

    row: int
    said: str | None
    refusal: str = ""
    prompt_tokens: int = 0
    answer_tokens: int = 0


_SHARD = TypeAdapter(tuple[Said, ...])


def measure(
    world: World,
    services: Services,
    dataset: DatasetRecord,
    candidate: Candidate,
    split: Literal["validation", "test"],
    max_rows: int,
) -> EvaluationRecord:
    """Measure a candidate, unless that was done before.

    Raises:
        Retry: A service is busy; what was answered so far is kept.
    """
    bucket = world.buckets.artifacts
    folder = evaluation_folder(dataset, candidate, f"{split}-{max_rows}")
    done = read(bucket, f"{folder}/evaluation.json", EvaluationRecord)
    if done is not None:
        return done
    rows = held_out_rows(bucket, dataset, split, max_rows)
    said = _ask_all(world, services.generator, dataset, candidate, rows, folder)
    answers = [
        None if item.said is None else parse_answer(dataset.task, item.said) for item in said
    ]
    truths = [row.answer for row in rows]
    figures = compute_figures(dataset.task, truths, answers)
    pairs = [
        (answer_text(answer) if answer is not None else item.said or INVALID, answer_text(truth))
        for answer, item, truth in zip(answers, said, truths, strict=True)
    ]
    record = EvaluationRecord(
        candidate=candidate,
        dataset=dataset.id,
        split=split,
        n=len(rows),
        metrics=figures.metrics,
        per_label=figures.per_label,
        confusions=figures.confusions,
        invalid=figures.invalid,
        service_exact_match=_service_figure(services.exact_match, pairs),
        row_scores=figures.row_scores,
        row_answers=figures.row_answers,
        row_parts=figures.row_parts,
        prompt_tokens=sum(item.prompt_tokens for item in said),
        answer_tokens=sum(item.answer_tokens for item in said),
    )
    create(bucket, f"{folder}/evaluation.json", record)
    log.info(
        "candidate measured",
        task=dataset.task_name,
        dataset=dataset.id,
        candidate=candidate.name,
        split=split,
        rows=len(rows),
    )
    return record


def _service_figure(service: ExactMatch, pairs: Sequence[tuple[str, str]]) -> float | None:
    """Ask the evaluation service for exact_match; None when it refuses: it is a second opinion."""
    try:
        scores = service.score(pairs)
    except Rejected as refusal:
        log.failure("the evaluation service refused", refusal)
        return None
    return sum(scores) / len(scores)


def evaluation_folder(dataset: DatasetRecord, candidate: Candidate, split: str) -> str:
    """Return where a candidate's answers are: below its run, or below the dataset for a prompt."""
    owner = (
        paths.run_folder(dataset.task_name, candidate.run)
        if candidate.run
        else paths.dataset_folder(dataset.task_name, dataset.id)
    )
    return paths.evaluation_folder(owner, candidate_key(candidate, dataset), split)


def _ask_all(
    world: World,
    generator: Generator,
    dataset: DatasetRecord,
    candidate: Candidate,
    rows: Sequence[Example],
    folder: str,
) -> list[Said]:
    """Ask about every row, shard by shard."""
    said: list[Said] = []
    with ThreadPoolExecutor(world.settings.request_concurrency) as pool:
        for start in range(0, len(rows), SHARD_ROWS):
            path = f"{folder}/answers-{start:05}.jsonl"
            shard = _read_shard(world.buckets.artifacts, path)
            if shard is None:
                numbers = range(start, min(start + SHARD_ROWS, len(rows)))
                fresh = list(
                    pool.map(
                        lambda number: _ask(generator, dataset, candidate, rows[number], number),
                        numbers,
                    )
                )
                _check_refusals(candidate, fresh)
                shard = _keep_shard(world.buckets.artifacts, path, fresh)
            said += shard
    return said


def _check_refusals(candidate: Candidate, shard: Sequence[Said]) -> None:
    """Refuse to count a candidate as wrong when it is the request that the service refuses."""
    refused = [item.refusal for item in shard if item.said is None]
    if len(refused) * 2 > len(shard):
        raise Rejected(
            f"{candidate.name} could not be measured: {len(refused)} of {len(shard)} requests "
            f"were refused ({refused[0]}).",
            "Look into the model and the texts, then upload the file again.",
        )


def _ask(
    generator: Generator, dataset: DatasetRecord, candidate: Candidate, row: Example, number: int
) -> Said:
    """Ask about one row: one answer, the likeliest."""
    prompt = prompt_of(candidate, dataset.task, row.text)
    try:
        reply = generator.generate(candidate.model, prompt, Sampling())
    except Rejected as refusal:
        return Said(row=number, said=None, refusal=refusal.reason)
    return Said(
        row=number,
        said=reply.texts[0],
        prompt_tokens=reply.prompt_tokens,
        answer_tokens=reply.answer_tokens,
    )


def _read_shard(bucket: Bucket, path: str) -> list[Said] | None:
    """Read a stored shard; None when it was not asked yet."""
    try:
        content, _ = bucket.read(path)
    except NotFound:
        return None
    lines = [json.loads(line) for line in content.splitlines()]
    return list(_SHARD.validate_python(lines))


def _keep_shard(bucket: Bucket, path: str, shard: list[Said]) -> list[Said]:
    """Store a shard; when another delivery was faster, its answers are the ones that count."""
    content = b"\n".join(item.model_dump_json().encode() for item in shard)
    try:
        bucket.write(path, content, if_generation=0, content_type="application/jsonl")
    except Conflict:
        return _read_shard(bucket, path) or shard
    return shard
