"""Everything that can happen next: deliveries go on or die, the service and time move on.

Two reductions keep the number of states small and leave out nothing that can be told apart. A
read of what is never written is answered at once, whoever else is at work. A delivery dies only
before an effect or before its acknowledgement: to die before a read is to die before the next
effect, for nobody can tell the difference.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from shared import paths
from tests.simulation.cloud import EFFECTS, LIVE, Call, Cloud, Heard, finish, perform, wait
from tests.simulation.programs import Library
from tests.simulation.scenario import Scenario
from tests.simulation.state import TICK, Actor, Broken, State

Item = TypeVar("Item")
DONE = 299
BUG = 500
SWITCH = b'{"reason": "simulated"}'


Watcher = Callable[[Scenario, Cloud, Call, Cloud, bool], None]


@dataclass
class Moves:
    """What can happen in a scenario.

    Attributes:
        scenario: The scenario.
        library: What its programs do.
        watch: Looks at every effect, and raises Broken.
        written: The objects that are ever written, as far as is known.
        grown: Whether `written` has grown, so that reads were answered too early.
    """

    scenario: Scenario
    library: Library
    watch: Watcher
    written: set[str]
    grown: bool = False

    def first(self) -> State:
        """Return the state to begin with."""
        scenario = self.scenario
        return State(scenario.cloud, (), (1,) * len(scenario.messages), scenario.bounds)

    def after(self, state: State) -> Iterator[tuple[str, State]]:
        """Go through everything that can happen next: (what, the state after it)."""
        for place in range(len(state.actors)):
            yield from self.go_on(state, place)
        yield from self.around(state)

    def around(self, state: State) -> Iterator[tuple[str, State]]:
        """Go through what can happen next beside the deliveries at work."""
        yield from self._deliver(state)
        is_still = state.actors and not self.scenario.ends_any_time
        for job in () if is_still else state.cloud.jobs:
            if job.state in LIVE or job.state == "cancelling":
                for end in self.scenario.ends if job.state in LIVE else ("cancelled",):
                    yield (
                        f"job {job.number} {end}",
                        state._replace(cloud=finish(state.cloud, job.number, end)),
                    )
        yield from self._pass_time(state)
        if state.left.flips:
            on = state.cloud.content(paths.KILL_SWITCH) is None
            call = (
                Call("write", paths.KILL_SWITCH, SWITCH)
                if on
                else Call("delete", paths.KILL_SWITCH)
            )
            self._note(call)
            cloud, _ = perform(state.cloud, call)
            yield (
                f"switch {'on' if on else 'off'}",
                state._replace(cloud=cloud, left=state.left.less("flips")),
            )

    def without_switch(self, cloud: Cloud) -> Cloud:
        """Take the kill switch away, if it is there."""
        return perform(cloud, Call("delete", paths.KILL_SWITCH))[0]

    def _deliver(self, state: State) -> Iterator[tuple[str, State]]:
        if sum(not actor.zombie for actor in state.actors) >= self.scenario.concurrent:
            return
        for message, count in enumerate(state.pending):
            if count:
                pending = _with(state.pending, message, count - 1)
                yield from self.begin(
                    f"deliver {message}", state._replace(pending=pending), message
                )
        if state.left.ticks:
            left = state.left.less("ticks")
            yield from self.begin("tick", state._replace(left=left), TICK)
        at_work = {actor.message for actor in state.actors if not actor.zombie} - {TICK}
        if state.left.again:
            left = state.left.less("again")
            for message in sorted(at_work):
                yield from self.begin(
                    f"deliver {message} again", state._replace(left=left), message
                )

    def begin(self, what: str, state: State, message: int) -> Iterator[tuple[str, State]]:
        """Begin a delivery."""
        program = self.scenario.tick if message == TICK else self.scenario.messages[message]
        named = program.ports is not None
        started = state.started + named
        node = self.library.begin(program, state.cloud.now, started if named else 0)
        new = state._replace(actors=(*state.actors, Actor(node, message)), started=started)
        yield from self._settle(what, new, len(new.actors) - 1)

    def go_on(self, state: State, place: int) -> Iterator[tuple[str, State]]:
        """Let a delivery's call be done, in each way that it can be; the first: without trouble."""
        actor = state.actors[place]
        call = actor.call
        what = f"{_who(actor)}: {call.verb} {call.name}"
        after, heard = self._perform(state, call)
        left = state.left
        yield from self._hear(what, state.of(after, state.actors, left), place, heard)
        if call.verb in EFFECTS:
            if left.crashes:
                gone = _drop(state, place, acknowledged=False)
                yield f"{what}: crash", gone._replace(left=left.less("crashes"))
            if left.lost and not heard.error:
                unheard = state.of(after, state.actors, left.less("lost"))
                yield from self._hear(f"{what}: lost", unheard, place, Heard(error="Retry"))
                if call.if_generation is not None:
                    # The client asks again by itself, and is told that it was too late.
                    conflict = Heard(error="Conflict")
                    yield from self._hear(f"{what}: lost, again", unheard, place, conflict)
        yield from self._fail(what, state, place)
        if call.verb == "jobs" and left.stale and heard.value:
            *older, newest = heard.value
            age = (
                state.cloud.now - state.cloud.jobs[int(newest.name.rpartition("/")[2]) - 1].created
            )
            if age < self.scenario.pause - 1:
                stale = state._replace(left=left.less("stale"))
                yield from self._hear(f"{what}: stale", stale, place, Heard(tuple(older)))

    def _fail(self, what: str, state: State, place: int) -> Iterator[tuple[str, State]]:
        if state.left.errors:
            failed = state._replace(left=state.left.less("errors"))
            yield from self._hear(f"{what}: error", failed, place, Heard(error="Retry"))

    def _hear(
        self, what: str, state: State, place: int, heard: Heard
    ) -> Iterator[tuple[str, State]]:
        node, message, zombie = state.actors[place]
        after = self.library.go_on(node, heard, state.cloud.now)
        actors = _with(state.actors, place, Actor(after, message, zombie))
        yield from self._settle(what, state.of(state.cloud, actors, state.left), place)

    def _settle(self, what: str, state: State, place: int) -> Iterator[tuple[str, State]]:
        """Answer what does not depend on anybody else, and end a delivery that is over."""
        while True:
            actor = state.actors[place]
            call = actor.node.call
            following = actor.node.program.then
            if call is None and actor.node.status != BUG and following is not None:
                node = self.library.begin(following, state.cloud.now, actor.node.delivery)
                actors = _with(state.actors, place, actor._replace(node=node))
                state = state._replace(actors=actors)
                continue
            if call is None or not self._is_quiet(call):
                break
            yield from self._fail(f"{_who(actor)}: {call.verb} {call.name}", state, place)
            _, heard = perform(state.cloud, call)
            node = self.library.go_on(actor.node, heard, state.cloud.now)
            actors = _with(state.actors, place, actor._replace(node=node))
            state = state._replace(actors=actors)
        if call is not None:
            yield what, state
            return
        status = actor.node.status
        if status == BUG:
            raise Broken(f"{_who(actor)} ended with a bug")
        is_acknowledged = status <= DONE or self.scenario.acknowledges_all
        yield what, _drop(state, place, acknowledged=is_acknowledged)
        if is_acknowledged and state.left.crashes and actor.message != TICK and not actor.zombie:
            left = state.left.less("crashes")
            yield (
                f"{what}: not acknowledged",
                _drop(state._replace(left=left), place, acknowledged=False),
            )

    def _is_quiet(self, call: Call) -> bool:
        """Whether a call neither changes nor sees anything that another delivery changes."""
        if call.verb == "publish":
            return call.name == "pipeline-events"
        if call.verb == "list":
            return not any(name.startswith(call.name) for name in self.written)
        return call.verb in {"read", "find"} and call.name not in self.written

    def _perform(self, state: State, call: Call) -> tuple[Cloud, Heard]:
        after, heard = perform(state.cloud, call)
        if call.verb in {"write", "delete"}:
            self._note(call)
        if call.verb in EFFECTS and after is not state.cloud:
            self.watch(self.scenario, state.cloud, call, after, state.haunted)
        return after, heard

    def _note(self, call: Call) -> None:
        if call.name not in self.written:
            self.written.add(call.name)
            self.grown = True

    def _pass_time(self, state: State) -> Iterator[tuple[str, State]]:
        if not state.left.waits:
            return
        left = state.left.less("waits")
        cloud = wait(state.cloud, self.scenario.pause)
        overtaken = [actor for actor in state.actors if not actor.zombie]
        if not overtaken:
            yield "wait", state._replace(cloud=cloud, left=left)
        elif left.zombies >= len(overtaken):
            pending = list(state.pending)
            for actor in overtaken:
                left = left.less("zombies")
                if actor.message != TICK:
                    pending[actor.message] += 1
            yield (
                "wait over a delivery",
                state._replace(
                    cloud=cloud,
                    left=left,
                    pending=tuple(pending),
                    actors=tuple(actor._replace(zombie=True) for actor in state.actors),
                    haunted=True,
                ),
            )


def _who(actor: Actor) -> str:
    name = actor.node.program.function
    return f"{name} (zombie)" if actor.zombie else name


def _drop(state: State, place: int, *, acknowledged: bool) -> State:
    """Take a delivery away; one that was not acknowledged will be made again."""
    actor = state.actors[place]
    actors = state.actors[:place] + state.actors[place + 1 :]
    pending = state.pending
    if not acknowledged and not actor.zombie and actor.message != TICK:
        pending = _with(pending, actor.message, pending[actor.message] + 1)
    return state._replace(actors=actors, pending=pending)


def _with(items: tuple[Item, ...], place: int, item: Item) -> tuple[Item, ...]:
    return (*items[:place], item, *items[place + 1 :])
