"""Documents that are made to hang a reader or to fill up its memory; each is a few megabytes.

Each is as large as its attack needs: a packed one unpacks to more than every limit, and one that
is slow in proportion to its length would be no other attack if it were longer.

Run as a program, it reads a share of them, such as 0/2 or 1/2, and of the files of the folders that
it is given, and says for each what came of it; at the end how much memory it took, and the largest
child.
"""

import io
import json
import random
import re
import resource
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from functions.process_document.reading.read import read_documents
from shared.errors import Rejected
from tests.unit.document_files import (
    CONTENT_TYPES,
    mail,
    mail_of,
    part,
    pdf,
    pdf_of,
    several,
    shown,
    stream,
    word,
    word_filled,
    word_xml,
    zipped,
)

PLAIN = "text/plain; charset=utf-8"
MEGABYTE = 1_000_000


def zeros(megabytes: int, filler: bytes = b"\0") -> bytes:
    """Pack so many megabytes of the same, as zlib does, but only the first of them really."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    chunk = filler * (MEGABYTE // len(filler))
    packed = packer.compress(chunk) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 1
    for _ in range(megabytes):
        checksum = zlib.adler32(chunk, checksum)
    return b"\x78\xda" + packed * megabytes + b"\x03\x00" + checksum.to_bytes(4, "big")


def laughs() -> bytes:
    """A Word document with entities in entities."""
    entities = '<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{number} "{f"&a{number - 1};" * 10}">' for number in range(1, 12)
    )
    return word("<w:p><w:r><w:t>&a11;</w:t></w:r></w:p>", f"<!DOCTYPE d [{entities}]>")


def outside() -> bytes:
    """A Word document that asks for a file of the machine."""
    doctype = '<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    return word("<w:p><w:r><w:t>&a;</w:t></w:r></w:p>", doctype)


def zip_in_zip() -> bytes:
    """Archives in archives, each with sixteen copies of the one inside."""
    inner = zipped({"zeros": bytes(MEGABYTE)})
    for _ in range(5):
        inner = zipped({f"{number}.zip": inner for number in range(16)})
    return inner


def lying() -> bytes:
    """A Word document whose table of contents says that its body is small."""
    content = bytearray(word_filled(60))
    size = (60 * MEGABYTE).to_bytes(4, "little")
    while (place := content.find(size)) >= 0:
        content[place : place + 4] = (100).to_bytes(4, "little")
    return bytes(content)


def many_members() -> bytes:
    """A Word document with as many files inside as an archive can name."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr("word/document.xml", word_xml("<w:p><w:r><w:t>hoo</w:t></w:r></w:p>"))
        for number in range(65_000):
            archive.writestr(f"word/{number}", b"")
    return packed.getvalue()


def deep_word() -> bytes:
    """A Word document with 200,000 elements in each other."""
    return word("<w:p>" * 200_000)


def looping_pages() -> bytes:
    """A PDF whose pages are in themselves."""
    return pdf([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [2 0 R 3 0 R 2 0 R] /Count 900000 /Parent 2 0 R >>",
        b"<< /Type /Pages /Kids [2 0 R] /Count 3 >>",
    ])  # fmt: skip


def deep_pages() -> bytes:
    """A PDF with pages in ten thousand levels."""
    levels = [b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % number for number in range(3, 10_003)]
    return pdf([b"<< /Type /Catalog /Pages 2 0 R >>", *levels, b"<< /Type /Page >>"])


def branching_pages() -> bytes:
    """A PDF whose forty levels of pages each name the next one twice: two to the fortieth pages."""
    levels = [
        b"<< /Type /Pages /Kids [%d 0 R %d 0 R] /Count 2 >>" % (number, number)
        for number in range(3, 43)
    ]
    return pdf([b"<< /Type /Catalog /Pages 2 0 R >>", *levels, b"<< /Type /Page >>"])


def many_pages() -> bytes:
    """A PDF with the same page a hundred thousand times."""
    kids = b"3 0 R " * 100_000
    return pdf([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%b] /Count 100000 >>" % kids,
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
    ])  # fmt: skip


def calling_itself() -> bytes:
    """A PDF with a form that shows itself twice, and so on."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >>"
    return pdf_of(stream(b"/X Do"), b"/XObject << /X 6 0 R >>", [stream(b"/X Do /X Do", form)])


def doubling_forms() -> bytes:
    """A PDF with forms that each show the next one twice, thirty deep."""
    form = (
        b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X %d 0 R >> >>"
    )
    forms = [stream(b"/X Do /X Do", form % number) for number in range(7, 37)]
    return pdf_of(stream(b"/X Do"), b"/XObject << /X 6 0 R >>", [*forms, stream(shown("hoo"))])


def wide_map() -> bytes:
    """A PDF whose font maps four thousand million codes."""
    ranges = b"1 beginbfrange\n<00000000> <FFFFFFFF> <0041>\nendbfrange\n" * 50
    font = b"<< /Type /Font /Subtype /Type0 /BaseFont /A /Encoding /Identity-H /ToUnicode 7 0 R >>"
    content = stream(b"BT /G 12 Tf <00410042> Tj ET")
    cmap = stream(
        b"begincmap 1 begincodespacerange <00000000> <FFFFFFFF> endcodespacerange\n" + ranges
    )
    return pdf_of(content, b"/G 6 0 R", [font, cmap]).replace(
        b"/Font << /F 5 0 R >>", b"/Font << /F 5 0 R /G 6 0 R >>"
    )


def nested_arrays() -> bytes:
    """A PDF with a million arrays in each other."""
    return pdf([b"<< /Type /Catalog /Pages 2 0 R >>", b"[" * MEGABYTE])


def huge_picture() -> bytes:
    """A PDF with a picture of ten thousand million dots."""
    picture = b"/Type /XObject /Subtype /Image /Width 100000 /Height 100000 /BitsPerComponent 8 "
    return pdf_of(
        stream(b"/X Do"),
        b"/XObject << /X 6 0 R >>",
        [stream(b"", picture + b"/ColorSpace /DeviceRGB", zeros(500))],
    )


def deep_mail() -> bytes:
    """An e-mail with parts in a thousand levels."""
    inner = part(b"hoo", PLAIN)
    for level in range(1000):
        inner = part(several([inner], f"b{level}"), f'multipart/mixed; boundary="b{level}"')
    return mail_of([inner])


def forwarded() -> bytes:
    """An e-mail that was forwarded three hundred times."""
    inner = mail(b"hoo")
    for _ in range(300):
        inner = mail(inner, kind="message/rfc822")
    return inner


def headers() -> bytes:
    """An e-mail with a hundred thousand headers, and a subject of a megabyte."""
    words = "=?utf-8?b?aG9v?= " * 60_000
    many = [f"X-Owl-{number}: hoo" for number in range(100_000)]
    return mail(b"hoo", f"Subject: {words}", *many)


def parameters() -> bytes:
    """An e-mail whose content type has twenty thousand parameters."""
    return mail(b"hoo", kind="text/plain" + "; a*0*=b'c'd" * 20_000)


MAKERS: dict[str, Callable[[], bytes]] = {
    "a line of 50 MB": lambda: b"a" * 50 * MEGABYTE,
    "a line of 20 MB": lambda: b"a" * 20 * MEGABYTE,
    "20 MB of wide characters": lambda: "喵".encode() * 6_600_000,
    "19 MB of any bytes": lambda: random.Random(1).randbytes(19 * MEGABYTE),
    "19 MB of bytes in no encoding": lambda: bytes(range(128, 256)) * 150_000,
    "an empty text of 19 MB": lambda: b" " * 19 * MEGABYTE,
    "comments without an end": lambda: b"<!--" * MEGABYTE,
    "comments before a page": lambda: b"<!-- a -->" * 500_000 + b"<html>hoo",
    "a page of angle brackets": lambda: b"<html>" + b"<" * 300_000,
    "a page of unfinished tags": lambda: b"<html>" + b"<a b='" * MEGABYTE,
    "a page of unfinished declarations": lambda: b"<html>" + b"<![" * 60_000,
    "a page of unfinished comments": lambda: b"<html>" + b"<!-- " * MEGABYTE,
    "a page of references": lambda: b"<html>" + b"&#x1F989;&lt" * 200_000,
    "a page in 200,000 levels": lambda: b"<html>" + b"<div>" * 200_000 + b"hoo",
    "a page with an endless attribute": lambda: b"<html><a b=" + b'"' * 3 * MEGABYTE,
    "Word, 300 MB of nothing": lambda: word_filled(300),
    "Word, 90 MB of spaces": lambda: word_filled(90),
    "Word, 90 MB of elements": lambda: word_filled(90, word_xml("")[:90].encode(), b"<w:p/>"),
    "Word, more than it says": lying,
    "Word, entities in entities": laughs,
    "Word, an entity from outside": outside,
    "Word, 200,000 levels": deep_word,
    "Word, 65,000 files": many_members,
    "zip archives in zip archives": zip_in_zip,
    "a zip archive of zeros": lambda: zipped({"zeros": bytes(200 * MEGABYTE)}),
    "PDF, 1 GB of content": lambda: pdf_of(stream(b"", packed=zeros(1000))),
    "PDF, 40 MB of operators": lambda: pdf_of(stream(b"", packed=zeros(40, b"q Q\n"))),
    "PDF, 40 MB of text": lambda: pdf_of(stream(b"", packed=zeros(40, shown("hoo ") + b" \n\n"))),
    "PDF, packed seven times": lambda: pdf_of(
        b"<< /Length 60 /Filter [%b] >>\nstream\n%b\nendstream" % (b"/FlateDecode " * 7, bytes(60))
    ),
    "PDF, pages in themselves": looping_pages,
    "PDF, deep pages": deep_pages,
    "PDF, branching pages": branching_pages,
    "PDF, 100,000 pages": many_pages,
    "PDF, a form in itself": calling_itself,
    "PDF, doubling forms": doubling_forms,
    "PDF, a font with all codes": wide_map,
    "PDF, nested arrays": nested_arrays,
    "PDF, a huge picture": huge_picture,
    "PDF, no cross-reference": lambda: b"%PDF-1.7\n" + b"1 0 obj << >> endobj\n" * 200_000,
    "PDF, a million slashes": lambda: b"%PDF-1.7\n" + b"/" * 5 * MEGABYTE,
    "a huge PNG picture": lambda: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\xff" * 8 + bytes(5),
    "e-mail, 10,000 parts": lambda: mail_of([part(b"hoo", PLAIN)] * 10_000),
    "e-mail, 1,000 levels": deep_mail,
    "e-mail, forwarded 300 times": forwarded,
    "e-mail, 100,000 headers": headers,
    "e-mail, 20,000 parameters": parameters,
    "e-mail, a page of brackets": lambda: mail(b"<" * 300_000, kind="text/html"),
    "e-mail, 15 MB": lambda: mail(b"hoo hoo hoo\r\n" * 1_100_000),
    "JSON, a million levels": lambda: b'{"text": "hoo", "a": ' + b"[" * MEGABYTE,
    "JSON lines, a million levels": lambda: b'{"text": "hoo"}\n{"a":' + b"[" * 5 * MEGABYTE,
    "JSON, an array of arrays": lambda: b'[{"text": "hoo"}, ' + b"[]," * 6 * MEGABYTE + b"1]",
    "JSON lines, 1,300,000 rows": lambda: b'{"text":"hoo"}\n' * 1_300_000,
    "a table with a quote left open": lambda: b'id,text\n1,hoo\n2,"' + b"a\n" * 9 * MEGABYTE,
    "a table of commas": lambda: b"text,id\n1,2\n" + b"," * 19 * MEGABYTE,
}


def documents(share: str, folders: list[str]) -> Iterator[tuple[str, bytes]]:
    """Go through a share of the hostile documents, and of the files of folders."""
    files = [path for folder in folders for path in sorted(Path(folder).iterdir())]
    readers = {f"{path.parent.name}/{path.name}": path.read_bytes for path in files}
    first, every = map(int, share.split("/"))
    for name, make in islice((MAKERS | readers).items(), first, None, every):
        yield name, make()


def own_peak() -> int:
    """Return this program's peak of memory, in KiB.

    ru_maxrss would not do: it keeps what the process that started this one used before.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])  # type: ignore[index]


def main() -> None:
    """Read the share."""
    for name, content in documents(sys.argv[1], sys.argv[2:]):
        began = time.monotonic()
        try:
            found = f"read as {read_documents(content, 'it')[0].reader}"
        except Rejected as rejection:
            found = str(rejection)
        print(json.dumps([name, found, round(time.monotonic() - began, 2)]), flush=True)
    print(json.dumps([own_peak(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))


if __name__ == "__main__":
    main()
