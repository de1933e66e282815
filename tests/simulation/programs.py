"""Runs a function's real code, one port call at a time, and remembers what it does next.

A delivery is a deterministic function of what its calls return. So its code is run once for
every different history, from its front door on, against ports that play back what was heard and
stop at the first call that was not: `Pause` is raised through the code as a crash would be. What
follows a history is kept, so an explorer may come to it a million times for the price of one.
"""

import contextlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

from shared.entry import answer
from shared.events import Event
from shared.ports import Buckets, StoredObject, TuningJob, TuningRequest, TuningService, World
from shared.settings import Settings
from tests.simulation.cloud import Call, Heard, time_of

Work = Callable[[Event, World, TuningService], None]
Edge = tuple[Heard, int]


class Pause(BaseException):
    """The code has asked for something that it has not heard the answer to yet."""

    def __init__(self, call: Call) -> None:
        super().__init__(call.verb)
        self.call = call


@dataclass(frozen=True)
class Program:
    """A function, and what is delivered to it.

    Attributes:
        function: Its name, as its folder's.
        topic: The topic of the message.
        body: The push that carries it.
        work: What its front door calls.
        settings: The deployment's settings.
        ports: Puts a seeded bug between the code and its ports.
        then: What the same delivery does next. A function whose parts do not depend on each other
            is told as several programs, so that what a part has heard is forgotten with it.
    """

    function: str
    topic: str
    body: bytes
    work: Work
    settings: Settings
    ports: "Seeding | None" = None
    then: "Program | None" = None


@dataclass(eq=False)
class Node:
    """A delivery that waits for the answer to `call`, or has ended with an HTTP `status`."""

    program: Program
    number: int
    history: tuple[Edge, ...]
    began: int
    delivery: int
    call: Call | None = None
    status: int = 0
    after: dict[Edge, "Node"] = field(default_factory=dict)


class Library:
    """Every history that was ever run."""

    def __init__(self) -> None:
        self._roots: dict[tuple[int, int, int], Node] = {}
        self._nodes = 0

    def begin(self, program: Program, now: int, delivery: int = 0) -> Node:
        """Deliver the program's message; `delivery` tells this delivery from the others."""
        place = (id(program), now, delivery)
        if place not in self._roots:
            self._roots[place] = self._run(program, (), now, delivery)
        return self._roots[place]

    def go_on(self, node: Node, heard: Heard, now: int) -> Node:
        """Answer a delivery's call, and run it to its next one."""
        edge = (heard, now)
        found = node.after.get(edge)
        if found is None:
            history = (*node.history, edge)
            found = self._run(node.program, history, node.began, node.delivery)
            node.after[edge] = found
        return found

    def __len__(self) -> int:
        """Return how many different histories were run."""
        return self._nodes

    def _run(self, program: Program, history: tuple[Edge, ...], began: int, delivery: int) -> Node:
        self._nodes += 1
        node = Node(program, self._nodes, history, began, delivery)
        tape = Tape(history, began)
        artifacts = TapeBucket("artifacts", tape)
        tuning: TuningService = TapeTuning(tape)
        if program.ports is not None:
            artifacts, tuning = program.ports(artifacts, tuning, delivery)
        datasets, documents, results = (
            TapeBucket(name, tape) for name in ("datasets", "documents", "results")
        )
        buckets = Buckets(datasets, documents, results, artifacts)
        world = World(program.settings, buckets, TapePublisher(tape), tape.now)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                _, node.status = answer(
                    Push(program.body),
                    function=program.function,
                    topics=(program.topic,),
                    world=lambda: world,
                    work=lambda event: program.work(event, world, tuning),
                )
        except Pause as pause:
            node.call = pause.call
        return node


class Tape:
    """Plays a history back, and stops behind its end."""

    def __init__(self, history: Sequence[Edge], began: int) -> None:
        self._history = history
        self._position = 0
        self._now = began

    def ask(self, call: Call) -> Any:
        """Return what was heard, or raise what was."""
        if self._position == len(self._history):
            raise Pause(call)
        heard, self._now = self._history[self._position]
        self._position += 1
        return heard.give()

    def now(self) -> datetime:
        """Return the time at which the last answer was heard."""
        return time_of(self._now)


@dataclass(frozen=True)
class Push:
    """The HTTP request that a delivery arrives in."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def get_data(self) -> bytes:
        """Return the body."""
        return self.body


class TapeBucket:
    """A bucket whose every call goes onto the tape."""

    def __init__(self, name: str, tape: Tape) -> None:
        self.name = name
        self.tape = tape

    def find(self, name: str) -> StoredObject | None:
        """Look an object up."""
        found: StoredObject | None = self.tape.ask(Call("find", name))
        return found

    def read(self, name: str, generation: int | None = None) -> tuple[bytes, int]:
        """Read an object; no function that is simulated asks for an older generation."""
        content, number = self.tape.ask(Call("read", name))
        return content, number

    def open_read(
        self, name: str, generation: int | None = None
    ) -> AbstractContextManager[BinaryIO]:
        """No function that is simulated reads streams."""
        raise AssertionError(f"{name} was opened as a stream, generation {generation}")

    def write(
        self,
        name: str,
        content: bytes,
        if_generation: int | None = None,
        content_type: str = "application/json",
    ) -> int:
        """Write an object."""
        generation: int = self.tape.ask(Call("write", name, content, if_generation))
        return generation

    def open_write(self, name: str, content_type: str) -> AbstractContextManager[BinaryIO]:
        """No function that is simulated writes streams."""
        raise AssertionError(f"{name} was opened to be written as {content_type}")

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """List objects."""
        yield from self.tape.ask(Call("list", prefix))

    def delete(self, name: str) -> None:
        """Delete an object."""
        self.tape.ask(Call("delete", name))


class TapePublisher:
    """Pub/Sub."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def publish(self, topic: str, message: Mapping[str, object]) -> None:
        """Publish one message."""
        self._tape.ask(Call("publish", topic, _Message(json.loads(json.dumps(message)))))


class _Message(dict[str, Any]):
    """A message, which is compared by what it says."""


class TapeTuning:
    """The tuning service."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def create(self, request: TuningRequest) -> TuningJob:
        """Create a job."""
        job: TuningJob = self._tape.ask(Call("create", request.key, request))
        return job

    def find(self, key: str) -> Sequence[TuningJob]:
        """List the jobs of a key."""
        jobs: Sequence[TuningJob] = self._tape.ask(Call("jobs", key))
        return jobs

    def cancel(self, name: str) -> None:
        """Cancel a job."""
        self._tape.ask(Call("cancel", name))

    def remove_endpoint(self, endpoint: str) -> None:
        """Nothing is given up without evaluate_model, which is not simulated."""
        raise AssertionError(f"{endpoint} was removed")


Seeding = Callable[[TapeBucket, TuningService, int], tuple[TapeBucket, TuningService]]
