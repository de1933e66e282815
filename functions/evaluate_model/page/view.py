"""Gathers what the page shows: records and where they stand, nothing reckoned."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from math import isclose
from typing import Any

from functions.evaluate_model.page import charts, words
from functions.evaluate_model.page.commands import reproduce
from functions.evaluate_model.page.confusions import count_confusions
from shared.candidates import prompt_of
from shared.ports import Bucket
from shared.prompts import Prompt
from shared.records import (
    CoveragePoint,
    DatasetRecord,
    EvaluationRecord,
    Figure,
    JobRecord,
    NextStep,
    RunRecord,
    VerdictRecord,
)
from shared.task import Task

SOFTWARE = ("google-auth", "google-cloud-aiplatform", "scikit-learn", "scipy", "numpy")
THE_TEXT = "… the text …"
MOST_POINTS = 15

_BESIDE = re.compile(r"(\.\./)*([A-Za-z0-9_-]+/)*[A-Za-z0-9_-]+\.html")
"""A page that is stored beside this one: no other address, and nothing that a browser would run."""


@dataclass(frozen=True)
class Drawn:
    """A candidate's line in the comparison; `at` is where in verdict.json it comes from."""

    figure: Figure
    at: str
    mark: charts.Whisker


@dataclass(frozen=True)
class FullPrompt:
    """Everything that a candidate is asked with.

    Attributes:
        candidate: Its name.
        prompt: The prompt.
        picked: How many examples are picked for each text; those in `prompt` are not them.
    """

    candidate: str
    prompt: Prompt
    picked: int = 0


def page_values(
    artifacts: Bucket,
    cloud: str,
    dataset: DatasetRecord,
    policy: Task,
    verdict: VerdictRecord,
    finalists: Sequence[EvaluationRecord],
    jobs: Sequence[JobRecord],
    run: RunRecord | None,
    data_report: str,
) -> dict[str, Any]:
    """Gather the values of report.html.j2.

    Args:
        artifacts: The bucket that holds the examples that prompts are made with.
        cloud: local or google; a page from the local cloud says that it is about the stand-in.
        dataset: The dataset.
        policy: The task as it is now: what is sent to review by.
        verdict: The verdict.
        finalists: The winner's evaluation on test, and what it was compared with.
        jobs: The run's jobs.
        run: The run, if there was one.
        data_report: Where the data report is, from the page; empty when there is none.
    """
    winner = next(item for item in finalists if item.candidate.name == verdict.winner)
    winner_first = sorted(finalists, key=lambda item: item is not winner)
    extraction = dataset.task.type == "extraction"
    return {
        **{name: getattr(words, name) for name in _FORMS},
        "stand_in": cloud == "local",
        "headline": words.HEADLINES[verdict.decision],
        "STEPS": words.STEPS,
        "LINKS": words.LINKS,
        "link_of": lambda step: _link_of(step, data_report),
        "verdict": verdict,
        "dataset": dataset,
        "winner": winner,
        "finalists": winner_first,
        "metric": words.metric_name(verdict.metric),
        "steps": [step for step in verdict.next_steps if step.kind != "none" or step.title],
        "parts_name": "Field" if extraction else "Label",
        # Of a label without a row nothing is known; it is not the weakest.
        "parts": sorted(
            winner.per_label.items(),
            key=lambda item: (not item[1]["support"], item[1]["f1"], item[0]),
        ),
        "matrix": None if extraction else count_confusions(winner, dataset.task.label_names),
        "flawless": all(score == 1 for score in winner.row_scores),
        "jobs": jobs,
        "run": run,
        "remarks": {job.id: _remarks(job) for job in jobs},
        "data_report": data_report,
        "prompts": [
            FullPrompt(
                item.candidate.name,
                prompt_of(item.candidate, dataset.task, THE_TEXT, artifacts),
                item.candidate.nearest if item.candidate.pool else 0,
            )
            for item in winner_first
        ],
        "software": [(package, version(package)) for package in SOFTWARE],
        "commands": reproduce(cloud, dataset, verdict, winner_first, run),
        "thinned": _thinned,
        "as_json": lambda value: json.dumps(value, ensure_ascii=False, indent=2),
        **_comparison(verdict),
        **_confidence(verdict, policy.serving.review_below),
    }


_FORMS = (
    "excerpt",
    "hundredths",
    "metric_name",
    "metric_value",
    "p_value",
    "percent",
    "points",
    "seconds",
    "usd",
    "whole",
    "whole_points",
    "wrong_fields",
)


def _comparison(verdict: VerdictRecord) -> dict[str, Any]:
    """Place the candidates and the difference on their axes."""
    axis = charts.metric_axis(verdict.figures, verdict.metric, verdict.target)
    drawn = [
        Drawn(
            figure,
            f"/figures/{number}",
            charts.whisker(axis, figure.metrics[verdict.metric], figure.interval),
        )
        for number, figure in enumerate(verdict.figures)
    ]
    drawn.sort(key=lambda row: -row.figure.metrics[verdict.metric])
    compared = verdict.comparison
    between = charts.difference_axis(compared) if compared else None
    on_test = {item.candidate for item in verdict.figures if item.split == "test"}
    both = [item for item in verdict.figures if "service_exact_match" in item.metrics]
    return {
        "axis": axis,
        "drawn": drawn,
        "difference_axis": between,
        "difference": charts.whisker(between, compared.difference, compared.interval)
        if compared and between
        else None,
        "intervals": any(figure.interval for figure in verdict.figures),
        "metrics": list(dict.fromkeys(name for item in verdict.figures for name in item.metrics)),
        "on_test": on_test,
        "priced": [
            row
            for row in drawn
            if _has_cost(row.figure)
            and (row.figure.split == "test" or row.figure.candidate not in on_test)
        ],
        "by_service": both,
        "disagree": [
            item
            for item in both
            if not isclose(item.metrics["exact_match"], item.metrics["service_exact_match"])
        ],
    }


def _confidence(verdict: VerdictRecord, review_below: float) -> dict[str, Any]:
    """Place the winner's confidence on its charts; what is not recorded is None."""
    tests = [item for item in verdict.figures if item.split == "test"]
    best = next((item for item in tests if item.candidate == verdict.winner), None)
    best_at = f"/figures/{verdict.figures.index(best)}" if best else ""
    served = (best.calibrated or best.confidence) if best else None
    calibrated = bool(best and best.calibrated)
    values: dict[str, Any] = {
        "best": best,
        "best_at": best_at,
        "confidence": served,
        "served_calibrated": calibrated,
        "confidence_at": f"{best_at}/{'calibrated' if calibrated else 'confidence'}",
    }
    if best is None or served is None:
        return values
    rival = next((item for item in tests if item is not best and item.confidence), None)
    shown = [served, *([rival.calibrated or rival.confidence] if rival else [])]
    curves = [item for item in shown if item]
    accepted = charts.accepted_at(served, review_below)
    place = served.risk_coverage.index(accepted) if accepted else 0
    square = charts.risk_square(curves)
    return values | {
        "rival": rival,
        "reliability_square": charts.RELIABILITY,
        "raw_curve": charts.reliability(best.confidence) if best.confidence else None,
        "calibrated_curve": charts.reliability(best.calibrated) if best.calibrated else None,
        "risk_square": square,
        "risk_curves": [charts.risk_curve(square, item) for item in curves],
        "review_below": review_below,
        "accepted": accepted,
        "accepted_at": f"{values['confidence_at']}/risk_coverage/{place}",
    }


def _has_cost(figure: Figure) -> bool:
    known = (figure.usd_per_thousand, figure.seconds_p50, figure.seconds_p95)
    return any(value is not None for value in known)


def _link_of(step: NextStep, data_report: str) -> str:
    """Return where there is more about a step; empty when there is no such page."""
    missing = step.kind == "label_noise" and not data_report
    return step.link if _BESIDE.fullmatch(step.link) and not missing else ""


def _thinned(points: Sequence[CoveragePoint]) -> list[CoveragePoint]:
    """Leave out points of a curve that a table has no room for, evenly."""
    step = -(-len(points) // MOST_POINTS) or 1
    return list(points[::step])


def _remarks(job: JobRecord) -> str:
    """Say what is worth knowing of a job, in sentences and the service's own words."""
    parts = [job.error, *job.dropped_examples]
    if job.steps_done:
        parts.append(f"{job.steps_done:,} steps")
    if job.stuck:
        parts.append("showed no progress for long")
    return "; ".join(part for part in parts if part)
