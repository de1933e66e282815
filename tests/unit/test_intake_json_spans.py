"""Character offsets: how their ends are meant, and what they cut out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.convert_dataset.reading.spans import Misfit, Span, fields_of, find_ends, span_of
from shared.errors import Rejected

ENGLISH = "Anna Berg met Otto Klein, in Ulm on Friday and paid 20 euros."
CHINESE = "昨天王芳在上海浦东机场等候"
KOREAN = "어제 서울에서 만났다"


def spans(text: str, *mentions: str, inclusive: bool = False, told: bool = False) -> list[Span]:
    """Find mentions in a text and give their offsets."""
    return [
        Span(
            start := text.index(mention),
            start + len(mention) - inclusive,
            "X",
            mention if told else None,
        )
        for mention in mentions
    ]


@pytest.mark.parametrize("inclusive", [False, True])
def test_whole_words_tell_the_ends(inclusive: bool) -> None:
    found = spans(ENGLISH, "Anna Berg", "Otto Klein", "Ulm", "Friday", inclusive=inclusive)
    assert find_ends([(ENGLISH, found)], None) == ("inclusive" if inclusive else "exclusive")


@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize("text", [CHINESE, ENGLISH])
def test_one_text_that_the_file_tells_is_enough(text: str, inclusive: bool) -> None:
    found = spans(text, text[2:4], inclusive=inclusive, told=True)
    assert find_ends([(text, found)], None) == ("inclusive" if inclusive else "exclusive")


def test_an_end_at_the_texts_end_is_exclusive_and_one_at_the_start_inclusive() -> None:
    assert find_ends([(CHINESE, [Span(11, 13, "X")])], None) == "exclusive"
    assert find_ends([(CHINESE, [Span(4, 4, "X")])], None) == "inclusive"


def test_one_empty_span_among_many_words_does_not_mislead() -> None:
    words = spans(ENGLISH, "Anna Berg", "Otto Klein", "Ulm", "Friday", "euros") * 8
    assert find_ends([(ENGLISH, [*words, Span(3, 3, "X")])], None) == "exclusive"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (CHINESE, [Span(2, 4, "X"), Span(5, 7, "X"), Span(7, 9, "X")]),
        (KOREAN, [Span(3, 5, "X")] * 9),
        (ENGLISH, [Span(0, 9, "X"), Span(14, 24, "X")]),
        (ENGLISH, [Span(0, 9, "X"), Span(0, 8, "X")] * 5),
        (CHINESE, [Span(2, 2, "X"), Span(11, 13, "X")]),
    ],
)
def test_offsets_that_do_not_tell_are_rejected_with_both_cuts(text: str, found: list[Span]) -> None:
    with pytest.raises(Rejected) as caught:
        find_ends([(text, found)], None)
    start, end = found[0][:2]
    assert repr(text[start:end]) in caught.value.reason
    assert repr(text[start : end + 1]) in caught.value.reason
    assert "offsets: exclusive" in caught.value.remedy


def test_a_file_without_spans_has_no_ends_and_task_yaml_settles_them() -> None:
    assert find_ends([(ENGLISH, [])], None) is None
    assert find_ends([(CHINESE, [Span(2, 4, "X")])], "inclusive") == "inclusive"


def test_fields_are_in_the_texts_order_and_the_same_text_counts_once() -> None:
    text = "Ulm, Rom and Ulm and Bern"
    found = [Span(21, 25, "to"), Span(13, 16, "by"), Span(0, 3, "by"), Span(5, 8, "by")]
    assert fields_of(text, found, "exclusive") == {"by": ["Ulm", "Rom"], "to": "Bern"}


def test_overlapping_parts_and_white_space_are_cut_as_they_are() -> None:
    text = "  New York \n"
    found = [Span(0, 12, "all"), Span(2, 10, "city"), Span(6, 10, "county")]
    expected = {"all": text, "city": "New York", "county": "York"}
    assert fields_of(text, found, "exclusive") == expected


@pytest.mark.parametrize(
    "span",
    [
        Span(0, 14, "X"),
        Span(5, 5, "X"),
        Span(6, 4, "X"),
        Span(13, 14, "X"),
        Span(10**8, 10**9, "X"),
        Span(2, 4, "X", "李"),
    ],
)
def test_offsets_outside_of_the_text_do_not_fit(span: Span) -> None:
    with pytest.raises(Misfit):
        fields_of(CHINESE, [span], "exclusive")


def test_an_inclusive_end_is_the_last_characters_own() -> None:
    assert fields_of("abc", [Span(0, 2, "X"), Span(1, 1, "Y")], "inclusive") == {
        "X": "abc",
        "Y": "b",
    }
    with pytest.raises(Misfit, match="0 to 3"):
        fields_of("abc", [Span(0, 3, "X")], "inclusive")


def test_a_text_that_is_told_wins_over_how_ends_are_meant() -> None:
    assert fields_of(CHINESE, [Span(2, 3, "X", "王芳")], "exclusive") == {"X": "王芳"}
    with pytest.raises(Misfit, match=r"'王芳'.*'昨天'.*'昨天王'"):
        fields_of(CHINESE, [Span(0, 2, "X", "王芳")], "exclusive")


@pytest.mark.parametrize(
    ("cut", "told"),
    [("Anna\n Berg", "Anna Berg"), ("Anna\nBerg", "Anna\\nBerg"), ("Anna  Berg", "Anna Berg")],
)
def test_white_space_that_a_browser_has_changed_does_not_matter(cut: str, told: str) -> None:
    text = f"for {cut}, Ulm"
    found = [Span(4, 4 + len(cut), "X", told)]
    assert find_ends([(text, found)], None) == "exclusive"
    assert fields_of(text, found, "exclusive") == {"X": cut}


def test_a_text_that_is_told_at_the_texts_end_has_an_exclusive_end() -> None:
    assert find_ends([(CHINESE, [Span(11, 13, "X", "等候")])], None) == "exclusive"


def test_ends_are_not_needed_when_every_span_has_its_text_beside_it() -> None:
    mixed = [Span(2, 3, "X", "王芳"), Span(5, 7, "X", "上海"), Span(0, 1, "X", "李")]
    assert find_ends([(CHINESE, mixed)], None) is None
    assert fields_of(CHINESE, mixed[:2], None) == {"X": ["王芳", "上海"]}


def test_spans_that_come_late_do_not_fit_as_nothing_tells_their_ends() -> None:
    with pytest.raises(Misfit, match="first records"):
        fields_of(CHINESE, [Span(0, 2, "X")], None)


@pytest.mark.parametrize("offset", [-1, 1.5, "1.5", "-1", "x", "", "٣", None, True, [], 10**30])
def test_an_offset_is_a_whole_number_from_zero(offset: object) -> None:
    with pytest.raises(Misfit, match="is not an offset"):
        span_of(0, offset, "X")


def test_offsets_may_be_digits_in_a_text() -> None:
    assert span_of("0", "12", "X", "") == Span(0, 12, "X", None)


@pytest.mark.parametrize("label", [None, "", 5, ["a"]])
def test_a_span_needs_a_label(label: object) -> None:
    with pytest.raises(Misfit, match="no label"):
        span_of(0, 1, label)


@given(
    st.text(max_size=12),
    st.lists(
        st.builds(
            Span,
            st.integers(0, 15),
            st.integers(0, 15),
            st.sampled_from("AB"),
            st.none() | st.text(max_size=3),
        ),
        max_size=5,
    ),
)
def test_whatever_is_cut_out_stands_in_the_text(text: str, found: list[Span]) -> None:
    try:
        ends = find_ends([(text, found)], None)
        fields = fields_of(text, found, ends)
    except (Misfit, Rejected):
        return
    values = [value if isinstance(value, list) else [value] for value in fields.values()]
    assert all(part in text for parts in values for part in parts)
