"""Front door: somebody, or evaluate_model, published to tuning-requested."""

from functools import cache

import flask
import functions_framework

from functions.launch_tuning.launch import launch
from shared.entry import answer
from shared.events import Event
from shared.gcp.tuning import VertexTuning
from shared.gcp.world import world


@cache
def tuning() -> VertexTuning:
    """Build the tuning port once a process."""
    return VertexTuning(world().settings)


def work(event: Event) -> None:
    """Launch what was asked for."""
    launch(event, world(), tuning())


@functions_framework.http
def handle(request: flask.Request) -> tuple[str, int]:
    """Answer one event."""
    return answer(
        request,
        function="launch_tuning",
        topics=("tuning-requested",),
        world=world,
        work=work,
    )
