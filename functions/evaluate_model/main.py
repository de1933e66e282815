"""Front door: a dataset was converted, a tuning job ended, or somebody asks for a promotion."""

from functools import cache

import flask
import functions_framework

from functions.evaluate_model.bench import Services
from functions.evaluate_model.evaluate import handle_event
from shared.entry import answer
from shared.events import Event
from shared.gcp.evaluation import VertexExactMatch
from shared.gcp.generation import Gemini
from shared.gcp.world import world


@cache
def services() -> Services:
    """Build the model and evaluation ports once a process."""
    settings = world().settings
    return Services(Gemini(settings, paced=True), VertexExactMatch(settings))


def work(event: Event) -> None:
    """Measure what is new, and decide once everything is measured."""
    handle_event(event, world(), services())


@functions_framework.http
def handle(request: flask.Request) -> tuple[str, int]:
    """Answer one event."""
    return answer(
        request,
        function="evaluate_model",
        topics=("dataset-converted", "tuning-completed", "promotion-requested"),
        world=world,
        work=work,
    )
