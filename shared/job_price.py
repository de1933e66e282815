"""What a tuning job that has ended cost."""

from shared.models import base_models
from shared.records import JobRecord


def price_of(job: JobRecord) -> float | None:
    """Say what a job that has ended cost, in US dollars.

    The service counts the billable tokens of the training file once, whatever the epochs: in a
    finished job of ten epochs, the count was the sum of its input and output tokens. It bills
    them for every epoch. A job that did not succeed costs the same if the service counted any
    tokens, else nothing: too much in the ledger is better than too little.

    Returns:
        The price; None for a successful job without a count, or on a model without a price.
    """
    if not job.billable_tokens:
        return None if job.state == "succeeded" else 0.0
    model = base_models().get(job.base_model)
    if model is None:
        return None
    tokens = job.billable_tokens * job.configuration.epoch_count
    return round(tokens * model.training_price / 1_000_000, 4)
