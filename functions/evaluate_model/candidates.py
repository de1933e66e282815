"""Makes the prompting candidates, and names what a candidate was asked with."""

from shared.candidates import shots_of
from shared.examples import Answer, Example
from shared.models import serving_location
from shared.paths import content_id
from shared.prompts import prompt_hash
from shared.records import Candidate, DatasetRecord, Shot
from shared.task import Strategy


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


def candidate_key(candidate: Candidate, dataset: DatasetRecord) -> str:
    """Name a candidate together with its model and prompt, so that answers are never mixed up."""
    fixed = prompt_hash(dataset.task, shots_of(candidate))
    return f"{candidate.name}-{content_id(candidate.model, fixed)[:8]}"


def _plain(answer: Answer) -> Answer:
    return dict(answer) if not isinstance(answer, str | list) else answer
