"""Teams and who is in them."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import Response

from services.auth.api.documents import page_response, refuses
from services.auth.api.fields import MAX_ID
from services.auth.api.identity import actor, require_person, subject
from services.auth.api.namespace_schemas import ListedNamespaceOutput
from services.auth.api.services import services
from services.auth.api.team_schemas import (
    MemberChangeInput,
    MemberOutput,
    NewMemberInput,
    NewTeamInput,
    TeamChangeInput,
    TeamDeletionOutput,
    TeamDeletionQuery,
    TeamOutput,
    TeamSuggestionOutput,
    UserSuggestionOutput,
)
from services.auth.domain.teams import Role
from services.auth.storage.namespaces import NAMESPACES
from services.auth.storage.suggestions import TeamSuggestion, UserSuggestion
from services.auth.storage.teams import MEMBERS, TEAMS, MemberView, TeamView
from services.auth.usecases.change_team import TeamChange, change_team
from services.auth.usecases.delete_team import TeamDeletion, delete_team, preview_team_deletion
from services.auth.usecases.members import (
    add_member,
    change_member,
    remove_member,
    show_member,
    show_members,
    suggest_new_members,
)
from services.auth.usecases.teams import create_team, show_team, show_team_namespaces, show_teams, suggest_own_teams
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


@blueprint.route(_TEAM, methods=["PUT"])
@blueprint.versioned
@blueprint.arguments(TeamChangeInput)
@blueprint.response(HTTPStatus.OK, TeamOutput)
@refuses(blueprint, *_REFUSED)
def put_team(change: TeamChange, team_id: int) -> TeamView:
    """Change a team's name or description; for its owners."""
    auth, expected = services(), if_match(TeamOutput())
    return change_team(
        actor(),
        team_id,
        change,
        rules=auth.settings.rules,
        expected=expected,
        database=auth.database,
        clock=auth.clock,
    )


@blueprint.route(f"{_TEAM}/deletion")
@blueprint.response(HTTPStatus.OK, TeamDeletionOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.SERVICE_UNAVAILABLE)
def get_deletion(team_id: int) -> TeamDeletion:
    """Tell what would go with a team; for those who may delete it."""
    auth = services()
    return preview_team_deletion(
        subject(),
        team_id,
        rules=auth.settings.rules,
        catalog=auth.catalog,
        database=auth.database,
        clock=auth.clock,
    )


@blueprint.route(_TEAM, methods=["DELETE"])
@blueprint.versioned
@blueprint.arguments(TeamDeletionQuery, location="query")
@blueprint.response(HTTPStatus.NO_CONTENT)
@refuses(blueprint, *_REFUSED, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
def remove_team(query: dict[str, str | None], team_id: int) -> None:
    """Delete a team; its namespaces go to another one, or with it, and all images in them.

    What cannot be deleted is named, and the team stays with it; the same request goes on.
    """
    auth, expected = services(), if_match(TeamOutput())
    delete_team(
        actor(),
        team_id,
        **query,
        rules=auth.settings.rules,
        catalog=auth.catalog,
        expected=expected,
        database=auth.database,
        clock=auth.clock,
    )


@blueprint.route(f"{_TEAM}/namespaces")
@blueprint.arguments(page_query(NAMESPACES), location="query")
@blueprint.response(HTTPStatus.OK, ListedNamespaceOutput(many=True))
@refuses(blueprint, *_REFUSED)
def list_team_namespaces(asked: ListRequest, team_id: int) -> Response:
    """List a team's namespaces."""
    auth = services()
    page = show_team_namespaces(
        subject(), team_id, asked, catalog=auth.catalog, database=auth.database, clock=auth.clock
    )
    return page_response(ListedNamespaceOutput(), page)


@blueprint.route("/typeahead/<beginning>")
@blueprint.response(HTTPStatus.OK, TeamSuggestionOutput(many=True))
@refuses(blueprint, HTTPStatus.UNAUTHORIZED)
def suggest_team(beginning: str) -> Sequence[TeamSuggestion]:
    """Suggest up to 10 of the teams that the caller may see, by the beginning of their names."""
    return suggest_own_teams(subject(), beginning, database=services().database)


@blueprint.route(f"{_TEAM}/typeahead/<beginning>")
@blueprint.response(HTTPStatus.OK, UserSuggestionOutput(many=True))
@refuses(blueprint, *_REFUSED)
def suggest_member(team_id: int, beginning: str) -> Sequence[UserSuggestion]:
    """Suggest up to 10 people to be taken into a team, by the beginning of their names; for its owners."""
    return suggest_new_members(subject(), team_id, beginning, database=services().database)


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
