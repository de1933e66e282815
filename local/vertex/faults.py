"""Faults on demand: latency, errors, exhausted quota and lost responses, from one seed."""

import random
import threading
from dataclasses import asdict, dataclass, fields, replace


@dataclass(frozen=True)
class FaultSettings:
    """What goes wrong, and how often.

    Attributes:
        latency_seconds: Added to every answer.
        error_share: Share of requests answered 503 before anything happens.
        quota_share: Share of requests answered 429 before anything happens.
        lose_create_share: Share of created tuning jobs whose creator is answered 503.
    """

    latency_seconds: float = 0.0
    error_share: float = 0.0
    quota_share: float = 0.0
    lose_create_share: float = 0.0


class Faults:
    """The faults in force; safe to use from several threads."""

    def __init__(self, settings: FaultSettings, seed: int = 0) -> None:
        self._settings = settings
        self._chance = random.Random(seed)
        self._lock = threading.Lock()

    @property
    def settings(self) -> FaultSettings:
        """The settings in force."""
        with self._lock:
            return self._settings

    def change(self, values: object) -> FaultSettings:
        """Change some settings and leave the others.

        Args:
            values: A JSON object of settings by name.

        Returns:
            The settings now in force.

        Raises:
            ValueError: A name is unknown or a value is out of range.
        """
        if not isinstance(values, dict):
            raise ValueError("a JSON object is expected")
        known = {setting.name for setting in fields(FaultSettings)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"unknown setting {name!r}; known: {', '.join(sorted(known))}")
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise ValueError(f"{name} must be a number of at least 0")
            if name.endswith("_share") and value > 1:
                raise ValueError(f"{name} must be at most 1")
        with self._lock:
            self._settings = replace(self._settings, **values)
            return self._settings

    def strikes(self, share: float) -> bool:
        """Draw whether a fault with this share happens now.

        Args:
            share: Its probability.

        Returns:
            True when it happens.
        """
        if share <= 0:
            return False
        with self._lock:
            return self._chance.random() < share

    def as_dict(self) -> dict[str, float]:
        """Return the settings in force as a JSON object."""
        return asdict(self.settings)
