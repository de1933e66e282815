"""All checks, in the order in which they run.

A check whose rows are left out comes before those that count what is left.
"""

from functions.convert_dataset.checks import Check
from functions.convert_dataset.checks.conflicting_labels import ConflictingLabels
from functions.convert_dataset.checks.exact_duplicates import ExactDuplicates
from functions.convert_dataset.checks.few_examples import FewExamples
from functions.convert_dataset.checks.few_examples_per_label import FewExamplesPerLabel
from functions.convert_dataset.checks.imbalance import Imbalance
from functions.convert_dataset.checks.label_errors import LabelErrors
from functions.convert_dataset.checks.missing_fields import MissingFields
from functions.convert_dataset.checks.missing_labels import MissingLabels
from functions.convert_dataset.checks.mixed_scripts import MixedScripts
from functions.convert_dataset.checks.near_duplicates import NearDuplicates
from functions.convert_dataset.checks.no_words import NoWords
from functions.convert_dataset.checks.over_long import OverLong
from functions.convert_dataset.checks.personal_data import PersonalData
from functions.convert_dataset.checks.placeholder_labels import PlaceholderLabels
from functions.convert_dataset.checks.similar_labels import SimilarLabels
from functions.convert_dataset.checks.split_overlap import SplitOverlap
from functions.convert_dataset.checks.unusable_rows import UnusableRows
from functions.convert_dataset.checks.values_not_in_text import ValuesNotInText

CHECKS: tuple[type[Check], ...] = (
    UnusableRows,
    OverLong,
    ConflictingLabels,
    ExactDuplicates,
    SplitOverlap,
    NearDuplicates,
    ValuesNotInText,
    NoWords,
    MixedScripts,
    PersonalData,
    LabelErrors,
    MissingLabels,
    MissingFields,
    PlaceholderLabels,
    SimilarLabels,
    FewExamplesPerLabel,
    Imbalance,
    FewExamples,
)

FIRST_TO_FIX = (
    "missing-fields",
    "similar-labels",
    "placeholder-labels",
    "missing-labels",
    "label-errors",
    "split-overlap",
    "values-not-in-text",
    "few-examples",
    "few-examples-per-label",
    "imbalance",
)
"""What a report speaks of first among findings of one severity: what costs most to leave."""


def describe(check: type[Check]) -> str:
    """Say in one line what a check looks for."""
    return (check.__doc__ or check.name).strip().splitlines()[0]
