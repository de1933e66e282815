"""Verdicts as they come out of a run, with texts as nasty as people's files hold them.

Figures are made up but agree with each other as far as the page shows them side by side.
"""

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from shared.records import (
    Calibration,
    Candidate,
    Comparison,
    ConfidenceFigures,
    CoveragePoint,
    DatasetRecord,
    Decision,
    EvaluationRecord,
    Figure,
    Interval,
    JobRecord,
    Mistake,
    NextStep,
    ReliabilityBin,
    RunRecord,
    Shot,
    VerdictRecord,
)
from shared.task import Configuration, Task

NOW = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
KNOWN = 5
"""Answers are sampled five times: so many confidences there are."""

PARCEL_LABELS = {
    "where_is_my_parcel": "asks where a parcel is or when it will arrive",
    "damaged_parcel": "a parcel arrived broken, wet, torn open or with contents missing",
    "change_delivery": "wants another day, time or place of delivery",
    "wrong_address": "the address on a parcel is wrong, old or incomplete",
    "customs_and_fees": "asks about customs, duty, import tax or a charge",
    "complaint_about_driver": "complains about how a driver or courier behaved",
}

NASTY = (
    "<script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">",
    "The label said \u202egnihtemos esle\u202c, and then \u2066isolated\u2069 words.",
    "السلام عليكم، أين طردي؟ رقم التتبع 12345 لم يصل بعد.",
    "Pneumono" + "ultramicroscopicsilicovolcanoconiosis" * 12,
    "📦💥😡 my parcel 👨‍👩‍👧‍👦 🏳️‍🌈 " + "🚚" * 60,
    "bell \x07, escape \x1b[31m, null \x00, delete \x7f, next line \x85 and a line\nbreak",
    "Z" + "\u0337\u0310\u0311\u0312" * 20 + "algo on the line above",
    "</bdi></p></main></style><style>*{display:none}</style>{{ 7 * 7 }} &amp; ${x}",
    "我的包裹在哪里？已经两个星期了，没有任何消息。" * 8,
    "My parcel was left at number 8 The Crescent, I live at 8 Crescent Avenue. " * 12,
)


@dataclass(frozen=True)
class Story:
    """Everything that a page is drawn from."""

    dataset: DatasetRecord
    verdict: VerdictRecord
    finalists: tuple[EvaluationRecord, ...]
    jobs: tuple[JobRecord, ...] = ()
    run: RunRecord | None = None

    @property
    def folder(self) -> str:
        """Where its page belongs."""
        task = self.dataset.task_name
        return (
            f"tasks/{task}/runs/{self.run.id}"
            if self.run
            else (f"tasks/{task}/datasets/{self.dataset.id}")
        )


def parcels() -> Story:
    """Six labels; the tuned model wins."""
    labels = [{"name": name, "description": text} for name, text in PARCEL_LABELS.items()]
    task = {"type": "classification", "labels": labels, "instruction": "Sort a message."}
    return _labelled("parcel_questions", task, n=131, skills=(0.72, 0.9), seed=5)


def intents() -> Story:
    """Seventy-seven labels, of which some are hard to tell apart; too few rows to tell."""
    words = ("card", "transfer", "top_up", "cash_withdrawal", "exchange_rate", "pin", "balance")
    ends = ("pending", "declined", "fee_charged", "not_recognised", "arrival", "lost_or_stolen")
    more = ("not_updated_after_bank_transfer", "wrong_amount_received", "limit", "how_to", "why")
    names = [f"{word}_{end}" for word in words for end in (*ends, *more)]
    task = {"type": "classification", "labels": names, "target": {"value": 0.95}}
    return _labelled(
        "intents", task, n=600, skills=(0.83, 0.86), seed=2, decision="not_enough_data"
    )


def reviews() -> Story:
    """An ordered sentiment; nothing reaches the target, and nothing could be calibrated."""
    names = ["terrible", "poor", "mixed", "good", "excellent"]
    task = {"type": "sentiment", "labels": names, "ordered": True, "target": {"value": 0.8}}
    return _labelled(
        "restaurant_reviews",
        task,
        n=120,
        skills=(0.58, 0.6),
        seed=3,
        decision="below_target",
        calibrated=False,
        neighbours=True,
    )


def receipts() -> Story:
    """An extraction that a prompt is enough for: no run, no confusions."""
    fields = ["company", "date", "total", "address"]
    task = Task.model_validate({"type": "extraction", "fields": fields, "target": {"value": 0.85}})
    rng = random.Random(4)
    dataset = _dataset("receipts", task)
    scores = tuple(rng.choice((1.0, 1.0, 1.0, 1.0, 0.75, 0.75, 0.5)) for _ in range(80))
    candidates = [_prompting("few-shot", task), _prompting("zero-shot", task)]
    truth = {
        "company": "BENS INDEPENDENT GROCER SDN. BHD",
        "date": "25/12/2026",
        "total": "1,204.50",
        "address": "LOT 6, JALAN BATAI, PLAZA BATAI, 50490 KUALA LUMPUR, WILAYAH PERSEKUTUAN",
    }
    wrong = {**truth, "total": "1204.5", "address": None}
    mistakes = tuple(
        Mistake(
            row=row,
            text=text,
            truth=json.dumps(truth),
            answer=json.dumps(wrong) if row % 3 else "I am sorry, \x1b[2J I cannot read this.",
            confidence=0.6,
        )
        for row, text in enumerate(NASTY)
    )
    finalist = EvaluationRecord(
        candidate=candidates[0],
        dataset=dataset.id,
        split="test",
        n=80,
        metrics={"field_f1": 0.9, "exact_match": 0.61, "valid_share": 0.975},
        per_label={
            name: {
                "precision": 0.95 - i / 20,
                "recall": 0.93 - i / 30,
                "f1": 0.94 - i / 25,
                "support": 80.0 - i,
            }
            for i, name in enumerate(fields)
        },
        confusions=(),
        invalid=2,
        service_exact_match=None,
        row_scores=scores,
        samples=5,
        temperature=0.7,
        mistakes=mistakes,
        prompt_tokens=48_210,
        answer_tokens=6_400,
    )
    figures = [
        Figure(
            candidate=candidate.name,
            kind="prompting",
            split=split,
            n=n,
            metrics={"field_f1": value, "exact_match": value - 0.29, "valid_share": 0.975},
            interval=Interval(low=value - 0.05, high=value + 0.04),
            usd_per_thousand=0.084 + i / 40,
            seconds_p50=0.62,
            seconds_p95=1.18,
        )
        for i, (candidate, split, n, value) in enumerate(
            (
                (candidates[0], "validation", 60, 0.91),
                (candidates[1], "validation", 60, 0.86),
                (candidates[0], "test", 80, 0.9),
            )
        )
    ]
    verdict = VerdictRecord(
        task_name="receipts",
        dataset=dataset.id,
        basis="0d9e8f7a6b5c",
        decision="keep_prompting",
        winner="few-shot",
        metric="field_f1",
        target=0.85,
        target_met=True,
        reason="Prompting reaches 0.910 of field_f1 on validation; the target is 0.85.",
        figures=tuple(figures),
        created=NOW,
    )
    return Story(dataset, verdict, (finalist,))


def old() -> Story:
    """A verdict as version 0.1 recorded it: figures and a p-value, and nothing else."""
    story = parcels()
    bare = {
        "interval": None,
        "confidence": None,
        "calibration": None,
        "calibrated": None,
        "seconds_p50": None,
        "seconds_p95": None,
        "usd_per_thousand": None,
    }
    figures = tuple(item.model_copy(update=bare) for item in story.verdict.figures)
    assert story.verdict.comparison is not None
    comparison = story.verdict.comparison.model_copy(
        update={"interval": None, "p_corrected": None, "compared": 1}
    )
    verdict = story.verdict.model_copy(
        update={"figures": figures, "comparison": comparison, "next_steps": ()}
    )
    finalists = tuple(
        item.model_copy(
            update={"row_answers": (), "mistakes": (), "row_agreements": (), "samples": 1}
        )
        for item in story.finalists
    )
    return Story(story.dataset, verdict, finalists, story.jobs, story.run)


STORIES = {
    "parcels": parcels,
    "intents": intents,
    "reviews": reviews,
    "receipts": receipts,
    "old": old,
}


def _labelled(
    name: str,
    declared: dict[str, Any],
    n: int,
    skills: tuple[float, float],
    seed: int,
    decision: Decision = "promote_tuned",
    calibrated: bool = True,
    neighbours: bool = False,
) -> Story:
    rng = random.Random(seed)
    task = Task.model_validate(declared)
    dataset = _dataset(name, task)
    plan = tuple(
        Configuration(epoch_count=epochs, learning_rate_multiplier=rate)
        for epochs, rate in ((4, 1.0), (12, 4.0), (20, 0.5))
    )
    run = RunRecord(
        id="f8b299617cd7",
        task_name=name,
        dataset=dataset.id,
        base_model="gemini-3.5-flash-lite",
        plan=plan,
        jobs=tuple(f"f8b299617cd7-{i}" for i in range(3)),
        state="closed",
        plan_note="Google's recommendation for fewer than 500 examples, smallest adapter only.",
        estimated_usd=1.68,
        estimated_low_usd=1.26,
        estimated_high_usd=2.1,
        actual_usd=1.54,
        price_note="31,182 tokens (±25 %) x 36 epochs at $1.5 a million",
        created=NOW,
    )
    jobs = tuple(
        JobRecord(
            id=run.jobs[i],
            run=run.id,
            task_name=name,
            dataset=dataset.id,
            base_model=run.base_model,
            configuration=plan[i],
            state="succeeded" if i < 2 else "failed",
            example_count=177,
            billable_tokens=124_728,
            epochs_done=plan[i].epoch_count if i < 2 else 0,
            error="" if i < 2 else "INTERNAL: the training process ended unexpectedly",
            truncated_examples=i,
            created=NOW,
        )
        for i in range(3)
    )
    prompt = _prompting("few-shot", task)
    tuned = Candidate(
        name="tuned-e12-m4-a1",
        kind="tuned",
        base_model=run.base_model,
        run=run.id,
        model="projects/123456789012/locations/us-central1/endpoints/8713456789012345678",
        job=run.jobs[1],
        configuration=plan[1],
    )
    evaluations = tuple(
        _evaluation(rng, task, dataset, candidate, n, skill, neighbours)
        for candidate, skill in zip((prompt, tuned), skills, strict=True)
    )
    prompt_test, tuned_test = evaluations
    pairs = list(zip(tuned_test.row_scores, prompt_test.row_scores, strict=True))
    difference = tuned_test.metrics["exact_match"] - prompt_test.metrics["exact_match"]
    comparison = Comparison(
        tuned=tuned.name,
        prompting=prompt.name,
        n=n,
        difference=difference,
        tuned_better=sum(a > b for a, b in pairs),
        prompting_better=sum(a < b for a, b in pairs),
        p_value=0.0023 if decision == "promote_tuned" else 0.21,
        p_corrected=0.0046 if decision == "promote_tuned" else 0.38,
        compared=2,
        interval=Interval(
            low=difference - 0.13 * (51 / n) ** 0.5, high=difference + 0.12 * (51 / n) ** 0.5
        ),
    )
    winner = tuned_test if decision == "promote_tuned" else prompt_test
    value = winner.metrics["exact_match"]
    figures = (
        *(
            _validation(rng, candidate, "prompting" if candidate[0] != "t" else "tuned", skill)
            for candidate, skill in (
                ("zero-shot", skills[0] - 0.12),
                ("few-shot", skills[0] + 0.05),
                ("tuned-e12-m4-a1", skills[1] - 0.03),
                ("tuned-e4-m1-a1", skills[1] - 0.07),
            )
        ),
        *(_test(item, calibrated) for item in evaluations),
    )
    verdict = VerdictRecord(
        task_name=name,
        dataset=dataset.id,
        run=run.id,
        basis="5b1d0c9e7f3a",
        decision=decision,
        winner=winner.candidate.name,
        metric="exact_match",
        target=task.target.value,
        target_met=value >= task.target.value,
        reason=_reason(decision, comparison),
        figures=figures,
        comparison=comparison,
        further_examples=1400 if decision == "not_enough_data" else None,
        next_steps=_steps(task, winner),
        failed_jobs=(f"{run.jobs[2]}: failed INTERNAL",),
        failed_candidates=("tuned-e20-m0p5-a1 could not be measured: its endpoint is gone.",),
        created=NOW,
    )
    return Story(dataset, verdict, evaluations, jobs, run)


def _reason(decision: Decision, compared: Comparison) -> str:
    points = f"{abs(compared.difference) * 100:.1f} points of exact_match"
    counted = (
        f"it does better on {compared.tuned_better} of {compared.n} test rows and worse on "
        f"{compared.prompting_better}"
    )
    if decision == "promote_tuned":
        return f"{compared.tuned} beats {compared.prompting} by {points}: {counted} (p = 0.0023)."
    if decision == "below_target":
        return f"Neither {compared.tuned} nor {compared.prompting} reaches the target."
    return (
        f"{compared.tuned} is {points} ahead of {compared.prompting}, which chance can explain: "
        f"{counted}. The prompt stays until more test rows tell."
    )


def _dataset(name: str, task: Task) -> DatasetRecord:
    return DatasetRecord(
        id="a6094e00c4c6",
        task_name=name,
        task=task,
        explanation=("task.yaml says so",),
        source_bucket="acme-datasets",
        source_object=f"{name}/it's <b>{name}</b> \u202evsc.csv",
        source_generation=1730623812345678,
        rows=274,
        counts={"train": 177, "validation": 41, "test": 51},
        quarantined=5,
        quarantined_by_reason={"no label": 5},
        labels={},
        training_tokens=31_182,
        created=NOW,
    )


def _prompting(strategy: str, task: Task) -> Candidate:
    answer: Any = dict.fromkeys(task.field_names, "x") if task.fields else task.label_names[0]
    shots = tuple(Shot(text=text, answer=answer) for text in NASTY[:6])
    return Candidate(
        name=strategy,
        kind="prompting",
        model="locations/us/publishers/google/models/gemini-3.5-flash-lite",
        base_model="gemini-3.5-flash-lite",
        shots=shots if strategy == "few-shot" else (),
    )


def _evaluation(
    rng: random.Random,
    task: Task,
    dataset: DatasetRecord,
    candidate: Candidate,
    n: int,
    skill: float,
    neighbours: bool,
) -> EvaluationRecord:
    names = task.label_names
    last = len(names) - 1
    answers = []
    for row in range(n):
        truth = row % len(names)
        roll = rng.random()
        if roll < skill:
            said = truth
        elif roll > 0.99:
            said = -1
        elif neighbours:
            said = min(max(truth + rng.choice((-1, 1, 1)), 0), last)
        else:
            said = (truth + rng.choice((1, 1, 1, 2, last))) % len(names)
        answers.append((truth, said))
    per_label = {}
    for place, name in enumerate(names):
        hits = answers.count((place, place))
        right = sum(truth == place for truth, _ in answers)
        given = sum(said == place for _, said in answers)
        precision, recall = hits / given if given else 0.0, hits / right if right else 0.0
        both = precision + recall
        per_label[name] = {
            "precision": precision,
            "recall": recall,
            "support": float(right),
            "f1": 2 * precision * recall / both if both else 0.0,
        }
    wrong = [(row, pair) for row, pair in enumerate(answers) if pair[0] != pair[1]]
    pairs = sorted({pair for _, pair in wrong}, key=lambda pair: (-answers.count(pair), pair))
    shown = [*names, "(not an answer)"]
    agreements = tuple(
        rng.choice((1.0, 1.0, 1.0, 0.8, 0.8, 0.6) if a == b else (1.0, 0.8, 0.6, 0.6, 0.4))
        for a, b in answers
    )
    exact = sum(a == b for a, b in answers) / n
    macro = sum(item["f1"] for item in per_label.values()) / len(names)
    ordinal = {"ordinal_error": 0.52, "quadratic_kappa": 0.71} if task.ordered else {}
    return EvaluationRecord(
        candidate=candidate,
        dataset=dataset.id,
        split="test",
        n=n,
        metrics={
            "exact_match": exact,
            "valid_share": 1 - sum(b < 0 for _, b in answers) / n,
            "macro_f1": macro,
            "weighted_f1": macro,
            **ordinal,
        },
        per_label=per_label,
        confusions=tuple((shown[a], shown[b], answers.count((a, b))) for a, b in pairs)[:50],
        invalid=sum(said < 0 for _, said in answers),
        service_exact_match=exact,
        row_scores=tuple(float(a == b) for a, b in answers),
        row_agreements=agreements,
        row_answers=tuple(answers),
        samples=KNOWN,
        temperature=0.7,
        mistakes=tuple(
            Mistake(
                row=row,
                text=NASTY[i % len(NASTY)],
                truth=shown[pair[0]],
                answer=shown[pair[1]],
                confidence=agreements[row],
            )
            for i, (row, pair) in enumerate(wrong[:20])
        ),
        prompt_tokens=48_210,
        answer_tokens=1_204,
        seconds_p50=0.41,
        seconds_p95=0.93,
        usd_per_thousand=0.0841,
    )


def _confidence(pairs: list[tuple[float, float]]) -> ConfidenceFigures:
    """Figures of (confidence, right) pairs, reckoned plainly."""
    n = len(pairs)
    bins = []
    for step in range(10):
        low, high = step / 10, (step + 1) / 10
        inside = [p for p in pairs if low < p[0] <= high]
        confidence, right = (
            sum(pair[part] for pair in inside) / max(len(inside), 1) for part in (0, 1)
        )
        bins.append(
            ReliabilityBin(low=low, high=high, n=len(inside), confidence=confidence, correct=right)
        )
    curve = []
    for threshold in sorted({p[0] for p in pairs}):
        taken = [p[1] for p in pairs if p[0] >= threshold]
        risk = 1 - sum(taken) / len(taken)
        curve.append(CoveragePoint(threshold=threshold, coverage=len(taken) / n, risk=risk))
    return ConfidenceFigures(
        n=n,
        ece=sum(b.n / n * abs(b.confidence - b.correct) for b in bins),
        brier=sum((c - r) ** 2 for c, r in pairs) / n,
        auroc=0.83,
        bins=tuple(bins),
        risk_coverage=tuple(curve),
    )


def _test(item: EvaluationRecord, calibrated: bool) -> Figure:
    value = item.metrics["exact_match"]
    raw = list(zip(item.row_agreements, item.row_scores, strict=True))
    fitted = {
        level: sum(r for c, r in raw if c == level) / sum(c == level for c, _ in raw)
        for level in {c for c, _ in raw}
    }
    mapped = [(min(max(0.85 * fitted[c] + 0.1, 0), 1), r) for c, r in raw]
    calibration = (
        Calibration(method="isotonic", n=300)
        if calibrated
        else Calibration(method="none", n=41, reason="41 validation rows are too few to fit it on.")
    )
    half = 1.96 * (value * (1 - value) / item.n) ** 0.5
    return Figure(
        candidate=item.candidate.name,
        kind=item.candidate.kind,
        split="test",
        n=item.n,
        metrics=item.metrics_with_service(),
        interval=Interval(low=value - half, high=min(value + half * 0.8, 0.999)),
        confidence=_confidence(raw),
        calibration=calibration,
        calibrated=_confidence(mapped) if calibrated else None,
        seconds_p50=item.seconds_p50,
        seconds_p95=item.seconds_p95,
        usd_per_thousand=item.usd_per_thousand,
    )


def _validation(
    rng: random.Random, name: str, kind: Literal["prompting", "tuned"], value: float
) -> Figure:
    return Figure(
        candidate=name,
        kind=kind,
        split="validation",
        n=41,
        metrics={
            "exact_match": value,
            "valid_share": 1.0,
            "macro_f1": value - 0.02,
            "weighted_f1": value - 0.01,
        },
        interval=Interval(low=value - 0.12, high=min(value + 0.09, 0.995)),
        seconds_p50=rng.uniform(0.3, 0.5),
        seconds_p95=rng.uniform(0.8, 1.2),
        usd_per_thousand=0.0841 if kind == "tuned" else 0.412,
    )


def _steps(task: Task, winner: EvaluationRecord) -> tuple[NextStep, ...]:
    truth, said, count = winner.confusions[0]
    return (
        NextStep(
            kind="unclear_instruction",
            title=f"Say what tells {truth} from {said}",
            detail=f"{count} rows of {truth} are answered as {said}, with a high confidence: the "
            "instruction does not tell them apart. Describe both labels in task.yaml.",
            labels=(truth, said),
            cost=count / winner.n,
            examples=winner.mistakes[:3],
        ),
        NextStep(
            kind="too_little_data",
            title="Label about 200 more training examples",
            detail="From half of the examples to all of them, exact_match on validation rose by "
            "4.1 points, so that more of them are likely to help.",
            labels=task.label_names[:2],
            cost=0.041,
            link="../../index.html",
        ),
    )
