"""What every part of task.yaml is made of."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def as_text(value: object) -> object:
    """Take a number in YAML for the text it was written as; refuse yes, no, on and off."""
    if isinstance(value, bool):
        raise ValueError("YAML reads this word as true or false; put it in quotes")
    return str(value) if isinstance(value, int | float) else value


def as_off(value: object) -> object:
    """Take YAML's false for the word off, which it stands for."""
    return "off" if value is False else value


def as_switch(value: object) -> object:
    """Take YAML's true and false for the words on and off."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


Name = Annotated[str, BeforeValidator(as_text), Field(min_length=1, max_length=200)]


class Part(BaseModel):
    """A part of task.yaml: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
