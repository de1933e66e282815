"""Near duplicates are found, whatever the order of the texts and whatever they are."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.convert_dataset.keys import exact_key
from functions.convert_dataset.similarity import NEAR, jaccard, near_pairs, pieces

WORDS = [f"{one}{two}" for one in ("ra", "lo", "mi", "te", "su") for two in ("ven", "dor", "kil")]


def found(texts: list[str]) -> list[tuple[int, int]]:
    return near_pairs(texts, [exact_key(text) for text in texts])


def families(texts: list[str]) -> set[frozenset[str]]:
    """The texts that are connected, without their places."""
    family = {text: {text} for text in texts}
    for one, other in found(texts):
        joined = family[texts[one]] | family[texts[other]]
        for text in joined:
            family[text] = joined
    return {frozenset(members) for members in family.values()}


def sentences(count: int, words: int, seed: int = 1) -> list[str]:
    chance = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [
        " ".join("".join(chance.choices(letters, k=6)) for _ in range(words)) for _ in range(count)
    ]


def test_texts_that_differ_in_one_word_are_near() -> None:
    texts = ["The parcel that I ordered three weeks ago has still not arrived at my house."]
    texts += ["It was blue.", texts[0].replace("three", "four")]
    assert found(texts) == [(0, 2)]


def test_letter_case_and_white_space_make_no_difference() -> None:
    assert found(["Where  is\nmy card?", "WHERE IS MY CARD?"]) == [(0, 1)]


def test_different_texts_are_not_near() -> None:
    assert found(sentences(500, 12)) == []


def test_short_texts_are_near_only_when_they_are_the_same() -> None:
    assert found(["no", "yes", "ok", "No", "好"]) == [(0, 3)]


def test_no_texts_and_one_text_have_no_pairs() -> None:
    assert found([]) == []
    assert found(["alone"]) == []


def test_chinese_texts_are_compared_as_well() -> None:
    texts = ["送餐的师傅态度很好，饭菜还是热的，味道也不错，下次还会再来", "太慢了"]
    assert found([*texts, texts[0] + "的"]) == [(0, 2)]


def test_half_characters_do_no_harm() -> None:
    assert found(["broken \ud800 text", "broken \ud800 text!"]) == [(0, 1)]


def test_nearly_every_near_pair_is_connected() -> None:
    chance = random.Random(2)
    texts = sentences(300, 25)
    edited = []
    for text in texts:
        words = text.split()
        words[chance.randrange(len(words))] = "otherwise"
        edited.append(" ".join(words))
    near = sum(
        jaccard(pieces(one), pieces(other)) >= NEAR
        for one, other in zip(texts, edited, strict=True)
    )
    assert near > 250
    assert len(found(texts + edited)) >= 0.97 * near


def test_every_pair_that_is_found_is_near() -> None:
    texts = [f"{text} and the rest is the same" for text in sentences(200, 3)]
    for one, other in found(texts):
        assert jaccard(pieces(texts[one]), pieces(texts[other])) >= NEAR


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join),
            st.text(min_size=1, max_size=30).filter(str.strip),
        ),
        max_size=25,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_texts_does_not_matter(texts: list[str], chance: random.Random) -> None:
    shuffled = chance.sample(texts, len(texts))
    assert families(texts) == families(shuffled)


@pytest.mark.slow
@pytest.mark.parametrize("own_words", [3, 12, 30])
def test_texts_that_share_a_long_beginning_take_bounded_time(own_words: int) -> None:
    beginning = sentences(1, 60)[0]
    texts = [f"{beginning} {text}" for text in sentences(4000, own_words, seed=3)]
    began = time.process_time()
    found(texts)
    assert time.process_time() - began < 20
