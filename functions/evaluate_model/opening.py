"""Opens the test split: once a run, for its finalists, and a record says so.

A candidate that was chosen after somebody had looked at test figures would look better than it is.
So the finalists are named before the first test row is asked, by a write that only one delivery
wins; whoever comes with others later is refused. As long as no tuned model is named, only a prompt
was measured and nothing compared, so that a tuned model, or another prompt, may still come.
"""

from functions.evaluate_model.bench import Bench
from functions.evaluate_model.candidates import candidate_key
from shared import log, paths
from shared.errors import Rejected, Retry
from shared.record_store import change, read
from shared.records import Candidate, ChampionRecord, Opening


class NotOpened(Retry):
    """The test split was not opened for a candidate; the next delivery looks at everything anew."""


class Refused(Rejected):
    """The test split was opened for others."""


def open_test(bench: Bench, prompt: Candidate, tuned: Candidate | None) -> Opening:
    """Open the test split for these finalists; for the same ones again is fine.

    Returns:
        The record as it is. It may say that the tuned finalist is gone; then another may come.

    Raises:
        Refused: It was opened for others.
    """
    dataset = bench.dataset
    prompt_key = candidate_key(prompt, dataset)
    tuned_key = candidate_key(tuned, dataset) if tuned else ""
    serving = _serving(bench)
    wanted = Opening(
        task_name=dataset.task_name,
        dataset=dataset.id,
        run=bench.run,
        prompt=prompt_key,
        tuned=tuned_key,
        serving=serving,
        at=bench.world.clock(),
    )

    def admit(old: Opening | None) -> Opening | None:
        if old is None:
            return wanted
        also = tuple(dict.fromkeys((*old.serving, *serving)))
        if tuned_key in old.gone:
            return None
        if (prompt_key, tuned_key) == (old.prompt, old.tuned):
            return old.model_copy(update={"serving": also})
        if old.tuned:
            raise _refusal(old, prompt_key, tuned_key)
        return wanted.model_copy(update={"gone": old.gone, "serving": also})

    opened = change(bench.world.buckets.artifacts, _path(bench), Opening, admit) or wanted
    log.info("test split opened", task=dataset.task_name, dataset=dataset.id, run=bench.run)
    return opened


def give_way(bench: Bench, tuned: Candidate, reason: str) -> None:
    """Note that a tuned finalist could not be asked, so that the next best takes its place.

    Raises:
        Refused: There are test figures of it, from when it could still be asked.
    """
    key = candidate_key(tuned, bench.dataset)

    def leave(old: Opening | None) -> Opening | None:
        if old is None or old.tuned != key:
            return None
        if _was_measured(bench, key):
            raise _refusal(old, old.prompt, "the next best model")
        return old.model_copy(update={"tuned": "", "gone": {**old.gone, key: reason}})

    change(bench.world.buckets.artifacts, _path(bench), Opening, leave)


def met_before(bench: Bench) -> int:
    """Count the tuned models of other runs that had met the test rows when this run opened them.

    With each of them a lucky winner becomes likelier, so a verdict allows for them. Of two runs
    that overlap, whichever opens the split later counts the other, whenever either was asked for.
    """
    artifacts, task = bench.world.buckets.artifacts, bench.dataset.task_name
    mine = read(artifacts, _path(bench), Opening)
    names = [stored.name for stored in artifacts.list(f"tasks/{task}/runs/")]
    opened = {
        other.run: other.tuned
        for name in names
        if name == paths.opening(paths.run_folder(task, name.split("/")[3]))
        and (other := read(artifacts, name, Opening))
        and (mine is not None and other.at <= mine.at)
        and (other.dataset == bench.dataset.id and other.run != bench.run)
    }
    met = {(run, key) for run, key in opened.items() if key}
    for name in names:
        _, _, _, run, *below = name.split("/")
        match below:
            case ["evaluations", key, how, "evaluation.json"]:
                if run in opened and how.startswith("test-"):
                    met.add((run, key))
    return len(met)


def check_opened(bench: Bench, candidate: Candidate) -> None:
    """Make sure that the test split was opened for a candidate. Raises NotOpened."""
    opened = read(bench.world.buckets.artifacts, _path(bench), Opening)
    key = candidate_key(candidate, bench.dataset)
    if opened is None or key not in {opened.prompt, opened.tuned, *opened.serving}:
        raise NotOpened(f"{_path(bench)} does not name {key}: its test rows must not be asked.")


def _path(bench: Bench) -> str:
    task = bench.dataset.task_name
    if bench.run:
        return paths.opening(paths.run_folder(task, bench.run))
    return paths.opening(paths.dataset_folder(task, bench.dataset.id))


def _serving(bench: Bench) -> tuple[str, ...]:
    """Return the champion's key if it is a tuned model of another run on the same dataset."""
    path = paths.champion(bench.dataset.task_name)
    champion = read(bench.world.buckets.artifacts, path, ChampionRecord)
    if champion is None or champion.candidate.kind != "tuned":
        return ()
    if champion.dataset != bench.dataset.id or champion.candidate.run == bench.run:
        return ()
    return (candidate_key(champion.candidate, bench.dataset),)


def _was_measured(bench: Bench, key: str) -> bool:
    """Whether there are test figures of a tuned finalist, however it was asked."""
    owner = paths.run_folder(bench.dataset.task_name, bench.run)
    found = bench.world.buckets.artifacts.list(paths.evaluation_folder(owner, key, "test-"))
    return any(item.name.endswith("/evaluation.json") for item in found)


def _refusal(old: Opening, prompt: str, tuned: str) -> Refused:
    return Refused(
        f"The test split of the dataset {old.dataset} was opened for {old.prompt} and {old.tuned} "
        f"in the run {old.run}; {prompt} and {tuned or 'no tuned model'} cannot be compared on it.",
        "What was decided stands. Start another run, or upload a file with further examples.",
    )
