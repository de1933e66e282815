"""The filter language of subscriptions: which messages, by their attributes, are delivered.

    attributes:key                   the attribute is there
    attributes.key = "value"         and !=, which also holds where the attribute is absent
    hasPrefix(attributes.key, "p")
    NOT, -, AND, OR, parentheses     AND and OR mix only inside parentheses

A key with other characters than letters, digits, hyphens and underscores is a string literal.
"""

import re
from collections.abc import Callable, Mapping

Predicate = Callable[[Mapping[str, str]], bool]

MAX_FILTER_BYTES = 256

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<word>[A-Za-z0-9_][A-Za-z0-9_-]*)
      | (?P<mark>!=|[=:.,()-])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(
    r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([0-7]{3})|(.))", re.DOTALL
)
_PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}


class FilterError(ValueError):
    """A filter that does not follow the grammar; the message says where."""


def parse_filter(expression: str) -> Predicate:
    """Turn a filter into a predicate on a message's attributes.

    An empty filter lets everything through.

    Raises:
        FilterError: The filter is malformed or longer than 256 bytes.
    """
    if not expression:
        return lambda _attributes: True
    if len(expression.encode()) > MAX_FILTER_BYTES:
        raise FilterError(f"the filter is longer than {MAX_FILTER_BYTES} bytes")
    parser = _Parser(expression)
    predicate = parser.expression()
    parser.end()
    return predicate


def _tokens(expression: str) -> list[tuple[str, str, int]]:
    found = []
    position = 0
    stripped = expression.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise FilterError(f"unexpected character after column {position}")
        kind = match.lastgroup or ""
        found.append((kind, match.group(kind), match.start(kind) + 1))
        position = match.end()
    return found


def _unescape(literal: str) -> str:
    def replace(match: re.Match[str]) -> str:
        four, eight, two, octal, plain = match.groups()
        if plain is not None:
            if plain not in _PLAIN_ESCAPES:
                raise FilterError(f"unknown escape \\{plain} in a string")
            return _PLAIN_ESCAPES[plain]
        code = int(octal, 8) if octal else int(four or eight or two, 16)
        try:
            return chr(code)
        except (ValueError, OverflowError) as error:
            raise FilterError("an escape in a string is not a character") from error

    return _ESCAPE.sub(replace, literal[1:-1])


class _Parser:
    """Recursive descent over the tokens; 256 bytes bound its depth."""

    def __init__(self, expression: str) -> None:
        self._tokens = _tokens(expression)
        self._next = 0

    def expression(self) -> Predicate:
        terms = [self._term()]
        operator = ""
        while (found := self._peek()) in ("AND", "OR"):
            if operator and found != operator:
                raise self._error("AND and OR need parentheses to be combined")
            operator = found
            self._next += 1
            terms.append(self._term())
        if len(terms) == 1:
            return terms[0]
        combine = all if operator == "AND" else any
        return lambda attributes: combine(term(attributes) for term in terms)

    def end(self) -> None:
        if self._next < len(self._tokens):
            raise self._error("unexpected text")

    def _term(self) -> Predicate:
        found = self._peek()
        if found in ("NOT", "-"):
            self._next += 1
            negated = self._term()
            return lambda attributes: not negated(attributes)
        if found == "(":
            self._next += 1
            inner = self.expression()
            self._expect(")")
            return inner
        if found == "hasPrefix":
            return self._has_prefix()
        return self._comparison()

    def _has_prefix(self) -> Predicate:
        self._expect("hasPrefix")
        self._expect("(")
        self._expect("attributes")
        self._expect(".")
        key = self._key()
        self._expect(",")
        prefix = self._text()
        self._expect(")")
        return lambda attributes: key in attributes and attributes[key].startswith(prefix)

    def _comparison(self) -> Predicate:
        self._expect("attributes")
        if self._peek() == ":":
            self._next += 1
            wanted = self._key()
            return lambda attributes: wanted in attributes
        self._expect(".")
        key = self._key()
        operator = self._peek()
        if operator not in ("=", "!="):
            raise self._error("expected = or !=")
        self._next += 1
        value = self._text()
        if operator == "=":
            return lambda attributes: attributes.get(key) == value
        return lambda attributes: attributes.get(key) != value

    def _peek(self) -> str:
        return self._tokens[self._next][1] if self._next < len(self._tokens) else ""

    def _take(self, *kinds: str) -> str:
        if self._next >= len(self._tokens) or self._tokens[self._next][0] not in kinds:
            raise self._error(f"expected {'a key' if 'word' in kinds else 'a quoted string'}")
        kind, value, _column = self._tokens[self._next]
        self._next += 1
        return _unescape(value) if kind == "text" else value

    def _key(self) -> str:
        return self._take("word", "text")

    def _text(self) -> str:
        return self._take("text")

    def _expect(self, value: str) -> None:
        if self._peek() != value:
            raise self._error(f"expected {value}")
        self._next += 1

    def _error(self, problem: str) -> FilterError:
        if self._next < len(self._tokens):
            return FilterError(f"{problem} at column {self._tokens[self._next][2]}")
        return FilterError(f"{problem} at the end")
