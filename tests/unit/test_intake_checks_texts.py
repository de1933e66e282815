"""Checks of each text by itself: length, script, personal data, values of fields."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.convert_dataset.checks import Batch
from functions.convert_dataset.checks.mixed_scripts import SCRIPTS, MixedScripts, script_of
from functions.convert_dataset.checks.no_words import NoWords
from functions.convert_dataset.checks.over_long import OverLong
from functions.convert_dataset.checks.personal_data import (
    CARD,
    EMAIL,
    IBAN,
    PHONE,
    PersonalData,
    kinds_in,
)
from functions.convert_dataset.checks.registry import CHECKS, describe
from functions.convert_dataset.checks.values_not_in_text import ValuesNotInText
from shared.examples import Answer
from shared.task import Task
from tests.unit.intake_facts import facts_of, run

CLEAN = ["Where is my parcel?", "The jacket is too small.", "Order 4711 came on 2024-03-01."]


def test_clean_texts_have_no_findings() -> None:
    facts = facts_of(CLEAN, ["a", "b", "c"])
    for check in (OverLong, MixedScripts, NoWords, PersonalData, ValuesNotInText):
        assert run(check(), facts) == []


def test_an_empty_file_breaks_no_check() -> None:
    facts = facts_of([], [])
    names = [found.check for check in CHECKS for found in run(check(), facts)]
    assert names == ["few-examples"]


def test_every_check_has_a_name_of_its_own_and_a_description() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    for check in CHECKS:
        assert check.__module__.rpartition(".")[2].replace("_", "-") == check.name
        assert describe(check).endswith(".")


def test_texts_of_too_many_tokens_are_found() -> None:
    texts = ["汉" * 160_000, "a" * 160_000, "short"]
    [found] = run(OverLong(), facts_of(texts, ["a"] * 3))
    assert list(found.rows) == [0]
    assert "113,600 tokens" in found.details[0]


def test_texts_without_letters_are_found() -> None:
    [found] = run(NoWords(), facts_of([*CLEAN, "123 456", "!!! 👍", "好"], ["a"] * 6))
    assert list(found.rows) == [3, 4]


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Plain English", "Latin"),
        ("Größe – “fünf” 👍", "Latin"),
        ("123 !!", "no script"),
        ("味道很好，下次还来", "Han"),
        ("卷饼very,good，很客气的大叔", "Han"),
        ("味道はとても良いです", "kana"),
        ("カタカナ", "kana"),
        ("배송이 아주 빨라요", "Hangul"),
        ("Где моя посылка?", "Cyrillic"),
        ("Πού είναι;", "Greek"),
        ("أين طلبي", "Arabic"),
        ("איפה החבילה", "Hebrew"),
        ("मेरा पार्सल कहाँ है", "Devanagari"),
        ("พัสดุอยู่ที่ไหน", "Thai"),
        ("Որտեղ է", "another script"),
    ],
)
def test_scripts_are_told_apart(text: str, script: str) -> None:
    assert SCRIPTS[script_of(text)] == script


def test_a_few_texts_in_another_script_are_found() -> None:
    texts = [f"How much is number {number}?" for number in range(60)]
    texts[10], texts[20] = "Сколько это стоит?", "Спасибо"
    [found] = run(MixedScripts(), facts_of(texts, ["a"] * 60))
    assert list(found.rows) == [10, 20]
    assert found.severity == "info"
    assert "Cyrillic" in found.summary


def test_a_file_in_two_scripts_is_not_reported() -> None:
    texts = ["How much is it?"] * 50 + ["多少钱"] * 10
    assert run(MixedScripts(), facts_of(texts, ["a"] * 60)) == []


def test_japanese_without_kana_is_not_another_script() -> None:
    texts = ["とても良いです"] * 60 + ["東京都", "最高"]
    assert run(MixedScripts(), facts_of(texts, ["a"] * 62)) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to jo.doe+x@mail.example.org please", EMAIL),
        ("邮箱abc@example.cn谢谢", EMAIL),
        ("my card 4111 1111 1111 1111 was charged", CARD),
        ("4111111111111111", CARD),
        ("amex 3782 822463 10005", CARD),
        ("call +44 20 7946 0958", PHONE),
        ("+49 (30) 901820", PHONE),
        ("tel. (555) 234-5678", PHONE),
        ("555-234-5678", PHONE),
        ("01 23 45 67 89", PHONE),
        ("030 / 90 18 20 00", PHONE),
        ("我的电话13912345678", PHONE),
        ("07700900123 is mine", PHONE),
        ("IBAN GB82 WEST 1234 5698 7654 32.", IBAN),
        ("DE89370400440532013000", IBAN),
    ],
)
def test_personal_data_is_recognised(text: str, kind: int) -> None:
    assert kinds_in(text) & kind


@pytest.mark.parametrize(
    "text",
    [
        "follow @somebody and @somebody_else",
        "on 2024-03-01 10:30:15 and 2023-12-31",
        "it costs 1,234,567,890.00 or 0.123456789",
        "the years 1990-1995 and 2000, 2001, 2002",
        "order 4111 1111 1111 1112",
        "article 1234567890123456789",
        "id 550e8400-e29b-41d4-a716-446655440000",
        "http://example.org/status/123456789012345678",
        "pi is 3.14159265358979",
        "they won 21-14 21-15 21-17",
        "DE89370400440532013001",
    ],
)
def test_other_numbers_are_not_personal_data(text: str) -> None:
    assert kinds_in(text) == 0


def test_personal_data_is_counted_by_kind_and_never_shown() -> None:
    texts = [*CLEAN, "a@example.org", "b@example.org or +44 20 7946 0958"]
    [found] = run(PersonalData(), facts_of(texts, ["a"] * 5))
    assert list(found.rows) == [3, 4]
    assert "an e-mail address in 2, a phone number in 1" in found.summary
    assert not found.excerpts
    assert "example.org" not in found.summary + found.remedy + str(found.details)


@pytest.mark.parametrize("piece", ["1 ", "+1", "a@", "a.", "0123 ", "AB12 ", "(", "4111 ", "@a."])
def test_no_text_makes_the_search_for_personal_data_slow(piece: str) -> None:
    began = time.process_time()
    kinds_in(piece * (400_000 // len(piece)))
    assert time.process_time() - began < 2


def test_rows_between_examples_do_not_move_what_is_found() -> None:
    check, facts = PersonalData(), facts_of(["-"] * 8, ["a"] * 8)
    check.look(Batch([2], ["a@example.org"], ["a"]))
    check.look(Batch([], [], []))
    check.look(Batch([5, 6], ["none", "b@example.org"], ["a", "a"]))
    [found] = list(check.findings(facts))
    assert list(found.rows) == [2, 6]


@given(st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    run(PersonalData(), facts_of([text], ["a"]))
    assert 0 <= script_of(text) < len(SCRIPTS)


def extraction(texts: list[str], answers: list[Answer]) -> list[str]:
    facts = facts_of(texts, answers, task=Task(type="extraction"))
    return [f"{found.summary} | {found.remedy}" for found in run(ValuesNotInText(), facts)]


def test_values_that_occur_in_the_text_are_fine() -> None:
    answers: list[Answer] = [{"name": "ann  LEE", "city": None, "items": ["tea", "milk"]}]
    assert extraction(["Ann Lee buys tea and milk"], answers) == []


def test_values_that_do_not_occur_are_counted_by_field() -> None:
    answers: list[Answer] = [{"name": "Bob", "items": ["tea", "rum"]}, {"name": "Ann"}]
    [said] = extraction(["Ann buys tea", "Bea buys rum"], answers)
    assert "2 examples have a value that does not occur in the text: 'name' 2, 'items' 1" in said
    assert "dates" in said


def test_a_word_for_none_is_proposed() -> None:
    answers: list[Answer] = [{"name": "n/a", "city": "Rome"}] * 30
    [said] = extraction(["I live in Rome"] * 30, answers)
    assert 'columns: {missing: ["n/a"]}' in said


def test_only_kept_examples_are_counted() -> None:
    task = Task(type="extraction")
    answers: list[Answer] = [{"name": "Bob"}, {"name": "Bob"}]
    facts = facts_of(["Ann", "Eve"], answers, task=task, kept=[False, True])
    [found] = run(ValuesNotInText(), facts)
    assert list(found.rows) == [1]
    assert "'name' 1" in found.summary
    assert found.details[1] == "'name' is 'Bob'"
