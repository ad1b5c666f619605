"""Query parameters that several lists have."""

from marshmallow import Schema, ValidationError, fields, validate

from shared.oci.names import MAX_REPOSITORY_NAME_LENGTH

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
MAX_ID = 2**63 - 1
"""A larger number is no id in any database."""


def printable(value: str) -> None:
    """Refuse what no database takes and no name holds."""
    if not value.isprintable():
        raise ValidationError("May hold printable characters only.")


def text(description: str, max_length: int = MAX_REPOSITORY_NAME_LENGTH) -> fields.String:
    """Return an optional word that narrows a list."""
    return fields.String(
        load_default=None,
        validate=[validate.Length(max=max_length), printable],
        metadata={"description": description},
    )


class KeysetQuery(Schema):
    """Which part of a list."""

    after = fields.Integer(
        load_default=0,
        validate=validate.Range(0, MAX_ID),
        metadata={"description": "Only what comes behind this number."},
    )
    limit = fields.Integer(
        load_default=DEFAULT_LIMIT,
        validate=validate.Range(1, MAX_LIMIT),
        metadata={"description": "How many at the most."},
    )
