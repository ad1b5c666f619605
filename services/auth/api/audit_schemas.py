"""The audit trail's bodies."""

from marshmallow import Schema, fields

from services.auth.domain.audit import PORTUS_KEYS, moment
from services.auth.domain.audit_chain import Entry

_MOMENT = {"type": "string", "format": "date-time"}
_KEY = {"type": ["string", "null"], "description": "What SUSE Portus called it, where it knew it."}


def _at(entry: Entry) -> str:
    return moment(entry.at)


def _portus_key(entry: Entry) -> str | None:
    return PORTUS_KEYS.get(entry.action)


class RefOutput(Schema):
    """A thing and what it was called when it was changed; it may be gone."""

    id = fields.Integer()
    name = fields.String(metadata={"description": "Empty for the global namespace."})


class TargetOutput(Schema):
    """What was changed."""

    id = fields.String()
    name = fields.String()


class AuditEntryOutput(Schema):
    """One change, in the form that its hash is made of (besides ``hash`` and ``portus_key``)."""

    id = fields.Integer()
    partition = fields.String()
    position = fields.Integer()
    at = fields.Function(_at, metadata=_MOMENT)
    actor_kind = fields.String()
    actor = fields.String(metadata={"description": "Username; empty at the command line."})
    actor_id = fields.Integer(allow_none=True)
    address = fields.String(metadata={"description": "Empty when it is not for the reader, or there is none."})
    request_id = fields.String()
    action = fields.String()
    portus_key = fields.Function(_portus_key, metadata=_KEY)
    target_type = fields.String()
    target = fields.Nested(TargetOutput)
    user = fields.Nested(RefOutput, allow_none=True)
    team = fields.Nested(RefOutput, allow_none=True)
    namespace = fields.Nested(RefOutput, allow_none=True)
    before = fields.Dict(keys=fields.String())
    after = fields.Dict(keys=fields.String())
    previous_hash = fields.String()
    hash = fields.String()
