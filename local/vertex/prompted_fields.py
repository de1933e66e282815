"""How an untuned model finds fields: captions, shapes named in the prompt, and examples."""

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from local.vertex.answers import FieldAlternatives, FieldsKnowledge
from local.vertex.conventions import Convention, Found, find_value, learn_convention
from local.vertex.dates import DATE
from local.vertex.layout import GAP_LINE, Layout, lay_out
from local.vertex.questions import Choice, Question
from local.vertex.token_features import start_features

_SHARPNESS = 4.0
_ABSENT = 0.9
_MOST_ALTERNATIVES = 6

# What a field is called, and what its values then look like.
_SHAPES: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (re.compile(r"e-?mail", re.I), re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    (re.compile(r"phone|telephone|mobile|\btel\b|fax|电话|手机", re.I),
     re.compile(r"\+?\d[\d\s().-]{5,}\d")),
    (re.compile(r"\bdate|_date|\bday\b|日期|时间|deadline|due on", re.I), DATE),
    (re.compile(r"total|amount|price|cost|fee|sum\b|balance|tax|金额|总额|价格|合计", re.I),
     re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\d.,])\d+\.\d{2}(?!\d)|(?<=[$€£¥])\d+")),
    (re.compile(r"number|\bno\b|_no\b|\bid\b|_id\b|code|reference|编号|号码", re.I),
     re.compile(r"(?<!\w)(?=[\w/-]*\d)[A-Za-z0-9][\w/-]*\w")),
    (re.compile(r"quantity|count|how many|数量", re.I), re.compile(r"(?<![\d.,])\d+(?![\d.,])")),
)  # fmt: skip
_NAMED_FIRST = re.compile(
    r"company|vendor|seller|store|shop|merchant|supplier|issuer|公司|商家", re.I
)
_COMPANY = re.compile(
    r"\b(?:ltd|inc|llc|gmbh|corp|co|bhd|limited|enterprise|company|restaurant|store)\b|公司", re.I
)
_ADDRESS = re.compile(r"address|地址", re.I)
_WORDS = re.compile(r"[^\W\d_]+")
_CAPTION = re.compile(r"^\s*([^:：\n]{1,60})[:：]\s*(.*)$")


@dataclass(frozen=True)
class _Candidate:
    value: str
    score: float


def know_fields(question: Question) -> FieldsKnowledge:
    """Find the fields that a prompt asks for.

    Args:
        question: A question for fields.

    Returns:
        The fields and their alternatives.
    """
    layout = lay_out(question.text)
    lessons = [
        (lay_out(user), record)
        for user, model in question.examples
        if isinstance(record := _record(model), dict)
    ]
    found: dict[str, FieldAlternatives] = {}
    for choice in question.choices:
        candidates = list(_by_shape_or_caption(choice, question.text))
        taught = _by_examples(choice.name, lessons, layout)
        best: dict[str, float] = defaultdict(lambda: -math.inf)
        for candidate in (*candidates, *taught):
            best[candidate.value] = float(np.logaddexp(best[candidate.value], candidate.score))
        ranked = sorted(best.items(), key=lambda item: -item[1])[:_MOST_ALTERNATIVES]
        found[choice.name] = FieldAlternatives(
            (*(value for value, _ in ranked), None),
            np.array([*(score for _, score in ranked), _ABSENT], dtype=np.float32) * _SHARPNESS,
        )
    return FieldsKnowledge(found)


def _record(answer: str) -> Any:
    try:
        return json.loads(answer.rsplit("Answer:", 1)[-1])
    except ValueError:
        # An example whose answer is not in the asked form teaches nothing.
        return None


def _by_shape_or_caption(choice: Choice, text: str) -> Iterator[_Candidate]:
    """Score what stands behind the field's captions and what looks like its values."""
    lines = [line for line in text.splitlines() if line.strip()]
    named = f"{choice.name} {choice.description}"
    shape = next((values for names, values in _SHAPES if names.search(choice.name)), None)
    if shape is None:
        shape = next(
            (values for names, values in _SHAPES if names.search(choice.description)), None
        )
    for index, line in enumerate(lines):
        here = _caption_score(choice, line)
        above = _caption_score(choice, lines[index - 1]) if index else 0.0
        if shape is not None:
            for order, match in enumerate(shape.finditer(line)):
                before = _caption_score(choice, line[: match.start()])
                near = max(before, 0.9 * above, 0.5 * here)
                score = 0.5 + near - 0.1 * order - 0.002 * index
                yield _Candidate(" ".join(match.group().split()), score)
            continue
        caption = _CAPTION.match(line)
        if caption and (strength := _caption_score(choice, caption.group(1))):
            value = caption.group(2).strip()
            if not value and index + 1 < len(lines):
                value = lines[index + 1].strip()
            if value:
                yield _Candidate(value, 0.5 + 1.2 * strength)
        elif _NAMED_FIRST.search(named):
            score = 1.0 - 0.15 * index + (0.8 if _COMPANY.search(line) else 0.0)
            if _WORDS.search(line):
                yield _Candidate(" ".join(line.split()), score)
    if _ADDRESS.search(choice.name):
        yield from _address_blocks(lines)


def _address_blocks(lines: list[str]) -> Iterator[_Candidate]:
    """Take runs of lines with digits and commas near the top for an address."""
    run: list[str] = []
    for index, line in enumerate([*lines[:15], ""]):
        letters = len(_WORDS.findall(line))
        if (
            line.rstrip().endswith((",", "."))
            or ("," in line and letters)
            or (run and letters and re.search(r"\b\d{4,6}\b", line))
        ):
            run.append(" ".join(line.split()))
        elif run:
            yield _Candidate(" ".join(run), 0.8 + 0.2 * len(run) - 0.02 * index)
            run = []


def _caption_score(choice: Choice, line: str) -> float:
    """Say how well a piece of a line names the field, from 0 to 1.5."""
    words = {word.lower() for word in _WORDS.findall(line)}
    if not words:
        return 0.0
    name, described = _words_of(choice)
    by_name = len(words & name) / max(len(name), 1)
    by_description = min(len(words & described), 2) / 2
    if any(len(word) > 1 and word in line for word in name if not word.isascii()):
        by_name = 1.0
    return (by_name + 0.3 * by_description) * (1.1 if len(words) <= 4 else 0.8)  # noqa: PLR2004


@lru_cache(maxsize=256)
def _words_of(choice: Choice) -> tuple[frozenset[str], frozenset[str]]:
    name = frozenset(word.lower() for word in _WORDS.findall(choice.name.replace("_", " ")))
    told = frozenset(word.lower() for word in _WORDS.findall(choice.description) if len(word) > 3)  # noqa: PLR2004
    return name, told - name


def _by_examples(
    name: str, lessons: Sequence[tuple[Layout, dict[str, Any]]], layout: Layout
) -> list[_Candidate]:
    """Score tokens by how much their surroundings resemble those of the examples' values."""
    places: list[tuple[Layout, Found, str]] = []
    for lesson, record in lessons:
        value = record.get(name)
        if isinstance(value, str) and lesson.words:
            place = find_value(lesson, value)
            if place is not None:
                places.append((lesson, place, value))
    if not places or not layout.words:
        return []
    seen: Counter[int] = Counter()
    for lesson, place, _ in places:
        seen.update(start_features(lesson)[place.spans[-1][0]].tolist())
    features = start_features(layout)
    everywhere = Counter(features.ravel().tolist())
    tokens = len(layout.words)
    weight = {
        feature: count / len(places) * math.log((1 + tokens) / everywhere[feature])
        for feature, count in seen.items()
        if feature in everywhere
    }
    scores = [sum(weight.get(feature, 0.0) for feature in row) for row in features.tolist()]
    convention = learn_convention(places)
    lines = Counter(_lines(lesson, place) for lesson, place, _ in places).most_common(1)[0][0]
    widths = Counter(place.spans[-1][1] - place.spans[-1][0] for _, place, _ in places)
    whole_lines = sum(
        lesson.rest[place.spans[-1][1]] == 0 for lesson, place, _ in places
    ) * 2 > len(places)
    best = sorted(range(tokens), key=lambda token: -scores[token])[:_MOST_ALTERNATIVES]
    highest = max(scores[best[0]], 1e-9)
    return [
        _Candidate(
            str(
                _value(
                    layout, token, convention, lines, widths.most_common(1)[0][0], whole=whole_lines
                )
            ),
            1.5 * scores[token] / highest + 0.5,
        )
        for token in best
    ]


def _lines(layout: Layout, place: Found) -> int:
    first, last = place.spans[-1]
    return int(layout.line[last] - layout.line[first])


def _value(
    layout: Layout, start: int, convention: Convention, lines: int, width: int, *, whole: bool
) -> Any:
    """Reach as far as the examples' values usually do."""
    last = len(layout.words) - 1
    end = min(start + width, last)
    if whole:
        end = start
        wanted = layout.line[start] + lines
        while end < last and layout.line[end + 1] <= wanted:
            end += 1
    elif lines == 0:
        for token in range(start + 1, end + 1):
            if layout.gap[token] == GAP_LINE:
                end = token - 1
                break
    return convention.write(layout.text[layout.starts[start] : layout.ends[end]])
