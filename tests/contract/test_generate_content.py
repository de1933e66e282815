"""Requests over the wire: what google-genai would send, and what is done with the answers."""

import json
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from google.cloud import aiplatform_v1
from google.protobuf.json_format import ParseDict

from benchmarks.google_genai import arguments, build_client
from shared.errors import Busy, ModelGone, Rejected, Retry
from shared.gcp.generation import Gemini
from shared.ports import Needed, Sampling
from shared.prompts import File, Prompt, prompted
from shared.task import Task
from tests.fakes import fake_settings

BASE_MODEL = "locations/us/publishers/google/models/gemini-3.5-flash-lite"
TUNED = "projects/p/locations/us/endpoints/1"
SAID: dict[str, Any] = {
    "candidates": [{"content": {"parts": [{"text": "red"}]}}],
    "modelVersion": "m",
}
FLOWER = Prompt("Name the colour.", (("user", "a red rose"),))


class Service:
    """Keeps what it is sent, and answers what it is told to, or "red"."""

    def __init__(self) -> None:
        self.received: list[tuple[str, Any]] = []
        self.answers: list[tuple[int, bytes] | None] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.received.append((self.path, json.loads(body)))
                answer = (
                    service.answers.pop(0) if service.answers else (200, json.dumps(SAID).encode())
                )
                if answer is None:
                    self.close_connection = True
                    return
                status, content = answer
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.settings = fake_settings(vertex_endpoint=f"http://127.0.0.1:{self.server.server_port}")

    def fails(self, code: int, status: str, message: str = "") -> tuple[int, bytes]:
        error = {"error": {"code": code, "status": status, "message": message}}
        return code, json.dumps(error).encode()


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


COLOURS = Task.model_validate(
    {"type": "classification", "instruction": "Name the colour.", "labels": ["red", "blau", "红"]}
)
FIELDS = Task.model_validate(
    {
        "type": "extraction",
        "instruction": "Read the receipt.",
        "fields": ["total", "date"],
    }
)
EXAMPLE_TURNS = Prompt("Name it.", (("user", "a rose"), ("model", "red"), ("user", "the sea")))
SCAN = Prompt("", (("user", ""),), file=File("gs://documents/birds/scan.pdf", "application/pdf"))


def meaning(request: Any) -> Any:
    """Read a request as the service does, which takes two spellings of each name."""
    message = aiplatform_v1.GenerateContentRequest.pb(aiplatform_v1.GenerateContentRequest())
    return ParseDict(request, message)


@pytest.mark.parametrize(
    "prompt",
    [
        FLOWER,
        EXAMPLE_TURNS,
        SCAN,
        prompted(COLOURS, "eine 红 rose"),
        prompted(FIELDS, "TOTAL 3", list_fields={"total": "sometimes", "date": "always"}),
    ],
    ids=["plain", "examples", "a file", "labels", "fields"],
)
@pytest.mark.parametrize("model", [BASE_MODEL, TUNED])
@pytest.mark.filterwarnings("ignore")
def test_a_request_says_what_google_genai_would_say(
    model: str, prompt: Prompt, service: Service
) -> None:
    Gemini(service.settings).generate(model, prompt, Sampling(1, 0.7, 7))
    name = model if model == TUNED else model.rpartition("/")[2]
    client = build_client(service.settings)
    client.models.generate_content(**arguments(name, prompt, Sampling(1, 0.7, 7)))
    client.close()
    (our_path, ours), (path, theirs) = service.received
    assert meaning(ours) == meaning(theirs)
    assert our_path == path.replace("%3A", ":").replace("v1beta1", "v1")


def test_a_busy_moment_is_waited_out(service: Service) -> None:
    service.answers = [
        service.fails(503, "UNAVAILABLE"),
        None,
        service.fails(429, "RESOURCE_EXHAUSTED"),
    ]
    reply = Gemini(service.settings).generate(TUNED, FLOWER, Sampling())
    assert reply.texts == ("red",)
    assert len(service.received) == 4


@pytest.mark.parametrize(
    ("code", "status", "outcome"),
    [
        (429, "RESOURCE_EXHAUSTED", Busy),
        (503, "UNAVAILABLE", Busy),
        (500, "INTERNAL", Retry),
        (403, "PERMISSION_DENIED", Retry),
        (400, "FAILED_PRECONDITION", ModelGone),
        (404, "NOT_FOUND", ModelGone),
        (400, "INVALID_ARGUMENT", Rejected),
    ],
)
def test_whoever_sets_the_pace_hears_of_trouble_at_once(
    code: int, status: str, outcome: type[Exception], service: Service
) -> None:
    service.answers = [service.fails(code, status, "It is so.")]
    with pytest.raises(outcome) as caught:
        Gemini(service.settings, paced=True).generate(TUNED, FLOWER, Sampling())
    assert caught.type is outcome or code == 500
    assert ("It is so." if outcome is Rejected else str(code)) in str(caught.value)
    assert len(service.received) == 1


@pytest.mark.parametrize("code", [403, 404, 400])
def test_what_a_moment_does_not_mend_is_not_tried_again(code: int, service: Service) -> None:
    service.answers = [service.fails(code, "")]
    with pytest.raises((Retry, Rejected)):
        Gemini(service.settings).generate(TUNED, FLOWER, Sampling())
    assert len(service.received) == 1


@pytest.mark.parametrize("content", [b"<html>", b"[]", b""])
def test_an_answer_that_is_not_the_service_s_counts_for_nothing(
    content: bytes, service: Service
) -> None:
    service.answers = [(200, content)]
    with pytest.raises(Retry, match="200"):
        Gemini(service.settings).generate(TUNED, FLOWER, Sampling())


def test_a_page_of_a_proxy_is_something_to_try_again(service: Service) -> None:
    service.answers = [(502, b"<html>Bad gateway</html>")]
    assert Gemini(service.settings).generate(TUNED, FLOWER, Sampling()).texts == ("red",)


@pytest.mark.parametrize("content", [b'{"error": "invalid_grant"}', b"[]", b'{"error": null}'])
def test_an_error_in_another_form_is_told_by_its_code(content: bytes, service: Service) -> None:
    service.answers = [(403, content)]
    with pytest.raises(Retry, match="403"):
        Gemini(service.settings).generate(TUNED, FLOWER, Sampling())


def test_an_answer_without_candidates_is_a_refusal(service: Service) -> None:
    service.answers = [(200, b'{"promptFeedback": {"blockReason": "SAFETY"}}')]
    with pytest.raises(Rejected, match="safety"):
        Gemini(service.settings).generate(TUNED, FLOWER, Sampling())


def said(count: int) -> tuple[int, bytes]:
    return 200, json.dumps({"candidates": SAID["candidates"] * count}).encode()


def asked(service: Service) -> list[int]:
    return [body["generationConfig"]["candidateCount"] for _, body in service.received]


def test_a_model_that_gave_one_sample_of_several_twice_is_asked_for_one_at_a_time(
    service: Service,
) -> None:
    gemini = Gemini(service.settings)
    for _ in range(3):
        gemini.generate(TUNED, FLOWER, Sampling(3, 0.7, 1))
    assert asked(service) == [3, 1, 1, 3, 1, 1, 1, 1, 1]


def test_the_answers_to_a_row_do_not_depend_on_the_rows_before(service: Service) -> None:
    gemini = Gemini(service.settings, paced=True)
    for _ in range(3):
        gemini.generate(TUNED, FLOWER, Sampling(2, 0.7, 1))
    assert asked(service) == [2, 1] * 3


def test_one_answer_that_is_missing_says_nothing_of_the_model(service: Service) -> None:
    gemini = Gemini(service.settings)
    service.answers = [said(0), said(1), said(1), said(2)]
    for _ in range(2):
        assert len(gemini.generate(TUNED, FLOWER, Sampling(2, 0.7, 1)).texts) == 2
    assert asked(service) == [2, 1, 1, 2]


def until_two(texts: Sequence[str]) -> int:
    return 2 - len(texts)


@pytest.mark.parametrize(
    ("gives", "took", "needed", "seconds"),
    [
        (1, (2, 5, 3), None, 5),
        (1, (6, 5, 3), None, 6),
        (1, (6, 5), until_two, 6),
        # This one is asked for the third sample after the first two, also by the one who serves.
        (2, (4, 1), None, 5),
        (3, (4,), None, 4),
    ],
)
def test_whoever_is_paced_takes_as_long_as_one_who_serves(
    gives: int, took: Sequence[int], needed: Needed | None, seconds: int, service: Service
) -> None:
    service.answers = [said(gives)]
    times = iter([time for each in took for time in (0, each)])
    gemini = Gemini(service.settings, paced=True, clock=lambda: next(times))
    assert gemini.generate(TUNED, FLOWER, Sampling(3, 0.7, 1), needed).seconds == seconds
    assert next(times, None) is None


def test_samples_of_a_model_that_refuses_several_take_as_long_as_the_longest(
    service: Service,
) -> None:
    service.answers = [service.fails(400, "INVALID_ARGUMENT", "one candidate only")]
    times = iter([0, 0, 1, 0, 4, 0, 2])
    gemini = Gemini(service.settings, paced=True, clock=lambda: next(times))
    assert gemini.generate(TUNED, FLOWER, Sampling(3, 0.7, 1)).seconds == 4
