"""The registries under this authority."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from services.auth.api.documents import page_response, refuses
from services.auth.api.fields import MAX_ID, Dated, Input, ValidationOutput, text
from services.auth.api.identity import actor, require_person, subject
from services.auth.api.services import services
from services.auth.domain.decisions import DeletePolicy, PushPolicy
from services.auth.domain.registries import MAX_HOSTNAME_LENGTH, FirstRegistry
from services.auth.storage.registries import REGISTRIES, RegistryView
from services.auth.usecases.registries import (
    change_registry,
    check_registry,
    create_registry,
    remove_registry,
    show_registries,
    show_registry,
    validate_registry,
)
from shared.api.blueprints import ApiBlueprint
from shared.api.etags import if_match
from shared.api.lists import page_query
from shared.api.paging import ListRequest

blueprint = ApiBlueprint("registries", __name__, url_prefix="/api/v1/registries", description="Registries")
blueprint.before_request(require_person)

_REGISTRY = f"/<int(max={MAX_ID}):registry_id>"
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_CHECKED = ("name", "service", "hostname", "external_hostname")


class RegistryOutput(Dated):
    """A registry; where ``token_ttl_s`` and the policies are null, the installation's hold."""

    id = fields.Integer()
    name = fields.String()
    service = fields.String()
    hostname = fields.String()
    external_hostname = fields.String(allow_none=True)
    use_ssl = fields.Boolean()
    token_ttl_s = fields.Integer(allow_none=True)
    push_policy = fields.Enum(PushPolicy, by_value=True, allow_none=True)
    delete_policy = fields.Enum(DeletePolicy, by_value=True, allow_none=True)


class RegistryChangeInput(Input):
    """What is to be different about a registry; the flat form or ``{"registry": {…}}``."""

    wrapper = "registry"

    name = text(shortest=1, longest=255)
    service = text(shortest=1, longest=255)
    hostname = text(shortest=1, longest=MAX_HOSTNAME_LENGTH)
    external_hostname = text(longest=MAX_HOSTNAME_LENGTH, allow_none=True)
    use_ssl = fields.Boolean()
    token_ttl_s = fields.Integer(strict=True, allow_none=True, validate=validate.Range(60, 3600))
    push_policy = fields.Enum(PushPolicy, by_value=True, allow_none=True)
    delete_policy = fields.Enum(DeletePolicy, by_value=True, allow_none=True)


class NewRegistryInput(RegistryChangeInput):
    """A registry to be entered; ``service`` is its auth.token.service and, as in Portus, its host if not given."""

    name = text(shortest=1, longest=255, required=True)
    hostname = text(shortest=1, longest=MAX_HOSTNAME_LENGTH, required=True)


class ForceQuery(Schema):
    """Whether a registry is entered though it does not answer as it should."""

    force = fields.Boolean(load_default=False)


class ValidateQuery(Schema):
    """A registry that somebody wants to enter; ``only`` may be given several times."""

    name = text(longest=255)
    service = text(longest=255)
    hostname = text(shortest=1, longest=MAX_HOSTNAME_LENGTH)
    external_hostname = text(longest=MAX_HOSTNAME_LENGTH)
    use_ssl = fields.Boolean(load_default=True)
    looked_at = fields.List(
        fields.String(validate=validate.OneOf(_CHECKED)), load_default=lambda: list(_CHECKED), data_key="only"
    )


@blueprint.route("")
@blueprint.arguments(page_query(REGISTRIES), location="query")
@blueprint.response(HTTPStatus.OK, RegistryOutput(many=True))
@refuses(blueprint, *_REFUSED)
def list_registries(asked: ListRequest) -> Response:
    """List the registries; for administrators and auditors."""
    page = show_registries(subject(), asked, first=first_registry(), database=services().database)
    return page_response(RegistryOutput(), page)


@blueprint.route("", methods=["POST"])
@blueprint.creates(".get_registry", registry_id="id")
@blueprint.arguments(NewRegistryInput)
@blueprint.arguments(ForceQuery, location="query")
@blueprint.response(HTTPStatus.CREATED, RegistryOutput)
@refuses(blueprint, *_REFUSED)
def post_registry(values: dict[str, Any], query: dict[str, bool]) -> RegistryView:
    """Enter a registry; for administrators. It is asked whether it is one, unless ``force`` says not to."""
    auth = services()
    wanted = {"service": values["hostname"], **values}
    return create_registry(
        actor(),
        wanted,
        force=query["force"],
        probe=auth.probe_registry,
        first=first_registry(),
        database=auth.database,
        clock=auth.clock,
    )


@blueprint.route("/validate")
@blueprint.arguments(ValidateQuery, location="query")
@blueprint.response(HTTPStatus.OK, ValidationOutput)
@refuses(blueprint, *_REFUSED)
def get_validation(query: dict[str, Any]) -> Mapping[str, object]:
    """Tell whether a registry could be entered: names free, host reachable, a registry, the same service name."""
    auth = services()
    only = query.pop("looked_at")
    wanted = {"hostname": "", **query}
    faults = validate_registry(
        subject(), wanted, only=only, probe=auth.probe_registry, first=first_registry(), database=auth.database
    )
    return {"messages": faults, "valid": not faults}


@blueprint.route(f"{_REGISTRY}/check")
@blueprint.response(HTTPStatus.OK, ValidationOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def get_check(registry_id: int) -> Mapping[str, object]:
    """Ask a registry whether it is there and bears the service name entered here; for administrators and auditors."""
    auth = services()
    faults = check_registry(
        subject(),
        registry_id,
        probe=auth.probe_registry,
        probe_first=auth.probe_first_registry,
        first=first_registry(),
        database=auth.database,
    )
    return {"messages": faults, "valid": not faults}


@blueprint.route(_REGISTRY)
@blueprint.versioned
@blueprint.response(HTTPStatus.OK, RegistryOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def get_registry(registry_id: int) -> RegistryView:
    """Show a registry; for administrators and auditors."""
    return show_registry(subject(), registry_id, first=first_registry(), database=services().database)


@blueprint.route(_REGISTRY, methods=["PUT"])
@blueprint.versioned
@blueprint.arguments(RegistryChangeInput)
@blueprint.arguments(ForceQuery, location="query")
@blueprint.response(HTTPStatus.OK, RegistryOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def put_registry(values: dict[str, Any], query: dict[str, bool], registry_id: int) -> RegistryView:
    """Change a registry; for administrators. The first one's host and service come from the environment."""
    auth = services()
    return change_registry(
        actor(),
        registry_id,
        values,
        force=query["force"],
        expected=if_match(RegistryOutput()),
        probe=auth.probe_registry,
        first=first_registry(),
        database=auth.database,
        clock=auth.clock,
    )


@blueprint.route(_REGISTRY, methods=["DELETE"])
@blueprint.versioned
@blueprint.response(HTTPStatus.NO_CONTENT)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)
def delete_registry(registry_id: int) -> None:
    """Forget a registry without namespaces; for administrators. Nothing in it is touched."""
    auth = services()
    remove_registry(
        actor(),
        registry_id,
        expected=if_match(RegistryOutput()),
        first=first_registry(),
        database=auth.database,
        clock=auth.clock,
    )


def first_registry() -> FirstRegistry:
    """Return what the environment says of the first registry."""
    settings = services().settings
    return FirstRegistry(settings.registry_service, settings.registry_host)
