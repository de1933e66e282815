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


SERVERS = ("browser", "contract", "e2e", "infra", "performance")
"""Folders of tests that start servers or measure: one worker runs them, one after the other."""


class OneWorkerForServers(LoadScopeScheduling):  # type: ignore[misc]
    """Hands tests out one by one, but for those that would wait for each other's processors."""

    def _split_scope(self, nodeid: str) -> str:
        """Name the group of tests that one worker runs; the largest group is begun first."""
        return "servers" if nodeid.startswith(_SERVER_TESTS) else nodeid


_SERVER_TESTS = tuple(f"tests/{name}/" for name in SERVERS)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneWorkerForServers:
    """Keep the tests that start servers together."""
    return OneWorkerForServers(config, log)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data sets; tests that need it are skipped where it is absent."""
    default = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    folder = Path(os.environ.get("TUNEDROP_TEST_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no test data in {folder}; set TUNEDROP_TEST_DATA")
    return folder
