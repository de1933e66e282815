"""Drift: whether the answers are still like those that the champion was measured by.

The latest answers are held against the champion's evaluation: the shares of labels, or of answers
in which a field has a value, by a chi-squared test, the agreement of samples by a
Kolmogorov-Smirnov test. The threshold is halved, as there are two. It is told once; and again only
after it had gone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from functions.watch_jobs.two_samples import (
    Shift,
    compare_numbers,
    compare_parts,
    compare_shares,
)
from shared import log, paths
from shared.facts import publish_fact
from shared.ports import World
from shared.record_store import change, read
from shared.records import (
    Calibration,
    ChampionRecord,
    DriftRecord,
    EvaluationRecord,
    ResultRecord,
)

RECENT = 500
"""So many of the champion's latest answers are looked at."""

LEAST = 50
"""Of fewer, on either side, nothing is said."""

NO_ANSWER = "(no answer)"


def look_at_drift(
    world: World, champion: ChampionRecord, recent: Sequence[ResultRecord], threshold: float
) -> None:
    """Compare a task's latest answers with its champion's evaluation, and tell of drift.

    Args:
        world: The ports.
        champion: Who answers.
        recent: The latest answers, all of them comparable.
        threshold: The p-value below which it is drift.
    """
    measured = _evaluations(world, champion)
    rows = sum(item.n for item in measured)
    if len(recent) < LEAST or rows < LEAST:
        return
    labels = _labels(champion, measured, recent)
    agreement = _agreement(measured, recent)
    tests = [test.p for test in (labels, agreement) if test is not None]
    found = DriftRecord(
        task_name=champion.task_name,
        champion=champion.candidate.name,
        promoted=champion.at,
        drifted=bool(tests) and min(tests) < threshold / len(tests),
        threshold=threshold,
        answers=len(recent),
        rows=rows,
        label=labels.what if labels else "",
        label_shift=labels.distance if labels else None,
        label_p=labels.p if labels else None,
        agreement_shift=agreement.distance if agreement else None,
        agreement_p=agreement.p if agreement else None,
        at=world.clock(),
    )
    path = paths.drift(champion.task_name)
    before = read(world.buckets.artifacts, path, DriftRecord)
    told = before is not None and before.drifted and before.promoted == champion.at
    if found.drifted and not told:
        _tell(world, found)
    change(world.buckets.artifacts, path, DriftRecord, lambda _old: found)


def _tell(world: World, found: DriftRecord) -> None:
    """Publish that answers have drifted, with the figures."""
    log.warning("answers have drifted", task=found.task_name, label_p=found.label_p,
                agreement_p=found.agreement_p)  # fmt: skip
    publish_fact(
        world.publisher,
        "answers-drifted",
        found.at,
        task=found.task_name,
        candidate=found.champion,
        answers=found.answers,
        rows=found.rows,
        label_shift=found.label_shift,
        label_p=found.label_p,
        agreement_shift=found.agreement_shift,
        agreement_p=found.agreement_p,
    )


def _evaluations(world: World, champion: ChampionRecord) -> list[EvaluationRecord]:
    """Read the champion's evaluations, of validation and of test if it was measured there."""
    candidate, artifacts, task = champion.candidate, world.buckets.artifacts, champion.task_name
    owner = (
        paths.run_folder(task, candidate.run)
        if candidate.run
        else paths.dataset_folder(task, champion.dataset)
    )
    names = [
        item.name
        for item in list(artifacts.list(f"{owner}/evaluations/{candidate.name}-"))
        if item.name.endswith("/evaluation.json")
    ]
    found = [item for name in names if (item := read(artifacts, name, EvaluationRecord))]
    found = [item for item in found if item.candidate == candidate]
    # Asked in several ways, it is the last one that its calibration was fitted on.
    asked = champion.calibration
    if asked is not None:
        way = _way(asked)
        found = [item for item in found if _way(item) == way]
    return list({item.split: item for item in found}.values())


def _way(asked: Calibration | EvaluationRecord) -> tuple[int, float, float]:
    """Return how rows were asked about: at most so many samples, how freely, and until when."""
    return asked.samples, asked.temperature, asked.stop_at


def is_comparable(result: ResultRecord, champion: ChampionRecord) -> bool:
    """Whether a result is the champion's answer to a whole text, asked as it was measured."""
    provenance, asked = result.provenance, champion.calibration
    if result.status not in {"accepted", "review"} or provenance is None or result.provisional:
        return False
    if (provenance.champion, provenance.dataset) != (champion.candidate.name, champion.dataset):
        return False
    if result.answer is not None and asked is not None and asked.method != "none":
        return result.calibrated
    way = (provenance.temperature, provenance.stop_at)
    if asked is not None and way != (asked.temperature, asked.stop_at):
        return False
    return provenance.parts == 1 and provenance.characters > 0


def _labels(
    champion: ChampionRecord, measured: Sequence[EvaluationRecord], recent: Sequence[ResultRecord]
) -> Shift | None:
    """Compare the shares of labels, or how often a field is found; None if that is not known."""
    task = champion.task
    names = task.label_names or task.field_names
    if task.multi_label or task.type == "extraction":
        return _parts(names, measured, recent)
    before: Counter[str] = Counter()
    for evaluation in measured:
        before.update(
            names[said] if 0 <= said < len(names) else NO_ANSWER
            for _, said in evaluation.row_answers
        )
    if not names or before.total() < LEAST:
        return None
    now = Counter(item.answer if isinstance(item.answer, str) else NO_ANSWER for item in recent)
    return compare_shares(before, now)


def _parts(
    names: Sequence[str], measured: Sequence[EvaluationRecord], recent: Sequence[ResultRecord]
) -> Shift | None:
    """Compare how often each label is among the answers, or each field has a value."""
    known = [evaluation for evaluation in measured if evaluation.row_parts]
    rows = sum(len(evaluation.row_parts) for evaluation in known)
    if rows < LEAST:
        return None
    before = Counter(
        names[number]
        for evaluation in known
        for row in evaluation.row_parts
        for number, _, said, _ in row
        if said and number < len(names)
    )
    now = Counter(name for item in recent for name in _named(item))
    return compare_parts(before, rows, now, len(recent))


def _named(result: ResultRecord) -> Sequence[str]:
    """Return the labels of an answer, or the fields that have a value in it."""
    answer = result.answer
    if isinstance(answer, Mapping):
        return [name for name, value in answer.items() if value not in (None, "", [], ())]
    return [] if answer is None or isinstance(answer, str) else list(dict.fromkeys(answer))


def _agreement(
    measured: Sequence[EvaluationRecord], recent: Sequence[ResultRecord]
) -> Shift | None:
    """Compare how far samples agree; None where that was not measured, or with one sample."""
    before = [share for item in measured for share in item.row_agreements]
    now = [item.agreement for item in recent if item.agreement is not None]
    if min(len(before), len(now)) < LEAST or all(item.samples == 1 for item in measured):
        return None
    return compare_numbers(before, now)
