"""Texts as TF-IDF rows of word and character n-grams, for any script.

Columns are ordered by how many texts hold them, so that a smaller adapter sees a prefix.
"""

import hashlib
import re
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

# Scripts written without spaces, or whose words are too short for longer n-grams.
_DENSE = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_PIECE = re.compile(rf"[{_DENSE}]+|[^\W_{_DENSE}]+")
_DENSE_START = re.compile(rf"[{_DENSE}]")

_MAXIMUM_CHARACTERS = 20_000
_MAXIMUM_WORD = 40
_MAXIMUM_FEATURES = 40_000
_DROP_SINGLES_FROM = 1_000
_ALWAYS_PRESENT = "#"


def grams(text: str) -> list[str]:
    """List the n-grams of a text.

    Args:
        text: Any text; only its first 20,000 characters count.

    Returns:
        Words, neighbouring word pairs and 3- to 5-grams inside words; for dense scripts 1- to
        3-grams of characters; and one gram that every text has, which serves as the bias.
    """
    found = [_ALWAYS_PRESENT]
    previous = "^"
    folded = unicodedata.normalize("NFKC", text[:_MAXIMUM_CHARACTERS]).lower()
    for match in _PIECE.finditer(folded):
        word = match.group()
        if _DENSE_START.match(word):
            for size in (1, 2, 3):
                found.extend(word[i : i + size] for i in range(len(word) - size + 1))
        else:
            found.append(f"w {word}")
            found.append(f"b {previous} {word}")
            padded = f"<{word[:_MAXIMUM_WORD]}>"
            for size in (3, 4, 5):
                if len(padded) > size:
                    found.extend(padded[i : i + size] for i in range(len(padded) - size + 1))
        previous = word
    return found


@dataclass(frozen=True)
class TextFeatures:
    """A fitted vectorizer and the order of its columns.

    Attributes:
        vectorizer: The fitted TfidfVectorizer.
        order: Column numbers, the most frequent first.
    """

    vectorizer: Any
    order: "np.ndarray[Any, np.dtype[np.int64]]"

    def rows(self, texts: Sequence[str]) -> Any:
        """Turn texts into a sparse matrix with the columns in order.

        Args:
            texts: The texts, one a row.

        Returns:
            A float32 scipy CSR matrix (texts x columns).
        """
        return self.vectorizer.transform(texts)[:, self.order].tocsr()


def fit_features(texts: Sequence[str]) -> tuple[TextFeatures, Any]:
    """Learn the columns from a dataset's texts.

    Args:
        texts: The training texts.

    Returns:
        The features, and the texts' own matrix (texts x columns).
    """
    vectorizer = TfidfVectorizer(
        analyzer=grams,
        sublinear_tf=True,
        min_df=2 if len(texts) >= _DROP_SINGLES_FROM else 1,
        dtype=np.float32,
        max_features=_MAXIMUM_FEATURES,
    )
    matrix = vectorizer.fit_transform(texts)
    frequency = np.bincount(matrix.indices, minlength=matrix.shape[1])
    order = np.argsort(-frequency, kind="stable")
    return TextFeatures(vectorizer, order), matrix[:, order].tocsr()


class FeatureCache:
    """Keeps the features of the last few datasets, since a sweep trains on one many times."""

    def __init__(self, size: int = 3) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[TextFeatures, Any]] = OrderedDict()

    def get(self, texts: Sequence[str]) -> tuple[TextFeatures, Any]:
        """Return the features of these texts, fitting them when they are not kept.

        Args:
            texts: The training texts.

        Returns:
            What `fit_features` returns.
        """
        digest = hashlib.sha256()
        for text in texts:
            digest.update(text.encode("utf-8", "surrogatepass"))
            digest.update(b"\0")
        key = digest.hexdigest()
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        fitted = fit_features(texts)
        with self._lock:
            self._kept[key] = fitted
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return fitted
