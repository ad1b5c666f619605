"""``/healthz``, ``/readyz`` and ``/metrics``, the same in every service."""

from collections.abc import Callable, Mapping

from flask import Blueprint, Response, jsonify

from shared.observability.metrics import metrics_page

ReadinessCheck = Callable[[], str | None]
"""Returns what is wrong, in one line that says what to do, or ``None``."""


def health_blueprint(checks: Mapping[str, ReadinessCheck]) -> Blueprint:
    """Build the health routes of a service.

    Args:
        checks: what must be in order before the service can do its work, by name.
    """
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def alive() -> Response:
        return jsonify(status="ok")

    @blueprint.get("/readyz")
    def ready() -> tuple[Response, int]:
        faults = {name: fault for name, check in checks.items() if (fault := check())}
        status = "ready" if not faults else "not ready"
        return jsonify(status=status, faults=faults), 503 if faults else 200

    @blueprint.get("/metrics")
    def metrics() -> Response:
        body, content_type = metrics_page()
        return Response(body, content_type=content_type)

    return blueprint
