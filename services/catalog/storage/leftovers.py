"""Tags that were about what a retention rule has deleted, and could not be deleted with it."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Connection, delete, select

from services.catalog.domain.deletions import TagPlace
from services.catalog.domain.referrers import find_referrer_tag
from services.catalog.storage.deletion_queries import find_tags, holds_manifest
from services.catalog.storage.retention import Place
from services.catalog.storage.retention_tables import leftovers
from services.catalog.storage.statements import insert_missing
from shared.oci.names import Tag

_C = leftovers.c


def note_leftovers(connection: Connection, rule: int, place: Place, names: Collection[Tag]) -> None:
    """Note tags that a run of a rule should have deleted, where they point now."""
    drop_leftovers(connection, rule, place, names)
    known = {"rule_id": rule, "repository": place.name}
    found = find_tags(connection, place.id, names)
    insert_missing(connection, leftovers, [known | {"tag": one.name, "digest": one.digest} for one in found])


def drop_leftovers(connection: Connection, rule: int, place: Place, names: Collection[Tag]) -> None:
    """Forget tags: they are gone, or not to go any more."""
    connection.execute(delete(leftovers).where(_of(rule, place), _C.tag.in_(names)))


def take_leftovers(connection: Connection, rule: int, place: Place) -> Sequence[TagPlace]:
    """Return what is still as it was left; what is not is forgotten, as when the image was pushed again."""
    left = {Tag(row.tag): row.digest for row in connection.execute(select(leftovers).where(_of(rule, place)))}
    there = [one for one in find_tags(connection, place.id, left) if one.digest == left[one.name]]
    valid = [one for one in there if not _has_subject(connection, one)]
    drop_leftovers(connection, rule, place, left.keys() - {one.name for one in valid})
    return valid


def _of(rule: int, place: Place) -> ColumnElement[bool]:
    return (_C.rule_id == rule) & (_C.repository == place.name)


def _has_subject(connection: Connection, place: TagPlace) -> bool:
    found = find_referrer_tag(place.name)
    return found is None or holds_manifest(connection, place.repository_id, found.subject)
