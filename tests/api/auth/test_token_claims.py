"""The token endpoint: what is in an answer."""

from datetime import UTC, datetime

import jwt
import pytest
from cryptography import x509

from services.auth.domain.decisions import DeletePolicy, Policy, PushPolicy
from services.auth.domain.namespaces import Visibility
from services.auth.domain.teams import Role
from services.auth.signing.authority import load_authority
from services.auth.signing.leaves import libtrust_fingerprint
from tests.support.auth import (
    PASSWORD,
    SERVICE,
    SERVICE_ACCOUNT_SECRET,
    AuthFactory,
    AuthService,
    access_of,
    basic,
    claims_of,
)


def test_a_login_gets_a_token_without_access(auth: AuthService) -> None:
    auth.make_user("jane")

    assert auth.access(user="jane") is None


def test_an_answer_to_get_holds_the_token_twice(auth: AuthService) -> None:
    auth.make_user("jane")

    response = auth.get_token("repository:jane/app:pull", user="jane")

    body = response.get_json()
    assert set(body) == {"token", "access_token", "expires_in", "issued_at"}
    assert body["token"] == body["access_token"]
    assert body["expires_in"] == 900
    issued_at = datetime.strptime(body["issued_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert issued_at == auth.clock.now.replace(microsecond=0)
    assert response.headers["Cache-Control"] == "no-store"


def test_claims(make_auth: AuthFactory) -> None:
    auth = make_auth(issuer="portus.example.org", token_ttl_s=900)
    auth.make_user("jane")

    tokens = [auth.get_token("repository:jane/a:pull", user="jane").get_json()["token"] for _ in range(2)]

    first, second = map(claims_of, tokens)
    assert first["iss"] == "portus.example.org"
    assert first["aud"] == SERVICE
    assert first["sub"] == "jane"
    assert first["exp"] - first["iat"] == 900
    assert first["nbf"] == first["iat"] - 5
    assert first["jti"] != second["jti"]
    assert first["access"] == [{"type": "repository", "name": "jane/a", "actions": ["pull"]}]


def test_the_header_names_the_key_and_brings_its_certificate(auth: AuthService) -> None:
    token = auth.get_token().get_json()["token"]

    header = jwt.get_unverified_header(token)
    assert header["typ"] == "JWT"
    assert header["alg"] == "ES256"
    (encoded,) = header["x5c"]
    certificate = x509.load_pem_x509_certificate(
        f"-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----".encode()
    )
    certificate.verify_directly_issued_by(load_authority(auth.services.settings.ca_dir).certificate)
    public_key = certificate.public_key()
    assert header["kid"] == libtrust_fingerprint(public_key)
    assert jwt.decode(token, public_key, algorithms=["ES256"], audience=SERVICE)  # type: ignore[arg-type]


def test_the_account_parameter_never_becomes_the_subject(auth: AuthService) -> None:
    """SUSE Portus copied it, so that anybody could push in another's name."""
    auth.make_user("jane")

    response = auth.client.get(f"/v2/token?service={SERVICE}&account=admin", headers=basic("jane"))

    assert claims_of(response.get_json()["token"])["sub"] == "jane"


def test_an_anonymous_subject_is_empty(auth: AuthService) -> None:
    token = auth.client.get(f"/v2/token?service={SERVICE}&account=admin").get_json()["token"]

    assert claims_of(token)["sub"] == ""


def test_the_subject_is_written_as_the_account_is(auth: AuthService) -> None:
    auth.make_user("Jane.Doe")

    assert claims_of(auth.get_token(user="jane.doe").get_json()["token"])["sub"] == "Jane.Doe"


def test_a_service_that_is_not_ours_gets_a_token_that_opens_nothing(auth: AuthService) -> None:
    auth.make_user("jane")

    response = auth.get_token("repository:jane/app:pull,push", user="jane", service="evil-registry")

    claims = claims_of(response.get_json()["token"])
    assert claims["access"] == []
    assert claims["aud"] == SERVICE


@pytest.mark.parametrize("scopes", [(), ("registry:catalog:*",)], ids=["login", "catalogue"])
def test_a_missing_service_is_as_unknown_as_a_wrong_one(auth: AuthService, scopes: tuple[str, ...]) -> None:
    auth.make_user("root", administrator=True)
    query = [("scope", scope) for scope in scopes]

    response = auth.client.get("/v2/token", query_string=query, headers=basic("root"))

    assert access_of(response.get_json()["token"]) == []


def test_scopes_of_one_repository_are_one_entry(auth: AuthService) -> None:
    auth.make_user("jane")

    access = auth.access("repository:jane/a:push", "repository:jane/a:pull", user="jane")

    assert access == ["repository:jane/a:pull,push"]


def test_scopes_may_share_a_parameter(auth: AuthService) -> None:
    auth.make_user("jane")

    access = auth.access("repository:jane/b:pull repository:jane/a:pull", user="jane")

    assert access == ["repository:jane/a:pull", "repository:jane/b:pull"]


def test_a_smaller_grant_is_not_an_error(auth: AuthService) -> None:
    auth.make_user("viewer")
    team = auth.make_team(owner=auth.make_user("owner"), viewer=Role.VIEWER)
    auth.make_namespace("team-a", team=team)

    scopes = ("repository:viewer/x:pull,push", "repository:team-a/x:pull,push", "repository:no/x:pull")
    assert auth.access(*scopes, user="viewer") == ["repository:team-a/x:pull", "repository:viewer/x:pull,push"]


@pytest.mark.parametrize(
    "scope", ["repository:team-a/x:*,push,pull", "registry:catalog:x,*", "registry:catalog:*", "repository:no/x:pull"]
)
@pytest.mark.parametrize("user", [None, "stranger"])
def test_strangers_get_nothing(auth: AuthService, user: str | None, scope: str) -> None:
    auth.make_user("stranger")
    auth.make_namespace("team-a", team=auth.make_team(owner=auth.make_user("owner")))

    assert auth.access(scope, user=user) == []


@pytest.mark.parametrize(
    ("visibility", "anonymous", "stranger"),
    [
        (Visibility.PUBLIC, True, True),
        (Visibility.PROTECTED, False, True),
        (Visibility.PRIVATE, False, False),
    ],
)
def test_pull_by_visibility(auth: AuthService, visibility: Visibility, anonymous: bool, stranger: bool) -> None:
    auth.make_user("stranger")
    team = auth.make_team(owner=auth.make_user("owner"))
    auth.make_namespace("team-a", team=team, visibility=visibility)

    granted = [bool(auth.access("repository:team-a/x:pull", user=user)) for user in (None, "stranger", "owner")]

    assert granted == [anonymous, stranger, True]


def test_the_global_namespace_may_be_protected(auth: AuthService) -> None:
    auth.make_user("jane")
    assert auth.access("repository:busybox:pull") == ["repository:busybox:pull"]

    auth.set_global_visibility(Visibility.PROTECTED)

    assert auth.access("repository:busybox:pull") == []
    assert auth.access("repository:busybox:pull", user="jane") == ["repository:busybox:pull"]


def test_only_administrators_push_to_the_global_namespace(auth: AuthService) -> None:
    auth.make_user("admin", administrator=True)

    assert auth.access("repository:busybox:push", user="admin") == ["repository:busybox:push"]


@pytest.mark.parametrize(
    ("policy", "team_push", "own_push"),
    [
        (PushPolicy.ALLOW_TEAMS, True, True),
        (PushPolicy.ALLOW_PERSONAL, False, True),
        (PushPolicy.ADMIN_ONLY, False, False),
    ],
)
def test_push_by_policy(make_auth: AuthFactory, policy: PushPolicy, team_push: bool, own_push: bool) -> None:
    auth = make_auth(policy=Policy(push=policy))
    team = auth.make_team(owner=auth.make_user("owner"))
    auth.make_user("admin", administrator=True)
    auth.make_namespace("team-a", team=team)
    scopes = ("repository:team-a/x:push", "repository:owner/x:push")

    assert len(auth.access(*scopes, user="owner") or []) == team_push + own_push
    assert len(auth.access(*scopes, user="admin") or []) == 2


def test_delete_only_where_it_is_switched_on(make_auth: AuthFactory) -> None:
    team = (auth := make_auth()).make_team(owner=auth.make_user("owner"))
    auth.make_namespace("team-a", team=team)
    scope = "repository:team-a/x:*,delete"

    assert auth.access(scope, user="owner") == []
    assert make_auth(policy=Policy(delete=DeletePolicy.OWNERS)).access(scope, user="owner") == [scope]


def test_membership_counts_from_the_next_token_on(auth: AuthService) -> None:
    auth.make_user("jane")
    team = auth.make_team(owner=auth.make_user("owner"))
    auth.make_namespace("team-a", team=team)
    assert auth.access("repository:team-a/x:pull", user="jane") == []

    auth.call("POST", f"/api/v1/teams/{team.id}/members", user="owner", json={"user": "jane", "role": "viewer"})

    assert auth.access("repository:team-a/x:pull", user="jane") == ["repository:team-a/x:pull"]


def test_the_internal_account_reads_everything(auth: AuthService) -> None:
    auth.make_namespace("team-a", team=auth.make_team(owner=auth.make_user("owner")))

    access = auth.access(
        "registry:catalog:*", "repository:team-a/x:pull", "repository:unknown/x:pull",
        user="portus", password=SERVICE_ACCOUNT_SECRET,
    )  # fmt: skip

    assert access == ["registry:catalog:*", "repository:team-a/x:pull", "repository:unknown/x:pull"]


def test_the_internal_account_has_no_other_password(auth: AuthService) -> None:
    assert auth.get_token(user="portus", password=PASSWORD).status_code == 401


def test_head_and_options_harm_nobody(auth: AuthService) -> None:
    assert auth.client.head(f"/v2/token?service={SERVICE}").status_code == 200
    assert auth.client.options("/v2/token").headers["Allow"]
