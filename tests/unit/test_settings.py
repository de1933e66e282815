"""Settings out of environment variables."""

import pytest

from shared.settings import REQUIRED, Settings, SettingsError

GOOGLE = {**dict.fromkeys(REQUIRED, "x"), "TUNEDROP_CLOUD": "google"}
LOCAL = {
    **GOOGLE,
    "TUNEDROP_CLOUD": "local",
    "STORAGE_EMULATOR_HOST": "http://127.0.0.1:4443",
    "PUBSUB_EMULATOR_HOST": "localhost:8085",
    "TUNEDROP_VERTEX_ENDPOINT": "http://127.0.0.1:9000",
}


def test_what_is_left_out_has_a_default() -> None:
    settings = Settings.from_environment(GOOGLE)
    assert settings.max_concurrent_jobs == 1
    assert settings.topic_prefix == ""


def test_numbers_are_read() -> None:
    wanted = {"TUNEDROP_LEASE_SECONDS": "0.5", "TUNEDROP_MAX_CONCURRENT_JOBS": "4"}
    settings = Settings.from_environment({**GOOGLE, **wanted})
    assert (settings.lease_seconds, settings.max_concurrent_jobs) == (0.5, 4)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({**GOOGLE, name: ""})


@pytest.mark.parametrize("value", ["many", "0", "-3", "1e"])
def test_a_number_that_is_none_or_not_above_zero_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="TUNEDROP_LEASE_SECONDS"):
        Settings.from_environment({**GOOGLE, "TUNEDROP_LEASE_SECONDS": value})


@pytest.mark.parametrize("value", ["0.5", "inf", "nan"])
def test_a_count_that_is_no_whole_number_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="TUNEDROP_MAX_CONCURRENT_JOBS"):
        Settings.from_environment({**GOOGLE, "TUNEDROP_MAX_CONCURRENT_JOBS": value})


def test_any_other_cloud_is_refused() -> None:
    with pytest.raises(SettingsError, match="must be 'google' or 'local'"):
        Settings.from_environment({**GOOGLE, "TUNEDROP_CLOUD": "gcp"})


def test_the_local_cloud_on_this_machine_is_taken() -> None:
    assert Settings.from_environment(LOCAL).cloud == "local"


@pytest.mark.parametrize(
    "name", ["STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "TUNEDROP_VERTEX_ENDPOINT"]
)
@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://storage.googleapis.com",
        "https://127.0.0.2:1",
        "127.0.0.1.example.com:1",
        pytest.param(
            "http://127.0.0.1:1@example.com",
        ),
    ],
)
def test_a_local_run_never_leaves_this_machine(name: str, address: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({**LOCAL, name: address})
