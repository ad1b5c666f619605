"""``python -m services.auth …``, as an installation runs it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from shared.database import Database
from tests.support.auth import SERVICE_ACCOUNT_SECRET, access_of
from tests.support.auth_commands import ROOT, Environment, auth_environment, prepare_auth, serving_auth
from tests.support.auth_commands import run_auth as run
from tests.support.authorities import make_ca


@pytest.fixture
def environment(tmp_path: Path, database_url: str) -> Environment:
    return auth_environment(tmp_path, database_url)


@pytest.fixture
def prepared(environment: Environment) -> Environment:
    prepare_auth(environment)
    return environment


@pytest.fixture
def url(prepared: Environment, tmp_path: Path) -> Iterator[str]:
    with serving_auth(prepared, log=tmp_path / "serve.log") as url:
        yield url


def test_a_prepared_service_answers(url: str) -> None:
    query = {"service": "portus-registry", "scope": "repository:root/app:push,pull"}

    answer = requests.get(f"{url}/v2/token", params=query, auth=ROOT, timeout=10)

    assert access_of(answer.json()["token"]) == ["repository:root/app:pull,push"]


def test_the_audit_trail_is_proved(prepared: Environment) -> None:
    """The operator made the administrator; later a row is changed behind the back of the service."""
    first = run(prepared, "verify-audit").strip()
    head = first.split()[-1]

    assert first == f"auth: 2 entries, head {head}"
    assert run(prepared, "verify-audit", "--since-head", head).strip() == first
    assert "it was rewritten" in run(prepared, "verify-audit", "--since-head", "f" * 64, status=1)
    assert "no partition 2001-01" in run(prepared, "verify-audit", "--partition", "2001-01", status=1)

    database = Database(prepared["PORTUS_AUTH_DATABASE_URL"])
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE audit_entries SET actor = 'jane' WHERE id = 2")
    database.dispose()

    assert "entry 2: changed" in run(prepared, "verify-audit", status=1)


@pytest.mark.parametrize("database_url", ["sqlite:////nowhere"], ids=["sqlite"])
class TestWords:
    """What a command prints, and how it fails, does not depend on the database."""

    @pytest.fixture
    def environment(self, tmp_path: Path, environment: Environment) -> Environment:
        return {**environment, "PORTUS_AUTH_DATABASE_URL": f"sqlite:///{tmp_path / 'words.db'}"}

    def test_what_is_missing_is_told(self, environment: Environment) -> None:
        output = run(environment, "check")

        assert "run 'migrate'" in output
        assert "init-ca" in output

    def test_a_variable_that_nobody_reads_is_told_with_the_one_that_was_meant(self, prepared: Environment) -> None:
        output = run(prepared, "check", PORTUS_AUTH_DATABASE="x")

        (line,) = [line for line in output.splitlines() if "settings.unknown_variable" in line]
        assert '"variable": "PORTUS_AUTH_DATABASE"' in line
        assert '"nearest": "PORTUS_AUTH_DATABASE_URL"' in line

    def test_a_variable_of_portus_that_says_nothing_any_more_is_told_with_why(self, prepared: Environment) -> None:
        output = run(prepared, "check", PORTUS_KEY_PATH="/certificates/portus.key")

        (line,) = [line for line in output.splitlines() if "settings.old_variable" in line]
        assert '"variable": "PORTUS_KEY_PATH"' in line
        assert "PORTUS_CA_DIR" in line

    def test_namespaces_are_imported_by_a_plan_that_is_shown_first(self, prepared: Environment, tmp_path: Path) -> None:
        plan = tmp_path / "plan.csv"
        plan.write_text("old,nobody\nroot,root\n")

        shown = run(prepared, "import-namespaces", str(plan), status=0)
        refused = run(prepared, "import-namespaces", "--apply", str(plan), status=1)

        assert "wrong old -> nobody: there is no team 'nobody'" in shown
        assert "there root -> root" in shown
        assert "nothing was made" in refused

    def test_an_old_name_runs_the_service_as_well(self, prepared: Environment) -> None:
        environment = {name: value for name, value in prepared.items() if name != "PORTUS_SERVICE_ACCOUNT_SECRET"}

        assert "in order" in run(environment, "check", PORTUS_PASSWORD=SERVICE_ACCOUNT_SECRET)
        assert "PORTUS_PASSWORD, its old name" in run(prepared, "check", status=2, PORTUS_PASSWORD="x" * 16)

    def test_the_administrator_is_made_once(self, prepared: Environment) -> None:
        assert "there are people already" in run(prepared, "ensure-admin", PORTUS_ADMIN_USERNAME="another")
        assert run(prepared, "check").strip() == "auth: the settings are in order"

    @pytest.mark.parametrize("command", ["serve", "worker"])
    def test_nothing_runs_without_a_ca(self, environment: Environment, command: str) -> None:
        assert "init-ca" in run(environment, command, status=2)

    def test_there_is_no_administrator_before_the_schema(self, environment: Environment) -> None:
        assert "run 'migrate'" in run(environment, "ensure-admin", status=2)

    def test_an_administrator_whose_values_break_a_rule(self, environment: Environment) -> None:
        run(environment, "migrate")

        output = run(environment, "ensure-admin", status=2, PORTUS_ADMIN_PASSWORD="short")

        assert "PORTUS_ADMIN_PASSWORD: must have 8 to 128 characters" in output

    def test_a_rotation_says_when_it_takes_effect(self, prepared: Environment) -> None:
        waiting, hurried = run(prepared, "rotate-keys", "rotate-keys", "--now").split("auth: minted leaf ")[1:]

        assert re.match(r"[A-Z2-7:]{59}; it signs from .* UTC on", waiting)
        assert re.match(r"[A-Z2-7:]{59}; every process signs with it within a minute", hurried)

    def test_a_revoked_leaf_is_said_to_be_trusted_still(self, prepared: Environment) -> None:
        output = run(prepared, "rotate-keys", "rotate-keys", "--revoke", "all", "jwks")

        assert re.search(r"revoked leaf [A-Z2-7:]{59}; registries trust it until it expires, ", output)
        assert output.count('"kty"') == 1

    def test_a_leaf_that_is_not_there_cannot_be_revoked(self, prepared: Environment) -> None:
        assert "no leaf AAAA lives" in run(prepared, "rotate-keys", "--revoke", "AAAA", status=1)

    def test_the_key_set_can_be_printed(self, prepared: Environment) -> None:
        run(prepared, "rotate-keys", PORTUS_TOKEN_ALGORITHM="RS256")

        (key,) = json.loads(run(prepared, "jwks"))["keys"]

        assert (key["kty"], key["alg"]) == ("RSA", "RS256")

    @pytest.mark.parametrize("command", ["rotate-keys", "jwks"])
    def test_there_are_no_keys_before_the_schema(self, environment: Environment, command: str) -> None:
        assert "run 'migrate'" in run(environment, "init-ca", command, status=2)

    def test_nothing_starts_with_a_ca_that_has_expired(self, environment: Environment, tmp_path: Path) -> None:
        make_ca(days=(-9, -1)).write(tmp_path / "data" / "ca")

        output = run(environment, "serve", status=2)

        assert "has expired" in output
        assert "renew it" in output

    def test_a_wrong_setting(self, environment: Environment) -> None:
        output = run(environment, "migrate", status=2, PORTUS_PUSH_POLICY="everybody")

        assert "PORTUS_PUSH_POLICY" in output
