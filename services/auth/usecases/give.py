"""The one way on which a grant comes to be, whoever asks for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action, Change, Fields, Ref
from services.auth.domain.errors import Invalid, NotFound
from services.auth.domain.grants import (
    Extent,
    Gift,
    GranteeKind,
    Terms,
    check_counts,
    check_gift,
    check_room,
    dump_actions,
)
from services.auth.domain.patterns import check_pattern, check_within, everything_in
from services.auth.storage.grants import (
    GranteeRef,
    GrantPlace,
    GrantView,
    count_grants,
    delete_grants,
    find_grant,
    insert_grant,
    list_grants_of,
)
from services.auth.storage.places import NamespacePlace
from services.auth.storage.roles import find_role_named
from services.auth.usecases.audit import Record
from services.auth.usecases.messages import tell
from shared.contracts.events import GrantChanged, GrantCreated, GrantRevoked


@dataclass(frozen=True, slots=True)
class Scene:
    """What every change of a grant takes place in; the caller holds ``Lock.NAMES``."""

    connection: Connection
    record: Record
    actor: Actor
    now: datetime


def give(
    scene: Scene, grantee: GranteeRef, terms: Terms, *, namespace: NamespacePlace | None, registry_id: int | None = None
) -> GrantView:
    """Insert a grant, with its audit entry and its event; that the giver may give it has been asked before.

    Args:
        namespace: the only one in which it is to hold; ``None``: in many.
        registry_id: the only registry in all of whose namespaces it is to hold; ``None``: all.

    Raises:
        Invalid: a value breaks a rule, it is there already, or there are too many.
    """
    connection, actor = scene.connection, scene.actor
    pattern = _pattern(terms.pattern, namespace)
    gift = load_gift(connection, terms.gift)
    end = terms.lifetime.end(scene.now)
    place = GrantPlace(None if namespace is None else namespace.id, registry_id)
    extent = Extent(pattern, gift.actions, end, actor.subject.administrator)
    check_room(
        ((grant.id, grant.extent) for grant in list_grants_of(connection, grantee, place, now=scene.now)), extent
    )
    check_counts(
        of_namespace=None if namespace is None else count_grants(connection, namespace_id=namespace.id),
        of_grantee=count_grants(connection, grantee=grantee),
    )
    values = {"pattern": pattern, **gift.columns, "expires_at": end, "reason": terms.reason}
    giver = {"from_administrator": actor.subject.administrator, "created_by": actor.subject.username}
    grant_id = insert_grant(connection, grantee, place, {**values, **giver}, now=scene.now)
    grant = get_grant(scene, grant_id)
    scene.record(change_of(Action.GRANT_CREATED, after=grant))
    tell(connection, GrantCreated(**_told(scene, grant)), about=grant.grantee.name, now=scene.now)
    return grant


def take_back(scene: Scene, *given: GrantView) -> None:
    """Delete grants, with their audit entries and events."""
    delete_grants(scene.connection, [grant.id for grant in given])
    for grant in given:
        scene.record(change_of(Action.GRANT_REVOKED, before=grant))
        tell(scene.connection, GrantRevoked(**_told(scene, grant)), about=grant.grantee.name, now=scene.now)


def tell_of_change(scene: Scene, before: GrantView, after: GrantView) -> None:
    """Keep that a grant is different, and tell the others."""
    scene.record(change_of(Action.GRANT_UPDATED, before=before, after=after))
    if before.extent != after.extent:
        tell(scene.connection, GrantChanged(**_told(scene, after)), about=after.grantee.name, now=scene.now)


def get_grant(scene: Scene, grant_id: int) -> GrantView:
    """Return a grant that the actor may know of.

    Raises:
        NotFound: there is none.
    """
    grant = find_grant(scene.connection, scene.actor.subject, grant_id, now=scene.now)
    if grant is None:
        raise NotFound("grant")
    return grant


@dataclass(frozen=True, slots=True)
class LoadedGift:
    """What a grant gives, looked up."""

    actions: frozenset[str]
    columns: dict[str, Any]
    """As they are stored."""


def load_gift(connection: Connection, gift: Gift) -> LoadedGift:
    """Look up what a grant gives.

    Raises:
        Invalid: there is no such role, or it gives nothing that can be given.
    """
    check_gift(gift)
    if gift.actions is not None:
        return LoadedGift(gift.actions, {"actions": dump_actions(gift.actions), "role_id": None})
    role = find_role_named(connection, gift.role or "")
    if role is None:
        raise Invalid({"role": ["there is no such custom role"]})
    return LoadedGift(role.actions, {"actions": None, "role_id": role.id})


def change_of(action: Action, *, before: GrantView | None = None, after: GrantView | None = None) -> Change:
    """Describe what has become of a grant."""
    grant = after or before
    if grant is None:
        raise ValueError("a grant is needed, as it was or as it is")
    grantee = Ref(grant.grantee.id, grant.grantee.name)
    return Change(
        action,
        Ref(grant.id, grant.pattern),
        user=grantee if grant.grantee.kind is GranteeKind.USER else None,
        team=grantee if grant.grantee.kind is GranteeKind.TEAM else None,
        namespace=Ref(grant.namespace.id, grant.namespace.name) if grant.namespace else None,
        before=_shown(before) if before else {},
        after=_shown(after) if after else {},
    )


def _pattern(pattern: str | None, namespace: NamespacePlace | None) -> str:
    if namespace is not None:
        wanted = everything_in(namespace.name) if pattern is None else pattern
        check_within(wanted, namespace.name)
        return wanted
    if pattern is None:
        raise Invalid({"pattern": ["is needed where no namespace is named: * is everything"]})
    check_pattern(pattern)
    return pattern


def _shown(grant: GrantView) -> Fields:
    return {
        "pattern": grant.pattern,
        "actions": grant.actions,
        "role": grant.role,
        "expires_at": grant.expires_at,
        "reason": grant.reason,
        "grantee": f"{grant.grantee.kind}:{grant.grantee.name}",
        "namespace": grant.namespace.name if grant.namespace else None,
        "registry": grant.registry.name if grant.registry else None,
    }


def _told(scene: Scene, grant: GrantView) -> dict[str, Any]:
    return {
        "grant_id": grant.id,
        "grantee_kind": grant.grantee.kind.value,
        "grantee": grant.grantee.name,
        "pattern": grant.pattern,
        "actions": dump_actions(grant.actions),
        "namespace": grant.namespace.name if grant.namespace else None,
        "expires_at": grant.expires_at.isoformat() if grant.expires_at else None,
        "actor": scene.actor.subject.username,
    }
