"""A small file of each format, for docs/intake.md, and what it becomes."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from docs.generators.markdown import fenced, paragraph
from functions.convert_dataset.formats.registry import Format
from functions.convert_dataset.reading.source import Hints, Source
from functions.convert_dataset.rows import Refusal
from shared.errors import Rejected
from shared.task import FormatKey

EXAMPLES: dict[FormatKey, str] = {
    "csv": """
text,label
"Where is my parcel, please?",where_is_it
The box was wet.,damaged
""",
    "json": """
{"text": "Where is my parcel?", "label": "where_is_it"}
{"text": "The box was wet.", "label": "damaged"}
""",
    "gemini": """
{"contents": [{"role": "user", "parts": [{"text": "The box was wet."}]}, {"role": "model", \
"parts": [{"text": "damaged"}]}]}
""",
    "chat": """
{"messages": [{"role": "user", "content": "The box was wet."}, {"role": "assistant", \
"content": "damaged"}]}
""",
    "automl-csv": """
TRAIN,Where is my parcel?,where_is_it
TEST,The box was wet.,damaged
""",
    "automl-jsonl": """
{"textContent": "The box was wet.", "classificationAnnotation": {"displayName": "damaged"}, \
"dataItemResourceLabels": {"aiplatform.googleapis.com/ml_use": "training"}}
""",
    "label-studio": """
[{"id": 1, "data": {"text": "The box was wet."}, "annotations": [{"result": [
  {"type": "choices", "from_name": "kind", "to_name": "text", "value": {"choices": ["damaged"]}}
]}]}]
""",
    "doccano": """
{"id": 1, "text": "Ida took Olav from Oslo to Bergen today.", "label": [[0, 3, "person"], \
[9, 13, "person"], [19, 23, "place"], [27, 33, "place"]]}
""",
    "prodigy": """
{"text": "Ida took a train from Oslo to Bergen today.", "answer": "accept", \
"spans": [{"start": 0, "end": 3, "label": "person"}, {"start": 22, "end": 26, \
"label": "place"}, {"start": 30, "end": 36, "label": "place"}]}
""",
    "spacy": """
{"text": "The box was wet.", "cats": {"damaged": 1.0, "where_is_it": 0.0}}
""",
    "tokens": """
{"tokens": ["Ida", "moved", "to", "New", "Bergen"], "ner_tags": ["B-person", "O", "O", \
"B-place", "I-place"]}
""",
    "instructions": """
{"instruction": "What does the customer want?", "input": "The box was wet.", "output": "damaged"}
{"instruction": "What does the customer want?", "input": "Where is it?", "output": "where_is_it"}
""",
    "fasttext": """
__label__where_is_it Where is my parcel?
__label__damaged The box was wet.
""",
    "label-first": """
damaged The box was wet.
lost Where is my parcel?
damaged A corner was torn.
lost It never came.
""",
    "conll": """
Ida B-person
moved O
to O
New B-place
Bergen I-place

Olav B-person
stayed O
""",
    "tagged-xml": """
<addresses>
  <address><number>12</number> <street>Mill Lane</street></address>
</addresses>
""",
}

DESCRIBED: dict[FormatKey, str] = {
    "csv": "Cells are separated by commas, semicolons, tabs or bars, whichever cuts the lines most "
    "evenly, or by what a first line such as `sep=;` says. A cell with the separator, a line break "
    "or a quotation mark in it is in quotation marks, the mark doubled; in files with tabs, marks "
    "are mostly plain text. Without a header the columns are named 1, 2, …. Titles above the "
    "header, and a header that comes again, are left out.",
    "parquet": "Columns are those of the file. The names of Hugging Face's class labels are read "
    "from its metadata, and tokens with their tags become fields.",
    "excel": "An .xlsx workbook: the first sheet, or the one that `sheet` in task.yaml names, read "
    "like a CSV file; the report names the sheets that were not read. Formulas count with the "
    "value that Excel saved.",
    "folders": "A zip archive such as `damaged/1.txt`, `lost/2.txt`: the text is the file, the "
    "label its folder. Folders named train, validation and test above those are the splits.",
}


def example_of(form: Format) -> list[str]:
    """Show a small file of a format and what its first row becomes, as the code reads it.

    Raises:
        KeyError: The format has neither an example nor a description.
    """
    described = [paragraph(DESCRIBED[form.key])] if form.key in DESCRIBED else []
    if described and form.key not in EXAMPLES:
        return described
    first = next(iter(form.read(source_of(EXAMPLES[form.key]))))
    if isinstance(first, Refusal):
        raise ValueError(f"the example of {form.key} is refused: {first}")
    values = json.dumps(first.values, ensure_ascii=False)
    return [*described, fenced("text", EXAMPLES[form.key]), f"The first row: `{values}`"]


def source_of(text: str) -> Source:
    """Make a file out of a text."""

    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        yield io.BytesIO(text.lstrip("\n").encode())

    def nowhere(address: str) -> str:
        raise Rejected(f"{address} is not there.")

    return Source("example", opened, Hints(), nowhere)
