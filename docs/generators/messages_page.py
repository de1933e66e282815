"""docs/messages.md: what people may publish, and the facts they may listen to."""

import json
from collections.abc import Mapping
from typing import get_args

from docs.generators.markdown import fenced, generated_from, page, paragraph, table
from docs.generators.source import published_facts
from docs.generators.task_page import model_table
from functions.launch_tuning.request import Approval, Cancellation, TuningRequested
from shared.facts import TOPIC, Fact, Happening

TUNING = {"task": "parcel_questions"}
TUNING_FULL = {
    "task": "parcel_questions",
    "dataset": "1f0c3a5b7d9e",
    "base_model": "gemini-3.5-flash-lite",
    "sweep": {"epoch_count": [2, 4], "learning_rate_multiplier": [1], "adapter_size": [1, 4]},
    "checkpoints": "all",
    "budget_usd": 20,
    "dry_run": True,
    "lineage": "asked for by hand",
}
APPROVAL = {"task": "parcel_questions", "approve": "5b1d0c9e7f3a"}
CANCELLATION = {"task": "parcel_questions", "cancel": "5b1d0c9e7f3a"}
PROMOTION = {"task": "parcel_questions", "dataset": "1f0c3a5b7d9e", "candidate": "few-shot"}
ROLLBACK = {"task": "parcel_questions", "rollback": True}
PROMOTION_KEYS = {
    "task": "The task's name.",
    "dataset": "The id of the dataset that the candidate was measured on.",
    "candidate": "The candidate's name, as reports and verdicts have it: a prompting strategy such "
    "as `few-shot`, or a tuned model such as `tuned-e4-m1-a1`.",
    "run": "The run that tuned it: only when several runs have a model of that name.",
    "rollback": "true: go back to the champion before this one. Only `task` may stand beside it.",
}

FACTS: dict[Happening, str] = {
    "dataset-converted": "An upload became a dataset.",
    "prompting-measured": "The prompting candidates were measured on validation.",
    "run-planned": "A tuning run was recorded and its jobs will be started.",
    "run-estimated": "A dry run was asked for: this is what it would be and cost. Nothing was "
    "recorded, reserved or started.",
    "run-waiting": "A tuning run is over one of its task's budgets and waits for a person. No "
    "money is reserved for it.",
    "run-refused": "A tuning run would have cost more than its budget. No job was created.",
    "run-cancelled": "A person cancelled a tuning run. What waited is not started, what ran is "
    "cancelled.",
    "job-stuck": "A tuning job has shown no progress for a long time. It is told once, and again "
    "if the job moves and stops once more.",
    "job-ended": "A tuning job came to an end, good or bad.",
    "batch-ended": "A batch prediction job came to an end, good or bad. What waits for it goes on.",
    "verdict-reached": "It was decided which candidate should serve.",
    "champion-promoted": "A candidate became the task's champion.",
    "document-answered": "A document's answer was written.",
    "document-divided": "All rows of a file of many documents have their results.",
    "answers-drifted": "A task's latest answers are unlike those that its champion was measured "
    "by; docs/documents.md says how that is found. It is told once, and again if it goes and comes "
    "back.",
    "input-rejected": "Something that came in is wrong, and trying again will not help.",
}
DETAILS = {
    "dataset": "id of the dataset",
    "rows": "rows in the upload, or in the file of documents; of drift, evaluated rows",
    "quarantined": "rows that were set aside, with reasons in the data report",
    "best": "name of the best prompting candidate",
    "figure": "its figure, in the task's primary metric",
    "tuning": "whether tuning was asked for because of it",
    "run": "id of the run; empty when there is none",
    "jobs": "how many jobs the plan has",
    "estimated_usd": "what the run is estimated to cost, in US dollars",
    "estimated_low_usd": "the least that is likely",
    "estimated_high_usd": "the most that is likely; budgets are held against it",
    "plan_note": "why these configurations",
    "price_note": "how the price was reckoned",
    "reason": "what keeps it from starting, with the figures",
    "job": "id of the job",
    "state": "the state it is in, or ended in; see [lifecycle.md](lifecycle.md)",
    "batch": "id of the batch",
    "lines": "how many requests it holds",
    "epochs_done": "how many epochs the service shows as done",
    "decision": "`promote_tuned`, `keep_prompting`, `not_enough_data` or `below_target`",
    "winner": "name of the candidate that should serve",
    "superseded": "whether the task has gone on to another dataset, so that nothing was promoted",
    "candidate": "name of the candidate",
    "result": "path of the answer in the results bucket; see [result.json](result.json)",
    "status": "`accepted` or `review`",
    "confidence": "the answer's confidence, 0 to 1",
    "provisional": "whether it was given before there was a champion, which will answer again",
    "answers": "how many of the latest answers were looked at",
    "label_shift": "the largest difference of a label's share, or of a field's share of answers",
    "label_p": "its p-value",
    "agreement_shift": "the largest difference of the agreement's distribution functions",
    "agreement_p": "its p-value",
    "function": "the function that refused it",
    "record": "path in the artifacts bucket of the record that says why, and what to do",
}
WHOLE = {"dataset-converted": "`train`, `validation`, `test`: examples in that split"}

_CLIENT = """
import json
import os

os.environ["PUBSUB_EMULATOR_HOST"] = "127.0.0.1:8085"  # the local cloud; leave out on Google Cloud

from google.cloud import pubsub_v1

publisher = pubsub_v1.PublisherClient()
topic = publisher.topic_path("local", "tuning-requested")
message = MESSAGE
print(publisher.publish(topic, json.dumps(message).encode()).result())
"""


def messages_page() -> str:
    """Write the page.

    Raises:
        ValueError: A fact or detail is published that this module does not explain, or the other
            way round.
    """
    return page(
        generated_from(
            "functions/launch_tuning/request.py",
            "shared/facts.py",
            "docs/generators/messages_page.py",
        ),
        "# Messages",
        paragraph(
            "Most of tunedrop is used by dropping files. Two things are asked for by publishing a "
            "JSON message, and everything that happens can be listened to. If the deployment has a "
            "topic prefix, put it before each topic's name. A message that is wrong is not "
            "redelivered: the reason is kept in the artifacts bucket below `rejected/`."
        ),
        "## tuning-requested",
        paragraph(
            "Tunes on a dataset. What is left out is taken from the task's `tuning` section. The "
            "same request again finds its run and changes nothing; a run that was refused, waits "
            "or came to nothing is decided on anew. With `dry_run`, the fact `run-estimated` says "
            "what the run would be and cost, and nothing else happens. "
            "Schema: [tuning-requested.json](tuning-requested.json)."
        ),
        model_table(TuningRequested, "task.md"),
        "The least, and everything:",
        fenced(
            "sh",
            f"{_gcloud('tuning-requested', TUNING)}\n\n{_gcloud('tuning-requested', TUNING_FULL)}",
        ),
        "### To approve or cancel a run",
        paragraph(
            "With `tuning.over_budget: ask`, a run over one of the task's budgets waits, and the "
            "fact `run-waiting` names it. Approving it lifts the run's and the task's budget, "
            "never the deployment's. Cancelling works on a run that waits or is open: jobs that "
            "wait are not started, those that run are cancelled. Only `task` may stand beside "
            "`approve` or `cancel`."
        ),
        model_table(Approval, "task.md"),
        fenced("sh", _gcloud("tuning-requested", APPROVAL)),
        model_table(Cancellation, "task.md"),
        fenced("sh", _gcloud("tuning-requested", CANCELLATION)),
        "From Python, in the local cloud that `make local` keeps up:",
        fenced("python", _CLIENT.replace("MESSAGE", json.dumps(TUNING))),
        "## promotion-requested",
        paragraph(
            "Makes a candidate the champion by hand, such as when the task says "
            "`evaluation.promote: by_hand`. The candidate must have been measured on that dataset; "
            "the first three keys are needed. A champion's record, `tasks/<task>/champion.json` in "
            "the artifacts bucket, holds its history."
        ),
        table(("key", "meaning"), [(f"`{key}`", text) for key, text in PROMOTION_KEYS.items()]),
        fenced("sh", _gcloud("promotion-requested", PROMOTION)),
        "### To roll back",
        paragraph(
            "The champion before this one serves again. If its endpoint was given up, the one "
            "before it does; `tuning.keep_endpoints` says which endpoints are kept. A second "
            "rollback goes one further back, and the same message delivered twice only once."
        ),
        fenced("sh", _gcloud("promotion-requested", ROLLBACK)),
        paragraph(
            'From Python it is published as above, with `"promotion-requested"` for the topic.'
        ),
        f"## {TOPIC}",
        paragraph(
            "One fact for everything that happened, as JSON. A fact may arrive twice. Facts hold "
            "ids, counts and figures, never a text. Schema: "
            "[pipeline-event.json](pipeline-event.json)."
        ),
        fenced(
            "sh",
            "gcloud pubsub subscriptions create my-facts --topic=pipeline-events\n"
            "gcloud pubsub subscriptions pull my-facts --auto-ack --limit=20",
        ),
        table(("key", "meaning"), _fact_keys()),
        "`details` depends on the fact:",
        table(("fact", "what happened", "details"), _fact_rows()),
    )


def _gcloud(topic: str, message: Mapping[str, object]) -> str:
    return f"gcloud pubsub topics publish {topic} --message='{json.dumps(message)}'"


def _fact_keys() -> list[tuple[str, str]]:
    return [
        (f"`{name}`", field.description or "The version of this schema.")
        for name, field in Fact.model_fields.items()
    ]


def _fact_rows() -> list[tuple[str, str, str]]:
    """Explain the facts that the product's code publishes."""
    published = published_facts()
    if set(published) != set(FACTS) or set(FACTS) != set(get_args(Happening)):
        wrong = sorted(set(published) ^ set(FACTS) | set(FACTS) ^ set(get_args(Happening)))
        raise ValueError(f"published, declared or explained, but not all three: {wrong}")
    used = {detail for details in published.values() for detail in details} - {"", "**"}
    if used != set(DETAILS):
        raise ValueError(f"details published or explained, but not both: {used ^ set(DETAILS)}")
    if {fact for fact, details in published.items() if "**" in details} != set(WHOLE):
        raise ValueError("WHOLE does not name the facts that are given a whole mapping")
    return [
        (f"`{fact}`", text, _details(fact, set(published[fact]) - {"", "**"}))
        for fact, text in FACTS.items()
    ]


def _details(fact: str, names: set[str]) -> str:
    lines = [f"`{name}`: {text}" for name, text in DETAILS.items() if name in names]
    return "<br>".join([*lines, *([WHOLE[fact]] if fact in WHOLE else [])])
