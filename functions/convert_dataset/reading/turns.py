"""Conversations of one question and one answer, as rows."""

from collections.abc import Iterable

from functions.convert_dataset.rows import ANSWER, SYSTEM, TEXT, Refusal, Row

Turn = tuple[str, str | None]
"""Who speaks, and the text; None when it is no text."""

_ROLES = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user",
    "model": "model", "assistant": "model", "gpt": "model",
}  # fmt: skip


def row_of_turns(line: int, turns: Iterable[Turn]) -> Row | Refusal:
    """Make a row of a conversation with one user turn and one model turn.

    Several system turns become one, a line each.

    Args:
        line: The conversation's line.
        turns: Its turns, with the roles' names in any of the usual formats.
    """
    said: dict[str, list[str]] = {"system": [], "user": [], "model": []}
    for name, text in turns:
        role = _ROLES.get(name)
        if role is None:
            detail = f"the role {name!r} is not known; user and model, or assistant, are"
            return Refusal(line, "not a conversation", detail)
        if text is None:
            return Refusal(line, "not a conversation", f"the {name} turn holds no text")
        said[role].append(text)
    if len(said["user"]) != 1 or len(said["model"]) != 1:
        detail = (
            f"it has {len(said['user'])} user and {len(said['model'])} model turns; "
            "one of each is needed"
        )
        return Refusal(line, "not a conversation", detail)
    system = {SYSTEM: "\n".join(said["system"])} if any(said["system"]) else {}
    return Row(line, {TEXT: said["user"][0], ANSWER: said["model"][0], **system})
