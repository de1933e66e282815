"""Documents of all kinds, made by hand: honest ones and such as are made to do harm."""

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
CONTENT_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.wordprocessingml.document.main+xml"/></Types>'
)


def zipped(files: Mapping[str, bytes | str]) -> bytes:
    """Pack files into a zip archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def word_xml(body: str, before: str = "") -> str:
    """Write the XML of a Word document's body."""
    start = f'<?xml version="1.0"?>{before}<w:document xmlns:w="{W}">'
    return f"{start}<w:body>{body}</w:body></w:document>"


def word(body: str = "<w:p><w:r><w:t>hoo</w:t></w:r></w:p>", before: str = "") -> bytes:
    """Make a Word document."""
    return zipped(
        {"[Content_Types].xml": CONTENT_TYPES, "word/document.xml": word_xml(body, before)}
    )


def word_filled(megabytes: int, start: bytes = b"", filler: bytes = b" ") -> bytes:
    """Make a Word document whose body unpacks to so many megabytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        with archive.open("word/document.xml", "w", force_zip64=True) as body:
            body.write(start)
            chunk = filler * (1_000_000 // len(filler))
            for _ in range(megabytes):
                body.write(chunk)
    return packed.getvalue()


def pdf(objects: Sequence[bytes]) -> bytes:
    """Make a PDF file of numbered objects; the first one is the catalogue."""
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def stream(content: bytes, more: bytes = b"", packed: bytes | None = None) -> bytes:
    """Make a packed stream; `packed` is what it is when that should not be made here."""
    data = zlib.compress(content) if packed is None else packed
    return b"<< /Length %d /Filter /FlateDecode %b >>\nstream\n%b\nendstream" % (
        len(data), more, data,
    )  # fmt: skip


def pdf_of(content: bytes, resources: bytes = b"", more: Sequence[bytes] = ()) -> bytes:
    """Make a PDF file of one page with a content stream; further objects are numbered from 6."""
    return pdf([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R "
        b"/Resources << /Font << /F 5 0 R >> %b >> >>" % resources,
        content,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        *more,
    ])  # fmt: skip


def shown(text: str) -> bytes:
    """Write the content stream that shows a text."""
    return b"BT /F 12 Tf 72 720 Td (%b) Tj ET" % text.encode("cp1252")


def pdf_saying(text: str) -> bytes:
    """Make a PDF file of one page that says something."""
    return pdf_of(stream(shown(text)))


def mail(body: bytes, *headers: str, kind: str = "text/plain; charset=utf-8") -> bytes:
    """Make an e-mail of one part."""
    lines = [
        "From: Ada <ada@example.org>",
        "To: Owl <owl@example.org>",
        "Subject: About owls",
        "Message-ID: <1@example.org>",
        "MIME-Version: 1.0",
        f"Content-Type: {kind}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def part(body: bytes, kind: str, *headers: str) -> bytes:
    """Make one part of an e-mail."""
    lines = [f"Content-Type: {kind}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def several(parts: Sequence[bytes], boundary: str = "cut") -> bytes:
    """Join parts of an e-mail."""
    mark = b"--" + boundary.encode()
    return b"".join(mark + b"\r\n" + item + b"\r\n" for item in parts) + mark + b"--\r\n"


def mail_of(parts: Sequence[bytes], kind: str = "mixed") -> bytes:
    """Make an e-mail of several parts."""
    return mail(several(parts), kind=f'multipart/{kind}; boundary="cut"')
