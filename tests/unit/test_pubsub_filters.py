"""The filter language of the local Pub/Sub server."""

import pytest

from local.pubsub.filters import FilterError, parse_filter

MESSAGE = {"lang": "en", "event-type": "finalize", "iana.org/tag": "x", "quoted": 'a "b"\n'}


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "attributes:lang",
        'attributes.lang = "en"',
        'attributes.lang="en"',
        'attributes.event-type = "finalize"',
        'attributes.lang != "de"',
        'attributes.absent != "de"',
        'attributes."iana.org/tag" = "x"',
        'attributes:"iana.org/tag"',
        'hasPrefix(attributes.lang, "e")',
        "NOT attributes:absent",
        "-attributes:absent",
        "NOT NOT attributes:lang",
        'attributes:lang AND attributes.lang != "de" AND NOT hasPrefix(attributes.lang, "d")',
        "attributes:absent OR attributes:lang",
        "attributes:lang AND (attributes:absent OR attributes:quoted)",
        "(attributes:lang)",
        r'attributes.quoted = "a \"b\"\n"',
        r'attributes.lang = "\u0065\x6e"',
        r'attributes.lang = "\145n"',
    ],
)
def test_a_message_whose_attributes_satisfy_the_filter_passes(expression: str) -> None:
    assert parse_filter(expression)(MESSAGE)


@pytest.mark.parametrize(
    "expression",
    [
        "attributes:absent",
        'attributes.lang = "EN"',
        'attributes.absent = ""',
        'attributes.lang != "en"',
        'hasPrefix(attributes.lang, "n")',
        'hasPrefix(attributes.absent, "")',
        "NOT attributes:lang",
        "attributes:lang AND attributes:absent",
        "attributes:absent OR attributes:missing",
        "NOT attributes:lang OR attributes:absent",
        "attributes:absent AND (attributes:lang OR attributes:quoted)",
    ],
)
def test_a_message_whose_attributes_do_not_satisfy_the_filter_is_held_back(
    expression: str,
) -> None:
    assert not parse_filter(expression)(MESSAGE)


@pytest.mark.parametrize(
    "expression",
    [
        " ",
        "attributes",
        "attributes.lang",
        "attributes.lang =",
        "attributes.lang = en",
        "attributes.lang = 'en'",
        'attributes.lang == "en"',
        'attributes.lang < "en"',
        'attributes.lang = "en',
        'data = "en"',
        "attributes:lang AND",
        "AND attributes:lang",
        "attributes:lang attributes:quoted",
        "attributes:lang and attributes:quoted",
        "(attributes:lang",
        "attributes:lang)",
        "()",
        "NOT",
        'hasSuffix(attributes.lang, "n")',
        "hasPrefix(attributes.lang)",
        'hasPrefix(attributes:lang, "e")',
        r'attributes.lang = "\q"',
        r'attributes.lang = "\UFFFFFFFF"',
        "attributes:lang AND attributes:quoted OR attributes:absent",
        'attributes.lang = "' + "x" * 256 + '"',
        "é:lang",
    ],
)
def test_a_malformed_filter_is_refused(expression: str) -> None:
    with pytest.raises(FilterError):
        parse_filter(expression)


def test_the_deepest_filter_that_fits_is_read() -> None:
    expression = "(" * 122 + "attributes:x" + ")" * 122
    assert parse_filter(expression)({"x": ""})


def test_a_refusal_says_where_the_filter_is_wrong() -> None:
    with pytest.raises(FilterError, match="column 19"):
        parse_filter("attributes:a AND ( OR attributes:b)"[:18] + "OR")
