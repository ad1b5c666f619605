"""What repositories say of the caller's rights, with a real ``auth``: the rule that lists is the rule that checks."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.auth.domain.decisions import DeletePolicy, Policy
from services.auth.domain.teams import Role
from services.catalog.app import create_app
from services.catalog.usecases.apply_notifications import apply_notifications
from shared.clock import utc_now
from shared.config import Secret
from shared.messaging.topology import declare_topology
from tests.support.auth import INTERNAL_SECRET, PASSWORD, AuthService, auth_factory, basic
from tests.support.catalog import digest_of, envelope_for, make_settings, new_index, push
from tests.support.catalog_clients import new_fetcher, nowhere
from tests.support.serving import serving

HOST = "registry.example.org"
HELD = ("team/app", "team/other", "pub/app", "vera/own", "lost/app", "top")
PEOPLE = ("admin", "auditor", "olga", "carl", "vera", "granted", "stranger", None)
"""``None``: nobody has signed in."""


@dataclass
class House:
    """Both services; of the catalog's API one client."""

    auth: AuthService
    client: FlaskClient

    def call(self, method: str, path: str, user: str | None, password: str = PASSWORD, **options: Any) -> TestResponse:
        return self.client.open(f"/api/v1{path}", method=method, headers=basic(user, password), **options)

    def repositories(self, user: str | None, query: str = "", password: str = PASSWORD) -> dict[str, dict[str, Any]]:
        rows: Any = self.call("GET", f"/repositories{query}", user, password).json
        return {row["full_name"]: row for row in rows}

    def narrow(self, user: str, **narrowing: list[str]) -> str:
        """Make an application token that carries a part of somebody's rights."""
        wanted = {"application": "ci", **narrowing}
        made = self.auth.call("POST", "/api/v1/application_tokens", user=user, json=wanted)
        return str(made.get_json()["plain_token"])


@pytest.fixture
def make_house(tmp_path: Path, database_url: str) -> Iterator[Callable[..., House]]:
    """A function ``(policy) -> House``; the index lies in either database."""
    with ExitStack() as stack:

        def build(policy: DeletePolicy = DeletePolicy.OWNERS) -> House:
            settings = {"policy": Policy(delete=policy), "registry_host": HOST}
            auth = auth_factory(tmp_path, f"sqlite:///{tmp_path / 'auth.db'}", stack)(**settings)
            people(auth)
            url = stack.enter_context(serving(auth.app))
            changes = {"internal_secret": Secret(INTERNAL_SECRET), "registry_host": HOST}
            catalog = make_settings(tmp_path, url, database_url=Secret(database_url), **changes)
            declare_topology(catalog.broker_url)
            index = new_index(database_url)
            stack.callback(index.dispose)
            fetcher = new_fetcher(nowhere(), index)
            told = [envelope_for(push("1", digest_of(name), at, repository=name)) for at, name in enumerate(HELD)]
            apply_notifications(told, database=index, fetcher=fetcher, clock=utc_now)
            fetcher.close()
            return House(auth, create_app(catalog, index).test_client())

        yield build


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    """Owners delete."""
    return make_house()


def people(auth: AuthService) -> None:
    auth.make_user("admin", administrator=True)
    auth.make_user("auditor", auditor=True)
    for name in ("carl", "vera", "granted", "stranger"):
        auth.make_user(name)
    team = auth.make_team(owner=auth.make_user("olga"), carl=Role.CONTRIBUTOR, vera=Role.VIEWER)
    namespace = auth.make_namespace("team", team=team)
    public = auth.make_namespace("pub", team=team)
    auth.call("PUT", f"/api/v1/namespaces/{public.id}", user="olga", json={"visibility": "public"})
    grant = {"user": "granted", "actions": ["pull", "delete"], "pattern": "team/app"}
    made = auth.call("POST", f"/api/v1/namespaces/{namespace.id}/grants", user="olga", json=grant)
    assert made.status_code == 201, made.text


@pytest.mark.parametrize("policy", list(DeletePolicy))
def test_what_is_listed_as_destroyable_is_what_may_be_deleted(
    policy: DeletePolicy, make_house: Callable[..., House]
) -> None:
    house = make_house(policy)

    for user in PEOPLE:
        for name, row in house.repositories(user).items():
            shown = house.call("GET", f"/repositories/{row['id']}", user).json
            checked = house.call("DELETE", f"/repositories/{row['id']}?dry_run=true", user).status_code
            assert checked == (200 if row["destroyable"] else 403), (user, name)
            assert shown == row


@pytest.mark.parametrize(
    ("user", "destroyable"),
    [
        ("admin", ["lost/app", "pub/app", "team/app", "team/other", "top", "vera/own"]),
        ("auditor", []),
        ("olga", ["pub/app", "team/app", "team/other"]),
        ("carl", []),
        ("vera", ["vera/own"]),
        ("granted", ["team/app"]),
        ("stranger", []),
        (None, []),
    ],
)
def test_who_may_delete_what(user: str | None, destroyable: list[str], house: House) -> None:
    assert [name for name, row in house.repositories(user).items() if row["destroyable"]] == destroyable


@pytest.mark.parametrize(
    ("narrowing", "destroyable"),
    [
        ({"actions": ["pull", "push"]}, []),
        ({"actions": ["pull", "delete"]}, ["pub/app", "team/app", "team/other"]),
        ({"namespaces": ["pub"]}, ["pub/app"]),
    ],
)
def test_a_token_without_the_right_neither_shows_it_nor_has_it(
    narrowing: dict[str, list[str]], destroyable: list[str], house: House
) -> None:
    token = house.narrow("olga", **narrowing)

    listed = house.repositories("olga", password=token)

    assert [name for name, row in listed.items() if row["destroyable"]] == destroyable
    for name, row in listed.items():
        answer = house.call("DELETE", f"/repositories/{row['id']}", "olga", token)
        # There is no registry here, so that what is allowed comes to 503.
        assert answer.status_code == (503 if name in destroyable else 403)


def test_a_namespace_is_told_by_the_id_and_name_that_auth_has_for_it(house: House) -> None:
    known = {row["name"]: row["id"] for row in house.auth.call("GET", "/api/v1/namespaces", user="admin").get_json()}

    for user in PEOPLE:
        for name, row in house.repositories(user).items():
            namespace = name.partition("/")[0] if "/" in name else HOST
            assert row["namespace"] == {"id": known.get(namespace), "name": namespace}
    assert house.repositories("admin")["lost/app"]["namespace"] == {"id": None, "name": "lost"}


def test_a_namespace_is_asked_for_by_the_name_that_is_shown(house: House) -> None:
    assert (
        list(house.repositories("admin", f"?namespace={HOST}"))
        == ["top"]
        == list(house.repositories("admin", "?global=true"))
    )
    assert list(house.repositories("admin", "?namespace=team")) == ["team/app", "team/other"]
    assert list(house.repositories("admin", f"?namespace={HOST}&global=false")) == []


def test_a_comment_is_destroyable_by_whom_it_may_be_deleted(house: House) -> None:
    comments = f"/repositories/{house.repositories('admin')['pub/app']['id']}/comments"
    made = house.call("POST", comments, "carl", json={"body": "hello"}).json or {}
    assert made["destroyable"]
    token = house.narrow("admin", actions=["pull"])

    callers = [*((user, PASSWORD) for user in PEOPLE if user not in ("admin", "carl")), ("admin", token)]
    for user, password in callers:
        (shown,) = house.call("GET", comments, user, password).json or []
        assert not shown["destroyable"]
        assert house.call("DELETE", f"{comments}/{made['id']}", user, password).status_code == 403
    for user in ("carl", "admin"):
        (shown,) = house.call("GET", comments, user).json or []
        assert shown["destroyable"]
    assert house.call("DELETE", f"{comments}/{made['id']}", "admin").status_code == 204


@pytest.mark.parametrize("narrowing", [{"actions": ["pull", "push", "delete"]}, {"namespaces": ["pub"]}])
def test_a_narrowed_token_writes_nothing_in_its_owners_name(narrowing: dict[str, list[str]], house: House) -> None:
    """It is for the registry only, as ``auth`` says of it everywhere else."""
    path = f"/repositories/{house.repositories('olga')['pub/app']['id']}"
    house.call("POST", f"{path}/comments", "olga", json={"body": "mine"})
    rule = {"name": "rule", "namespace": "pub", "terms": {"keep_newest": 1}}
    token = house.narrow("olga", **narrowing)

    tried = [
        house.call("POST", f"{path}/comments", "olga", token, json={"body": "not mine"}),
        house.call("PUT", f"{path}/comments/1", "olga", token, json={"body": "not mine"}),
        house.call("DELETE", f"{path}/comments/1", "olga", token),
        house.call("PUT", f"{path}/star", "olga", token),
        house.call("PUT", path, "olga", token, json={"description": "not mine"}),
        house.call("POST", "/retention/rules", "olga", token, json=rule),
        house.call("POST", "/immutable-tags", "olga", token, json={"namespace": "pub", "tags": ["v*"]}),
    ]

    assert [answer.status_code for answer in tried] == [403] * len(tried)
    assert all("narrowed" in answer.text for answer in tried)
    (shown,) = house.call("GET", f"{path}/comments", "olga", token).json or []
    assert (shown["body"], shown["destroyable"]) == ("mine", False)
    assert house.call("POST", "/retention/rules", "olga", json=rule).status_code == 201
