"""The scheduler: what can happen next, and what then is the state.

An action is a letter and a number, so that a schedule is a line of text that can be replayed:

    d0 the first waiting message is delivered      g1 the second delivery goes on by one call
    x1 it dies after the call's effect             l1 the effect happens, the caller gets an error
    c1 the same, and the client's retry conflicts  e1 no effect, the caller gets an error
    s1 a list that lags                            u1 its message is delivered a second time
    t0 the scheduler ticks                         j0 time passes while nothing is in flight
    z0 time passes while deliveries sleep          k0 the kill switch is turned over
    o0 the first job of the service succeeds       f0 it fails

The delivery that was last to do something goes on without a cost; that another one does something
while it could go on is a preemption, which the bounds count.
"""

from collections.abc import Sequence
from typing import NamedTuple

from shared import paths
from shared.errors import Conflict
from tests.simulation import invariants
from tests.simulation.cloud import OVER, Call, Cloud, Failure, Posted, lost, perform
from tests.simulation.invariants import Violation
from tests.simulation.processes import Node, Processes
from tests.simulation.scenarios import LEASE, Scenario

EFFECTS = frozenset({"write", "delete", "publish", "create", "cancel", "remove"})
TICK = Posted("scheduler-tick", "{}")
LAG = LEASE
ROUNDS = 14


class Bounds(NamedTuple):
    """How often each thing may happen, and how many deliveries are in flight at a time."""

    flights: int = 2
    preemptions: int = 0
    crashes: int = 0
    lost: int = 0
    errors: int = 0
    stale: int = 0
    duplicates: int = 0
    ticks: int = 0
    jumps: int = 0
    zombies: int = 0
    switches: int = 0
    ends: int = 0


_PAYS = {"x": "crashes", "l": "lost", "c": "lost", "e": "errors", "s": "stale", "u": "duplicates",
         "t": "ticks", "j": "jumps", "z": "zombies", "k": "switches", "o": "ends",
         "f": "ends"}  # fmt: skip


class Flight(NamedTuple):
    """A delivery that is not answered yet; a late one was given up, and delivered again."""

    message: Posted
    node: Node
    late: bool = False


class State(NamedTuple):
    """Everything that decides what can happen next; when it is busy, the first flight goes on."""

    cloud: Cloud
    flights: tuple[Flight, ...]
    left: Bounds
    zombie: bool = False
    busy: bool = False

    def key(self) -> int:
        """Return a number for everything but the bounds."""
        flying = tuple((item.message, item.node.number, item.late) for item in self.flights)
        return hash((self.cloud.key(), flying, self.zombie, self.busy))


class Simulation:
    """A scenario with its functions.

    Attributes:
        scenario: What is there at the beginning.
        steps: How many actions were performed.
        everywhere: Whether deliveries may overtake one another at every call. Otherwise they do
            so before each effect, and the closing of a run is one step.
    """

    def __init__(
        self, scenario: Scenario, processes: Processes, *, everywhere: bool = False
    ) -> None:
        self.scenario = scenario
        self.processes = processes
        self.steps = 0
        self.everywhere = everywhere
        self._settled: set[int] = set()

    def first(self, bounds: Bounds) -> State:
        """Return the state before anything has happened."""
        cloud = self.scenario.cloud()
        if self.scenario.recorded:
            for message in cloud.messages:
                self._record(cloud, message)
        for message in self.scenario.then:
            cloud.keep(message)
        return State(cloud, (), bounds)

    def _record(self, cloud: Cloud, message: Posted) -> None:
        """Let a request be recorded, but nothing of it be started."""
        cloud.take(message)
        node = self._onwards(self.processes.begin(message), cloud)
        while node.pending is not None and not _starts(cloud, node.pending):
            answer = perform(cloud, node.pending)
            node = self._onwards(self.processes.resume(node, answer), cloud)

    def actions(self, state: State) -> list[str]:
        """List what can happen next."""
        left = state.left
        for index, flight in enumerate(state.flights):
            if _is_quiet(flight.node.pending):
                # Nobody else can tell when this call happens, so it happens now.
                return [f"g{index}", f"e{index}"] if left.errors else [f"g{index}"]
        found: list[str] = []
        free = not state.busy or (left.preemptions > 0 and self._may_sleep(state.flights[0]))
        for index, flight in enumerate(state.flights):
            if index == 0 or free:
                found += [f"{letter}{index}" for letter in self._choices(state, flight)]
        if len(state.flights) < left.flights and free:
            found += [f"d{index}" for index in _distinct(state.cloud.messages)]
            if left.ticks:
                found.append("t0")
            if left.duplicates:
                found += [f"u{index}" for index, _ in enumerate(state.flights)]
        if state.flights and left.zombies and (free or self._may_sleep(state.flights[0])):
            found.append("z0")
        if not state.flights and left.jumps:
            found.append("j0")
        return found + self._outside(state)

    def _may_sleep(self, flight: Flight) -> bool:
        """Whether others may come in between at this point."""
        call = flight.node.pending
        return self.everywhere or (call is not None and call.verb in EFFECTS)

    def _outside(self, state: State) -> list[str]:
        """List what the service and people can do, where a delivery is about to see it."""
        asked = [flight.node.pending for flight in state.flights if flight.node.pending]
        found: list[str] = []
        if state.left.switches and any(call.name == paths.KILL_SWITCH for call in asked):
            found.append("k0")
        if not state.flights or any(call.verb in {"jobs", "create", "cancel"} for call in asked):
            for index, job in enumerate(state.cloud.jobs):
                if job.state == "cancelling" or (job.state not in OVER and state.left.ends):
                    found.append(f"o{index}")
                if job.state == "pending" and state.left.ends:
                    found.append(f"f{index}")
        return found

    def _choices(self, state: State, flight: Flight) -> str:
        """Say what can become of one delivery's next call."""
        call, left = flight.node.pending, state.left
        assert call is not None
        letters = "g"
        if call.verb in EFFECTS:
            # Dying before an effect is the same as dying after the one before it.
            letters += "x" * bool(left.crashes) + "l" * bool(left.lost)
            if call.if_generation is not None:
                letters += "c" * bool(left.lost)
        letters += "e" * bool(left.errors)
        if left.stale and call.verb == "jobs":
            young = [job for job in state.cloud.jobs if job.created > state.cloud.now - LAG]
            letters += "s" * any(job.key == call.name for job in young)
        return letters

    def step(self, state: State, action: str) -> State:
        """Perform an action. Raises Violation when something follows that must never happen."""
        self.steps += 1
        letter, index = action[0], int(action[1:])
        if letter in _PAYS and not (letter == "o" and _is_cancelling(state, index)):
            kind = _PAYS[letter]
            left = state.left._replace(**{kind: getattr(state.left, kind) - 1})
            state = state._replace(left=left)
        if state.busy and (letter in "dtu" or (letter in "gxlces" and index)):
            left = state.left._replace(preemptions=state.left.preemptions - 1)
            state = state._replace(left=left)
        if letter in "gxlces":
            return self._call(state, index, letter)
        cloud = state.cloud.copy()
        state = state._replace(cloud=cloud)
        if letter == "d":
            message = cloud.messages[index]
            cloud.take(message)
            return self._deliver(state, message)
        if letter == "u":
            return self._deliver(state, state.flights[index].message)
        if letter == "t":
            return self._deliver(state, TICK)
        if letter == "k":
            stopped = cloud.content(paths.KILL_SWITCH) is not None
            cloud.put(paths.KILL_SWITCH, None if stopped else b'{"reason": "simulated"}')
        elif letter in "jz":
            cloud.now += LEASE + 1
            return self._pass_time(state) if letter == "z" else state
        elif letter == "o" and _is_cancelling(state, index):
            cloud.set_job(index, "cancelled")
        else:
            cloud.set_job(index, "succeeded" if letter == "o" else "failed")
        return state

    def _pass_time(self, state: State) -> State:
        """Let the leases and deadlines of everything in flight run out."""
        for flight in state.flights:
            if not flight.late:
                state.cloud.keep(flight.message)
        late = tuple(flight._replace(late=True) for flight in state.flights)
        return state._replace(flights=_sorted(late), zombie=True, busy=False)

    def _deliver(self, state: State, message: Posted) -> State:
        """Begin a delivery."""
        node = self._onwards(self.processes.begin(message), state.cloud)
        at_once = message.topic == "tuning-completed" and not self.everywhere
        if at_once or node.pending is None:
            self._finish(state.cloud, message, node, late=False)
            return state
        return state._replace(flights=(Flight(message, node), *state.flights), busy=True)

    def _finish(self, cloud: Cloud, message: Posted, node: Node, *, late: bool) -> None:
        """Perform the rest of a delivery without anything in between, and answer it."""
        while node.pending is not None:
            before = cloud.copy()
            answer = perform(cloud, node.pending)
            self._check(before, node.pending, cloud, zombie=True)
            node = self._onwards(self.processes.resume(node, answer), cloud)
        self._answer(cloud, message, node, late=late)

    def _onwards(self, node: Node, cloud: Cloud) -> Node:
        """Answer what nobody comes in between of: the time, and what is never changed.

        Where deliveries overtake one another before effects only, that is every read of storage.
        """
        while node.pending is not None and (
            _is_fixed(node.pending)
            or (
                not self.everywhere
                and node.pending.verb in {"read", "find", "list"}
                and node.pending.name != paths.KILL_SWITCH
            )
        ):
            node = self.processes.resume(node, perform(cloud, node.pending))
        if node.alarm:
            raise Violation(f"an error was logged: {node.alarm}")
        return node

    def _call(self, state: State, index: int, letter: str) -> State:
        """Let a delivery's next call happen, in one of the ways it can."""
        flight = state.flights[index]
        call = flight.node.pending
        assert call is not None
        cloud = state.cloud
        if call.verb in EFFECTS:
            cloud = state.cloud.copy()
        answer: object = lost()
        if letter != "e":
            answer = perform(cloud, call, cloud.now - LAG + 1 if letter == "s" else None)
            self._check(state.cloud, call, cloud, zombie=state.zombie)
        others = state.flights[:index] + state.flights[index + 1 :]
        state = state._replace(cloud=cloud, flights=_sorted(others), busy=False)
        if letter == "x":
            if not flight.late:
                cloud.keep(flight.message)
            return state
        if letter == "l" and not _is_definite(answer):
            answer = lost()
        if letter == "c" and not _is_definite(answer):
            answer = CONFLICT
        node = self._onwards(self.processes.resume(flight.node, answer), cloud)
        if node.pending is not None:
            return state._replace(flights=(flight._replace(node=node), *others), busy=True)
        state = state._replace(cloud=cloud.copy())
        self._answer(state.cloud, flight.message, node, late=flight.late)
        return state

    def _answer(self, cloud: Cloud, message: Posted, node: Node, *, late: bool) -> None:
        """Acknowledge a message, or have it delivered again."""
        if node.status >= 500 and node.status != 503:
            raise Violation(f"a delivery of {message.topic} ended with {node.status}: a bug")
        if node.status < 300:
            invariants.check_acknowledged(cloud, message)
        elif not late:
            cloud.keep(message)

    def _check(self, before: Cloud, call: Call, after: Cloud, *, zombie: bool) -> None:
        if call.verb in EFFECTS:
            cap = self.scenario.settings().budget_usd_per_month
            invariants.check_call(before, call, after, cap)
            if call.verb == "create":
                invariants.check_jobs(after, zombie=zombie)

    def land(self, state: State) -> Cloud:
        """Let everything in flight come to its end, and return the cloud."""
        cloud = state.cloud.copy()
        for flight in state.flights:
            self._finish(cloud, flight.message, flight.node, late=flight.late)
        return cloud

    def settle(self, start: Cloud) -> None:
        """Stop all faults, and check that everything then comes to its one end in time."""
        seen: list[int] = []
        cloud = start.copy()
        if cloud.content(paths.KILL_SWITCH) is not None:
            cloud.put(paths.KILL_SWITCH, None)
        for turn in range(ROUNDS):
            seen.append(cloud.key())
            if seen[-1] in self._settled:
                break
            for message in cloud.messages:
                self._finish_message(cloud, message)
                if turn and message == TICK:
                    # Every lease has run out since the last fault, so this was a whole sweep.
                    invariants.check_swept(cloud)
            if not cloud.messages and self._is_over(cloud):
                break
            if turn:  # the first sweep finds the jobs as the faults have left them
                _end_jobs(cloud)
            cloud.now += LEASE + 1
            if cloud.messages.count(TICK) == 0:
                cloud.keep(TICK)
        else:
            invariants.check_final(cloud, self.scenario.tasks)
        self._settled.update(seen)

    def _finish_message(self, cloud: Cloud, message: Posted) -> None:
        cloud.take(message)
        node = self._onwards(self.processes.begin(message), cloud)
        self._finish(cloud, message, node, late=False)

    def _is_over(self, cloud: Cloud) -> bool:
        try:
            invariants.check_final(cloud, self.scenario.tasks)
        except Violation:
            return False
        return True


CONFLICT = Failure(Conflict)


def _end_jobs(cloud: Cloud) -> None:
    """Let every job of the service come to its end."""
    for index, job in enumerate(cloud.jobs):
        if job.state not in OVER:
            cloud.set_job(index, "cancelled" if job.state == "cancelling" else "succeeded")


def _starts(cloud: Cloud, call: Call) -> bool:
    """Whether a call takes the lease of a job."""
    known = cloud.content(call.name) is not None
    return call.verb == "write" and invariants.is_job(call.name) and known


def _sorted(flights: Sequence[Flight]) -> tuple[Flight, ...]:
    """Put flights into one order, when it does not matter which of them was last to go on."""
    return tuple(sorted(flights, key=lambda item: (item.message, item.late, item.node.number)))


def _is_definite(answer: object) -> bool:
    """Whether the service said no: then nothing happened that a caller could miss."""
    return isinstance(answer, Failure)


def _is_cancelling(state: State, index: int) -> bool:
    return state.cloud.jobs[index].state == "cancelling"


def _distinct(messages: tuple[Posted, ...]) -> list[int]:
    """List the places of messages, the same message once."""
    return [index for index, item in enumerate(messages) if item not in messages[:index]]


def _is_quiet(call: Call | None) -> bool:
    """Whether a call's effect is seen by nobody in the simulation."""
    return call is not None and call.verb == "publish" and call.name == "pipeline-events"


def _is_fixed(call: Call) -> bool:
    """Whether a call's answer is the same whoever does what meanwhile."""
    name = call.name
    return call.verb == "clock" or (
        call.verb in {"read", "find", "list"}
        and (
            "/datasets/" in name
            or name.endswith(("/task.json", "/champion.json"))
            or name.startswith(("open/document/", "open/dataset/"))
        )
    )
