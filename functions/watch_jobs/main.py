"""Front door: the scheduler ticks."""

from functools import cache

import flask
import functions_framework

from functions.watch_jobs.watch import tick
from shared.entry import answer
from shared.events import Event
from shared.gcp.batch import VertexBatches
from shared.gcp.tuning import VertexTuning
from shared.gcp.world import world


@cache
def ports() -> tuple[VertexTuning, VertexBatches]:
    """Build the ports of both kinds of jobs once a process."""
    return VertexTuning(world().settings), VertexBatches(world().settings)


def work(_event: Event) -> None:
    """Look at everything that is open."""
    tick(world(), *ports())


@functions_framework.http
def handle(request: flask.Request) -> tuple[str, int]:
    """Answer one event."""
    return answer(
        request,
        function="watch_jobs",
        topics=("scheduler-tick",),
        world=world,
        work=work,
    )
