"""What a tuning job's candidates are, and how one is asked: the same wherever it matters."""

from shared import paths
from shared.examples import Example
from shared.ports import Sampling
from shared.prompts import Prompt, prompted, tuned_prompt
from shared.records import Candidate, JobRecord
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


def prompt_of(candidate: Candidate, task: Task, text: str) -> Prompt:
    """Make the prompt that a candidate is asked with about a text."""
    if candidate.kind == "tuned":
        return tuned_prompt(task, text)
    return prompted(task, text, shots_of(candidate))


def sampling_of(serving: Serving, *content: str) -> Sampling:
    """Say how a text is asked about; the seed follows from the content that is asked about."""
    seed = int(paths.content_id(*content), 16) % SEEDS
    return Sampling(serving.samples, serving.temperature, seed)


def shots_of(candidate: Candidate) -> list[Example]:
    """Return the examples inside of a candidate's prompt."""
    return [Example(shot.text, shot.answer) for shot in candidate.shots]
