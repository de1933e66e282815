"""One small fake for each port, kept in memory, and a world assembled from them."""

import io
import itertools
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from shared import paths
from shared.errors import Conflict, NotFound, QuotaExceeded, Rejected, Retry
from shared.events import Message, ObjectArrived
from shared.examples import Example
from shared.ports import (
    BatchJob,
    BatchRequest,
    Buckets,
    Checkpoint,
    Needed,
    Reply,
    Sampling,
    StoredObject,
    TuningJob,
    TuningRequest,
    World,
)
from shared.prompts import Prompt, tuning_line
from shared.record_store import create
from shared.records import DatasetRecord
from shared.settings import Settings
from shared.task import Task

MAX_NAME_BYTES = 1024
START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
ENDED = frozenset({"succeeded", "failed", "cancelled", "expired", "partially_succeeded"})


class Crash(BaseException):
    """The process died here. No handler of ordinary errors catches it."""


class Faults:
    """Every call of every port goes through here, so that a test can break any of them.

    Several threads may call; somebody who acts at a point acts between two calls.

    Attributes:
        calls: The names of all calls so far, such as "write artifacts" or "publish".
        points: How many points were passed; each call has two, before and after its effect.
        crash_at: The process dies at this point.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.crash_at: int | None = None
        self.points = 0
        self._planned: list[tuple[str, Exception]] = []
        self._interruption: tuple[int, Callable[[], None]] | None = None
        self._lock = threading.RLock()

    def interrupt(self, after: int, other: Callable[[], None]) -> None:
        """Let somebody else act after so many points from now."""
        self._interruption = (self.points + after, other)

    def fail(self, call: str, error: Exception, times: int = 1) -> None:
        """Let the next calls whose names begin so fail, before they have an effect."""
        self._planned += [(call, error)] * times

    def mend(self) -> None:
        """Forget the failures that were planned."""
        self._planned.clear()

    @contextmanager
    def call(self, name: str) -> Iterator[None]:
        """Go around one call."""
        self.calls.append(name)
        self._point()
        with self._lock:
            plan = next((plan for plan in self._planned if name.startswith(plan[0])), None)
            if plan is not None:
                self._planned.remove(plan)
                raise plan[1]
        yield
        self._point()

    def _point(self) -> None:
        with self._lock:
            self.points += 1
            if self.points == self.crash_at:
                raise Crash
            other = None
            if self._interruption is not None and self.points == self._interruption[0]:
                other, self._interruption = self._interruption[1], None
        if other is not None:
            other()


class FakeClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        """Move on."""
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class _Stored:
    content: bytes
    generation: int
    content_type: str
    updated: datetime


class FakeBucket:
    """A bucket in memory. Its generations only ever grow, over all of its objects."""

    def __init__(
        self, name: str, clock: FakeClock | None = None, faults: Faults | None = None
    ) -> None:
        self._name = name
        self._clock = clock or FakeClock()
        self._faults = faults or Faults()
        self._lock = threading.RLock()
        self._objects: dict[str, _Stored] = {}
        self._generations = itertools.count(1)

    @property
    def name(self) -> str:
        """The bucket's name."""
        return self._name

    def find(self, name: str) -> StoredObject | None:
        """Look an object up; None when it is not there."""
        with self._faults.call(f"find {self._name}"), self._lock:
            return _describe(name, self._objects[name]) if name in self._objects else None

    def read(self, name: str, generation: int | None = None) -> tuple[bytes, int]:
        """Read a whole object: (content, generation)."""
        with self._faults.call(f"read {self._name}"), self._lock:
            stored = self._get(name, generation)
            return stored.content, stored.generation

    @contextmanager
    def open_read(self, name: str, generation: int | None = None) -> Iterator[BinaryIO]:
        """Open an object to read it as a stream."""
        with self._faults.call(f"open_read {self._name}"), self._lock:
            content = self._get(name, generation).content
        with io.BytesIO(content) as stream:
            yield stream

    def write(
        self,
        name: str,
        content: bytes,
        if_generation: int | None = None,
        content_type: str = "application/json",
    ) -> int:
        """Write a whole object and return its generation."""
        if len(name.encode()) > MAX_NAME_BYTES:
            raise ValueError("the name is longer than storage takes")
        with self._faults.call(f"write {self._name}"), self._lock:
            there = self._objects[name].generation if name in self._objects else 0
            if if_generation is not None and if_generation != there:
                raise Conflict(name)
            generation = next(self._generations)
            self._objects[name] = _Stored(content, generation, content_type, self._clock())
            return generation

    def open_write(self, name: str, content_type: str) -> AbstractContextManager[BinaryIO]:
        """Open an object to write it as a stream; it exists once the stream is closed cleanly."""
        return self._writing(name, content_type)

    @contextmanager
    def _writing(self, name: str, content_type: str) -> Iterator[BinaryIO]:
        stream = io.BytesIO()
        yield stream
        self.write(name, stream.getvalue(), content_type=content_type)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """List the objects whose names begin with a prefix, by name."""
        with self._faults.call(f"list {self._name}"), self._lock:
            found = [
                _describe(name, self._objects[name])
                for name in sorted(self._objects)
                if name.startswith(prefix)
            ]
        yield from found

    def delete(self, name: str) -> None:
        """Delete an object; one that is not there is fine."""
        with self._faults.call(f"delete {self._name}"), self._lock:
            self._objects.pop(name, None)

    # What tests ask, past the faults.

    def names(self, prefix: str = "") -> Sequence[str]:
        """Name everything that is there."""
        return [name for name in sorted(self._objects) if name.startswith(prefix)]

    def content(self, name: str) -> bytes:
        """Return an object's content."""
        return self._get(name, None).content

    def json(self, name: str) -> Any:
        """Return an object's content, read as JSON."""
        return json.loads(self.content(name))

    def json_lines(self, name: str) -> Sequence[Any]:
        """Return an object's lines, each read as JSON."""
        return [json.loads(line) for line in self.content(name).splitlines()]

    def generation(self, name: str) -> int:
        """Return an object's generation."""
        return self._get(name, None).generation

    def put(self, name: str, content: bytes | str) -> ObjectArrived:
        """Upload something as a person does, and return the event that follows."""
        raw = content.encode() if isinstance(content, str) else content
        with self._lock:
            generation = next(self._generations)
            self._objects[name] = _Stored(raw, generation, "", self._clock())
        return ObjectArrived(self._name, name, generation)

    def _get(self, name: str, generation: int | None) -> _Stored:
        stored = self._objects.get(name)
        if stored is None or (generation is not None and generation != stored.generation):
            raise NotFound(name)
        return stored


def _describe(name: str, stored: _Stored) -> StoredObject:
    size = len(stored.content)
    return StoredObject(name, stored.generation, size, stored.updated, stored.content_type)


class FakePublisher:
    """Keeps what is published."""

    def __init__(self, faults: Faults | None = None) -> None:
        self._faults = faults or Faults()
        self.messages: list[tuple[str, dict[str, Any]]] = []

    def publish(self, topic: str, message: Mapping[str, object]) -> None:
        """Publish one message; it has to be JSON."""
        with self._faults.call(f"publish {topic}"):
            self.messages.append((topic, json.loads(json.dumps(message, allow_nan=False))))

    def on(self, topic: str) -> list[dict[str, Any]]:
        """Return the messages on a topic."""
        return [message for name, message in self.messages if name == topic]

    def facts(self, fact: str) -> list[dict[str, Any]]:
        """Return the pipeline events about one kind of happening."""
        return [item for item in self.on("pipeline-events") if item["fact"] == fact]


class FakeTuning:
    """Tuning jobs in memory.

    Attributes:
        jobs: Every job that was created, oldest first.
        requests: What they were created with.
        quota: How many may be live at the same time.
        lose_responses: So many creations happen, but their caller does not hear of it.
        refusal: When set, every creation is refused for this reason.
        hidden: Keys whose jobs are not listed yet.
        cancelled: The names that somebody asked to cancel.
        removed: The endpoints that were removed.
    """

    def __init__(self, clock: FakeClock | None = None, faults: Faults | None = None) -> None:
        self._clock = clock or FakeClock()
        self._faults = faults or Faults()
        self._lock = threading.Lock()
        self.jobs: list[TuningJob] = []
        self.requests: list[TuningRequest] = []
        self.quota = 100
        self.lose_responses = 0
        self.refusal = ""
        self.hidden: set[str] = set()
        self.cancelled: list[str] = []
        self.removed: list[str] = []

    def create(self, request: TuningRequest) -> TuningJob:
        """Create a job, if the quota allows it."""
        with self._faults.call("create"), self._lock:
            if self.refusal:
                raise Rejected(self.refusal)
            if sum(job.state not in ENDED for job in self.jobs) >= self.quota:
                raise QuotaExceeded("no room")
            job = self.add(request.key)
            self.requests.append(request)
            if self.lose_responses:
                self.lose_responses -= 1
                raise Retry("the connection was lost")
            return job

    def find(self, key: str) -> Sequence[TuningJob]:
        """List the jobs that were created under a key, oldest first."""
        with self._faults.call("find_jobs"), self._lock:
            found = [job for job in self.jobs if job.key == key and key not in self.hidden]
            return sorted(found, key=lambda job: (job.created, job.name))

    def cancel(self, name: str) -> None:
        """Cancel a job at once, unless it has ended."""
        with self._faults.call("cancel"):
            self.cancelled.append(name)
            if any(job.name == name and job.state not in ENDED for job in self.jobs):
                self.become(name, "cancelled")

    def remove_endpoint(self, endpoint: str) -> None:
        """Remove an endpoint; again is fine."""
        with self._faults.call("remove_endpoint"):
            self.removed.append(endpoint)

    # What tests do to the service.

    def add(self, key: str, state: str = "pending") -> TuningJob:
        """Make a job that nobody asked for here."""
        name = f"projects/p/locations/us-central1/tuningJobs/{len(self.jobs) + 1}"
        job = TuningJob(name, state, key, self._clock())
        self.jobs.append(job)
        return job

    def reach(self, name: str, epoch: int, steps_an_epoch: int = 10) -> None:
        """Show the checkpoints of a running job's first epochs, each on its endpoint."""
        number = name.rpartition("/")[2]
        shown = tuple(
            Checkpoint(
                str(n), n, n * steps_an_epoch, f"projects/p/locations/us/endpoints/{number}0{n}"
            )
            for n in range(1, epoch + 1)
        )
        for index, job in enumerate(self.jobs):
            if job.name == name:
                self.jobs[index] = replace(job, state="running", checkpoints=shown)

    def become(self, name: str, state: str, error: str = "") -> None:
        """Put a job into a state; a job that succeeds gets a model and an endpoint."""
        for index, old in enumerate(self.jobs):
            if old.name != name:
                continue
            for request in self.requests:
                if state == "succeeded" and request.key == old.key and request.all_checkpoints:
                    self.reach(name, request.configuration.epoch_count)
            job = self.jobs[index]
            number = name.rpartition("/")[2]
            done = state == "succeeded"
            last = [item.endpoint for item in job.checkpoints][-1:]
            endpoint = last[0] if last else f"projects/p/locations/us/endpoints/{number}"
            self.jobs[index] = replace(
                job,
                state=state,
                error=error,
                endpoint=endpoint if done else "",
                model=f"projects/p/locations/us/models/{number}@1" if done else "",
            )

    def end_all(self, state: str = "succeeded") -> None:
        """Let every live job come to an end."""
        for job in list(self.jobs):
            if job.state not in ENDED:
                self.become(job.name, state)

    def live(self) -> list[TuningJob]:
        """Return the jobs that have not ended."""
        return [job for job in self.jobs if job.state not in ENDED]


Speaker = Callable[[str, Prompt, Sampling], Sequence[str]]


class FakeGenerator:
    """A model that is a function.

    Attributes:
        asked: Every (model, prompt, sampling) that it answered or refused.
        seconds: How long each request takes, for as long as there are any; then none.
        versions: Which version answers each, in the same way; then fake-1.
    """

    def __init__(self, speak: Speaker, faults: Faults | None = None) -> None:
        self._speak = speak
        self._faults = faults or Faults()
        self._lock = threading.Lock()
        self.asked: list[tuple[str, Prompt, Sampling]] = []
        self.seconds: Iterator[float] = iter(())
        self.versions: Iterator[str] = iter(())

    def generate(
        self, model: str, prompt: Prompt, sampling: Sampling, needed: Needed | None = None
    ) -> Reply:
        """Ask the model; it gives all samples at once, as endpoints mostly do."""
        with self._lock, self._faults.call("generate"):
            self.asked.append((model, prompt, sampling))
            texts = tuple(self._speak(model, prompt, sampling))
            seconds, version = next(self.seconds, 0.0), next(self.versions, "fake-1")
        return Reply(texts, *_counted(prompt, texts), version, seconds)

    def texts(self) -> list[str]:
        """Return the texts that it was asked about."""
        return [prompt.turns[-1][1] for _, prompt, _ in self.asked]


def _counted(prompt: Prompt, texts: Sequence[str]) -> tuple[int, int]:
    """Count the tokens that are read and written: words."""
    read = len(prompt.system.split()) + sum(len(text.split()) for _, text in prompt.turns)
    return read, sum(len(text.split()) for text in texts)


class FakeBatches:
    """Batch prediction jobs in memory, over a bucket that holds their lines.

    Attributes:
        jobs: Every job that was created, oldest first.
        requests: What they were created with.
        lose_responses: So many creations happen, but their caller does not hear of it.
        refusal: When set, every creation is refused for this reason.
        no_room: Whether the service has no room for another job.
        speak: The model, as FakeGenerator takes it.
        blocked: Lines with this word get a status in place of an answer.
    """

    def __init__(
        self, artifacts: FakeBucket, clock: FakeClock | None = None, faults: Faults | None = None
    ) -> None:
        self._artifacts = artifacts
        self._clock = clock or FakeClock()
        self._faults = faults or Faults()
        self.jobs: list[BatchJob] = []
        self.requests: list[BatchRequest] = []
        self.lose_responses = 0
        self.refusal = ""
        self.no_room = False
        self.blocked = ""
        self.speak: Speaker = lambda _model, _prompt, sampling: ["crow"] * sampling.samples

    def create(self, request: BatchRequest) -> BatchJob:
        """Create a job."""
        with self._faults.call("create_batch"):
            if self.refusal:
                raise Rejected(self.refusal)
            if self.no_room:
                raise QuotaExceeded("no room")
            job = self.add(request.key)
            self.requests.append(request)
            if self.lose_responses:
                self.lose_responses -= 1
                raise Retry("the connection was lost")
            return job

    def find(self, key: str, model: str) -> Sequence[BatchJob]:
        """List the jobs that were created under a key, oldest first."""
        with self._faults.call(f"find_batches {model}"):
            return [job for job in self.jobs if job.key == key]

    def cancel(self, name: str) -> None:
        """Cancel a job at once, unless it has ended."""
        with self._faults.call("cancel_batch"):
            self.become(name, "cancelled")

    # What tests do to the service.

    def add(self, key: str) -> BatchJob:
        """Make a job that nobody asked for here."""
        name = f"projects/p/locations/us/batchPredictionJobs/{len(self.jobs) + 1}"
        job = BatchJob(name, "pending", key, self._clock())
        self.jobs.append(job)
        return job

    def become(self, name: str, state: str, error: str = "", output: str = "") -> None:
        """Put a job that has not ended into a state."""
        for index, job in enumerate(self.jobs):
            if job.name == name and job.state not in ENDED:
                self.jobs[index] = replace(job, state=state, error=error, output=output)

    def end_all(self, state: str = "succeeded", error: str = "", answered: float = 1.0) -> None:
        """Let every live job end, with so large a share of its lines answered, the last first."""
        for job in list(self.jobs):
            request = next((item for item in self.requests if item.key == job.key), None)
            if job.state in ENDED or request is None:
                continue
            _, _, source = request.source_uri.partition(f"gs://{self._artifacts.name}/")
            lines = self._artifacts.content(source).splitlines()
            said = [self._answer(request.model, line) for line in reversed(lines)]
            folder = f"{request.target_uri}/prediction-model-{job.name.rpartition('/')[2]}"
            _, _, path = folder.partition(f"gs://{self._artifacts.name}/")
            content = "\n".join(said[: round(len(said) * answered)])
            self._artifacts.put(f"{path}/predictions.jsonl", content)
            self.become(job.name, state, error, folder)

    def _answer(self, model: str, line: bytes) -> str:
        """Answer one line as the service does."""
        request = json.loads(line)["request"]
        config = request["generationConfig"]
        turns = tuple((turn["role"], turn["parts"][0]["text"]) for turn in request["contents"])
        if self.blocked and self.blocked in turns[-1][1]:
            return json.dumps({"status": "Bad Request: 400", "request": request, "response": {}})
        system = request["systemInstruction"]["parts"][0]["text"]
        media_type = config.get("responseMimeType", "text/plain")
        prompt = Prompt(system, turns, config.get("responseSchema"), media_type)
        sampling = Sampling(config["candidateCount"], config["temperature"], config["seed"])
        texts = self.speak(model, prompt, sampling)
        tokens = _counted(prompt, texts)
        response = {
            "candidates": [{"content": {"role": "model", "parts": [{"text": t}]}} for t in texts],
            "usageMetadata": {"promptTokenCount": tokens[0], "candidatesTokenCount": tokens[1]},
            "modelVersion": "fake-1",
        }
        return json.dumps({"status": "", "request": request, "response": response})


class FakeExactMatch:
    """The evaluation service's exact match, as it should be.

    Attributes:
        most: Of so many pairs it gives scores, at most; None for all.
    """

    def __init__(self, faults: Faults | None = None) -> None:
        self._faults = faults or Faults()
        self.most: int | None = None

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Score (prediction, reference) pairs."""
        with self._faults.call("score"):
            return [float(prediction == reference) for prediction, reference in pairs[: self.most]]


@dataclass(frozen=True)
class FakeWorld:
    """A world of fakes that share a clock and their faults."""

    settings: Settings
    clock: FakeClock = field(default_factory=FakeClock)
    faults: Faults = field(default_factory=Faults)
    datasets: FakeBucket = field(init=False)
    documents: FakeBucket = field(init=False)
    results: FakeBucket = field(init=False)
    artifacts: FakeBucket = field(init=False)
    publisher: FakePublisher = field(init=False)
    tuning: FakeTuning = field(init=False)
    batches: FakeBatches = field(init=False)

    def __post_init__(self) -> None:
        made: dict[str, Any] = {
            name: FakeBucket(name, self.clock, self.faults)
            for name in ("datasets", "documents", "results", "artifacts")
        }
        made["publisher"] = FakePublisher(self.faults)
        made["tuning"] = FakeTuning(self.clock, self.faults)
        made["batches"] = FakeBatches(made["artifacts"], self.clock, self.faults)
        for name, port in made.items():
            object.__setattr__(self, name, port)

    @property
    def world(self) -> World:
        """The ports, as functions take them."""
        buckets = Buckets(self.datasets, self.documents, self.results, self.artifacts)
        return World(self.settings, buckets, self.publisher, self.clock)

    def generator(self, speak: Speaker) -> FakeGenerator:
        """Make a model that shares the world's faults."""
        return FakeGenerator(speak, self.faults)

    def exact_match(self) -> FakeExactMatch:
        """Make an evaluation service that shares the world's faults."""
        return FakeExactMatch(self.faults)


def fake_settings(**overrides: Any) -> Settings:
    """Make settings; the buckets are called what they are for."""
    values = {
        "cloud": "local",
        "project": "p",
        "location": "us-central1",
        "datasets_bucket": "datasets",
        "documents_bucket": "documents",
        "results_bucket": "results",
        "artifacts_bucket": "artifacts",
        "request_concurrency": 2,
        **overrides,
    }
    return Settings(**values)


def fake_world(**overrides: Any) -> FakeWorld:
    """Assemble a world.

    Args:
        overrides: Settings that differ from the usual ones.
    """
    return FakeWorld(fake_settings(**overrides))


def message(topic: str, **data: object) -> Message:
    """Make the event of a message."""
    return Message(topic, data)


def store_dataset(
    fakes: FakeWorld,
    task: Task,
    splits: Mapping[str, Sequence[Example]],
    name: str = "birds",
    identifier: str = "dataset1",
    training_tokens: int = 10_000,
) -> DatasetRecord:
    """Put a converted dataset into the artifacts bucket."""
    counts = {split: len(splits.get(split, ())) for split in ("train", "validation", "test")}
    for split in counts:
        lines = [json.dumps(tuning_line(task, example)) for example in splits.get(split, ())]
        content = "".join(f"{line}\n" for line in lines).encode()
        fakes.artifacts.put(paths.split_file(name, identifier, split), content)
    record = DatasetRecord(
        id=identifier,
        task_name=name,
        task=task,
        explanation=("made for a test",),
        source_bucket="datasets",
        source_object=f"{name}/data.csv",
        source_generation=1,
        rows=sum(counts.values()),
        counts=counts,
        quarantined=0,
        quarantined_by_reason={},
        labels={},
        training_tokens=training_tokens,
        created=fakes.clock(),
    )
    create(fakes.artifacts, paths.dataset_record(name, identifier), record)
    return record
