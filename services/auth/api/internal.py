"""``/internal/v1``: what ``catalog`` asks; never routed from outside."""

from flask import Blueprint, Response, jsonify

from services.auth.api.identity import identify
from services.auth.api.services import services
from services.auth.domain.subjects import Subject, SubjectKind
from services.auth.usecases.show_visibility import show_visibility
from shared.api.peers import require_peer
from shared.config import Secret


def internal_blueprint(secret: Secret) -> Blueprint:
    """Build the routes for peers."""
    blueprint = Blueprint("internal", __name__, url_prefix="/internal/v1")
    require_peer(blueprint, secret)
    blueprint.add_url_rule("/visibility", view_func=get_visibility)
    return blueprint


def get_visibility() -> Response:
    """Say what the holder of the forwarded ``Authorization`` header may see."""
    visible = show_visibility(identify(), database=services().database)
    return jsonify(
        subject=_dump_subject(visible.subject),
        everything=visible.everything,
        global_namespace=visible.global_namespace,
        namespaces=visible.namespaces,
    )


def _dump_subject(subject: Subject) -> dict[str, object] | None:
    if subject.kind is SubjectKind.ANONYMOUS:
        return None
    return {"username": subject.username, "kind": subject.kind.value, "administrator": subject.administrator}
