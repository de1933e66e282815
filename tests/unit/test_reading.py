"""Reading a document's text."""

import codecs
import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.process_document.reading.document import Document
from functions.process_document.reading.read import read_documents
from shared.errors import Rejected

WORDS = "A letter about owls, written at dawn in Málaga. ¿Quién vive allí? Ñandúes.\n" * 3


def read_one(content: bytes, name: str) -> Document:
    (document,) = read_documents(content, name)
    return document


def text_of(content: bytes | str) -> str:
    raw = content.encode() if isinstance(content, str) else content
    return read_one(raw, "birds/letter").text


def test_plain_text_is_taken_as_it_is() -> None:
    assert read_one(b"hoo  hoo\n\nhoo\n", "x") == Document("hoo  hoo\n\nhoo", "text, utf-8")


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_byte_order_mark_tells_the_encoding_and_is_left_out(mark: bytes, encoding: str) -> None:
    assert text_of(mark + WORDS.encode(encoding)) == WORDS.strip()


def test_a_byte_order_mark_that_lies_is_refused() -> None:
    with pytest.raises(Rejected, match="is not utf-16"):
        text_of(codecs.BOM_UTF16_LE + b"abc")


def test_western_european_bytes_are_guessed() -> None:
    assert text_of(WORDS.encode("cp1252")) == WORDS.strip()


def test_a_page_is_read_as_a_reader_sees_it() -> None:
    page = """<!DOCTYPE html><html><head><title>not seen</title><style>p {color: red}</style>
    <script>alert("not seen")</script></head><body>
    <h1>Owls &amp; crows</h1><p>Caf&eacute;   at&nbsp;dawn &lt;here&gt; &#8212; now</p>
    <script>let hidden = 1</script><noscript>not seen</noscript><template>not seen</template>
    <style>b {}</style><!-- not seen --></body></html>"""
    document = read_one(page.encode(), "x.txt")
    assert document.text == "Owls & crows\nCafé at dawn <here> — now"
    assert document.reader == "HTML, utf-8"


@pytest.mark.parametrize(
    "start",
    ["<html>", "<HTML lang=en>", "\n <!-- a note -->\n<html>", "<body>", "<!doctype HTML>"],
)
def test_a_page_is_told_by_its_beginning(start: str) -> None:
    assert text_of(f"{start}<p>hoo</p>") == "hoo"


@pytest.mark.parametrize("text", ["a < b and c > d", "<b>hoo</b>", "# <html> in Markdown", "<3"])
def test_text_with_angle_brackets_is_no_page(text: str) -> None:
    assert text_of(text) == text


def test_many_comments_before_a_text_cost_no_time() -> None:
    program = (
        "from functions.process_document.reading.read import read_documents;"
        "print(read_documents(b'<!-- a -->' * 60 + b'hoo', 'x')[0].reader)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], timeout=60, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("text")


def test_marks_inside_a_word_do_not_cut_it() -> None:
    assert text_of("<html><body><p>un<b>believ</b>able <i>news</i></p>") == "unbelievable news"


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7 ...",
        b"PK\x03\x04....",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"GIF89a",
        b"\x1f\x8b\x08",
        b"\xd0\xcf\x11\xe0\xa1",
        b"some text\0 with a zero",
        b"\x00\x01\x02\x03",
    ],
)
def test_what_is_not_text_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(Rejected, match="birds/letter"):
        text_of(content)


@pytest.mark.parametrize(
    "content", [b"", b" \n\t", codecs.BOM_UTF8 + b"\n", b"<html><body><script>x</script></body>"]
)
def test_a_document_without_text_is_refused(content: bytes) -> None:
    with pytest.raises(Rejected):
        text_of(content)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=60))
def test_arbitrary_bytes_give_a_text_or_a_rejection(content: bytes) -> None:
    with suppress(Rejected):
        assert read_one(content, "x").text.strip()
