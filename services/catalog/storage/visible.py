"""The one condition that keeps from a caller what ``auth`` does not let that caller pull."""

from sqlalchemy import ColumnElement, and_, or_, true
from sqlalchemy.engine import Dialect

from services.catalog.storage.tables import repositories
from shared.visibility.answers import Visibility
from shared.visibility.conditions import in_visible_namespace
from shared.visibility.patterns import matches_one_of


def visible_to(visibility: Visibility, dialect: Dialect, *, or_empty: bool = False) -> ColumnElement[bool]:
    """Return the condition on ``repositories``: those with a tag that the caller may pull.

    Args:
        or_empty: also those that have none any more.
    """
    in_namespace = in_visible_namespace(visibility, repositories.c.namespace, dialect)
    is_named = matches_one_of(visibility.repositories, repositories, dialect)
    is_shown = true() if or_empty else repositories.c.tags_count > 0
    return and_(is_shown, or_(in_namespace, is_named))
