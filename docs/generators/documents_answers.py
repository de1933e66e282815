"""What docs/documents.md says of answers."""

from docs.generators.markdown import fenced, paragraph
from functions.process_document import alternatives
from functions.watch_jobs import daily, drift


def answers() -> list[str]:
    """Write the sections on answers."""
    return [
        "## Answers",
        paragraph(
            "Sampling stops early, at `serving.stop_at`: with 0.95 after four samples that agree, "
            "or six of seven; decisions/0013-sampling.md has the rule. The samples vote: on the "
            "label; for several labels on each of them, which is in the answer when at least half "
            "of the samples have it; on each field, where spellings of one value (of a date, an "
            "amount, in capitals or not) count together and the most frequent one is taken. The "
            "share of them that agree, of several "
            "labels or fields the lowest one, becomes the `confidence` by the "
            "calibration that was fitted for the champion on validation rows: of answers with this "
            "agreement, such a share was "
            "right. A calibration holds for texts that are asked about in the way that it was "
            "fitted on. With other `serving.samples`, `serving.stop_at` or `serving.temperature`, "
            "for a text in parts or a file, and where none could be fitted, `confidence` is the "
            "`agreement` itself, `calibrated` is false and `calibration_note` says why. "
            "Answers about sentiment can also be rated: the champion is asked in one more "
            "request how likely its answer is right, where its evaluation showed that this makes "
            "the confidence better ([confidence.md](confidence.md)). `rating` is the word that it "
            "said. "
            "`serving.review_below` is held against the confidence that is shown. The confidences "
            "of fields are agreements in any case. `alternatives` are the runners-up with their "
            f"shares of the samples, at most {alternatives.MOST}: other labels, labels that are "
            "not in the answer, or other values of a field. "
            "[documents-throughput.md](documents-throughput.md) says how fast they come."
        ),
        "## Review",
        paragraph(
            "An answer with a confidence below `serving.review_below` has the status `review`. A "
            "minute later it is a line of `results/<task>/review/<day>.jsonl` (the day in UTC), "
            "with the document's address, the text that the model was given, the answer, the "
            "runners-up and an empty `correction`; see [review-line.json](review-line.json). A "
            "document has one line a day. Beyond 10 MB a day's file is followed by "
            "`<day>-2.jsonl`, and so on up to five."
        ),
        paragraph(
            "Write the right answer into `correction`, and put the file into "
            "`datasets/<task>/corrections/`, under any name. For one label:"
        ),
        fenced("json", '{"document": "…", "text": "…", "answer": "owl", "correction": "crow"}'),
        paragraph(
            "For several labels it is a list, for fields an object with those that are wrong; "
            "`null` there means that the text does not give the field. To say that an answer is "
            "right, repeat it. Lines without a correction are left alone."
        ),
        paragraph(
            "A new dataset is made of the task's latest labelled file and all of its corrections, "
            "and goes the ordinary way: prompting is measured, and tuning follows if the task "
            "wants it. Later labelled files take the corrections along. Of two corrections of one "
            "text, or of one document that was not replaced in between, the later counts; of a "
            "document that was, each generation's. A correction wins over a row of the labelled "
            "file with the same text, which goes to quarantine as `corrected`. Corrections are for "
            "training, but for the share `split.test` of them, by the same hash of the text as "
            "ever: there it shows what they were worth. A near copy of a row stays in that row's "
            "split. A line that cannot be used, such as one with a label that the task does not "
            "have, goes to quarantine; the detail names the file, the line and the remedy. A file "
            "of which nothing can be used is rejected, and the dataset stays as it was. "
            "[14. Review](decisions/0014-review.md) has the reasons."
        ),
        "## At a day's end",
        paragraph(
            "Three things are done once a day (UTC) is over, by the first ticks of the next one, "
            "each only where the task asks for it."
        ),
        paragraph(
            "`serving.review_share: 0.02` sends the least sure two in a hundred of the day's "
            "answers to review, of those that were accepted; their lines are in the day's review "
            "file. `serving.daily_export: csv` or `jsonl` writes the day's answers and rejections "
            "into `results/<task>/daily/<day>.csv` or `.jsonl`, without texts. In the CSV an "
            "extraction has a column for each field, and a cell that begins with `=`, `+`, `-`, "
            "`@`, a tab or a line end gets an apostrophe before it, so that no spreadsheet runs "
            f"it. Up to {daily.MOST_ANSWERS:,} answers of a task and day are gathered."
        ),
        paragraph(
            "Storage lists by name and not by time. So for any of the three, drift being looked at "
            "unless a task turns it off, all results that the task ever had are listed once a day: "
            "a request for each 1,000 of them, a cent or less for a million, and a minute of CPU. "
            "The memory that it takes does not grow with them. A task whose results take more "
            f"than {daily.LISTING_SECONDS:.0f} seconds to be listed is left out that day, and the "
            "log says so; `delete_documents_after_days` keeps them few "
            "([infra/README.md](../infra/README.md))."
        ),
        paragraph(
            f"Drift: the champion's latest {drift.RECENT} answers to whole texts, out of the "
            f"task's latest {daily.MOST_LISTED:,} results, are held against its evaluation, "
            "validation and test rows together, if there are "
            f"{drift.LEAST} of each. The shares of labels are compared by Pearson's chi-squared "
            "test; with several labels a text, or fields, how often each label is among the "
            "answers or each field has a value, and the p-value is corrected for their number. "
            "The agreement of samples is compared by the Kolmogorov-Smirnov test, among answers "
            "that were asked for as those rows were. A p-value below `serving.drift_alert` "
            "(halved, when there are both) is drift: it is "
            "told once, as the fact `answers-drifted` with the figures, and "
            "`python -m local status` shows it until it has gone. The record is "
            "`tasks/<task>/drift.json` in the artifacts bucket. Drift says that what comes in is "
            "not what the champion was measured on, not that its answers are wrong: look at the "
            "review file, and label some of it."
        ),
        "## Before there is a champion",
        paragraph(
            "A document waits for the champion, with a result that says so. With "
            "`serving.before_champion: answer`, and labels or fields in task.yaml, the task's base "
            "model answers it zero-shot at once, and the result is `provisional`. That is off "
            "unless a task asks for it, because such a document is paid for twice and nobody has "
            "measured the first answer. At the first tick after a champion is promoted, each "
            "waiting and each provisionally answered document is published again; what the "
            "champion makes of it, a rejection included, replaces what was there, once. A document "
            "that was rejected before is not looked at again, as the reason lies in the document. "
            "The key concerns documents that arrive from then on: one that waits goes on waiting."
        ),
    ]
