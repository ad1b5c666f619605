"""What `portus up` runs, and with which environment."""

import json
from pathlib import Path
from typing import Any

from cli.plan import Plan, make_plan
from shared.config import Secret
from tests.unit.cli.builders import make_up_settings


def test_ports_move_every_address(tmp_path: Path) -> None:
    ports = {"web": 1, "auth": 2, "catalog": 3, "notifier": 4, "registry": 5}

    environment = plan(tmp_path, ports=ports).environment

    assert environment["PORTUS_CATALOG_URL"] == "http://localhost:3"
    assert environment["PORTUS_REGISTRY_URL"] == "http://localhost:5"
    assert environment["PORTUS_NOTIFIER_PORT"] == "4"


def test_environment_of_the_user_wins(tmp_path: Path) -> None:
    given = {"PORTUS_CATALOG_URL": "http://catalog.example.org", "PORTUS_DELETE_ENABLED": "true"}

    environment = make_plan(make_up_settings(tmp_path), "registry", given).environment

    assert environment["PORTUS_CATALOG_URL"] == "http://catalog.example.org"
    assert environment["PORTUS_DELETE_ENABLED"] == "true"


def test_secret_given_by_file_is_not_made_up(tmp_path: Path) -> None:
    given = {"PORTUS_INTERNAL_SECRET_FILE": "/run/internal"}

    environment = make_plan(make_up_settings(tmp_path), "registry", given).environment

    assert environment["PORTUS_INTERNAL_SECRET_FILE"] == "/run/internal"
    assert not (tmp_path / "secrets/internal").exists()


def test_secrets_are_found_again(tmp_path: Path) -> None:
    plan(tmp_path)
    first = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}

    plan(tmp_path)

    assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == first


def test_secrets_and_what_holds_them_are_for_the_owner_only(tmp_path: Path) -> None:
    plan(tmp_path)

    modes = {path.stat().st_mode & 0o777 for path in [*(tmp_path / "secrets").iterdir(), tmp_path / "registry.yml"]}

    assert modes == {0o600}


def test_registry_asks_for_tokens_by_name_and_trusts_only_our_ca(tmp_path: Path) -> None:
    token = registry_configuration(tmp_path)["auth"]["token"]

    assert token["realm"] == "http://localhost:8081/v2/token"
    assert (token["service"], token["issuer"]) == ("portus-registry", "portus")
    assert token["rootcertbundle"] == str(tmp_path / "ca/ca.crt")


def test_registry_reports_to_the_notifier_with_the_given_secret(tmp_path: Path) -> None:
    (endpoint,) = registry_configuration(tmp_path, notifications_secret=Secret("given"))["notifications"]["endpoints"]

    assert endpoint["url"] == "http://localhost:8083/v2/webhooks/events"
    assert endpoint["headers"] == {"Authorization": ["Bearer given"]}
    assert endpoint["ignore"] == {"mediatypes": ["application/octet-stream"]}


def plan(folder: Path, **changes: Any) -> Plan:
    return make_plan(make_up_settings(folder, **changes), "registry", {})


def registry_configuration(folder: Path, **changes: Any) -> Any:
    plan(folder, **changes)
    return json.loads((folder / "registry.yml").read_text())
