"""No test reaches anything but this machine, and none finds credentials."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")


def _refuse_other_machines(event: str, arguments: tuple[object, ...]) -> None:
    """Raise when Python code is about to connect to another machine."""
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            raise PermissionError(f"a test tried to connect to {address[0]}")


sys.addaudithook(_refuse_other_machines)
for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "GOOGLE_API_KEY"):
    os.environ.pop(name, None)
# Several tests run at a time; threads that wait for each other would only slow them down.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["NO_GCE_CHECK"] = "true"
os.environ["GCE_METADATA_HOST"] = "127.0.0.1:1"
os.environ["CLOUDSDK_CONFIG"] = os.devnull

# A busy machine is no failure, and CI tries the same examples every time.
settings.register_profile(
    "tunedrop",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("tunedrop")


GROUPS = {"infra": "infra"} | dict.fromkeys(
    ("browser", "contract", "e2e", "performance"), "servers"
)
"""Folders of tests that start servers, measure or run Terraform, and the group that they are in.

The tests of a group are run by one worker, one after the other; all other tests go to any.
"""


class OneWorkerAGroup(LoadScopeScheduling):  # type: ignore[misc]
    """Hands tests out one by one, but for those that would wait for each other's processors."""

    def _split_scope(self, nodeid: str) -> str:
        """Name the group of a test; the largest groups are begun first."""
        return GROUPS.get(nodeid.split("/")[1], nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneWorkerAGroup:
    """Keep the tests of a group together."""
    return OneWorkerAGroup(config, log)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data sets; tests that need it are skipped where it is absent."""
    default = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    folder = Path(os.environ.get("TUNEDROP_TEST_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no test data in {folder}; set TUNEDROP_TEST_DATA")
    return folder
