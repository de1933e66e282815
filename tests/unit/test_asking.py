"""Asking about many rows at the same time: in order, under a pace, and never twice."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.evaluate_model.asking import MOST_FAILURES, ask_all
from functions.evaluate_model.pace import FIRST, LONGEST_PAUSE, Pace
from functions.evaluate_model.shards import SHARD_ROWS, Said, Shards, cut
from functions.evaluate_model.shift import OutOfTime, begin_shift
from shared.errors import Busy, ModelGone, Rejected, Retry
from tests.fakes import Crash, FakeWorld, fake_world

ROWS = 200
FOLDER = "tasks/birds/asked"


class Service:
    """A model that counts what it is asked.

    Attributes:
        asked: How often each row was asked.
        trouble: Called with every row before it is answered; it may raise.
        under_way: How many requests there are now, and were at most.
    """

    def __init__(self, trouble: Callable[[int], None] = lambda _: None) -> None:
        self.asked: Counter[int] = Counter()
        self.trouble = trouble
        self.under_way = 0
        self.most_under_way = 0
        self._lock = threading.Lock()

    def __call__(self, row: int) -> Said:
        with self._lock:
            self.asked[row] += 1
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            self.trouble(row)
            return Said(row=row, said=(f"answer {row}",))
        finally:
            with self._lock:
                self.under_way -= 1


def ask(fakes: FakeWorld, service: Service, rows: int = ROWS, most: int = 8) -> list[Said]:
    shards = Shards(fakes.artifacts, FOLDER)
    shift = begin_shift(fakes.world)
    return ask_all(rows, service, shards, shift, most, fakes.clock.advance)


def times(count: int, error: Exception) -> Callable[[int], None]:
    """Make trouble so many times."""
    left = iter(range(count))

    def trouble(_row: int) -> None:
        if next(left, None) is not None:
            raise error

    return trouble


@given(st.integers(0, 500))
def test_shards_are_of_about_the_same_size_and_cover_every_row_once(rows: int) -> None:
    shards = cut(rows)
    assert [row for shard in shards for row in shard] == list(range(rows))
    sizes = {len(shard) for shard in shards}
    assert not sizes or (max(sizes) <= SHARD_ROWS and max(sizes) - min(sizes) <= 1)


def test_every_row_is_answered_in_its_place() -> None:
    answers = ask(fake_world(), service := Service())
    assert [item.said for item in answers] == [(f"answer {row}",) for row in range(ROWS)]
    assert set(service.asked.values()) == {1}
    assert service.most_under_way <= 8


def test_no_rows_are_no_answers() -> None:
    assert ask(fake_world(), Service(), rows=0) == []


@pytest.mark.parametrize("count", [1, 8, 25])
def test_a_service_without_room_is_asked_again_until_it_has_some(count: int) -> None:
    fakes = fake_world()
    service = Service(times(count, Busy("429")))
    assert len(ask(fakes, service)) == ROWS
    assert sum(service.asked.values()) == ROWS + count


def test_a_row_that_fails_now_and_then_is_asked_again() -> None:
    failures = dict.fromkeys((0, 77, 199), MOST_FAILURES - 1)

    def trouble(row: int) -> None:
        if failures.get(row, 0) > 0:
            failures[row] -= 1
            raise Retry("500")

    assert len(ask(fake_world(), Service(trouble))) == ROWS


@pytest.mark.parametrize("error", [Retry("500"), ModelGone("404"), ValueError("a bug")])
def test_trouble_that_lasts_is_raised_and_nothing_that_was_answered_is_asked_again(
    error: Exception,
) -> None:
    fakes = fake_world()

    def trouble(row: int) -> None:
        if row == 90:
            raise error

    first, second = Service(trouble), Service()
    with pytest.raises(type(error)):
        ask(fakes, first)
    answered = set(first.asked) - {90}
    assert len(ask(fakes, second)) == ROWS
    assert set(second.asked) == set(range(ROWS)) - answered


def test_time_that_is_up_leaves_the_rest_to_the_next_delivery() -> None:
    fakes = fake_world()
    service = Service(lambda _row: fakes.clock.advance(10))
    deliveries = 0
    while True:
        deliveries += 1
        try:
            answers = ask(fakes, service)
            break
        except OutOfTime:
            assert sum(service.asked.values()) >= deliveries * 30
    assert 3 <= deliveries <= 6
    assert [item.row for item in answers] == list(range(ROWS))
    assert set(service.asked.values()) == {1}


def test_a_delivery_counts_what_it_has_kept() -> None:
    fakes = fake_world()
    shards, shift = Shards(fakes.artifacts, FOLDER), begin_shift(fakes.world)
    ask_all(ROWS, Service(), shards, shift, 8)
    assert shift.answers == ROWS
    late = begin_shift(fakes.world)
    fakes.clock.advance(fakes.settings.hand_over_after_seconds)
    with pytest.raises(OutOfTime):
        ask_all(ROWS, Service(), Shards(fakes.artifacts, "elsewhere"), late, 8)
    assert late.answers == 0


def test_what_is_stored_is_read_even_when_the_time_is_up() -> None:
    fakes = fake_world()
    first = ask(fakes, Service())
    late = begin_shift(fakes.world)
    fakes.clock.advance(fakes.settings.hand_over_after_seconds)
    assert ask_all(ROWS, Service(), Shards(fakes.artifacts, FOLDER), late, 8) == first


@pytest.mark.parametrize("most", [1, 8, 64])
def test_a_crash_costs_the_requests_under_way_and_a_shard_at_most(most: int) -> None:
    fakes = fake_world()

    def trouble(row: int) -> None:
        if row == 150:
            raise Crash

    first, second = Service(trouble), Service()
    with pytest.raises(Crash):
        ask(fakes, first, most=most)
    ask(fakes, second, most=most)
    twice = set(first.asked) & set(second.asked)
    assert len(twice) <= most + SHARD_ROWS


def test_a_service_that_refuses_most_texts_is_not_taken_for_a_model_that_errs() -> None:
    fakes = fake_world()
    shards, shift = Shards(fakes.artifacts, FOLDER), begin_shift(fakes.world)

    def refuse(row: int) -> Said:
        return Said(row=row, said=None if row % 3 else ("yes",), refusal="no such role")

    with pytest.raises(Rejected, match="no such role"):
        ask_all(ROWS, refuse, shards, shift, 8)
    assert len(ask(fakes, service := Service())) == ROWS
    assert len(service.asked) >= ROWS * 2 / 3


def test_answers_that_cannot_be_stored_are_kept_for_the_next_delivery() -> None:
    fakes = fake_world()
    fakes.faults.fail("write", Retry("storage is away"))
    service = Service()
    with pytest.raises(Retry, match="storage is away"):
        ask(fakes, service)
    assert len(ask(fakes, service)) == ROWS
    assert set(service.asked.values()) == {1}


# The pace.


def test_the_pace_doubles_every_round_until_something_is_refused() -> None:
    pace = Pace(1000)
    for limit in (FIRST, 2 * FIRST, 4 * FIRST):
        assert pace.allowed == limit
        for _ in range(limit):
            pace.went_well()


def test_after_a_refusal_the_pace_is_halved_and_grows_by_one_a_round() -> None:
    pace = Pace(64)
    for _ in range(100):
        pace.went_well()
    assert pace.allowed == 64
    pace.was_refused(pace.sent())
    assert pace.allowed == 32
    for _ in range(33):
        pace.went_well()
    assert pace.allowed == 33


def test_refusals_of_one_round_count_once() -> None:
    pace = Pace(16)
    numbers = [pace.sent() for _ in range(16)]
    assert [pace.was_refused(number) for number in numbers] == [0.0] * 16
    assert pace.allowed == 8


def test_a_service_that_answers_nothing_is_left_alone_for_longer_and_longer() -> None:
    pace = Pace(16)
    pauses = [pace.was_refused(pace.sent()) for _ in range(9)]
    assert pauses == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 16.0, 16.0]
    assert pace.allowed == 1
    pace.went_well()
    assert pace.was_refused(pace.sent()) == 0.0


@settings(deadline=None)
@given(st.integers(1, 100), st.lists(st.booleans(), max_size=300))
def test_the_pace_is_always_within_its_bounds(most: int, outcomes: list[bool]) -> None:
    pace = Pace(most)
    for good in outcomes:
        number = pace.sent()
        if good:
            pace.went_well()
        else:
            assert 0 <= pace.was_refused(number) <= LONGEST_PAUSE
        assert 1 <= pace.allowed <= most


@pytest.mark.parametrize("room", [1, 5, 20, 50])
def test_the_pace_finds_the_room_that_there_is(room: int) -> None:
    """Rounds of requests against a service that takes `room` of them and refuses the rest."""
    pace, answered, refused = Pace(64), 0, 0
    for _ in range(300):
        numbers = [pace.sent() for _ in range(pace.allowed)]
        for place, number in enumerate(numbers):
            if place < room:
                pace.went_well()
                answered += 1
            else:
                pace.was_refused(number)
                refused += 1
    assert answered >= 0.7 * 300 * room
    assert refused <= 0.6 * answered + 64
