"""The base models that the stand-in knows: those of shared/models.yaml, the one table."""

from dataclasses import dataclass

from shared.models import base_models


@dataclass(frozen=True)
class BaseModel:
    """What the stand-in knows about one base model.

    Attributes:
        name: The publisher model's name.
        adapter_sizes: Adapter sizes that tuning accepts.
        serving_locations: Tuning region to the location that serves the tuned endpoint.
        maximum_epochs: The largest epoch_count that tuning accepts.
        maximum_validation: The most validation examples that tuning accepts.
        several_candidates: Whether one request may ask for several candidates.
    """

    name: str
    adapter_sizes: tuple[int, ...]
    serving_locations: dict[str, str]
    maximum_epochs: int
    maximum_validation: int
    several_candidates: bool = True


# People report this refusal for the real model; one that refuses keeps the fallback honest.
_ONE_CANDIDATE = frozenset({"gemini-3.1-flash-lite"})

BASE_MODELS: dict[str, BaseModel] = {
    name: BaseModel(
        name,
        known.adapter_sizes,
        known.tuned_in,
        known.max_epochs,
        known.max_validation_examples,
        several_candidates=name not in _ONE_CANDIDATE,
    )
    for name, known in base_models().items()
}
