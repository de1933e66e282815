"""One suite a port, run against the fake that unit tests use and against Google's own clients.

"real" is the product's class in shared/gcp/, talking over the wire: to the real fake-gcs-server,
the embedded Pub/Sub server and the local stand-in for Vertex AI.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest
import requests

from local.cloud import PROJECT, LocalCloud
from shared.answers import parse_answer
from shared.batch_lines import line_key, read_line, request_line
from shared.errors import Busy, Conflict, ModelGone, NotFound, QuotaExceeded, Rejected, Retry
from shared.examples import Example, ListKind
from shared.gcp.addresses import service_address
from shared.gcp.batch import VertexBatches
from shared.gcp.evaluation import VertexExactMatch
from shared.gcp.generation import Gemini
from shared.gcp.pubsub import CloudPublisher
from shared.gcp.storage import open_buckets
from shared.gcp.tuning import VertexTuning
from shared.ports import (
    BatchJob,
    BatchRequest,
    BatchService,
    Bucket,
    ExactMatch,
    Generator,
    Publisher,
    Sampling,
    TuningJob,
    TuningRequest,
    TuningService,
)
from shared.prompts import File, Prompt, prompted, reasoned
from shared.rounds import ENOUGH_SEEN
from shared.settings import Settings
from shared.stopping import still_needed
from shared.task import Configuration, Task
from tests.fakes import (
    FakeBatches,
    FakeBucket,
    FakeExactMatch,
    FakeGenerator,
    FakePublisher,
    FakeTuning,
)

BASE_MODEL = "locations/us/publishers/google/models/gemini-3.5-flash-lite"
ONE_CANDIDATE = "locations/us/publishers/google/models/gemini-3.1-flash-lite"
COLOURS = Prompt(
    "Name the colour.\n\nAnswer with exactly one of these labels and nothing else:\n- red\n- blue",
    (("user", "a red rose"),),
)


def until_four_agree(texts: Sequence[str]) -> int:
    """Say how many more of eight answers it takes, as shared/stopping.py would."""
    return still_needed(list(texts), 0.95, 8)


@dataclass
class Ports:
    """The ports of one kind."""

    bucket: Bucket
    publisher: Publisher
    published: Callable[[], list[dict[str, object]]]
    tuning: TuningService
    batches: BatchService
    end_jobs: Callable[[], None]
    end_batches: Callable[[], None]
    generator: Generator
    exact_match: ExactMatch


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud, whose addresses Google's clients find in the environment."""
    with LocalCloud(tmp_path_factory.mktemp("ports")) as cloud:
        before = dict(os.environ)
        os.environ.update(cloud.environment)
        yield cloud
        os.environ.clear()
        os.environ.update(before)


def _fake_ports() -> Ports:
    publisher, tuning = FakePublisher(), FakeTuning()
    tuning.quota = 1

    def speak(_: str, prompt: Prompt, sampling: Sampling) -> list[str]:
        return ["red" if "rose" in prompt.turns[-1][1] else "blue"] * sampling.samples

    bucket = FakeBucket("artifacts")
    batches = FakeBatches(bucket)
    batches.speak, batches.blocked = speak, "refused"
    return Ports(
        bucket=bucket,
        publisher=publisher,
        published=lambda: publisher.on("pipeline-events"),
        tuning=tuning,
        batches=batches,
        end_jobs=tuning.end_all,
        end_batches=batches.end_all,
        generator=FakeGenerator(speak),
        exact_match=FakeExactMatch(),
    )


def _real_ports(cloud: LocalCloud) -> Ports:
    settings = Settings.from_environment(cloud.environment)
    tuning = VertexTuning(settings)
    name = f"listener-{uuid4().hex}"
    cloud.clients.subscribe(name, "pipeline-events")

    def published() -> list[dict[str, object]]:
        got: list[dict[str, object]] = []
        cloud.clients.receive(name, 5, lambda message: got.append(json.loads(message.data)))
        return got

    return Ports(
        bucket=open_buckets(settings).artifacts,
        publisher=CloudPublisher(settings),
        published=published,
        tuning=tuning,
        batches=VertexBatches(settings),
        end_jobs=lambda: time.sleep(1.5),
        end_batches=lambda: time.sleep(0.1),
        generator=Gemini(settings),
        exact_match=VertexExactMatch(settings),
    )


@pytest.fixture(params=["fake", "real"])
def ports(request: pytest.FixtureRequest) -> Ports:
    if request.param == "fake":
        return _fake_ports()
    return _real_ports(request.getfixturevalue("cloud"))


def _name(ending: str = "") -> str:
    return f"contract/{uuid4().hex}{ending}"


# Bucket


def test_what_was_written_is_read_back_with_its_generation(ports: Ports) -> None:
    name = _name("/é 中文.json")
    generation = ports.bucket.write(name, b"content")
    assert ports.bucket.read(name) == (b"content", generation)
    found = ports.bucket.find(name)
    assert found is not None
    assert (found.name, found.generation, found.size) == (name, generation, 7)


def test_an_object_that_is_not_there_is_not_found(ports: Ports) -> None:
    name = _name()
    assert ports.bucket.find(name) is None
    with pytest.raises(NotFound):
        ports.bucket.read(name)
    with pytest.raises(NotFound), ports.bucket.open_read(name) as stream:
        stream.read()
    ports.bucket.delete(name)


def test_a_write_under_a_condition_fails_when_the_generation_differs(ports: Ports) -> None:
    name = _name()
    first = ports.bucket.write(name, b"1", if_generation=0)
    with pytest.raises(Conflict):
        ports.bucket.write(name, b"2", if_generation=0)
    second = ports.bucket.write(name, b"2", if_generation=first)
    with pytest.raises(Conflict):
        ports.bucket.write(name, b"3", if_generation=first)
    assert ports.bucket.read(name) == (b"2", second)


def test_of_many_that_write_over_one_generation_one_wins(ports: Ports) -> None:
    name = _name()
    generation = ports.bucket.write(name, b"0")
    barrier = threading.Barrier(8)

    def compete(number: int) -> bool:
        barrier.wait()
        try:
            ports.bucket.write(name, b"%d" % number, if_generation=generation)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(compete, range(8))) == 1


def test_a_stream_is_written_whole_or_not_at_all(ports: Ports) -> None:
    name = _name()
    lines = [b"%d\n" % number for number in range(300_000)]
    with ports.bucket.open_write(name, "text/plain") as stream:
        for line in lines:
            stream.write(line)
    with ports.bucket.open_read(name) as stream:
        assert list(stream) == lines
    broken = _name()

    def break_off() -> None:
        with ports.bucket.open_write(broken, "text/plain") as half:
            half.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert ports.bucket.find(broken) is None


def test_a_list_has_the_names_with_the_prefix_in_their_order(ports: Ports) -> None:
    folder = _name()
    for ending in ("b/2", "a", "b/1", "bb"):
        ports.bucket.write(f"{folder}/{ending}", b"")
    names = [item.name for item in ports.bucket.list(f"{folder}/b")]
    assert names == [f"{folder}/b/1", f"{folder}/b/2", f"{folder}/bb"]
    ports.bucket.delete(f"{folder}/b/1")
    assert len(list(ports.bucket.list(f"{folder}/b"))) == 2


# Publisher


def test_a_published_message_arrives_as_it_was(ports: Ports) -> None:
    message = {"fact": "input-rejected", "task": "é 中文", "details": {"n": 1}}
    ports.publisher.publish("pipeline-events", message)
    assert message in ports.published()


# TuningService


def _request(
    key: str, training_uri: str, epochs: int = 1, *, all_checkpoints: bool = False
) -> TuningRequest:
    return TuningRequest(
        key=key,
        base_model="gemini-3.5-flash-lite",
        training_uri=training_uri,
        validation_uri="",
        configuration=Configuration(epoch_count=epochs, adapter_size=4),
        display_name=f"contract {key}",
        labels={"tunedrop_task": "colours"},
        all_checkpoints=all_checkpoints,
    )


def _training_file(bucket: Bucket) -> str:
    name = _name(".jsonl")
    lines = []
    for number in range(40):
        text, label = (f"a rose {number}", "red") if number % 2 else (f"the sea {number}", "blue")
        turns = [{"role": "user", "parts": [{"text": text}]}]
        turns.append({"role": "model", "parts": [{"text": label}]})
        lines.append(json.dumps({"contents": turns}))
    bucket.write(name, "\n".join(lines).encode())
    return f"gs://{bucket.name}/{name}"


def _create_when_there_is_room(ports: Ports, request: TuningRequest) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            ports.tuning.create(request)
        except QuotaExceeded:
            ports.end_jobs()
        else:
            return
    raise AssertionError("there was never room for a job")


def test_a_job_is_found_again_by_its_key_alone_and_ends_with_an_endpoint(ports: Ports) -> None:
    key = f"key-{uuid4().hex[:12]}"
    assert list(ports.tuning.find(key)) == []
    _create_when_there_is_room(ports, _request(key, _training_file(ports.bucket)))
    (found,) = ports.tuning.find(key)
    assert found.key == key
    deadline = time.monotonic() + 20
    while found.state != "succeeded" and time.monotonic() < deadline:
        ports.end_jobs()
        (found,) = ports.tuning.find(key)
    assert found.state == "succeeded"
    assert found.endpoint.split("/")[2:5:2] == ["locations", "endpoints"]


def _tuned(ports: Ports, epochs: int, *, all_checkpoints: bool) -> TuningJob:
    key = f"key-{uuid4().hex[:12]}"
    uri = _training_file(ports.bucket)
    request = _request(key, uri, epochs, all_checkpoints=all_checkpoints)
    _create_when_there_is_room(ports, request)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        ports.end_jobs()
        (found,) = ports.tuning.find(key)
        if found.state == "succeeded":
            return found
    raise AssertionError("the job did not succeed")


def test_each_checkpoint_has_an_endpoint_of_its_own_when_all_are_kept(ports: Ports) -> None:
    job = _tuned(ports, 3, all_checkpoints=True)
    assert [item.epoch for item in job.checkpoints] == [1, 2, 3]
    steps = [item.step for item in job.checkpoints]
    assert steps == sorted(set(steps))
    assert len({item.endpoint for item in job.checkpoints}) == 3
    assert job.checkpoints[-1].endpoint == job.endpoint


def test_only_the_last_model_has_an_endpoint_when_the_others_are_not_kept(ports: Ports) -> None:
    job = _tuned(ports, 3, all_checkpoints=False)
    assert {item.endpoint for item in job.checkpoints} <= {job.endpoint}


def test_a_job_that_has_ended_can_be_cancelled_in_vain(ports: Ports) -> None:
    job = _tuned(ports, 1, all_checkpoints=False)
    ports.tuning.cancel(job.name)
    (found,) = ports.tuning.find(job.key)
    assert found.state == "succeeded"


def test_an_endpoint_is_removed_once_and_again(ports: Ports) -> None:
    job = _tuned(ports, 1, all_checkpoints=False)
    ports.tuning.remove_endpoint(job.endpoint)
    ports.tuning.remove_endpoint(job.endpoint)
    ports.tuning.remove_endpoint("projects/local/locations/us/endpoints/404")


def test_a_job_over_the_quota_is_refused_and_not_made(ports: Ports) -> None:
    uri = _training_file(ports.bucket)
    _create_when_there_is_room(ports, _request(f"key-{uuid4().hex[:12]}", uri))
    over = f"key-{uuid4().hex[:12]}"
    with pytest.raises(QuotaExceeded):
        ports.tuning.create(_request(over, uri))
    assert list(ports.tuning.find(over)) == []


def test_a_cancelled_job_does_not_succeed(ports: Ports) -> None:
    key = f"key-{uuid4().hex[:12]}"
    _create_when_there_is_room(ports, _request(key, _training_file(ports.bucket)))
    (job,) = ports.tuning.find(key)
    ports.tuning.cancel(job.name)
    ports.end_jobs()
    (found,) = ports.tuning.find(key)
    assert found.state == "cancelled"


# BatchService


def _batch(ports: Ports, lines: list[bytes], model: str = BASE_MODEL) -> BatchJob:
    """Ask in a batch, and return its job once it has ended."""
    key = f"key-{uuid4().hex[:12]}"
    assert list(ports.batches.find(key, model)) == []
    source, target = _name("/requests.jsonl"), _name("/predictions")
    ports.bucket.write(source, b"\n".join(lines))
    address = f"gs://{ports.bucket.name}"
    labels = {"tunedrop_task": "colours"}
    request = BatchRequest(key, model, f"{address}/{source}", f"{address}/{target}", labels)
    created = ports.batches.create(request)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        (found,) = ports.batches.find(key, model)
        assert (found.name, found.key) == (created.name, key)
        if found.state in {"succeeded", "failed"}:
            return found
        ports.end_batches()
    raise AssertionError("the batch did not end")


def _predictions(ports: Ports, job: BatchJob) -> list[bytes]:
    folder = job.output.removeprefix(f"gs://{ports.bucket.name}/")
    names = [item.name for item in ports.bucket.list(f"{folder}/") if item.name.endswith(".jsonl")]
    return [line for name in names for line in ports.bucket.read(name)[0].splitlines()]


def _colours(text: str) -> Prompt:
    task = Task.model_validate({"type": "classification", "labels": ["red", "blue"]})
    return prompted(task, text, [Example("a rose", "red"), Example("the sea", "blue")])


def test_a_batch_answers_each_line_and_tells_which_and_what_it_does_not_answer(
    ports: Ports,
) -> None:
    sampling = Sampling(3, 0.7, 11)
    asked = [_colours(f"one more rose {number}") for number in range(4)]
    lines = [request_line(prompt, sampling) for prompt in asked]
    wrong = json.loads(request_line(_colours("this is refused"), sampling))
    wrong["request"]["generationConfig"]["temperature"] = 7
    job = _batch(ports, [*lines, json.dumps(wrong).encode()])
    assert job.state == "succeeded"
    said = dict(read_line(line) for line in _predictions(ports, job))
    assert said.pop(line_key(_colours("this is refused"), 11)) is None
    assert set(said) == {line_key(prompt, 11) for prompt in asked}
    for reply in said.values():
        assert reply is not None
        assert (len(reply.texts), reply.batched) == (3, True)
        assert reply.prompt_tokens > 0
        assert set(reply.texts) <= {"red", "blue"}
    ports.batches.cancel(job.name)
    (found,) = ports.batches.find(job.key, BASE_MODEL)
    assert found.state == "succeeded"


def test_a_batch_of_a_tuned_model_says_what_its_endpoint_says(ports: Ports) -> None:
    tuned = _tuned(ports, 1, all_checkpoints=False)
    prompt, sampling = Prompt("Sort.", (("user", "a rose by the sea"),)), Sampling(5, 1.0, 3)
    job = _batch(ports, [request_line(prompt, sampling)], tuned.model)
    (line,) = _predictions(ports, job)
    _, reply = read_line(line)
    assert reply is not None
    assert reply.texts == ports.generator.generate(tuned.endpoint, prompt, sampling).texts


def test_a_batch_of_a_model_that_is_not_there_is_refused(ports: Ports) -> None:
    if isinstance(ports.batches, FakeBatches):
        ports.batches.refusal = "no such model"
    with pytest.raises(Rejected):
        _batch(ports, [b"{}"], "locations/us/publishers/google/models/gemini-0")


# Generator


def test_a_model_gives_as_many_samples_as_were_asked_for(ports: Ports) -> None:
    system = "Name the colour.\n\nAnswer with exactly one of these labels and nothing else:\n"
    shots = (("user", "a rose"), ("model", "red"), ("user", "the sea"), ("model", "blue"))
    prompt = Prompt(f"{system}- red\n- blue", (*shots, ("user", "a rose in the garden")))
    reply = ports.generator.generate(BASE_MODEL, prompt, Sampling(5, 0.7, 7))
    assert len(reply.texts) == 5
    assert set(reply.texts) <= {"red", "blue"}
    assert reply.prompt_tokens > 0
    assert reply.answer_tokens > 0
    assert reply.model_version
    assert ports.generator.generate(BASE_MODEL, prompt, Sampling(5, 0.7, 7)).texts == reply.texts


def test_a_model_that_refuses_several_candidates_is_asked_for_one_at_a_time(
    cloud: LocalCloud,
) -> None:
    system = "Name the colour.\n\nAnswer with exactly one of these labels and nothing else:\n"
    prompt = Prompt(f"{system}- red\n- blue", (("user", "a rose, or the sea"),))
    gemini = Gemini(Settings.from_environment(cloud.environment))
    replies = [gemini.generate(ONE_CANDIDATE, prompt, Sampling(6, 1.5, 3)) for _ in range(2)]
    assert [len(reply.texts) for reply in replies] == [6, 6]
    assert replies[0].texts == replies[1].texts


def test_a_model_that_gives_one_sample_a_request_is_asked_until_they_agree(
    cloud: LocalCloud,
) -> None:
    gemini = Gemini(Settings.from_environment(cloud.environment))
    alone = gemini.generate(ONE_CANDIDATE, COLOURS, Sampling(1, 0.1))
    reply = gemini.generate(ONE_CANDIDATE, COLOURS, Sampling(8, 0.1, 3), until_four_agree)
    assert reply.texts == ("red",) * 4
    assert reply.prompt_tokens == 4 * alone.prompt_tokens


def test_a_model_that_gives_several_samples_is_asked_in_rounds_once_that_is_seen_to_be_cheaper(
    cloud: LocalCloud,
) -> None:
    settings = Settings.from_environment(cloud.environment)
    gemini, paced = Gemini(settings), Gemini(settings, paced=True)
    given = [
        [
            len(port.generate(BASE_MODEL, COLOURS, Sampling(8, 0.1, n), until_four_agree).texts)
            for n in range(ENOUGH_SEEN + 1)
        ]
        for port in (gemini, paced)
    ]
    assert given == [[8] * ENOUGH_SEEN + [4], [8] * (ENOUGH_SEEN + 1)]


@pytest.mark.parametrize("lists", ["always", "sometimes"])
def test_a_field_that_may_hold_a_list_is_a_schema_that_the_service_takes(
    cloud: LocalCloud, lists: ListKind
) -> None:
    task = Task.model_validate({"type": "extraction", "fields": ["name"]})
    shots = [
        Example(f"K{n}X and K{n}Y came home", {"name": [f"K{n}X", f"K{n}Y"]}) for n in range(12)
    ]
    prompt = prompted(task, "K77X and K77Y came home", shots, {"name": lists})
    gemini = Gemini(Settings.from_environment(cloud.environment))
    reply = gemini.generate(BASE_MODEL, prompt, Sampling())
    assert parse_answer(task, reply.texts[0]) == {"name": ["K77X", "K77Y"]}


def test_a_model_that_is_asked_for_reasons_ends_with_its_answer(cloud: LocalCloud) -> None:
    task = Task.model_validate({"type": "classification", "labels": ["red", "blue"]})
    prompt = reasoned(task, "a red rose")
    gemini = Gemini(Settings.from_environment(cloud.environment))
    reply = gemini.generate(BASE_MODEL, prompt, Sampling())
    assert len(reply.texts[0].splitlines()) > 1
    assert parse_answer(task, reply.texts[0]) == "red"


def test_a_request_that_there_is_no_room_for_is_told_from_other_trouble(
    cloud: LocalCloud,
) -> None:
    settings = Settings.from_environment(cloud.environment)
    address = f"{settings.vertex_endpoint}/_faults"
    prompt = Prompt("Say red.\n- red\n- blue", (("user", "a rose"),))
    gemini = Gemini(settings, paced=True)
    try:
        requests.post(address, json={"error_share": 1}, timeout=10).raise_for_status()
        with pytest.raises(Busy, match="503"):
            gemini.generate(BASE_MODEL, prompt, Sampling())
    finally:
        requests.post(address, json={"error_share": 0}, timeout=10).raise_for_status()
    reply = gemini.generate(BASE_MODEL, prompt, Sampling(3, 0.5))
    assert len(reply.texts) == 3
    assert reply.seconds > 0


# ExactMatch


def test_exact_match_tells_equal_texts_from_others_in_their_order(ports: Ports) -> None:
    pairs = [("a", "a"), ("a", "b"), ("", "b"), ("中文", "中文"), ("a ", "a")] * 50
    scores = ports.exact_match.score(pairs)
    assert scores[:4] == [1.0, 0.0, 0.0, 1.0]
    assert len(scores) == 250


# What only the real ones can be asked.


def test_a_wrong_request_is_rejected_and_a_missing_endpoint_is_tried_again(
    cloud: LocalCloud,
) -> None:
    settings = Settings.from_environment(cloud.environment)
    with pytest.raises(Rejected, match="gs://"):
        VertexTuning(settings).create(_request("key", "http://example.com/train.jsonl"))
    prompt = Prompt("", (("user", "hello"),))
    with pytest.raises(Rejected):
        Gemini(settings).generate(BASE_MODEL, prompt, Sampling(temperature=9))
    scan = replace(prompt, file=File("gs://local-documents/birds/scan.pdf", "application/pdf"))
    with pytest.raises(Rejected, match="reads text parts only"):
        Gemini(settings).generate(BASE_MODEL, scan, Sampling())
    missing = f"projects/{PROJECT}/locations/us/endpoints/404"
    with pytest.raises(ModelGone, match="404"):
        Gemini(settings).generate(missing, prompt, Sampling())


def test_a_model_whose_endpoint_was_removed_is_gone_and_its_checkpoints_are_not(
    cloud: LocalCloud,
) -> None:
    ports = _real_ports(cloud)
    job = _tuned(ports, 2, all_checkpoints=True)
    prompt = Prompt("", (("user", "a rose"),))
    first, last = (item.endpoint for item in job.checkpoints)
    ports.tuning.remove_endpoint(last)
    with pytest.raises(ModelGone):
        ports.generator.generate(last, prompt, Sampling())
    assert ports.generator.generate(first, prompt, Sampling()).texts


def test_nobody_listening_is_something_to_try_again(cloud: LocalCloud) -> None:
    environment = {**cloud.environment, "TUNEDROP_VERTEX_ENDPOINT": "http://127.0.0.1:1"}
    settings = Settings.from_environment(environment)
    with pytest.raises(Retry):
        VertexTuning(settings).create(_request("key", "gs://bucket/train.jsonl"))


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("us-central1", "us-central1-aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
    ],
)
def test_a_location_is_reached_at_its_own_host(location: str, host: str) -> None:
    assert service_address(location) == host
