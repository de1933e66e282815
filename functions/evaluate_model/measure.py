"""Measures one candidate on one split: asks it as it would be served, and computes its figures."""

from collections.abc import Sequence
from typing import Literal

from functions.evaluate_model.asking import ask_all
from functions.evaluate_model.batched import generator_for
from functions.evaluate_model.bench import Bench
from functions.evaluate_model.candidates import candidate_key
from functions.evaluate_model.costs import percentile, usd_per_thousand
from functions.evaluate_model.figures import compute_figures
from functions.evaluate_model.figures.canonical import canonical_text
from functions.evaluate_model.figures.ordinal import in_order
from functions.evaluate_model.held_out import held_out_rows
from functions.evaluate_model.opening import check_opened
from functions.evaluate_model.shards import Said, Shards
from shared import log, paths
from shared.answers import answer_text, parse_answer
from shared.candidates import needed_by, prompt_of, sampling_of
from shared.errors import NotFound, Rejected
from shared.examples import Example
from shared.ports import ExactMatch, Generator
from shared.rating import is_rated, rate
from shared.record_store import create, read
from shared.records import Candidate, EvaluationRecord, Mistake
from shared.stopping import counted
from shared.task import Serving, Task
from shared.voting import INVALID, Vote, vote

Split = Literal["validation", "test"]

MAX_MISTAKES = 500
MAX_MISTAKE_CHARACTERS = 300
"""Longer texts and answers are shortened where mistakes are listed, and kept whole elsewhere."""


def measure(bench: Bench, candidate: Candidate, split: Split) -> EvaluationRecord:
    """Measure a candidate, unless that was done before.

    Raises:
        Rejected: The service refuses most of what is asked.
        NotOpened: The test split was not opened for it.
        AwaitsBatch: A batch answers it, which has not ended.
        Retry: A service is busy, or the delivery's time is up; what was answered so far is kept.
    """
    bucket, dataset = bench.world.buckets.artifacts, bench.dataset
    folder = evaluation_folder(bench, candidate, split)
    path = f"{folder}/evaluation.json"
    done = read(bucket, path, EvaluationRecord)
    if done is not None:
        return in_order(done, dataset.task, bench.policy)
    if split == "test":
        check_opened(bench, candidate)
    rows = held_out_rows(bucket, dataset, split, bench.policy.evaluation.max_rows)
    generator, note = generator_for(bench, candidate, rows, folder)
    said = _ask(bench, candidate, rows, folder, generator)
    record = _evaluate(bench, candidate, split, rows, said)
    record = in_order(record, dataset.task, bench.policy)
    record = record.model_copy(update={"batch_note": note})
    if not create(bucket, path, record):
        # Another delivery was faster. Its answers are the same ones: shards are written once.
        record = read(bucket, path, EvaluationRecord) or record
    log.info(
        "candidate measured",
        task=dataset.task_name,
        dataset=dataset.id,
        candidate=candidate.name,
        split=split,
        rows=len(rows),
    )
    return record


def evaluation_folder(bench: Bench, candidate: Candidate, split: Split) -> str:
    """Return where a candidate's answers are: below its run, or below the dataset for a prompt.

    The folder's name says how it was asked, so that answers are never mixed up.
    """
    dataset, serving = bench.dataset, bench.policy.serving
    owner = (
        paths.run_folder(dataset.task_name, candidate.run)
        if candidate.run
        else paths.dataset_folder(dataset.task_name, dataset.id)
    )
    rows = bench.policy.evaluation.max_rows
    asked = f"{split}-{rows}-s{serving.samples}-t{serving.temperature:g}-p{serving.stop_at:g}"
    if is_rated(dataset.task, serving):
        asked += "-rated"
    return paths.evaluation_folder(owner, candidate_key(candidate, dataset), asked)


def _ask(
    bench: Bench,
    candidate: Candidate,
    rows: Sequence[Example],
    folder: str,
    generator: Generator,
) -> list[Said]:
    """Ask about every row as process_document asks about a document."""
    task, serving = bench.dataset.task, bench.policy.serving
    artifacts = bench.world.buckets.artifacts
    needed, rated = needed_by(task, serving), is_rated(task, serving)

    def ask(number: int) -> Said:
        text = rows[number].text
        prompt = prompt_of(candidate, task, text, artifacts)
        try:
            reply = generator.generate(candidate.model, prompt, sampling_of(serving, text), needed)
        except Rejected as refusal:
            return Said(row=number, said=None, refusal=refusal.reason)
        said = Said(
            row=number,
            said=reply.texts,
            prompt_tokens=reply.prompt_tokens,
            answer_tokens=reply.answer_tokens,
            seconds=reply.seconds,
            batched=reply.batched,
            model_version=reply.model_version,
        )
        return _rated(said, bench, candidate, text) if rated else said

    shards = Shards(artifacts, folder)
    most = bench.world.settings.request_concurrency
    try:
        return ask_all(len(rows), ask, shards, bench.shift, most, bench.services.pause)
    except Rejected as refusal:
        raise Rejected(
            f"{candidate.name} could not be measured: {refusal.reason}",
            "Look into the model and the texts, then upload the file again.",
        ) from None


def _evaluate(
    bench: Bench,
    candidate: Candidate,
    split: Split,
    rows: Sequence[Example],
    said: Sequence[Said],
) -> EvaluationRecord:
    """Compute everything that follows from a candidate's answers."""
    task, serving = bench.dataset.task, bench.policy.serving
    votes = [_vote(task, serving, item) for item in said]
    answers = [item.answer for item in votes]
    truths = [row.answer for row in rows]
    shown = [_shown(*pair) for pair in zip(votes, said, strict=True)]
    figures = compute_figures(task, truths, answers)
    prompt_tokens = sum(item.prompt_tokens for item in said)
    answer_tokens = sum(item.answer_tokens for item in said)
    rating_prompt_tokens = sum(item.rating_prompt_tokens for item in said)
    rating_answer_tokens = sum(item.rating_answer_tokens for item in said)
    seconds = [item.seconds for item in said if item.said is not None and not item.batched]
    wrong = [row for row, score in enumerate(figures.row_scores) if score < 1]
    return EvaluationRecord(
        candidate=candidate,
        dataset=bench.dataset.id,
        split=split,
        n=len(rows),
        metrics=figures.metrics,
        per_label=figures.per_label,
        confusions=figures.confusions,
        invalid=figures.invalid,
        service_exact_match=_service_figure(
            bench.services.exact_match,
            [
                (words if answer is None else canonical_text(answer), canonical_text(truth))
                for words, answer, truth in zip(shown, answers, truths, strict=True)
            ],
        ),
        row_scores=figures.row_scores,
        row_agreements=tuple(item.confidence for item in votes),
        row_ratings=tuple(item.rating for item in said) if is_rated(task, serving) else (),
        row_answers=figures.row_answers,
        row_parts=figures.row_parts,
        samples=serving.samples,
        samples_counted=sum(sum(item.tally.values()) for item in votes) / len(votes),
        temperature=serving.temperature,
        batched=sum(item.batched for item in said),
        stop_at=serving.stop_at,
        model_versions=tuple(sorted({item.model_version for item in said} - {""})),
        mistakes=tuple(
            Mistake(
                row=row,
                text=_shortened(rows[row].text),
                truth=_shortened(answer_text(truths[row])),
                answer=_shortened(shown[row]),
                confidence=votes[row].confidence,
            )
            for row in wrong[:MAX_MISTAKES]
        ),
        prompt_tokens=prompt_tokens,
        answer_tokens=answer_tokens,
        rating_prompt_tokens=rating_prompt_tokens,
        rating_answer_tokens=rating_answer_tokens,
        seconds_p50=percentile(seconds, 50),
        seconds_p95=percentile(seconds, 95),
        usd_per_thousand=usd_per_thousand(
            candidate.base_model, len(rows), prompt_tokens, answer_tokens
        ),
        rating_usd_per_thousand=usd_per_thousand(
            candidate.base_model, len(rows), rating_prompt_tokens, rating_answer_tokens
        )
        if is_rated(task, serving)
        else None,
    )


def _rated(said: Said, bench: Bench, candidate: Candidate, text: str) -> Said:
    """Have the candidate rate the answer that its samples came to, as process_document does."""
    task = bench.dataset.task
    answer = _vote(task, bench.policy.serving, said).answer
    if answer is None:
        return said
    rating, reply = rate(bench.services.generator, candidate, task, text, answer)
    tokens = (reply.prompt_tokens, reply.answer_tokens) if reply else (0, 0)
    return said.model_copy(
        update={
            "rating": rating,
            "rating_prompt_tokens": tokens[0],
            "rating_answer_tokens": tokens[1],
        }
    )


def _vote(task: Task, serving: Serving, item: Said) -> Vote:
    """Let the samples of a row that count vote; a row that the service refused has no answer."""
    if item.said is None:
        return Vote(None, 0.0, {}, {})
    samples = [parse_answer(task, text) for text in item.said]
    return vote(counted(samples, serving.stop_at, serving.samples), task.label_names)


def _shown(decided: Vote, item: Said) -> str:
    """Write what a candidate answered: the winner, or its own words if no sample was an answer."""
    if decided.answer is not None:
        return answer_text(decided.answer)
    return item.said[0] if item.said else INVALID


def _shortened(text: str) -> str:
    """Cut a text that is too long for a list."""
    if len(text) <= MAX_MISTAKE_CHARACTERS:
        return text
    return f"{text[: MAX_MISTAKE_CHARACTERS - 1]}…"


def _service_figure(service: ExactMatch, pairs: Sequence[tuple[str, str]]) -> float | None:
    """Ask the evaluation service for exact_match; it is a second opinion, and blocks no verdict.

    Returns:
        Its figure; None when it refuses, is not there in this region, or left pairs out.

    Raises:
        Retry: It is busy, or a role is missing, which may yet come.
    """
    try:
        scores = service.score(pairs)
    except (Rejected, NotFound) as refusal:
        kind = type(refusal).__name__
        log.warning("the evaluation service gives no second opinion", error=kind)
        return None
    if len(scores) != len(pairs):
        said = {"rows": len(pairs), "scores": len(scores)}
        log.warning("the evaluation service did not score every row, so it counts for none", **said)
        return None
    return sum(scores) / len(scores)
