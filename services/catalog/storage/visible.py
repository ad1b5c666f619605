"""The one condition that keeps from a caller what ``auth`` does not let that caller pull."""

from sqlalchemy import ARRAY, JSON, ColumnElement, String, and_, any_, bindparam, false, func, or_, select, true
from sqlalchemy.engine import Dialect

from services.catalog.domain.visibility import Visibility
from services.catalog.storage.tables import repositories


def visible_to(visibility: Visibility, dialect: Dialect) -> ColumnElement[bool]:
    """Return the condition on ``repositories``: those with a tag that the caller may pull.

    The namespaces are one parameter, however many there are: one each would reach a database's limit
    of parameters with a few thousand namespaces.
    """
    return and_(repositories.c.tags_count > 0, _may_pull(visibility, dialect))


def _may_pull(visibility: Visibility, dialect: Dialect) -> ColumnElement[bool]:
    if visibility.everything:
        return true()
    in_global = repositories.c.namespace.is_(None) if visibility.global_namespace else false()
    return or_(in_global, _in_one_of(list(visibility.namespaces), dialect))


def _in_one_of(namespaces: list[str], dialect: Dialect) -> ColumnElement[bool]:
    if dialect.name == "sqlite":
        listed = func.json_each(bindparam("namespaces", namespaces, type_=JSON)).table_valued("value")
        return repositories.c.namespace.in_(select(listed.c.value))
    return repositories.c.namespace == any_(bindparam("namespaces", namespaces, type_=ARRAY(String)))
