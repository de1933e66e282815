"""Front door: a labelled file or a task.yaml was written to the datasets bucket."""

import flask
import functions_framework

from functions.convert_dataset.upload import handle_upload
from shared.entry import answer
from shared.events import Event
from shared.gcp.world import world


def work(event: Event) -> None:
    """Convert what was uploaded."""
    handle_upload(event, world())


@functions_framework.http
def handle(request: flask.Request) -> tuple[str, int]:
    """Answer one event."""
    return answer(
        request,
        function="convert_dataset",
        topics=("dataset-uploaded",),
        world=world,
        work=work,
    )
