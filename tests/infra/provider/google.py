"""A stand-in for hashicorp/google: it keeps to the schema and to a few of its rules, offline."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.infra.provider import uploads
from tests.infra.provider.identities import email_of, name_for, project_number
from tests.infra.provider.planning import fill_in, fixed_changes, planned_state, with_defaults
from tests.infra.provider.provider import Plan, Refused
from tests.infra.provider.rules import broken_rules
from tests.infra.provider.schemas import Block, google_schema
from tests.infra.provider.values import Object, elements, is_unknown
from tests.infra.provider.wire import Problem, Steps

PLAUSIBLE: dict[str, Any] = {"string": "", "number": 0, "bool": False}


class GoogleProvider:
    """Plans and applies resources of Google Cloud without Google Cloud."""

    def __init__(self, version: str, folder: Path) -> None:
        schema = google_schema(version)
        self.schema = replace(schema, resources=with_defaults(schema.resources))
        self._folder = folder

    def validate_resource(self, type_name: str, config: Object) -> list[Problem]:
        """Check the rules that the schema cannot express."""
        block = self.schema.resources[type_name]
        return [*_unconfigurable(block, config, ()), *broken_rules(type_name, config)]

    def validate_data(self, type_name: str, config: Object) -> list[Problem]:
        """Check that nothing is set that is only read."""
        return _unconfigurable(self.schema.data_sources[type_name], config, ())

    def plan(
        self,
        type_name: str,
        config: Object,
        prior: Object | None,
        proposed: Object,
        settings: Object,
    ) -> Plan:
        """Plan a resource; what is not configured is decided by Google, that is, later."""
        block = self.schema.resources[type_name]
        planned = planned_state(type_name, block, config, prior, proposed)
        fill_in(type_name, config, planned, settings)
        if type_name == uploads.TYPE:
            uploads.plan_upload(planned, self._folder)
        if prior is None:
            return Plan(planned)
        return Plan(planned, fixed_changes(type_name, block, prior, planned))

    def apply(self, type_name: str, planned: Object, settings: Object) -> Object:
        """Decide everything that the plan had left open."""
        state = dict(planned)
        project = state.get("project") or settings.get("project") or "no-project"
        if type_name == "google_service_account":
            state["email"] = email_of(state["account_id"], project)
            state["member"] = f"serviceAccount:{state['email']}"
        if type_name == uploads.TYPE:
            uploads.finish_upload(state, self._folder)
        _decide(self.schema.resources[type_name], state, type_name, project, "", state)
        return state

    def read_data(self, type_name: str, config: Object, settings: Object) -> Object:
        """Read what Google would know about a project."""
        block = self.schema.data_sources[type_name]
        project = config.get("project_id") or config.get("project") or settings.get("project")
        if not project:
            raise Refused(Problem(f"{type_name}: project: required field is not set"))
        number = project_number(project)
        agent = f"service-{number}@gs-project-accounts.iam.gserviceaccount.com"
        known = {
            "google_project": {
                "id": f"projects/{project}",
                "project_id": project,
                "name": project,
                "number": str(number),
            },
            "google_storage_project_service_account": {
                "id": agent,
                "project": project,
                "email_address": agent,
                "member": f"serviceAccount:{agent}",
            },
            "google_client_config": {
                "id": f"projects/{project}",
                "project": project,
                "region": settings.get("region"),
                "zone": settings.get("zone"),
            },
            "google_iam_policy": {
                "id": "policy",
                "policy_data": json.dumps({"bindings": config.get("binding")}, sort_keys=True),
            },
        }[type_name]
        return {
            **config,
            **{
                name: PLAUSIBLE.get(str(attribute.type))
                for name, attribute in block.attributes.items()
                if config[name] is None and attribute.computed
            },
            **{name: value for name, value in known.items() if config.get(name) is None},
        }


def _decide(
    block: Block, value: Object, type_name: str, project: str, path: str, state: Object
) -> None:
    """Replace what is unknown in a block, and in those within it, by something plausible."""
    decided = []
    for name, attribute in block.attributes.items():
        if is_unknown(value.get(name)):
            value[name] = PLAUSIBLE.get(str(attribute.type))
            decided.append(name)
    for name in decided:
        found = name_for(type_name, f"{path}{name}", state, project)
        value[name] = value[name] if found is None else found
    for name, nested in block.blocks.items():
        if is_unknown(value.get(name)):
            value[name] = None if nested.nesting == "single" else []
        for item in elements(value.get(name)):
            _decide(nested.block, item, type_name, project, f"{path}{name}.", state)


def _unconfigurable(block: Block, config: Object, steps: Steps) -> list[Problem]:
    """Find what is set although the provider alone decides about it."""
    problems = [
        Problem(
            "Value for unconfigurable attribute",
            f'Can\'t configure a value for "{name}": its value will be decided automatically '
            "based on the result of applying this configuration.",
            (*steps, name),
        )
        for name, attribute in block.attributes.items()
        if not attribute.required and not attribute.optional and config.get(name) is not None
    ]
    for name, nested in block.blocks.items():
        for index, item in enumerate(elements(config.get(name))):
            place = (*steps, name) if nested.nesting == "single" else (*steps, name, index)
            problems += _unconfigurable(nested.block, item, place)
    return problems
