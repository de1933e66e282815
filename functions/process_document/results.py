"""Writes results, each once, and says so."""

from shared import open_work, paths
from shared.errors import Rejected
from shared.facts import publish_fact
from shared.ports import World
from shared.record_store import change, read
from shared.records import ResultRecord


def keep(world: World, result: ResultRecord) -> bool:
    """Write a result, unless a final one of the same or any of a later generation is there.

    Returns:
        Whether it was written.

    Raises:
        Rejected: Its place is taken: a file of many documents has the name of a folder.
    """

    def newer(old: ResultRecord | None) -> ResultRecord | None:
        if old is not None and (old.row is None) != (result.row is None):
            raise Rejected(
                f"The result of {result.document} would take the place of another document's: a "
                "file of many documents and a folder have the same name.",
                "Give one of them another name.",
            )
        if old is None or old.generation < result.generation:
            return result
        return result if old.generation == result.generation and _gives_way(old, result) else None

    path = paths.result(result.document)
    return change(world.buckets.results, path, ResultRecord, newer) == result


def _gives_way(old: ResultRecord, new: ResultRecord) -> bool:
    """Whether a result only stood in for another one of the same generation.

    What waits gives way to anything; a provisional answer to what the champion makes of the
    document, its rejection included.
    """
    if old.status == "waiting":
        return True
    return old.provisional and not new.provisional and new.status != "waiting"


def tell(world: World, result: ResultRecord) -> None:
    """Do what follows from a result that is written; a second delivery repairs what a crash cut.

    The fact may therefore be published twice. An answer to be reviewed is marked, and the watcher
    puts it into the day's review file; marked twice, it is there once.
    """
    if result.status == "review":
        identifier = paths.content_id(result.document, result.generation, result.provisional)
        event = {"document": result.document}
        open_work.begin(world, "review", result.task_name, identifier, event)
    if result.status == "divided":
        publish_fact(
            world.publisher,
            "document-divided",
            world.clock(),
            task=result.task_name,
            result=paths.result(result.document),
            rows=result.rows or 0,
        )
    elif result.status != "rejected":
        publish_fact(
            world.publisher,
            "document-answered",
            world.clock(),
            task=result.task_name,
            result=paths.result(result.document),
            status=result.status,
            confidence=result.confidence,
            provisional=result.provisional,
        )


def forget_rows(world: World, document: str, beyond: int) -> None:
    """Delete the results of a table's rows that it had before it was replaced, and has no more.

    Args:
        world: Where things are.
        document: The table's name.
        beyond: The number of its last row now; 0 when it is no table any more.
    """
    results = world.buckets.results
    prefix, suffix = f"{document}/", ".json"
    for found in list(results.list(prefix)):
        row = found.name.removeprefix(prefix).removesuffix(suffix)
        if not row.isdecimal() or int(row) <= beyond:
            continue
        record = read(results, found.name, ResultRecord)
        if record is not None and record.row is not None:
            results.delete(found.name)
