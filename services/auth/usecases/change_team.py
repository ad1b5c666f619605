"""Give a team another name or description."""

from dataclasses import dataclass

from sqlalchemy import Connection

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action, Change, Fields, Ref
from services.auth.domain.errors import Invalid
from services.auth.domain.management import Operation, Rules
from services.auth.storage.locks import Lock, hold
from services.auth.storage.teams import TeamView, taken_team_names, update_team
from services.auth.usecases.audit import audited
from services.auth.usecases.messages import tell
from services.auth.usecases.teams import get_managed_team, get_visible_team
from shared.api.etags import Expected, anything
from shared.clock import Clock
from shared.contracts.auth_events import TeamUpdated
from shared.database import Database


@dataclass(frozen=True, slots=True)
class TeamChange:
    """What is to be different; ``None`` leaves it as it is."""

    name: str | None = None
    description: str | None = None


def change_team(
    actor: Actor,
    team_id: int,
    change: TeamChange,
    *,
    rules: Rules,
    expected: Expected = anything,
    database: Database,
    clock: Clock,
) -> TeamView:
    """Change name or description.

    Raises:
        NotFound: the caller may not see the team.
        Forbidden: the caller may not change it.
        PreconditionFailed: it is not what the caller has seen.
        Invalid: the name is taken.
    """
    subject = actor.subject
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        before = get_managed_team(connection, subject, team_id, Operation.UPDATE_TEAM, rules)
        expected(before)
        update_team(connection, team_id, _columns(connection, before, change), now=clock())
        after = get_visible_team(connection, subject, team_id)
        record(Change(Action.TEAM_UPDATED, Ref(after.id, after.name), before=_shown(before), after=_shown(after)))
        if _shown(before) != _shown(after):
            event = TeamUpdated(after.name, before.name, actor=subject.username or None)
            tell(connection, event, about=after.name, now=clock())
    return after


def _columns(connection: Connection, team: TeamView, change: TeamChange) -> dict[str, str]:
    if change.name not in (None, team.name) and taken_team_names(connection, [change.name or ""]):
        raise Invalid({"name": ["has already been taken"]})
    wanted = {"name": change.name, "description": change.description}
    return {name: value for name, value in wanted.items() if value is not None}


def _shown(team: TeamView) -> Fields:
    return {"name": team.name, "description": team.description}
