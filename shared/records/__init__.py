"""The records: small JSON objects that are changed only by compare-and-set.

One object takes about one write a second, so a record is one job, one run, one dataset, and never
a growing list.
"""

from shared.records.base import Record
from shared.records.batch import BatchRecord, Wake
from shared.records.datasets import DatasetRecord, TaskRecord
from shared.records.evaluation import (
    Calibration,
    Candidate,
    ConfidenceFigures,
    CoveragePoint,
    EvaluationRecord,
    Interval,
    Mistake,
    Opening,
    ReliabilityBin,
    Shot,
)
from shared.records.serving import (
    Alternative,
    DriftRecord,
    Provenance,
    ResultRecord,
    ReviewLine,
)
from shared.records.tuning import (
    BudgetRecord,
    CheckpointRecord,
    JobRecord,
    JobState,
    RemovedEndpoints,
    Reservation,
    RunRecord,
)
from shared.records.verdict import (
    ChampionRecord,
    Comparison,
    Decision,
    Figure,
    NextStep,
    Promotion,
    VerdictRecord,
)
from shared.records.work import OpenMarker, RejectionRecord, WatchRecord

__all__ = [
    "Alternative",
    "BatchRecord",
    "BudgetRecord",
    "Calibration",
    "Candidate",
    "ChampionRecord",
    "CheckpointRecord",
    "Comparison",
    "ConfidenceFigures",
    "CoveragePoint",
    "DatasetRecord",
    "Decision",
    "DriftRecord",
    "EvaluationRecord",
    "Figure",
    "Interval",
    "JobRecord",
    "JobState",
    "Mistake",
    "NextStep",
    "OpenMarker",
    "Opening",
    "Promotion",
    "Provenance",
    "Record",
    "RejectionRecord",
    "ReliabilityBin",
    "RemovedEndpoints",
    "Reservation",
    "ResultRecord",
    "ReviewLine",
    "RunRecord",
    "Shot",
    "TaskRecord",
    "VerdictRecord",
    "Wake",
    "WatchRecord",
]
