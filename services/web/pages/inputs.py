"""What addresses and forms may hold, with its limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Any

from flask import request
from flask_babel import gettext, lazy_gettext
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate, validates_schema

from services.web.clients.errors import NotAllowed, RequestRefused
from shared.api.paging import MAX_PAGE, PageRequest
from shared.oci.names import is_name_component

MAX_SEARCH_LENGTH = 128
MAX_NAME_LENGTH = 255
MAX_QUERY_LENGTH = 512
MAX_PASSWORD_LENGTH = 1024
MAX_EMAIL_LENGTH = 254
ROWS_PER_PAGE = 25

Faults = Mapping[str, Any]
"""Sentences by field."""


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which part of a list somebody wants to see; empty strings do not narrow it."""

    q: str
    namespace: str
    page: PageRequest


def _check_namespace(value: str) -> None:
    if value and not is_name_component(value):
        raise ValidationError(gettext("This is not the name of a namespace."))


class _ListQuerySchema(Schema):
    q = fields.String(load_default="", validate=validate.Length(max=MAX_SEARCH_LENGTH))
    namespace = fields.String(load_default="", validate=_check_namespace)
    page = fields.Integer(load_default=1, validate=validate.Range(1, MAX_PAGE))

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> ListQuery:
        return ListQuery(data["q"].strip(), data["namespace"], PageRequest(data["page"], ROWS_PER_PAGE))


def load_list_query() -> ListQuery:
    """Read the address of a list.

    Raises:
        ValidationError: a value is outside its limits.
    """
    query: ListQuery = _ListQuerySchema().load(request.args.to_dict(), unknown=EXCLUDE)
    return query


def load_search(args: Mapping[str, str]) -> str:
    """Read what is searched, cut at its limit, without what nobody types."""
    return "".join(filter(str.isprintable, args.get("q", "")))[:MAX_QUERY_LENGTH].strip()


@dataclass(frozen=True, slots=True)
class ExplainQuery:
    """What somebody asks about rights; an empty repository asks nothing yet."""

    repository: str
    username: str
    """Empty: oneself."""
    who_can: bool


def load_explain_query(args: Mapping[str, str]) -> ExplainQuery:
    """Read a question about rights, cut at its limits; whether it makes sense is for `auth` to say."""
    return ExplainQuery(
        repository=args.get("repository", "").strip()[:MAX_NAME_LENGTH],
        username=args.get("username", "").strip()[:MAX_NAME_LENGTH],
        who_can=args.get("who_can") == "yes",
    )


def _text(longest: int, missing: Any) -> fields.String:
    long = lazy_gettext("Use at most %(count)s characters.", count=longest)
    return fields.String(validate=(validate.Length(min=1, error=missing), validate.Length(max=longest, error=long)))


def longest(count: int) -> validate.Length:
    """Return the check that a field holds no more characters than this, with a sentence for people."""
    return validate.Length(max=count, error=lazy_gettext("Use at most %(count)s characters.", count=count))


class SignInForm(Schema):
    """Name and password."""

    username = _text(MAX_NAME_LENGTH, lazy_gettext("Type your name."))
    password = _text(MAX_PASSWORD_LENGTH, lazy_gettext("Type your password."))


class SetupForm(Schema):
    """The first administrator; what a name or a password must look like is for `auth` to say."""

    username = _text(MAX_NAME_LENGTH, lazy_gettext("Choose a name."))
    display_name = fields.String(validate=validate.Length(max=MAX_NAME_LENGTH))
    email = _text(MAX_EMAIL_LENGTH, lazy_gettext("Type an address for mail."))
    password = _text(MAX_PASSWORD_LENGTH, lazy_gettext("Choose a password."))
    password_again = fields.String()

    @validates_schema
    def compare(self, data: dict[str, str], **_: object) -> None:
        if data.get("password") != data.get("password_again"):
            raise ValidationError(gettext("The two passwords differ; type the same one twice."), "password_again")


@dataclass(frozen=True, slots=True)
class CheckedForm:
    """A form as it was sent, and what is wrong with it."""

    values: Mapping[str, str]
    faults: Faults = field(default_factory=dict)
    alarm: str = ""
    """What is wrong with the whole, or with something that is no field of it."""
    was: Mapping[str, str] = field(default_factory=dict)
    """What stood where it is to change something; it goes along with the form and comes back."""

    @classmethod
    def editing(cls, known: Mapping[str, str]) -> "CheckedForm":
        """Return a form that shows what there is, to be changed."""
        return cls(known, was=known)

    @property
    def changes(self) -> dict[str, str]:
        """What is to be different."""
        return {name: value for name, value in self.values.items() if value != self.was.get(name)}

    def faulty(self, name: str, fault: str) -> "CheckedForm":
        """Return the form with one more fault."""
        return replace(self, faults={**self.faults, name: [fault]})

    def refused(self, refusal: RequestRefused | NotAllowed) -> "CheckedForm":
        """Return the form with what a peer finds wrong with it."""
        found = refusal.faults if isinstance(refusal, RequestRefused) else {}
        own = {name: faults for name, faults in found.items() if name in self.values}
        others = [" ".join(faults) for name, faults in found.items() if name not in own]
        alarm = "; ".join(others) if found else refusal.detail or gettext("This was refused.")
        return replace(self, faults={**self.faults, **own}, alarm=alarm)


def load_form(schema: Schema) -> CheckedForm:
    """Read the fields that a schema names, trimmed except for passwords, and check them."""
    values = {name: _read(name, request.form.get(name, "")) for name in schema.fields}
    return CheckedForm(values, schema.validate(values))


def load_change(schema: Schema, known: Mapping[str, str]) -> CheckedForm:
    """Read a form that changes something, so that nobody undoes what somebody else did meanwhile.

    What its sender left as it was becomes what it is now. Where both changed the same field, the sender is
    told; when the form is sent again, it goes through.

    Args:
        known: what there is now, by the names of the form.
    """
    form = load_form(schema)
    was = {name: _read(name, request.form.get(f"was_{name}", value)) for name, value in known.items()}
    touched = {name for name, value in form.values.items() if value != was[name]}
    values = {name: value if name in touched else known[name] for name, value in form.values.items()}
    meanwhile = {
        name: [gettext("Somebody has changed this to “%(value)s” meanwhile. Save again to put yours there.", value=now)]
        for name, now in known.items()
        if name in touched and _read(name, now) not in (was[name], values[name])
    }
    return CheckedForm(values, {**meanwhile, **form.faults}, was=known)


def _read(name: str, value: str) -> str:
    # Browsers send the ends of lines as CR and LF, whatever they were.
    return value if name.startswith("password") else value.strip().replace("\r\n", "\n")


def load_actions() -> list[str]:
    """Read the ticked boxes of a form that are called "actions"; which there are is for `auth` to say."""
    return [action[:MAX_NAME_LENGTH] for action in dict.fromkeys(request.form.getlist("actions"))]


def load_day(value: str) -> datetime | None:
    """Read the last day of something: the end of it, in UTC; ``None`` for none, and for what is no day."""
    try:
        return datetime.combine(date.fromisoformat(value), time.max, UTC).replace(microsecond=0)
    except ValueError:
        return None


def load_after() -> str:
    """Read where a part of a list begins; whether that is a cursor is for its service to say."""
    return request.args.get("after", "")[:MAX_QUERY_LENGTH]
