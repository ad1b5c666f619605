"""Tags that only say what is about another manifest are no tags of their own."""

from sqlalchemy import ColumnElement, exists

from services.catalog.storage.tables import repository_manifests, tags


def is_folded() -> ColumnElement[bool]:
    """Return the condition on ``tags``: the name is made of the digest of a manifest that lies beside it.

    Signatures may be kept in a repository of their own; there they are all that can be seen.
    """
    held = repository_manifests.c
    subject = exists().where(
        held.repository_id == tags.c.repository_id, held.digest == tags.c.referrer_of, held.present
    )
    return tags.c.referrer_of.is_not(None) & subject
