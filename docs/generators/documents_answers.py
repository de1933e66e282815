"""What docs/documents.md says of answers."""

from docs.generators.markdown import paragraph
from functions.process_document import alternatives


def answers() -> list[str]:
    """Write the sections on answers."""
    return [
        "## Answers",
        paragraph(
            "Sampling stops early, at `serving.stop_at`: with 0.95 after four samples that agree, "
            "or six of seven; decisions/0013-sampling.md has the rule. The samples vote: on the "
            "label; for several labels on each of them, which is in the answer when at least half "
            "of the samples have it; on each field. The share of them that agree, of several "
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
