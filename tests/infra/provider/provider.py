"""What a stand-in for a provider has to do, whatever it stands in for."""

from dataclasses import dataclass, field
from typing import Protocol

from tests.infra.provider.schemas import ProviderSchema
from tests.infra.provider.values import Object
from tests.infra.provider.wire import Problem


class Refused(Exception):
    """The provider cannot do it; Terraform shows the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.summary)
        self.problem = problem


@dataclass(frozen=True)
class Plan:
    """What a resource is to become, and which of its attributes make it a new one."""

    planned: Object
    replaced_by: list[str] = field(default_factory=list)


class Provider(Protocol):
    """The logic of a provider. `settings` is the configuration of the provider's block."""

    schema: ProviderSchema

    def validate_resource(self, type_name: str, config: Object) -> list[Problem]:
        """List what is wrong with a resource's block."""

    def validate_data(self, type_name: str, config: Object) -> list[Problem]:
        """List what is wrong with a data source's block."""

    def plan(
        self,
        type_name: str,
        config: Object,
        prior: Object | None,
        proposed: Object,
        settings: Object,
    ) -> Plan:
        """Say what a resource is to become; `prior` is None for one that is to be created."""

    def apply(self, type_name: str, planned: Object, settings: Object) -> Object:
        """Make what is planned, and return it with nothing unknown in it."""

    def read_data(self, type_name: str, config: Object, settings: Object) -> Object:
        """Read a data source."""
