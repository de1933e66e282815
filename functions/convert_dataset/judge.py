"""Runs the checks on what the first pass found, and does with their findings as task.yaml says."""

import difflib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from functions.convert_dataset.checks import Check, Facts, Finding
from functions.convert_dataset.remedies import with_whole_task
from functions.convert_dataset.similarity import near_pairs
from functions.convert_dataset.splits import (
    NONE,
    SPLITS,
    TRAIN,
    VALIDATION,
    decide_splits,
    join_groups,
    without_templates,
)
from functions.convert_dataset.survey import Survey
from shared.errors import Rejected
from shared.task import Action, Checks, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NOT_DROPPED = -1


@dataclass(frozen=True)
class Judgement:
    """What becomes of a file's rows.

    Attributes:
        splits: For each row an index of SPLITS, NONE for those that go to quarantine.
        dropped_by: For each row the index of the finding that it was dropped for, or -1.
        findings: What was found, and what is done about it.
        labels: Label -> split -> number of examples; empty for an extraction.
    """

    splits: "array[int]"
    dropped_by: "array[int]"
    findings: tuple[tuple[Finding, Action], ...]
    labels: dict[str, dict[str, int]]

    @property
    def counts(self) -> dict[str, int]:
        """Examples in each split."""
        return {split: self.splits.count(code) for code, split in enumerate(SPLITS)}


def judge(survey: Survey, checks: Sequence[Check], declared: Task | None, name: str) -> Judgement:
    """Ask every check what it found, in their order; what one drops the next does not see.

    Args:
        survey: The first pass, which the checks have followed.
        checks: The checks.
        declared: The task as task.yaml declares it; None when there is none.
        name: The file's name, for messages.

    Raises:
        Rejected: The policy rejects the file for one or more of the findings.
    """
    import numpy as np

    policy = survey.task.checks
    _check_names(policy, [check.name for check in checks])
    facts = _facts(survey, declared)
    dropped_by = np.full(len(facts.kept), _NOT_DROPPED, np.int16)
    judged: list[tuple[Finding, Action]] = []
    for check in checks:
        if check.counts_splits:
            continue
        for found, action in _judged(check, facts, policy, declared):
            if action == "drop":
                rows = np.frombuffer(found.rows, np.int64)
                rows = rows[facts.kept[rows]]
                dropped_by[rows] = len(judged)
                facts.kept[rows] = False
            judged.append((found, action))
        facts = replace(facts, labels=survey.label_counts(facts.kept))
    splits = _splits(survey, facts)
    facts = replace(facts, splits=splits)
    judged += [item for check in checks if check.counts_splits
               for item in _judged(check, facts, policy, declared)]  # fmt: skip
    _reject(judged, name)
    beyond = np.flatnonzero(facts.kept & (splits == NONE))
    if len(beyond):
        dropped_by[beyond] = len(judged)
        judged.append((_beyond_cap(array("q", beyond.astype(np.int64).tobytes())), "drop"))
    return Judgement(
        array("b", splits.tobytes()),
        array("h", dropped_by.tobytes()),
        tuple(judged),
        _labels(survey, splits),
    )


def _judged(
    check: Check, facts: Facts, policy: Checks, declared: Task | None
) -> Iterator[tuple[Finding, Action]]:
    """Ask a check, and say what the policy does about each of its findings."""
    for found in check.findings(facts):
        severity = policy.severity.get(found.check, found.severity)
        if severity == "off":
            continue
        action: Action = getattr(policy, severity)
        if action == "drop" and not (found.droppable and len(found.rows)):
            action = "report"
        remedy = found.remedy if declared else with_whole_task(found.remedy, facts.task)
        yield replace(found, severity=severity, remedy=remedy), action


def _beyond_cap(rows: "array[int]") -> Finding:
    """Say that the file gives more validation examples than may be used."""
    return Finding(
        check="validation-cap",
        severity="warning",
        count=len(rows),
        summary=f"the file gives {len(rows):,} validation examples more than Vertex AI takes for "
        "a training file of this size",
        remedy="Nothing needs to be done; or mark them as test, or leave them out.",
        rows=rows,
    )


def _check_names(policy: Checks, known: Sequence[str]) -> None:
    """Refuse a severity for a check that there is not."""
    for name in policy.severity:
        if name not in known:
            near = difflib.get_close_matches(name.replace("_", "-"), known, n=1, cutoff=0)
            raise Rejected(
                f"task.yaml gives a severity to {name!r}, which is no check.",
                f"The nearest is {near[0]}; docs/intake.md lists all.",
            )


def _facts(survey: Survey, declared: Task | None) -> Facts:
    """Hand the first pass's arrays on, without copying them."""
    import numpy as np

    kept = np.frombuffer(survey.kept, np.bool_).copy()
    exact = np.frombuffer(survey.exact, np.uint64)
    sample = survey.sample
    facts = Facts(
        task=survey.task,
        declared=declared is not None and bool(declared.labels or declared.fields),
        kept=kept,
        exact=exact,
        near=np.frombuffer(survey.near, np.uint64),
        answers=np.frombuffer(survey.answers, np.int64),
        given=np.frombuffer(survey.given, np.int8),
        splits=np.full(len(kept), NONE, np.int8),
        labels=survey.label_counts(kept),
        sample=sample,
        refused=dict(survey.refused.most_common()),
        near_pairs=near_pairs(sample.texts, [int(exact[row]) for row in sample.rows]),
        others=survey.others,
        unknown_labels=dict(survey.tally.unknown.most_common()),
    )
    return replace(facts, splits=_splits(survey, facts))


def _splits(survey: Survey, facts: Facts) -> "NDArray[np.int8]":
    """Decide the split of each row that is kept."""
    import numpy as np

    # A group that task.yaml names decides; near duplicates then join such groups.
    keys = np.frombuffer(survey.groups, np.uint64) if survey.groups else facts.near
    kept, rows = facts.kept, facts.sample.rows
    together = [
        (rows[one], rows[two]) for one, two in without_templates(facts.near_pairs, len(rows))
    ]
    links = [(int(keys[one]), int(keys[two])) for one, two in together if kept[one] and kept[two]]
    near = facts.near[kept] if survey.groups else None
    groups = join_groups(keys[kept], near, links)
    strata = facts.answers if survey.task.type != "extraction" else np.full(len(keys), -1)
    splits = np.full(len(kept), NONE, np.int8)
    splits[kept] = decide_splits(
        groups,
        strata[kept],
        facts.given[kept],
        survey.task.split,
        cut_groups=not survey.groups,
    )
    _spare_validation(splits, groups, kept, survey.corrected_from)
    return splits


def _spare_validation(
    splits: "NDArray[np.int8]",
    groups: "NDArray[np.uint64]",
    kept: "NDArray[np.bool_]",
    corrected_from: int,
) -> None:
    """Put corrections that would be for validation into training, but for copies of its rows."""
    import numpy as np

    if corrected_from == len(splits):
        return
    whole = np.zeros(len(splits), np.uint64)
    whole[kept] = groups
    there = whole[:corrected_from][splits[:corrected_from] == VALIDATION]
    added = splits[corrected_from:]
    added[(added == VALIDATION) & ~np.isin(whole[corrected_from:], there)] = TRAIN


def _labels(survey: Survey, splits: "NDArray[np.int8]") -> dict[str, dict[str, int]]:
    """Count labels by split."""
    by_split = [survey.label_counts(splits == code) for code in range(len(SPLITS))]
    return {
        label: {split: by_split[code][label] for code, split in enumerate(SPLITS)}
        for label in sorted(by_split[0])
    }


def _reject(judged: Sequence[tuple[Finding, Action]], name: str) -> None:
    """Reject the file when the policy says so of a finding."""
    fatal = [found for found, action in judged if action == "reject"]
    if not fatal:
        return
    what = "; ".join(f"{found.summary} ({found.check}, {found.severity})" for found in fatal)
    raise Rejected(
        f"The checks of {name} found what its task.yaml rejects files for: {what}.",
        " ".join(dict.fromkeys(found.remedy for found in fatal)),
    )
