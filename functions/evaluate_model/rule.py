"""The rule of a verdict: from the figures to a decision and its reason. docs/verdict.md tells it.

Candidates were chosen on validation; both finalists were then measured once on the same test rows.
"""

import math
from dataclasses import dataclass

from functions.evaluate_model.comparison import Outcome
from shared.records import Comparison, Decision, Interval
from shared.task import Task


@dataclass(frozen=True)
class Standing:
    """How a finalist stands to the target: its name, its figure, and the figure's interval."""

    name: str
    value: float
    interval: Interval | None

    def is_below(self, target: float) -> bool:
        """Whether it misses the target by more than chance explains."""
        return self.value < target and (self.interval is None or self.interval.high < target)


@dataclass(frozen=True)
class Ruling:
    """A decision, its reason in a sentence, and how many further test rows would tell."""

    decision: Decision
    reason: str
    further: int | None = None


def rule(
    policy: Task,
    prompting: Standing,
    tuned: Standing | None,
    outcome: Outcome | None,
    spare: int,
    why_not_tuned: str,
) -> Ruling:
    """Decide.

    Args:
        policy: The task as it is now: its target, metric and gate.
        prompting: The best prompt, on test.
        tuned: The best tuned model, on test; None when there is none.
        outcome: Their comparison; None when there is no tuned model.
        spare: How many test rows there are beyond those that were asked about.
        why_not_tuned: Why there is no tuned model, when there is none.
    """
    target = policy.target.value
    if tuned is None or outcome is None:
        why = why_not_tuned or "There is no tuned model to compare with."
        if prompting.is_below(target):
            return Ruling("below_target", f"{_shortfall(policy, prompting)}: {_clause(why)}.")
        return Ruling("keep_prompting", why)
    ruling = _rule_on_two(policy, outcome, spare)
    if ruling.decision == "keep_prompting" and all(
        standing.is_below(target) for standing in (prompting, tuned)
    ):
        reason = f"{_shortfall(policy, prompting)}, and {_clause(ruling.reason)}."
        return Ruling("below_target", reason)
    return ruling


def _rule_on_two(policy: Task, outcome: Outcome, spare: int) -> Ruling:
    """Choose between the tuned model and the prompt, whatever the target."""
    found, gate = outcome.comparison, policy.evaluation.min_gain
    points = f"{abs(found.difference) * 100:.1f} points of {policy.primary_metric}"
    wanted = f"the {gate * 100:g} points that evaluation.min_gain asks for"
    tuned, prompt, counted = found.tuned, found.prompting, _count(found)
    rows_ahead = found.tuned_better - found.prompting_better
    if outcome.by_rows and found.difference * rows_ahead < 0:
        where = "ahead of" if found.difference > 0 else "behind"
        disagree = f"{tuned} is {points} {where} {prompt}, but {counted}"
        advice = "so the prompt stays until the rarer labels or fields were looked at"
        return Ruling("not_enough_data", f"The figures disagree: {disagree}, {advice}.")
    if found.difference <= 0:
        surely = outcome.by_test and found.difference < 0
        behind = f"is {points} behind" if surely else "is no better than"
        return Ruling("keep_prompting", f"{tuned} {behind} {prompt}: {counted}.")
    if outcome.by_test and outcome.by_interval:
        beats = f"{tuned} beats {prompt} by {points}"
        if found.difference < gate:
            return Ruling("keep_prompting", f"{beats}, less than {wanted}: {counted}.")
        return Ruling("promote_tuned", f"{beats}: {counted}.")
    if found.interval is not None and found.interval.high < gate:
        most = f"at most {found.interval.high * 100:.1f}, less than {wanted}"
        ahead = f"{tuned} is {points} ahead of {prompt}"
        return Ruling("keep_prompting", f"{ahead}, and {most}: {counted}.")
    return _too_few_rows(policy, outcome, points, spare)


def _too_few_rows(policy: Task, outcome: Outcome, points: str, spare: int) -> Ruling:
    """Say that the rows do not tell, and how many would."""
    found = outcome.comparison
    level = policy.evaluation.significance / max(1, found.compared)
    hint = ""
    # A clean sweep of k rows has the p-value 2 * 0.5^k.
    if 2 * 0.5 ** (found.tuned_better + found.prompting_better) > level:
        hint = "; too few rows differ to tell"
    elif outcome.by_test:
        hint = f"; the interval of the difference in {policy.primary_metric} holds zero"
    if outcome.further is not None:
        rows = math.ceil(outcome.further / policy.split.test)
        hint += f"; about {outcome.further:,} further test examples would tell"
        hint += f" ({rows:,} more rows, as the task divides them)"
        if spare:
            hint += f", and {spare:,} are there for a larger evaluation.max_rows"
    ahead = f"{found.tuned} is {points} ahead of {found.prompting}"
    reason = f"{ahead}, which chance can explain, so the prompt stays: {_count(found)}{hint}."
    return Ruling("not_enough_data", reason, outcome.further)


def _count(found: Comparison) -> str:
    """Say on how many rows either is better, and how likely such a difference is by chance."""
    p_value = found.p_value if found.p_corrected is None else found.p_corrected
    count = found.compared
    allowed = f", corrected for {count} tuned models on the same test rows" if count > 1 else ""
    of_what = " for the difference" if found.test == "exchange" else ""
    return (
        f"it does better on {found.tuned_better} of {found.n} test rows and worse on "
        f"{found.prompting_better} (p = {p_value:.2g}{of_what}{allowed})"
    )


def _shortfall(policy: Task, standing: Standing) -> str:
    """Say how far below the target the best one is."""
    most = f" (95 % interval up to {standing.interval.high:.3f})" if standing.interval else ""
    return (
        f"Nothing that was measured is good enough: {standing.name} reaches {standing.value:.3f} "
        f"of {policy.primary_metric} on test{most}, below the target of {policy.target.value:g}"
    )


def _clause(sentence: str) -> str:
    """Make a sentence the end of another one."""
    first, rest = sentence[:1], sentence[1:].rstrip(".")
    return f"{first.lower() if sentence.startswith(('The ', 'There ', 'No ')) else first}{rest}"
