"""Reads what tuning may cost, has reserved and has spent, and whether a person has stopped it."""

from datetime import datetime
from typing import Any

from shared import paths
from shared.budget import period_of, totals
from shared.kill_switch import switch_in
from shared.ports import Bucket
from shared.record_store import read
from shared.records import BudgetRecord


def summarize_money(artifacts: Bucket, now: datetime, cap_usd: float) -> dict[str, Any]:
    """Sum up the month's ledger, for all tasks and for each, and the kill switch.

    Args:
        artifacts: The artifacts bucket.
        now: The time; its month is shown.
        cap_usd: What all tuning may cost in a month; 0 for no cap.
    """
    period = period_of(now)
    ledger = read(artifacts, paths.budget(period), BudgetRecord)
    tasks = sorted({item.task_name for item in ledger.reservations.values()}) if ledger else []
    switch = switch_in(artifacts)
    return {
        "period": period,
        **_amounts(ledger),
        "cap_usd": cap_usd or None,
        "tasks": {task: _amounts(ledger, task) for task in tasks},
        "stopped": switch and {"reason": switch.why, "cancel_running": switch.cancel_running},
    }


def _amounts(ledger: BudgetRecord | None, task: str = "") -> dict[str, float]:
    """Round what is reserved and spent to a hundredth of a cent."""
    found = totals(ledger, task)
    return {"reserved_usd": round(found.reserved, 4), "spent_usd": round(found.spent, 4)}
