"""Asks a candidate about many rows at the same time, as fast as the service allows.

One thread decides what is sent; the others wait for the service and for storage. Rows are asked in
order, so only the shards at the front are open: a crash costs the requests that are under way and
the answers of those. Whoever has to stop in an orderly way loses nothing.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue

from functions.evaluate_model.pace import Pace
from functions.evaluate_model.shards import SHARD_ROWS, Said, Shards, cut
from functions.evaluate_model.shift import OutOfTime, Shift
from shared.errors import Busy, ModelGone, Rejected, Retry

STORING_THREADS = 4
MOST_FAILURES = 5
"""A row that fails so often, and not for a lack of room, is left to the next delivery."""

Ask = Callable[[int], Said]


@dataclass(frozen=True)
class _Answered:
    """A request came back: with an answer, or with what went wrong."""

    row: int
    number: int
    outcome: Said | BaseException


@dataclass(frozen=True)
class _Stored:
    """A shard was written, or could not be."""

    shard: range
    outcome: list[Said] | BaseException


def ask_all(
    rows: int,
    ask: Ask,
    shards: Shards,
    shift: Shift,
    most: int,
    pause: Callable[[float], None] = time.sleep,
) -> list[Said]:
    """Ask about every row that is not answered yet, and return all answers in the rows' order.

    Args:
        rows: How many rows there are.
        ask: Asks about one row, by its number; it is called by several threads.
        shards: Where answers are kept.
        shift: The time there is.
        most: How many requests may be under way at the same time.
        pause: Waits so many seconds.

    Raises:
        OutOfTime: The time is up.
        Rejected: The service refuses most of a shard: the requests are wrong, not the texts.
        ModelGone: The model is not there.
        Retry: A row failed too often, or an answer could not be stored.
    """
    with ThreadPoolExecutor(most + STORING_THREADS) as pool:
        return _Asking(rows, ask, shards, shift, Pace(most), pause, pool).run()


class _Asking:
    """The state of `ask_all`. Everything but `_ask` and `_store` runs in one thread."""

    def __init__(
        self,
        rows: int,
        ask: Ask,
        shards: Shards,
        shift: Shift,
        pace: Pace,
        pause: Callable[[float], None],
        pool: ThreadPoolExecutor,
    ) -> None:
        self._ask_one = ask
        self._shards = shards
        self._shift = shift
        self._pace = pace
        self._pause = pause
        self._pool = pool
        self._all = cut(rows)
        self._shard_of = {row: shard for shard in self._all for row in shard}
        self._unopened = deque(self._all)
        self._most_open = -(-pace.most // SHARD_ROWS) + 1
        self._open: dict[range, dict[int, Said]] = {}
        self._waiting: deque[int] = deque()
        self._done: dict[range, list[Said]] = {}
        self._failures: dict[int, int] = {}
        self._events: SimpleQueue[_Answered | _Stored] = SimpleQueue()
        self._asking = 0
        self._storing = 0

    def run(self) -> list[Said]:
        """Ask until everything is stored or something forbids to go on."""
        trouble: Exception | None = None
        while True:
            try:
                if trouble is None:
                    self._send()
                if not self._asking and not self._storing:
                    break
                seconds = self._take(self._events.get())
                if seconds and trouble is None:
                    self._pause(seconds)
            except Exception as error:  # noqa: BLE001 - raised below, once nothing is under way
                trouble = trouble or error
        if trouble is None:
            return [said for shard in self._all for said in self._done[shard]]
        self._keep_parts()
        raise trouble

    def _send(self) -> None:
        """Send as many requests as the pace allows."""
        while self._asking < self._pace.allowed and self._next_is_there():
            if self._shift.is_over:
                raise OutOfTime("the delivery's time is up")
            row, number = self._waiting.popleft(), self._pace.sent()
            self._asking += 1
            self._pool.submit(self._ask, row, number)

    def _next_is_there(self) -> bool:
        """Whether a row waits; if none does, open shards until one does or too many are open."""
        while not self._waiting and self._unopened and len(self._open) < self._most_open:
            shard = self._unopened.popleft()
            stored = self._shards.find(shard)
            if stored is not None:
                self._done[shard] = stored
                continue
            part = {said.row: said for said in self._shards.find_part(shard)}
            self._open[shard] = part
            self._waiting.extend(row for row in shard if row not in part)
            if len(part) == len(shard):
                self._close(shard)
        return bool(self._waiting)

    def _take(self, event: _Answered | _Stored) -> float:
        """Take in what came back, and return for how many seconds to send nothing."""
        if isinstance(event.outcome, BaseException) and not isinstance(event.outcome, Exception):
            raise event.outcome
        if isinstance(event, _Answered):
            self._asking -= 1
            return self._take_answer(event.row, event.number, event.outcome)
        self._storing -= 1
        if isinstance(event.outcome, BaseException):
            raise event.outcome
        self._done[event.shard] = event.outcome
        del self._open[event.shard]
        self._shift.answers += len(event.outcome)
        return 0.0

    def _take_answer(self, row: int, number: int, outcome: Said | BaseException) -> float:
        """Take in what became of a request."""
        if isinstance(outcome, Said):
            self._pace.went_well()
            shard = self._shard_of[row]
            self._open[shard][row] = outcome
            if len(self._open[shard]) == len(shard):
                self._close(shard)
            return 0.0
        if not isinstance(outcome, Retry) or isinstance(outcome, ModelGone):
            raise outcome
        if not isinstance(outcome, Busy):
            self._failures[row] = self._failures.get(row, 0) + 1
            if self._failures[row] >= MOST_FAILURES:
                raise outcome
        self._waiting.appendleft(row)
        return self._pace.was_refused(number)

    def _close(self, shard: range) -> None:
        """Store a shard whose rows are all answered."""
        answers = [self._open[shard][row] for row in shard]
        refused = [item.refusal for item in answers if item.said is None]
        if len(refused) * 2 > len(answers):
            raise Rejected(
                f"{len(refused)} of {len(answers)} requests were refused ({refused[0]})."
            )
        self._storing += 1
        self._pool.submit(self._store, shard, answers)

    def _keep_parts(self) -> None:
        """Keep the answers of shards that have to be left; refusals are asked for again."""
        for shard, answers in self._open.items():
            good = [answers[row] for row in sorted(answers) if answers[row].said is not None]
            more = len(good) - len(self._shards.find_part(shard))
            if more > 0:
                self._shards.keep_part(shard, good)
                self._shift.answers += more

    def _ask(self, row: int, number: int) -> None:
        try:
            self._events.put(_Answered(row, number, self._ask_one(row)))
        except BaseException as error:  # noqa: BLE001 - raised by the thread that takes it
            self._events.put(_Answered(row, number, error))

    def _store(self, shard: range, answers: Sequence[Said]) -> None:
        try:
            self._events.put(_Stored(shard, self._shards.keep(shard, answers)))
        except BaseException as error:  # noqa: BLE001 - raised by the thread that takes it
            self._events.put(_Stored(shard, error))
