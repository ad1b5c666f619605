"""What has ended, in SQL."""

from typing import Any

from sqlalchemy import ColumnElement, and_

from services.auth.storage.facts import NOW


def has_ended(expires_at: ColumnElement[Any]) -> ColumnElement[bool]:
    """``domain.lifetimes.is_past``; the parameter ``now`` is to be given."""
    return and_(expires_at.is_not(None), expires_at <= NOW)
