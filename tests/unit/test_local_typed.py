"""What people are told to type: it works as it stands."""

from pathlib import Path

import pytest

from local.addresses import Addresses
from local.commands import how_to_use
from local.typed import DEFAULT_FOLDER, nothing_is_up, start, typed

ADDRESSES = Addresses(
    storage="http://127.0.0.1:1", pubsub="127.0.0.1:2", vertex="", project="local", buckets={}
)


def test_a_command_names_the_folder_unless_it_is_the_default() -> None:
    assert typed("status", DEFAULT_FOLDER) == ".venv/bin/python -m local status"
    assert typed("status", DEFAULT_FOLDER.resolve()) == ".venv/bin/python -m local status"
    assert typed("status", Path("a b")) == ".venv/bin/python -m local status --folder 'a b'"
    assert start(DEFAULT_FOLDER) == "make local"
    assert start(Path("x")) == ".venv/bin/python -m local up --folder x"
    assert "`.venv/bin/python -m local up --folder x`" in nothing_is_up(Path("x"))


@pytest.mark.parametrize(
    ("folder", "command"), [("local-cloud", "status`"), ("other", "status --folder other`")]
)
def test_a_local_cloud_that_is_up_says_how_to_ask_for_its_own_status(
    folder: str, command: str
) -> None:
    said = how_to_use(Path(folder), ADDRESSES, ("tuning-requested",))
    assert f"`.venv/bin/python -m local {command} shows" in said
    assert f"/{folder}/artifacts/tasks/<task>/index.html" in said
