"""The state directory: one JSON file a job, one model file a finished job."""

import json
from pathlib import Path
from typing import Literal

from google.cloud import aiplatform_v1

EndpointMark = Literal["deleted", "undeployed"]


def job_number(name: str) -> int:
    """Return the number at the end of a job's name.

    Args:
        name: projects/P/locations/L/tuningJobs/N.
    """
    return int(name.rsplit("/", 1)[1])


class JobStore:
    """Reads and writes a state directory; every file is written whole or not at all."""

    def __init__(self, directory: Path) -> None:
        self._jobs = directory / "jobs"
        self._models = directory / "models"
        self._directory = directory
        self._jobs.mkdir(parents=True, exist_ok=True)
        self._models.mkdir(parents=True, exist_ok=True)

    def jobs(self) -> list[aiplatform_v1.TuningJob]:
        """Read all jobs, the oldest first."""
        return [
            aiplatform_v1.TuningJob.from_json(path.read_text("utf-8"))
            for path in sorted(self._jobs.glob("*.json"))
        ]

    def keep(self, job: aiplatform_v1.TuningJob) -> None:
        """Write a job.

        Args:
            job: The job, with its name.
        """
        text = aiplatform_v1.TuningJob.to_json(job, indent=None)
        _write(self._jobs / f"{job_number(job.name)}.json", text)

    def model_file(self, job_name: str) -> Path:
        """Say where a job's model is kept.

        Args:
            job_name: The job's name.

        Returns:
            The file's path; it may not exist.
        """
        return self._models / f"{job_number(job_name)}.joblib"

    def endpoint_names(self, mark: EndpointMark) -> set[str]:
        """Read the names of the endpoints that something was done to.

        Args:
            mark: What was done to them.
        """
        path = self._marked(mark)
        return set(json.loads(path.read_text("utf-8"))) if path.exists() else set()

    def keep_endpoint_names(self, mark: EndpointMark, names: set[str]) -> None:
        """Write the names of the endpoints that something was done to.

        Args:
            mark: What was done to them.
            names: All of them.
        """
        _write(self._marked(mark), json.dumps(sorted(names)))

    def _marked(self, mark: EndpointMark) -> Path:
        return self._directory / f"{mark}_endpoints.json"


def _write(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, "utf-8")
    unfinished.replace(path)
