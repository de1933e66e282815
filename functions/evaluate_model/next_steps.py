"""Says what a person can do next: what costs most, why probably, and rows that show it.

It looks at the validation rows only. The test rows stay unread: an instruction that is mended by
them would be measured by what it was mended with.
"""

import math
import statistics
from collections.abc import Mapping, Sequence

from functions.evaluate_model.errors import (
    Cost,
    agreed_rows,
    examples_of,
    invalid_rows,
    pair_costs,
    part_costs,
    training_counts,
)
from functions.evaluate_model.growth import Growth
from functions.evaluate_model.learning import learning_curve
from shared.examples import ENOUGH_FOR_TUNING
from shared.records import Candidate, DatasetRecord, EvaluationRecord, NextStep, RunRecord
from shared.task import Task

MAX_STEPS = 6
MAX_EXAMPLES = 3
MIN_ROWS = 3
"""Fewer rows than this show no pattern."""

_HALF = 0.5
_MANY_INVALID = 0.02
_FEW_EXAMPLES = 20


def next_steps(
    dataset: DatasetRecord,
    policy: Task,
    winner: Candidate,
    validation: Sequence[EvaluationRecord],
    run: RunRecord | None,
    grown: Growth | None = None,
    tested: EvaluationRecord | None = None,
) -> tuple[NextStep, ...]:
    """Say what would help most, the most costly first.

    Args:
        dataset: The dataset: its task, and how many training examples a label has.
        policy: The task as it is now: its metric and its target.
        winner: The candidate whose mistakes are looked at.
        validation: What was measured on validation.
        run: The run that the verdict is of, if there is one.
        grown: How the metric has grown with the task's training examples, if that is seen.
        tested: The winner on test, if it was asked there: only its figure is looked at.
    """
    mine = next((item for item in validation if item.candidate.name == winner.name), None)
    if mine is None:
        return ()
    look = _Look(dataset, policy, mine, validation, run)
    steps = [
        *look.invalid(), *look.parts(), *look.data(), *look.growth(grown), *look.luck(tested),
    ]  # fmt: skip
    steps.sort(key=lambda step: -step.cost)
    return tuple(steps[:MAX_STEPS]) or (look.nothing(),)


class _Look:
    """A look at a candidate's mistakes, beside what others say and what there is to learn from."""

    def __init__(
        self,
        dataset: DatasetRecord,
        policy: Task,
        mine: EvaluationRecord,
        validation: Sequence[EvaluationRecord],
        run: RunRecord | None,
    ) -> None:
        self.dataset, self.task, self.mine = dataset, dataset.task, mine
        self.metric, self.target = policy.primary_metric, policy.target.value
        score = {item.candidate.name: sum(item.row_scores) for item in validation}
        ranked = sorted(validation, key=lambda item: -score[item.candidate.name])
        others = [item for item in ranked if item.candidate.kind != mine.candidate.kind]
        self.other = others[0] if others else None
        self.taught = next((item for item in ranked if item.candidate.kind == "tuned"), None)
        self.agreed = agreed_rows(mine, self.other)
        self.training = training_counts(self.task, dataset.labels)
        self.report = f"../../datasets/{dataset.id}/report.html" if run else "report.html"

    def invalid(self) -> list[NextStep]:
        """Answers that are none: the instruction does not say what an answer looks like."""
        count, n = self.mine.invalid, self.mine.n
        if count < MIN_ROWS or count < _MANY_INVALID * n:
            return []
        return [
            NextStep(
                kind="unclear_instruction",
                title=f"{count} of {n} answers are none",
                detail="They are outside of the labels, or not valid JSON. Say in the instruction "
                "what an answer looks like, and name a label for texts that none fits.",
                cost=count / n,
                examples=examples_of(self.mine, invalid_rows(self.mine), MAX_EXAMPLES),
            )
        ]

    def parts(self) -> list[NextStep]:
        """Label pairs, then labels or fields, whose rows were not spoken of yet for the most."""
        steps, told = [], set[int]()
        for cost in [*pair_costs(self.task, self.mine), *part_costs(self.task, self.mine)]:
            if len(cost.rows) < MIN_ROWS or len(told & set(cost.rows)) > _HALF * len(cost.rows):
                continue
            if len(cost.labels) > 1 or self.mine.row_answers:
                told |= set(cost.rows)
            steps.append(self._explain(cost))
        return steps

    def data(self) -> list[NextStep]:
        """Too few examples: to tune at all, or by what labels with more of them reach."""
        examples = self.dataset.counts["train"]
        wrong = 1 - self.mine.metrics["exact_match"]
        if examples < ENOUGH_FOR_TUNING:
            if self.mine.metrics[self.metric] >= self.target:
                return []
            missing = ENOUGH_FOR_TUNING - examples
            more = math.ceil(missing * sum(self.dataset.counts.values()) / max(examples, 1))
            return [
                NextStep(
                    kind="too_little_data",
                    title=f"{examples} training examples are few",
                    detail=f"Google advises at least {ENOUGH_FOR_TUNING} for tuning. Label about "
                    f"{more:,} more rows, of which {missing} come into train, and upload a file "
                    "that holds all of them.",
                    cost=wrong,
                )
            ]
        if self.taught is None:
            return []
        curve = learning_curve(self.training, self.taught.per_label)
        if curve is None:
            return []
        rows = {
            row
            for cost in part_costs(self.task, self.mine)
            if set(cost.labels) <= set(curve.labels)
            for row in cost.rows
        }
        return [
            NextStep(
                kind="too_little_data",
                title=f"Labels with more examples do better: {curve.gain * 100:.1f} points of F1 "
                "with each doubling",
                detail=f"Over {curve.n} labels of {self.taught.candidate.name} "
                f"(p = {curve.p_value:.2g}). Label more examples of those that have the fewest and "
                "do worse than average.",
                labels=curve.labels,
                cost=len(rows) / self.mine.n,
                examples=examples_of(self.mine, frozenset(rows), MAX_EXAMPLES),
            )
        ]

    def luck(self, tested: EvaluationRecord | None) -> list[NextStep]:
        """Validation says that it is good enough, and test does not."""
        if tested is None:
            return []
        seen, real = self.mine.metrics[self.metric], tested.metrics[self.metric]
        if seen < self.target or real >= self.target:
            return []
        return [
            NextStep(
                kind="too_little_data",
                title="The target is reached on validation and missed on test",
                detail=f"{self.metric} is {seen:.3f} on {self.mine.n} validation rows and "
                f"{real:.3f} on {tested.n} test rows; the target is {self.target:g}. Candidates "
                "are chosen on validation, which flatters the one that is chosen, the more so the "
                "fewer rows there are. Label more, and upload a file that holds all of them.",
                cost=self.target - real,
            )
        ]

    def growth(self, grown: Growth | None) -> list[NextStep]:
        """More examples have helped before, by what the task's runs reached."""
        wrong = 1 - self.mine.metrics["exact_match"]
        if grown is None or not wrong:
            return []
        metric, target = self.metric, self.target
        gain, low, high = (
            value * 100 for value in (grown.gain, grown.interval.low, grown.interval.high)
        )
        first, last = grown.sizes[0], grown.sizes[-1]
        needed = grown.needed_for(target)
        detail = (
            f"On {first.examples:,} training examples the best tuned model of a run reached "
            f"{first.value:.3f} on test, on {last.examples:,} it reached {last.value:.3f} "
            f"({len(grown.sizes)} datasets of this task; 95 % interval of the gain {low:.1f} to "
            f"{high:.1f} points)."
        )
        if needed is not None:
            detail += f" At that rate the target of {target:g} needs about {needed:,} of them."
        return [
            NextStep(
                kind="too_little_data",
                title=f"More examples have helped: {gain:.1f} points of {metric} "
                "with each doubling",
                detail=detail,
                cost=wrong,
                link="../../index.html",
            )
        ]

    def nothing(self) -> NextStep:
        """Nothing stands out."""
        wrong = sum(score < 1 for score in self.mine.row_scores)
        detail = (
            f"{wrong} of {self.mine.n} validation rows are wrong, and no label, pair of labels or "
            "field has several of them."
            if wrong
            else f"All {self.mine.n} validation rows are right; harder ones would show what "
            "is left to mend."
        )
        return NextStep(
            kind="none",
            title="Nothing stands out",
            detail=detail,
            cost=wrong / self.mine.n,
            examples=self.mine.mistakes[:MAX_EXAMPLES],
        )

    def _explain(self, cost: Cost) -> NextStep:
        """Say why rows are probably wrong, and what can be done."""
        rows, agreed = frozenset(cost.rows), self.agreed & set(cost.rows)
        count, named = len(cost.rows), " and ".join(cost.labels)
        step = NextStep(
            kind="none",
            title=f"{named}: {count} of {self.mine.n} rows are wrong",
            detail="No cause stands out; read the rows.",
            labels=cost.labels,
            cost=count / self.mine.n,
            examples=examples_of(self.mine, rows, MAX_EXAMPLES),
        )
        if len(agreed) >= MIN_ROWS and len(agreed) >= _HALF * count and self.other:
            return step.model_copy(
                update={
                    "kind": "label_noise",
                    "title": f"{named}: {len(agreed)} of {count} labels may be wrong",
                    "detail": f"{self.mine.candidate.name} and {self.other.candidate.name} are "
                    "sure, agree with each other, and the label says something else. Read these "
                    "rows first, and correct labels that are wrong; the data report lists more "
                    "that look wrong.",
                    "examples": examples_of(self.mine, agreed, MAX_EXAMPLES),
                    "link": self.report,
                }
            )
        return step.model_copy(update=self._cause(cost))

    def _cause(self, cost: Cost) -> Mapping[str, object]:
        back = len(cost.rows) - cost.one_way
        less, more = sorted((cost.one_way, back))
        if len(cost.labels) > 1 and less >= max(2, _HALF * more):
            first, second = cost.labels
            return {
                "kind": "unclear_instruction",
                "title": f"{first} and {second} are taken for each other on {len(cost.rows)} rows",
                "detail": f"{cost.one_way} of {first} and {back} of {second}: the border between "
                "them is not clear. Describe both labels in task.yaml, with what sets them apart, "
                "or make them one.",
            }
        rare = self._rare(cost.labels)
        if rare:
            return {
                "kind": "rare_label",
                "title": f"{rare} is rare: {self.training[rare]} training examples",
                "detail": f"{len(cost.rows)} of {self.mine.n} rows are wrong with it. Label more "
                "examples of it, and upload a file that holds all of them.",
            }
        return {}

    def _rare(self, labels: Sequence[str]) -> str:
        """Return the rarest label that a tuned model had few examples of, and does poorly on."""
        known = [name for name in labels if name in self.training]
        if self.taught is None or not known:
            return ""
        few = max(_FEW_EXAMPLES, _HALF * statistics.median(self.training.values()))
        rarest = min(known, key=lambda name: (self.training[name], name))
        average = self.mine.metrics.get("macro_recall", 1.0)
        poor = self.mine.per_label.get(rarest, {}).get("recall", 1.0) < average
        return rarest if poor and self.training[rarest] < few else ""
