"""Changes of many rows at once: first counted, then made with the count that was seen."""

from marshmallow import Schema, fields, validate

MAX_ROWS = 2**31 - 1


def expectation() -> fields.Integer:
    """Return the field that says how many rows a caller expects to change."""
    text = (
        "Without it nothing is changed: the answer says how many there are. With it the change is made when there are"
        " still so many, and refused with 409 otherwise."
    )
    return fields.Integer(load_default=None, validate=validate.Range(0, MAX_ROWS), metadata={"description": text})


class CountSchema(Schema):
    """How many rows there are, or were changed."""

    count = fields.Integer(required=True)
