"""A refused token says why, in the form in which each client shows it to its person."""

from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.auth.api.token_refusals import MAX_PHRASE_LENGTH
from services.auth.domain.namespaces import Visibility
from services.auth.domain.subjects import INTERNAL_USERNAME
from services.auth.domain.teams import Role
from services.auth.usecases.memory import MAX_MISSES
from tests.support.auth import PASSWORD, SERVICE, SERVICE_ACCOUNT_SECRET, AuthFactory, AuthService, access_of, basic
from tests.support.machines import freeze, make_grant, make_robot, make_token
from tests.support.statements import statements

PUSH = "repository:team-a/web:pull,push"
DOCKER = "docker/20.10.24+dfsg1 go/go1.19.8 UpstreamClient(Docker-Client/28.2.2 \\(linux\\))"
DOCKER_COMMAND = "Docker-Client/20.10.24+dfsg1 (linux)"
CONTAINERD = "containerd/1.6.20~ds1"
BUILDKIT = "buildkit/v0.17"
PODMAN = "containers/5.23.1 (github.com/containers/image)"
SKOPEO = "skopeo/1.9.3"
CRANE = "crane/v0.21.10 go-containerregistry/v0.21.10"
SENTENCE = (
    "no right to push to team-a/web: in the namespace 'team-a' you are a viewer of the team 'platform'; it takes a "
    "contributor or an owner; an owner of the team 'platform' or an administrator can give it to you; see "
)


def populate(auth: AuthService) -> AuthService:
    owner = auth.make_user("owner")
    auth.make_user("viewer")
    auth.make_user("stranger")
    auth.make_namespace("team-a", team=auth.make_team("platform", owner=owner, viewer=Role.VIEWER))
    return auth


@pytest.fixture
def auth(make_auth: AuthFactory) -> AuthService:
    return populate(make_auth(web_url="https://portus.example.org/"))


def ask(
    auth: AuthService, *scopes: str, user: str | None = "viewer", agent: str = DOCKER, **options: Any
) -> TestResponse:
    query = [("service", SERVICE), *(("scope", scope) for scope in scopes)]
    headers = {**basic(user, options.pop("password", PASSWORD)), "User-Agent": agent}
    return auth.client.get("/v2/token", query_string=query, headers=headers)


def post(auth: AuthService, scope: str, *, agent: str, user: str = "viewer") -> TestResponse:
    form = {"grant_type": "password", "username": user, "password": PASSWORD, "service": SERVICE, "scope": scope}
    return auth.client.post("/v2/token", data=form, headers={"User-Agent": agent})


def message(response: TestResponse) -> str:
    assert response.content_type == "application/json"
    (error,) = response.get_json()["errors"]
    assert error["code"] == "DENIED"
    return str(error["message"])


@pytest.mark.parametrize("agent", [DOCKER, DOCKER_COMMAND, PODMAN, SKOPEO, CRANE, "somebody/1.0", ""])
def test_most_clients_are_told_in_the_body_of_a_401_with_a_challenge(auth: AuthService, agent: str) -> None:
    response = ask(auth, "repository:team-a/web:push", agent=agent)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == f'Basic realm="{SERVICE}"'
    assert response.headers["Cache-Control"] == "no-store"
    assert message(response).startswith(SENTENCE)


@pytest.mark.parametrize("agent", [CONTAINERD, BUILDKIT])
def test_containerd_is_told_in_the_status_line_of_a_403(auth: AuthService, agent: str) -> None:
    for response in (ask(auth, PUSH, agent=agent), post(auth, PUSH, agent=agent)):
        assert response.status_code == 403
        assert response.status.startswith(f"403 {SENTENCE}")
        assert message(response) == response.status.removeprefix("403 ")


@pytest.mark.parametrize(("agent", "status"), [(DOCKER, 400), (CRANE, 400), (PODMAN, 401), (SKOPEO, 401)])
def test_a_post_is_answered_as_oauth_has_it_and_in_the_registrys_form(
    auth: AuthService, agent: str, status: int
) -> None:
    """Clients that post with a refresh token read the registry's form."""
    response = post(auth, PUSH, agent=agent)

    assert response.status_code == status
    body = response.get_json()
    assert body["error"] == "invalid_scope"
    assert body["error_description"] == message(response)
    assert message(response).startswith(SENTENCE)


def test_the_link_leads_to_the_record(auth: AuthService) -> None:
    link = message(ask(auth, PUSH)).rpartition("see ")[2]
    auth.write_notes()

    record_id = link.removeprefix("https://portus.example.org/explain/")
    record = auth.call("GET", f"/api/v1/decisions/{record_id}", user="viewer").get_json()

    assert (record["id"], record["verdict"], record["repository"]) == (record_id, "refused", "team-a/web")


@pytest.mark.parametrize(
    ("user", "scopes", "is_refused"),
    [
        ("viewer", (PUSH,), True),
        ("viewer", ("repository:team-a/web:*,pull",), True),
        ("viewer", ("repository:team-a/web:pull", "repository:team-a/web:delete"), True),
        ("viewer", ("repository:team-a/web:pull",), False),
        ("stranger", ("repository:team-a/web:pull",), True),
        ("stranger", ("registry:catalog:*",), True),
        ("viewer", ("repository:viewer/web:pull,push", "repository:no/web:pull"), False),
        ("viewer", ("repository:viewer/web:pull,push", "repository:team-a/web:pull,push"), False),
        ("viewer", ("repository:team-a/web:pull", "repository:no/web:pull"), False),
        ("viewer", ("repository:team-a/web:",), False),
        ("viewer", (), False),
        (None, (PUSH,), False),
        (None, ("repository:team-a/web:pull",), False),
    ],
)
def test_only_what_is_bound_to_fail_is_refused(
    auth: AuthService, user: str | None, scopes: tuple[str, ...], is_refused: bool
) -> None:
    """Every other smaller grant is no error: the source of a mount above all, and whoever is anonymous."""
    assert ask(auth, *scopes, user=user).status_code == (401 if is_refused else 200)


def test_a_switch_brings_the_bare_behaviour_back(make_auth: AuthFactory) -> None:
    auth = populate(make_auth(explain_refusals=False))

    assert access_of(ask(auth, PUSH).get_json()["token"]) == ["repository:team-a/web:pull"]
    assert access_of(post(auth, "registry:catalog:*", agent=CONTAINERD).get_json()["access_token"]) == []


def test_docker_inspects_a_manifest_though_it_asks_to_push(auth: AuthService) -> None:
    """docker 20.10 asks so in ``docker manifest inspect``; the push of an image is the engine's doing."""
    assert access_of(ask(auth, PUSH, agent=DOCKER_COMMAND).get_json()["token"]) == ["repository:team-a/web:pull"]
    assert ask(auth, PUSH, agent=DOCKER_COMMAND, user="stranger").status_code == 401


def test_portus_itself_gets_what_there_is(auth: AuthService) -> None:
    response = ask(auth, "repository:team-a/web:delete", user=INTERNAL_USERNAME, password=SERVICE_ACCOUNT_SECRET)

    assert access_of(response.get_json()["token"]) == []


def test_a_registry_of_another_name_gets_a_token_that_opens_nothing(auth: AuthService) -> None:
    response = auth.get_token(PUSH, user="viewer", service="another")

    assert response.status_code == 200


@pytest.mark.parametrize("actions", ["pull", "push", "pull,push", "delete", "*", "fly"])
def test_a_private_name_is_told_like_a_missing_one(auth: AuthService, actions: str) -> None:
    def told(name: str) -> tuple[int, str, str]:
        response = ask(auth, f"repository:{name}/web:{actions}", user="stranger")
        return (
            response.status_code,
            message(response).rpartition(" ")[0].replace(name, "…"),
            str(response.content_length),
        )

    assert told("team-a") == told("team-x")


def test_a_refusal_costs_two_reads_whether_there_is_such_a_namespace_or_not(auth: AuthService) -> None:
    ask(auth, PUSH, user="stranger")

    for name in ("team-a", "team-x"):
        with statements() as seen:
            ask(auth, f"repository:{name}/web:push", user="stranger")
        assert [statement.split()[0] for statement in seen] == ["SELECT", "SELECT"]


def test_a_refusal_is_no_wrong_password(auth: AuthService) -> None:
    for _ in range(MAX_MISSES + 60):
        assert ask(auth, PUSH).status_code == 401

    auth.clock.advance(seconds=61)
    assert ask(auth, "repository:team-a/web:pull").status_code == 200
    with auth.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM login_failures").scalar_one() == 0


def test_a_freeze_shows_its_reason(auth: AuthService) -> None:
    freeze(auth, 5, "release 2.0 is being tested")

    text = message(ask(auth, PUSH, user="owner"))

    assert "the namespace is frozen: release 2.0 is being tested; an owner of the team 'platform'" in text
    assert "release 2.0" not in message(ask(auth, PUSH, user="viewer"))


def test_a_narrowed_token_is_named(auth: AuthService) -> None:
    token = make_token(auth, auth.make_user("jane"), actions="pull", name="only reading")

    text = message(ask(auth, "repository:jane/x:push", user="jane", password=token.secret))

    assert "the application token 'only reading' does not carry it" in text


@pytest.mark.parametrize("days_ago", [1, 29])
def test_a_grant_that_has_ended_is_spoken_of(auth: AuthService, days_ago: int) -> None:
    robot = make_robot(auth)
    ended = auth.clock.now - timedelta(days=days_ago)
    make_grant(auth, "push", "pull", pattern="team-a/*", robot_id=robot.id, expires_at=ended)

    text = message(ask(auth, PUSH, user=robot.username, password=robot.secret))

    assert f"your grant of it ended on {ended:%Y-%m-%d}" in text


def test_a_teams_grant_that_has_ended_is_its_members(auth: AuthService) -> None:
    stranger = auth.make_user("jane")
    team = auth.make_team("guests", owner=stranger)
    ended = auth.clock.now - timedelta(days=1)
    make_grant(auth, "pull", pattern="team-a/*", team_id=team.id, namespace_id=5, expires_at=ended)

    assert "ended on" in message(ask(auth, "repository:team-a/web:pull", user="jane"))
    assert "ended on" not in message(ask(auth, "repository:team-a/web:pull", user="stranger"))


def test_a_grant_that_ended_long_ago_is_forgotten(auth: AuthService) -> None:
    ended = auth.clock.now - timedelta(days=31)
    make_grant(auth, "pull", pattern="team-a/*", user_id=3, expires_at=ended)

    assert "ended on" not in message(ask(auth, "repository:team-a/web:pull", user="stranger"))


def test_a_status_line_is_one_short_line_of_ascii(auth: AuthService) -> None:
    freeze(auth, 5, "Veröffentlichung\r\nSet-Cookie: x=y " + "ü" * 900)

    status = ask(auth, PUSH, user="owner", agent=CONTAINERD).status

    assert status.isascii()
    assert status.isprintable()
    assert len(status) <= MAX_PHRASE_LENGTH + len("403 ")
    assert "/explain/" in status


def test_whoever_may_see_the_namespace_is_told_its_team(auth: AuthService) -> None:
    with auth.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE namespaces SET visibility = '{Visibility.PUBLIC}' WHERE name = 'team-a'")

    assert "you have no role in the team 'platform'" in message(ask(auth, PUSH, user="stranger"))
