"""Personal data in texts: counted, never shown.

Every text passes here, so cheap tests come first, and patterns are only tried on texts with an @
or enough digits. No pattern tries more than a fixed number of characters from any place.
"""

import re
from collections.abc import Iterator

from functions.convert_dataset.checks import Batch, Check, Facts, Finding
from functions.convert_dataset.checks.grouping import as_rows
from functions.convert_dataset.checks.wording import number_of

EMAIL, CARD, PHONE, IBAN = 1, 2, 4, 8
_KINDS = (
    (EMAIL, "an e-mail address"),
    (CARD, "a card number"),
    (PHONE, "a phone number"),
    (IBAN, "an IBAN"),
)

_NOT_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_FEWEST_DIGITS = 8
_DIGITS = re.compile(r"\d(?:[ ().+/-]{0,3}\d){7}", re.ASCII)
"""Something that is in every card, account and phone number."""

_EMAIL = re.compile(r"[A-Za-z0-9_%+-]@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])")
_CARD = re.compile(
    r"(?<![\d.,-])(?:"
    r"[2-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{1,7}"
    r"|3[47]\d{2}([ -]?)\d{6}\2\d{5}"  # American Express
    r")(?![\d-])",
    re.ASCII,
)
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?![A-Za-z0-9])",
    re.ASCII,
)
_PHONE = re.compile(
    r"(?<![\w.,+-])(?:"
    r"(?:\+|00)[1-9](?:[ ().-]{0,2}\d){7,14}"  # with the country's number
    r"|\(?0\d{1,4}\)?(?:[ /-]{1,3}\d{2,8}){1,4}"  # with the 0 before an area
    r"|0\d{9,11}"
    r"|(?:1[ .-])?\(?[2-9]\d\d\)?[ .-]?[2-9]\d\d[ .-]\d{4}"  # North America
    r"|1[3-9]\d[ -]?\d{4}[ -]?\d{4}"  # Chinese mobile numbers
    r")(?![\w-])",
    re.ASCII,
)
_PHONE_DIGITS = range(9, 16)


class PersonalData(Check):
    """E-mail addresses, phone, card and account numbers in texts."""

    name = "personal-data"
    severity = "info"

    def __init__(self) -> None:
        self._kinds = bytearray()

    def look(self, batch: Batch) -> None:
        """Note what each text holds, one byte a row."""
        if batch.rows:
            self._kinds.extend(bytes(batch.rows[-1] + 1 - len(self._kinds)))
        for row, text in zip(batch.rows, batch.texts, strict=True):
            digits = text.encode("utf-8", "surrogatepass").translate(None, _NOT_DIGITS)
            if len(digits) >= _FEWEST_DIGITS or "@" in text:
                self._kinds[row] = kinds_in(text)

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Count the examples by kind."""
        import numpy as np

        kinds = np.frombuffer(self._kinds, dtype=np.uint8)
        kinds = np.where(facts.kept[: len(kinds)], kinds, 0)
        rows = np.flatnonzero(kinds)
        if len(rows):
            counts = [(int((kinds & kind > 0).sum()), word) for kind, word in _KINDS]
            found = ", ".join(f"{word} in {count:,}" for count, word in counts if count)
            seem = number_of(len(rows), "example seems", "examples seem")
            yield Finding(
                check=self.name,
                severity=self.severity,
                count=len(rows),
                summary=f"{seem} to hold personal data: {found}",
                remedy="A tuned model can repeat what it was trained on: replace such data by "
                "made-up ones, unless they are what is to be extracted.",
                rows=as_rows(rows),
                excerpts=False,
            )


def kinds_in(text: str) -> int:
    """Return the kinds of personal data in a text, added up."""
    found = EMAIL if "@" in text and _EMAIL.search(text) else 0
    if not _DIGITS.search(text):
        return found
    if any(_is_card(match[0]) for match in _CARD.finditer(text)):
        found |= CARD
    if any(_is_iban(match[0]) for match in _IBAN.finditer(text)):
        found |= IBAN
    if any(_is_phone(match[0]) for match in _PHONE.finditer(text)):
        found |= PHONE
    return found


def _is_card(match: str) -> bool:
    """Check the last digit of a card number (Luhn's sum, ISO/IEC 7812-1)."""
    digits = [int(digit) for digit in match if digit.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return len(set(digits)) > 1 and (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


def _is_iban(match: str) -> bool:
    """Check the two check digits of an account number (ISO 13616)."""
    number = match.replace(" ", "")
    return int("".join(str(int(sign, 36)) for sign in number[4:] + number[:4])) % 97 == 1


def _is_phone(match: str) -> bool:
    """Count the digits; the pattern has looked at how they are grouped."""
    return sum(map(str.isdigit, match)) in _PHONE_DIGITS
