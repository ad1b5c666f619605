"""``/internal/v1``: what ``auth`` asks; never routed from outside."""

from dataclasses import asdict

from flask import Blueprint, Response, jsonify, request

from services.catalog.domain.occurrences import SERVICE_ACCOUNT
from services.catalog.usecases.empty_namespace import empty_namespace
from services.catalog.usecases.empty_repository import RepositoryEmptier
from services.catalog.usecases.show_usage import show_total_usage, show_usage
from shared.api.paging import MAX_PER_PAGE
from shared.api.peers import require_peer
from shared.api.problems import Problem
from shared.config import Secret
from shared.database import Database
from shared.oci.names import MAX_REPOSITORY_NAME_LENGTH, is_name_component

MAX_NAMESPACES = MAX_PER_PAGE


def internal_blueprint(database: Database, emptier: RepositoryEmptier, secret: Secret) -> Blueprint:
    """Build the routes for peers."""
    blueprint = Blueprint("internal", __name__, url_prefix="/internal/v1")
    require_peer(blueprint, secret)

    @blueprint.delete("/namespaces/<namespace>/repositories")
    def delete_repositories(namespace: str) -> Response:
        """Empty a namespace as far as one call goes."""
        done = empty_namespace(_namespace(namespace), actor=_actor(), emptier=emptier)
        failed = [asdict(failure) for failure in done.failed]
        return jsonify(deleted=done.deleted, failed=failed, remaining=done.remaining)

    @blueprint.get("/usage")
    def usage() -> Response:
        """Tell how much there is: in all, in one namespace, or in each of several."""
        if "namespaces" in request.args:
            found = show_usage(_namespaces(request.args["namespaces"]), database=database)
            return jsonify(namespaces={name: asdict(usage) for name, usage in found.items()})
        if "namespace" in request.args:
            name = _namespace(request.args["namespace"], or_global=True)
            return jsonify(asdict(show_usage([name], database=database)[name]))
        return jsonify(asdict(show_total_usage(database=database)))

    return blueprint


def _namespaces(listed: str) -> list[str]:
    names = listed.split(",")
    if len(names) > MAX_NAMESPACES:
        raise Problem(422, f"At most {MAX_NAMESPACES} namespaces may be asked for at once.")
    return [_namespace(name, or_global=True) for name in dict.fromkeys(names)]


def _namespace(name: str, *, or_global: bool = False) -> str:
    if is_name_component(name) or (or_global and not name):
        return name
    raise Problem(422, f"{name[:80]!r} is no name of a namespace.")


def _actor() -> str:
    actor = request.args.get("actor", SERVICE_ACCOUNT)
    if actor.isprintable() and 0 < len(actor) <= MAX_REPOSITORY_NAME_LENGTH:
        return actor
    raise Problem(422, "actor must have 1 to 255 printable characters.")
