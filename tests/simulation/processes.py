"""The production functions, halted at every call of a port.

A delivery is deterministic: what it does next follows from its event and from the answers it was
given. So a delivery is a node in a tree of answers, and its state can be copied by naming the
node; the code itself runs in a greenlet, again from its beginning only where the tree branches.
"""

import base64
import io
import json
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, cast

from greenlet import getcurrent, greenlet

from shared.ports import Buckets, StoredObject, TuningJob, TuningRequest, World
from shared.settings import Settings
from tests.simulation.cloud import Call, Failure, Posted, as_json

PARKED = 400
"""So many halted greenlets are kept; the others run again from their beginning when needed."""


def ask(call: Call) -> Any:
    """Halt this delivery until the scheduler answers its call."""
    hub = getcurrent().parent
    assert hub is not None
    answer = hub.switch(call)
    if isinstance(answer, Failure):
        raise answer.kind(answer.text)
    return answer


class SimulatedBucket:
    """A bucket whose every call is a scheduling point."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, name: str) -> StoredObject | None:
        return cast("StoredObject | None", ask(Call("find", name)))

    def read(self, name: str, generation: int | None = None) -> tuple[bytes, int]:
        assert generation is None
        return cast("tuple[bytes, int]", ask(Call("read", name)))

    def write(
        self,
        name: str,
        content: bytes,
        if_generation: int | None = None,
        content_type: str = "application/json",
    ) -> int:
        return cast("int", ask(Call("write", name, content, if_generation)))

    def list(self, prefix: str) -> Iterator[StoredObject]:
        return iter(cast("Sequence[StoredObject]", ask(Call("list", prefix))))

    def delete(self, name: str) -> None:
        ask(Call("delete", name))

    def open_read(
        self, name: str, generation: int | None = None
    ) -> AbstractContextManager[BinaryIO]:
        raise NotImplementedError("records are read whole")

    def open_write(self, name: str, content_type: str) -> AbstractContextManager[BinaryIO]:
        raise NotImplementedError("records are written whole")


class SimulatedPublisher:
    """Publishes into the simulated cloud."""

    def publish(self, topic: str, message: Mapping[str, object]) -> None:
        ask(Call("publish", topic, as_json(message)))


class SimulatedTuning:
    """The tuning service of the simulated cloud."""

    def create(self, request: TuningRequest) -> TuningJob:
        return cast("TuningJob", ask(Call("create", request.key, request)))

    def find(self, key: str) -> Sequence[TuningJob]:
        return cast("Sequence[TuningJob]", ask(Call("jobs", key)))

    def cancel(self, name: str) -> None:
        ask(Call("cancel", name))

    def remove_endpoint(self, endpoint: str) -> None:
        ask(Call("remove", endpoint))


def clock() -> datetime:
    """Tell the simulated time."""
    return cast("datetime", ask(Call("clock")))


def simulated_world(settings: Settings) -> World:
    """Assemble the ports; all of them halt the delivery that calls them."""
    names = ("datasets", "documents", "results", "artifacts")
    buckets = Buckets(*[SimulatedBucket(name) for name in names])
    return World(settings, buckets, SimulatedPublisher(), clock)


@dataclass(frozen=True)
class Push:
    """A request as Pub/Sub pushes it."""

    body: bytes
    headers: Mapping[str, str]

    def get_data(self) -> bytes:
        return self.body


def push(message: Posted, subscriber: str) -> Push:
    """Wrap a message as its subscription does."""
    content = {
        "message": {
            "data": base64.b64encode(message.data.encode()).decode(),
            "messageId": message.id or "1",
            "publishTime": "2026-11-01T12:00:00+00:00",
        },
        "subscription": f"projects/p/subscriptions/{subscriber}.{message.topic}",
    }
    return Push(json.dumps(content).encode(), {})


Handler = Callable[[Posted], tuple[str, int]]


class Node:
    """A delivery after a number of answers: what it asks next, or the status it ended with."""

    __slots__ = ("alarm", "answer", "children", "code", "number", "parent", "pending", "status")

    def __init__(self, number: int, parent: "Node | None", answer: object) -> None:
        self.number = number
        self.parent = parent
        self.answer = answer
        self.children: dict[object, Node] = {}
        self.pending: Call | None = None
        self.status = 0
        self.alarm = ""
        self.code: greenlet | None = None


class Processes:
    """The tree of everything that deliveries have done so far.

    Attributes:
        runs: How many times a function was run from its beginning.
    """

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers
        self._roots: dict[Posted, Node] = {}
        self._messages: dict[int, Posted] = {}
        self._parked: OrderedDict[int, Node] = OrderedDict()
        self._count = 0
        self._sink = io.StringIO()
        self.runs = 0

    def begin(self, message: Posted) -> Node:
        """Return a delivery of a message at its first call."""
        if message not in self._roots:
            root = self._roots[message] = self._node(None, None)
            self._messages[root.number] = message
            self._run(root, self._start(message), None)
        return self._roots[message]

    def resume(self, node: Node, answer: object) -> Node:
        """Return a delivery after one more answer."""
        child = node.children.get(answer)
        if child is None:
            child = node.children[answer] = self._node(node, answer)
            code = node.code
            if code is None:
                code = self._again(node)
            node.code = None
            self._parked.pop(node.number, None)
            self._run(child, code, answer)
        return child

    def _node(self, parent: Node | None, answer: object) -> Node:
        self._count += 1
        return Node(self._count, parent, answer)

    def _start(self, message: Posted) -> greenlet:
        self.runs += 1
        return greenlet(lambda _: self._handlers[message.topic](message))

    def _again(self, node: Node) -> greenlet:
        """Run a delivery from its beginning up to a node."""
        answers: list[object] = []
        while node.parent is not None:
            answers.append(node.answer)
            node = node.parent
        code = self._start(self._messages[node.number])
        self._switch(code, None)
        for answer in reversed(answers):
            self._switch(code, answer)
        return code

    def _run(self, node: Node, code: greenlet, answer: object) -> None:
        """Give an answer, and note what comes of it."""
        self._sink.seek(0)
        self._sink.truncate()
        result = self._switch(code, answer)
        printed = self._sink.getvalue()
        if '"severity": "ERROR"' in printed:
            node.alarm = next(line for line in printed.splitlines() if '"ERROR"' in line)
        if not code.dead:
            node.pending = cast("Call", result)
            node.code = code
            self._park(node)
        else:
            node.status = cast("tuple[str, int]", result)[1]

    def _switch(self, code: greenlet, answer: object) -> object:
        """Let the code go on until its next call; what it logs goes into the sink."""
        before, sys.stdout = sys.stdout, self._sink
        try:
            return code.switch(answer)
        finally:
            sys.stdout = before

    def _park(self, node: Node) -> None:
        self._parked[node.number] = node
        if len(self._parked) > PARKED:
            _, oldest = self._parked.popitem(last=False)
            code, oldest.code = oldest.code, None
            if code is not None:
                code.throw()
