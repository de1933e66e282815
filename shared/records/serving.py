"""Records of answers to documents."""

from datetime import datetime
from typing import Literal

from shared.examples import FieldValue
from shared.records.base import Record


class Alternative(Record):
    """What some samples said and the answer does not: a label, or another value of a `field`.

    `answer` is a text of at most 300 characters, lists as JSON; None says that the text does not
    give the field. `share` is of all samples.
    """

    answer: str | None
    share: float
    field: str = ""


class Provenance(Record):
    """Where an answer comes from.

    `samples` is how many answers were counted; `stop_at` is where sampling stops. `characters` is
    how many of the text the model was given, in so many `parts`. `seconds` is how
    long the model took, one part after the other, and `usd` what its tokens cost in US dollars by
    the prices in shared/models.yaml, None for a model without one; both are of the requests that
    this answer came from; where a batch gave it (`batched`), at the price of batches and without
    any time. `notes` says what was left out of the document, or mended, when it was
    read.
    """

    document: str
    generation: int
    champion: str
    model: str
    model_version: str
    dataset: str
    prompt_hash: str
    samples: int
    stop_at: float = 1.0
    temperature: float
    prompt_tokens: int
    answer_tokens: int
    seconds: float = 0.0
    usd: float | None = None
    batched: bool = False
    characters: int
    parts: int = 1
    reader: str
    notes: tuple[str, ...] = ()


class ResultRecord(Record):
    """The answer to a document.

    A file of many documents is `divided`: each of its `rows` has a result of its own, with its
    number as `row`, whose `document` is the file's name, a slash and that number.

    `confidence` is what the share of samples that agree (`agreement`) is worth by the champion's
    calibration: the share of such answers that were right. Where that calibration does not hold it
    is the agreement itself, `calibrated` is false, and `calibration_note` says why.
    `rating` is how likely the model called its answer, in the words of shared/rating.py; empty
    where that was not asked, or not answered so.

    `field_confidences` are agreements in any case: a calibration is about whole answers.

    `provisional` marks an answer that was given before there was a champion, whose answer will
    replace it; of a file of many documents it marks that its rows were answered so.

    `text` is what the model was given, kept with answers that may go to review only; it is empty
    where the model was given the file itself, or so much text that nothing could be learnt from it.

    `alternatives` are the runners-up, at most three. `tally` says how often each answer was given;
    what is longer than 300 characters is shortened in both.
    """

    document: str
    task_name: str
    status: Literal["accepted", "review", "rejected", "waiting", "divided"]
    provisional: bool = False
    answer: str | list[str] | dict[str, FieldValue] | None = None
    confidence: float | None = None
    agreement: float | None = None
    rating: str = ""
    calibrated: bool = False
    calibration_note: str = ""
    field_confidences: dict[str, float] = {}
    alternatives: tuple[Alternative, ...] = ()
    tally: dict[str, int] = {}
    reason: str = ""
    remedy: str = ""
    row: int | None = None
    rows: int | None = None
    text: str = ""
    generation: int
    provenance: Provenance | None = None
    at: datetime


class ReviewLine(Record):
    """One line of a day's review file: an answer that a person should look at.

    `location` is the document's address, `text` what the model was given (empty for a picture,
    which the model was given as a file). A person writes the right answer into `correction`: a
    label, a list of labels, or an object with the fields that are wrong. `reason` says why the
    answer is here.
    """

    document: str
    location: str
    generation: int
    row: int | None = None
    text: str
    answer: str | list[str] | dict[str, FieldValue] | None
    confidence: float | None
    alternatives: tuple[Alternative, ...] = ()
    reason: str
    provisional: bool = False
    at: datetime
    correction: str | list[str] | dict[str, FieldValue] | None = ""


class DriftRecord(Record):
    """How far a task's latest answers are from those of its champion's evaluation.

    `label_shift` is the difference of a share, that of `label`: with one label a text, the label
    that moved most; else the label, or the field that has a value, that moved most surely, with its
    p-value corrected for their number. `agreement_shift` is the largest difference of the
    distribution functions of the agreement. The p-values say how likely that is by chance; below
    `threshold`, halved when there are both, answers have `drifted`. `promoted` is when the champion
    came to serve.
    """

    task_name: str
    champion: str
    promoted: datetime
    drifted: bool
    threshold: float
    answers: int
    rows: int
    label: str = ""
    label_shift: float | None = None
    label_p: float | None = None
    agreement_shift: float | None = None
    agreement_p: float | None = None
    at: datetime
