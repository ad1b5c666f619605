"""``/healthz``, ``/readyz`` and ``/metrics``, the same in every service."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from flask import Blueprint, Response, jsonify

from shared.observability.metrics import metrics_page

ReadinessCheck = Callable[[], str | None]
"""Returns what is wrong, in one line that says what to do, or ``None``."""


def health_blueprint(
    checks: Mapping[str, ReadinessCheck], warnings: Mapping[str, ReadinessCheck] = MappingProxyType({})
) -> Blueprint:
    """Build the health routes of a service.

    Args:
        checks: what must be in order before the service can do its work, by name.
        warnings: what will not be in order for long, by name; a service that says so is ready.
    """
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def alive() -> Response:
        return jsonify(status="ok")

    @blueprint.get("/readyz")
    def ready() -> tuple[Response, int]:
        faults, foreseen = _answers(checks), _answers(warnings)
        status = "ready" if not faults else "not ready"
        told = {"warnings": foreseen} if foreseen else {}
        return jsonify(status=status, faults=faults, **told), 503 if faults else 200

    @blueprint.get("/metrics")
    def metrics() -> Response:
        body, content_type = metrics_page()
        return Response(body, content_type=content_type)

    return blueprint


def _answers(checks: Mapping[str, ReadinessCheck]) -> dict[str, str]:
    return {name: answer for name, check in checks.items() if (answer := check())}
