"""Repositories by patterns over their full names, in the language of either database."""

from collections.abc import Sequence

from sqlalchemy import ARRAY, JSON, ColumnElement, FromClause, String, Table, bindparam, false, func, or_, select
from sqlalchemy.engine import Dialect

from shared.visibility.answers import ANY_RUN, RepositoryPattern

_ESCAPE = "\\"


def matches_one_of(patterns: Sequence[RepositoryPattern], table: Table, dialect: Dialect) -> ColumnElement[bool]:
    """Return the condition that a repository's full name fits one of the patterns of its namespace.

    The rows that do are found once, by way of their namespace, and not asked of every row of a list.

    Args:
        table: of repositories: ``id``, ``namespace`` (``NULL``: the global one) and ``full_name``.
    """
    in_namespaces = [pattern for pattern in patterns if pattern.namespace is not None]
    in_global = [pattern for pattern in patterns if pattern.namespace is None]
    return or_(false(), *(_among(group, table, dialect) for group in (in_namespaces, in_global) if group))


def _among(patterns: Sequence[RepositoryPattern], table: Table, dialect: Dialect) -> ColumnElement[bool]:
    candidate = table.alias()
    is_global = patterns[0].namespace is None
    listed, namespace, pattern = _listed(patterns, "global" if is_global else "other", dialect)
    place = candidate.c.namespace.is_(None) if is_global else candidate.c.namespace == namespace
    same = place & _fits(candidate.c.full_name, pattern, dialect)
    return table.c.id.in_(select(candidate.c.id).select_from(listed.join(candidate, same)))


def _fits(name: ColumnElement[str], pattern: ColumnElement[str], dialect: Dialect) -> ColumnElement[bool]:
    # SQLite's LIKE knows no case; its GLOB does.
    return name.bool_op("GLOB")(pattern) if dialect.name == "sqlite" else name.like(pattern, escape=_ESCAPE)


def _listed(
    patterns: Sequence[RepositoryPattern], which: str, dialect: Dialect
) -> tuple[FromClause, ColumnElement[str], ColumnElement[str]]:
    """Return the patterns as a table of one parameter, with its columns namespace and pattern."""
    if dialect.name == "sqlite":
        pairs = [[one.namespace, _as_glob(one.pattern)] for one in patterns]
        rows = func.json_each(bindparam(f"patterns_{which}", pairs, type_=JSON)).table_valued("value")
        return rows, func.json_extract(rows.c.value, "$[0]"), func.json_extract(rows.c.value, "$[1]")
    arrays = [
        bindparam(f"{column}_{which}", values, type_=ARRAY(String))
        for column, values in (
            ("places", [one.namespace for one in patterns]),
            ("patterns", [_as_like(one.pattern) for one in patterns]),
        )
    ]
    table = func.unnest(*arrays).table_valued("namespace", "pattern", name=f"listed_{which}").render_derived()
    return table, table.c.namespace, table.c.pattern


def _as_glob(pattern: str) -> str:
    return "".join(f"[{character}]" if character in "?[" else character for character in pattern)


def _as_like(pattern: str) -> str:
    return "".join(
        "%" if character == ANY_RUN else f"{_ESCAPE}{character}" if character in f"%_{_ESCAPE}" else character
        for character in pattern
    )
