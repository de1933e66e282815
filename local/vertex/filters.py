"""List filters: terms on labels and the state, joined by AND, as Vertex AI's lists take them.

Source: https://google.aip.dev/160, of which the lists of Vertex AI's jobs take this part.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from google.cloud import aiplatform_v1

from local.vertex.wire import ApiError, invalid

Passes = Callable[[Mapping[str, str], str], bool]

_TERM = re.compile(
    r"(?P<negated>NOT\s+|-)?(?:labels\.(?P<key>[a-z][\w-]*)|(?P<field>[a-z_]+))"
    r"\s*(?P<operator>!=|<=|>=|[=:<>])\s*(?:\"(?P<quoted>[^\"]*)\"|(?P<bare>[^\s\"()]+))"
)
_AND = re.compile(r"\s+AND\s+")
_STATES = frozenset(state.name for state in aiplatform_v1.JobState)


@dataclass(frozen=True)
class _Term:
    """One condition; `key` is a label's, or empty for the state; `value` None for any."""

    key: str
    value: str | None
    wanted: bool

    def passes(self, labels: Mapping[str, str], state: str) -> bool:
        """Say whether a resource meets it."""
        if not self.key:
            return (state == self.value) == self.wanted
        has = self.key in labels and self.value in (None, labels[self.key])
        return has == self.wanted


def read_filter(text: str, *, has_state: bool = True) -> Passes:
    """Understand a list filter, such as `labels.key="value" AND NOT state="JOB_STATE_FAILED"`.

    Args:
        text: The filter; empty for everything.
        has_state: Whether what is listed has a state to filter by.

    Returns:
        A function of a resource's labels and state that says whether it passes.

    Raises:
        ApiError: The filter says something else.
    """
    terms: list[_Term] = []
    rest = text.strip()
    while rest:
        match = _TERM.match(rest)
        if match is None:
            raise _refusal(text, rest)
        terms.append(_read_term(match, text, has_state=has_state))
        rest = rest[match.end() :]
        if rest:
            joined = _AND.match(rest)
            if joined is None:
                raise _refusal(text, rest)
            rest = rest[joined.end() :]
    return lambda labels, state: all(term.passes(labels, state) for term in terms)


def _read_term(match: re.Match[str], text: str, *, has_state: bool) -> _Term:
    value = match["bare"] if match["quoted"] is None else match["quoted"]
    operator, key = match["operator"], match["key"]
    wanted = not match["negated"]
    if key is not None:
        if operator == ":" and value == "*":
            return _Term(key, None, wanted)
        if operator in ("=", "!=", ":"):
            return _Term(key, value, wanted == (operator != "!="))
        raise _refusal(text, match[0])
    if match["field"] != "state" or not has_state or operator not in ("=", "!="):
        raise _refusal(text, match[0])
    if value not in _STATES:
        raise invalid(f"Invalid filter: {value!r} is not a state.")
    return _Term("", value, wanted == (operator == "="))


def _refusal(text: str, rest: str) -> ApiError:
    return invalid(f"Invalid list filter at character {len(text.rstrip()) - len(rest)}.")
