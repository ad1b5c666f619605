"""A namespace is emptied in a real registry and in the index, and the index never says more than happened."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests
from sqlalchemy import select

from services.catalog.storage.tables import outbox
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.empty_namespace import EmptiedNamespace, empty_namespace
from services.catalog.usecases.empty_repository import DeletionFailure, RepositoryEmptier
from services.catalog.usecases.registry import DeletionDisabled
from shared.clock import utc_now
from shared.database import Database
from shared.oci.names import Digest, RepositoryName, Tag
from tests.conftest import RegistryFactory
from tests.storage.catalog.snapshots import shown_index
from tests.support.catalog import NOON, envelope_for, push
from tests.support.catalog_clients import new_client, new_fetcher, nowhere
from tests.support.images import Descriptor, Pusher, on
from tests.support.registry_proxy import RegistryProxy, refuses
from tests.support.serving import serving

Tell = Callable[..., None]


@pytest.fixture
def proxy(registry_factory: RegistryFactory) -> RegistryProxy:
    """A registry behind a proxy that can spoil its answers."""
    return RegistryProxy(registry_factory().url)


@pytest.fixture
def pusher(proxy: RegistryProxy) -> Pusher:
    return Pusher(proxy.target)


@pytest.fixture
def emptier(proxy: RegistryProxy, database: Database) -> Iterator[RepositoryEmptier]:
    with serving(proxy.app()) as url:
        yield RepositoryEmptier(database, new_client(url), utc_now)


@pytest.fixture
def tell(proxy: RegistryProxy, database: Database) -> Iterator[Tell]:
    """A function that lets the index know of a push."""
    with ExitStack() as stack:
        fetcher = new_fetcher(new_client(proxy.target), database)
        stack.callback(fetcher.close)

        def apply(repository: str, tag: str | None, pushed: Descriptor) -> None:
            digest, media_type = Digest(pushed["digest"]), pushed["mediaType"]
            told = push(tag, digest, 0, id=f"{repository}:{tag}", repository=repository, media_type=media_type)
            apply_notifications(
                [envelope_for(told)], database=database, fetcher=fetcher, clock=utc_now, fetch_budget_s=60
            )

        yield apply


def empty(emptier: RepositoryEmptier, namespace: str = "team", **other: Any) -> EmptiedNamespace:
    return empty_namespace(namespace, actor="jane", emptier=emptier, **other)


def is_there(proxy: RegistryProxy, repository: str, pushed: Descriptor) -> bool:
    headers = {"Accept": pushed["mediaType"]}
    url = f"{proxy.target}/v2/{repository}/manifests/{pushed['digest']}"
    return requests.head(url, headers=headers, timeout=20).status_code == 200


def tags_in(proxy: RegistryProxy, repository: str) -> list[str]:
    return list(new_client(proxy.target).list_tags(RepositoryName(repository)).tags)


def test_every_repository_of_the_namespace_goes_and_no_other(
    database: Database, proxy: RegistryProxy, pusher: Pusher, emptier: RepositoryEmptier, tell: Tell
) -> None:
    names = ("team/app", "team/deep/er", "team-a/app", "teams", "team")
    for name in names:
        tell(name, "1.0", pusher.image(name, "1.0"))

    done = empty(emptier)

    assert done == EmptiedNamespace(deleted=[RepositoryName("team/app"), RepositoryName("team/deep/er")])
    assert set(shown_index(database)) == {"team-a/app", "teams", "team"}
    assert [tags_in(proxy, name) for name in names] == [[], [], ["1.0"], ["1.0"], ["1.0"]]


def test_what_an_index_holds_goes_after_the_index(
    proxy: RegistryProxy, pusher: Pusher, emptier: RepositoryEmptier, tell: Tell
) -> None:
    child = pusher.image("team/app")
    tagged_child = pusher.image("team/app", "amd")
    index = pusher.index("team/app", "1.0", [on(child, "linux", "arm64"), on(tagged_child, "linux", "amd64")])
    tell("team/app", "1.0", index)
    tell("team/app", "amd", tagged_child)

    empty(emptier)

    assert [is_there(proxy, "team/app", one) for one in (index, child, tagged_child)] == [False] * 3
    deleted = [path.rpartition("/")[2] for method, path in proxy.seen if method == "DELETE"]
    assert deleted[0] == index["digest"]
    assert sorted(deleted[1:]) == sorted([child["digest"], tagged_child["digest"]])


def test_what_the_index_has_never_heard_of_goes_too(
    proxy: RegistryProxy, pusher: Pusher, emptier: RepositoryEmptier
) -> None:
    child = pusher.image("team/unheard")
    index = pusher.index("team/unheard", "1.0", [on(child, "linux", "amd64")])

    done = empty(emptier)

    assert done.deleted == ["team/unheard"]
    assert not is_there(proxy, "team/unheard", index)
    assert not is_there(proxy, "team/unheard", child)


def test_emptying_what_is_empty_does_nothing(emptier: RepositoryEmptier, pusher: Pusher) -> None:
    """The registry goes on listing a repository that was emptied."""
    pusher.image("team/app", "1.0")
    empty(emptier)

    assert empty(emptier) == EmptiedNamespace()


def test_the_deletion_is_told_with_the_name_of_whoever_wanted_it(
    database: Database, pusher: Pusher, emptier: RepositoryEmptier, tell: Tell
) -> None:
    image = pusher.image("team/app", "1.0")
    pusher.retag("team/app", "1.0", "latest")
    tell("team/app", "1.0", image)
    tell("team/app", "latest", image)

    empty(emptier)

    with database.read() as connection:
        told = [one for one in connection.scalars(select(outbox.c.envelope)) if one["type"] == "catalog.tag.deleted.v1"]
    assert {(one["data"]["tag"], one["data"]["actor"]) for one in told} == {("1.0", "jane"), ("latest", "jane")}
    assert len({one["id"] for one in told}) == 2


def test_a_refusal_leaves_the_tag_in_the_index_and_the_rest_goes_on(
    database: Database, proxy: RegistryProxy, pusher: Pusher, emptier: RepositoryEmptier, tell: Tell
) -> None:
    kept, gone, other = (
        pusher.image("team/app", "kept"),
        pusher.image("team/app", "gone"),
        pusher.image("team/b", "1.0"),
    )
    tell("team/app", "kept", kept)
    tell("team/app", "gone", gone)
    tell("team/b", "1.0", other)
    proxy.refuse = refuses(403, "DELETE", kept["digest"])

    done = empty(emptier)

    (failure,) = {(failure.repository, failure.tag) for failure in done.failed}
    assert failure == (RepositoryName("team/app"), Tag("kept"))
    assert "403" in done.failed[0].reason
    assert (done.deleted, done.remaining) == ([RepositoryName("team/b")], 0)
    assert shown_index(database) == {"team/app": {"kept": kept["digest"]}}
    assert tags_in(proxy, "team/app") == ["kept"]


def test_a_failed_deletion_is_tried_again_by_the_next_call(
    database: Database, proxy: RegistryProxy, pusher: Pusher, emptier: RepositoryEmptier, tell: Tell
) -> None:
    tell("team/app", "1.0", pusher.image("team/app", "1.0"))
    proxy.refuse = refuses(500, "DELETE", "manifests")
    first = empty(emptier)
    proxy.refuse = lambda request: None

    second = empty(emptier)

    assert (first.deleted, first.remaining) == ([], 1)
    assert second == EmptiedNamespace(deleted=[RepositoryName("team/app")])
    assert shown_index(database) == {}


def test_a_registry_that_deletes_nothing_is_asked_once(
    database: Database, registry_factory: RegistryFactory, tell: Tell, pusher: Pusher
) -> None:
    registry = registry_factory({"storage": {"delete": {"enabled": False}}})
    for name in ("team/a", "team/b", "team/c"):
        tell(name, "1.0", pusher.image(name, "1.0"))

    done = empty(RepositoryEmptier(database, new_client(registry.url), utc_now))

    assert done.failed == [DeletionFailure(str(DeletionDisabled()), RepositoryName("team/a"))]
    assert (done.deleted, done.remaining, len(shown_index(database))) == ([], 3, 3)


def test_a_registry_that_is_away_loses_nothing(database: Database, pusher: Pusher, tell: Tell) -> None:
    tell("team/app", "1.0", pusher.image("team/app", "1.0"))

    done = empty(RepositoryEmptier(database, nowhere(), utc_now))

    assert (done.deleted, done.remaining) == ([], 1)
    assert [failure.repository for failure in done.failed] == [None, RepositoryName("team/app")]
    assert set(shown_index(database)) == {"team/app"}


def test_what_there_is_no_time_for_is_left_for_the_next_call(
    database: Database, pusher: Pusher, emptier: RepositoryEmptier, tell: Tell
) -> None:
    tell("team/app", "1.0", pusher.image("team/app", "1.0"))

    none = empty(emptier, budget_s=-1)

    assert none == EmptiedNamespace(remaining=1)
    assert set(shown_index(database)) == {"team/app"}
    assert empty(emptier).deleted == ["team/app"]


def test_a_tag_that_is_pushed_again_is_there_again(
    database: Database, pusher: Pusher, emptier: RepositoryEmptier, tell: Tell, proxy: RegistryProxy
) -> None:
    image = pusher.image("team/app", "1.0")
    tell("team/app", "1.0", image)
    empty(emptier)

    seconds = (utc_now() - NOON).total_seconds() + 60
    later = push("1.0", Digest(image["digest"]), seconds, id="again", repository="team/app")
    fetcher = new_fetcher(new_client(proxy.target), database)
    apply_notifications([envelope_for(later)], database=database, fetcher=fetcher, clock=utc_now)
    fetcher.close()

    assert shown_index(database) == {"team/app": {"1.0": image["digest"]}}
