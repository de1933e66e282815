"""Seeded bugs: each puts a mistake that people make between the real code and its ports.

A bug that no search finds means that the searches are blind to it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.errors import Conflict, Retry
from shared.ports import TuningJob, TuningRequest, TuningService
from tests.simulation.programs import Seeding, TapeBucket
from tests.simulation.scenario import Bounds, Scenario
from tests.simulation.scenarios import one_job, one_request, two_budgets

JOBS = "/jobs/"


class _Bucket(TapeBucket):
    """The bucket as it is; a bug changes one of its methods."""

    def __init__(self, real: TapeBucket) -> None:
        super().__init__(real.name, real.tape)


class _Tuning:
    """The tuning service as it is; a bug changes one of its methods."""

    def __init__(self, real: TuningService, artifacts: TapeBucket, delivery: int) -> None:
        self.real = real
        self.artifacts = artifacts
        self.delivery = delivery

    def create(self, request: TuningRequest) -> TuningJob:
        """Create a job."""
        return self.real.create(request)

    def find(self, key: str) -> Sequence[TuningJob]:
        """List the jobs of a key."""
        return self.real.find(key)

    def cancel(self, name: str) -> None:
        """Cancel a job."""
        self.real.cancel(name)

    def remove_endpoint(self, endpoint: str) -> None:
        """Remove an endpoint."""
        self.real.remove_endpoint(endpoint)


class DeletesIntents(_Tuning):
    """The intent is deleted when its job could not be created."""

    def create(self, request: TuningRequest) -> TuningJob:
        try:
            return self.real.create(request)
        except Retry:
            (name,) = (
                item.name
                for item in self.artifacts.list("tasks/")
                if item.name.endswith(f"{JOBS}{request.key}.json")
            )
            self.artifacts.delete(name)
            raise


class CreatesBlindly(_Tuning):
    """No job is looked for before one is created."""

    def find(self, key: str) -> Sequence[TuningJob]:
        (name,) = (
            item.name
            for item in self.artifacts.list("tasks/")
            if item.name.endswith(f"{JOBS}{key}.json")
        )
        content, _ = self.artifacts.read(name)
        return () if b'"state": "submitting"' in content else self.real.find(key)


class NamesJobsByEvent(_Tuning):
    """The key is that of the delivery, not of what is to be done."""

    def create(self, request: TuningRequest) -> TuningJob:
        own = replace(request, key=f"{request.key}~{self.delivery}")
        return replace(self.real.create(own), key=request.key)

    def find(self, key: str) -> Sequence[TuningJob]:
        return self.real.find(f"{key}~{self.delivery}")


class RetriesCreations(_Tuning):
    """The client asks again by itself when it hears nothing."""

    def create(self, request: TuningRequest) -> TuningJob:
        try:
            return self.real.create(request)
        except Retry:
            return self.real.create(request)


class KeepsDoubles(_Tuning):
    """A job that exists twice is left alone."""

    def cancel(self, name: str) -> None:
        """Do nothing."""


class _WritesBlindly(_Bucket):
    """Objects whose names hold `where` are written whatever happened since they were read."""

    where: str

    def write(
        self,
        name: str,
        content: bytes,
        if_generation: int | None = None,
        content_type: str = "application/json",
    ) -> int:
        condition = None if self.where in name else if_generation
        return super().write(name, content, condition, content_type)


class WritesOverRecords(_WritesBlindly):
    """A job's record is written whatever happened to it since it was read."""

    where = JOBS


class ReservesWithoutComparing(_WritesBlindly):
    """The budget is checked, and then written whatever others reserved meanwhile."""

    where = "budget/"


class HoldsLeasesWithoutEpoch(_Bucket):
    """A holder whose write is refused writes again over what is there now."""

    def write(
        self,
        name: str,
        content: bytes,
        if_generation: int | None = None,
        content_type: str = "application/json",
    ) -> int:
        try:
            return super().write(name, content, if_generation, content_type)
        except Conflict:
            if JOBS not in name or not if_generation:
                raise
            _, now = self.read(name)
            return super().write(name, content, now, content_type)


@dataclass(frozen=True)
class Bug:
    """A bug, the scenario that shows it, and how much has to go wrong for it to be seen."""

    scenario: Callable[[Bounds, Seeding | None], Scenario]
    bounds: Bounds
    tuning: type[_Tuning] = _Tuning
    bucket: type[_Bucket] = _Bucket
    acknowledges_all: bool = False

    def seeded(self) -> Scenario:
        """Return the scenario with the bug in it."""

        def ports(
            artifacts: TapeBucket, tuning: TuningService, delivery: int
        ) -> tuple[TapeBucket, TuningService]:
            bucket = self.bucket(artifacts)
            return bucket, self.tuning(tuning, bucket, delivery)

        scenario = self.scenario(self.bounds, ports)
        return replace(scenario, acknowledges_all=self.acknowledges_all)


BUGS: Mapping[str, Bug] = {
    "acknowledge on exception": Bug(one_request, Bounds(lost=1), acknowledges_all=True),
    "delete the intent on error": Bug(one_job, Bounds(ticks=2, lost=1, waits=1), DeletesIntents),
    "no list before create": Bug(one_job, Bounds(ticks=2, crashes=1, waits=1), CreatesBlindly),
    "unconditional record": Bug(one_job, Bounds(ticks=2), bucket=WritesOverRecords),
    "event id as key": Bug(one_job, Bounds(ticks=2, crashes=1, waits=1), NamesJobsByEvent),
    "budget checked outside its compare-and-set": Bug(
        two_budgets, Bounds(), bucket=ReservesWithoutComparing
    ),
    "retry inside the create call": Bug(one_job, Bounds(ticks=1, lost=1), RetriesCreations),
    "lease without epoch": Bug(one_job, Bounds(ticks=2), bucket=HoldsLeasesWithoutEpoch),
    "doubles are not cancelled": Bug(one_job, Bounds(ticks=2, waits=1, zombies=1), KeepsDoubles),
}
