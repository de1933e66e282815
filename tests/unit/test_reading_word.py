"""Reading Word documents."""

import pytest

from functions.process_document.reading import word as reader
from functions.process_document.reading.document import Hints
from functions.process_document.reading.read import read_documents
from shared.errors import Rejected
from tests.unit.document_files import CONTENT_TYPES, W, word, word_xml, zipped


def text_of(content: bytes) -> str:
    (document,) = reader.read(content, "birds/letter", Hints())
    return document.text


def paragraph(*texts: str) -> str:
    runs = "".join(f"<w:r><w:t>{text}</w:t></w:r>" for text in texts)
    return f"<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr>{runs}</w:p>"


def test_a_document_is_read_in_a_child_whatever_its_name() -> None:
    (document,) = read_documents(word(paragraph("An owl")), "birds/letter.txt")
    assert (document.text, document.reader) == ("An owl", "Word document")


def test_a_paragraph_is_a_line_however_it_is_cut_into_runs() -> None:
    assert text_of(word(paragraph("An ", "o", "wl") + paragraph("&amp; a crow"))) == (
        "An owl\n& a crow"
    )


def test_tabs_line_breaks_and_hyphens_are_read() -> None:
    run = "<w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t>"
    assert text_of(word(f"<w:p><w:r>{run}</w:r></w:p>")) == "a\tb\nc-d"


def test_a_row_of_a_table_is_a_line_with_tabs() -> None:
    def row(*cells: str) -> str:
        return f"<w:tr>{''.join(f'<w:tc>{paragraph(cell)}</w:tc>' for cell in cells)}</w:tr>"

    table = f"<w:tbl>{row('bird', 'sound')}{row('owl', 'hoo')}{row('', 'caw')}</w:tbl>"
    assert text_of(word(paragraph("Birds") + table + paragraph("End"))) == (
        "Birds\nbird\tsound\nowl\thoo\n\tcaw\nEnd"
    )


def test_what_was_deleted_or_moved_away_is_not_read() -> None:
    body = (
        "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
        "<w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom>"
        "<w:ins><w:r><w:t>new</w:t></w:r></w:ins>"
        "<w:r><w:instrText>HYPERLINK</w:instrText></w:r></w:p>"
    )
    assert text_of(word(body)) == "new"


def test_a_text_box_is_read_once() -> None:
    box = f"<w:txbxContent>{paragraph('boxed')}</w:txbxContent>"
    choice = (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f"<mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>"
    )
    assert text_of(word(f"<w:p><w:r>{choice}</w:r></w:p>")) == "boxed"


def test_the_body_is_where_the_list_of_contents_says() -> None:
    files = {
        "[Content_Types].xml": CONTENT_TYPES.replace("document.xml", "document2.xml"),
        "word/document2.xml": word_xml(paragraph("second")),
    }
    assert text_of(zipped(files)) == "second"


def test_the_strict_form_is_read() -> None:
    strict = word_xml(paragraph("hoo")).replace(
        W, "http://purl.oclc.org/ooxml/wordprocessingml/main"
    )
    files = {"[Content_Types].xml": CONTENT_TYPES, "word/document.xml": strict}
    assert text_of(zipped(files)) == "hoo"


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"a.txt": "hoo"}, "a zip archive"),
        ({"[Content_Types].xml": "", "xl/workbook.xml": ""}, "an Excel workbook"),
        ({"[Content_Types].xml": "", "ppt/presentation.xml": ""}, "a PowerPoint"),
        ({"mimetype": "application/vnd.oasis.opendocument.text"}, "an OpenDocument file"),
        ({"[Content_Types].xml": CONTENT_TYPES, "word/styles.xml": ""}, "without a body"),
        ({"[Content_Types].xml": "<a", "word/document.xml": ""}, "XML is wrong"),
    ],
)
def test_other_archives_are_rejected_by_name(files: dict[str, bytes | str], why: str) -> None:
    with pytest.raises(Rejected, match=why):
        text_of(zipped(files))


def test_declared_entities_are_refused() -> None:
    doctype = '<!DOCTYPE d [<!ENTITY a "hoo">]>'
    with pytest.raises(Rejected, match="declares entities"):
        text_of(word("<w:p><w:r><w:t>&a;</w:t></w:r></w:p>", doctype))


def test_a_document_without_text_is_rejected() -> None:
    with pytest.raises(Rejected, match="holds no text"):
        read_documents(word("<w:p/>"), "x")
