"""One tuning job's work: read its files from Cloud Storage, train, and report."""

from collections.abc import Callable
from dataclasses import dataclass

from google.api_core.exceptions import GoogleAPIError
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import aiplatform_v1, storage
from requests.exceptions import RequestException

from local.vertex.base_models import BASE_MODELS
from local.vertex.checks import read_hyper_parameters
from local.vertex.endpoints import name_tuned_model
from local.vertex.features import FeatureCache
from local.vertex.linear import HyperParameters
from local.vertex.tuned import TunedModel, train
from local.vertex.tuning_data import DatasetError, TuningExample, data_stats, read_examples

_ROWS_A_STEP = 32
_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class TrainingResult:
    """What a job's work gave.

    Attributes:
        model: The trained model.
        named: Its name, endpoint and checkpoints.
        stats: What it was trained on.
    """

    model: TunedModel
    named: aiplatform_v1.TunedModel
    stats: aiplatform_v1.TuningDataStats


def run_training(
    job: aiplatform_v1.TuningJob,
    storage_endpoint: str | None,
    cache: FeatureCache,
    stop: Callable[[], bool],
) -> TrainingResult:
    """Do a job's work.

    Args:
        job: The job, as it was accepted.
        storage_endpoint: Where Cloud Storage answers; None for the client's own default.
        cache: Keeps the features of recent datasets.
        stop: Asked after every epoch; training ends early when it says true.

    Returns:
        The model and its report.

    Raises:
        DatasetError: A file cannot be read or is no tuning dataset.
    """
    spec = job.supervised_tuning_spec
    project = job.name.split("/")[1]
    examples = _read(project, spec.training_dataset_uri, storage_endpoint)
    if spec.validation_dataset_uri:
        held_out = _read(project, spec.validation_dataset_uri, storage_endpoint)
        most = BASE_MODELS[job.base_model].maximum_validation
        if len(held_out) > most:
            raise DatasetError(f"the validation dataset has more than {most} examples")
    asked = HyperParameters()
    if aiplatform_v1.SupervisedTuningSpec.pb(spec).HasField("hyper_parameters"):
        asked = read_hyper_parameters(spec.hyper_parameters, BASE_MODELS[job.base_model])
    model = train(job.base_model, examples, asked, cache, stop)
    steps = -(-len(examples) // _ROWS_A_STEP)
    return TrainingResult(
        model,
        name_tuned_model(job, asked.epoch_count, steps),
        data_stats(examples, steps * asked.epoch_count),
    )


def _read(project: str, uri: str, storage_endpoint: str | None) -> list[TuningExample]:
    bucket, _, path = uri.removeprefix("gs://").partition("/")
    client = storage.Client(
        project=project,
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": storage_endpoint} if storage_endpoint else None,
    )
    try:
        content: bytes = (
            client.bucket(bucket).blob(path).download_as_bytes(timeout=_TIMEOUT_SECONDS)
        )
    except (GoogleAPIError, GoogleAuthError, RequestException) as error:
        raise DatasetError(f"cannot read {uri}: {type(error).__name__}") from error
    finally:
        client.close()
    return read_examples(content, uri)
