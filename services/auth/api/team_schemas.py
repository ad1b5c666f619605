"""The bodies of teams and their members; field names are those of the Portus API."""

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from services.auth.api.fields import MAX_ID, Dated, Input, text
from services.auth.api.identity import subject
from services.auth.api.namespace_schemas import UsageOutput
from services.auth.api.services import services
from services.auth.domain.accounts import MAX_USERNAME_LENGTH
from services.auth.domain.management import Operation, decide_management
from services.auth.domain.teams import MAX_DESCRIPTION_LENGTH, MAX_TEAM_NAME_LENGTH, Role
from services.auth.storage.teams import MemberView, TeamView
from services.auth.usecases.change_team import TeamChange


def _may(operation: Operation) -> fields.Function:
    """Return a field that tells whether the caller may do something to the team."""

    def answer(team: TeamView) -> bool:
        return decide_management(subject(), operation, team.place, services().settings.rules).allowed

    return fields.Function(answer, metadata={"type": "boolean"})


class TeamOutput(Dated):
    """A team, as the caller sees it."""

    id = fields.Integer()
    name = fields.String()
    description = fields.String()
    hidden = fields.Boolean()
    role = fields.Enum(Role, by_value=True, allow_none=True)
    users_count = fields.Integer(metadata={"description": "Enabled members."})
    namespaces_count = fields.Integer()
    updatable = _may(Operation.UPDATE_TEAM)
    destroyable = _may(Operation.DELETE_TEAM)


class NewTeamInput(Input):
    """A team to be made; ``owner_id`` is for administrators."""

    name = text(shortest=1, longest=MAX_TEAM_NAME_LENGTH, required=True)
    description = text(longest=MAX_DESCRIPTION_LENGTH, lines=True, load_default="")
    owner_id = fields.Integer(strict=True, load_default=None, validate=validate.Range(1, MAX_ID))


class TeamChangeInput(Input):
    """What is to be different about a team; the flat form or ``{"team": {…}}``."""

    wrapper = "team"

    name = text(shortest=1, longest=MAX_TEAM_NAME_LENGTH)
    description = text(longest=MAX_DESCRIPTION_LENGTH, lines=True)

    @post_load
    def build(self, values: dict[str, str], **_options: Any) -> TeamChange:
        """Put the parts together."""
        return TeamChange(**values)


class TeamDeletionQuery(Schema):
    """What becomes of the namespaces of a team that is to be deleted."""

    new_team = text(
        longest=MAX_TEAM_NAME_LENGTH,
        load_default=None,
        metadata={"description": "Name of the team that gets its namespaces; without it they are deleted, too."},
    )


class TeamSizeOutput(Schema):
    """A team and how much belongs to it."""

    id = fields.Integer()
    name = fields.String()
    users_count = fields.Integer()
    namespaces_count = fields.Integer()


class TeamDeletionOutput(Schema):
    """What would go with a team."""

    team = fields.Nested(TeamSizeOutput)
    images = fields.Nested(UsageOutput, metadata={"description": "In all namespaces that the catalog reads."})


class TeamSuggestionOutput(Schema):
    """A team whose name begins so."""

    id = fields.Integer()
    name = fields.String()


class UserSuggestionOutput(Schema):
    """A person whose name begins so."""

    id = fields.Integer()
    name = fields.String(metadata={"description": "The username."})
    display_name = fields.String(allow_none=True)


def _is_caller(member: MemberView) -> bool:
    return member.user_id == subject().user_id


class MemberOutput(Dated):
    """One person's place in a team."""

    id = fields.Integer()
    team_id = fields.Integer()
    user_id = fields.Integer()
    username = fields.String()
    display_name = fields.String(allow_none=True)
    admin = fields.Boolean()
    enabled = fields.Boolean()
    bot = fields.Boolean()
    current = fields.Function(_is_caller, metadata={"type": "boolean", "description": "Whether it is the caller."})
    role = fields.Enum(Role, by_value=True)


class NewMemberInput(Input):
    """A person to be taken into a team."""

    username = text(longest=MAX_USERNAME_LENGTH, required=True, data_key="user")
    role = fields.Enum(Role, by_value=True, load_default=Role.VIEWER)


class MemberChangeInput(Input):
    """Another role for a member."""

    role = fields.Enum(Role, by_value=True, required=True)
