"""The ports: what a function may ask of the world. Real ones: gcp/; fakes: tests/fakes.py."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, Protocol

from shared.prompts import Prompt
from shared.settings import Settings
from shared.task import Configuration


@dataclass(frozen=True)
class StoredObject:
    """What storage knows of an object. `generation` changes with every write."""

    name: str
    generation: int
    size: int
    updated: datetime
    content_type: str = ""
    content_encoding: str = ""


class Bucket(Protocol):
    """One bucket."""

    @property
    def name(self) -> str:
        """The bucket's name."""

    def find(self, name: str) -> StoredObject | None:
        """Look an object up; None when it is not there."""

    def read(self, name: str, generation: int | None = None) -> tuple[bytes, int]:
        """Read a whole small object: (content, generation). Raises NotFound."""

    def open_read(
        self, name: str, generation: int | None = None
    ) -> AbstractContextManager[BinaryIO]:
        """Open an object to read it as a stream. Raises NotFound."""

    def write(
        self,
        name: str,
        content: bytes,
        if_generation: int | None = None,
        content_type: str = "application/json",
    ) -> int:
        """Write a whole small object in one request and return its generation.

        Args:
            name: The object's name.
            content: What to write.
            if_generation: Only write over this generation; 0 means "only if it does not exist".
            content_type: The object's media type.

        Raises:
            Conflict: The object has another generation.
        """

    def open_write(self, name: str, content_type: str) -> AbstractContextManager[BinaryIO]:
        """Open an object to write it as a stream; it exists once the stream is closed."""

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """List the objects whose names begin with a prefix, by name."""

    def delete(self, name: str) -> None:
        """Delete an object; one that is not there is fine."""


@dataclass(frozen=True)
class Buckets:
    """The four buckets."""

    datasets: Bucket
    documents: Bucket
    results: Bucket
    artifacts: Bucket


class Publisher(Protocol):
    """Publishes messages."""

    def publish(self, topic: str, message: Mapping[str, object]) -> None:
        """Publish one JSON message and return once Pub/Sub has stored it. Raises Retry."""


@dataclass(frozen=True)
class TuningRequest:
    """One tuning job, as it is asked for.

    Attributes:
        key: The job's own id. It becomes a label, by which the job is found again.
        base_model: The model to tune, such as gemini-3.5-flash-lite.
        training_uri: gs:// address of the training lines.
        validation_uri: gs:// address of the validation lines; empty for none.
        configuration: The hyperparameters.
        display_name: The tuned model's name for people.
        labels: More labels for the job.
        all_checkpoints: Whether every epoch's checkpoint is kept, on an endpoint of its own.
    """

    key: str
    base_model: str
    training_uri: str
    validation_uri: str
    configuration: Configuration
    display_name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    all_checkpoints: bool = False


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that the service shows: its id, epoch, step, and endpoint if it has one."""

    id: str
    epoch: int
    step: int
    endpoint: str = ""


@dataclass(frozen=True)
class TuningJob:
    """What Vertex AI says of one tuning job.

    Attributes:
        name: Its resource name.
        state: JobState's name without JOB_STATE_, in lower case: "running", "succeeded" …
        key: The id that it was created under; empty for a job that is not ours.
        created: When it was created.
        endpoint: The tuned model's endpoint, once there is one.
        model: The tuned model's resource name, once there is one.
        error: Why it failed; empty when it did not.
        example_count: Training examples that the service counted.
        billable_tokens: Training tokens that the service bills.
        dropped_examples: Reasons for which the service left examples out.
        truncated_examples: How many examples the service cut.
        checkpoints: The checkpoints so far, the earliest first.
    """

    name: str
    state: str
    key: str
    created: datetime
    endpoint: str = ""
    model: str = ""
    error: str = ""
    example_count: int = 0
    billable_tokens: int = 0
    dropped_examples: tuple[str, ...] = ()
    truncated_examples: int = 0
    checkpoints: tuple[Checkpoint, ...] = ()


class TuningService(Protocol):
    """Vertex AI's tuning jobs."""

    def create(self, request: TuningRequest) -> TuningJob:
        """Create a job, with no automatic retry.

        Raises:
            QuotaExceeded: No more jobs may run now; nothing was created.
            Rejected: The request is wrong; nothing was created.
            Retry: It is unknown whether the job was created.
        """

    def find(self, key: str) -> Sequence[TuningJob]:
        """List the jobs that were created under a key, oldest first. Raises Retry."""

    def cancel(self, name: str) -> None:
        """Ask for a job to be cancelled; one that is gone or has ended is fine. Raises Retry."""

    def remove_endpoint(self, endpoint: str) -> None:
        """Undeploy and delete a tuned model's endpoint; one that is gone is fine. Raises Retry."""


@dataclass(frozen=True)
class BatchRequest:
    """One batch prediction job, as it is asked for.

    `key` becomes a label, by which the job is found again. `model` is a tuned model's resource
    name, or locations/L/publishers/google/models/M. The lines of requests are at `source_uri`, and
    `target_uri` is what the predictions' addresses begin with.
    """

    key: str
    model: str
    source_uri: str
    target_uri: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BatchJob:
    """What Vertex AI says of one batch prediction job; `output` is where it writes, as gs://."""

    name: str
    state: str
    key: str
    created: datetime
    output: str = ""
    error: str = ""


class BatchService(Protocol):
    """Vertex AI's batch prediction jobs."""

    def create(self, request: BatchRequest) -> BatchJob:
        """Create a job, with no automatic retry. Raises as TuningService.create does."""

    def find(self, key: str, model: str) -> Sequence[BatchJob]:
        """List the jobs that were created under a key for a model, oldest first. Raises Retry."""

    def cancel(self, name: str) -> None:
        """Ask for a job to be cancelled; one that is gone or has ended is fine. Raises Retry."""


@dataclass(frozen=True)
class Sampling:
    """How answers are sampled."""

    samples: int = 1
    temperature: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Reply:
    """What a model said.

    Attributes:
        texts: One text a sample.
        prompt_tokens: Tokens read, as billed.
        answer_tokens: Tokens written, as billed.
        model_version: The version that the service says it used.
        seconds: How long it took: of requests that can be made at the same time the longest, of
            others all of them.
        batched: Whether a batch gave it, at half the price and at nobody's request.
    """

    texts: tuple[str, ...]
    prompt_tokens: int
    answer_tokens: int
    model_version: str
    seconds: float = 0.0
    batched: bool = False


Needed = Callable[[Sequence[str]], int]
"""Says how many more answers it takes at least, given those so far; 0 when they are enough."""


class Generator(Protocol):
    """A generative model. Safe to call from several threads."""

    def generate(
        self, model: str, prompt: Prompt, sampling: Sampling, needed: Needed | None = None
    ) -> Reply:
        """Ask a model.

        Args:
            model: A base model's name, or a tuned model's endpoint.
            prompt: What to ask.
            sampling: How many answers at most, and how freely they are sampled.
            needed: When to stop; left out, only when there are `sampling.samples`. There can be
                more answers than it takes: they cost little where one request gives several.

        Raises:
            Rejected: The service refuses this request for good (too long, blocked).
            ModelGone: The model is not there, or its endpoint serves nothing; this is a Retry.
            Busy: The service has no room for the request just now; this is a Retry.
            Retry: The service is out of order or unreachable.
        """


class ExactMatch(Protocol):
    """The Gen AI evaluation service's exact_match metric."""

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Score (prediction, reference) pairs: 1.0 where they are equal, else 0.0. Raises Retry."""


class Clock(Protocol):
    """Tells the time."""

    def __call__(self) -> datetime:
        """Return the time now, in UTC."""


@dataclass(frozen=True)
class World:
    """What every function is given: where things are, and how to write, publish and tell time."""

    settings: Settings
    buckets: Buckets
    publisher: Publisher
    clock: Clock
