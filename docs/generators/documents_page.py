"""docs/documents.md, out of the readers of process_document and what they say about examples."""

import base64

from docs.generators.documents_answers import answers
from docs.generators.markdown import fenced, generated_from, page, paragraph, table
from functions.process_document import batched, length
from functions.process_document import table as rows
from functions.process_document.reading import child, document, guarded, mail, pdf, word
from functions.process_document.reading import table as tables
from functions.process_document.reading.document import NO_HINTS, Hints
from functions.process_document.reading.read import read_documents
from shared.errors import Rejected
from shared.examples import TEXT_NAMES
from shared.unpacking import archives, bounded

MAIL = """\
From: Ada <ada@example.org>
Subject: =?utf-8?q?Paket_besch=C3=A4digt?=
Message-ID: <1@example.org>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="cut"

--cut
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Das Paket kam heute durchn=E4sst an.
--cut
Content-Type: text/html

<p>Das Paket kam heute durchn&auml;sst an.</p>
--cut--
"""
PAGE = """\
<!doctype html><html><head><title>Contact form</title><style>p {color: red}</style></head>
<body><h1>New message</h1>
<p>Where is my <b>parcel</b>?<br>It was due on&nbsp;Tuesday.</p></body></html>
"""
TABLE = """\
id,message
17,Where is my parcel?
18,
19,"The driver was rude, very rude."
"""
SCAN = b"""%PDF-1.4
1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj
2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj
3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >> endobj
trailer << /Size 4 /Root 1 0 R >>
startxref
0
%%EOF
"""
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
REFUSED = {
    "empty.txt": b"",
    "photo.png": b"\x89PNG\r\n\x1a\n",
    "letter.doc": b"\xd0\xcf\x11\xe0",
    "letters.zip": EMPTY_ZIP,
    "scan.pdf": SCAN,
    "cut-off.pdf": b"%PDF-1.7\n1 0 obj << /Type",
    "cut-off.docx": b"PK\x03\x04",
    "picture.eml": b"From: ada@example.org\nMIME-Version: 1.0\nContent-Type: image/png\n\n",
    "secret.eml": b"From: ada@example.org\nMIME-Version: 1.0\n"
    b"Content-Type: multipart/encrypted; boundary=cut\n\n--cut--\n",
    "page.html": b"<html><script>let a = 1</script></html>",
    "two-ways.txt": base64.b64decode("xOPGvKXE"),
    "noise.txt": bytes(range(1, 9)) * 8,
}

_FORMATS = (
    (
        "plain text, Markdown",
        "everything that is none of the others",
        "as it is",
        "nothing; no process is started",
    ),
    (
        "HTML",
        "a doctype, or `<html>`, `<head>` or `<body>` at the beginning",
        "what a reader sees, a line a block; no scripts, styles or title",
        "Python's own parser",
    ),
    (
        "e-mail (.eml)",
        "header lines at the beginning, for people and of machines",
        "the subject, and below it the text that the sender wrote",
        "Python's own parser",
    ),
    (
        "Word (.docx)",
        "a zip archive with Word's files in it",
        "the body, a line a paragraph; tables with tabs; text boxes; no headers, footers or notes",
        "Python's own zip and XML parsers, as streams",
    ),
    (
        "PDF",
        "`%PDF-` at the beginning",
        "the text layer, an empty line between pages",
        "[pypdf](https://pypdf.readthedocs.io/)",
    ),
    (
        "CSV, TSV, JSON lines, a JSON array",
        "a column of the text, see below",
        "that column, each row as a document",
        "Python's own parsers",
    ),
)  # fmt: skip
_LIMITS = (
    ("a document", f"`serving.max_document_bytes`, and {document.MAX_BYTES:,} bytes in any case"),
    ("the text in it", f"{document.MAX_CHARACTERS:,} characters"),
    ("processor time", f"{child.CPU_SECONDS} seconds"),
    ("memory", f"{child.MEMORY_BYTES >> 20} MiB"),
    ("a Word document, unpacked", f"{word.MAX_XML_BYTES:,} bytes"),
    (
        "a Word document, unpacked, against packed",
        f"{bounded.MAX_RATIO} times, beyond {bounded.FREE_BYTES:,} bytes",
    ),
    (
        "files in a Word document",
        f"{archives.MAX_MEMBERS:,}, listed in {archives.MAX_DIRECTORY_BYTES:,} bytes",
    ),
    ("pages of a PDF", f"{pdf.MAX_PAGES:,}"),
    ("a stream of a PDF, unpacked", f"{pdf.MAX_STREAM_BYTES:,} bytes"),
    ("parts of an e-mail", f"{mail.MAX_PARTS:,}, in {mail.MAX_NESTING} levels"),
    ("rows of a table", f"{rows.MAX_ROWS:,}; through a batch {batched.MAX_ROWS:,}"),
    ("a cell", f"{tables.MAX_CELL_CHARACTERS:,} characters"),
    ("parts that a long text is divided into", f"{length.MAX_PARTS}"),
)


def documents_page() -> str:
    """Write the page."""
    return page(
        generated_from(
            "functions/process_document/", "shared/task/", "docs/generators/documents_*.py"
        ),
        "# Documents",
        paragraph(
            "What becomes of a document between the documents bucket and the prompt. Its name says "
            "nothing: its kind is told by content. What can be read is given to the model as the "
            "training texts were; what cannot be is rejected with the reason and a remedy, in its "
            "result, and never tried again. Answers are described in [result.json](result.json)."
        ),
        "## Formats",
        table(("kind", "told by", "what the model is given", "read with"), _FORMATS),
        paragraph(
            "PNG and JPEG pictures, and PDF files without text, go to the model as files, at their "
            "`gs://` address, when its base model takes them (`takes_files` in "
            "shared/models.yaml) and `serving.read_pictures` is not off; else they are rejected. "
            "The result says so: the champion was tuned and measured on texts, and what it is "
            "worth on pictures is not known. The local stand-in reads texts only and refuses them."
        ),
        paragraph(
            "Workbooks, presentations, OpenDocument, RTF, old Office documents and archives are "
            "refused by name. A PDF that is only protected from being changed is read; one that "
            "asks for a password is not. Nothing that a document refers to is fetched, no entity "
            "is expanded, no script or macro is run."
        ),
        "An e-mail:",
        fenced("", MAIL),
        "is given to the model as",
        fenced("", _text(MAIL)),
        paragraph(
            "Of alternatives the plain text is taken, unless it is empty or far shorter than what "
            "the HTML shows, as “your mail program cannot show this” is. Text around pictures is "
            "put together, a forwarded message is read, attachments are not; the result says how "
            "many there were. Quoted mails and signatures stay. The subject comes first because it "
            "often says what the mail is about, on a line of its own as with `columns: {text: "
            "[subject, body]}`; if the training texts had none, set `serving.email_subject: "
            "false`."
        ),
        "A page:",
        fenced("html", PAGE),
        "is given to the model as",
        fenced("", _text(PAGE)),
        *_tables(),
        *_like_training(),
        *answers(),
        *_limits(),
        *_refused(),
    )


def _tables() -> list[str]:
    found = read_documents(TABLE.encode(), "monday.csv")
    return [
        "## Many documents in one file",
        paragraph(
            "A table whose header has a column of the text is many documents. The column is the "
            "one "
            "that `columns.text` in task.yaml names, or the columns, joined as for training; else "
            "the one that the text stood in in the labelled file, or the first of "
            f"{', '.join(f'`{name}`' for name in TEXT_NAMES)}, in any letter case. A "
            "file with a single column is a table only when task.yaml names it, and every row near "
            "the beginning must have as many cells as the header: a letter with commas in it is no "
            "table. Any other file of cells or of JSON is one text; where it looks like a table, "
            "its result says so. Each row has a result of its "
            "own, `<file>/<row>.json`, counted from 1 without the header and empty lines; the "
            "file's own result is `divided`, and says how many rows there are. A row that cannot "
            "be "
            "answered is rejected and leaves the others alone."
        ),
        paragraph(
            "A file of more than `serving.batch_above` documents, and at most "
            f"{batched.MAX_ROWS:,}, is answered through Vertex AI's batch prediction, at half the "
            "price. Its own result says `waiting` meanwhile, which can take a day; then the same "
            "results are written, and each says in its provenance that it was `batched`. Documents "
            "that the batch did not answer are asked about one by one, and all of them are when it "
            "fails. Its requests and predictions hold the texts in the artifacts bucket until the "
            "results are written. Where the table was deleted, replaced or rejected meanwhile, or "
            "another champion's batch answered it, they go once the batch has ended. A champion "
            "that is an earlier checkpoint of a tuned "
            f"model cannot be asked in a batch; for it, and with `batch_above: null`, "
            f"{rows.MAX_ROWS:,} documents are the most."
        ),
        fenced("", TABLE),
        table(
            ("result", "given to the model"),
            [
                (
                    f"`monday.csv/{item.row}.json`",
                    f"rejected: {item.flaw}" if item.flaw else item.text,
                )
                for item in found
            ],
        ),
    ]


def _like_training() -> list[str]:
    return [
        "## As in training",
        paragraph(
            "The white space around a text is left out, as it is from training texts, and nothing "
            "else is normalised. Encodings are told in the way that [intake.md](intake.md) "
            "describes. What a page claims about its encoding, or `encoding` in task.yaml, only "
            "decides when the bytes leave it open; an e-mail's claim is believed unless its bytes "
            "are UTF-8."
        ),
        paragraph(
            "A text with more than `serving.max_document_characters` is long. Training leaves "
            "texts out that Gemini cannot take whole, so by default a long document is rejected. "
            "`serving.long_documents: truncate` gives the model its beginning, cut where a "
            "paragraph, a line, a sentence or a word ends. `split` asks about each part, and "
            "combines the answers: of single labels the one with the largest share of the "
            "samples, on average over the parts, which all weigh the same; several labels apply "
            "when they do to any part; a field is taken from the first part that gives it. Each "
            "part costs as much as a document. What was done is in the result, such as:"
        ),
        fenced("json", '"notes": ["the model was given the first 49,961 of 212,400 characters"]'),
    ]


def _limits() -> list[str]:
    return [
        "## Limits",
        table(("what", "at most"), _LIMITS),
        paragraph(
            "Everything but plain text is read in a process of its own, without this one's "
            "environment, which the system stops at the limits of time and memory. One such "
            "process runs at a time in an instance, so that they fit into its memory together. "
            "Sizes are looked at before a document is read, and packed ones before they are "
            "unpacked. macOS does not keep to limits of memory; there only the time is bounded. A "
            f"reader that has not ended after {guarded.WALL_SECONDS:.0f} seconds did not get its "
            "processor time, as it waits for nothing else: then the machine is too busy, and the "
            "document is tried again. What uses up its own limits is rejected, and never tried "
            "again."
        ),
    ]


def _refused() -> list[str]:
    return [
        "## Refused",
        "What is said of these, word for word, with a model that reads no files:",
        table(
            ("document", "reason and remedy"),
            [(f"`{name}`", _refusal(content, name)) for name, content in REFUSED.items()],
        ),
    ]


def _text(content: str, hints: Hints = NO_HINTS) -> str:
    """Read an example."""
    return read_documents(content.encode(), "example", hints)[0].text


def _refusal(content: bytes, name: str) -> str:
    """Return what is said about an example that is not read. Raises ValueError when it is read."""
    try:
        read_documents(content, name)
    except Rejected as rejection:
        return str(rejection)
    raise ValueError(f"the example {name} is read")
