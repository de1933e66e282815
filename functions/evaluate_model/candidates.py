"""Names the candidates: prompting strategies on the base model, and tuned models."""

from shared import paths
from shared.examples import Answer, Example
from shared.models import serving_location
from shared.paths import content_id
from shared.prompts import Prompt, prompt_hash, prompted, tuned_prompt
from shared.records import Candidate, DatasetRecord, JobRecord, Shot
from shared.task import Strategy, Task


def prompting_candidate(
    strategy: Strategy, base_model: str, region: str, shots: list[Example]
) -> Candidate:
    """Make the candidate of a prompting strategy.

    Raises:
        Rejected: The base model is not known in the region.
    """
    location = serving_location(base_model, region)
    return Candidate(
        name=strategy,
        kind="prompting",
        model=f"locations/{location}/publishers/google/models/{base_model}",
        base_model=base_model,
        shots=tuple(Shot(text=shot.text, answer=_plain(shot.answer)) for shot in shots)
        if strategy == "few-shot"
        else (),
    )


def tuned_candidate(job: JobRecord) -> Candidate:
    """Make the candidate of a job that succeeded."""
    return Candidate(
        name=f"tuned-{paths.configuration_name(job.configuration)}",
        kind="tuned",
        model=job.endpoint,
        base_model=job.base_model,
        run=job.run,
        job=job.id,
        configuration=job.configuration,
    )


def prompt_of(candidate: Candidate, task: Task, text: str) -> Prompt:
    """Make the prompt that a candidate is asked with."""
    if candidate.kind == "tuned":
        return tuned_prompt(task, text)
    return prompted(task, text, shots_of(candidate))


def shots_of(candidate: Candidate) -> list[Example]:
    """Return the examples inside of a candidate's prompt."""
    return [Example(shot.text, shot.answer) for shot in candidate.shots]


def candidate_key(candidate: Candidate, dataset: DatasetRecord) -> str:
    """Name a candidate together with its model and prompt, so that answers are never mixed up."""
    fixed = prompt_hash(dataset.task, shots_of(candidate))
    return f"{candidate.name}-{content_id(candidate.model, fixed)[:8]}"


def _plain(answer: Answer) -> Answer:
    return dict(answer) if not isinstance(answer, str | list) else answer
