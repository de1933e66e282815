"""Reading e-mail: which text is taken, and how it is decoded."""

import base64

import pytest

from functions.process_document.reading import mail as reader
from functions.process_document.reading.document import NO_HINTS, Hints
from functions.process_document.reading.read import read_documents
from shared.errors import Rejected
from tests.unit.document_files import mail, mail_of, part, several

PLAIN = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"


def text_of(content: bytes, hints: Hints = NO_HINTS) -> str:
    (document,) = reader.read(content, "birds/letter", hints)
    return document.text


def test_an_email_is_read_in_a_child_as_its_subject_and_its_text() -> None:
    (document,) = read_documents(mail(b"hoo\r\n\r\nhoo\r\n"), "birds/letter.txt")
    assert document.text == "About owls\nhoo\n\nhoo"
    assert document.reader == "e-mail"
    assert document.notes == ()


def test_a_subject_can_be_left_out() -> None:
    assert text_of(mail(b"hoo"), Hints(subject=False)) == "hoo"


@pytest.mark.parametrize(
    "start",
    [
        b"From: a@b\r\nMessage-ID: <1@b>\r\n\r\nhoo",
        b"Received: from x\r\n\tby y\r\nSubject: owls\r\n\r\nhoo",
        b"From a@b Mon Nov 2 2026\nFrom: a@b\nMIME-Version: 1.0\n\nhoo",
        b"From: a@b\nTo: c@d\nDate: Tue, 01 Oct 2024 12:34:56 -0500\n\nhoo",
        b"\xef\xbb\xbf\r\nFrom: a@b\r\nReturn-Path: <a@b>\r\n\r\nhoo",
    ],
)
def test_an_email_is_told_by_its_headers(start: bytes) -> None:
    assert reader.sniff(start)


@pytest.mark.parametrize(
    "start",
    [
        b"To: the owner\nFrom: the tenant\nSubject: owls\nDate: 3 May\n\nhoo",
        b"Dear all,\nFrom: a@b\nMessage-ID: <1@b>\n\nhoo",
        b"Note: hoo\n\nhoo",
        b"Content-Type: text/plain\n\nhoo",
        b"http://example.org/\n",
        b"",
    ],
)
def test_a_letter_that_somebody_typed_is_no_email(start: bytes) -> None:
    assert not reader.sniff(start)


def test_of_two_alternatives_the_plain_one_is_taken() -> None:
    parts = [part(b"plain owl", PLAIN), part(b"<p>rich <b>owl</b></p>", HTML)]
    assert text_of(mail_of(parts, "alternative")) == "About owls\nplain owl"


@pytest.mark.parametrize("stub", [b"", b" \r\n", b"See HTML."])
def test_an_alternative_that_is_empty_or_a_stub_is_not_taken(stub: bytes) -> None:
    rich = b"<p>An owl sat on our roof all night, and it cried.</p><p>Please help.</p>"
    parts = [part(stub, PLAIN), part(rich, HTML)]
    assert text_of(mail_of(parts, "alternative")) == (
        "About owls\nAn owl sat on our roof all night, and it cried.\nPlease help."
    )


def test_an_invitation_beside_the_text_is_not_taken_for_the_text() -> None:
    parts = [part(b"Come!", PLAIN), part(b"BEGIN:VCALENDAR " * 20, "text/calendar")]
    assert text_of(mail_of(parts, "alternative")) == "About owls\nCome!"


def test_the_text_is_found_in_parts_of_parts_and_attachments_are_left_out() -> None:
    inner = [part(b"plain owl", PLAIN), part(b"<p>rich owl</p>", HTML)]
    nested = part(several(inner, "inner"), 'multipart/alternative; boundary="inner"')
    picture = part(b"iVBORw0KGgo=", "image/png", "Content-Transfer-Encoding: base64")
    note = part(b"not read", PLAIN, 'Content-Disposition: attachment; filename="a.txt"')
    (document,) = reader.read(mail_of([nested, picture, note]), "x", Hints())
    assert document.text == "About owls\nplain owl"
    assert document.notes == ("2 attachments were not read",)


def test_text_around_a_picture_is_put_together() -> None:
    picture = part(b"iVBORw0KGgo=", "image/png", "Content-Transfer-Encoding: base64")
    parts = [part(b"above", PLAIN), picture, part(b"below", PLAIN)]
    assert text_of(mail_of(parts)) == "About owls\nabove\nbelow"


def test_a_forwarded_message_is_read() -> None:
    assert text_of(mail_of([part(mail(b"the first owl"), "message/rfc822")])) == (
        "About owls\nthe first owl"
    )


@pytest.mark.parametrize(
    ("body", "headers", "kind"),
    [
        ("Größe".encode(), (), "text/plain; charset=utf-8"),
        ("Größe".encode("latin-1"), (), "text/plain; charset=iso-8859-1"),
        ("Größe".encode(), (), "text/plain; charset=iso-8859-1"),
        ("Größe".encode(), (), "text/plain"),
        ("Größe und schöne Vögel für alle".encode("cp1252"), (), "text/plain; charset=owl"),
        (b"Gr=C3=B6=C3=9Fe", ("Content-Transfer-Encoding: quoted-printable",), PLAIN),
        (
            base64.b64encode("Größe".encode("cp1252")),
            ("Content-Transfer-Encoding: base64",),
            "text/plain; charset=windows-1252",
        ),
        ("Größe".encode("utf-7"), (), "text/plain; charset=utf-7"),
    ],
)
def test_a_text_is_decoded_as_it_is_or_else_as_it_says(
    body: bytes, headers: tuple[str, ...], kind: str
) -> None:
    assert text_of(mail(body, *headers, kind=kind)).startswith("About owls\nGröße")


def test_bytes_that_are_in_no_encoding_are_replaced_and_it_is_said() -> None:
    (document,) = reader.read(mail("ein schöner Vogel".encode() + b" \xff\xfe"), "x", Hints())
    assert document.text == "About owls\nein schöner Vogel ��"
    assert document.notes == ("what could not be decoded was replaced by �",)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("=?utf-8?q?Gr=C3=B6=C3=9Fe?=", "Größe"),
        ("=?windows-1255?B?UkU6IPns5e0=?=", "RE: שלום"),
        ("=?utf-8?B?R3LDtg==?= =?utf-8?B?w59l?=", "Größe"),
        ("=?owl?q?hoo?=", "hoo"),
        ("=?utf-8?b?broken!?=", "=?utf-8?b?broken!?="),
        ("two\r\n lines", "two lines"),
        ("", ""),
    ],
)
def test_a_subject_is_decoded(raw: str, said: str) -> None:
    content = f"From: a@b\r\nSubject: {raw}\r\nMessage-ID: <1@b>\r\n\r\nhoo".encode()
    assert text_of(content) == f"{said}\nhoo".strip()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (mail_of([part(b"x", "application/pgp-encrypted")], "encrypted"), "is encrypted"),
        (mail(b"x", kind="application/pkcs7-mime"), "is encrypted"),
        (mail_of([part(b"x", "image/png")]), "without a text"),
        (mail(b""), "without a text"),
    ],
)
def test_an_email_without_a_readable_text_is_rejected(content: bytes, why: str) -> None:
    with pytest.raises(Rejected, match=why):
        text_of(content)


def test_parts_and_levels_of_parts_are_counted() -> None:
    many = mail_of([part(b"x", PLAIN)] * 1001)
    with pytest.raises(Rejected, match="1,000 parts"):
        text_of(many)
    deep = part(b"x", PLAIN)
    for level in range(30):
        deep = part(several([deep], f"b{level}"), f'multipart/mixed; boundary="b{level}"')
    with pytest.raises(Rejected, match="20 levels"):
        text_of(mail_of([deep]))
