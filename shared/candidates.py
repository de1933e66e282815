"""What a tuning job's candidates are, and how one is asked: the same wherever it matters."""

from collections.abc import Sequence
from dataclasses import replace

from shared import nearest, paths
from shared.answers import parse_answer
from shared.example_pool import open_pool
from shared.examples import Example
from shared.models import serving_location
from shared.ports import Bucket, Needed, Sampling
from shared.prompts import File, Prompt, prompted, reasoned, tuned_prompt
from shared.records import Candidate, JobRecord
from shared.stopping import still_needed
from shared.task import Serving, Task

SEEDS = 1 << 31


def tuned_candidates(job: JobRecord) -> list[Candidate]:
    """Make the candidates of a job: its model, then its earlier checkpoints, the latest first.

    A checkpoint is called after its epoch, so that one job stands for several epoch counts.
    """
    name = f"tuned-{paths.configuration_name(job.configuration)}"
    models = {name: job.endpoint}
    for checkpoint in sorted(job.checkpoints, key=lambda item: item.step, reverse=True):
        if checkpoint.endpoint != job.endpoint:
            models.setdefault(f"{name}-epoch{checkpoint.epoch}", checkpoint.endpoint)
    return [
        Candidate(
            name=candidate,
            kind="tuned",
            model=endpoint,
            base_model=job.base_model,
            run=job.run,
            job=job.id,
            configuration=job.configuration,
        )
        for candidate, endpoint in models.items()
        if endpoint
    ]


def base_candidate(name: str, base_model: str, region: str) -> Candidate:
    """Make the candidate that is a base model, asked with the instruction alone.

    Raises:
        Rejected: The base model is not known in the region.
    """
    location = serving_location(base_model, region)
    return Candidate(
        name=name,
        kind="prompting",
        model=f"locations/{location}/publishers/google/models/{base_model}",
        base_model=base_model,
    )


def prompt_of(
    candidate: Candidate, task: Task, text: str, artifacts: Bucket, file: File | None = None
) -> Prompt:
    """Make the prompt that a candidate is asked with about a text, or a file in its place.

    Args:
        candidate: The candidate.
        task: The task as the candidate was taught it.
        text: The text.
        artifacts: The bucket that holds the examples it may pick from.
        file: The file.

    Raises:
        NotFound: Those examples are gone.
    """
    if candidate.pool:
        shots = open_pool(artifacts, candidate.pool).nearest(text, candidate.nearest)
    else:
        shots = shots_of(candidate)
    return replace(_prompt(candidate, task, text, shots), file=file)


def prompt_hash(candidate: Candidate, task: Task) -> str:
    """Name a candidate's prompt: an id that follows from all of it but the text."""
    prompt = _prompt(candidate, task, "", shots_of(candidate))
    picked = (candidate.pool, candidate.nearest, nearest.VERSION) if candidate.pool else ()
    fixed = (prompt.system, prompt.turns, prompt.schema, prompt.media_type)
    return paths.content_id(*fixed, *picked)


def _prompt(candidate: Candidate, task: Task, text: str, shots: Sequence[Example]) -> Prompt:
    if candidate.kind == "tuned":
        return tuned_prompt(task, text)
    if candidate.reasons:
        return reasoned(task, text, shots)
    return prompted(task, text, shots, candidate.list_fields)


def sampling_of(serving: Serving, *content: str) -> Sampling:
    """Say how a text is asked about; the seed follows from the content that is asked about."""
    seed = int(paths.content_id(*content), 16) % SEEDS
    return Sampling(serving.samples, serving.temperature, seed)


def needed_by(task: Task, serving: Serving) -> Needed:
    """Say when a text has been asked about often enough."""

    def needed(texts: Sequence[str]) -> int:
        if len(texts) >= serving.samples:
            return 0
        samples = [parse_answer(task, text) for text in texts]
        return still_needed(samples, serving.stop_at, serving.samples)

    return needed


def shots_of(candidate: Candidate) -> list[Example]:
    """Return the examples inside of a candidate's prompt."""
    return [Example(shot.text, shot.answer) for shot in candidate.shots]
