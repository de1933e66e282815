"""A real Chromium, where there is one."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
ALONE = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""The browser speaks to nobody. It runs as whoever runs the tests, root included."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for a module's tests, with a profile of its own that is gone afterwards.

    Not for the session: while it is there, its event loop is the main thread's.
    """
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(
            f"NOT PROVED HERE: none of {', '.join(NAMES)} is on the PATH, so no page was opened. "
            "Install Chromium (Debian: apt-get install chromium) to run this."
        )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=list(ALONE))
        yield chromium
        chromium.close()
