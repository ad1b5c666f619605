"""Who gets which status from every route of the management API."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.auth.domain.teams import Role
from tests.support.auth import PASSWORD, SERVICE_ACCOUNT_SECRET, AuthFactory, AuthService

# Names in braces are ids of the world below. Whoever is refused is refused before they learn
# whether a thing exists. The rows are tried in this order, by one caller after the other.
MATRIX = """
                                      anonymous disabled portus stranger viewer contributor owner admin
GET    /settings                           401     401     403     403     403     403     403     200
GET    /users/self                         401     401     403     200     200     200     200     200
PUT    /users/self                         401     401     403     200     200     200     200     200
GET    /sessions                           401     401     403     200     200     200     200     200
DELETE /sessions                           401     401     403     204     204     204     204     204
DELETE /sessions/{nothing}                 401     401     403     404     404     404     404     404
GET    /users                              401     401     403     403     403     403     403     200
POST   /users                              401     401     403     403     403     403     403     201
GET    /users/{viewer}                     401     401     403     403     403     403     403     200
GET    /users/{nothing}                    401     401     403     403     403     403     403     404
PUT    /users/{viewer}                     401     401     403     403     403     403     403     200
GET    /users/{nothing}/deletion            401     401     403     403     403     403     403     404
GET    /users/{viewer}/sessions            401     401     403     403     200     403     403     200
GET    /users/{nothing}/sessions           401     401     403     403     403     403     403     404
DELETE /users/{viewer}/sessions            401     401     403     403     204     403     403     204
DELETE /users/{nothing}/sessions           401     401     403     403     403     403     403     404
DELETE /users/{viewer}/sessions/{nothing}  401     401     403     403     404     403     403     404
DELETE /users/{nothing}                    401     401     403     403     403     403     403     404
GET    /teams                              401     401     403     200     200     200     200     200
POST   /teams                              401     401     403     201     201     201     201     201
GET    /teams/{team}                       401     401     403     404     200     200     200     200
GET    /teams/{nothing}                    401     401     403     404     404     404     404     404
GET    /teams/{team}/members               401     401     403     404     200     200     200     200
POST   /teams/{team}/members               401     401     403     404     403     403     201     201
GET    /namespaces                         401     401     403     200     200     200     200     200
POST   /namespaces                         401     401     403     403     403     201     201     201
GET    /namespaces/{namespace}             401     401     403     404     200     200     200     200
GET    /namespaces/{nothing}               401     401     403     404     404     404     404     404
PUT    /namespaces/{namespace}             401     401     403     404     403     403     200     200
GET    /namespaces/validate                401     401     403     200     200     200     200     200
GET    /namespaces/{namespace}/deletion    401     401     403     404     403     403     403     403
DELETE /namespaces/{namespace}             401     401     403     404     403     403     403     403
GET    /teams/{team}/members/{member}      401     401     403     404     200     200     200     200
GET    /registries                         401     401     403     403     403     403     403     200
POST   /registries                         401     401     403     403     403     403     403     201
GET    /registries/validate                401     401     403     403     403     403     403     200
GET    /registries/{registry}              401     401     403     403     403     403     403     200
GET    /registries/{registry}/check        401     401     403     403     403     403     403     200
PUT    /registries/{registry}              401     401     403     403     403     403     403     200
DELETE /registries/{nothing}               401     401     403     403     403     403     403     404
GET    /explain                            401     401     403     200     200     200     200     200
POST   /simulate                           401     401     403     200     200     200     200     200
GET    /who-can                            401     401     403     403     403     403     200     200
GET    /application_tokens                 401     401     403     200     200     200     200     200
POST   /application_tokens                 401     401     403     201     201     201     201     201
GET    /application_tokens/{token}         401     401     403     404     200     404     404     200
GET    /application_tokens/{nothing}       401     401     403     404     404     404     404     404
GET    /users/{viewer}/application_tokens  401     401     403     403     200     403     403     200
POST   /users/{viewer}/application_tokens  401     401     403     403     201     403     403     403
GET    /users/{nothing}/application_tokens 401     401     403     403     403     403     403     404
DELETE /application_tokens/{token}         401     401     403     404     204     404     404     204
GET    /users/application_tokens/{portus}  401     401     403     404     200     404     404     200
DELETE /users/application_tokens/{portus}  401     401     403     404     204     404     404     204
GET    /logins                             401     401     403     200     200     200     200     200
GET    /logins/{login}                     401     401     403     404     200     404     404     200
GET    /logins/{nothing}                   401     401     403     404     404     404     404     404
GET    /users/{viewer}/logins              401     401     403     403     200     403     403     200
GET    /users/{nothing}/logins             401     401     403     403     403     403     403     404
DELETE /logins/{login}                     401     401     403     404     204     404     404     204
GET    /decisions                          401     401     403     200     200     200     200     200
GET    /decisions/{nothing}                401     401     403     404     404     404     404     404
PUT    /teams/{team}                       401     401     403     404     403     403     200     200
GET    /teams/{team}/namespaces            401     401     403     404     200     200     200     200
GET    /teams/typeahead/t                  401     401     403     200     200     200     200     200
GET    /teams/{team}/typeahead/s           401     401     403     404     403     403     200     200
GET    /teams/{team}/deletion              401     401     403     404     403     403     403     403
DELETE /teams/{team}                       401     401     403     404     403     403     403     403
PUT    /teams/{team}/members/{member}      401     401     403     404     403     403     200     200
DELETE /teams/{team}/members/{member}      401     401     403     404     403     403     204     204
GET    /grants                             401     401     403     200     200     200     200     200
POST   /grants                             401     401     403     403     403     403     403     201
GET    /grants/{grant}                     401     401     403     404     404     200     200     200
GET    /grants/{nothing}                   401     401     403     404     404     404     404     404
PUT    /grants/{grant}                     401     401     403     404     404     403     200     200
DELETE /grants/{grant}                     401     401     403     404     404     403     204     204
GET    /namespaces/{namespace}/grants      401     401     403     404     200     200     200     200
POST   /namespaces/{namespace}/grants      401     401     403     404     403     403     201     201
GET    /namespaces/{namespace}/freezes     401     401     403     404     200     200     200     200
POST   /namespaces/{namespace}/freezes     401     401     403     404     403     403     201     201
GET    /namespaces/{namespace}/freezes/{freeze}  401 401   403     404     200     200     200     200
PUT    /namespaces/{namespace}/freezes/{freeze}  401 401   403     404     403     403     200     200
DELETE /namespaces/{namespace}/freezes/{nothing} 401 401   403     404     403     403     404     404
GET    /roles                              401     401     403     200     200     200     200     200
POST   /roles                              401     401     403     403     403     403     403     201
GET    /roles/{role}                       401     401     403     200     200     200     200     200
GET    /roles/{nothing}                    401     401     403     404     404     404     404     404
PUT    /roles/{role}                       401     401     403     403     403     403     403     200
DELETE /roles/{role}                       401     401     403     403     403     403     403     204
GET    /robots                             401     401     403     200     200     200     200     200
POST   /robots                             401     401     403     404     403     403     201     201
GET    /robots/{robot}                     401     401     403     404     404     404     200     200
GET    /robots/{nothing}                   401     401     403     404     404     404     404     404
PUT    /robots/{robot}                     401     401     403     404     404     404     200     200
POST   /robots/{robot}/secrets             401     401     403     404     404     404     201     201
GET    /robots/{robot}/secrets/{secret}    401     401     403     404     404     404     200     200
DELETE /robots/{robot}/secrets/{secret}    401     401     403     404     404     404     204     204
DELETE /robots/{robot}                     401     401     403     404     404     404     204     204
GET    /audit                              401     401     403     200     200     200     200     200
GET    /audit/{entry}                      401     401     403     404     200     200     200     200
GET    /audit/{nothing}                    401     401     403     404     404     404     404     404
GET    /audit.csv                          401     401     403     200     200     200     200     200
GET    /audit.json                         401     401     403     200     200     200     200     200
PUT    /users/self/password                401     401     403     204     204     204     204     204
"""

QUERIES = {
    "GET /namespaces/validate": "?name=free",
    "POST /registries": "?force=true",
    "GET /registries/validate": "?name=new&only=name",
    "GET /explain": "?repository=team-a/app",
    "GET /who-can": "?repository=team-a/app&action=pull",
}

BODIES: dict[str, Any] = {
    "POST /namespaces/{namespace}/freezes": {"reason": "release"},
    "PUT /namespaces/{namespace}/freezes/{freeze}": {"reason": "audit"},
    "POST /registries": {"name": "second", "hostname": "second.example.org"},
    "PUT /registries/{registry}": {"name": "main"},
    "POST /simulate": {"scopes": ["repository:team-a/app:pull"]},
    "POST /users": {"username": "new", "email": "new@example.org", "password": PASSWORD},
    "PUT /users/self": {"display_name": "Me"},
    "PUT /users/self/password": {"current_password": PASSWORD, "password": PASSWORD},
    "PUT /users/{viewer}": {"display_name": "V"},
    "POST /teams": {"name": "another"},
    "POST /teams/{team}/members": {"user": "stranger", "role": "viewer"},
    "PUT /teams/{team}": {"description": "new"},
    "PUT /teams/{team}/members/{member}": {"role": "contributor"},
    "POST /grants": {"user": "stranger", "actions": ["pull"], "pattern": "ci-*"},
    "POST /namespaces/{namespace}/grants": {"user": "stranger", "actions": ["pull"]},
    "PUT /grants/{grant}": {"reason": "because"},
    "POST /robots": {"name": "another", "team": "team"},
    "PUT /robots/{robot}": {"enabled": False},
    "POST /robots/{robot}/secrets": {},
    "POST /roles": {"name": "another", "actions": ["pull"]},
    "PUT /roles/{role}": {"description": "new"},
    "POST /application_tokens": {"application": "ci"},
    "POST /users/{viewer}/application_tokens": {"application": "cd"},
    "POST /namespaces": {"name": "fresh", "team": "team"},
    "PUT /namespaces/{namespace}": {"visibility": "private"},
}

OPEN = {
    *("GET /_ping", "GET /health", "GET /setup"),
    *(
        "POST /users/bootstrap",
        "POST /users/signup",
        "POST /sessions",
        "POST /sessions/refresh",
        "POST /sessions/revoke",
    ),
}
"""Routes that ask for no credentials; each has tests of its own."""

_HEAD, *_ROWS = [line.split() for line in MATRIX.strip().splitlines()]
EXPECTED = {
    caller: {f"{verb} {path}": int(codes[column]) for verb, path, *codes in _ROWS}
    for column, caller in enumerate(_HEAD)
}


@dataclass(frozen=True)
class World:
    auth: AuthService
    ids: dict[str, int]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    # Who may do what does not depend on the database; the storage tests run on both.
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def world(make_auth: AuthFactory) -> World:
    auth = make_auth()
    people = {name: auth.make_user(name) for name in ("stranger", "viewer", "contributor", "owner", "disabled")}
    auth.make_user("admin", administrator=True)
    roles = {"viewer": Role.VIEWER, "contributor": Role.CONTRIBUTOR, "disabled": Role.OWNER}
    team = auth.make_team(owner=people["owner"], **roles)
    namespace = auth.make_namespace(team=team)
    auth.call("PUT", f"/api/v1/users/{people['disabled'].id}", user="admin", json={"enabled": False})
    members = auth.call("GET", f"/api/v1/teams/{team.id}/members", user="owner").get_json()
    (member_id,) = [member["id"] for member in members if member["username"] == "viewer"]
    (entry,) = auth.call("GET", "/api/v1/audit?action=namespace.created&target_name=team-a", user="admin").get_json()
    ids = {"team": team.id, "namespace": namespace.id, "viewer": people["viewer"].id, "member": member_id}
    tokens = {name: _make(auth, "viewer", "application_tokens", {"application": name}) for name in ("token", "portus")}
    role = _make(auth, "admin", "roles", {"name": "role", "actions": ["pull"]})
    grant = _make(auth, "owner", f"namespaces/{namespace.id}/grants", {"user": "contributor", "role": "role"})
    frozen: dict[str, object] = {"repository": "team-a/frozen", "reason": "release"}
    freeze = _make(auth, "owner", f"namespaces/{namespace.id}/freezes", frozen)
    robot = _make(auth, "owner", "robots", {"name": "robot", "team": "team"})
    auth.get_token(user="viewer", query={"offline_token": "true"})
    (login,) = auth.call("GET", "/api/v1/logins", user="viewer").get_json()
    made = {**tokens, "role": role, "freeze": freeze, "grant": grant, "robot": robot, "secret": 1, "login": login["id"]}
    return World(auth, {**ids, **made, "registry": 1, "entry": entry["id"], "nothing": 99_999})


def _make(auth: AuthService, maker: str, path: str, body: dict[str, object]) -> int:
    made = auth.call("POST", f"/api/v1/{path}", user=maker, json=body)
    assert made.status_code == 201, made.text
    made_id: int = made.get_json()["id"]
    return made_id


def ask(world: World, route: str, user: str | None, password: str = PASSWORD) -> int:
    verb, path = route.split()
    target = "/api/v1" + path.format(**world.ids) + QUERIES.get(route, "")
    return world.auth.call(verb, target, user=user, password=password, json=BODIES.get(route)).status_code


@pytest.mark.parametrize("caller", EXPECTED)
def test_access(world: World, caller: str) -> None:
    user = None if caller == "anonymous" else caller
    password = SERVICE_ACCOUNT_SECRET if caller == "portus" else PASSWORD

    got = {route: ask(world, route, user, password) for route in EXPECTED[caller]}

    assert got == EXPECTED[caller]


AUDITORS_MAY = {
    *("POST /simulate", "POST /application_tokens"),
    *("PUT /users/self", "PUT /users/self/password", "DELETE /sessions", "DELETE /sessions/{nothing}"),
}
"""Questions that have a body, and what changes nothing but the caller's own affairs."""
ADMINISTRATORS_ONLY = {"GET /registries/validate", "GET /teams/{team}/typeahead/s"}
"""Questions that make this service call another server, or that only a change would ask."""


def test_an_auditor_sees_what_administrators_see_and_changes_nothing(world: World) -> None:
    world.auth.make_user("auditor", auditor=True)

    got = {route: ask(world, route, "auditor") for route in EXPECTED["admin"]}

    may = AUDITORS_MAY | {route for route in got if route.startswith("GET ")} - ADMINISTRATORS_ONLY
    assert got == {route: status if route in may else 403 for route, status in EXPECTED["admin"].items()}


def test_every_route_is_in_the_matrix(world: World) -> None:
    adapter = world.auth.app.url_map.bind("")
    rows = [route.split() for route in {*EXPECTED["admin"], *OPEN}]
    covered = {
        (verb, str(adapter.match("/api/v1" + path.format(**world.ids), verb, return_rule=True)[0]))
        for verb, path in rows
    }

    routes = {
        (verb, rule.rule)
        for rule in world.auth.app.url_map.iter_rules()
        for verb in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1/")
    }
    assert covered == routes
