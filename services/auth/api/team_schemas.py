"""The bodies of teams and their members; field names are those of the Portus API."""

from marshmallow import fields, validate

from services.auth.api.fields import MAX_ID, Dated, Input, text
from services.auth.api.identity import subject
from services.auth.api.services import services
from services.auth.domain.accounts import MAX_USERNAME_LENGTH
from services.auth.domain.management import Operation, decide_management
from services.auth.domain.teams import MAX_DESCRIPTION_LENGTH, MAX_TEAM_NAME_LENGTH, Role
from services.auth.storage.teams import TeamView


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


class MemberOutput(Dated):
    """One person's place in a team."""

    id = fields.Integer()
    team_id = fields.Integer()
    user_id = fields.Integer()
    username = fields.String()
    display_name = fields.String(allow_none=True)
    admin = fields.Boolean()
    role = fields.Enum(Role, by_value=True)


class NewMemberInput(Input):
    """A person to be taken into a team."""

    username = text(longest=MAX_USERNAME_LENGTH, required=True, data_key="user")
    role = fields.Enum(Role, by_value=True, load_default=Role.VIEWER)


class MemberChangeInput(Input):
    """Another role for a member."""

    role = fields.Enum(Role, by_value=True, required=True)
