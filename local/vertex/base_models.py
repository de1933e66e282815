"""The one table of base models: what can be tuned, where, and how large an adapter may be."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BaseModel:
    """What the stand-in knows about one base model.

    Attributes:
        name: The publisher model's name.
        adapter_sizes: Adapter sizes that tuning accepts.
        serving_locations: Tuning region to the location that serves the tuned endpoint.
        maximum_epochs: The largest epoch_count that tuning accepts.
    """

    name: str
    adapter_sizes: tuple[int, ...]
    serving_locations: dict[str, str]
    maximum_epochs: int = 100


_SERVED_FROM = {"us-central1": "us", "europe-west4": "eu"}

BASE_MODELS: dict[str, BaseModel] = {
    name: BaseModel(name, adapter_sizes=(1, 2, 4, 8, 16), serving_locations=_SERVED_FROM)
    for name in ("gemini-3.5-flash", "gemini-3.5-flash-lite", "gemini-3.1-flash-lite")
}
