"""Command line of the local cloud: python -m local COMMAND."""

import argparse
import logging
import signal
import sys
from pathlib import Path

from local.typed import DEFAULT_FOLDER

INTERRUPTED = 130

EPILOG = """\
examples:
  .venv/bin/python -m local demo
  .venv/bin/python -m local convert reviews.csv
  .venv/bin/python -m local up
  .venv/bin/python -m local run --dataset reviews.csv
  .venv/bin/python -m local run --task task.yaml --dataset tickets.csv --documents inbox/ --json
  .venv/bin/python -m local status
  .venv/bin/python -m local review

Everything runs on this machine. Answers come from a stand-in for Vertex AI that learns from your
data with simple means: it shows that the pipeline works, and says nothing about Gemini.
"""


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m local",
        description="tunedrop on this machine: the five functions in a local cloud.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    up = commands.add_parser(
        "up", help="keep the local cloud up, and watch folders for files", description=_UP
    )
    _add_folder(up)
    up.add_argument("--free-ports", action="store_true",
                    help="take any free ports instead of 8085, 4443 and 8086")  # fmt: skip

    status = commands.add_parser(
        "status",
        help="show the runs, jobs, evaluations and documents of the local cloud that is up",
    )
    _add_folder(status)
    status.add_argument("--json", action="store_true",
                        help="print JSON instead of tables, with every document")  # fmt: skip

    replay = commands.add_parser(
        "replay",
        help="publish again the messages that a function failed for good",
        description="Publish again what `status` shows as given up, to the topics that it came "
        "through. Mend the cause first: the function's log below <folder>/.state/ names it. "
        "A message that is published twice changes nothing. For a deployment on Google Cloud, see "
        "infra/README.md.",
    )
    _add_folder(replay)
    replay.add_argument("--only", metavar="OBJECT", help="only what is about this object, such as "
                        "parcel_questions/soaked.txt")  # fmt: skip

    review = commands.add_parser(
        "review",
        help="look at answers that nobody can trust, and write down what is right",
        description=_REVIEW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_folder(review)
    review.add_argument("--task", metavar="T", help="only this task's documents")
    review.add_argument("--list", action="store_true", help="print what waits, and ask nothing")
    review.add_argument("--json", action="store_true", help="print what waits as JSON")
    review.add_argument("--set", action="append", metavar="DOCUMENT=ANSWER",
                        help="say what is right; as often as you like")  # fmt: skip
    review.add_argument("--accept", action="append", metavar="DOCUMENT",
                        help="say that its answer is right; as often as you like")  # fmt: skip

    run = commands.add_parser(
        "run",
        help="do one task from file to answers, and exit",
        description="Do one task headlessly. Exit status: 0 when there is a verdict and each "
        "document has a result, of which some may be rejections (the table and --json say which), "
        "2 when the labelled file or the task was rejected (the reason is printed), 1 when "
        "something broke.",
    )
    run.add_argument(
        "--dataset",
        type=Path,
        required=True,
        help="the labelled file; docs/intake.md lists the formats",
    )
    run.add_argument("--task", type=Path, help="task.yaml; left out, the task is inferred")
    run.add_argument("--name", help="the task's name (default: from the dataset's file name)")
    run.add_argument(
        "--documents", type=Path, help="a folder of documents to answer, or one document"
    )
    run.add_argument(
        "--out", type=Path, help="where results and artifacts go (default: out/<name>)"
    )
    run.add_argument("--json", action="store_true", help="print a JSON summary on stdout")
    run.add_argument("--timeout", type=float, default=1800, metavar="SECONDS",
                     help="give up waiting after this long (default: %(default)s)")  # fmt: skip

    convert = commands.add_parser(
        "convert",
        help="turn one labelled file into Gemini tuning data, and say what to mend in it",
        description=_CONVERT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    convert.add_argument("file", type=Path, metavar="FILE",
                         help="the labelled file, or a folder that holds it")  # fmt: skip
    convert.add_argument(
        "--task", type=Path,
        help="task.yaml; left out, the one beside the file, else the task is inferred",
    )  # fmt: skip
    convert.add_argument("--name", help="the task's name (default: from the file's name)")
    convert.add_argument("--out", type=Path, help="where it goes (default: out/<name>)")
    convert.add_argument("--json", action="store_true", help="print report.json on stdout")

    demo = commands.add_parser("demo", help="run the three example tasks and show what came out")
    demo.add_argument("--out", type=Path, default=Path("out/demo"), help="default: %(default)s")
    demo.add_argument("--json", action="store_true", help="print JSON summaries on stdout")

    bundle = commands.add_parser(
        "bundle",
        help="write the functions' bundles, ready to be deployed",
        description="Write each function's bundle: what `gcloud functions deploy --source` takes, "
        "and what the local cloud runs.",
    )
    bundle.add_argument(
        "--out", type=Path, default=Path("out/bundles"), help="default: %(default)s"
    )
    return parser


_UP = """\
Keep the local cloud up until Ctrl-C. Put labelled files into <folder>/datasets/<task>/ and
documents into <folder>/documents/<task>/; answers appear in <folder>/results/, reports in
<folder>/artifacts/. The next start finds everything again."""


_REVIEW = """\
Show the answers whose confidence is below serving.review_below, ask what is right, and write it to
<folder>/datasets/<task>/corrections/. While the local cloud is up, that is dropping it there: a new
dataset is made with it, and the ordinary flow decides whether a new model is worth it.

examples:
  .venv/bin/python -m local review
    goes through what waits: type a label or its number, = if the answer is right, Enter to leave it
  .venv/bin/python -m local review --task parcel_questions --list
    prints what waits
  .venv/bin/python -m local review --set soaked.txt=damaged_parcel --accept jam.md
    says it at once; several labels are a,b and fields are {"date": "9 May", "place": null}

For a deployment on Google Cloud, copy its files into a folder of the same form, and give it:
  gcloud storage cp -r gs://PROJECT-results/TASK FOLDER/results/
  .venv/bin/python -m local review --folder FOLDER
  gcloud storage cp FOLDER/datasets/TASK/corrections/*.jsonl gs://PROJECT-datasets/TASK/corrections/
"""


_CONVERT = """\
Do what convert_dataset does in the cloud, with the same code and without any server: read a
labelled file, check it, divide it, and write it as Gemini tuning data with a report.

example:
  .venv/bin/python -m local convert reviews.csv
    reads reviews.csv, with the columns text and label, and prints what should be mended first
  out/reviews/report.html
    says the same as a page
  out/reviews/train.jsonl, validation.jsonl, test.jsonl
    are ready for tuning; quarantine.jsonl has the rows that were left out, with the reason

docs/intake.md lists the formats and the checks, docs/task.md what a task.yaml can say. Exit status:
0 when there is a dataset, 2 when the file was rejected (the reason is printed), 1 when something
broke."""


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER,
                        help="the local cloud's folder (default: %(default)s)")  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says, and return the exit status."""
    options = build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    from local import commands, convert, dead_letters, review, status

    command = {
        "up": commands.up,
        "status": status.status,
        "replay": dead_letters.replay,
        "run": commands.run,
        "review": review.review,
        "convert": convert.convert,
        "demo": commands.demo,
        "bundle": commands.bundle,
    }[options.command]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return command(options)
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
