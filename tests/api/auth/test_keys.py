"""Keys as verifiers, operators and monitoring see them."""

import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.auth.domain.actors import COMMAND_LINE
from services.auth.signing.access_tokens import TYPE
from services.auth.signing.algorithms import Algorithm
from shared.clock import utc_now
from tests.support.auth import PASSWORD, SERVICE, AuthFactory, AuthService, TestClock, assert_problem, claims_of
from tests.support.authorities import make_ca
from tests.support.statements import database_away

SELF = "/api/v1/users/self"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(params=Algorithm, ids=str)
def auth(make_auth: AuthFactory, request: pytest.FixtureRequest) -> AuthService:
    # Tokens are verified by the real time; behind it, there is room to let a minute pass.
    auth = make_auth(token_algorithm=request.param, clock=TestClock(utc_now() - timedelta(minutes=2)))
    auth.make_user("jane")
    return auth


def sign_in(auth: AuthService) -> str:
    form = {"username": "jane", "password": PASSWORD}
    return str(auth.client.post("/api/v1/sessions", json=form).get_json()["access_token"])


def show(auth: AuthService, token: str) -> Any:
    return auth.client.get(SELF, headers={"Authorization": f"Bearer {token}"})


def test_the_key_set_verifies_tokens_of_either_kind(auth: AuthService) -> None:
    algorithm = auth.services.settings.token_algorithm.value
    token = auth.get_token().get_json()["token"]

    (key,) = auth.client.get("/.well-known/jwks.json").get_json()["keys"]

    assert (key["alg"], key["kid"]) == (algorithm, jwt.get_unverified_header(token)["kid"])
    assert jwt.decode(token, jwt.PyJWK(key), algorithms=[algorithm], audience=SERVICE)


def test_access_tokens_of_either_kind_are_taken(auth: AuthService) -> None:
    token = sign_in(auth)

    assert jwt.get_unverified_header(token)["alg"] == auth.services.settings.token_algorithm.value
    assert show(auth, token).status_code == 200


def test_access_tokens_outlive_a_change_of_the_algorithm(auth: AuthService, make_auth: AuthFactory) -> None:
    token = sign_in(auth)
    (other,) = set(Algorithm) - {auth.services.settings.token_algorithm}
    changed = make_auth(token_algorithm=other, clock=auth.clock)
    changed.services.keyring.rotate(COMMAND_LINE, at_once=True)
    changed.clock.advance(minutes=1)

    assert jwt.get_unverified_header(sign_in(changed))["alg"] == other.value
    assert show(changed, token).status_code == 200
    # A process that has not been started anew meets a kind of key that it would not make itself.
    assert show(auth, sign_in(changed)).status_code == 200


def test_the_key_says_which_algorithm_and_not_the_token(make_auth: AuthFactory) -> None:
    """RFC 8725 §3.1: signed with our own key, in another way that it could be used."""
    auth = make_auth(token_algorithm=Algorithm.RS256)
    auth.make_user("jane")
    leaf, claims = auth.services.keyring.current(), claims_of(sign_in(auth))
    headers = {"typ": TYPE, "kid": leaf.kid}

    ours, other = (jwt.encode(claims, leaf.key, algorithm=name, headers=headers) for name in ("RS256", "PS256"))

    assert (show(auth, ours).status_code, show(auth, other).status_code) == (200, 401)


def test_the_public_key_is_no_secret_to_sign_with(auth: AuthService) -> None:
    """RFC 8725 §2.1: with HS256 in the header, a verifier might take the published key for a secret."""
    leaf = auth.services.keyring.current()
    published = leaf.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "typ": TYPE, "kid": leaf.kid}
    signed = f"{encode(json.dumps(header).encode())}.{encode(json.dumps(claims_of(sign_in(auth))).encode())}"

    forged = f"{signed}.{encode(hmac.digest(published, signed.encode(), 'sha256'))}"

    assert_problem(show(auth, forged), 401)


def encode(part: bytes) -> str:
    return jwt.utils.base64url_encode(part).decode()


def test_a_revoked_leaf_leaves_the_key_set_and_ends_its_access_tokens(auth: AuthService) -> None:
    token = sign_in(auth)
    minted = auth.services.keyring.rotate(COMMAND_LINE, revoke=["all"]).minted
    auth.clock.advance(minutes=1)

    keys = auth.client.get("/.well-known/jwks.json").get_json()["keys"]

    assert [key["kid"] for key in keys] == [minted]
    assert_problem(show(auth, token), 401)
    assert show(auth, sign_in(auth)).status_code == 200


class TestACaThatEnds:
    @pytest.fixture
    def auth(self, make_auth: AuthFactory, tmp_path: Path) -> AuthService:
        auth = make_auth(ca_dir=make_ca(days=(-3000, 31)).write(tmp_path / "own"))
        auth.make_user("jane")
        return auth

    def test_it_is_told_a_month_before_and_the_service_is_ready(self, auth: AuthService) -> None:
        assert auth.client.get("/readyz").get_json() == {"status": "ready", "faults": {}}
        auth.clock.advance(days=2)

        answer = auth.client.get("/readyz")

        assert answer.status_code == 200
        assert "renew it" in answer.get_json()["warnings"]["authority"]

    def test_when_it_has_ended_the_service_is_not_ready(self, auth: AuthService) -> None:
        auth.clock.advance(days=32)

        answer = auth.client.get("/readyz")

        assert answer.status_code == 503
        assert "has expired" in answer.get_json()["faults"]["authority"]

    def test_no_token_is_issued_then_and_nobody_is_at_fault(self, auth: AuthService) -> None:
        auth.clock.advance(days=32)
        form = {"grant_type": "password", "username": "jane", "password": PASSWORD, "service": SERVICE}

        got = auth.get_token(user="jane")
        posted = auth.client.post("/v2/token", data=form)
        signed_in = auth.client.post("/api/v1/sessions", json={"username": "jane", "password": PASSWORD})

        assert got.get_json()["errors"][0]["code"] == "UNAVAILABLE"
        assert posted.get_json()["error"] == "temporarily_unavailable"
        assert_problem(signed_in, 503, "An administrator")
        assert (got.status_code, posted.status_code) == (503, 503)

    def test_a_renewed_one_helps_without_a_restart(self, auth: AuthService, tmp_path: Path) -> None:
        auth.clock.advance(days=32)
        assert auth.get_token().status_code == 503

        make_ca(days=(-1, 100), now=auth.clock()).write(tmp_path / "own")

        assert auth.get_token().status_code == 200
        assert auth.client.get("/readyz").status_code == 200


class TestMetrics:
    """The names that alerts are written with."""

    @pytest.fixture
    def auth(self, make_auth: AuthFactory) -> AuthService:
        return make_auth()

    def test_age_and_end_of_leaf_and_ca(self, auth: AuthService) -> None:
        leaf, authority = auth.services.keyring.current(), auth.services.authority.current

        measured = measures(auth)

        assert measured["created", "leaf"] == pytest.approx(leaf.created_at.timestamp())
        assert measured["expires", "leaf"] == pytest.approx(leaf.expires_at.timestamp())
        assert measured["created", "ca"] == pytest.approx(authority.starts_at.timestamp())
        assert measured["expires", "ca"] == pytest.approx(authority.expires_at.timestamp())

    def test_a_leaf_that_is_not_there_has_no_end(self, auth: AuthService) -> None:
        with database_away():
            measured = measures(auth)

        assert measured["expires", "leaf"] != measured["expires", "leaf"]
        assert measured["expires", "ca"] > 0


def measures(auth: AuthService) -> dict[tuple[str, str], float]:
    page = auth.client.get("/metrics").get_data(as_text=True)
    return {
        (what, key): float(line.split()[1])
        for line in page.splitlines()
        for what in ("created", "expires")
        for key in ("leaf", "ca")
        if line.startswith(f'portus_auth_key_{what}_timestamp_seconds{{key="{key}"}}')
    }
