"""Public data sets, uploaded as a person would, and counted by other code than the product's.

The files are not part of this project. TUNEDROP_TEST_DATA names the folder that holds them; tests
that need them are skipped where it is absent.
"""

import csv
import json
import os
import re
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

FOLDER = Path(os.environ.get("TUNEDROP_TEST_DATA", "../shared/data"))

Pair = tuple[str, Any]
"""A text, and its answer in any form that can be compared; None for a row that is no example."""


@dataclass(frozen=True)
class DataSet:
    """One file of a public data set.

    Attributes:
        path: Below FOLDER.
        count: Reads (text, answer) pairs with other means than the product's.
        task: task.yaml, where one is needed.
        content: Makes the upload out of the file; by default it is the file itself.
    """

    path: str
    count: Callable[[Path], Iterable[Pair]]
    task: str = ""
    content: Callable[[Path], bytes] = Path.read_bytes

    @property
    def name(self) -> str:
        """A name for tests and tables."""
        return self.path


def expected(pairs: Iterable[Pair]) -> dict[str, int]:
    """Count rows, examples, copies and contradictions, with dictionaries and nothing else."""
    by_text: dict[str, Counter[str]] = defaultdict(Counter)
    rows = unusable = 0
    for text, answer in pairs:
        rows += 1
        if not text.strip() or answer is None:
            unusable += 1
            continue
        key = " ".join(text.split()).casefold()
        said = json.dumps(answer, sort_keys=True, ensure_ascii=False)
        by_text[key][said.casefold() if isinstance(answer, dict) else said] += 1
    examples = copies = contradictions = 0
    for answers in by_text.values():
        total, most = sum(answers.values()), max(answers.values())
        if len(answers) > 1 and 2 * most <= total:
            contradictions += total
            continue
        examples += 1
        copies += most - 1
        contradictions += total - most
    return {
        "rows": rows,
        "examples": examples,
        "exact-duplicates": copies,
        "conflicting-labels": contradictions,
        "unusable": unusable,
    }


def _table(path: Path, text: int, label: int, delimiter: str, header: bool) -> Iterable[Pair]:
    quoting: Literal[0, 3] = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter=delimiter, quoting=quoting))
    return [(row[text], row[label].strip()) for row in rows[1 if header else 0 :]]


def _goemotions(path: Path) -> Iterable[Pair]:
    for line in path.read_text(encoding="utf-8").rstrip("\n").split("\n"):
        text, labels, _ = line.split("\t")
        yield text, sorted(labels.split(","))


def _separated(path: Path, mark: str, encoding: str = "utf-8") -> Iterable[Pair]:
    for line in path.read_bytes().decode(encoding).rstrip("\n").split("\n"):
        label, _, text = line.partition(mark)
        yield text, label.removeprefix("__label__")


def _json_lines(path: Path, text: str, label: str) -> Iterable[Pair]:
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.strip():
            value = json.loads(line)
            yield value[text], value[label]


def _attributes(path: Path) -> Iterable[Pair]:
    for text, fields in _json_lines(path, "input", "target_scores"):
        found = {name: sorted(set(values) - {"n/a"}) for name, values in fields.items()}
        yield text, {name: values for name, values in found.items() if values}


def _cluener(path: Path) -> Iterable[Pair]:
    decoder, text, position = json.JSONDecoder(), path.read_text(encoding="utf-8"), 0
    while position < len(text.rstrip()):
        position = len(text) - len(text[position:].lstrip())
        value, position = decoder.raw_decode(text, position)
        yield value["text"], {kind: sorted(found) for kind, found in value["label"].items()}


def _token_column(path: Path) -> Iterable[Pair]:
    """CoNLL: the entities of each sentence as sorted strings of their tokens, joined by spaces."""
    for block in re.split(r"\n[ \t]*\n", path.read_text(encoding="utf-8")):
        lines = [line.split("\t") for line in block.split("\n") if line.strip()]
        if not lines:
            continue
        entities: dict[str, set[str]] = defaultdict(set)
        current: tuple[str, list[str]] | None = None
        for token, tag in [*((line[0], line[-1]) for line in lines), ("", "O")]:
            prefix, _, kind = tag.strip().partition("-")
            if current and (prefix != "I" or kind != current[0]):
                entities[current[0]].add(" ".join(current[1]))
                current = None
            if prefix in {"B", "I"}:
                current = current or (kind, [])
                current[1].append(token.strip())
        answer = {kind: sorted(values) for kind, values in sorted(entities.items())}
        yield " ".join(line[0].strip() for line in lines), answer


def _addresses(path: Path) -> Iterable[Pair]:
    for element in ET.parse(path).getroot():
        text = " ".join("".join(element.itertext()).split())
        found: dict[str, list[str]] = defaultdict(list)
        last = ""
        for child in element:
            value = " ".join("".join(child.itertext()).split())
            if child.tag == last:
                found[child.tag][-1] += f" {value}"
            else:
                found[child.tag].append(value)
            last = child.tag if not (child.tail or "").strip() else ""
        yield text, {tag: sorted(set(values)) for tag, values in found.items()}


def _receipts(folder: Path) -> Iterable[Pair]:
    for line in receipts_as_json_lines(folder).decode().splitlines():
        value = json.loads(line)
        text = value.pop("text")
        yield text, {name: " ".join(item.split()) for name, item in value.items() if item.strip()}


def receipts_as_json_lines(folder: Path) -> bytes:
    """Put each receipt's words and its key into one JSON object, as a person would."""
    lines = []
    for key in sorted((folder / "key").glob("*.json")):
        box = (folder / "box" / f"{key.stem}.csv").read_text(encoding="utf-8", errors="replace")
        words = [line.split(",", 8)[8] for line in box.splitlines() if line.count(",") >= 8]
        values = json.loads(key.read_text(encoding="utf-8"))
        lines.append(json.dumps({"text": "\n".join(words), **values}))
    return "\n".join(lines).encode()


DATA_SETS = (
    DataSet(
        "ae110k_products/train.jsonl",
        _attributes,
        "type: extraction\ncolumns: {text: input, label: target_scores, missing: [n/a]}\n",
    ),
    DataSet(
        "ae110k_products/test.jsonl",
        _attributes,
        "type: extraction\ncolumns: {text: input, label: target_scores, missing: [n/a]}\n",
    ),
    DataSet(
        "amazon_cells/amazon_cells_labelled.tsv",
        partial(_table, text=0, label=1, delimiter="\t", header=True),
    ),
    DataSet("banking77/train.csv", partial(_table, text=0, label=1, delimiter=",", header=True)),
    DataSet("banking77/test.csv", partial(_table, text=0, label=1, delimiter=",", header=True)),
    DataSet("cluener_zh/train.json", _cluener),
    DataSet("cluener_zh/dev.json", _cluener),
    DataSet("goemotions/train.tsv", _goemotions),
    DataSet("goemotions/dev.tsv", _goemotions),
    DataSet("goemotions/test.tsv", _goemotions),
    DataSet("mit_movie/engtrain.bio.txt", _token_column),
    DataSet("mit_movie/engtest.bio.txt", _token_column),
    DataSet(
        "openai_chat_jsonl/dbpedia_samples.jsonl",
        partial(_json_lines, text="text", label="category"),
    ),
    DataSet("sms_spam/sms.tsv", partial(_table, text=1, label=0, delimiter="\t", header=False)),
    DataSet("sroie_keys", _receipts, content=receipts_as_json_lines),
    DataSet("sst5/sst_train.txt", partial(_separated, mark="\t")),
    DataSet("sst5/sst_dev.txt", partial(_separated, mark="\t")),
    DataSet("sst5/sst_test.txt", partial(_separated, mark="\t")),
    DataSet(
        "thucnews_titles_zh/dev.txt",
        partial(_table, text=0, label=1, delimiter="\t", header=False),
    ),
    DataSet(
        "thucnews_titles_zh/test.txt",
        partial(_table, text=0, label=1, delimiter="\t", header=False),
    ),
    # One byte of this file is in no encoding that shows: f0 on line 73.
    DataSet(
        "trec/TREC.train.all",
        partial(_separated, mark=" ", encoding="cp1252"),
        "type: classification\nencoding: cp1252\n",
    ),
    DataSet("trec/TREC.test.all", partial(_separated, mark=" ")),
    DataSet("usaddress/labeled.xml", _addresses),
    DataSet("usaddress/us50_train_tagged.xml", _addresses),
    DataSet(
        "waimai_10k_zh/waimai_10k.csv",
        partial(_table, text=1, label=0, delimiter=",", header=True),
    ),
    DataSet("wnut17/wnut17train.conll", _token_column),
    DataSet("wnut17/emerging.dev.conll", _token_column),
    DataSet("wnut17/emerging.test.annotated", _token_column),
)
