"""The committed OpenAPI document is what the code says, and valid."""

import json
import re
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import validate

DOCUMENT = Path(__file__).parents[3] / "docs" / "contracts" / "catalog.openapi.json"


def test_the_committed_document_is_current(client: FlaskClient) -> None:
    """Renew it: ``python -m services.catalog openapi > docs/contracts/catalog.openapi.json``."""
    assert json.loads(DOCUMENT.read_text()) == client.get("/api/openapi.json").json


def test_the_document_is_valid(app: Flask) -> None:
    document = app.extensions["portus.openapi"].spec.to_dict()

    validate(document)
    assert document["openapi"].startswith("3.1")


def test_every_route_is_in_the_document(app: Flask) -> None:
    documented = set(app.extensions["portus.openapi"].spec.to_dict()["paths"])

    routes = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/v1")}
    assert {re.sub(r"<(?:[^>]*:)?(\w+)>", r"{\1}", rule) for rule in routes} == documented
