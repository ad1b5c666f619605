"""An earlier manifest comes back under a tag of a real registry."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

import pytest

from services.catalog.domain.history import End
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.browse_history import list_periods
from services.catalog.usecases.delete_content import ContentDeleter
from services.catalog.usecases.not_found import ManifestNotFound, RepositoryNotFound
from services.catalog.usecases.registry import RegistryUnavailable
from services.catalog.usecases.restore_tag import PartsMissing, TagRestorer
from services.catalog.usecases.rights import NotAllowed
from shared.api.paging import ListRequest
from shared.clock import utc_now
from shared.database import Database
from shared.oci.names import Digest, RepositoryName, Tag
from shared.visibility.answers import Caller, Permission, Visibility
from tests.conftest import RegistryFactory
from tests.storage.catalog.snapshots import shown_index, shown_tags
from tests.support.catalog import NOON, digest_of, envelope_for, push
from tests.support.catalog_clients import new_client, new_fetcher
from tests.support.images import Descriptor, Pusher, on
from tests.support.registry import Registry

APP, T = RepositoryName("team/app"), Tag("1.0")
JANE = Visibility(everything=True, caller=Caller("jane", "person"))
Tell = Callable[..., None]


@pytest.fixture
def registry(registry_factory: RegistryFactory) -> Registry:
    return registry_factory()


@pytest.fixture
def pusher(registry: Registry) -> Pusher:
    return Pusher(registry.url)


@pytest.fixture
def restorer(registry: Registry, database: Database) -> TagRestorer:
    return TagRestorer(database, new_client(registry.url), utc_now)


@pytest.fixture
def tell(registry: Registry, database: Database) -> Iterator[Tell]:
    """A function that lets the index know of a push."""
    with ExitStack() as stack:
        fetcher, numbers = new_fetcher(new_client(registry.url), database), count()
        stack.callback(fetcher.close)

        def apply(tag: str | None, pushed: Descriptor, *, actor: str = "joe", repository: str = APP) -> None:
            at, digest = (utc_now() - NOON).total_seconds(), Digest(pushed["digest"])
            told = push(tag, digest, at, id=f"{next(numbers)}", actor=actor, repository=repository)
            apply_notifications(
                [envelope_for(told)], database=database, fetcher=fetcher, clock=utc_now, fetch_budget_s=60
            )

        yield apply


def restore(restorer: TagRestorer, pushed: Descriptor, tag: Tag = T, *, allowed: bool = True) -> list[Digest]:
    def permissions(*_asked: object) -> dict[str, Permission]:
        return {"push": Permission(allowed, "because")}

    return list(restorer.restore(JANE, permissions, 1, tag, Digest(pushed["digest"])))


def under(registry: Registry, tag: str = T) -> str | None:
    client = new_client(registry.url)
    return client.find_digest(APP, Tag(tag)) if tag in client.list_tags(APP).tags else None


def test_what_was_overwritten_comes_back(
    database: Database, registry: Registry, pusher: Pusher, restorer: TagRestorer, tell: Tell
) -> None:
    old = pusher.image(APP, "1.0")
    tell("1.0", old)
    tell("1.0", pusher.image(APP, "1.0"))

    assert restore(restorer, old) == [old["digest"]]

    assert under(registry) == old["digest"]
    assert shown_index(database) == {APP: {"1.0": old["digest"]}}
    (newest, *_) = list_periods(JANE, 1, T, ListRequest(), database=database).rows
    assert (newest.digest, newest.pushed_by, newest.end) == (old["digest"], "jane", None)


def test_what_the_registry_tells_of_it_leaves_the_name_of_whoever_wanted_it(
    database: Database, pusher: Pusher, restorer: TagRestorer, tell: Tell
) -> None:
    old = pusher.image(APP, "1.0")
    tell("1.0", old)
    tell("1.0", pusher.image(APP, "1.0"))
    restore(restorer, old)

    tell("1.0", old, actor="portus")

    assert [(tag.name, tag.pushed_by) for tag in shown_tags(database, APP)] == [("1.0", "jane")]


def test_what_was_deleted_comes_back_while_its_layers_are_there(
    database: Database, registry: Registry, pusher: Pusher, restorer: TagRestorer, tell: Tell
) -> None:
    image = pusher.image(APP, "1.0")
    tell("1.0", image)
    ContentDeleter(database, new_client(registry.url), utc_now).delete_manifest("joe", APP, Digest(image["digest"]))
    assert shown_index(database) == {}

    restore(restorer, image)

    assert (under(registry), shown_index(database)) == (image["digest"], {APP: {"1.0": image["digest"]}})
    ends = [one.end for one in list_periods(JANE, 1, T, ListRequest(), database=database).rows]
    assert ends == [None, End.DELETED]


def test_an_index_comes_back_with_what_it_holds(
    database: Database, registry: Registry, pusher: Pusher, restorer: TagRestorer, tell: Tell
) -> None:
    image = pusher.image(APP)
    inner = pusher.index(APP, None, [on(image, "linux", "amd64")])
    index = pusher.index(APP, "1.0", [inner])
    tell("1.0", index)
    ContentDeleter(database, new_client(registry.url), utc_now).delete_repository("joe", APP)

    put = restore(restorer, index)

    assert put == [image["digest"], inner["digest"], index["digest"]]
    assert under(registry) == index["digest"]
    assert new_client(registry.url).get_manifest(APP, image["digest"]).digest == image["digest"]


def test_what_was_collected_is_named(
    database: Database, registry: Registry, pusher: Pusher, restorer: TagRestorer, tell: Tell
) -> None:
    image = pusher.image(APP, "1.0")
    manifest = pusher.read(APP, "1.0")
    tell("1.0", image)
    ContentDeleter(database, new_client(registry.url), utc_now).delete_manifest("joe", APP, Digest(image["digest"]))
    registry.stop()
    registry.collect_garbage()
    registry.start()

    with pytest.raises(PartsMissing) as caught:
        restore(restorer, image)

    parts = [manifest["config"], *manifest["layers"]]
    assert caught.value.errors == {"missing": [part["digest"] for part in parts]}
    assert (under(registry), shown_index(database)) == (None, {})


def test_a_child_of_which_nobody_has_anything_is_named(
    database: Database, pusher: Pusher, restorer: TagRestorer, tell: Tell, registry: Registry
) -> None:
    image = pusher.image(APP)
    index = pusher.index(APP, "1.0", [on(image, "linux", "amd64")])
    tell("1.0", index)
    ContentDeleter(database, new_client(registry.url), utc_now).delete_repository("joe", APP)
    with database.write() as connection:
        connection.exec_driver_sql(f"UPDATE manifests SET body = NULL WHERE digest = '{image['digest']}'")

    with pytest.raises(PartsMissing) as caught:
        restore(restorer, index)

    assert caught.value.errors == {"missing": [image["digest"]]}


def test_a_manifest_gets_another_tag(
    database: Database, registry: Registry, pusher: Pusher, restorer: TagRestorer, tell: Tell
) -> None:
    image = pusher.image(APP, "1.0")
    tell("1.0", image)

    restore(restorer, image, Tag("stable"))

    both = {"1.0": image["digest"], "stable": image["digest"]}
    assert (under(registry, "stable"), shown_index(database)) == (image["digest"], {APP: both})


def test_only_what_lay_in_the_repository_can_be_had(
    pusher: Pusher, restorer: TagRestorer, tell: Tell, registry: Registry
) -> None:
    """The layers of somebody else's image are nobody's to name."""
    tell("1.0", pusher.image(APP, "1.0"))
    secret = pusher.image("other/secret", "1.0")
    tell("1.0", secret, repository="other/secret")

    for one in (secret, {"digest": digest_of("missing")}):
        with pytest.raises(ManifestNotFound):
            restore(restorer, one)


def test_who_may_not_push_may_not_restore(
    pusher: Pusher, restorer: TagRestorer, tell: Tell, registry: Registry
) -> None:
    image = pusher.image(APP, "1.0")
    tell("1.0", image)

    with pytest.raises(NotAllowed, match="because"):
        restore(restorer, image, Tag("stable"), allowed=False)

    assert under(registry, "stable") is None


def test_who_may_not_see_it_may_not_even_ask(pusher: Pusher, restorer: TagRestorer, tell: Tell) -> None:
    image = pusher.image(APP, "1.0")
    tell("1.0", image)

    with pytest.raises(RepositoryNotFound):
        restorer.restore(Visibility(), lambda *_: {}, 1, T, Digest(image["digest"]))


def test_a_registry_that_is_away_changes_nothing(
    database: Database, registry: Registry, pusher: Pusher, restorer: TagRestorer, tell: Tell
) -> None:
    old, new = pusher.image(APP, "1.0"), pusher.image(APP, "1.0")
    tell("1.0", old)
    tell("1.0", new)
    registry.stop()

    with pytest.raises(RegistryUnavailable):
        restore(restorer, old)

    assert shown_index(database) == {APP: {"1.0": new["digest"]}}
