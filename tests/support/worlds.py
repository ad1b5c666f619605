"""Generated worlds of namespaces, teams, roles, grants and freezes, for property tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from services.auth.domain.grants import Action, dump_actions
from services.auth.domain.namespaces import Visibility
from services.auth.domain.registries import FIRST_REGISTRY_ID
from services.auth.domain.subjects import RobotHome, Subject, robot
from services.auth.domain.teams import Role
from services.auth.storage.namespaces import insert_namespace
from services.auth.storage.rows import insert_row
from services.auth.storage.tables import freezes, grants, robots
from services.auth.storage.teams import insert_member, insert_team

NAMES = ("ci-a", "ci-b", "team", "t.x")
REPOSITORIES = (
    "alpine",
    "ci-thing",
    *(f"{name}/{rest}" for name in NAMES for rest in ("app", "app-x", "app/deep", "ci-a")),
    "nowhere/app",
)
PATTERNS = ("*", "ci-*", "ci-a/*", "team/app-*", "team/app", "*/app", "t*/app*", "alpine", "c*a/*p", "t.x/*", "a*")
PEOPLE = ("jane", "kim")


@dataclass(frozen=True)
class WorldNamespace:
    """One namespace: its visibility, roles by username, and repositories frozen (empty text: all)."""

    name: str
    visibility: Visibility
    roles: tuple[tuple[str, Role], ...] = ()
    frozen: tuple[str, ...] = ()


@dataclass(frozen=True)
class WorldGrant:
    """One grant.

    Args:
        grantee: a username, ``team:<namespace>`` for the team that owns it, or ``robot``.
        namespace: where it holds; ``None``: everywhere.
    """

    grantee: str
    pattern: str
    actions: frozenset[str]
    namespace: str | None
    expired: bool
    from_administrator: bool


@dataclass(frozen=True)
class World:
    namespaces: tuple[WorldNamespace, ...]
    grants: tuple[WorldGrant, ...] = ()
    robot_home: str | None = None
    """Name of the namespace that the robot belongs to; ``None``: the installation."""
    robot_of_team: bool = False
    """Whether it belongs to the namespace's team instead."""


@dataclass
class Populated:
    """What a world became."""

    namespace_ids: dict[str, int] = field(default_factory=dict)
    team_ids: dict[str, int] = field(default_factory=dict)
    robot_id: int = 0


def worlds() -> st.SearchStrategy[World]:
    """Return a strategy for worlds of up to four namespaces and six grants."""
    names = st.lists(st.sampled_from(NAMES), unique=True, max_size=4)
    return names.flatmap(_worlds_with)


def _worlds_with(names: Sequence[str]) -> st.SearchStrategy[World]:
    namespaces = st.tuples(*(_namespaces(name) for name in names))
    grantees = st.sampled_from([*PEOPLE, "robot", *(f"team:{name}" for name in names)])
    grant = st.builds(
        WorldGrant,
        grantee=grantees,
        pattern=st.sampled_from(PATTERNS),
        actions=st.frozensets(st.sampled_from([action.value for action in Action]), min_size=1),
        namespace=st.none() | st.sampled_from(["", *names]),
        expired=st.sampled_from([False, False, False, True]),
        from_administrator=st.booleans(),
    )
    homes = st.none() | st.sampled_from(names) if names else st.none()
    return st.builds(
        World, namespaces, st.lists(grant, max_size=6).map(tuple), robot_home=homes, robot_of_team=st.booleans()
    )


def _namespaces(name: str) -> st.SearchStrategy[WorldNamespace]:
    roles = st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(Role)).map(lambda found: tuple(found.items()))
    frozen = st.lists(st.sampled_from(["", f"{name}/app"]), unique=True, max_size=1).map(tuple)
    return st.builds(WorldNamespace, st.just(name), st.sampled_from(Visibility), roles, frozen)


def populate(connection: Connection, world: World, people: dict[str, int], *, now: datetime) -> Populated:
    """Insert a world.

    Args:
        people: ids by username.
    """
    populated = Populated({"": 1})
    times = {"created_at": now, "updated_at": now}
    for one in world.namespaces:
        team_id = insert_team(connection, f"team of {one.name}", now=now)
        namespace_id = insert_namespace(
            connection, one.name, team_id=team_id, visibility=one.visibility, description="", now=now
        )
        populated.namespace_ids[one.name], populated.team_ids[one.name] = namespace_id, team_id
        for username, role in one.roles:
            insert_member(connection, team_id, people[username], role, now=now)
        for repository in one.frozen:
            row = {"namespace_id": namespace_id, "repository": repository, "reason": "release", "created_by": "x"}
            connection.execute(insert(freezes).values({**row, "created_at": now}))
    populated.robot_id = _insert_robot(connection, world, populated, times)
    for grant in world.grants:
        _insert_grant(connection, grant, populated, people, now, times)
    return populated


def robot_in(world: World, populated: Populated) -> Subject:
    """Return the world's robot."""
    home = RobotHome()
    if world.robot_home is not None and world.robot_of_team:
        home = RobotHome(team_id=populated.team_ids[world.robot_home])
    elif world.robot_home is not None:
        home = RobotHome(namespace_id=populated.namespace_ids[world.robot_home])
    return robot(populated.robot_id, "robot+ci", home)


def _insert_robot(connection: Connection, world: World, populated: Populated, times: dict[str, datetime]) -> int:
    home: dict[str, int | None] = {"namespace_id": None, "team_id": None}
    if world.robot_home is not None and world.robot_of_team:
        home["team_id"] = populated.team_ids[world.robot_home]
    elif world.robot_home is not None:
        home["namespace_id"] = populated.namespace_ids[world.robot_home]
    row = {"username": "robot+ci", "name": "ci", "description": "", "enabled": True, "created_by": "x"}
    return insert_row(connection, robots, {**row, **home, **times})


def _insert_grant(
    connection: Connection,
    grant: WorldGrant,
    populated: Populated,
    people: dict[str, int],
    now: datetime,
    times: dict[str, datetime],
) -> None:
    kind, _, name = grant.grantee.partition(":")
    grantee = {
        "user_id": people.get(grant.grantee),
        "team_id": populated.team_ids[name] if kind == "team" else None,
        "robot_id": populated.robot_id if kind == "robot" else None,
    }
    place = {
        "namespace_id": None if grant.namespace is None else populated.namespace_ids[grant.namespace],
        "registry_id": FIRST_REGISTRY_ID if grant.namespace is None else None,
    }
    expiry = now + timedelta(days=-1 if grant.expired else 1)
    row = {"pattern": grant.pattern, "actions": dump_actions(grant.actions), "reason": "", "created_by": "x"}
    insert_row(
        connection,
        grants,
        {
            **row,
            **grantee,
            **place,
            **times,
            "expires_at": expiry,
            "from_administrator": grant.from_administrator,
        },
    )
