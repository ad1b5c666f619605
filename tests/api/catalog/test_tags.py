"""Tags across repositories, by digest, and one by one."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.catalog.storage import tag_queries
from services.catalog.storage.tag_queries import MAX_IN_GROUP
from tests.support.catalog import digest_of, pull, push
from tests.support.statements import statements
from tests.support.visibility import NOBODY, AuthAnswers

A, B = digest_of("a"), digest_of("b")
Tell = Callable[..., None]


def get(client: FlaskClient, path: str, *, as_: str = "Bearer administrator") -> TestResponse:
    return client.get(f"/api/v1{path}", headers={"Authorization": as_})


def names(answer: TestResponse) -> list[Any]:
    return [f"{tag['repository']}:{tag['name']}" for tag in answer.json]  # type: ignore[union-attr]


def test_tags_of_all_repositories_are_listed_with_their_own_pulls(client: FlaskClient, tell: Tell) -> None:
    tell(
        push("1.0", A, 1, repository="team/app"),
        push("1.0", A, 2, repository="team/web"),
        pull(A, 3, tag="1.0", repository="team/web"),
        pull(A, 4, repository="team/web"),
    )

    answer = get(client, "/tags")

    assert names(answer) == ["team/web:1.0", "team/app:1.0"]
    assert [tag["pulls"] for tag in answer.json] == [2, 0]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("repository=team/app", ["team/app:2.0", "team/app:1.0"]),
        ("namespace=jane", ["jane/app:1.0"]),
        ("name=1.0&repository_prefix=team/", ["team/app:1.0"]),
        (f"digest={B}", ["team/app:2.0"]),
        (f"digest_prefix={B[:20]}", ["team/app:2.0"]),
        ("pushed_by=jane", ["jane/app:1.0"]),
        ("sort_attr=repository&name=1.0", ["jane/app:1.0", "team/app:1.0"]),
    ],
)
def test_tags_are_narrowed_and_sorted(query: str, found: list[str], client: FlaskClient, tell: Tell) -> None:
    tell(
        push("1.0", A, 1, repository="team/app"),
        push("2.0", B, 2, repository="team/app"),
        push("1.0", A, 3, repository="jane/app", actor="jane"),
    )

    assert names(get(client, f"/tags?{query}")) == found


def test_a_list_of_tags_takes_the_same_number_of_statements_however_long(client: FlaskClient, tell: Tell) -> None:
    sent = []
    for number in (1, 40):
        tell(*(push("1.0", A, n, id=f"{number}-{n}", repository=f"team/app-{n}") for n in range(number)))
        with statements() as seen:
            assert len(get(client, "/tags?per_page=100").json or ()) == number
        sent.append(len(seen))

    assert sent[0] == sent[1]


def test_what_a_caller_does_not_see_is_in_no_list(client: FlaskClient, tell: Tell, auth: AuthAnswers) -> None:
    tell(push("1.0", A, 1, repository="team/app"), push("1.0", A, 2, repository="jane/app"))
    auth.visibility["Bearer jane"] = {**NOBODY, "namespaces": ["jane"]}

    assert names(get(client, "/tags", as_="Bearer jane")) == ["jane/app:1.0"]
    assert [get(client, f"/tags/{number}", as_="Bearer jane").status_code for number in (1, 2)] == [404, 200]


def test_a_tag_is_shown_by_itself_and_in_its_repository_only(client: FlaskClient, tell: Tell) -> None:
    tell(push("1.0", A, 1, repository="team/app", actor="jane"), push("1.0", A, 2, repository="team/web"))

    alone, inside = get(client, "/tags/1"), get(client, "/repositories/1/tags/1")

    assert alone.json == inside.json
    assert get(client, "/repositories/2/tags/1").status_code == 404
    shown: Any = alone.json
    assert {name: shown[name] for name in ("author", "image_id", "size", "repository_id", "repository")} == {
        "author": {"name": "jane"},
        "image_id": "",
        "size": None,
        "repository_id": 1,
        "repository": "team/app",
    }
    assert shown["created_at"] == shown["first_seen_at"]


class TestGroups:
    """Case 111 of the acceptance list."""

    def groups(self, client: FlaskClient, query: str = "") -> list[list[str]]:
        found: Any = get(client, f"/repositories/1/tags/grouped{query}").json
        return [[tag["name"] for tag in group] for group in found]

    def test_hold_the_tags_of_one_digest_newest_group_first(self, client: FlaskClient, tell: Tell) -> None:
        tell(push("1.0", A, 1), push("2.0", B, 2), push("latest", A, 3))

        assert self.groups(client) == [["latest", "1.0"], ["2.0"]]

    def test_are_paged(self, client: FlaskClient, tell: Tell) -> None:
        tell(*(push(f"{n}", digest_of(f"{n}"), n) for n in range(5)))

        answer = get(client, "/repositories/1/tags/grouped?per_page=2&page=2")

        assert ([[tag["name"] for tag in group] for group in answer.json or ()], answer.headers["X-Total"]) == (
            [["2"], ["1"]],
            "5",
        )

    def test_are_cut_where_a_digest_has_too_many_tags(self, client: FlaskClient, tell: Tell) -> None:
        tell(*(push(f"{n}", A, n) for n in range(MAX_IN_GROUP + 1)))

        ((newest, *others),) = self.groups(client)

        assert (newest, len(others)) == (f"{MAX_IN_GROUP}", MAX_IN_GROUP - 1)

    def test_of_what_is_hidden_are_not_found(self, client: FlaskClient, tell: Tell, auth: AuthAnswers) -> None:
        tell(push("1.0", A, 1))
        auth.visibility["Bearer stranger"] = NOBODY

        assert get(client, "/repositories/1/tags/grouped", as_="Bearer stranger").status_code == 404


def test_tags_of_a_repository_are_sorted_by_version(client: FlaskClient, tell: Tell) -> None:
    tell(*(push(name, digest_of(name), at) for at, name in enumerate(("1.10.0", "v1.9", "latest", "1.10.0-rc1", "2"))))
    (repository,) = get(client, "/repositories").json  # type: ignore[misc]
    path = f"/repositories/{repository['id']}/tags?sort_attr=version"

    up = [tag["name"] for tag in get(client, path).json]  # type: ignore[union-attr]
    page = get(client, f"{path}&sort_order=desc&per_page=2&page=2")

    assert up == ["latest", "v1.9", "1.10.0-rc1", "1.10.0", "2"]
    assert [tag["name"] for tag in page.json] == ["1.10.0-rc1", "v1.9"]  # type: ignore[union-attr]
    assert page.headers["X-Total"] == "5"
    assert [tag["name"] for tag in get(client, f"{path}&q=1.10").json] == ["1.10.0-rc1", "1.10.0"]  # type: ignore[union-attr]
    assert get(client, "/tags?sort_attr=version").status_code == 422
    assert get(client, f"{path}&by_key=true").status_code == 422
    assert get(client, "/tags?sort_attr=platform").status_code == 422


def test_too_many_tags_are_not_sorted_by_version(
    client: FlaskClient, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tag_queries, "MAX_SORTED", 2)
    tell(*(push(name, digest_of(name), at) for at, name in enumerate(("1", "2", "3"))))
    (repository,) = get(client, "/repositories").json  # type: ignore[misc]
    path = f"/repositories/{repository['id']}/tags?sort_attr=version"

    answer = get(client, path)

    assert answer.status_code == 400
    assert "narrow the list" in answer.json["detail"]  # type: ignore[index]
    assert get(client, f"{path}&name=2").status_code == 200


def test_a_tag_that_moved_is_marked(client: FlaskClient, tell: Tell) -> None:
    tell(push("moved", A, 1), push("moved", B, 2), push("same", A, 3), push("same", A, 4))

    assert {tag["name"]: tag["overwritten"] for tag in get(client, "/tags").json} == {  # type: ignore[union-attr]
        "moved": True,
        "same": False,
    }


@pytest.mark.parametrize("of", ["tags/grouped", "history/1.0", f"manifests/{A}/referrers"])
def test_what_can_be_long_is_walked_by_key(of: str, client: FlaskClient, tell: Tell) -> None:
    tell(
        *(push("1.0", (A, B)[n % 2], n, id=f"{n}") for n in range(5)), push("2.0", B, 9), push("3.0", digest_of("c"), 9)
    )
    tell(
        *(push(A.replace(":", "-") + suffix, digest_of(suffix), 10, id=suffix) for suffix in (".sig", ".att", ".sbom"))
    )
    path: str | None = f"/repositories/1/{of}?by_key=true&per_page=2"
    by_number = get(client, f"/repositories/1/{of}").json
    walked: list[Any] = []

    while path:
        answer = get(client, path)
        assert answer.status_code == 200
        assert "X-Total" not in answer.headers
        assert isinstance(answer.json, list)
        walked += answer.json
        following = answer.headers.get("Link", "")
        path = following.partition("</api/v1")[2].partition(">")[0] if 'rel="next"' in following else None

    assert len(walked) > 1
    assert walked == by_number
    assert get(client, f"/repositories/1/{of}?after=no-cursor").status_code in (400, 422)
    assert get(client, f"/repositories/1/{of}?all=true").status_code in (400, 422)
