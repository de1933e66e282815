"""Reading PDF files with a text layer."""

import pytest

from functions.process_document.reading import pdf as reader
from functions.process_document.reading.document import Hints
from functions.process_document.reading.read import read_documents
from shared.errors import Rejected
from tests.unit.document_files import pdf, pdf_of, pdf_saying, shown, stream


def text_of(content: bytes) -> str:
    (document,) = reader.read(content, "birds/letter", Hints())
    return document.text


def test_a_file_is_read_in_a_child_whatever_its_name() -> None:
    (document,) = read_documents(pdf_saying("An owl at dawn"), "birds/letter.txt")
    assert (document.text, document.reader) == ("An owl at dawn", "PDF")


def test_letters_beyond_ascii_are_read() -> None:
    assert text_of(pdf_saying("Der schöne Uhu")) == "Der schöne Uhu"


def test_there_is_an_empty_line_between_pages() -> None:
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents %d 0 R "
        b"/Resources << /Font << /F 7 0 R >> >> >>"
    )
    content = pdf([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
        page % 5,
        page % 6,
        stream(shown("first")),
        stream(shown("second")),
        font,
    ])  # fmt: skip
    assert text_of(content) == "first\n\nsecond"


def test_a_file_without_text_is_rejected_with_what_to_do() -> None:
    with pytest.raises(Rejected, match="no text in its 1 page, only pictures") as rejection:
        text_of(pdf_of(stream(b"0 0 100 100 re f")))
    assert "text recognition" in rejection.value.remedy


def test_a_file_without_text_is_for_the_model_itself_when_it_takes_such_files() -> None:
    hints = Hints(files=("application/pdf",))
    (document,) = read_documents(pdf_of(stream(b"0 0 100 100 re f")), "x", hints)
    assert (document.text, document.media_type) == ("", "application/pdf")
    assert document.notes == ("the model was given the file itself; it was measured on texts",)
    (document,) = read_documents(pdf_saying("An owl"), "x", hints)
    assert (document.text, document.media_type) == ("An owl", "")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff\xe0", "image/jpeg")],
)
def test_a_picture_is_for_the_model_itself_when_it_takes_such_files(
    content: bytes, media_type: str
) -> None:
    (document,) = read_documents(content, "x", Hints(files=(media_type,)))
    assert (document.reader, document.media_type) == ("picture", media_type)
    with pytest.raises(Rejected, match="picture, which is not read"):
        read_documents(content, "x", Hints(files=("application/pdf",)))


def test_a_text_layer_of_signs_without_meaning_is_rejected() -> None:
    with pytest.raises(Rejected, match="which letters"):
        reader._check_text("a\ufffd\ufffd\ue000", 1, "x")


@pytest.mark.parametrize("content", [b"%PDF-1.7", b"%PDF-1.7\n%%EOF", pdf([b"<< >>"])])
def test_what_only_begins_like_a_pdf_is_rejected(content: bytes) -> None:
    with pytest.raises(Rejected):
        read_documents(content, "x")
