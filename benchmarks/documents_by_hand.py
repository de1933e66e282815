"""How documents are answered by hand: five requests each, through the client as it comes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from benchmarks.google_genai import arguments, build_client
from shared.answers import parse_answer
from shared.candidates import prompt_of, sampling_of
from shared.records import Candidate
from shared.settings import Settings
from shared.task import Serving, Task
from shared.voting import vote
from tests.fakes import FakeWorld, fake_settings

CONCURRENCY = 32
TASK = Task.model_validate(
    {
        "type": "classification",
        "instruction": "Sort the message.",
        "labels": ["where_is_my_parcel", *(f"label_{number}" for number in range(11))],
    }
)
ENDPOINT = "projects/p/locations/us/endpoints/1"
CANDIDATE = Candidate(
    name="tuned-e4-m1-a1", kind="tuned", model=ENDPOINT, base_model="gemini-3.5-flash-lite"
)


def text_of(number: int) -> str:
    """Write a document of some 40 words."""
    return f"{number} " + "my parcel has not come yet and nobody answers " * 4


def one_after_the_other(settings: Settings, documents: int) -> None:
    """Five requests a document through google-genai, in turn, and a vote; nothing else."""
    _by_hand(settings, documents, _five_in_turn)


def five_threads(settings: Settings, documents: int) -> None:
    """Five requests a document through google-genai, at once, and a vote; nothing else."""
    _by_hand(settings, documents, _five_at_once)


def _by_hand(settings: Settings, documents: int, five: Callable[[Any, int], list[str]]) -> None:
    """Ask through the client as it comes, with as many documents at a time."""
    client = build_client(settings)

    def one(number: int) -> None:
        vote([parse_answer(TASK, text) for text in five(client, number)])

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        list(pool.map(one, range(documents)))


def _five_in_turn(client: Any, number: int) -> list[str]:
    return [_request(client, number, sample) for sample in range(Serving().samples)]


def _five_at_once(client: Any, number: int) -> list[str]:
    with ThreadPoolExecutor(Serving().samples) as pool:
        return list(pool.map(partial(_request, client, number), range(Serving().samples)))


def _request(client: Any, number: int, sample: int) -> str:
    text = text_of(number)
    prompt = prompt_of(CANDIDATE, TASK, text, FakeWorld(fake_settings()).artifacts)
    one = sampling_of(Serving(samples=1), text, str(sample))
    response = client.models.generate_content(**arguments(ENDPOINT, prompt, one))
    return str(response.text)
