"""One answer out of the samples about each part of a long text."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from shared.answers import answer_text
from shared.examples import Answer, FieldValue
from shared.task import Task
from shared.voting import Vote, vote


def combine(task: Task, parts: Sequence[Sequence[Answer | None]]) -> Vote:
    """Combine the samples about the parts of a text.

    One label: that with the largest share on average over the parts, which all have the same
    weight, however many samples it took to settle them. Several labels: those that win in any part.
    Fields: each from the first part that gives it.

    Args:
        task: The task.
        parts: For each part the parsed samples, as `vote` takes them.

    Returns:
        The vote; its tally is over all samples. The confidence of several labels or fields is the
        lowest of what it is made of.
    """
    names = task.label_names
    together = vote([sample for part in parts for sample in part], names)
    if len(parts) == 1:
        return together
    votes = [vote(part, names) for part in parts]
    votes = [item for item in votes if item.answer is not None]
    if not votes:
        return together
    if task.type == "extraction":
        return _first_given(task, votes, together)
    if task.multi_label:
        won = {name for item in votes for name in item.answer or ()}
        labels = [name for name in task.label_names if name in won]
        return Vote(labels, min(item.confidence for item in votes), together.tally, {})
    return _shared(parts, together)


def _shared(parts: Sequence[Sequence[Answer | None]], together: Vote) -> Vote:
    """Take the label with the largest share on average; of equal ones that which was said first."""
    shares: dict[str, Fraction] = {}
    for part in parts:
        for sample in part:
            if sample is not None:
                name = answer_text(sample)
                shares[name] = shares.get(name, Fraction(0)) + Fraction(1, len(part) * len(parts))
    winner = max(shares, key=shares.__getitem__)
    return Vote(winner, float(shares[winner]), together.tally, {})


def _first_given(task: Task, votes: Sequence[Vote], together: Vote) -> Vote:
    """Take each field from the first part that gives it; none gives it when all agree on that."""
    records = [
        (item.answer, item.field_confidences) for item in votes if isinstance(item.answer, Mapping)
    ]
    answer: dict[str, FieldValue] = {}
    shares: dict[str, float] = {}
    for name in task.field_names:
        given = [record for record in records if record[0][name] is not None]
        values, sure = given[0] if given else min(records, key=lambda record: record[1][name])
        answer[name], shares[name] = values[name], sure[name]
    return Vote(answer, min(shares.values(), default=0.0), together.tally, shares)
