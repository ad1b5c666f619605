"""What `portus up` runs, and with which environment."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cli.plan import Plan, make_plan
from cli.settings import load_up_settings
from shared.config import Secret
from tests.unit.cli.builders import make_up_settings


def test_ports_move_every_address(tmp_path: Path) -> None:
    ports = {"web": 1, "auth": 2, "catalog": 3, "notifier": 4, "registry": 5}

    environment = plan(tmp_path, ports=ports).environment

    assert environment["PORTUS_REGISTRY_URL"] == "http://localhost:5"
    assert environment["PORTUS_NOTIFIER_PORT"] == "4"


def test_environment_of_the_user_wins(tmp_path: Path) -> None:
    given = {"PORTUS_CATALOG_URL": "http://catalog.example.org", "PORTUS_DELETE_ENABLED": "true"}

    environment = make_plan(make_up_settings(tmp_path), "registry", given).environment

    assert environment["PORTUS_CATALOG_URL"] == "http://catalog.example.org"
    assert environment["PORTUS_DELETE_ENABLED"] == "true"


@pytest.mark.parametrize("name", ["PORTUS_ADMIN_PASSWORD", "PORTUS_ADMIN_PASSWORD_FILE", "PORTUS_WEB_URL"])
def test_empty_variable_is_not_given(tmp_path: Path, name: str) -> None:
    assert make_plan(make_up_settings(tmp_path), "registry", {name: ""}).environment == plan(tmp_path).environment


def test_empty_variables_are_not_given_to_us_either(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PORTUS_")]:
        monkeypatch.delenv(name)
    absent = load_up_settings()
    for name in ("PORTUS_DATA_DIR", "PORTUS_BIND", "PORTUS_WEB_URL", "PORTUS_CA_DIR", "PORTUS_ADMIN_PASSWORD"):
        monkeypatch.setenv(name, "")

    assert load_up_settings() == absent


def test_port_of_the_catalog_moves_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTUS_CATALOG_URL", raising=False)
    monkeypatch.setenv("PORTUS_CATALOG_PORT", "3")

    assert load_up_settings().catalog_url == "http://localhost:3"


def test_only_the_registry_ends_before_the_others(tmp_path: Path) -> None:
    programs = [program for wave in plan(tmp_path).waves for program in wave]

    assert [program.name for program in programs if program.ends_first] == ["registry"]


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
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


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
