"""The part of task.yaml about answering documents."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from shared.examples import MAX_TEXT_CHARACTERS
from shared.task.part import Part, as_off, as_switch


class Serving(Part):
    """How documents are answered."""

    samples: int = Field(
        5,
        ge=1,
        le=8,
        description="At most so many answers are sampled for each document; the majority wins.",
    )
    stop_at: float = Field(
        0.95,
        gt=0.5,
        le=1,
        description="Sampling stops early when it is this probable that the leading answer would "
        "stay ahead: 0.95 takes four samples that agree. 1 always takes all of them. Several "
        "labels and fields all have to be settled.",
    )
    temperature: float = Field(
        0.7, ge=0, le=2, description="Sampling temperature; above zero, or every sample agrees."
    )
    rating: Annotated[Literal["on", "off"], BeforeValidator(as_switch)] = Field(
        "on",
        description="Whether models are also asked how likely their answer is right, in words. For "
        "sentiment only. In evaluation it is one more request a row; documents are rated if "
        "that made the champion's confidence better there, and then it is one more request each.",
    )
    review_below: float = Field(
        0.6,
        ge=0,
        le=1,
        description="Answers with a confidence below this go to review. It is held against the "
        "confidence that the result shows: the calibrated one, or the agreement of the samples "
        "where the result says that it is not calibrated.",
    )
    review_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="The share of each day's answers that goes to review besides: the least sure "
        "of those that were accepted, chosen once the day (UTC) is over. 0.02 for two in a "
        "hundred. Results keep their texts while it is above 0.",
    )
    daily_export: Annotated[Literal["off", "jsonl", "csv"], BeforeValidator(as_off)] = Field(
        "off",
        description="Whether a day's answers are also written as one file, "
        "`<task>/daily/<day>.jsonl` or `.csv` in the results bucket, once the day (UTC) is over. "
        "In the CSV, what a spreadsheet would run as a formula begins with an apostrophe.",
    )
    drift_alert: Annotated[
        Literal["off"] | Annotated[float, Field(gt=0, lt=0.5)], BeforeValidator(as_off)
    ] = Field(
        0.001,
        description="The p-value below which the latest answers are reported as unlike those of "
        "the champion's evaluation, in labels or in the agreement of samples; or off. It is looked "
        "at once a day, so that 0.001 is a false alarm in three years.",
    )
    before_champion: Literal["answer", "wait"] = Field(
        "wait",
        description="What becomes of documents that arrive before the task has a champion. They "
        "wait for it; or, when task.yaml names the labels or fields, tuning.base_model answers "
        "them zero-shot. Such an answer costs money, nobody has measured how good it is, and the "
        "result is marked as provisional: the champion answers the document again, and replaces "
        "it.",
    )
    max_document_bytes: int = Field(
        1_000_000, ge=1, le=20_000_000, description="Larger documents are rejected unread."
    )
    max_document_characters: int = Field(
        MAX_TEXT_CHARACTERS,
        ge=100,
        le=MAX_TEXT_CHARACTERS,
        description="A text with more characters than this is long.",
    )
    long_documents: Literal["reject", "truncate", "split"] = Field(
        "reject",
        description="What becomes of a long text: it is rejected, as it is from training; only its "
        "beginning is given to the model; or it is given in parts, whose answers are combined. The "
        "result says what was done.",
    )
    read_pictures: bool = Field(
        default=True,
        description="Whether pictures, and PDF files without text, are given to the model as they "
        "are, when its base model takes such files; else they are rejected.",
    )
    batch_above: int | None = Field(
        1000,
        ge=1,
        description="A file with more documents than this is answered through Vertex AI's batch "
        "prediction: at half the price, but it can take a day. Null for never; such a file is then "
        "rejected when it has more than 1,000.",
    )
    email_subject: bool = Field(
        default=True,
        description="Whether an e-mail's subject is given to the model, on a line above its text.",
    )
