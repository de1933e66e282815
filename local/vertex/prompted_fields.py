"""How an untuned model finds fields: captions, shapes named in the prompt, and examples."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from local.vertex.answers import FieldAlternatives, FieldsKnowledge
from local.vertex.dates import DATE
from local.vertex.extraction_training import train_fields
from local.vertex.extractor import FieldModel
from local.vertex.features import FeatureCache
from local.vertex.linear import HyperParameters, Training, sigmoid, softmax
from local.vertex.questions import Choice, Question

_SHARPNESS = 4.0
_ABSENT = 0.9
_EXAMPLE_WEIGHT = 2.5
_MOST_ALTERNATIVES = 6

# What a field is called, what its values then look like, and how telling that look alone is.
_SHAPES: tuple[tuple[re.Pattern[str], re.Pattern[str], float], ...] = tuple(
    (re.compile(names, re.IGNORECASE), values, base)
    for names, values, base in (
        (r"e-?mail|邮箱", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), 1.2),
        (
            r"phone|telephone|mobile|\btel\b|fax|电话|手机",
            re.compile(r"\+?\d[\d\t ().-]{5,}\d"),
            1.0,
        ),
        (r"\bdate|_date|\bday\b|日期|时间|deadline|due on", DATE, 1.0),
        (
            r"total|amount|price|cost|fee|sum\b|balance|tax|金额|总额|价格|合计",
            re.compile(
                r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\d.,])\d+\.\d{2}(?!\d)"
                r"|(?<=[$€£¥])\d+"
            ),
            0.5,
        ),
        (
            r"number|\bno\b|_no\b|\bid\b|_id\b|code|reference|编号|号码",
            re.compile(r"(?<!\w)(?=[\w/-]*\d)[A-Za-z0-9][\w/-]*\w"),
            0.3,
        ),
        (r"quantity|count|how many|数量", re.compile(r"(?<![\d.,])\d+(?![\d.,])"), 0.3),
    )
)
_NAMED_FIRST = re.compile(
    r"company|vendor|seller|store|shop|merchant|supplier|issuer|公司|商家", re.IGNORECASE
)
_COMPANY = re.compile(
    r"\b(?:ltd|inc|llc|gmbh|corp|co|bhd|limited|enterprise|company|restaurant|store)\b|公司",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"address|地址", re.IGNORECASE)
_WORDS = re.compile(r"[^\W\d_]+")
_OWN_WORD = re.compile(r"[^\W\d_]{4}")
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
    taught = _taught(question.examples) if question.examples else None
    by_examples = taught.know(question.text) if taught is not None else None
    found: dict[str, FieldAlternatives] = {}
    for choice in question.choices:
        scores: dict[Any, float] = {None: _ABSENT}
        for candidate in _by_prompt(choice, question.text):
            # A value that stands in several places is likelier than each place says.
            so_far = scores.get(candidate.value, -np.inf)
            scores[candidate.value] = float(np.logaddexp(so_far, candidate.score))
        for value, share in _by_examples(by_examples, choice.name).items():
            scores[value] = scores.get(value, 0.0) + _EXAMPLE_WEIGHT * share
        found[choice.name] = _alternatives(choice, scores)
    return FieldsKnowledge(found)


def _alternatives(choice: Choice, scores: dict[Any, float]) -> FieldAlternatives:
    """Make a field's alternatives: one value of them, or each that beats having none."""
    none = scores.pop(None) if choice.lists else 0.0
    ranked = sorted(scores.items(), key=lambda item: -item[1])[:_MOST_ALTERNATIVES]
    return FieldAlternatives(
        tuple(value for value, _ in ranked),
        np.array([score - none for _, score in ranked], dtype=np.float32) * np.float32(_SHARPNESS),
        is_list=bool(choice.lists),
        bare_single=choice.lists == "sometimes",
    )


def _record(answer: str) -> dict[str, Any] | None:
    try:
        record = json.loads(answer.rsplit("Answer:", 1)[-1])
    except ValueError:
        # An example whose answer is not in the asked form teaches nothing.
        return None
    return record if isinstance(record, dict) else None


def _shape_of(choice: Choice) -> tuple[re.Pattern[str], float] | None:
    """Tell from a field's name, or else its description, what its values look like."""
    for told in (choice.name, choice.description):
        for names, values, base in _SHAPES:
            if names.search(told):
                return values, base
    return None


def _by_prompt(choice: Choice, text: str) -> Iterator[_Candidate]:
    """Score values by what the prompt says of the field."""
    lines = [line for line in text.splitlines() if line.strip()]
    shape = _shape_of(choice)
    if shape is not None:
        yield from _by_shape(choice, lines, *shape)
        return
    for index, line in enumerate(lines):
        caption = _CAPTION.match(line)
        strength = _caption_score(choice, caption.group(1)) if caption else 0.0
        if caption and strength:
            value = caption.group(2).strip()
            if not value and index + 1 < len(lines):
                value = lines[index + 1].strip()
            if value:
                yield _Candidate(value, 0.5 + 1.2 * strength)
        elif _NAMED_FIRST.search(f"{choice.name} {choice.description}") and _WORDS.search(line):
            score = 1.0 - 0.15 * index + (0.8 if _COMPANY.search(line) else 0.0)
            yield _Candidate(" ".join(line.split()), score)
    if _ADDRESS.search(choice.name):
        yield from _address_blocks(lines)


def _by_shape(
    choice: Choice, lines: list[str], shape: re.Pattern[str], base: float
) -> Iterator[_Candidate]:
    """Score what looks like the field's values by the captions before, above and around it."""
    caption_above = 0.0
    for index, line in enumerate(lines):
        here = _caption_score(choice, line)
        for order, match in enumerate(shape.finditer(line)):
            before = line[: match.start()]
            # A value with a word of its own before it, longer than a currency's name, does not
            # belong to the caption above.
            above = 0.0 if _OWN_WORD.search(before) else 0.9 * caption_above
            near = max(_caption_score(choice, before), above, 0.5 * here)
            yield _Candidate(
                " ".join(match.group().split()), base + near - 0.1 * order - 0.002 * index
            )
        caption_above = here


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


@lru_cache(maxsize=64)
def _taught(examples: tuple[tuple[str, str], ...]) -> FieldModel | None:
    """Learn from a prompt's examples alone; a prompt's examples come again with every text."""
    lessons = [(user, record) for user, model in examples if (record := _record(model))]
    if not lessons:
        return None
    return train_fields(
        [user for user, _ in lessons],
        [record for _, record in lessons],
        Training(HyperParameters(adapter_size=1), seed=0),
        FeatureCache(),
    )


def _by_examples(knowledge: FieldsKnowledge | None, name: str) -> dict[Any, float]:
    """Give the shares that the examples alone would give each value, None for an absent one."""
    alternatives = knowledge.fields.get(name) if knowledge is not None else None
    if alternatives is None or not alternatives.values:
        return {}
    if alternatives.is_list:
        shares = sigmoid(alternatives.scores)
    else:
        shares = softmax(alternatives.scores[None])[0]
    return {
        value: share
        for value, share in zip(alternatives.values, shares.tolist(), strict=True)
        # What a classifier over seen values knows may be a list, which no other source offers.
        if not isinstance(value, list | dict)
    }
