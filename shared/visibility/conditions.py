"""The answer of ``auth`` as a condition on a column."""

from sqlalchemy import ARRAY, JSON, ColumnElement, String, any_, bindparam, false, func, or_, select, true
from sqlalchemy.engine import Dialect

from shared.visibility.answers import Visibility


def in_visible_namespace(
    visibility: Visibility, namespace: ColumnElement[str] | ColumnElement[str | None], dialect: Dialect
) -> ColumnElement[bool]:
    """Return the condition that a row's namespace is one the caller may pull from.

    The namespaces are one parameter, however many there are: one each would reach a database's limit
    of parameters with a few thousand namespaces.

    Args:
        namespace: a column; ``NULL`` is the global namespace.
    """
    if visibility.everything:
        return true()
    in_global = namespace.is_(None) if visibility.global_namespace else false()
    return or_(in_global, _in_one_of(list(visibility.namespaces), namespace, dialect))


def _in_one_of(
    namespaces: list[str], namespace: ColumnElement[str] | ColumnElement[str | None], dialect: Dialect
) -> ColumnElement[bool]:
    if dialect.name == "sqlite":
        listed = func.json_each(bindparam("namespaces", namespaces, type_=JSON)).table_valued("value")
        return namespace.in_(select(listed.c.value))
    return namespace == any_(bindparam("namespaces", namespaces, type_=ARRAY(String)))
