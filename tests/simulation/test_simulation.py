"""The production functions under a scheduler that owns every interleaving."""

from dataclasses import replace

import pytest

from tests.simulation.bugs import BUGS
from tests.simulation.explore import Found, exhaust, wander
from tests.simulation.programs import Library
from tests.simulation.scenarios import everything
from tests.simulation.schedules import run, schedules
from tests.simulation.searches import RANDOM, SEARCHES

PATHS = 12


def again(name: str, found: Found) -> str:
    return f"{found}\nagain: python -m tests.simulation --replay '{name}'"


@pytest.mark.slow
@pytest.mark.parametrize("name", SEARCHES)
def test_no_state_within_the_bounds_breaks_a_promise(name: str) -> None:
    found = exhaust(SEARCHES[name])
    print(f"{found.seconds:.1f} s of CPU; {found.endings:,} endings; {found}")
    assert not found.broken, again(name, found)
    assert found.complete
    assert found.endings > 0


@pytest.mark.slow
def test_random_paths_far_beyond_the_bounds_break_no_promise() -> None:
    library, written = Library(), set[str]()
    for seed in range(PATHS):
        found = wander(everything(RANDOM), seed, library, written)
        assert not found.broken, (
            f"{found}\nreplay: python -m tests.simulation --replay random:{seed}"
        )


def test_every_seeded_bug_is_found() -> None:
    found = {name: exhaust(bug.seeded(), states=20_000) for name, bug in BUGS.items()}
    for name, item in found.items():
        print(f"{name}: {item.broken or 'NOT FOUND'} ({item.states:,} states)")
    assert [name for name, item in found.items() if not item.broken] == []


def test_a_violation_is_found_again_on_the_same_path() -> None:
    bug = BUGS["doubles are not cancelled"]
    found = exhaust(bug.seeded())
    assert found.broken
    assert found.path
    assert exhaust(bug.seeded()).path == found.path


def test_a_random_path_is_the_same_for_the_same_seed() -> None:
    bug = replace(BUGS["unconditional record"], scenario=everything, bounds=RANDOM).seeded()
    paths = (wander(bug, seed, Library(), set()) for seed in range(50))
    broken = next(path for path in paths if path.broken)
    assert broken.seed is not None
    assert wander(bug, broken.seed, Library(), set()) == broken


@pytest.mark.slow
def test_none_of_the_84_schedules_makes_a_second_job_or_none() -> None:
    library = Library()
    outcomes = [run(schedule, library) for schedule in schedules()]
    assert len(outcomes) == 84
    assert sum(outcome.jobs > 1 for outcome in outcomes) == 0
    assert {outcome.jobs_after_ticks for outcome in outcomes} == {1}
