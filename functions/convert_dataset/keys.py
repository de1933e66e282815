"""Two hashes of a text: one up to white space and letter case, one up to punctuation as well.

They are the same on every machine and in every version, because they decide which split a text
belongs to. ASCII takes a way through tables of bytes that is several times faster; both ways give
an ASCII text the same key.
"""

import re
import string

from xxhash import xxh3_64_intdigest

_WHITE = string.whitespace + "\x1c\x1d\x1e\x1f"
_LOWER = bytes.maketrans(
    (string.ascii_uppercase + _WHITE).encode(),
    (string.ascii_lowercase + " " * len(_WHITE)).encode(),
)
_NO_LETTER = bytes(code for code in range(128) if not chr(code).isalnum())
_NO_LETTERS = re.compile(r"[\W_]+")


def exact_key(text: str) -> int:
    """Hash a text to 64 bits; letter case and how wide white space is do not matter."""
    if text.isascii():
        words = text.encode().translate(_LOWER)
        if b"  " in words or words[:1] == b" " or words[-1:] == b" ":
            words = b" ".join(words.split())
        return xxh3_64_intdigest(words)
    return xxh3_64_intdigest(" ".join(text.split()).casefold().encode("utf-8", "surrogatepass"))


def near_key(text: str) -> int:
    """Hash a text to 64 bits by its letters and digits alone; without any it is the exact key."""
    if text.isascii():
        letters = text.encode().translate(_LOWER, _NO_LETTER)
    else:
        letters = _NO_LETTERS.sub("", text).casefold().encode("utf-8", "surrogatepass")
    return xxh3_64_intdigest(letters) if letters else exact_key(text)
