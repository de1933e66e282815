"""Makes the prompting candidates, and names what a candidate was asked with."""

from functions.evaluate_model.bench import Bench
from functions.evaluate_model.shown import Shown, choose_shown
from shared import paths
from shared.candidates import base_candidate, prompt_hash
from shared.errors import Conflict
from shared.example_pool import write_pool
from shared.examples import Answer
from shared.paths import content_id
from shared.ports import Bucket
from shared.records import Candidate, DatasetRecord, Shot
from shared.task import Strategy, Task


def prompting_candidates(bench: Bench) -> list[Candidate]:
    """Make a candidate of each of the task's prompting strategies.

    Raises:
        Rejected: The base model is not known in the region.
    """
    policy, artifacts = bench.policy, bench.world.buckets.artifacts
    shown = choose_shown(artifacts, bench.dataset, policy.prompting.examples)
    region = bench.world.settings.location
    return [
        prompting_candidate(strategy, policy, region, shown, artifacts, bench.dataset)
        for strategy in policy.prompting.strategies
    ]


def prompting_candidate(
    strategy: Strategy,
    policy: Task,
    region: str,
    shown: Shown,
    artifacts: Bucket,
    dataset: DatasetRecord,
) -> Candidate:
    """Make the candidate of a prompting strategy.

    Raises:
        Rejected: The base model is not known in the region.
    """
    plain = base_candidate(strategy, policy.tuning.base_model, region).model_copy(
        update={"list_fields": shown.list_fields}
    )
    if strategy == "few-shot":
        shots = tuple(Shot(text=shot.text, answer=_plain(shot.answer)) for shot in shown.shots)
        return plain.model_copy(update={"shots": shots})
    if strategy == "nearest-examples":
        pool = _keep_pool(artifacts, dataset, shown)
        return plain.model_copy(update={"pool": pool, "nearest": policy.prompting.examples})
    if strategy == "chain-of-thought":
        return plain.model_copy(update={"reasons": True})
    return plain


def candidate_key(candidate: Candidate, dataset: DatasetRecord) -> str:
    """Name a candidate together with its model and prompt, so that answers are never mixed up."""
    fixed = prompt_hash(candidate, dataset.task)
    return f"{candidate.name}-{content_id(candidate.model, fixed)[:8]}"


def _keep_pool(artifacts: Bucket, dataset: DatasetRecord, shown: Shown) -> str:
    """Store the examples to pick from, and return where they are."""
    content = write_pool(shown.pool)
    name = content_id(content.decode())
    path = paths.example_pool(dataset.task_name, dataset.id, name)
    try:
        artifacts.write(path, content, if_generation=0, content_type="application/jsonl")
    except Conflict:
        # The name says the content, so it is there already.
        return path
    return path


def _plain(answer: Answer) -> Answer:
    return dict(answer) if not isinstance(answer, str | list) else answer
