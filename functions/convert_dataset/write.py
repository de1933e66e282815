"""Second pass over a file: writes each row to its split, or to quarantine with its reason."""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import BinaryIO

import orjson

from functions.convert_dataset.batches import all_batches
from functions.convert_dataset.judge import Judgement
from functions.convert_dataset.lines import line_writer
from functions.convert_dataset.opening import Upload
from functions.convert_dataset.rows import Refusal, Row
from functions.convert_dataset.splits import NONE, SPLITS, TRAIN
from functions.convert_dataset.survey import Survey
from shared import paths
from shared.answers import answer_text
from shared.errors import NotFound, Rejected
from shared.examples import Example
from shared.ports import Bucket
from shared.prompts import system_instruction
from shared.tokens import estimate_tokens

JSON_LINES = "application/jsonl"
MAX_TRAINING_BYTES = 1_000_000_000
"""The largest training file that Vertex AI takes."""

SHOWN_ROWS = 20
EXCERPT_CHARACTERS = 160
TOKEN_SAMPLE = 2000


@dataclass
class Written:
    """What the second pass wrote.

    Attributes:
        quarantined: Reason -> number of rows in quarantine.jsonl.
        shown: Reason -> the first refusals, for the report.
        excerpts: Row index -> the beginning of its text, for rows that the report shows.
        answers: Row index -> its answer, shortened, for the same rows.
        training_tokens: Estimated tokens of the training lines, once.
        training_bytes: Bytes of the training lines.
    """

    quarantined: Counter[str] = field(default_factory=Counter)
    shown: dict[str, list[Refusal]] = field(default_factory=dict)
    excerpts: dict[int, str] = field(default_factory=dict)
    answers: dict[int, str] = field(default_factory=dict)
    training_tokens: int = 0
    training_bytes: int = 0

    def count(self, refusal: Refusal) -> None:
        """Count a row that goes to quarantine."""
        self.quarantined[refusal.reason] += 1
        shown = self.shown.setdefault(refusal.reason, [])
        if len(shown) < SHOWN_ROWS:
            shown.append(refusal)


def write_dataset(
    upload: Upload, survey: Survey, judgement: Judgement, bucket: Bucket, task: str, identifier: str
) -> Written:
    """Write the split files and the quarantine.

    Raises:
        Rejected: The training file becomes larger than Vertex AI takes.
        NotFound: The upload is not what it was in the first pass.
    """
    size = survey.characters + judgement.counts["train"] * len(system_instruction(survey.task))
    _check_size(size, upload.name)
    written = Written()
    wanted = _wanted_excerpts(judgement)
    with ExitStack() as stack:
        files = [
            stack.enter_context(
                bucket.open_write(paths.split_file(task, identifier, split), JSON_LINES)
            )
            for split in (*SPLITS, "quarantine")
        ]
        characters = _write_rows(upload, survey, judgement, files, written, wanted)
    written.training_tokens = _training_tokens(survey, characters, judgement.counts["train"])
    return written


def _write_rows(
    upload: Upload,
    survey: Survey,
    judgement: Judgement,
    files: Sequence[BinaryIO],
    written: Written,
    wanted: frozenset[int],
) -> int:
    """Go through the rows again; return the characters of the training texts."""
    line_of = line_writer(survey.task)
    characters = seen = 0
    for first, chunk, examples in all_batches(
        upload.rows(), survey.task, upload.columns, upload.corrections
    ):
        seen += len(chunk)
        codes = judgement.splits[first:seen]
        if len(codes) != len(chunk):
            raise NotFound(f"{upload.name} changed while it was read")
        pieces: list[list[bytes]] = [[] for _ in files]
        put = [piece.append for piece in pieces]
        for place, (example, code) in enumerate(zip(examples, codes, strict=True)):
            if code == NONE:
                refusal = _refusal(example, survey, judgement, first + place, upload.format.counts)
                put[code](_quarantine_line(refusal, chunk[place]))
                written.count(refusal)
            elif example.__class__ is Example:
                put[code](line_of(example))
            else:
                raise NotFound(f"{upload.name} changed while it was read")
        characters += sum(
            len(example.text)
            for example, code in zip(examples, codes, strict=True)
            if code == TRAIN and isinstance(example, Example)
        )
        for file, lines in zip(files, pieces, strict=True):
            file.write(b"".join(lines))
        written.training_bytes += sum(map(len, pieces[TRAIN]))
        _check_size(written.training_bytes, upload.name)
        for row in wanted.intersection(range(first, seen)):
            example = examples[row - first]
            if isinstance(example, Example):
                written.excerpts[row] = _excerpt(example.text)
                written.answers[row] = _excerpt(answer_text(example.answer))
    if seen < len(survey.kept):
        raise NotFound(f"{upload.name} changed while it was read")
    return characters


def _wanted_excerpts(judgement: Judgement) -> frozenset[int]:
    """Choose the rows whose texts the report shows."""
    return frozenset(
        row
        for found, _ in judgement.findings
        if found.excerpts
        for rows in (found.rows, found.others)
        for row in rows[:SHOWN_ROWS]
    )


def _refusal(
    example: Example | Refusal, survey: Survey, judgement: Judgement, row: int, counts: str
) -> Refusal:
    """Say why a row is in quarantine: it is no example, or a check dropped it."""
    if isinstance(example, Refusal):
        return example
    found, _ = judgement.findings[judgement.dropped_by[row]]
    detail = found.details.get(row, "")
    if found.others:
        place = bisect_left(found.rows, row)
        detail = detail or f"{found.clash} {counts} {survey.lines[found.others[place]]}"
    return Refusal(survey.lines[row], found.check, detail or found.summary)


def _quarantine_line(refusal: Refusal, row: Row | Refusal) -> bytes:
    """Write one line of quarantine.jsonl."""
    values = dict(row.values) if isinstance(row, Row) else row.content
    line = {"line": refusal.line, "reason": refusal.reason, "detail": refusal.detail}
    try:
        return orjson.dumps({**line, "row": values}, default=str) + b"\n"
    except TypeError:
        # orjson takes neither integers of more than 64 bits nor keys that are no text.
        return json.dumps({**line, "row": values}, default=str).encode() + b"\n"


def _excerpt(text: str) -> str:
    """Shorten a text to one line."""
    line = " ".join(text[: 2 * EXCERPT_CHARACTERS].split())
    return line if len(line) <= EXCERPT_CHARACTERS else f"{line[:EXCERPT_CHARACTERS]}…"


def _check_size(size: int, name: str) -> None:
    """Refuse a training file that Vertex AI does not take."""
    if size > MAX_TRAINING_BYTES:
        raise Rejected(
            f"The training lines of {name} have more than {size:,} bytes; Gemini's training files "
            f"may have {MAX_TRAINING_BYTES:,}. Each line repeats the instruction and the labels.",
            "Upload fewer rows; a shorter instruction helps as well.",
        )


def _training_tokens(survey: Survey, characters: int, examples: int) -> int:
    """Estimate the tokens of the training lines from the tokens of the sample's texts."""
    texts = survey.sample.texts[:TOKEN_SAMPLE]
    answers = survey.sample.answers[:TOKEN_SAMPLE]
    if not texts:
        return 0
    text_rate = sum(map(estimate_tokens, texts)) / sum(map(len, texts))
    answer_tokens = sum(estimate_tokens(answer_text(answer)) for answer in answers) / len(answers)
    instruction = estimate_tokens(system_instruction(survey.task))
    return round(characters * text_rate + examples * (instruction + answer_tokens))
