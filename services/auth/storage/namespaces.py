"""Namespaces, and which of them a subject may see."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, ScalarSelect, Select, Table, delete, exists, func, select, update

from services.auth.domain.decisions import DeletePolicy, PushPolicy
from services.auth.domain.grants import Freeze
from services.auth.domain.management import Place, Rules, namespace_place
from services.auth.domain.namespaces import GLOBAL_NAMESPACE, NamespaceFacts, Visibility
from services.auth.domain.registries import FIRST_REGISTRY_ID, RegistryFacts
from services.auth.domain.subjects import Subject
from services.auth.domain.teams import GLOBAL_TEAM
from services.auth.storage.facts import facts_statement, load_facts
from services.auth.storage.places import RegistryRef
from services.auth.storage.rows import insert_row
from services.auth.storage.tables import freezes, grants, namespaces, registries, robots, teams, users
from services.auth.storage.visible import visible_namespaces
from shared.api.paging import ListRequest, Page
from shared.listing import Listed, Listing, fetch_list

NAMESPACES = Listing(
    {
        "id": Listed(namespaces.c.id),
        "name": Listed(namespaces.c.name),
        "description": Listed(namespaces.c.description),
        "visibility": Listed(namespaces.c.visibility, choices=Visibility),
        "global": Listed(namespaces.c.name == GLOBAL_NAMESPACE),
        "team": Listed(teams.c.name),
        "team_id": Listed(namespaces.c.team_id),
        "registry": Listed(registries.c.name),
        "created_at": Listed(namespaces.c.created_at),
        "updated_at": Listed(namespaces.c.updated_at),
    },
    search=[namespaces.c.name, namespaces.c.description],
)
"""What the list of namespaces is sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class TeamRef:
    """A team, as far as a namespace mentions it."""

    id: int
    name: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class NamespaceView:
    """A namespace as the API shows it to one caller."""

    id: int
    name: str
    description: str
    visibility: Visibility
    team: TeamRef
    registry: RegistryFacts
    registry_host: str
    """The registry as people type it; empty for the first one, which the environment names."""
    among: RegistryRef | None
    """The registry, where there are several; ``None`` where nobody need know that there could be."""
    facts: NamespaceFacts
    """What the caller's own place in it is."""
    is_personal: bool
    """Whether it is somebody's personal one."""
    created_at: datetime
    updated_at: datetime
    repositories_count: int | None = None
    """``None`` where nobody has been asked, or could say."""

    @property
    def is_catalogued(self) -> bool:
        """Whether ``catalog`` knows what lies in it: it reads the first registry."""
        return self.registry.id == FIRST_REGISTRY_ID

    @property
    def is_global(self) -> bool:
        return self.name == GLOBAL_NAMESPACE

    @property
    def is_orphan(self) -> bool:
        """Whether it belongs to nobody but the administrators."""
        return self.team.name == GLOBAL_TEAM and not self.is_global

    @property
    def frozen(self) -> Freeze | None:
        """What keeps everybody from pushing to the whole of it."""
        return next((freeze for freeze in self.facts.freezes if not freeze.repository), None)

    @property
    def place(self) -> Place:
        """It, as a place to manage."""
        return namespace_place(self.facts, is_personal=self.is_personal)

    def rules(self, installation: Rules) -> Rules:
        """Return the rules that hold in it."""
        return installation.under(self.registry.policy(installation.policy))


def insert_namespace(
    connection: Connection,
    name: str,
    *,
    team_id: int,
    visibility: Visibility,
    description: str,
    now: datetime,
    registry_id: int = FIRST_REGISTRY_ID,
) -> int:
    """Insert a namespace and return its id."""
    place = {"registry_id": registry_id, "team_id": team_id}
    row = {"name": name, "visibility": visibility.value, "description": description, **place}
    times = {"created_at": now, "updated_at": now}
    return insert_row(connection, namespaces, {**row, **times})


def update_namespace(connection: Connection, namespace_id: int, values: Mapping[str, Any], *, now: datetime) -> None:
    """Change columns of a namespace."""
    change = update(namespaces).where(namespaces.c.id == namespace_id)
    connection.execute(change.values({**values, "updated_at": now}))


def delete_namespace(connection: Connection, namespace_id: int) -> None:
    """Delete a namespace; its grants, freezes and robots go with it."""
    connection.execute(delete(namespaces).where(namespaces.c.id == namespace_id))


def taken_namespace_names(
    connection: Connection, names: Collection[str], *, registry_id: int = FIRST_REGISTRY_ID
) -> set[str]:
    """Return which of the names are taken in a registry."""
    taken = select(namespaces.c.name).where(namespaces.c.name.in_(names), namespaces.c.registry_id == registry_id)
    return set(connection.execute(taken).scalars())


def find_namespace(
    connection: Connection, subject: Subject, namespace_id: int, *, now: datetime
) -> NamespaceView | None:
    """Return a namespace of which the subject may see something."""
    visible = visible_namespaces(connection, subject, now=now)
    row = connection.execute(_view(subject).where(namespaces.c.id == namespace_id, visible), {"now": now}).one_or_none()
    return _load(row) if row else None


def list_namespaces(
    connection: Connection, subject: Subject, request: ListRequest, *, now: datetime
) -> Page[NamespaceView]:
    """Return a page of the namespaces of which the subject may see something."""
    statement = _view(subject).where(visible_namespaces(connection, subject, now=now)).params(now=now)
    return fetch_list(connection, statement, NAMESPACES, request, load=_load)


@dataclass(frozen=True, slots=True)
class Dependants:
    """How much goes with a namespace, besides its images."""

    grants: int
    robots: int
    freezes: int


def count_dependants(connection: Connection, namespace_id: int) -> Dependants:
    """Count what goes with a namespace."""
    counts = (_count_in(table, namespace_id).label(table.name) for table in (grants, robots, freezes))
    return Dependants(**connection.execute(select(*counts)).one()._mapping)


def list_namespaces_of(connection: Connection, subject: Subject, team_id: int, *, now: datetime) -> list[NamespaceView]:
    """Return all namespaces of a team, for whoever may do something to all of them."""
    statement = _view(subject).where(namespaces.c.team_id == team_id).order_by(namespaces.c.id)
    return [_load(row) for row in connection.execute(statement, {"now": now})]


def _count_in(table: Table, namespace_id: int) -> ScalarSelect[int]:
    return select(func.count()).select_from(table).where(table.c.namespace_id == namespace_id).scalar_subquery()


def _view(subject: Subject) -> Select[Any]:
    """Select namespaces as one caller sees them; the parameter ``now`` is to be given."""
    columns = ("registry_id", "description", "created_at", "updated_at")
    policies = (registries.c.service, registries.c.hostname, registries.c.push_policy, registries.c.delete_policy)
    is_personal = exists().where(users.c.namespace_id == namespaces.c.id).correlate(namespaces).label("is_personal")
    others = registries.alias("others")
    several = exists().where(others.c.id != registries.c.id).label("several")
    statement = facts_statement(subject).join(registries, registries.c.id == namespaces.c.registry_id)
    return statement.add_columns(
        *(namespaces.c[name] for name in columns),
        *policies,
        is_personal,
        registries.c.name.label("registry_name"),
        several,
    )


def _load(row: Row[Any]) -> NamespaceView:
    facts = load_facts(row)
    return NamespaceView(
        id=facts.id,
        name=facts.name,
        description=row.description,
        visibility=facts.visibility,
        team=TeamRef(facts.team_id, facts.team, facts.is_personal),
        registry=RegistryFacts(
            row.registry_id,
            row.service,
            push=row.push_policy and PushPolicy(row.push_policy),
            delete=row.delete_policy and DeletePolicy(row.delete_policy),
        ),
        registry_host=row.hostname,
        among=RegistryRef(row.registry_id, row.registry_name) if row.several else None,
        facts=facts,
        is_personal=bool(row.is_personal),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
