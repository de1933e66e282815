"""Decides which split a text belongs to: a hash of its content against the shares.

The same text is in the same split, whatever its row or file. Two corrections look at a file as a
whole: a label (of a multi-label text: its combination) with five or more examples has at least one
in each split, and validation is capped. Otherwise the shares hold in expectation.
"""

import hashlib
from array import array
from collections import defaultdict

from shared.examples import same_text_key
from shared.task import Split

SPLITS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST, QUARANTINE = range(4)

LARGE_TRAINING_FILE = 1000
LARGEST_SHARE = 0.3

_FEW = 5
_HASH_RANGE = 1 << 63


def text_hash(text: str) -> int:
    """Hash a text to 63 bits; white space and letter case do not matter."""
    digest = hashlib.blake2b(same_text_key(text).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


class SplitPlan:
    """Collects hashes and strata, then says where each example goes.

    Memory: 13 bytes an example, and while it decides some 40 more.
    """

    def __init__(self, split: Split) -> None:
        self._split = split
        self._hashes = array("q")
        self._strata = array("i")
        self._numbers: dict[str, int] = {}

    def add(self, hashed: int, stratum: str) -> None:
        """Add the next example: its text's hash, and what it is stratified by."""
        self._hashes.append(hashed)
        self._strata.append(self._numbers.setdefault(stratum, len(self._numbers)))

    def decide(self) -> "array[int]":
        """Return each example's split, TRAIN, VALIDATION or TEST, in the order they were added."""
        test = int(self._split.test * _HASH_RANGE)
        validation = test + int(self._split.validation * _HASH_RANGE)
        codes = array("b")
        for hashed in self._hashes:
            codes.append(TEST if hashed < test else VALIDATION if hashed < validation else TRAIN)
        self._give_every_stratum_a_share(codes)
        self._cap_validation(codes)
        return codes

    def _give_every_stratum_a_share(self, codes: "array[int]") -> None:
        """Move the smallest hashes of a stratum that a split would lack."""
        members: dict[int, list[int]] = defaultdict(list)
        for index, stratum in enumerate(self._strata):
            members[stratum].append(index)
        for indexes in members.values():
            if len(indexes) < _FEW:
                continue
            first, second, *_, last = sorted(indexes, key=lambda index: self._hashes[index])
            if TEST not in {codes[index] for index in indexes}:
                codes[first] = TEST
            if TRAIN not in {codes[index] for index in indexes}:
                codes[last] = TRAIN
            if VALIDATION not in {codes[index] for index in indexes}:
                codes[second] = VALIDATION

    def _cap_validation(self, codes: "array[int]") -> None:
        """Keep the smallest hashes of a validation split that is too large; train gets the rest.

        Vertex AI takes 5,000 validation examples, and 30 % of a training file above 1,000.
        """
        chosen = [index for index, code in enumerate(codes) if code == VALIDATION]
        chosen.sort(key=lambda index: self._hashes[index])
        most = self._split.max_validation
        both = len(chosen) + codes.count(TRAIN)
        if both > LARGE_TRAINING_FILE:
            most = min(most, int(both * LARGEST_SHARE / (1 + LARGEST_SHARE)))
        for index in chosen[most:]:
            codes[index] = TRAIN
