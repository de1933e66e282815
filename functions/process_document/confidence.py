"""The confidence that is shown with an answer, and why it is not calibrated when it is not."""

from typing import NamedTuple

from shared.calibration import apply
from shared.rating import is_rated
from shared.records import Calibration, ChampionRecord
from shared.task import Serving
from shared.voting import Vote


class Confidence(NamedTuple):
    """How sure an answer is.

    Attributes:
        value: 0 to 1.
        note: Why it is not calibrated but the agreement; empty when it is calibrated.
    """

    value: float
    note: str


def confidence_of(
    decided: Vote,
    champion: ChampionRecord,
    serving: Serving,
    parts: int,
    *,
    is_file: bool,
    rating: str | None = None,
) -> Confidence:
    """Turn the agreement of the samples, and a rating, into a confidence.

    The champion's calibration was fitted on texts that were asked about whole, with at most so many
    samples at one temperature, by one rule to stop; it says nothing about agreement that came about
    in another way.

    Args:
        decided: The vote.
        champion: The champion, with its calibration.
        serving: How the document was asked about.
        parts: In how many parts.
        is_file: Whether the model was given a file in place of a text.
        rating: What the answer was rated as, empty for what is no rating; None when it was not.
    """
    agreement, calibration = decided.confidence, champion.calibration
    if decided.answer is None:
        return Confidence(agreement, "There is no answer to be sure of.")
    if calibration is None:
        note = "The champion was promoted by a version that did not calibrate."
        return Confidence(agreement, note)
    if calibration.method == "none":
        return Confidence(agreement, f"No calibration was fitted: {calibration.reason}.")
    if note := _asked_otherwise(calibration, serving, parts, is_file=is_file):
        return Confidence(agreement, note)
    if calibration.rating_weight and rating is None:
        return Confidence(agreement, "The calibration is that of rated answers; this one was not.")
    return Confidence(apply(calibration, agreement, rating or ""), "")


def wants_rating(
    decided: Vote, champion: ChampionRecord, serving: Serving, parts: int, *, is_file: bool
) -> bool:
    """Whether to have the champion rate its answer: if that is on, and part of the confidence."""
    calibration = champion.calibration
    return (
        decided.answer is not None
        and calibration is not None
        and calibration.rating_weight > 0
        and is_rated(champion.task, serving)
        and not _asked_otherwise(calibration, serving, parts, is_file=is_file)
    )


def _asked_otherwise(
    calibration: Calibration, serving: Serving, parts: int, *, is_file: bool
) -> str:
    """Say how a document was asked about otherwise than the calibration's rows; empty if not."""
    if is_file:
        return "The calibration was fitted on texts, and the model was given this document's file."
    if parts > 1:
        return (
            f"The calibration was fitted on whole texts; this one was asked about in {parts} parts."
        )
    fitted = _shown(calibration.samples, calibration.temperature, calibration.stop_at)
    asked = _shown(serving.samples, serving.temperature, serving.stop_at)
    if fitted == asked:
        return ""
    return f"The calibration was fitted on {fitted}; this document was asked for {asked}."


def _shown(samples: int, temperature: float, stop_at: float) -> str:
    if samples == 1:
        return f"1 sample at temperature {temperature:g}"
    stopping = f", stopping at {stop_at:g}" if stop_at < 1 else ""
    return f"{samples} samples at temperature {temperature:g}{stopping}"
