"""The remote procedures of a provider: messages to and from its logic."""

from typing import Any

from tests.infra.provider.messages import message
from tests.infra.provider.provider import Provider, Refused
from tests.infra.provider.schemas import Block
from tests.infra.provider.values import Object, decode, encode
from tests.infra.provider.wire import Problem, add_problems, attribute_path, schema_message


class ProviderService:
    """Answers Terraform's calls for one provider.

    Terraform opens a connection for each configuration of a provider, so that the address at
    its other end tells whose configuration counts.
    """

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._settings: dict[str, Object] = {}
        self._schema = self._schema_response()

    def GetProviderSchema(self, _: Any, __: Any) -> Any:  # noqa: N802
        """Return all schemas."""
        return self._schema

    def ValidateProviderConfig(self, _: Any, __: Any) -> Any:  # noqa: N802
        """Find nothing wrong with the provider's block beyond what its schema says."""
        return message("ValidateProviderConfig.Response")()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Keep the provider's block."""
        self._settings[context.peer()] = decode(request.config) or {}
        return message("ConfigureProvider.Response")()

    def ValidateResourceConfig(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Check a resource's block."""
        response = message("ValidateResourceConfig.Response")()
        problems = self.provider.validate_resource(request.type_name, decode(request.config))
        add_problems(response.diagnostics, problems)
        return response

    def ValidateDataResourceConfig(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Check a data source's block."""
        response = message("ValidateDataResourceConfig.Response")()
        problems = self.provider.validate_data(request.type_name, decode(request.config))
        add_problems(response.diagnostics, problems)
        return response

    def UpgradeResourceState(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Return a stored state as it is, without what the schema no longer has."""
        block = self.provider.schema.resources[request.type_name]
        stored = decode(message("DynamicValue")(json=request.raw_state.json))
        known = {*block.attributes, *block.blocks}
        state = {name: value for name, value in stored.items() if name in known}
        return message("UpgradeResourceState.Response")(
            upgraded_state=encode({**empty(block), **state})
        )

    def ReadResource(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Find a resource as it was left: nobody else changes anything here."""
        return message("ReadResource.Response")(
            new_state=request.current_state, private=request.private
        )

    def PlanResourceChange(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Plan a resource's creation, change or end."""
        response = message("PlanResourceChange.Response")()
        proposed = decode(request.proposed_new_state)
        if proposed is None:
            response.planned_state.CopyFrom(request.proposed_new_state)
            return response
        config, prior = decode(request.config), decode(request.prior_state)
        settings = self._settings.get(context.peer(), {})
        try:
            plan = self.provider.plan(request.type_name, config, prior, proposed, settings)
        except Refused as refused:
            add_problems(response.diagnostics, [refused.problem])
            return response
        response.planned_state.CopyFrom(encode(plan.planned))
        response.requires_replace.extend(attribute_path((name,)) for name in plan.replaced_by)
        return response

    def ApplyResourceChange(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Carry out what was planned."""
        response = message("ApplyResourceChange.Response")()
        planned = decode(request.planned_state)
        if planned is None:
            response.new_state.CopyFrom(request.planned_state)
            return response
        settings = self._settings.get(context.peer(), {})
        try:
            state = self.provider.apply(request.type_name, planned, settings)
        except Refused as refused:
            response.new_state.CopyFrom(request.prior_state)
            add_problems(response.diagnostics, [refused.problem])
            return response
        response.new_state.CopyFrom(encode(state))
        return response

    def ReadDataSource(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Read a data source."""
        response = message("ReadDataSource.Response")()
        settings = self._settings.get(context.peer(), {})
        try:
            state = self.provider.read_data(request.type_name, decode(request.config), settings)
        except Refused as refused:
            add_problems(response.diagnostics, [refused.problem])
            return response
        response.state.CopyFrom(encode(state))
        return response

    def ImportResourceState(self, _: Any, __: Any) -> Any:  # noqa: N802
        """Refuse: what was made elsewhere is not known here."""
        response = message("ImportResourceState.Response")()
        add_problems(response.diagnostics, [Problem("This stand-in cannot import.")])
        return response

    def StopProvider(self, _: Any, __: Any) -> Any:  # noqa: N802
        """Stop what is under way: nothing is."""
        return message("StopProvider.Response")()

    def _schema_response(self) -> Any:
        """Write all schemas, once."""
        schema = self.provider.schema
        response = message("GetProviderSchema.Response")()
        response.provider.CopyFrom(schema_message(schema.configuration))
        for name, block in schema.resources.items():
            response.resource_schemas[name].CopyFrom(schema_message(block))
        for name, block in schema.data_sources.items():
            response.data_source_schemas[name].CopyFrom(schema_message(block))
        return response


def empty(block: Block) -> Object:
    """Return a block's value with nothing in it."""
    return {
        **dict.fromkeys(block.attributes),
        **{
            name: None if nested.nesting == "single" else []
            for name, nested in block.blocks.items()
        },
    }
