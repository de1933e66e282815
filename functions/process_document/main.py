"""Front door: a document was written to the documents bucket."""

from functools import cache

import flask
import functions_framework

from functions.process_document.process import process
from shared.entry import answer
from shared.events import Event
from shared.gcp.generation import Gemini
from shared.gcp.world import world


@cache
def generator() -> Gemini:
    """Build the model's port once a process."""
    return Gemini(world().settings)


def work(event: Event) -> None:
    """Answer the document."""
    process(event, world(), generator())


@functions_framework.http
def handle(request: flask.Request) -> tuple[str, int]:
    """Answer one event."""
    return answer(
        request,
        function="process_document",
        topics=("document-arrived",),
        world=world,
        work=work,
    )
