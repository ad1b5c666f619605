"""The notifier with one route more, for the benchmark only: what an envelope costs without keeping it.

Run as ``python -m tests.support.notifier_server`` with the environment of the notifier.
"""

from http import HTTPStatus

from flask import Flask, Response, jsonify, request

from services.notifier.app import prepare_spool
from services.notifier.settings import load_settings
from services.notifier.wsgi import build_app as build_notifier
from shared.api.serving import serve

FLOOR = "/floor/events"


def floor() -> tuple[Response, HTTPStatus]:
    """Parse the same JSON and answer the same; look at nothing and keep nothing."""
    events = request.get_json(force=True)["events"]
    return jsonify(events=len(events), quarantined=0), HTTPStatus.ACCEPTED


def build_app() -> Flask:
    app = build_notifier()
    app.add_url_rule(FLOOR, view_func=floor, methods=["POST"])
    return app


if __name__ == "__main__":
    settings = load_settings()
    prepare_spool(settings)
    serve(build_app, settings.serving)
