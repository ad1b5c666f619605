"""A flask-smorest blueprint that knows the conventions of our APIs, and documents where they hold."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Response
from flask_smorest import Blueprint

from shared.api.arguments import Parser
from shared.api.creation import KEY_HEADER, REPLAYED_HEADER, answer_once, locate
from shared.api.etags import versioned

View = TypeVar("View", bound=Callable[..., Any])

_VERSIONED, _CREATES = "versioned", "creates"
_READING, _CHANGING = frozenset({"get"}), frozenset({"put", "patch", "delete"})
_KEY_TEXT = (
    "A name that the caller gives this request, 1 to 255 visible ASCII characters. Sent again within 24 hours with "
    "the same body, it gets the same answer and makes nothing; with another body it gets 422."
)


class ApiBlueprint(Blueprint):  # type: ignore[misc]
    """Routes that read their arguments, name versions and make things as all our APIs do."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._prepare_doc_cbks += [_describe_versions, _describe_creation]

    def arguments(self, schema: Any, **options: Any) -> Callable[[View], View]:
        """Read a view's argument by a schema; see ``shared.api.arguments``."""
        read = super().arguments(schema, **options)
        malformed = self.alt_response(HTTPStatus.BAD_REQUEST.value, response=HTTPStatus.BAD_REQUEST.name)
        return lambda view: malformed(read(view))

    def refuses(self, *statuses: HTTPStatus) -> Callable[[View], View]:
        """Document with which statuses a view may refuse; all are problems."""

        def decorate(view: View) -> View:
            for status in statuses:
                view = self.alt_response(status.value, response=status.name)(view)
            return view

        return decorate

    def versioned(self, view: View) -> View:
        """Let a view name the version that it shows, or be sent the one that it is to change.

        A view that changes something hands ``shared.api.etags.if_match(schema)`` to its use case.
        """

        @wraps(view)
        def answer(*args: Any, **kwargs: Any) -> Any:
            response = view(*args, **kwargs)
            return versioned(response) if response.get_data() else response

        answer._apidoc = {**getattr(view, "_apidoc", {}), _VERSIONED: True}  # type: ignore[attr-defined]
        return answer  # type: ignore[return-value]

    def creates(self, show: str, *, repeatable: bool = True, **names: str) -> Callable[[View], View]:
        """Let a view that makes something say where it is, and answer a repeated request as it did before.

        Args:
            show: endpoint of the view that shows what was made.
            repeatable: whether callers may send an ``Idempotency-Key``; only those who have signed in can.
            **names: parameters of that view's address, and the fields of the answer that hold them.
        """

        def decorate(view: View) -> View:
            @wraps(view)
            def answer(*args: Any, **kwargs: Any) -> Any:
                def make() -> Response:
                    return locate(view(*args, **kwargs), show, names)

                return answer_once(make) if repeatable else make()

            answer._apidoc = {**getattr(view, "_apidoc", {}), _CREATES: repeatable}  # type: ignore[attr-defined]
            return answer  # type: ignore[return-value]

        return decorate


def _describe_creation(doc: dict[str, Any], info: dict[str, Any], **_options: Any) -> dict[str, Any]:
    if _CREATES not in info:
        return doc
    headers = doc["responses"][HTTPStatus.CREATED].setdefault("headers", {})
    headers["Location"] = _response_header("Path of what was made.")
    if info[_CREATES]:
        _add_header(doc, KEY_HEADER, _KEY_TEXT)
        headers[REPLAYED_HEADER] = _response_header("true when this answer was given before.")
        doc["responses"][HTTPStatus.CONFLICT.value] = HTTPStatus.CONFLICT.name
    return doc


def _describe_versions(doc: dict[str, Any], info: dict[str, Any], *, method: str, **_options: Any) -> dict[str, Any]:
    if not info.get(_VERSIONED):
        return doc
    if method in _READING:
        _add_header(doc, "If-None-Match", "Versions that the caller has: 304 if this is one of them.")
        doc["responses"][HTTPStatus.NOT_MODIFIED.value] = HTTPStatus.NOT_MODIFIED.name
    if method in _CHANGING:
        _add_header(doc, "If-Match", "The version that the caller has seen: 412 if it is another by now.")
        doc["responses"][HTTPStatus.PRECONDITION_FAILED.value] = HTTPStatus.PRECONDITION_FAILED.name
    success = doc["responses"].get(HTTPStatus.OK)
    if success:
        success.setdefault("headers", {})["ETag"] = _response_header("Version of what is shown.")
    return doc


def _add_header(doc: dict[str, Any], name: str, description: str) -> None:
    header = {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}
    doc.setdefault("parameters", []).append(header)


def _response_header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}
