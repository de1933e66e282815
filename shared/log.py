"""Structured logging: one JSON object a line on stdout, as Cloud Logging reads it.

Pass ids, counts and hashes, never a text, an example or a header. Python's logging module is not
used for this: the functions framework's LOG_EXECUTION_ID raises the root level to WARNING.
See https://cloud.google.com/logging/docs/structured-logging.
"""

import json
import sys
import traceback


def write(severity: str, message: str, **fields: object) -> None:
    """Print one log entry.

    Args:
        severity: A Cloud Logging severity, such as INFO, WARNING or ERROR.
        message: What happened, in words without data.
        fields: Ids, counts and hashes.
    """
    entry = {"severity": severity, "message": message, **fields}
    sys.stdout.write(json.dumps(entry, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def info(message: str, **fields: object) -> None:
    """Log something that went as it should."""
    write("INFO", message, **fields)


def warning(message: str, **fields: object) -> None:
    """Log something that a person may want to look at."""
    write("WARNING", message, **fields)


def failure(message: str, error: BaseException, **fields: object) -> None:
    """Log a bug: the type of the error and where it was raised, but not its text.

    An exception's text can quote a document, so only file names and line numbers are kept.
    """
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]]
    write("ERROR", message, error=type(error).__name__, where=where, **fields)
