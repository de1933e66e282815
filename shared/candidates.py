"""How a candidate is asked: the same in evaluation and in serving."""

from shared.examples import Example
from shared.prompts import Prompt, prompted, tuned_prompt
from shared.records import Candidate
from shared.task import Task


def prompt_of(candidate: Candidate, task: Task, text: str) -> Prompt:
    """Make the prompt that a candidate is asked with about a text."""
    if candidate.kind == "tuned":
        return tuned_prompt(task, text)
    return prompted(task, text, shots_of(candidate))


def shots_of(candidate: Candidate) -> list[Example]:
    """Return the examples inside of a candidate's prompt."""
    return [Example(shot.text, shot.answer) for shot in candidate.shots]
