"""How old the keys are and how long they live, measured when somebody asks for the metrics."""

from datetime import datetime

from flask import Flask, request
from sqlalchemy.exc import SQLAlchemyError

from services.auth.api.services import services
from services.auth.domain.errors import SigningUnavailable
from services.auth.metrics import KEY_CREATED, KEY_EXPIRES


def register_key_measures(app: Flask) -> None:
    """Measure before ``/metrics`` is answered."""

    @app.before_request
    def measure() -> None:
        if request.path == "/metrics":
            authority = services().authority.current
            _note("ca", authority.starts_at, authority.expires_at)
            _measure_leaf()


def _measure_leaf() -> None:
    try:
        leaf = services().keyring.current()
    except (SQLAlchemyError, SigningUnavailable):
        # There is none; what was true an hour ago must not be shown as if it were true now.
        _note("leaf", None, None)
    else:
        _note("leaf", leaf.created_at, leaf.expires_at)


def _note(key: str, created_at: datetime | None, expires_at: datetime | None) -> None:
    KEY_CREATED.labels(key).set(_seconds(created_at))
    KEY_EXPIRES.labels(key).set(_seconds(expires_at))


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else float("nan")
