"""What a decision needs to know about namespaces, as columns of a larger statement.

A subject's grants and a namespace's freezes are gathered into one JSON value each, so that a
namespace stays one row, whatever it carries.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    false,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from services.auth.domain.grants import Freeze, Grant, load_actions
from services.auth.domain.namespaces import NamespaceFacts, Namespaces, Visibility
from services.auth.domain.subjects import Subject
from services.auth.domain.teams import Role
from services.auth.storage.tables import freezes, grants, namespaces, roles, team_members, teams, users

GRANT_COLUMNS = (
    grants.c.id,
    grants.c.pattern,
    func.coalesce(grants.c.actions, roles.c.actions),
    grants.c.from_administrator,
)
NOW: BindParameter[Any] = bindparam("now")


class json_rows(FunctionElement[Any]):
    """All rows of a subquery as one JSON list of lists; NULL or an empty list when there are none."""

    type = JSON()
    name = "json_rows"
    inherit_cache = True


@compiles(json_rows, "postgresql")
def _postgresql(element: json_rows, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_agg(json_build_array({compiler.process(element.clauses, **options)}))"


@compiles(json_rows, "sqlite")
def _sqlite(element: json_rows, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **options)}))"


def holds_in_namespace(namespace_id: ColumnElement[Any], registry_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Tell a grant that holds in a namespace and has not expired; its pattern is not looked at."""
    everywhere = and_(
        grants.c.namespace_id.is_(None), or_(grants.c.registry_id.is_(None), grants.c.registry_id == registry_id)
    )
    return and_(
        or_(grants.c.namespace_id == namespace_id, everywhere),
        or_(grants.c.expires_at.is_(None), grants.c.expires_at > NOW),
    )


def own_grants(
    *, user_id: ColumnElement[Any] | None = None, robot_id: ColumnElement[Any] | None = None
) -> ColumnElement[Any]:
    """Gather what a person or a robot was granted by name in the namespace of the enclosing row.

    Args:
        user_id: ``None`` where there can be no person; likewise ``robot_id``.
    """
    columns = ((grants.c.user_id, user_id), (grants.c.robot_id, robot_id))
    mine = [column == wanted for column, wanted in columns if wanted is not None]
    if not mine:
        return null()
    return (
        select(json_rows(*GRANT_COLUMNS))
        .select_from(grants.outerjoin(roles, roles.c.id == grants.c.role_id))
        .where(or_(*mine), _holds_here())
        .correlate_except(grants, roles)
        .scalar_subquery()
    )


def team_grants(*, user_id: ColumnElement[Any] | None) -> ColumnElement[Any]:
    """Gather what the teams of a person were granted in the namespace of the enclosing row."""
    if user_id is None:
        return null()
    membership, team = team_members.alias("grantee_members"), teams.alias("grantee_teams")
    return (
        select(json_rows(*GRANT_COLUMNS, team.c.name))
        .select_from(
            membership.join(grants, grants.c.team_id == membership.c.team_id)
            .join(team, team.c.id == grants.c.team_id)
            .outerjoin(roles, roles.c.id == grants.c.role_id)
        )
        .where(membership.c.user_id == user_id, _holds_here())
        .correlate_except(grants, roles, membership, team)
        .scalar_subquery()
    )


def _holds_here() -> ColumnElement[bool]:
    return holds_in_namespace(namespaces.c.id, namespaces.c.registry_id)


def freezes_here() -> ScalarSelect[Any]:
    """Gather the freezes of the namespace of the enclosing row."""
    return (
        select(json_rows(freezes.c.reason, freezes.c.repository, freezes.c.created_by))
        .where(freezes.c.namespace_id == namespaces.c.id)
        .correlate_except(freezes)
        .scalar_subquery()
    )


def facts_columns(
    *,
    user_id: ColumnElement[Any] | None = None,
    robot_id: ColumnElement[Any] | None = None,
    own_namespace_id: ColumnElement[Any] | None = None,
) -> tuple[ColumnElement[Any], ...]:
    """Return the columns of ``load_facts``; ``namespaces``, ``teams`` and ``team_members`` are joined already.

    Args:
        user_id: of the person; ``None`` where there can be none, likewise the others.
        own_namespace_id: of the person's namespace.
    """
    return (
        namespaces.c.id.label("namespace_id"),
        namespaces.c.name.label("namespace_name"),
        namespaces.c.visibility,
        namespaces.c.team_id,
        teams.c.name.label("team_name"),
        teams.c.hidden.label("team_hidden"),
        team_members.c.role,
        (false() if own_namespace_id is None else namespaces.c.id == own_namespace_id).label("is_own"),
        own_grants(user_id=user_id, robot_id=robot_id).label("own_grants"),
        team_grants(user_id=user_id).label("team_grants"),
        freezes_here().label("freezes"),
    )


def load_facts(row: Row[Any]) -> NamespaceFacts:
    """Read what ``facts_columns`` brought; the row has a namespace."""
    return NamespaceFacts(
        row.namespace_name,
        Visibility(row.visibility),
        Role(row.role) if row.role else None,
        bool(row.is_own),
        id=row.namespace_id,
        team_id=row.team_id,
        team=row.team_name,
        is_personal=row.team_hidden,
        grants=tuple(_grant(*values) for values in (*(row.own_grants or ()), *(row.team_grants or ()))),
        freezes=tuple(Freeze(*values) for values in row.freezes or ()),
    )


def facts_statement(subject: Subject) -> Select[Any]:
    """Select the facts on namespaces for a subject that is known already; the parameter ``now`` is to be given."""
    user = None if subject.user_id is None else literal(subject.user_id)
    own = select(users.c.namespace_id).where(users.c.id == subject.user_id).scalar_subquery()
    columns = facts_columns(
        user_id=user,
        robot_id=None if subject.robot_id is None else literal(subject.robot_id),
        own_namespace_id=None if user is None else own,
    )
    mine = false() if user is None else team_members.c.user_id == user
    return select(*columns).select_from(
        namespaces.join(teams, teams.c.id == namespaces.c.team_id).outerjoin(
            team_members, and_(team_members.c.team_id == namespaces.c.team_id, mine)
        )
    )


def find_facts(
    connection: Connection, subject: Subject, names: Collection[str], *, registry_id: int, now: datetime
) -> Namespaces:
    """Return the facts on namespaces of a registry, by name, for a subject that is known already."""
    statement = facts_statement(subject).where(
        namespaces.c.registry_id == registry_id, namespaces.c.name.in_(sorted(names))
    )
    return {row.namespace_name: load_facts(row) for row in connection.execute(statement, {"now": now})}


def _grant(id: int, pattern: str, actions: str, from_administrator: bool, through: str = "") -> Grant:
    return Grant(id, pattern, load_actions(actions), through, bool(from_administrator))
