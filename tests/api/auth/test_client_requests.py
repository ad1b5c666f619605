"""Every token request that real clients were seen to send gets the right answer."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from services.auth.domain.decisions import DeletePolicy, Policy
from tests.support.auth import PASSWORD, AuthFactory, AuthService, access_of, basic, claims_of, is_explained

CAPTURED = Path(__file__).parents[2] / "fixtures" / "client-token-requests.jsonl"
SERVICE = "peer-registry"
USER = "u5-0"
REFUSED = "refused, and told why"


def repository(name: str, actions: str) -> str:
    return f"repository:team-a/{name}:{actions}"


# By step: every different answer that it must get, in the order of their first appearance. ``None``
# is a login. The registry has been told that owners may delete.
EXPECTED: dict[str, list[list[str] | str | None]] = {
    "docker20 login": [None],
    "docker20 push (4 layers, new repo)": [[repository("web20", "pull,push")]],
    "docker20 push, layers known in another repo (cross-repo mount)": [
        [repository("other20", "pull,push")],
        [repository("other20", "pull,push"), repository("web20", "pull")],
    ],
    "docker20 pull": [[repository("web20", "pull")]],
    "docker20 manifest inspect": [[repository("web20", "pull,push")]],
    "docker20 logout+anonymous pull (denied)": [[]],
    "docker28 login": [None],
    "docker28 push (4 layers, new repo)": [
        [repository("web28", "pull,push")],
        [repository("other20", "pull"), repository("web28", "pull,push")],
    ],
    "docker28 push, layers known in another repo (cross-repo mount)": [
        [repository("other28", "pull,push")],
        [repository("other28", "pull,push"), repository("web28", "pull")],
    ],
    "docker28 pull": [[repository("web28", "pull")]],
    "docker28 manifest inspect": [[repository("web28", "pull")]],
    "docker28 logout+anonymous pull (denied)": [[]],
    "docker28 login, no engine": [None],
    "podman login": [None],
    "podman push": [[repository("pm", "pull,push")]],
    "podman pull": [[repository("pm", "pull")]],
    # Only administrators may list the whole registry, and u5-0 is none.
    "podman search": [None, REFUSED],
    "skopeo copy --all (index)": [
        [repository("multi", "pull,push")],
        [repository("multi", "pull,push"), repository("pm", "pull")],
    ],
    "skopeo inspect": [[repository("multi", "pull")]],
    "skopeo list-tags": [[repository("web20", "pull")]],
    "skopeo delete": [[repository("pm", "*")], [repository("pm", "*,pull")], [repository("pm", "*,delete")]],
    "crane copy between repos of the registry": [
        [repository("web20", "pull")],
        [repository("crane", "pull,push")],
        [repository("crane", "pull,push"), repository("web20", "pull")],
    ],
    "crane ls": [[repository("web20", "pull")]],
    "crane catalog": [REFUSED],
    "ctr pull --user": [[repository("web20", "pull")]],
    "ctr push --user": [
        [repository("ctr", "pull,push")],
        [repository("ctr", "pull,push"), repository("web20", "pull")],
    ],
    "ctr pull anonymous (denied)": [[]],
}


def captured() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CAPTURED.read_text().splitlines()]


@pytest.fixture
def auth(make_auth: AuthFactory) -> AuthService:
    auth = make_auth(registry_service=SERVICE, policy=Policy(delete=DeletePolicy.OWNERS))
    auth.make_namespace("team-a", team=auth.make_team("a", owner=auth.make_user(USER)))
    return auth


def replay(auth: AuthService, request: dict[str, Any]) -> dict[str, Any] | None:
    """Send a captured request, with the password put back that was blotted out; ``None``: refused, and told why."""
    headers = {"User-Agent": request["user_agent"], **(basic(USER) if request["authorization"] else {})}
    body = request["body"] and request["body"].replace("***", PASSWORD.replace(" ", "+"))
    form = {"content_type": "application/x-www-form-urlencoded", "data": body} if body else {}
    response = auth.client.open(request["path"], method=request["method"], headers=headers, **form)
    if is_explained(response):
        return None
    assert response.status_code == 200, response.get_data(as_text=True)
    answer: dict[str, Any] = response.get_json()
    return answer


def test_every_captured_step_is_expected() -> None:
    assert {request["step"] for request in captured()} == set(EXPECTED)


def test_every_captured_request_gets_the_right_answer(auth: AuthService) -> None:
    seen: dict[str, list[list[str] | str | None]] = {}
    for request in captured():
        answer = replay(auth, request)
        access = access_of(answer["access_token"]) if answer else REFUSED
        answers = seen.setdefault(request["step"], [])
        if access not in answers:
            answers.append(access)

    assert seen == EXPECTED


def test_every_captured_answer_has_the_form_of_its_verb(auth: AuthService) -> None:
    forms = Counter((request["method"], *sorted(replay(auth, request) or ())) for request in captured())

    assert set(forms) == {
        ("GET",),
        ("GET", "access_token", "expires_in", "issued_at", "token"),
        # Of those who log in and ask to stay so.
        ("GET", "access_token", "expires_in", "issued_at", "refresh_token", "token"),
        ("POST", "access_token", "expires_in", "issued_at", "scope", "token_type"),
    }


def test_every_captured_caller_is_the_subject(auth: AuthService) -> None:
    for request in captured():
        anonymous = not request["authorization"] and not request["body"]
        answer = replay(auth, request)
        if answer is None:
            continue
        claims = claims_of(answer["access_token"])
        assert claims["sub"] == ("" if anonymous else USER)
        assert claims["aud"] == SERVICE
