"""What a tuning request must be."""

import re
from collections.abc import Mapping

from google.cloud import aiplatform_v1

from local.vertex.base_models import BASE_MODELS, BaseModel
from local.vertex.linear import HyperParameters
from local.vertex.wire import invalid

_MOST_LABELS = 64
_LONGEST_LABEL = 63
_ADAPTER_SIZES = {"ONE": 1, "TWO": 2, "FOUR": 4, "EIGHT": 8, "SIXTEEN": 16, "THIRTY_TWO": 32}
_GCS_OBJECT = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]/\S.*", re.DOTALL)


def check_tuning_job(job: aiplatform_v1.TuningJob, location: str) -> BaseModel:
    """Refuse a tuning job that the service refuses.

    Args:
        job: The job as requested.
        location: The region of the request.

    Returns:
        The base model to tune.

    Raises:
        ApiError: Something is missing, unknown or out of range.
    """
    if not job.base_model:
        raise invalid("base_model is required.")
    name = job.base_model.removeprefix("publishers/google/models/")
    model = BASE_MODELS.get(name)
    if model is None:
        raise invalid(f"Base model {name} is not supported. Known: {', '.join(BASE_MODELS)}.")
    if location not in model.serving_locations:
        raise invalid(
            f"Tuning {name} is not supported in {location}. "
            f"Supported: {', '.join(model.serving_locations)}."
        )
    plain = aiplatform_v1.TuningJob.pb(job)
    if not plain.HasField("supervised_tuning_spec"):
        raise invalid("supervised_tuning_spec is required.")
    if plain.HasField("pre_tuned_model"):
        raise invalid("The local stand-in does not tune tuned models further.")
    spec = job.supervised_tuning_spec
    if not spec.training_dataset_uri:
        raise invalid("supervised_tuning_spec.training_dataset_uri is required.")
    check_gcs_uri("training_dataset_uri", spec.training_dataset_uri)
    if spec.validation_dataset_uri:
        check_gcs_uri("validation_dataset_uri", spec.validation_dataset_uri)
    if plain.supervised_tuning_spec.HasField("hyper_parameters"):
        read_hyper_parameters(spec.hyper_parameters, model)
    check_labels(job.labels)
    return model


def check_gcs_uri(name: str, uri: str) -> None:
    """Refuse what is no address of an object in Cloud Storage.

    Args:
        name: The field's name, for the message.
        uri: What is given.

    Raises:
        ApiError: It is none.
    """
    if not _GCS_OBJECT.fullmatch(uri):
        raise invalid(f"{name} must be a Cloud Storage URI such as gs://bucket/train.jsonl.")


def read_hyper_parameters(
    message: aiplatform_v1.SupervisedHyperParameters, model: BaseModel
) -> HyperParameters:
    """Read hyperparameters that are given; given ones must be complete.

    Args:
        message: The hyperparameters as requested.
        model: The base model to tune.

    Returns:
        The hyperparameters, the rate being 1 when it is not set.

    Raises:
        ApiError: A value is unset or out of range.
    """
    if not 1 <= message.epoch_count <= model.maximum_epochs:
        raise invalid(f"epoch_count must be from 1 to {model.maximum_epochs}.")
    size = _ADAPTER_SIZES.get(
        getattr(message.adapter_size, "name", "").removeprefix("ADAPTER_SIZE_")
    )
    if size not in model.adapter_sizes:
        sizes = ", ".join(map(str, model.adapter_sizes))
        raise invalid(f"adapter_size must be one of {sizes} for {model.name}.")
    rate = message.learning_rate_multiplier or 1.0
    if not 0 < rate <= 100:  # noqa: PLR2004 - the service's own bound is not published
        raise invalid("learning_rate_multiplier must be above 0.")
    return HyperParameters(int(message.epoch_count), float(rate), size)


def check_labels(labels: Mapping[str, str]) -> None:
    """Hold labels to Google Cloud's rules.

    Args:
        labels: A resource's labels.

    Raises:
        ApiError: There are too many, or a key or value breaks the rules.
    """
    if len(labels) > _MOST_LABELS:
        raise invalid(f"At most {_MOST_LABELS} labels are allowed.")
    for key, value in labels.items():
        if not 1 <= len(key) <= _LONGEST_LABEL or not key[0].isalpha() or not _is_label(key):
            raise invalid(
                "A label key has 1 to 63 lower-case letters, digits, _ or -, a letter first."
            )
        if len(value) > _LONGEST_LABEL or not _is_label(value):
            raise invalid("A label value has at most 63 lower-case letters, digits, _ or -.")


def _is_label(text: str) -> bool:
    return text == text.lower() and all(
        character in "_-" or character.isalpha() or character.isdecimal() for character in text
    )
