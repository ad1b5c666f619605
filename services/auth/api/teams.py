"""Teams and who is in them."""

from http import HTTPStatus
from typing import Any

from flask import Response

from services.auth.api.documents import page_response, refuses
from services.auth.api.fields import MAX_ID
from services.auth.api.identity import actor, require_person, subject
from services.auth.api.services import services
from services.auth.api.team_schemas import MemberChangeInput, MemberOutput, NewMemberInput, NewTeamInput, TeamOutput
from services.auth.domain.teams import Role
from services.auth.storage.teams import MEMBERS, TEAMS, MemberView, TeamView
from services.auth.usecases.members import add_member, change_member, remove_member, show_member, show_members
from services.auth.usecases.teams import create_team, show_team, show_teams
from shared.api.blueprints import ApiBlueprint
from shared.api.etags import if_match
from shared.api.lists import page_query
from shared.api.paging import ListRequest

blueprint = ApiBlueprint("teams", __name__, url_prefix="/api/v1/teams", description="Teams and their members")
blueprint.before_request(require_person)

_TEAM = f"/<int(max={MAX_ID}):team_id>"
_MEMBER = f"{_TEAM}/members/<int(max={MAX_ID}):member_id>"
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)


@blueprint.route("")
@blueprint.arguments(page_query(TEAMS), location="query")
@blueprint.response(HTTPStatus.OK, TeamOutput(many=True))
@refuses(blueprint, HTTPStatus.UNAUTHORIZED)
def list_teams(asked: ListRequest) -> Response:
    """List the caller's teams; administrators get all."""
    page = show_teams(subject(), asked, database=services().database)
    return page_response(TeamOutput(), page)


@blueprint.route("", methods=["POST"])
@blueprint.creates(".get_team", team_id="id")
@blueprint.arguments(NewTeamInput)
@blueprint.response(HTTPStatus.CREATED, TeamOutput)
@refuses(blueprint, *_REFUSED)
def post_team(values: dict[str, Any]) -> TeamView:
    """Make a team; the caller becomes its owner."""
    auth = services()
    return create_team(actor(), **values, rules=auth.settings.rules, database=auth.database, clock=auth.clock)


@blueprint.route(_TEAM)
@blueprint.versioned
@blueprint.response(HTTPStatus.OK, TeamOutput)
@refuses(blueprint, *_REFUSED)
def get_team(team_id: int) -> TeamView:
    """Show a team to its members."""
    return show_team(subject(), team_id, database=services().database)


@blueprint.route(f"{_TEAM}/members")
@blueprint.arguments(page_query(MEMBERS), location="query")
@blueprint.response(HTTPStatus.OK, MemberOutput(many=True))
@refuses(blueprint, *_REFUSED)
def list_members(asked: ListRequest, team_id: int) -> Response:
    """List a team's enabled members."""
    page = show_members(subject(), team_id, asked, database=services().database)
    return page_response(MemberOutput(), page)


@blueprint.route(f"{_TEAM}/members", methods=["POST"])
@blueprint.creates(".get_member", member_id="id")
@blueprint.arguments(NewMemberInput)
@blueprint.response(HTTPStatus.CREATED, MemberOutput)
@refuses(blueprint, *_REFUSED)
def post_member(values: dict[str, Any], team_id: int) -> MemberView:
    """Take a person into a team; for its owners. An administrator becomes an owner."""
    return add_member(actor(), team_id, **values, database=services().database, clock=services().clock)


@blueprint.route(_MEMBER)
@blueprint.versioned
@blueprint.response(HTTPStatus.OK, MemberOutput)
@refuses(blueprint, *_REFUSED)
def get_member(team_id: int, member_id: int) -> MemberView:
    """Show a member, disabled or not, to the team's members."""
    return show_member(subject(), team_id, member_id, database=services().database)


@blueprint.route(_MEMBER, methods=["PUT"])
@blueprint.versioned
@blueprint.arguments(MemberChangeInput)
@blueprint.response(HTTPStatus.OK, MemberOutput)
@refuses(blueprint, *_REFUSED)
def put_member(values: dict[str, Role], team_id: int, member_id: int) -> MemberView:
    """Give a member another role; for owners."""
    auth = services()
    expected = if_match(MemberOutput())
    return change_member(
        actor(), team_id, member_id, **values, expected=expected, database=auth.database, clock=auth.clock
    )


@blueprint.route(_MEMBER, methods=["DELETE"])
@blueprint.versioned
@blueprint.response(HTTPStatus.NO_CONTENT)
@refuses(blueprint, *_REFUSED, HTTPStatus.UNPROCESSABLE_ENTITY)
def delete_member(team_id: int, member_id: int) -> None:
    """Take a person out of a team; for its owners."""
    auth, expected = services(), if_match(MemberOutput())
    remove_member(actor(), team_id, member_id, expected=expected, database=auth.database, clock=auth.clock)
