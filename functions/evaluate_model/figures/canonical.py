"""Writes answers so that two that mean the same have the same text."""

from shared.answers import answer_text
from shared.examples import Answer, FieldValue


def canonical_text(answer: Answer) -> str:
    """Write an answer in the one form that exact_match compares, here and in the service.

    Several labels, and the values of a field, are sets: they are sorted, and each is named once. A
    list of one value is that value, and a field without one is left out. As the figures of fields
    count them, so an answer is exactly right when all of its fields are.

    Args:
        answer: A parsed answer.
    """
    if isinstance(answer, str):
        return answer
    if isinstance(answer, list):
        return answer_text(sorted(set(answer)))
    values = {name: _canonical_value(answer[name]) for name in sorted(answer)}
    return answer_text({name: value for name, value in values.items() if value is not None})


def _canonical_value(value: FieldValue) -> FieldValue:
    if not isinstance(value, list):
        return value
    several = sorted(set(value))
    return several if len(several) > 1 else next(iter(several), None)
