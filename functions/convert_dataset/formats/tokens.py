"""JSON records of tokens and their tags, as Hugging Face writes them: `tokens` and `ner_tags`.

https://huggingface.co/docs/transformers/tasks/token_classification
"""

from collections.abc import Iterator, Mapping

from functions.convert_dataset.reading.json_values import json_records
from functions.convert_dataset.reading.source import Beginning, Source
from functions.convert_dataset.reading.tags import bad_tag, entities, scheme_of, text_of
from functions.convert_dataset.rows import ANSWER, TEXT, Refusal, Row
from shared.errors import Rejected

TOKEN_NAMES = ("tokens", "words")
TAG_NAMES = ("ner_tags", "tags", "labels", "ner")

_MOST = 0.9


def sniff(beginning: Beginning) -> float:
    """Say how well a file's beginning fits: 1 when its records have tokens and tags."""
    records = beginning.records
    fitting = sum(_columns(record) is not None for record in records)
    return 1.0 if records and fitting >= _MOST * len(records) else 0.0


def read(source: Source) -> Iterator[Row | Refusal]:
    """Read the records; their answers are the fields that their tags mark, perhaps none.

    Raises:
        Rejected: The tags are numbers.
    """
    found = [(record, _columns(record)) for record in source.beginning.records]
    lists = [record[columns[1]] for record, columns in found if columns]
    tags = [tag for values in lists if isinstance(values, list) for tag in values]
    scheme = scheme_of(tag for tag in tags if isinstance(tag, str))
    with source.open() as stream:
        for item in json_records(stream):
            yield item if isinstance(item, Refusal) else row_of(*item, scheme)


def row_of(line: int, record: Mapping[str, object], scheme: str | None = None) -> Row | Refusal:
    """Make a row of a record with tokens and tags.

    Args:
        line: Where it is.
        record: The record.
        scheme: How the file's tags are written; None to take it from the record's own.

    Raises:
        Rejected: The tags are numbers.
    """
    columns = _columns(record)
    if columns is None:
        return Refusal(line, "no tokens", "it needs a list of tokens and one of tags")
    tokens, tags = record[columns[0]], record[columns[1]]
    if not isinstance(tokens, list) or not isinstance(tags, list) or len(tokens) != len(tags):
        detail = f"{columns[0]!r} and {columns[1]!r} are not lists of the same length"
        return Refusal(line, "tokens do not fit their tags", detail)
    if any(isinstance(tag, int) for tag in tags):
        raise Rejected(
            f"The tags in {columns[1]!r} of row {line} are numbers without names.",
            "Write the tags' names, such as B-PER, in their place.",
        )
    words = [token for token in tokens if isinstance(token, str)]
    names = [tag for tag in tags if isinstance(tag, str)]
    if len(words) < len(tokens):
        return Refusal(line, "tokens do not fit their tags", "a token is not a text")
    scheme = scheme or scheme_of(names)
    wrong = bad_tag(names, scheme)
    if wrong is not None or len(names) < len(tags):
        detail = f"{(wrong or '')[:60]!r} stands where a tag such as O or B-… should be"
        return Refusal(line, "not a tag", detail)
    return Row(line, {TEXT: text_of(words), ANSWER: entities(words, names, scheme)})


def _columns(record: Mapping[str, object]) -> tuple[str, str] | None:
    """Find the columns of the tokens and of the tags."""
    tokens = next((name for name in TOKEN_NAMES if isinstance(record.get(name), list)), None)
    tags = next((name for name in TAG_NAMES if isinstance(record.get(name), list)), None)
    return (tokens, tags) if tokens and tags else None
