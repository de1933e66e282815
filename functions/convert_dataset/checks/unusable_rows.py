"""Rows that could not be read as examples, counted by the reason."""

from collections.abc import Iterator, Mapping

from functions.convert_dataset.checks import Check, Facts, Finding
from functions.convert_dataset.checks.wording import number_of, quoted
from functions.convert_dataset.column_kinds import in_yaml

_REMEDIES = {
    "no text": "Fill in the text of these rows, or name the column that holds it: "
    "`columns: {text: …}` in task.yaml.",
    "no label": "Label these rows, or name the column that holds the label: "
    "`columns: {label: …}` in task.yaml.",
    "not annotated": "Finish annotating these tasks, or export only those that are finished.",
    "not accepted": "Accept these examples in the annotation tool if they are right.",
    "empty row": "Delete these rows; nothing is lost without them.",
    "header again": "Delete these lines; they come from files that were put together.",
    "wrong number of cells": "Put quotation marks around cells that hold the delimiter or a line "
    "break.",
    "stray quotation mark": "Double the quotation marks inside of a cell, and put the cell in "
    "quotation marks.",
    "not JSON": "Write each line as one whole JSON object, as `json.dumps` does.",
    "not a JSON object": "Write each row as an object with names: {…}.",
    "not text": "Write these rows again as valid UTF-8, without half characters.",
    "line too long": "Take these lines out, or cut their texts into parts.",
    "text too long": "Cut these texts into parts that have a label each.",
    "label too long": "Check that the label's column is not the text's.",
    "not a label": "Write the label as a text or a number.",
    "no fields": "Write the answer as a JSON object: a key for each field.",
    "nested field": "A field's value is a text or a list of texts: write each of the object's "
    "values into a field of its own.",
    "required field missing": "Fill in the field, or take `required` away from it in task.yaml.",
    "nested too deeply": "Take the text and its answer out of the nested objects.",
    "not a conversation": "Write one turn of the user and one of the model in each row.",
    "not a single turn": "Cut conversations into rows with one question and one answer each.",
    "not about text": "Export only the tasks whose labels are about text.",
    "offsets do not fit": "Check whether the offsets count characters of this very text; "
    "`offsets:` in task.yaml says where they end.",
    "not a tag": "Write tags as O, B-type and I-type.",
    "tokens do not fit their tags": "Give each token one tag.",
    "sentence too long": "Put an empty line between sentences.",
    "several labels": "Leave one label a row, or set `multi_label: true` in task.yaml.",
    "unknown split": "Write train, validation or test in the split's column.",
    "text not found": "Upload the texts that the addresses lead to, or put them into the file.",
    "text cannot be read": "Upload the texts that the addresses lead to, or put them into the "
    "file.",
}
UNKNOWN_LABEL = "unknown label"
_MOST_NAMED = 10
_GENERAL = "Correct these rows and upload the file again; the report lists them with their lines."


class UnusableRows(Check):
    """Rows that could not be read as examples."""

    name = "unusable-rows"
    severity = "error"

    def findings(self, facts: Facts) -> Iterator[Finding]:
        """Make one finding a reason, the most frequent first."""
        for reason, count in sorted(facts.refused.items(), key=lambda item: (-item[1], item[0])):
            unknown = facts.unknown_labels if reason == UNKNOWN_LABEL else {}
            yield Finding(
                check=self.name,
                severity=self.severity,
                count=count,
                summary=f"{number_of(count, 'row', 'rows')} could not be used: {reason}"
                + _named(unknown),
                remedy=_to_declare(unknown) if unknown else _REMEDIES.get(reason, _GENERAL),
                refused=reason,
            )


def _named(unknown: Mapping[str, int]) -> str:
    """Name the most frequent unknown labels with their numbers of rows."""
    if not unknown:
        return ""
    named = [f"{quoted(name)} ({count:,})" for name, count in unknown.items()]
    more = len(named) - _MOST_NAMED
    return f": {', '.join(named[:_MOST_NAMED])}{f' and {more:,} more' if more > 0 else ''}"


def _to_declare(unknown: Mapping[str, int]) -> str:
    """Say how to declare the most frequent unknown labels."""
    names = [in_yaml(name) for name in list(unknown)[:_MOST_NAMED]]
    return (
        "Correct these labels in the file, or add those that are right to the list after "
        f"`labels:` in task.yaml: `{', '.join(names)}`."
    )
