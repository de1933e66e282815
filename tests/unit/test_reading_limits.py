"""Documents that are made to do harm end in a text or a rejection, in little time and memory."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.process_document.reading.child import CPU_SECONDS, MEMORY_BYTES
from functions.process_document.reading.document import NO_HINTS
from functions.process_document.reading.guarded import read_guarded
from functions.process_document.reading.read import read_documents
from shared.errors import Rejected, Retry
from tests.data_sets import FOLDER
from tests.unit.document_files import mail, mail_of, part, pdf_saying, word
from tests.unit.hostile_documents import MAKERS

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [FOLDER / name for name in ("docs_evil", "docs_evil_tika", "blns", "docs_clean")]
HONEST = [
    word(),
    pdf_saying("An owl at dawn"),
    mail(b"hoo"),
    mail_of([part(b"hoo", "text/plain"), part(b"<p>hoo", "text/html")], "alternative"),
    b"<!doctype html><html><body><p>hoo</p><table><tr><td>caw",
    b"id,text\n1,hoo\n2,caw\n",
    b'{"text": "hoo"}\n{"text": "caw"}\n',
]
QUICK = (
    "a line of 50 MB",
    "comments without an end",
    "Word, entities in entities",
    "Word, an entity from outside",
    "PDF, pages in themselves",
    "PDF, branching pages",
    "PDF, a form in itself",
    "PDF, nested arrays",
    "a huge PNG picture",
    "e-mail, forwarded 300 times",
    "JSON, a million levels",
)


@pytest.mark.parametrize("name", QUICK)
def test_a_hostile_document_ends_in_a_text_or_a_rejection(name: str) -> None:
    with suppress(Rejected):
        read_documents(MAKERS[name](), "it")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_none_of_all_hostile_documents_takes_more_memory_or_time_than_it_may() -> None:
    folders = [str(folder) for folder in FOLDERS if folder.is_dir()]

    def read_share(share: str) -> list[list[Any]]:
        program = [sys.executable, "-m", "tests.unit.hostile_documents", share, *folders]
        done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return [line for line in lines if isinstance(line, list)]

    with ThreadPoolExecutor(2) as pool:
        shares = list(pool.map(read_share, ["0/2", "1/2"]))
    outcomes = [outcome for share in shares for outcome in share[:-1]]
    files = sum(1 for folder in folders for _ in Path(folder).iterdir())
    assert len(outcomes) == len(MAKERS) + files
    for *_, (own, largest_child) in shares:
        assert own * 1024 <= MEMORY_BYTES
        assert largest_child * 1024 <= MEMORY_BYTES
    # The limit is on processor time; a busy machine may take a few times as long.
    assert max(seconds for *_, seconds in outcomes) < 10 * CPU_SECONDS


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("fake-html-cp1252.html", "My First Heading\nMy first paragraph."),
        ("email-no-utf8-2008-07-16.062410.eml", "RE: שלום\nסלבה היקר,"),
        ("fake-email-malformed-encoding.eml", "Test Email\nThis is a test email"),
        ("umlauts-non-utf8.md", "## können"),
        ("fake-text-utf-32.txt", "This is a test document"),
        ("copy-protected.pdf", "LayoutParser: A Uniﬁed Toolkit"),
        ("fake-encrypted.eml", "is encrypted"),
        ("mime-no-body.eml", "is an e-mail without a text"),
        ("empty.eml", "is empty"),
        ("password.pdf", "is protected by a password"),
        ("loremipsum-flat.pdf", "has no text in its 1 page"),
        ("password_protected.xlsx", "is an old Office document"),
        ("fake-power-point-malformed.pptx", "is a PowerPoint presentation"),
        ("testArabicMisleadingCharset.html", "في قرية"),
        ("testHTML_charset_utf16le.html", "This is a sample text"),
        ("russian.cp866.txt", "Однажды, в студеную"),
        ("testTXT_win-1252.txt", "These smart quotes"),
        ("testPDF_protected.pdf", "RETHINKING THE FINANCIAL NETWORK"),
        ("testPDF_bad_page_303226.pdf", "is damaged, or no PDF"),
        ("testWORD_truncated.docx", "is damaged"),
        ("testZIP_corrupted_oom.zip", "is damaged"),
        ("test_recursive_embedded.docx", "embed_0"),
        ("testExternalRefs.docx", "Testing INCLUDEPICTURE"),
        ("fake_table.docx", "Header Col 1 \tHeader Col 2\nLorem ipsum"),
        ("korean-text-with-tables.pdf", "5\n0"),
        ("mime-html-only.eml", "Example HTML Only MIME Email\nThis is a text/html part."),
        ("fake-doc.rtf", "is an RTF document"),
        ("simple.odt", "is an OpenDocument file"),
        ("stanley-cups.xlsx", "is an Excel workbook"),
    ],
)
def test_odd_documents_from_elsewhere_are_read_or_rejected_with_the_reason(
    name: str, begins: str
) -> None:
    found = next((folder / name for folder in FOLDERS if (folder / name).is_file()), None)
    if found is None:
        pytest.skip("the data sets are not here")
    try:
        said = read_documents(found.read_bytes(), "it")[0].text
    except Rejected as rejection:
        said = rejection.reason.removeprefix("it ")
    assert said.startswith(begins)


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """Cut an honest document, write over some of it, or put it together with another one."""
    content = draw(st.sampled_from(HONEST))
    start = draw(st.integers(0, len(content)))
    kind = draw(st.sampled_from(["cut", "written over", "spliced"]))
    if kind == "cut":
        return content[:start]
    if kind == "written over":
        more = draw(st.binary(min_size=1, max_size=8))
        return content[:start] + more + content[start + len(more) :]
    other = draw(st.sampled_from(HONEST))
    return content[:start] + other[draw(st.integers(0, len(other))) :]


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(spoilt())
def test_a_spoilt_document_ends_in_a_text_or_a_rejection(content: bytes) -> None:
    with suppress(Rejected):
        assert any(document.text.strip() for document in read_documents(content, "it"))


def test_many_threads_can_read_at_the_same_time() -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: read_documents(HONEST[number % 5], "it"), range(10)))
    assert len(found) == 10


def test_a_reader_that_gets_no_processor_is_tried_again_and_its_document_not_rejected() -> None:
    with pytest.raises(Retry, match="processor"):
        read_guarded("html", MAKERS["a page of unfinished comments"](), "it", NO_HINTS, 0.05)


def test_a_child_that_cannot_work_is_a_bug_and_no_rejection() -> None:
    with pytest.raises(RuntimeError, match="before it began"):
        read_guarded("no such format", b"hoo", "it", NO_HINTS)


def test_a_child_gets_nothing_of_this_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONSTARTUP", "/nowhere")
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere")
    assert "PYTHONHOME" in os.environ
    assert read_documents(b"<html>hoo", "it")[0].text == "hoo"
