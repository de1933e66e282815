"""Which column is the text and which the label: guessed when it shows, asked when it does not."""

import csv
import io
import json
import random
from collections.abc import Callable, Mapping, Sequence

import pytest

from functions.convert_dataset.columns import find_columns
from functions.convert_dataset.rows import Row
from functions.convert_dataset.upload import handle_upload
from shared.errors import Rejected
from shared.prompts import example_of_line
from shared.records import DatasetRecord
from tests.fakes import fake_world

Maker = Callable[[int], object]

WORDS = [
    "parcel", "river", "broken", "late", "driver", "rude", "lovely", "fast", "price", "refund",
    "again", "never", "phone", "screen", "battery", "cheap", "sturdy", "taste", "cold", "warm",
    "soup", "train", "ticket", "hotel", "room", "dirty", "clean", "staff", "smile", "lost",
]  # fmt: skip
IDEOGRAPHS = "我们今天吃饭很好看不去学校老师电影"


def words(least: int, most: int = 0, seed: int = 1) -> Maker:
    """Make the maker of sentences, each of so many words."""
    chance = random.Random(seed)
    return lambda _: " ".join(chance.choices(WORDS, k=chance.randint(least, most or least)))


def one_of(*values: object, seed: int = 2) -> Maker:
    chance = random.Random(seed)
    return lambda _: chance.choice(values)


def bits(seed: int) -> Maker:
    return one_of(0, 0, 1, seed=seed)


LABEL = one_of("refund", "damage", "praise")


def table(columns: Mapping[str, Maker], count: int = 200) -> list[dict[str, object]]:
    return [{name: make(n) for name, make in columns.items()} for n in range(count)]


def as_csv(rows: Sequence[Mapping[str, object]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode()


def as_json_lines(rows: Sequence[Mapping[str, object]]) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def convert(content: bytes, task: str = "") -> tuple[DatasetRecord, dict[str, object]]:
    """Upload a file; return its dataset's record, and text -> answer of all examples."""
    fakes = fake_world()
    if task:
        fakes.datasets.put("birds/task.yaml", task)
    handle_upload(fakes.datasets.put("birds/data", content), fakes.world)
    (name,) = [name for name in fakes.artifacts.names("tasks/") if name.endswith("/dataset.json")]
    record = DatasetRecord.model_validate(fakes.artifacts.json(name))
    lines = [
        line
        for split in ("train", "validation", "test")
        for line in fakes.artifacts.json_lines(name.replace("dataset.json", f"{split}.jsonl"))
    ]
    return record, dict(example_of_line(record.task, line) for line in lines)


def assert_texts_are(rows: Sequence[Mapping[str, object]], text: str, content: bytes) -> None:
    _, examples = convert(content)
    assert examples
    assert examples.keys() <= {str(row[text]) for row in rows}


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (
            "phrase",
            {"uuid": lambda n: f"{n:08x}-4f2a-4c1b-9d3e-7a6b5c4d3e2f", "phrase": words(3),
             "intent": LABEL},
        ),
        (
            "headline",
            {"link": lambda n: f"https://news.example/a-long-way-to-the-story-number-{n}",
             "headline": words(6), "category": LABEL},
        ),
        (
            "wb",
            {"created": lambda n: f"2023-01-{n % 28 + 1:02}T12:{n % 60:02}:{n % 7:02}.000Z",
             "wb": lambda n: "".join(random.Random(n).choices(IDEOGRAPHS, k=12)),
             "leixing": one_of("新闻", "体育")},
        ),
        ("subject", {"message": lambda n: 90_000 + n, "subject": words(5), "topic": LABEL}),
        (
            "paragraph",
            {"document": lambda n: f"quarterly report {n}.pdf", "paragraph": words(6),
             "class": LABEL},
        ),
        (
            "note",
            {"when": lambda n: f"Mon Apr 06 22:{n // 60:02}:{n % 60:02} PDT 2009",
             "note": words(2), "mood": one_of("good", "bad")},
        ),
        ("phrase", {"phrase": lambda n: f"k{n}", "intent": LABEL}),
        ("word", {"user": lambda n: f"ORD-{n:05}", "word": lambda n: WORDS[n % 30] + WORDS[n // 30],
                  "sort": one_of("animals_and_plants", "things")}),
        ("answer", {"answer": words(9), "grade": one_of("A", "B", "C")}),
        ("text", {"title": words(4), "text": words(20), "label": LABEL}),
        ("utterance", {"utterance": words(3), "intent": LABEL,
                       "meta": lambda n: json.dumps({"note": "said on the phone", "n": n})}),
    ],
)  # fmt: skip
def test_the_text_is_the_column_that_holds_texts(text: str, columns: Mapping[str, Maker]) -> None:
    rows = table(columns)
    assert_texts_are(rows, text, as_csv(rows))


@pytest.mark.parametrize(
    "columns",
    [
        {"a": lambda n: n / 10, "b": lambda n: n % 7 / 2, "species": one_of("setosa", "virginica")},
        {"text": lambda n: f"https://example.org/{n}", "label": LABEL},
        {"document": lambda n: f"doc{n}.pdf", "class": LABEL},
    ],
)
def test_a_table_without_texts_is_rejected(columns: Mapping[str, Maker]) -> None:
    with pytest.raises(Rejected, match="no column with text"):
        convert(as_csv(table(columns)))


def test_a_column_without_texts_is_taken_when_the_task_names_it() -> None:
    rows = table({"url": lambda n: f"https://example.org/{WORDS[n % 30]}/{n}", "label": LABEL})
    task = "type: classification\ncolumns: {text: url}\n"
    assert len(convert(as_csv(rows), task)[1]) == 200


@pytest.mark.parametrize(
    ("outer", "inner", "label"), [("data", "text", "label"), ("example", "content", "annotation")]
)
def test_a_text_inside_of_objects_is_asked_for(outer: str, inner: str, label: str) -> None:
    make = words(8)
    rows = table({"id": lambda n: n, outer: lambda n: {inner: make(n)}, label: LABEL})
    with pytest.raises(Rejected, match=f"inside of the objects in the column '{outer}'"):
        convert(as_json_lines(rows))


@pytest.mark.parametrize(
    ("record", "where"),
    [
        ({"version": 1, "data": [{"text": "a", "label": "x"}]}, "'data'"),
        ({"name": "my own messages", "train": [["a", "x"]], "test": []}, "'train'"),
        ({"text": {"0": "a", "1": "b"}, "label": {"0": "x", "1": "y"}}, "'text' or 'label'"),
    ],
)
def test_one_record_that_holds_all_rows_is_named(record: object, where: str) -> None:
    with pytest.raises(Rejected, match=f"rows are inside of {where}.*orient='records'"):
        convert(json.dumps(record).encode())


@pytest.mark.parametrize(
    ("first", "second", "columns"),
    [
        ("title", "description", {"label": LABEL, "title": words(6), "description": words(9)}),
        ("title", "abstract", {"title": words(4), "abstract": words(60), "category": LABEL}),
        ("text", "text.2", {"text": words(9), "text.2": words(8), "label": LABEL}),
        ("premise", "hypothesis", {"premise": words(20), "hypothesis": words(4), "label": LABEL}),
        ("Betreff", "Inhalt der Mail", {"Betreff": words(6), "Inhalt der Mail": words(9),
                                        "Kategorie": LABEL}),
    ],
)  # fmt: skip
def test_of_two_texts_a_person_chooses_or_has_them_joined(
    first: str, second: str, columns: Mapping[str, Maker]
) -> None:
    with pytest.raises(Rejected) as caught:
        convert(as_csv(table(columns)))
    assert f"hold texts: {first}, {second}" in caught.value.reason
    assert f"`{{type: classification, columns: {{text: [{first}, {second}]}}}}`" in str(
        caught.value
    )


def test_two_chinese_texts_are_two_texts() -> None:
    def text(seed: int) -> Maker:
        return lambda n: "".join(random.Random(n + seed).choices(IDEOGRAPHS, k=12))

    with pytest.raises(Rejected, match="hold texts: 标题, 内容"):
        convert(as_csv(table({"标题": text(0), "内容": text(999), "标签": one_of("好", "坏")})))


def test_texts_that_the_task_names_are_joined() -> None:
    rows = table({"title": words(5), "description": words(9), "label": LABEL})
    task = "type: classification\ncolumns: {text: [title, description]}\n"
    record, examples = convert(as_csv(rows), task)
    assert {f"{row['title']}\n{row['description']}" for row in rows} == examples.keys()
    assert any("put together from" in sentence for sentence in record.explanation)


def test_a_column_to_be_joined_that_is_missing_is_rejected() -> None:
    task = "type: classification\ncolumns: {text: [title, body]}\n"
    with pytest.raises(Rejected, match="'body', but data has title, label"):
        convert(as_csv(table({"title": words(5), "label": LABEL})), task)


@pytest.mark.parametrize(
    ("alike", "columns"),
    [
        (
            "category (3 values), sentiment (2 values)",
            {"text": words(9), "category": LABEL, "sentiment": one_of("pos", "neg")},
        ),
        (
            "type (2 values), queue (3 values)",
            {"body": words(30), "answer": words(40), "type": one_of("a", "b"), "queue": LABEL},
        ),
    ],
)
def test_of_several_labels_a_person_chooses(alike: str, columns: Mapping[str, Maker]) -> None:
    with pytest.raises(Rejected, match=alike.replace("(", r"\(").replace(")", r"\)")):
        convert(as_csv(table(columns)))


def test_a_column_called_label_is_the_label_whatever_is_beside_it() -> None:
    columns = {"text": words(9), "sentiment": one_of("pos", "neg"), "label": LABEL}
    record, _ = convert(as_csv(table(columns)))
    assert set(record.labels) == {"refund", "damage", "praise"}


def test_of_usual_names_the_one_that_holds_labels_wins() -> None:
    columns = {"text": words(9), "category": lambda n: f"c{n}", "sentiment": one_of("pos", "neg")}
    record, _ = convert(as_csv(table(columns)))
    assert set(record.labels) == {"pos", "neg"}


def test_a_label_that_the_file_is_sorted_by_is_not_overlooked() -> None:
    def emotion(n: int) -> str:
        return "joy" if n < 2500 else "anger"

    columns = {"note": words(9), "emotion": emotion, "gender": one_of("m", "f")}
    with pytest.raises(Rejected, match=r"emotion \(1 value\), gender \(2 values\)"):
        convert(as_csv(table(columns, 3000)))


def test_a_column_with_one_value_in_a_small_file_is_no_label() -> None:
    columns = {"note": words(9), "wave": one_of("3"), "mood": one_of("good", "bad")}
    assert set(convert(as_csv(table(columns)))[0].labels) == {"good", "bad"}


@pytest.mark.parametrize(
    "label", [lambda n: [n % 2, 1, 0], lambda n: f"[{n % 2} 1 0]", lambda n: [0.0, n % 2 * 1.0]]
)
def test_lists_of_0_and_1_do_not_name_labels(label: Maker) -> None:
    with pytest.raises(Rejected, match="names of the labels that apply"):
        convert(as_json_lines(table({"text": words(9), "labels": label})))


FLAGS: dict[str, Maker] = {
    "id": lambda n: n, "comment": words(9), "toxic": bits(3), "insult": bits(4), "threat": bits(5),
}  # fmt: skip


def test_columns_of_0_and_1_beside_the_text_are_several_labels() -> None:
    rows = table(FLAGS)
    record, examples = convert(as_csv(rows))
    assert record.task.multi_label
    assert any("columns toxic, insult, threat where" in sentence for sentence in record.explanation)
    named = ("insult", "threat", "toxic")
    wanted = {row["comment"]: [name for name in named if row[name]] for row in rows}
    assert examples == wanted


@pytest.mark.parametrize(
    ("more", "task"),
    [
        ({"lang": one_of("de", "en")}, ""),
        ({"target": bits(6)}, ""),
        ({}, "type: classification\n"),
    ],
)
def test_columns_of_0_and_1_that_could_mean_something_else_are_asked_for(
    more: Mapping[str, Maker], task: str
) -> None:
    with pytest.raises(Rejected, match=r"could hold the label.*with \| between them"):
        convert(as_csv(table({**FLAGS, **more})), task)


def test_declared_labels_are_the_columns_of_0_and_1_that_are_called_so() -> None:
    task = "type: classification\nmulti_label: true\nlabels: [toxic, insult]\n"
    record, _ = convert(as_csv(table(FLAGS)), task)
    assert set(record.labels) == {"toxic", "insult"}


@pytest.mark.parametrize(
    "label",
    [
        one_of("['refund']", "['refund', 'damage']", "['praise']"),
        one_of('{"choices": ["refund", "damage"]}', '{"choices": ["damage", "praise"]}', "refund"),
        one_of("refund", "refund|damage", "damage|praise", "praise", "damage", "praise|refund"),
    ],
)
def test_several_labels_in_a_cell_are_read_as_tools_write_them(label: Maker) -> None:
    record, _ = convert(as_csv(table({"text": words(9), "labels": label})))
    assert record.task.multi_label
    assert set(record.labels) == {"refund", "damage", "praise"}


def test_a_list_of_one_label_is_the_label() -> None:
    label = one_of("['refund']", '["damage"]')
    record, _ = convert(as_csv(table({"text": words(9), "labels": label})))
    assert not record.task.multi_label
    assert set(record.labels) == {"refund", "damage"}


def test_labels_with_commas_are_cut_at_the_mark_of_the_whole_file_only() -> None:
    label = one_of("Health, Beauty", "Toys, Games", "Books", "Health, Beauty|Books",
                   "Toys, Games|Books")  # fmt: skip
    record, _ = convert(as_csv(table({"text": words(9), "label": label})))
    assert set(record.labels) == {"Health, Beauty", "Toys, Games", "Books"}


@pytest.mark.parametrize(
    "label",
    [
        one_of("O", "O", "O", "B-place", "I-place"),
        lambda n: f"['O', 'O', 'B-{'ab'[n % 2]}']",
    ],
)
def test_tags_of_words_are_no_labels(label: Maker) -> None:
    def word(n: int) -> str:
        return WORDS[n % 30] + WORDS[n // 30]

    with pytest.raises(Rejected, match=r"tags of single words.*blank lines between sentences"):
        convert(as_csv(table({"word": word, "tag": label}, 600)))


def test_labels_that_only_look_like_tags_are_labels() -> None:
    record, _ = convert(as_csv(table({"text": words(9), "label": one_of("S-Bahn", "U-Bahn")})))
    assert set(record.labels) == {"S-Bahn", "U-Bahn"}


def test_only_what_reads_as_a_label_is_counted() -> None:
    label = one_of("a", "b", None, "", "x" * 300, ["a", "b"])
    record, _ = convert(as_json_lines(table({"text": words(9), "label": label}, 600)))
    said = next(sentence for sentence in record.explanation if "different labels" in sentence)
    assert "2 different labels in the first " in said
    assert f"the first {sum(sum(found.values()) for found in record.labels.values())} " in said


def test_many_columns_of_many_rows_are_looked_at_in_time() -> None:
    rows = [
        Row(n, {"text": "word " * 2000, **{f"c{n}_{i}": f"v{i}" for i in range(30)}})
        for n in range(2000)
    ]
    with pytest.raises(Rejected, match="…"):
        find_columns(rows, None, "file")
