"""Which checkpoints a tuning job of the stand-in keeps."""

import pytest
from google.cloud import aiplatform_v1

from local.vertex.endpoints import checkpoint_epochs, name_tuned_model


@pytest.mark.parametrize(
    ("epochs", "kept"),
    [
        (1, [1]),
        (4, [1, 2, 3, 4]),
        (10, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        (12, [2, 3, 4, 5, 6, 8, 9, 10, 11, 12]),
        (100, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]),
    ],
)
def test_about_ten_checkpoints_are_kept_and_always_the_last(epochs: int, kept: list[int]) -> None:
    assert checkpoint_epochs(epochs) == kept


@pytest.mark.parametrize(("last_only", "count"), [(True, 1), (False, 3)])
def test_each_kept_checkpoint_has_an_endpoint_where_the_model_is_served(
    last_only: bool, count: int
) -> None:
    job = aiplatform_v1.TuningJob(
        name="projects/p/locations/europe-west4/tuningJobs/1000",
        base_model="gemini-3.5-flash-lite",
        supervised_tuning_spec={"export_last_checkpoint_only": last_only},
    )
    model = name_tuned_model(job, 3, 7)
    endpoints = [item.endpoint for item in model.checkpoints]
    assert len(set(endpoints)) == count
    assert all(name.startswith("projects/p/locations/eu/endpoints/") for name in endpoints)
    assert model.endpoint == endpoints[-1]
    assert (model.checkpoints[-1].epoch, model.checkpoints[-1].step) == (3, 21)
