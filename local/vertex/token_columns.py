"""Which token features an extractor knows: the most frequent hashes of its training texts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from local.vertex.token_features import Hashes


@dataclass(frozen=True)
class Columns:
    """Which feature hashes the model knows.

    Attributes:
        hashes: The known hashes, sorted; a hash's position is its column.
    """

    hashes: Hashes

    def rows(self, features: Hashes) -> Any:
        """Turn feature hashes into a sparse matrix.

        Args:
            features: Hashes (rows x templates).

        Returns:
            A CSR matrix of ones (rows x columns); unknown hashes are left out.
        """
        position = np.searchsorted(self.hashes, features)
        position = np.minimum(position, max(len(self.hashes) - 1, 0))
        known = self.hashes[position] == features
        counts = np.concatenate(([0], np.cumsum(known.sum(axis=1))))
        columns = position[known]
        return sparse.csr_matrix(
            (np.ones(len(columns), dtype=np.float32), columns, counts),
            shape=(len(features), len(self.hashes)),
        )


def choose_columns(features: Hashes, limit: int) -> Columns:
    """Keep the most frequent feature hashes.

    Args:
        features: Hashes of all training rows (rows x templates).
        limit: How many to keep at most.

    Returns:
        The chosen columns.
    """
    hashes, counts = np.unique(features.ravel(), return_counts=True)
    if len(hashes) > limit:
        hashes = np.sort(hashes[np.argsort(-counts, kind="stable")[:limit]])
    return Columns(hashes)
