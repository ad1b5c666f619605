"""What several routes have in common: the parts of their paths, and how they may refuse."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Response, jsonify
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError, fields, validate

from services.catalog.usecases.not_found import ManifestNotFound, TagNotFound
from shared.api.lists import PRINTABLE
from shared.api.paging import Page
from shared.api.slices import Slice, set_part_headers
from shared.oci.names import Digest, InvalidName, Tag, is_name_component, parse_digest, parse_tag

View = TypeVar("View", bound=Callable[..., Any])

MAX_ID = 2**63 - 1
"""A larger number is no id in any database, and none could even be asked for it."""

MAX_GLOBS = 50
"""Globs in one rule."""

ID = f"<int(max={MAX_ID}):id>"
NAMESPACE_ID = f"<int(max={2**31 - 1}):id>"
"""``auth`` gives them out, and has none that are larger."""


def load_digest(text: str) -> Digest:
    """Read a digest in a path.

    Raises:
        ManifestNotFound: it is none, so that there is no such manifest.
    """
    try:
        return parse_digest(text)
    except InvalidName as fault:
        raise ManifestNotFound from fault


def load_tag(text: str) -> Tag:
    """Read a tag's name in a request.

    Raises:
        TagNotFound: it is none, so that there is no such tag.
    """
    try:
        return parse_tag(text)
    except InvalidName as fault:
        raise TagNotFound from fault


def list_response(schema: Schema, part: Page[Any] | Slice[Any]) -> Response:
    """Dump a part of a list and describe it in the headers."""
    return set_part_headers(jsonify(schema.dump(part.rows, many=True)), part)


def refuses(blueprint: Blueprint, *statuses: HTTPStatus) -> Callable[[View], View]:
    """Document with which statuses a view may refuse; all are problems."""

    def decorate(view: View) -> View:
        for status in statuses:
            view = blueprint.alt_response(status.value, response=status.name)(view)
        return view

    return decorate


def is_namespace(name: str) -> None:
    """Check what is to be a namespace's name; an empty one is the global namespace.

    Raises:
        ValidationError: it is none.
    """
    if name and not is_name_component(name):
        raise ValidationError("is no namespace's name")


def rule_namespace() -> fields.Field[Any]:
    """Return the field that says of what a rule is."""
    return fields.String(
        load_default=None,
        allow_none=True,
        validate=[validate.Length(max=255), is_namespace],
        metadata={"description": "Null: the whole installation. Empty: the global namespace."},
    )


def globs(description: str, **options: Any) -> fields.Field[Any]:
    """Return the field of a list of globs."""
    glob = fields.String(validate=[validate.Length(1, 255), PRINTABLE])
    said = {"description": f"{description}; globs, in which * stands for any run of characters."}
    return fields.List(glob, validate=validate.Length(1, MAX_GLOBS), metadata=said, **options)
