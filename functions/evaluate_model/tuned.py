"""Measures tuned models, which, unlike base models, may be gone: then they count as failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from functions.evaluate_model.batched import side_by_side
from functions.evaluate_model.bench import Bench
from functions.evaluate_model.candidates import candidate_key
from functions.evaluate_model.measure import Split, evaluation_folder, measure
from functions.evaluate_model.opening import give_way, open_test
from functions.evaluate_model.verdict import best
from shared import log
from shared.endpoints import is_given_up
from shared.errors import ModelGone, Rejected
from shared.record_store import create, read
from shared.records import Candidate, EvaluationRecord, Record


@dataclass(frozen=True)
class Tuned:
    """What was measured of tuned models, and why the others could not be."""

    evaluations: tuple[EvaluationRecord, ...] = ()
    failed: tuple[str, ...] = ()


class MissingModel(Record):
    """A tuned model that could not be asked when it was to be measured: since when, and why."""

    since: datetime
    reason: str


def measure_tuned(bench: Bench, candidates: Sequence[Candidate]) -> Tuned:
    """Measure tuned models on validation.

    Raises:
        Retry: A service is busy, or an endpoint is not there yet.
        AwaitsBatch: Some of them are answered by batches that have not ended.
    """
    outcomes = side_by_side(
        partial(try_measure, bench, candidate, "validation") for candidate in candidates
    )
    return Tuned(
        tuple(item for item in outcomes if isinstance(item, EvaluationRecord)),
        tuple(item for item in outcomes if isinstance(item, str)),
    )


def best_on_test(
    bench: Bench, prompt: Candidate, tuned: Tuned
) -> tuple[EvaluationRecord | None, tuple[str, ...]]:
    """Open the test split for the best prompt and the best tuned model, and measure the latter.

    One that is gone gives way to the next best.

    Returns:
        Its evaluation, None when there is none, and why others could not be measured.

    Raises:
        Refused: The test split was opened for other finalists.
        Retry: A service is busy, or an endpoint is not there yet.
    """
    left, failed = list(tuned.evaluations), list(tuned.failed)
    while left:
        leader = best(left, bench.policy.primary_metric)
        left.remove(leader)
        opened = open_test(bench, prompt, leader.candidate)
        known = opened.gone.get(candidate_key(leader.candidate, bench.dataset))
        if known is not None:
            failed.append(known)
            continue
        outcome = try_measure(bench, leader.candidate, "test")
        if isinstance(outcome, EvaluationRecord):
            return outcome, tuple(failed)
        give_way(bench, leader.candidate, outcome)
        failed.append(outcome)
    open_test(bench, prompt, None)
    return None, tuple(failed)


def try_measure(bench: Bench, candidate: Candidate, split: Split) -> EvaluationRecord | str:
    """Measure a tuned model, or say why that cannot be done.

    Raises:
        Retry: A service is busy, or the endpoint has not been missing for long: a new one takes
            a while to answer.
    """
    try:
        return measure(bench, candidate, split)
    except ModelGone as gone:
        if not _is_gone_for_good(bench, candidate, split, str(gone)):
            raise
        reason = f"{candidate.name} could not be measured: its endpoint is gone."
    except Rejected as refusal:
        reason = refusal.reason
    log.warning("a tuned model could not be measured", run=candidate.run, candidate=candidate.name)
    return reason


def _is_gone_for_good(bench: Bench, candidate: Candidate, split: Split, reason: str) -> bool:
    """Whether a tuned model has been missing for so long that nobody waits for it any more."""
    world, dataset = bench.world, bench.dataset
    if is_given_up(world, dataset.task_name, candidate):
        return True
    path = f"{evaluation_folder(bench, candidate, split)}/missing.json"
    create(world.buckets.artifacts, path, MissingModel(since=world.clock(), reason=reason))
    first = read(world.buckets.artifacts, path, MissingModel)
    patience = timedelta(seconds=world.settings.revive_after_seconds)
    return first is not None and world.clock() - first.since >= patience
