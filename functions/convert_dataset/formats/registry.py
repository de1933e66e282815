"""All formats of labelled files; `choose_format` finds the one that fits.

Each module says how well a file's beginning fits (`sniff`, 0 to 1) and goes through the file's
rows (`read`). A file's name says nothing.

1.0 means that only this format looks so; 0.9 that it very probably is; 0.5 that it can be read in
this way but another format may know better; 0 that it cannot.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from functions.convert_dataset.formats import (
    automl_csv,
    automl_jsonl,
    chat,
    conll,
    csv_table,
    doccano,
    excel,
    fasttext,
    folders,
    gemini,
    instructions,
    json_records,
    label_first,
    label_studio,
    parquet,
    prodigy,
    spacy_cats,
    tagged_xml,
    tokens,
)
from functions.convert_dataset.reading.source import Beginning, Source
from functions.convert_dataset.rows import Refusal, Row
from shared.errors import Rejected
from shared.task import FormatKey


@dataclass(frozen=True)
class Format:
    """One way to read a labelled file.

    Attributes:
        key: The word for it in task.yaml: `format: csv`.
        name: What people call it.
        sniff: Says how well a beginning fits, 0 to 1.
        read: Goes through the rows. May raise Rejected when the rest cannot be read, and
            UnicodeDecodeError when it is not UTF-8.
        counts: What its rows are numbered by.
        note: Says what else a person should know of how a file is read; empty for nothing.
        elsewhere: Says where else the rows of a file may be in which none were found.
    """

    key: FormatKey
    name: str
    sniff: Callable[[Beginning], float]
    read: Callable[[Source], Iterator[Row | Refusal]]
    counts: Literal["line", "row", "file"] = "line"
    note: Callable[[Source], str] = lambda _: ""
    elsewhere: Callable[[Source], str] = lambda _: ""


FORMATS = (
    Format("csv", "CSV", csv_table.sniff, csv_table.read, note=csv_table.note),
    Format("json", "JSON", json_records.sniff, json_records.read),
    Format("gemini", "Gemini tuning lines", gemini.sniff, gemini.read),
    Format("chat", "chat messages", chat.sniff, chat.read),
    Format("automl-csv", "AutoML CSV", automl_csv.sniff, automl_csv.read),
    Format("automl-jsonl", "AutoML JSONL", automl_jsonl.sniff, automl_jsonl.read),
    Format("label-studio", "Label Studio JSON", label_studio.sniff, label_studio.read),
    Format("doccano", "doccano JSONL", doccano.sniff, doccano.read),
    Format("prodigy", "Prodigy JSONL", prodigy.sniff, prodigy.read),
    Format("spacy", "spaCy categories", spacy_cats.sniff, spacy_cats.read),
    Format("tokens", "tokens and tags in JSON", tokens.sniff, tokens.read),
    Format("instructions", "instructions in JSON", instructions.sniff, instructions.read),
    Format("fasttext", "fastText lines", fasttext.sniff, fasttext.read),
    Format("label-first", "lines of label and text", label_first.sniff, label_first.read),
    Format("conll", "CoNLL", conll.sniff, conll.read),
    Format("tagged-xml", "tagged XML", tagged_xml.sniff, tagged_xml.read),
    Format("parquet", "Parquet", parquet.sniff, parquet.read, "row"),
    Format("excel", "an Excel workbook", excel.sniff, excel.read, "row", excel.note,
           excel.elsewhere),
    Format("folders", "a folder for each label", folders.sniff, folders.read, "file"),
)  # fmt: skip


def choose_format(source: Source, wanted: FormatKey | None) -> Format:
    """Choose the format that a file's beginning fits best.

    Args:
        source: The file.
        wanted: The format that task.yaml names, which settles it.

    Raises:
        Rejected: No format fits, or two fit equally well.
    """
    if wanted:
        return next(form for form in FORMATS if form.key == wanted)
    scores = {form: form.sniff(source.beginning) for form in FORMATS}
    best = max(scores.values())
    fitting = [form for form, score in scores.items() if score == best]
    text = source.beginning.text
    if best == 0 and text.lstrip()[:15].lower().startswith(("<!doctype html", "<html")):
        raise Rejected(f"{source.name} is a web page.", "Export the data as CSV, Excel or JSON.")
    if best == 0 and re.match(r"\s*[{\[]\s*['\"\[{]", text):
        raise Rejected(
            f"{source.name} looks like JSON or a Python dict, but is not JSON.",
            "Write it with json.dumps: names and texts are in double quotes there.",
        )
    if best == 0 and source.beginning.whole and text and not text.strip():
        raise Rejected(f"{source.name} holds only white space.", "Upload labelled texts.")
    if best == 0:
        tried = ", ".join(form.name for form in FORMATS)
        raise Rejected(
            f"{source.name} does not look like any of the formats that are read: {tried}.",
            "If it is one of them, say so in task.yaml: `format: csv`, for example; docs/intake.md "
            "lists them.",
        )
    if len(fitting) > 1:
        names = " and ".join(form.name for form in fitting)
        lines = " or ".join(f"`format: {form.key}`" for form in fitting)
        raise Rejected(f"{source.name} fits {names} equally well.", f"Write {lines} in task.yaml.")
    return fitting[0]
