"""docs/intake.md, out of the formats, the checks and the limits of convert_dataset."""

from docs.generators.format_examples import example_of
from docs.generators.intake_counts import COUNTS, HEADS, NOISE, NOISE_HEADS
from docs.generators.markdown import fenced, generated_from, page, paragraph, table
from docs.generators.task_page import model_table
from functions.convert_dataset import convert, labelled, opening, survey, write
from functions.convert_dataset.checks.registry import CHECKS, describe
from functions.convert_dataset.columns import LABEL_NAMES, SPLIT_NAMES, SPLIT_WORDS
from functions.convert_dataset.formats.registry import FORMATS
from functions.convert_dataset.reading import delimited, json_decode, packing, zips
from functions.convert_dataset.splits import SPLITS
from shared.examples import MAX_TEXT_CHARACTERS, TEXT_NAMES
from shared.task import Checks, Split
from shared.unpacking import archives, bounded

_LIMITS = (
    ("the file, as it is uploaded", f"{opening.MAX_FILE_BYTES:,} bytes"),
    ("the file, unpacked", f"{bounded.MAX_UNPACKED_BYTES:,} bytes"),
    (
        "the file, unpacked, against packed",
        f"{bounded.MAX_RATIO} times, beyond {bounded.FREE_BYTES:,} bytes",
    ),
    ("a workbook, unpacked", f"{zips.MAX_WORKBOOK_BYTES:,} bytes"),
    (
        "a workbook or Parquet file that is packed once more",
        f"{packing.MAX_SPOOLED_BYTES:,} bytes",
    ),
    (
        "a zip archive with a folder for each label",
        f"{archives.MAX_MEMBERS:,} files of {zips.MAX_CLASS_FILE_BYTES:,} bytes",
    ),
    ("a text that a file refers to (`gs://…`)", f"{opening.MAX_REFERENCED_BYTES:,} bytes"),
    ("a JSON record", f"{json_decode.MAX_RECORD:,} bytes, {json_decode.MAX_NESTING} levels"),
    ("a cell of a CSV file", f"{delimited.MAX_CELL_CHARACTERS:,} characters"),
    ("a text", f"{MAX_TEXT_CHARACTERS:,} characters"),
    ("a label", f"{labelled.MAX_LABEL_CHARACTERS} characters"),
    ("different labels", f"{convert.MAX_LABELS:,}"),
    ("rows", f"{survey.MAX_ROWS:,}"),
    ("the training lines that are written", f"{write.MAX_TRAINING_BYTES:,} bytes"),
    ("the first reading of a file", f"{convert.MAX_SECONDS} seconds"),
)
_QUARANTINE = (
    "every row that was left out: `line`, `reason`, `detail`, and `row` as it stands in the file, "
    "or null when it could not be read"
)
POLICY = """
checks:
  warning: drop                # rows that a warning is about go to quarantine
  error: reject                # nothing is converted as long as there is an error
  severity:
    near-duplicates: info
    personal-data: off
"""


def intake_page() -> str:
    """Write the page."""
    return page(
        generated_from(
            "functions/convert_dataset/",
            "shared/task/",
            "docs/generators/format_examples.py",
            "docs/generators/intake_page.py",
        ),
        "# Data intake",
        *_introduction(),
        *_packing(),
        *_formats(),
        *_columns(),
        *_checks(),
        *_splits(),
        *_reports(),
        *_counts(),
    )


def _introduction() -> list[str]:
    return [
        paragraph(
            "What becomes of a labelled file between the datasets bucket and the first training "
            "line: it is unpacked, brought to UTF-8, read in its format, turned into examples, "
            "checked, divided, and written with a report. Its name says nothing: everything is "
            "told by content, and task.yaml can settle what cannot be told. A file of which "
            "nothing can be learnt is rejected with the reason and a remedy; a row that cannot be "
            "used goes to quarantine with its line and its reason, and nothing is left out "
            "without a word. [Decision 8](decisions/0008-intake.md) has the reasons for all this."
        ),
        "The same on this machine, without any server:",
        fenced("sh", ".venv/bin/python -m local convert reviews.csv"),
    ]


def _packing() -> list[str]:
    return [
        "## Packing and encodings",
        paragraph(
            "gzip, and zip archives with one file, are unpacked while they are read. A zip archive "
            "with a folder for each label is a format of its own. Other archives, databases, "
            "pickles and Office documents are refused by name, with the way out. An object with a "
            "Content-Encoding is refused, since storage would unpack it unseen."
        ),
        paragraph(
            "Text may be in any encoding. A byte order mark counts, then valid UTF-8, then UTF-16 "
            "and UTF-32 by their zero bytes. What is left is told by the letters that come out: "
            "the Chinese, Japanese, Korean, Cyrillic, Central and Western European encodings. When "
            "two readings are about as probable, or UTF-8 has wrong bytes in it, the file is "
            "rejected with both readings, or with line and byte; `encoding` in task.yaml settles "
            "it. Texts are never repaired, normalised or guessed at: what is in the file is in the "
            "training lines, without the white space around it. Labels are "
            "held against those that task.yaml declares: one that differs from a single one of "
            "them in letter case, width or the marks between words only (`Lost-Parcel` for "
            "`lost parcel`) is read as that, and the report says how many were and which. Without "
            "declared labels nothing is folded, and such variants are reported."
        ),
        "## Limits",
        table(("what", "at most"), _LIMITS),
    ]


def _formats() -> list[str]:
    blocks = [
        "## Formats",
        paragraph(
            "The format is the one that the first 256 KiB fit best; when none fits, or two fit "
            "equally well, the file is rejected and `format` in task.yaml settles it. Reports "
            "count rows by line, row or file."
        ),
        table(
            ("key", "name", "counted by"),
            [(f"[`{form.key}`](#{form.key})", form.name, form.counts) for form in FORMATS],
        ),
    ]
    for form in FORMATS:
        blocks += [f"### {form.key}", *example_of(form)]
    return blocks


def _columns() -> list[str]:
    return [
        "## Columns",
        paragraph(
            "Formats that know what is the text and what the answer say so. In tables and plain "
            "JSON, `columns` in task.yaml decides; without it, the usual names do, in any letter "
            "case, and then the contents: the longest texts, and the one column with few values "
            "that come again and again. Addresses, ids, dates and numbers are no texts. When "
            "several columns could hold the label, or two hold texts, the file is rejected and "
            "they are named: a wrong guess costs more than a question. "
            "`columns: {text: [title, body]}` joins several texts with a line break."
        ),
        paragraph(f"The text's names: {_named(TEXT_NAMES)}."),
        paragraph(f"The answer's names: {_named(LABEL_NAMES)}."),
        paragraph(
            "An answer is a label; several labels, as a JSON list or with `|`, `;` or `,` between "
            "them; a column for each label that holds 0 or 1; or the fields of an extraction, as "
            "a JSON object or in columns of their own."
        ),
        paragraph(
            "A field's value is a text (or a number, or true and false, which are taken as text), "
            "a list of texts, or nothing. An object inside of a field is a nested field, and its "
            "row goes to quarantine: write each of its values into a field of its own. A field "
            "that task.yaml declares and no row has is an error, with the name that was probably "
            "meant."
        ),
        "What is refused:",
        fenced("json", '{"text": "…", "answer": {"vendor": {"name": "Owl Ltd", "city": "Bonn"}}}'),
        "What is read:",
        fenced(
            "json",
            '{"text": "…", "answer": {"vendor_name": "Owl Ltd", "vendor_city": "Bonn"}}',
        ),
    ]


def _checks() -> list[str]:
    return [
        "## Checks",
        paragraph(
            "What costs money or truth is looked for before a model is tuned. Checks run in this "
            "order; what one drops, the next does not see."
        ),
        table(
            ("check", "severity", "looks for"),
            [(f"`{check.name}`", check.severity, describe(check)) for check in CHECKS],
        ),
        paragraph(
            "What becomes of a finding is the policy in task.yaml: report it, drop its rows to "
            "quarantine, or reject the file. Rows that are no examples are in quarantine in any "
            "case, and a finding about the dataset as a whole has no rows to drop."
        ),
        model_table(Checks, "task.md"),
        fenced("yaml", POLICY),
    ]


def _splits() -> list[str]:
    words = [
        ", ".join(f"`{word}`" for word, code in SPLIT_WORDS.items() if code == number)
        for number in range(len(SPLITS))
    ]
    return [
        "## Splits",
        paragraph(
            "A hash of the text decides whether an example is for training, validation or test: "
            "the same text is in the same split in every upload. Texts with the same letters and "
            "digits, near duplicates, and rows with the same value in the column that "
            "`split.group_by` names stay together. A label with five or more examples has at "
            "least one in each split. [Decision 4](decisions/0004-split-by-hash.md) has the rule."
        ),
        model_table(Split, "task.md"),
        paragraph(
            "Splits that the file gives are kept: in the format's own way, in the column that "
            f"`columns.split` names, or in one called {_named(SPLIT_NAMES)} that holds only such "
            "words, in any letter case. A split that the file lacks is cut out of its training "
            "rows; a text that is in two of its splits is reported."
        ),
        table(("split", "words"), list(zip(SPLITS, words, strict=True))),
    ]


def _reports() -> list[str]:
    return [
        "## What is written",
        paragraph(
            "`tasks/<task>/datasets/<id>/` in the artifacts bucket holds `train.jsonl`, "
            "`validation.jsonl` and `test.jsonl`, in the shape that `lines` in task.yaml names, "
            "and:"
        ),
        table(
            ("file", "what it is"),
            [
                ("`report.html`", "what to fix first, for people"),
                ("`report.json`", "the same for programs: [data-report.json](data-report.json)"),
                ("`quarantine.jsonl`", _QUARANTINE),
                ("`dataset.json`", "the record, written last: the dataset exists once it does"),
            ],
        ),
    ]


def _counts() -> list[str]:
    """Show what public data sets come to."""
    lines = [[name, form, task, *(f"{count:,}" for count in counts)]
             for name, form, task, *counts in COUNTS]  # fmt: skip
    return [
        "## Counts on public data sets",
        paragraph(
            "What files of public data sets come to, uploaded as they are, and held by a test "
            "against a count by other code. ae110k_products needs a task.yaml that says which "
            "column holds the attributes; trec/TREC.train.all one with its encoding, because one "
            "byte of it is in no encoding that shows; the receipts of sroie_keys were put "
            "into one JSON object a line. No row was quarantined for another reason."
        ),
        table(HEADS, lines),
        paragraph(
            "Some files of the same collections come to nothing, and say so: tool examples of "
            "three rows (too few), a test file without labels, and chat and instruction data "
            "whose answers are free text: tunedrop tunes for labels and fields."
        ),
        "## Wrong labels that are found",
        paragraph(
            "One label in twenty was made wrong, at random, in three ways. Of the labels that "
            "`label-errors` doubted then, the share that had been made wrong is the precision; of "
            "those made wrong, the share that was doubted is the recall. What is flagged in a "
            "clean file is no false alarm by itself: these data sets have errors of their own. "
            "The check says nothing where its simple model is right on less than half of the "
            "examples (sst5)."
        ),
        table(NOISE_HEADS, NOISE),
        fenced("sh", "python -m benchmarks.label_noise"),
    ]


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
