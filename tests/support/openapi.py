"""The committed OpenAPI documents."""

import json
import os
from pathlib import Path
from typing import Any

from flask import Flask
from openapi_spec_validator import validate

CONTRACTS = Path(__file__).parents[2] / "docs" / "contracts"


def assert_document_is_committed(app: Flask, name: str) -> dict[str, Any]:
    """Assert that an application's document is valid and the one in ``docs/contracts``; return it.

    With ``UPDATE_CONTRACTS=1`` the committed document is written anew.
    """
    document: dict[str, Any] = app.test_client().get("/api/openapi.json").get_json()
    validate(document)
    path = CONTRACTS / name
    if os.environ.get("UPDATE_CONTRACTS") == "1":
        path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
    assert json.loads(path.read_text()) == document, f"{path} is not current: run the test with UPDATE_CONTRACTS=1"
    return document
