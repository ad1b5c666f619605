"""A real registry, told of our CA only, takes our tokens."""

from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from services.auth.clients.registry import probe_registry
from services.auth.domain.actors import COMMAND_LINE
from services.auth.domain.namespaces import Visibility
from services.auth.signing.algorithms import Algorithm
from services.auth.signing.leaves import SigningLeaf
from tests.conftest import RegistryFactory
from tests.support.auth import PASSWORD, SERVICE, AuthFactory, AuthService, access_of, claims_of
from tests.support.authorities import Ca, make_ca, pem
from tests.support.registry import Registry


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def auth(make_auth: AuthFactory) -> AuthService:
    auth = make_auth()
    auth.make_user("jane")
    auth.make_user("admin", administrator=True)
    return auth


def start_registry(registry_factory: RegistryFactory, bundle: Path) -> Registry:
    token = {
        "realm": "http://localhost/v2/token",
        "service": SERVICE,
        "issuer": "portus",
        "rootcertbundle": str(bundle),
    }
    return registry_factory({"auth": {"token": token}})


@pytest.fixture
def registry(registry_factory: RegistryFactory, auth: AuthService) -> Registry:
    return start_registry(registry_factory, auth.services.settings.ca_dir / "ca.crt")


def call(registry: Registry, path: str, token: str, *, method: str = "GET") -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.request(method, registry.url + path, headers=headers, timeout=10, allow_redirects=False)


def token_for(auth: AuthService, *scopes: str, user: str | None = "jane") -> str:
    return str(auth.get_token(*scopes, user=user).get_json()["token"])


def test_a_login_is_accepted(registry: Registry, auth: AuthService) -> None:
    assert requests.get(f"{registry.url}/v2/", timeout=10).status_code == 401
    assert call(registry, "/v2/", token_for(auth)).status_code == 200


def test_a_registry_says_what_it_calls_itself(registry: Registry, auth: AuthService) -> None:
    answer = probe_registry(registry.url.removeprefix("http://"), False)

    assert (answer.fault, answer.realm, answer.service) == (None, "http://localhost/v2/token", SERVICE)


@pytest.mark.parametrize(("service", "faults"), [(SERVICE, []), ("another", ["service"])])
def test_the_first_registry_is_asked_where_portus_reaches_it(
    registry: Registry, make_auth: AuthFactory, service: str, faults: list[str]
) -> None:
    """Its host is what people type: that need not be an address in here, nor speak TLS there."""
    auth = make_auth(registry_url=registry.url, registry_host="hub.example.org", registry_service=service)

    found = auth.call("GET", "/api/v1/registries/1/check", user="admin").get_json()

    assert (found["valid"], list(found["messages"])) == (not faults, faults)


def test_what_was_granted_is_allowed_and_nothing_else(registry: Registry, auth: AuthService) -> None:
    token = token_for(auth, "repository:jane/app:pull,push")

    assert call(registry, "/v2/jane/app/blobs/uploads/", token, method="POST").status_code == 202
    # There is no such image; that the registry says so means that it let us look.
    assert call(registry, "/v2/jane/app/manifests/latest", token).status_code == 404
    assert call(registry, "/v2/jane/other/manifests/latest", token).status_code == 401
    assert call(registry, "/v2/_catalog", token).status_code == 401


def test_an_anonymous_token_opens_what_is_public(registry: Registry, auth: AuthService) -> None:
    auth.make_namespace("open", team=auth.make_team(owner=auth.make_user("owner")), visibility=Visibility.PUBLIC)
    token = token_for(auth, "repository:open/app:pull,push", user=None)

    assert call(registry, "/v2/open/app/manifests/latest", token).status_code == 404
    assert call(registry, "/v2/open/app/blobs/uploads/", token, method="POST").status_code == 401


def test_an_administrator_lists_the_registry(registry: Registry, auth: AuthService) -> None:
    token = token_for(auth, "registry:catalog:*", user="admin")

    assert call(registry, "/v2/_catalog", token).json() == {"repositories": []}


def test_a_leaf_minted_after_the_registry_started_is_accepted_too(registry: Registry, auth: AuthService) -> None:
    first = token_for(auth)
    assert call(registry, "/v2/", first).status_code == 200
    with auth.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM signing_leaves")
    auth.clock.advance(seconds=61)

    second = token_for(auth)

    assert jwt.get_unverified_header(second)["kid"] != jwt.get_unverified_header(first)["kid"]
    assert call(registry, "/v2/", second).status_code == 200


def test_an_access_token_of_the_api_opens_no_registry(registry: Registry, auth: AuthService) -> None:
    session = auth.client.post("/api/v1/sessions", json={"username": "admin", "password": PASSWORD}).get_json()

    assert call(registry, "/v2/", session["access_token"]).status_code == 401


def test_another_ca_is_not_trusted(registry_factory: RegistryFactory, make_auth: AuthFactory, tmp_path: Path) -> None:
    ours, theirs = make_auth(), make_auth(ca_dir=tmp_path / "their-ca")
    registry = start_registry(registry_factory, ours.services.settings.ca_dir / "ca.crt")

    assert call(registry, "/v2/", token_for(ours, user=None)).status_code == 200
    assert call(registry, "/v2/", token_for(theirs, user=None)).status_code == 401


def resign(leaf: SigningLeaf, token: str, **header: Any) -> str:
    """Sign the same claims with another header."""
    return jwt.encode(claims_of(token), leaf.key, algorithm="ES256", headers=header)


def test_the_kid_is_the_one_by_which_this_registry_knows_a_key(
    registry_factory: RegistryFactory, auth: AuthService, tmp_path: Path
) -> None:
    """Case 18, in place of a literal vector, and case 19.

    Without x5c, registry 2.8 looks the key up by its libtrust fingerprint: it must find ours.
    """
    token, leaf = token_for(auth), auth.services.keyring.current()
    bundle = tmp_path / "leaf.crt"
    bundle.write_text(f"-----BEGIN CERTIFICATE-----\n{leaf.x5c[0]}\n-----END CERTIFICATE-----\n")
    registry = start_registry(registry_factory, bundle)

    assert call(registry, "/v2/", resign(leaf, token, kid=leaf.kid)).status_code == 200
    assert call(registry, "/v2/", resign(leaf, token, kid="AAAA" + leaf.kid[4:])).status_code == 401


def test_a_token_for_another_service_or_of_another_issuer_is_refused(
    registry: Registry, make_auth: AuthFactory
) -> None:
    for change in ({"registry_service": "another"}, {"issuer": "another"}):
        auth = make_auth(**change)
        assert access_of(token := token_for(auth, user=None)) in (None, [])
        assert call(registry, "/v2/", token).status_code == 401


class TestACaOfTheOperator:
    """An intermediate under a root; the registry has been given one of the two."""

    @pytest.mark.parametrize(
        ("kind", "algorithm"),
        [("P-256", Algorithm.RS256), ("P-384", Algorithm.ES256), ("RSA-2048", Algorithm.ES256)],
        ids=str,
    )
    def test_a_registry_that_knows_the_root_takes_tokens_from_below(
        self,
        registry_factory: RegistryFactory,
        make_auth: AuthFactory,
        tmp_path: Path,
        kind: str,
        algorithm: Algorithm,
    ) -> None:
        root = make_ca("root", kind=kind)
        issuing = make_ca("issuing", under=root, kind=kind, path_length=0)
        auth = make_auth(ca_dir=issuing.write(tmp_path / "own"), token_algorithm=algorithm)

        token = token_for(auth, user=None)

        assert jwt.get_unverified_header(token)["alg"] == algorithm.value
        assert call(start_registry(registry_factory, write_bundle(tmp_path, root)), "/v2/", token).status_code == 200
        assert call(start_registry(registry_factory, write_bundle(tmp_path, issuing)), "/v2/", token).status_code == 200

    def test_a_renewed_intermediate_needs_no_restart_of_the_registry(
        self, registry_factory: RegistryFactory, make_auth: AuthFactory, tmp_path: Path
    ) -> None:
        """With a new key, as cert-manager renews it; named as in a Secret of its kind."""
        root, names = make_ca("root"), ("tls.crt", "tls.key")
        auth = make_auth(ca_dir=make_ca("first", under=root).write(tmp_path / "own", names=names))
        registry = start_registry(registry_factory, write_bundle(tmp_path, root))
        first = token_for(auth, user=None)
        make_ca("second", under=root).write(tmp_path / "own", names=names)
        auth.clock.advance(seconds=61)

        second = token_for(auth, user=None)

        assert jwt.get_unverified_header(first)["kid"] != jwt.get_unverified_header(second)["kid"]
        assert [call(registry, "/v2/", token).status_code for token in (first, second)] == [200, 200]


def test_another_algorithm_needs_no_restart_of_the_registry(
    registry: Registry, make_auth: AuthFactory, auth: AuthService
) -> None:
    before = token_for(auth)
    after = make_auth(token_algorithm=Algorithm.RS256, clock=auth.clock)
    after.services.keyring.rotate(COMMAND_LINE, at_once=True)
    after.clock.advance(seconds=1)

    rotated = token_for(after)

    assert [jwt.get_unverified_header(token)["alg"] for token in (before, rotated)] == ["ES256", "RS256"]
    assert [call(registry, "/v2/", token).status_code for token in (before, rotated)] == [200, 200]


def write_bundle(folder: Path, ca: Ca) -> Path:
    path = folder / "bundle.crt"
    path.write_bytes(pem(ca.certificate))
    return path
