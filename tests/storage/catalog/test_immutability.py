"""Tags that must not move, on a real registry: noticed, told, and put back where that was asked for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count

import pytest
from sqlalchemy import select
from werkzeug import Response

from services.catalog.domain.immutability import RESTORER, OverwriteState
from services.catalog.storage.immutability import OVERWRITES, OverwriteRow, list_overwrites, settle
from services.catalog.storage.tables import outbox
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from services.catalog.usecases.immutability import (
    MAX_ATTEMPTS,
    ImmutabilityDesk,
    NothingToRetry,
    OverwriteNotFound,
    Terms,
    undo_overwrite,
)
from services.catalog.usecases.record_changes import record_changes
from services.catalog.usecases.restore_tag import TagMustNotMove, TagRestorer
from shared.api.paging import ListRequest, PageRequest
from shared.clock import utc_now
from shared.contracts.events import TagOverwritten, load_data, load_envelope
from shared.database import Database
from shared.oci.names import Digest, RepositoryName, Tag
from shared.visibility.answers import Caller, Permission, Visibility
from tests.storage.catalog.snapshots import shown_index, shown_tags
from tests.support.catalog import delete, digest_of, envelope_for, own, push
from tests.support.catalog_clients import new_client
from tests.support.images import Descriptor, Pusher
from tests.support.registry_proxy import RegistryProxy
from tests.support.serving import serving

APP = RepositoryName("team/app")
ROOT = Visibility(everything=True, caller=Caller("root", "person", administrator=True))
Learn = Callable[..., None]


@pytest.fixture
def forbid(database: Database) -> Callable[..., None]:
    """A function that makes a rule."""

    def forbid(*tags: str, namespace: str | None = "team", restores: bool = True) -> None:
        desk = ImmutabilityDesk(ROOT, lambda repository, actions: {}, database, utc_now)
        desk.add_rule(Terms(namespace, ["*"], list(tags), restores))

    return forbid


@pytest.fixture
def learn(database: Database, no_registry: ManifestFetcher) -> Learn:
    """A function that tells the index of a push by Jane; each one is later than the last."""
    numbers = count()

    def learn(tag: str, pushed: Descriptor, *, actor: str = "jane") -> None:
        told = push(tag, Digest(pushed["digest"]), next(numbers), actor=actor)
        apply_notifications([envelope_for(told)], database=database, fetcher=no_registry, clock=utc_now)

    return learn


def found(database: Database) -> list[OverwriteRow]:
    with database.read() as connection:
        asked = ListRequest(PageRequest(per_page=100), OVERWRITES.order)
        return list(reversed(list_overwrites(connection, ROOT, asked).rows))


def states(database: Database) -> list[OverwriteState]:
    return [one.state for one in found(database)]


@contextmanager
def restoring(database: Database, proxy: RegistryProxy, *, hours: float = 0) -> Iterator[TagRestorer]:
    with serving(proxy.app()) as url:
        yield TagRestorer(database, new_client(url), partial(in_hours, hours))


def in_hours(hours: float) -> datetime:
    return utc_now() + timedelta(hours=hours)


def undo(database: Database, proxy: RegistryProxy, *, hours: float = 0) -> bool:
    with restoring(database, proxy, hours=hours) as restorer:
        return undo_overwrite(restorer, holder="us")


def test_an_overwrite_is_noticed_and_put_back(
    database: Database, pusher: Pusher, proxy: RegistryProxy, learn: Learn, forbid: Callable[..., None]
) -> None:
    forbid("v*")
    first, second = pusher.image(APP, "v1"), pusher.image(APP, "v1")
    learn("v1", first)
    learn("v1", second)

    (noticed,) = found(database)
    assert (noticed.tag, noticed.previous_digest, noticed.digest) == ("v1", first["digest"], second["digest"])
    assert (noticed.actor, noticed.state) == ("jane", OverwriteState.WAITING)
    assert undo(database, proxy)

    assert states(database) == [OverwriteState.RESTORED]
    assert shown_index(database) == {APP: {"v1": first["digest"]}}
    assert pusher.read(APP, "v1") == pusher.read(APP, first["digest"])
    assert shown_tags(database, APP)[0].pushed_by == RESTORER
    assert not undo(database, proxy), "what we put back is no overwrite"


def test_one_of_which_we_hear_in_the_wrong_order_is_noticed_and_put_back(
    database: Database,
    pusher: Pusher,
    proxy: RegistryProxy,
    no_registry: ManifestFetcher,
    forbid: Callable[..., None],
) -> None:
    forbid("v*")
    first, second = (Digest(pusher.image(APP, "v1")["digest"]) for _ in range(2))
    for told in (push("v1", second, 2, actor="joe"), push("v1", first, 1, actor="jane")):
        apply_notifications([envelope_for(told)], database=database, fetcher=no_registry, clock=utc_now)

    (noticed,) = found(database)
    assert (noticed.previous_digest, noticed.digest, noticed.actor) == (first, second, "joe")
    assert undo(database, proxy)
    assert shown_index(database) == {APP: {"v1": first}}

    # What was put back is no overwrite of what was pushed in between, whenever we hear of that.
    between = push("v1", Digest(pusher.image(APP, "other")["digest"]), 3, actor="joe")
    apply_notifications([envelope_for(between)], database=database, fetcher=no_registry, clock=utc_now)
    assert not undo(database, proxy)
    assert shown_index(database)[APP]["v1"] == first


def test_late_news_of_a_tag_that_was_deleted_in_between_is_none(
    database: Database, no_registry: ManifestFetcher, forbid: Callable[..., None]
) -> None:
    forbid("v*")
    old, new = digest_of("a"), digest_of("b")
    for told in (push("v1", new, 3), delete(2, digest=old), push("v1", old, 1)):
        apply_notifications([envelope_for(told)], database=database, fetcher=no_registry, clock=utc_now)

    assert found(database) == []


def test_everybody_is_told_of_an_overwrite(
    database: Database, pusher: Pusher, learn: Learn, forbid: Callable[..., None]
) -> None:
    forbid("v*", restores=False)
    first, second = pusher.image(APP, "v1"), pusher.image(APP, "v1")
    learn("v1", first)
    learn("v1", second, actor="joe")

    with database.read() as connection:
        told = list(map(load_envelope, connection.scalars(select(outbox.c.envelope))))
    (overwritten,) = [one for one in told if one.type == TagOverwritten.TYPE]
    assert load_data(TagOverwritten, overwritten.data) == TagOverwritten(
        APP, "v1", second["digest"], first["digest"], 1, "joe"
    )


def test_word_of_our_own_push_is_no_overwrite(
    database: Database, pusher: Pusher, proxy: RegistryProxy, learn: Learn, forbid: Callable[..., None]
) -> None:
    forbid("v*")
    first, second = pusher.image(APP, "v1"), pusher.image(APP, "v1")
    learn("v1", first)
    learn("v1", second)
    learn("v1", first, actor="portus")

    assert len(found(database)) == 1


def restore(database: Database, proxy: RegistryProxy, tag: str, digest: str) -> None:
    """Let Mallory put a digest under a tag through the API."""
    mallory = Visibility(everything=True, caller=Caller("mallory", "person"))
    with restoring(database, proxy) as restorer:
        restorer.restore(mallory, lambda *_: {"push": Permission(True, "because")}, 1, Tag(tag), Digest(digest))


def test_a_restore_does_not_move_what_must_not_move(
    database: Database, pusher: Pusher, proxy: RegistryProxy, learn: Learn, forbid: Callable[..., None]
) -> None:
    forbid("v*", "release-*")
    first, other = pusher.image(APP, "v1"), pusher.image(APP, "dev")
    learn("v1", first)
    learn("dev", other)

    with pytest.raises(TagMustNotMove, match=r"v1 must not move: rule 1 \(v\*, release-\*\)"):
        restore(database, proxy, "v1", other["digest"])

    assert pusher.describe(APP, "v1")["digest"] == first["digest"]
    assert shown_index(database) == {APP: {"v1": first["digest"], "dev": other["digest"]}}
    # What moves nothing that must not move is nobody's business: another tag, a new one, the same digest.
    for tag, digest in (("dev", first["digest"]), ("v2", other["digest"]), ("v1", first["digest"])):
        restore(database, proxy, tag, digest)
    assert found(database) == []


def test_what_was_overwritten_is_put_back_by_hand_and_that_is_no_overwrite(
    database: Database, pusher: Pusher, proxy: RegistryProxy, learn: Learn, forbid: Callable[..., None]
) -> None:
    forbid("v*", restores=False)
    images = [pusher.image(APP, "v1") for _ in range(3)]
    other = pusher.image(APP, "dev")
    for image in images:
        learn("v1", image)
    learn("dev", other)

    with pytest.raises(TagMustNotMove):
        restore(database, proxy, "v1", other["digest"])
    restore(database, proxy, "v1", images[0]["digest"])

    assert shown_index(database)[APP]["v1"] == images[0]["digest"]
    assert states(database) == [OverwriteState.REPORTED] * 2
    with pytest.raises(TagMustNotMove):
        restore(database, proxy, "v1", images[2]["digest"])


@pytest.mark.parametrize("at_once", [False, True])
def test_nor_is_a_push_that_puts_it_back(
    at_once: bool, database: Database, no_registry: ManifestFetcher, forbid: Callable[..., None], proxy: RegistryProxy
) -> None:
    forbid("v*")
    old, new = digest_of("a"), digest_of("b")
    told = [envelope_for(push("v1", digest, at)) for at, digest in enumerate((old, new, old))]

    for batch in [told] if at_once else [[one] for one in told]:
        apply_notifications(batch, database=database, fetcher=no_registry, clock=utc_now)

    assert [(one.previous_digest, one.digest) for one in found(database)] == [(old, new)]
    assert undo(database, proxy)
    assert states(database) == [OverwriteState.SUPERSEDED]


def test_what_we_move_past_the_check_is_noticed(
    database: Database, no_registry: ManifestFetcher, forbid: Callable[..., None], learn: Learn
) -> None:
    """The rule, or the tag, may be newer than our look at it; who puts back what was overwritten moves nothing."""
    forbid("v*")
    learn("v1", {"digest": digest_of("a")})
    moved, back = own(1, push("v1", digest_of("b"), 9), actor="mallory"), push("v1", digest_of("a"), 10)

    record_changes([moved], database=database, clock=utc_now)
    told = envelope_for(own(1, push("v1", digest_of("b"), 9.5), actor="mallory"))
    apply_notifications([told], database=database, fetcher=no_registry, clock=utc_now)
    assert [(one.actor, one.digest) for one in found(database)] == [("mallory", digest_of("b"))]

    record_changes([own(2, back, actor=RESTORER)], database=database, clock=utc_now)
    assert len(found(database)) == 1


def test_what_is_only_to_be_told_stays_as_it_was_pushed(
    database: Database, pusher: Pusher, proxy: RegistryProxy, learn: Learn, forbid: Callable[..., None]
) -> None:
    forbid("v*", restores=False)
    first, second = pusher.image(APP, "v1"), pusher.image(APP, "v1")
    learn("v1", first)
    learn("v1", second)

    assert states(database) == [OverwriteState.REPORTED]
    assert not undo(database, proxy)
    assert shown_index(database) == {APP: {"v1": second["digest"]}}


def test_what_is_no_overwrite(
    database: Database, pusher: Pusher, learn: Learn, forbid: Callable[..., None], no_registry: ManifestFetcher
) -> None:
    """The same digest again, another tag, another namespace, and a tag that was deleted first."""
    forbid("v*")
    forbid("*", namespace="other")
    first, second = pusher.image(APP, "v1"), pusher.image(APP, "v1")
    learn("v1", first)
    learn("v1", first)
    learn("latest", first)
    learn("latest", second)
    gone = delete(50, tag="v1")
    apply_notifications([envelope_for(gone)], database=database, fetcher=no_registry, clock=utc_now)
    told = push("v1", Digest(second["digest"]), 60)
    apply_notifications([envelope_for(told)], database=database, fetcher=no_registry, clock=utc_now)

    assert found(database) == []


def test_a_crawl_notices_it_too(
    database: Database, pusher: Pusher, proxy: RegistryProxy, crawler: RepositoryCrawler, forbid: Callable[..., None]
) -> None:
    forbid("v*", namespace=None)
    first = pusher.image(APP, "v1")
    crawler.crawl(APP)
    pusher.image(APP, "v1")

    crawler.crawl(APP)

    assert [(one.actor, one.state) for one in found(database)] == [(None, OverwriteState.WAITING)]
    assert undo(database, proxy)
    assert shown_index(database) == {APP: {"v1": first["digest"]}}


def test_a_tag_that_moved_on_is_left(
    database: Database, pusher: Pusher, proxy: RegistryProxy, learn: Learn, forbid: Callable[..., None]
) -> None:
    """Each overwrite wants to undo itself; only the last one is still true."""
    forbid("v*")
    images = [pusher.image(APP, "v1") for _ in range(3)]
    for image in images:
        learn("v1", image)

    assert undo(database, proxy)
    assert undo(database, proxy)

    assert states(database) == [OverwriteState.SUPERSEDED, OverwriteState.RESTORED]
    assert shown_index(database) == {APP: {"v1": images[1]["digest"]}}


def test_a_registry_that_is_away_is_tried_again_and_not_for_ever(
    database: Database, pusher: Pusher, proxy: RegistryProxy, learn: Learn, forbid: Callable[..., None]
) -> None:
    forbid("v*")
    learn("v1", pusher.image(APP, "v1"))
    learn("v1", pusher.image(APP, "v1"))
    proxy.refuse = lambda request: Response("no", 503)

    assert undo(database, proxy)
    assert not undo(database, proxy), "it waits"
    with restoring(database, proxy) as restorer:
        for hours in range(1, MAX_ATTEMPTS):
            assert found(database)[0].due_at
            later = replace(restorer, clock=partial(in_hours, 2.0 * hours))
            assert undo_overwrite(later, holder="us")

    (given_up,) = found(database)
    assert (given_up.state, given_up.attempts, given_up.due_at) == (OverwriteState.FAILED, MAX_ATTEMPTS, None)
    assert "503" in (given_up.fault or "")


def test_pauses_grow_to_an_hour_and_outlast_a_few_days(
    database: Database, pusher: Pusher, proxy: RegistryProxy, learn: Learn, forbid: Callable[..., None]
) -> None:
    forbid("v*")
    learn("v1", pusher.image(APP, "v1"))
    learn("v1", pusher.image(APP, "v1"))
    proxy.refuse = lambda request: Response("no", 503)
    begun = utc_now()

    pauses, now = list[timedelta](), begun
    with restoring(database, proxy) as restorer:
        while found(database)[0].state is OverwriteState.WAITING:
            due = found(database)[0].due_at
            assert due
            pauses.append(max(due - now, timedelta(0)))
            now = max(due, now)
            assert undo_overwrite(replace(restorer, clock=lambda: now), holder="us")  # noqa: B023 (called at once)

    assert pauses == sorted(pauses)
    assert max(pauses) == timedelta(hours=1)
    assert timedelta(days=6) < now - begun < timedelta(days=8)


def test_what_was_given_up_is_tried_again_by_who_manages_the_namespace(
    database: Database, pusher: Pusher, proxy: RegistryProxy, learn: Learn, forbid: Callable[..., None]
) -> None:
    forbid("v*")
    first = pusher.image(APP, "v1")
    learn("v1", first)
    learn("v1", pusher.image(APP, "v1"))
    with database.write() as connection:
        settle(connection, found(database)[0].id, OverwriteState.FAILED, fault="it did not answer")
    desk = ImmutabilityDesk(ROOT, lambda repository, actions: {}, database, utc_now)
    assert not undo(database, proxy)

    tried = desk.retry_overwrite(found(database)[0].id)

    assert (tried.state, tried.fault, tried.attempts) == (OverwriteState.WAITING, None, 0)
    assert undo(database, proxy)
    assert states(database) == [OverwriteState.RESTORED]
    assert shown_index(database) == {APP: {"v1": first["digest"]}}
    with pytest.raises(NothingToRetry):
        desk.retry_overwrite(tried.id)
    with pytest.raises(OverwriteNotFound):
        desk.retry_overwrite(4711)


def test_what_the_registry_has_no_longer_is_not_put_back(
    database: Database, pusher: Pusher, proxy: RegistryProxy, learn: Learn, forbid: Callable[..., None]
) -> None:
    forbid("v*")
    learn("v1", {"digest": "sha256:" + "0" * 64})
    learn("v1", pusher.image(APP, "v1"))

    assert undo(database, proxy)

    assert states(database) == [OverwriteState.FAILED]
    assert "no longer has" in (found(database)[0].fault or "")
