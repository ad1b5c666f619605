"""The committed OpenAPI document is what the code says, and valid."""

import re

from flask import Flask

from tests.support.openapi import assert_document_is_committed


def test_the_committed_document_is_current(app: Flask) -> None:
    assert assert_document_is_committed(app, "catalog.openapi.json")["openapi"].startswith("3.1")


def test_every_route_is_in_the_document(app: Flask) -> None:
    documented = set(app.extensions["portus.openapi"].spec.to_dict()["paths"])

    routes = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/v1")}
    assert {re.sub(r"<(?:[^>]*:)?(\w+)>", r"{\1}", rule) for rule in routes} == documented
