"""Finding a text's encoding, and reading it as UTF-8."""

import codecs
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.convert_dataset.reading.packing import Open
from shared.encodings.detection import (
    BEGINNING_BYTES,
    as_utf8,
    detect_encoding,
    detect_encoding_at_depth,
)
from shared.errors import Rejected

DATA = Path(os.environ.get("TUNEDROP_TEST_DATA", "../shared/data"))

TEXTS = {
    "de": "Die Möwe schläft über dem Fluss,gut\n"
    "Das Café war für uns zu laut und nicht schön,schlecht\n"
    "Größere Straßen gibt es hier nicht,gut\n"
    "Ich fände es früher besser,schlecht\n",
    "fr": "La chouette a crié très tôt ce matin,bon\n"
    "Le café était froid et le garçon désagréable,mauvais\n"
    "À côté de la forêt il y a une rivière,bon\n"
    "C'est déjà la troisième fois,mauvais\n",
    "es": "El búho cantó toda la mañana,bueno\n"
    "¿Quién vive allí con los niños?,malo\n"
    "La habitación está muy sucia,malo\n"
    "El desayuno fue rápido y también rico,bueno\n",
    "pl": "Sowa śpiewała całą noc,dobry\n"
    "Kawa była zimna i bardzo gorzka,zły\n"
    "Nie mogę już dłużej czekać,zły\n"
    "Łódź płynie po jeziorze,dobry\n",
    "cs": "Sova houkala celou noc,dobré\n"
    "Káva byla studená a příliš hořká,špatné\n"
    "Už nemůžu déle čekat,špatné\n"
    "Loď pluje po jezeře,dobré\n",
    "hu": "A bagoly egész éjjel huhogott,jó\n"
    "A kávé hideg volt és túl erős,rossz\n"
    "Nem tudok tovább várni a vendégre,rossz\n"
    "A hajó elúszott a tó fölött,jó\n",
    "tr": "Baykuş bütün gece öttü,iyi\n"
    "Kahve soğuktu ve çok acıydı,kötü\n"
    "Artık daha fazla bekleyemiyorum,kötü\n"
    "Küçük gemi gölde yüzüyor,iyi\n",
    "ru": "Сова кричала всю ночь напролёт,хорошо\n"
    "Кофе был холодным и слишком горьким,плохо\n"
    "Больше не могу ждать,плохо\n"
    "Лодка плывёт по озеру,хорошо\n",
    "uk": "Сова кричала цілу ніч,добре\n"
    "Кава була холодна й надто гірка,погано\n"
    "Більше не можу чекати,погано\n"
    "Човен пливе озером,добре\n",
    "el": "Η κουκουβάγια φώναζε όλη τη νύχτα,καλό\n"
    "Ο καφές ήταν κρύος και πικρός,κακό\n"
    "Δεν μπορώ να περιμένω άλλο,κακό\n"
    "Το καράβι πλέει στη λίμνη,καλό\n",
    "he": "הינשוף קרא כל הלילה,טוב\nהקפה היה קר ומר מאוד,רע\nאני לא יכול לחכות יותר,רע\n",
    "ar": "صاحت البومة طوال الليل,جيد\n"
    "كانت القهوة باردة ومرة جدا,سيئ\n"
    "لا أستطيع الانتظار أكثر,سيئ\n",
    "th": "นกฮูกร้องทั้งคืน,ดี\nกาแฟเย็นและขมเกินไป,แย่\nรอต่อไปไม่ไหวแล้ว,แย่\n",
    "ja": "フクロウが一晩中鳴いていた,良い\n"
    "コーヒーは冷たくて苦すぎた,悪い\n"
    "もうこれ以上待てません,悪い\n"
    "船が湖を渡っている,良い\n",
    "ko": "올빼미가 밤새도록 울었다,좋음\n"
    "커피가 차갑고 너무 썼다,나쁨\n"
    "더 이상 기다릴 수 없습니다,나쁨\n"
    "배가 호수를 건너고 있다,좋음\n",
    "zh": "猫头鹰叫了一整夜,好\n"
    "咖啡是凉的而且太苦了,差\n"
    "我不能再等下去了,差\n"
    "小船在湖上慢慢地走,好\n",
    "zh-tw": "貓頭鷹叫了一整夜,好\n"
    "咖啡是涼的而且太苦了,差\n"
    "我不能再等下去了,差\n"
    "小船在湖上慢慢地走,好\n",
}
USED = [
    ("de", "cp1252"), ("de", "mac_roman"), ("de", "cp850"), ("fr", "cp1252"), ("fr", "mac_roman"),
    ("es", "cp1252"), ("pl", "cp1250"), ("pl", "iso8859_2"), ("cs", "cp1250"), ("cs", "iso8859_2"),
    ("hu", "cp1250"), ("tr", "cp1254"), ("ru", "cp1251"), ("ru", "koi8_r"), ("ru", "cp866"),
    ("ru", "iso8859_5"), ("uk", "cp1251"), ("uk", "koi8_u"), ("el", "cp1253"), ("el", "iso8859_7"),
    ("he", "cp1255"), ("ar", "cp1256"), ("th", "cp874"), ("ja", "cp932"), ("ja", "euc_jp"),
    ("ja", "iso2022_jp"), ("ko", "euc_kr"), ("ko", "cp949"), ("zh", "gb18030"), ("zh", "gb2312"),
    ("zh-tw", "big5"), ("zh-tw", "gb18030"),
]  # fmt: skip


def opener(data: bytes) -> Open:
    @contextmanager
    def open_data() -> Iterator[BinaryIO]:
        yield io.BytesIO(data)

    return open_data


def read(data: bytes, declared: str | None = None) -> str:
    """Find the encoding, and read everything in it."""
    found = detect_encoding(opener(data), "birds.csv", declared)
    with as_utf8(opener(data), found.name, "birds.csv")() as stream:
        return stream.read().decode()


@pytest.mark.parametrize(("language", "encoding"), USED)
@pytest.mark.parametrize("times", [1, 200])
def test_old_encodings_are_told_apart(language: str, encoding: str, times: int) -> None:
    text = "text,label\n" + TEXTS[language] * times
    assert read(text.encode(encoding)) == text


@pytest.mark.parametrize(("language", "encoding"), USED)
def test_one_line_is_read_right_or_not_at_all(language: str, encoding: str) -> None:
    for line in TEXTS[language].splitlines():
        text = f"text,label\n{line}\n"
        with suppress(Rejected):
            assert read(text.encode(encoding)) == text


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman"])
def test_english_with_a_few_foreign_letters_is_read_right(encoding: str) -> None:
    lines = [f"the owl was in the tree for hours {number},good\n" for number in range(300)]
    lines[250] = "the “café” that isn’t open – it’s for the naïve,bad\n"
    text = "".join(lines)
    assert read(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-32-le", codecs.BOM_UTF32_LE),
        ("utf-32-be", codecs.BOM_UTF32_BE),
    ],
)
@pytest.mark.parametrize("language", ["de", "zh", "ru"])
def test_unicode_is_told_by_its_mark_or_by_its_zero_bytes(
    encoding: str, mark: bytes, language: str
) -> None:
    text = TEXTS[language] * 3
    for data in (mark + text.encode(encoding), text.encode(encoding)):
        assert read(data) == text
    assert "byte order mark" in detect_encoding(opener(mark + b"a\0\0\0"), "x", None).how


def test_only_the_first_mark_is_left_out() -> None:
    text = "a\n\ufeffb\n"
    assert read(codecs.BOM_UTF8 + text.encode()) == text
    assert read(codecs.BOM_UTF16_LE + text.encode("utf-16-le")) == text


def test_the_report_says_how_the_encoding_is_known() -> None:
    found = detect_encoding(opener(TEXTS["zh"].encode("gb18030")), "x", None)
    assert found.how == "the text is in GB18030 (GBK, GB2312), as its bytes show"
    assert detect_encoding(opener(b"a,b\n"), "x", None).how == "the text is in UTF-8"


def test_utf8_with_wrong_bytes_is_refused_where_they_are() -> None:
    data = (TEXTS["de"] * 10).encode() + b"caf\xe9,gut\n" + TEXTS["de"].encode()
    with pytest.raises(Rejected, match=r"Line 41 of birds.csv is not utf-8 \(byte 0xe9\)"):
        read(data)


def test_half_utf8_and_half_something_else_is_refused() -> None:
    data = TEXTS["de"].encode() + TEXTS["de"].encode("cp1252") * 2
    with pytest.raises(Rejected, match="partly UTF-8 and partly Windows-1252"):
        read(data)


def test_two_readings_that_are_as_probable_are_left_to_people() -> None:
    with pytest.raises(Rejected, match="in two ways") as error:
        read(b"x\n\xe8\n")
    assert "encoding:" in error.value.remedy


@pytest.mark.parametrize("data", [b"ab\0cd" * 20, bytes(range(32)) * 10, b"\x01\x02 a" * 99])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(Rejected, match="is not text"):
        read(data)


def test_noise_has_no_encoding() -> None:
    noise = bytes((number * 7919 >> 3) % 160 + 96 for number in range(2000))
    with pytest.raises(Rejected):
        read(noise)


def test_a_declared_encoding_is_taken_as_it_is() -> None:
    text = TEXTS["fr"]
    assert read(text.encode("mac_roman"), "mac_roman") == text
    assert read(text.encode("utf-16"), "UTF-16") == text
    assert read(codecs.BOM_UTF8 + text.encode(), "utf-8") == text
    with pytest.raises(Rejected, match=r"Line 2 of birds.csv is not cp1252 \(byte 0x81\)"):
        read(b"abc\nd\x81", "windows-1252")


@pytest.mark.parametrize(
    "name", ["base64", "rot13", "klingon", "unicode_escape", "idna", "a\0b", "../x", "undefined"]
)
def test_a_declared_encoding_must_be_one(name: str) -> None:
    with pytest.raises(Rejected, match="which is not known"):
        read(b"abc", name)


def test_what_begins_like_utf8_is_told_by_all_of_it() -> None:
    filler = "the owl was in the tree for hours,good\n" * 9000
    assert len(filler) > BEGINNING_BYTES
    text = filler + TEXTS["ru"] * 3
    data = text.encode("cp1251")
    assert detect_encoding(opener(data), "x", None).name == "utf-8"
    assert detect_encoding_at_depth(opener(data), "x").name == "cp1251"
    wrong = (filler + TEXTS["ru"]).encode() + b"caf\xe9\n"
    with pytest.raises(Rejected, match=r"Line 9,005 of x is not utf-8 \(byte 0xe9\)"):
        detect_encoding_at_depth(opener(wrong), "x")
    chinese = filler + TEXTS["zh"] * 1000 + filler + TEXTS["zh"] * 1000
    data = chinese.encode("gb18030")
    assert detect_encoding_at_depth(opener(data), "x").name == "gb18030"
    with pytest.raises(Rejected, match="cannot be told"):
        detect_encoding_at_depth(opener(filler.encode()), "x")
    with pytest.raises(Rejected, match="zero bytes"):
        detect_encoding_at_depth(opener(data + b"\0"), "x")


@pytest.mark.parametrize(
    ("data", "encoding", "where"),
    [
        (b"a\n\n\xd8\x00x\x00", "utf-16-be", "Line 1"),
        ("a\n\n".encode("utf-16-le") + b"\x00\xd8x\x00", "utf-16-le", "Line 3"),
        (("a\r\n" * 70_000).encode() + b"\xff", "gb18030", "Line 70,001"),
        ("a\n".encode("utf-16-le") + b"x", "utf-16-le", "Line 2"),
    ],
)
def test_wrong_bytes_are_named_with_their_line(data: bytes, encoding: str, where: str) -> None:
    with as_utf8(opener(data), encoding)() as stream, pytest.raises(Rejected, match=where):
        stream.read()


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=300))
def test_arbitrary_bytes_give_a_text_or_a_rejection(data: bytes) -> None:
    for at_depth in (False, True):
        with suppress(Rejected, UnicodeDecodeError):
            found = (
                detect_encoding_at_depth(opener(data), "x")
                if at_depth
                else detect_encoding(opener(data), "x", None)
            )
            with as_utf8(opener(data), found.name)() as stream:
                stream.read().decode()


@settings(deadline=None, max_examples=150)
@given(
    st.text(), st.sampled_from(["utf-16-le", "utf-32-be", "gb18030", "utf-8"]), st.integers(1, 9)
)
def test_text_survives_whatever_the_chunks(text: str, encoding: str, size: int) -> None:
    parts = []
    with as_utf8(opener(text.encode(encoding)), encoding)() as stream:
        while part := stream.read(size):
            parts.append(part)
    assert b"".join(parts).decode() == text.removeprefix("\ufeff")


@pytest.mark.skipif(not DATA.is_dir(), reason="the data sets are not here")
@pytest.mark.parametrize("folder", ["waimai_10k_zh", "thucnews_titles_zh"])
def test_real_chinese_texts_are_told_in_their_old_encoding(folder: str) -> None:
    files = [file for file in (DATA / folder).iterdir() if file.suffix in {".csv", ".txt"}]
    texts = [file.read_bytes().decode("utf-8-sig")[:200_000] for file in files]
    for text in texts:
        assert read(text.encode("gb18030")) == text
