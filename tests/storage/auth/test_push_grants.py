"""Tokens that allow to change a repository are told to catalog, beside the requests."""

from typing import Any

from sqlalchemy import select

from services.auth.domain.decisions import DeletePolicy, Policy
from services.auth.domain.subjects import INTERNAL_USERNAME
from services.auth.storage.tables import outbox
from shared.contracts.events import TokenPushGranted
from tests.support.auth import SERVICE_ACCOUNT_SECRET, AuthFactory, AuthService


def told(auth: AuthService) -> list[dict[str, Any]]:
    assert auth.services.background.flush()
    with auth.database.read() as connection:
        envelopes = connection.execute(select(outbox.c.envelope).order_by(outbox.c.sequence)).scalars()
        return [dict(each["data"]) for each in envelopes if each["type"] == TokenPushGranted.TYPE]


def test_the_tokens_of_one_push_are_told_in_one_event(auth: AuthService) -> None:
    auth.make_user("jane")
    first = auth.clock().replace(microsecond=0)
    for _ in range(3):
        auth.get_token("repository:jane/web:pull,push", "repository:jane/base:pull", user="jane")
        auth.clock.advance(seconds=2)

    (event,) = told(auth)

    assert {key: event[key] for key in ("repository", "actor", "tokens")} == {
        "repository": "jane/web",
        "actor": "jane",
        "tokens": 3,
    }
    assert event["issued_at"][:19] == first.isoformat()[:19]
    assert event["issued_at"] < event["expires_at"]


def test_each_actor_and_repository_has_its_own(auth: AuthService) -> None:
    for name in ("jane", "kim"):
        auth.make_user(name)
        auth.get_token(f"repository:{name}/web:push", f"repository:{name}/base:push", user=name)

    assert {(event["actor"], event["repository"]) for event in told(auth)} == {
        (name, f"{name}/{path}") for name in ("jane", "kim") for path in ("web", "base")
    }


def test_tokens_that_only_allow_to_delete_are_told_apart(make_auth: AuthFactory) -> None:
    """Of them no push is expected, and with them a repository changes all the same."""
    auth = make_auth(policy=Policy(delete=DeletePolicy.OWNERS))
    auth.make_user("jane")
    auth.get_token("repository:jane/web:delete", user="jane")
    auth.get_token("repository:jane/web:pull,push,delete", user="jane")
    auth.get_token("repository:jane/web:pull,delete", user="jane")

    assert sorted((event["pushes"], event["repository"], event["tokens"]) for event in told(auth)) == [
        (False, "jane/web", 2),
        (True, "jane/web", 1),
    ]


def test_what_allows_neither_is_not_told(auth: AuthService) -> None:
    auth.make_user("jane")
    auth.make_user("kim")
    auth.get_token("repository:jane/web:pull", "repository:kim/web:push", user="jane")
    auth.get_token("repository:jane/web:push", user="jane", service="another")
    auth.get_token("repository:jane/web:push", user=INTERNAL_USERNAME, password=SERVICE_ACCOUNT_SECRET)

    assert told(auth) == []
