"""The bodies of namespaces; field names are those of the Portus API."""

from typing import Any

from marshmallow import Schema, fields, post_dump, post_load

from services.auth.api.fields import Dated, Input, text
from services.auth.api.identity import subject
from services.auth.api.schemas import NamespaceRefOutput, RegistryRefOutput, shown_namespace, stored_namespace
from services.auth.api.services import services
from services.auth.domain.management import NamespaceRights, Operation, decide_management, namespace_rights
from services.auth.domain.namespaces import MAX_NAMESPACE_NAME_LENGTH, Visibility
from services.auth.domain.teams import MAX_DESCRIPTION_LENGTH, MAX_TEAM_NAME_LENGTH, Role
from services.auth.storage.namespaces import NamespaceView
from services.auth.usecases.change_namespace import NamespaceChange


def _name(namespace: NamespaceView) -> str:
    # Every registry has a global namespace.
    return namespace.name or namespace.registry_host or shown_namespace(namespace.name)


def _rights(namespace: NamespaceView) -> NamespaceRights:
    rules = namespace.rules(services().settings.rules)
    return namespace_rights(subject(), namespace.place, namespace.facts, rules)


def _may(operation: Operation) -> fields.Function:
    """Return a field that tells whether the caller may do something to the namespace."""

    def answer(namespace: NamespaceView) -> bool:
        rules = namespace.rules(services().settings.rules)
        return decide_management(subject(), operation, namespace.place, rules).allowed

    return fields.Function(answer, metadata={"type": "boolean"})


class TeamRefOutput(Schema):
    """A team, as far as a namespace mentions it."""

    id = fields.Integer()
    name = fields.String()
    hidden = fields.Boolean()


class PermissionsOutput(Schema):
    """What the caller may do in a namespace."""

    role = fields.Enum(Role, by_value=True, allow_none=True)
    pull = fields.Boolean()
    push = fields.Boolean()
    webhooks = fields.Boolean(metadata={"description": "Whether the caller may see its webhooks."})
    visibility = fields.Boolean(metadata={"description": "Whether the caller may change who sees it."})


class _Permissions(fields.Nested):
    def get_value(self, obj: NamespaceView, attr: str, *_args: Any, **_options: Any) -> NamespaceRights:
        return _rights(obj)


class FrozenOutput(Schema):
    """Why nobody pushes to a namespace, and who says so."""

    reason = fields.String()
    created_by = fields.String()


class NamespaceOutput(Dated):
    """A namespace; the global one goes by the registry's host."""

    id = fields.Integer()
    name = fields.Function(_name, metadata={"type": "string"})
    description = fields.String()
    team = fields.Nested(TeamRefOutput)
    registry = fields.Nested(
        RegistryRefOutput, attribute="among", metadata={"description": "Left out where there is but one."}
    )
    visibility = fields.Enum(Visibility, by_value=True)
    is_global = fields.Boolean(data_key="global")
    is_orphan = fields.Boolean(data_key="orphan", metadata={"description": "It belongs to administrators only."})
    frozen = fields.Nested(
        FrozenOutput, allow_none=True, metadata={"description": "Null unless the whole namespace is frozen."}
    )
    permissions = _Permissions(PermissionsOutput)
    updatable = _may(Operation.UPDATE_NAMESPACE)
    destroyable = _may(Operation.DELETE_NAMESPACE)

    @post_dump
    def leave_out(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        """Do not mention registries where there is but one."""
        if data["registry"] is None:
            del data["registry"]
        return data


class ListedNamespaceOutput(NamespaceOutput):
    """A namespace in a list."""

    repositories_count = fields.Integer(
        allow_none=True,
        metadata={"description": "Null while the catalog cannot say, and in registries it does not read."},
    )


class UsageOutput(Schema):
    """How much lies in a namespace."""

    repositories = fields.Integer()
    tags = fields.Integer()
    size_bytes = fields.Integer()


class DependantsOutput(Schema):
    """What goes with a namespace besides its images."""

    grants = fields.Integer()
    robots = fields.Integer()
    freezes = fields.Integer()


class NamespaceDeletionOutput(Schema):
    """What would go with a namespace."""

    namespace = fields.Nested(NamespaceRefOutput)
    images = fields.Nested(
        UsageOutput,
        attribute="usage",
        allow_none=True,
        metadata={"description": "Null in registries that the catalog does not read: their images stay."},
    )
    dependants = fields.Nested(DependantsOutput)


class ValidationQuery(Schema):
    """The name of a namespace that somebody thinks of."""

    name = text(longest=1024, required=True)
    registry = text(longest=255, load_default=None, metadata={"description": "Its name; the first one, if not given."})


class NewNamespaceInput(Input):
    """A namespace to be made for a team, given by its name."""

    wrapper = "namespace"

    name = text(longest=MAX_NAMESPACE_NAME_LENGTH, required=True)
    team = text(longest=MAX_TEAM_NAME_LENGTH, required=True)
    description = text(longest=MAX_DESCRIPTION_LENGTH, lines=True, load_default="")
    registry = text(longest=255, load_default=None, metadata={"description": "Its name; the first one, if not given."})


class NamespaceChangeInput(Input):
    """What is to be different about a namespace; the flat form or ``{"namespace": {…}}``."""

    wrapper = "namespace"

    name = text(longest=255, metadata={"description": "May be named, and not be changed."})
    description = text(longest=MAX_DESCRIPTION_LENGTH, lines=True)
    team = text(longest=MAX_TEAM_NAME_LENGTH, metadata={"description": "Name of the team that it is to belong to."})
    visibility = fields.Enum(Visibility, by_value=True)

    @post_load
    def build(self, values: dict[str, Any], **_options: Any) -> NamespaceChange:
        """Put the parts together."""
        if "name" in values:
            values["name"] = stored_namespace(values["name"])
        return NamespaceChange(**values)
