"""What the views have in common: pages, and how their errors are documented."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Response, jsonify
from flask_smorest import Blueprint
from marshmallow import Schema

from shared.api.paging import Page, set_page_headers

View = TypeVar("View", bound=Callable[..., Any])


def page_response(schema: Schema, page: Page[Any]) -> Response:
    """Dump a page and describe it in the headers."""
    return set_page_headers(jsonify(schema.dump(page.rows, many=True)), page)


def forbid_keeping(response: Response) -> Response:
    """Keep secrets out of every cache: an ``after_request`` hook."""
    response.headers["Cache-Control"] = "no-store"
    return response


def refuses(blueprint: Blueprint, *statuses: HTTPStatus) -> Callable[[View], View]:
    """Document with which statuses a view may refuse; all are problems."""

    def decorate(view: View) -> View:
        for status in statuses:
            view = blueprint.alt_response(status.value, response=status.name)(view)
        return view

    return decorate
