"""Labels that look like variants or misspellings of each other.

Found through what is left of a label when one character is taken out, so that thousands of labels
need not be compared with each other.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from functions.convert_dataset.checks import Check, Facts, Finding
from functions.convert_dataset.checks.wording import first_few, quoted
from functions.convert_dataset.column_kinds import in_yaml
from functions.convert_dataset.tally import label_key

_SEPARATORS = re.compile(r"[\s_-]+")

_LONG_WORD = 6
_RARE = 4
_RARE_SHARE = 0.1
_MOST_LISTED = 100


class SimilarLabels(Check):
    """Labels that differ in letter case and separators only, or look misspelt."""

    name = "similar-labels"
    severity = "warning"

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Name the pairs. What task.yaml declares is not taken for misspelt."""
        counts = {name: count for name, count in facts.labels.items() if count}
        variants = _variants(counts)
        misspelt = set() if facts.declared else _misspelt(counts) - variants
        pairs = variants | misspelt
        if not pairs:
            return
        # The rarest first: they are the clearest.
        ordered = sorted(pairs, key=lambda pair: (counts[pair[0]], pair))
        named = [
            f"{quoted(rare)} ({counts[rare]:,}) and {quoted(usual)} ({counts[usual]:,})"
            for rare, usual in ordered
        ]
        yield Finding(
            check=self.name,
            severity=self.severity,
            count=len(pairs),
            summary=f"labels look like variants of each other: {first_few(named)}",
            remedy=_remedy(facts, variants, misspelt),
            droppable=False,
        )


def _remedy(facts: Facts, variants: set[tuple[str, str]], misspelt: set[tuple[str, str]]) -> str:
    """Say how to have variants read as the label that most rows have."""
    rare = {name for name, _ in variants | misspelt}
    if facts.declared:
        return (
            "If they mean the same, leave one of them under `labels` in task.yaml, and the others "
            "are read as that; if not, give each a description there."
        )
    usual = [name for name in facts.task.label_names or sorted(facts.labels) if name not in rare]
    listed = f"`labels: [{', '.join(map(in_yaml, usual))}]`"
    right = listed if len(usual) <= _MOST_LISTED else "under `labels`"
    rest = (
        "what differs in letter case or in marks between words is read as those, and what is "
        "misspelt goes to quarantine with the label that it looks like, until it is corrected in "
        "the file"
        if misspelt
        else "the others are read as those"
    )
    return (
        f"If they mean the same, declare the right ones in task.yaml, {right}: {rest}. If not, "
        "declare them all, with a description each."
    )


def _variants(counts: Mapping[str, int]) -> set[tuple[str, str]]:
    """Find labels that are the same but for letter case, width and what is between words."""
    same: dict[str, list[str]] = defaultdict(list)
    for name in counts:
        same[label_key(name)].append(name)
    pairs: set[tuple[str, str]] = set()
    for names in same.values():
        usual = max(names, key=lambda name: (counts[name], name))
        pairs.update((name, usual) for name in names if name != usual)
    return pairs


def _misspelt(counts: Mapping[str, int]) -> set[tuple[str, str]]:
    """Find rare labels that differ from another by one character of one long word."""
    alike: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for name in counts:
        for form in _shortened(name):
            alike[form].add(name)
    pairs: set[tuple[str, str]] = set()
    for names in alike.values():
        usual = max(names, key=lambda name: (counts[name], name))
        rare = max(_RARE, counts[usual] * _RARE_SHARE)
        pairs.update(
            (name, usual)
            for name in names
            if name != usual
            and counts[name] <= rare
            and counts[name] < counts[usual]
            and name.casefold() != usual.casefold()
        )
    return pairs


def _shortened(name: str) -> Iterator[tuple[str, ...]]:
    """Leave one character out of one word, in every way.

    Not the first one, which is seldom mistaken and changes the meaning (typical, atypical); not out
    of a word that is short or has a digit, because two such words are two things.
    """
    words = tuple(_SEPARATORS.split(name.casefold()))
    yield words
    for index, word in enumerate(words):
        if len(word) >= _LONG_WORD and word.isalpha():
            for place in range(1, len(word)):
                yield (*words[:index], word[:place] + word[place + 1 :], *words[index + 1 :])
