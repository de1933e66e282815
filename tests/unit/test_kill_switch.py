"""A person stops all tuning with one object."""

import pytest

from shared import paths
from shared.errors import Retry
from shared.kill_switch import KillSwitch, read_switch
from tests.fakes import fake_world


def test_without_the_object_the_switch_is_off() -> None:
    assert read_switch(fake_world().world) is None


def test_the_object_says_why_and_whether_running_jobs_are_cancelled() -> None:
    fakes = fake_world()
    fakes.artifacts.put(paths.KILL_SWITCH, '{"reason": "the bill", "cancel_running": true}')
    switch = read_switch(fakes.world)
    assert switch == KillSwitch(reason="the bill", cancel_running=True)
    assert switch.why == "The kill switch stop.json is on: the bill"


@pytest.mark.parametrize(
    "content", [b"", b"stop!", b"[]", b"null", b"\xff\xfe", b'{"cancel_running": "maybe"}']
)
def test_content_that_cannot_be_read_stops_creations_and_cancels_nothing(content: bytes) -> None:
    fakes = fake_world()
    fakes.artifacts.put(paths.KILL_SWITCH, content)
    switch = read_switch(fakes.world)
    assert switch is not None
    assert not switch.cancel_running
    assert switch.why.startswith("The kill switch stop.json is on")


def test_an_empty_object_is_enough_and_further_keys_are_fine() -> None:
    for content in ("{}", '{"who": "me"}'):
        fakes = fake_world()
        fakes.artifacts.put(paths.KILL_SWITCH, content)
        assert read_switch(fakes.world) == KillSwitch()


def test_a_switch_that_cannot_be_looked_at_is_not_taken_for_off() -> None:
    fakes = fake_world()
    fakes.faults.fail("read artifacts", Retry("down"))
    with pytest.raises(Retry):
        read_switch(fakes.world)
