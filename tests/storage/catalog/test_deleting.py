"""Deleting in a real registry and in the index, one tag alone or all that hangs together."""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from threading import Event

import pytest
import requests
from sqlalchemy import select
from werkzeug import Request, Response

from services.catalog.domain import throwaway
from services.catalog.domain.deletions import DeletionPlan, IndexRef, Method, ReferrerRef, TagPlace
from services.catalog.storage.deletion_queries import find_tag
from services.catalog.storage.tables import tags
from services.catalog.usecases import surroundings
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.delete_content import ContentDeleter
from services.catalog.usecases.delete_tags import ChosenTag, delete_tags, preview_tags
from services.catalog.usecases.deletion_errors import (
    DeletionIncomplete,
    DeletionRefused,
    DeletionUnfinished,
    MoreLeadsToIt,
    ReferrersLeft,
    TagMoved,
)
from services.catalog.usecases.plan_deletion import plan_digest, plan_repository, plan_tag
from services.catalog.usecases.registry import RegistryUnavailable
from services.catalog.usecases.repair_losses import repair_losses
from services.catalog.usecases.request_deletion import preview_manifest, preview_tag
from services.catalog.usecases.surroundings import LookLimits
from shared.clock import utc_now
from shared.database import Database
from shared.oci.names import Digest, RepositoryName, Tag
from shared.visibility.answers import Permission
from tests.conftest import RegistryFactory
from tests.storage.catalog.snapshots import EVERYTHING, shown_index, shown_repositories
from tests.support.catalog import NOON, delete, digest_of, envelope_for, push
from tests.support.catalog_clients import new_client, new_fetcher, nowhere
from tests.support.images import Descriptor, Pusher, on
from tests.support.registry import Registry
from tests.support.registry_proxy import RegistryProxy, deletes_tags, refuses
from tests.support.serving import serving

APP = RepositoryName("team/app")


def may(_repository: RepositoryName, actions: Collection[str]) -> dict[str, Permission]:
    return {action: Permission(True, "you may") for action in actions}


@dataclass
class World:
    """A registry behind a proxy, an index that follows it, and what deletes in both."""

    database: Database
    registry: Registry
    proxy: RegistryProxy
    deleter: ContentDeleter
    tell: Callable[..., None]

    @property
    def pusher(self) -> Pusher:
        """Pushes past the proxy."""
        return Pusher(self.registry.url)

    def image(self, *names: str, repository: str = APP) -> Descriptor:
        """Push an image under some tags and let the index know."""
        pushed = self.pusher.image(repository, names[0])
        for name in names[1:]:
            self.pusher.retag(repository, names[0], name)
        for name in names:
            self.tell(name, pushed, repository=repository)
        return pushed

    def place(self, name: str) -> TagPlace:
        with self.database.read() as connection:
            number = connection.scalar(select(tags.c.id).where(tags.c.name == name))
            assert number is not None
            place = find_tag(connection, EVERYTHING, number)
            assert place is not None
        return place

    def delete(self, name: str) -> Method:
        return self.deleter.delete_tag("jane", self.place(name))

    def plan(self, name: str) -> DeletionPlan:
        return plan_tag(self.place(name), database=self.database, deletes_tags=self.deleter.registry.deletes_tags)

    def real(self, repository: str = APP) -> dict[str, str]:
        """Return what the registry has, by tag."""
        client, name = new_client(self.registry.url), RepositoryName(repository)
        return {tag: client.get_manifest(name, tag).digest for tag in client.list_tags(name).tags}

    def has(self, pushed: Descriptor, repository: str = APP) -> bool:
        url = f"{self.registry.url}/v2/{repository}/manifests/{pushed['digest']}"
        return requests.head(url, headers={"Accept": pushed["mediaType"]}, timeout=20).status_code == 200


@pytest.fixture(params=["2.8", "3.x"])
def world(request: pytest.FixtureRequest, database: Database, registry_factory: RegistryFactory) -> Iterator[World]:
    """Registries that cannot delete a tag alone, and those that can."""
    with ExitStack() as stack:
        yield _new_world(database, registry_factory(), stack, is_new=request.param == "3.x")


@pytest.fixture
def old_world(database: Database, registry_factory: RegistryFactory) -> Iterator[World]:
    with ExitStack() as stack:
        yield _new_world(database, registry_factory(), stack, is_new=False)


def _new_world(database: Database, registry: Registry, stack: ExitStack, *, is_new: bool) -> World:
    proxy = RegistryProxy(registry.url)
    if is_new:
        proxy.spoil = deletes_tags(registry)
    fetcher = new_fetcher(new_client(registry.url), database)
    stack.callback(fetcher.close)
    unable = new_fetcher(nowhere(), database)
    stack.callback(unable.close)
    client, numbers = new_client(stack.enter_context(serving(proxy.app()))), count()

    def tell(tag: str | None, pushed: Descriptor, *, repository: str = APP, is_read: bool = True) -> None:
        # As the registry's clock says: a deletion that follows comes after it.
        at, digest = (utc_now() - NOON).total_seconds(), Digest(pushed["digest"])
        told = push(tag, digest, at, id=f"{next(numbers)}", repository=repository, media_type=pushed["mediaType"])
        by = fetcher if is_read else unable
        apply_notifications([envelope_for(told)], database=database, fetcher=by, clock=utc_now, fetch_budget_s=60)

    return World(database, registry, proxy, ContentDeleter(database, client, utc_now), tell)


class TestOneTag:
    """One tag goes alone, natively or by a throw-away manifest, as the registry can."""

    def test_case_67_its_siblings_stay(self, world: World) -> None:
        image = world.image("1.0", "latest", "stable")
        plan = world.plan("latest")

        method = world.delete("latest")

        left = {"1.0": image["digest"], "stable": image["digest"]}
        assert world.real() == left
        assert shown_index(world.database) == {APP: left}
        assert (plan.method, plan.tags, plan.other_tags) == (method, ["latest"], ["1.0", "stable"])
        assert plan.freed_bytes == 0

    def test_the_last_tag_takes_its_manifest_with_it(self, world: World) -> None:
        image, other = world.image("1.0"), world.image("2.0")

        assert world.delete("1.0") is Method.DIGEST

        assert not world.has(image)
        assert shown_index(world.database) == {APP: {"2.0": other["digest"]}}

    def test_case_112_the_last_tag_of_a_repository_takes_the_repository_with_it(self, world: World) -> None:
        world.image("1.0")

        world.delete("1.0")

        assert shown_repositories(world.database) == []

    def test_what_an_index_needs_stays(self, world: World) -> None:
        child = world.image("amd")
        index = world.pusher.index(APP, "1.0", [on(child, "linux", "amd64")])
        world.tell("1.0", index)

        assert world.delete("amd") in (Method.TAG, Method.REPLACEMENT)

        assert world.has(child)
        assert world.real() == {"1.0": index["digest"]}
        assert shown_index(world.database) == {APP: {"1.0": index["digest"]}}

    def test_a_tag_that_points_elsewhere_by_now_is_left_alone(self, world: World) -> None:
        world.image("1.0")
        newer = world.pusher.image(APP, "1.0")

        with pytest.raises(TagMoved):
            world.delete("1.0")

        assert world.real() == {"1.0": newer["digest"]}

    def test_a_tag_that_points_at_nothing_goes(self, world: World) -> None:
        image = world.image("1.0", "other")
        world.registry.stop()
        for folder in world.registry.folder.glob("data/docker/registry/v2/repositories/**/_manifests/revisions"):
            folder.rename(folder.with_name("hidden"))
        world.registry.start()
        place = world.place("1.0")

        world.deleter.delete_tag("jane", place)

        assert new_client(world.registry.url).list_tags(APP).tags == ["other"]
        assert shown_index(world.database) == {APP: {"other": image["digest"]}}

    def test_a_tag_that_is_gone_from_the_registry_goes_from_the_index(self, world: World) -> None:
        image = world.image("1.0")
        world.pusher.delete(APP, image["digest"])

        world.delete("1.0")

        assert shown_index(world.database) == {}

    def test_a_tag_is_deleted_again_after_it_was_pushed_again(self, world: World) -> None:
        for _ in range(2):
            world.image("1.0", "latest")
            world.delete("latest")

        assert set(world.real()) == {"1.0"}

    @pytest.mark.parametrize("names", [("1.0",), ("1.0", "latest")])
    @pytest.mark.parametrize("status", [405, 403])
    def test_case_113_a_refusal_changes_nothing_and_can_be_tried_again(
        self, status: int, names: tuple[str, ...], world: World
    ) -> None:
        image = world.image(*names)
        world.proxy.refuse = refuses(status, "DELETE", "/manifests/")

        with pytest.raises(DeletionRefused):
            world.delete("1.0")

        everything = dict.fromkeys(names, image["digest"])
        assert (world.real(), shown_index(world.database)) == (everything, {APP: everything})
        world.proxy.refuse = lambda request: None
        world.delete("1.0")
        assert "1.0" not in world.real()

    def test_a_registry_that_is_away_changes_nothing(self, world: World) -> None:
        image = world.image("1.0", "latest")
        world.registry.stop()

        with pytest.raises(RegistryUnavailable):
            world.delete("1.0")

        assert shown_index(world.database) == {APP: {"1.0": image["digest"], "latest": image["digest"]}}


class TestBehind:
    """What leads to a manifest in the registry, and not in the index, keeps it there all the same."""

    def index_of(self, world: World, *children: Descriptor, tag: str | None = "multi") -> Descriptor:
        """Push an index of which nobody tells."""
        return world.pusher.index(APP, tag, [on(child, "linux", "amd64") for child in children])

    def test_a_sibling_of_which_no_notification_came_stays(self, world: World) -> None:
        image = world.image("1.0")
        world.pusher.retag(APP, "1.0", "unheard")

        world.delete("1.0")

        assert world.real() == {"unheard": image["digest"]}
        assert shown_index(world.database) == {}

    def test_a_known_tag_that_has_moved_to_it_stays(self, world: World) -> None:
        world.image("1.0")
        image = world.image("2.0")
        world.pusher.retag(APP, "2.0", "1.0")

        assert world.delete("2.0") in (Method.TAG, Method.REPLACEMENT)

        assert world.real() == {"1.0": image["digest"]}

    def test_what_an_index_needs_stays_of_which_no_notification_came(self, world: World) -> None:
        child = world.image("amd")
        index = self.index_of(world, child)

        assert world.delete("amd") in (Method.TAG, Method.REPLACEMENT)

        assert world.has(child)
        assert world.real() == {"multi": index["digest"]}

    def test_and_also_what_an_index_in_an_index_needs(self, old_world: World) -> None:
        child = old_world.image("amd")
        self.index_of(old_world, self.index_of(old_world, child, tag=None))

        old_world.delete("amd")

        assert old_world.has(child)

    @pytest.mark.parametrize("tag", ["multi", None])
    def test_what_an_index_needs_that_was_not_read_yet_stays(self, tag: str | None, old_world: World) -> None:
        child = old_world.image("amd")
        old_world.tell(tag, self.index_of(old_world, child, tag=tag), is_read=False)
        plan = old_world.plan("amd")

        assert old_world.delete("amd") is Method.REPLACEMENT

        assert old_world.has(child)
        assert (plan.method, plan.is_exact) == (Method.DIGEST, False)

    def test_what_a_known_tag_needs_that_has_moved_to_an_index_stays(self, old_world: World) -> None:
        child, _other = old_world.image("amd"), old_world.image("multi")
        index = self.index_of(old_world, child)
        old_world.tell("somewhere", index, repository="team/other", is_read=True)

        old_world.delete("amd")

        assert old_world.has(child)

    @pytest.mark.parametrize("limits", [LookLimits(max_tags=2), LookLimits(budget_s=-1)])
    def test_where_not_all_can_be_looked_at_its_manifest_stays(self, limits: LookLimits, old_world: World) -> None:
        image, _other, last = old_world.image("1.0"), old_world.image("2.0"), old_world.image("3.0")
        hasty = replace(old_world.deleter, limits=limits)

        assert hasty.delete_tag("jane", old_world.place("1.0")) is Method.REPLACEMENT

        assert old_world.has(image)
        assert set(old_world.real()) == {"2.0", "3.0"}
        assert old_world.delete("3.0") is Method.DIGEST
        assert not old_world.has(last)

    def test_where_a_tag_is_answered_oddly_its_manifest_stays(self, old_world: World) -> None:
        image, _other = old_world.image("1.0"), old_world.image("2.0")
        old_world.proxy.refuse = refuses(403, "HEAD", "/manifests/2.0")

        assert old_world.delete("1.0") is Method.REPLACEMENT

        assert old_world.has(image)

    def test_a_tag_that_points_at_nothing_keeps_nothing(self, old_world: World) -> None:
        image, _other = old_world.image("1.0"), old_world.image("2.0")
        old_world.proxy.refuse = refuses(404, "HEAD", "/manifests/2.0")

        assert old_world.delete("1.0") is Method.DIGEST

        assert not old_world.has(image)

    def test_where_a_tag_is_not_answered_its_manifest_stays(self, old_world: World) -> None:
        image, _other = old_world.image("1.0"), old_world.image("2.0")
        old_world.proxy.refuse = refuses(500, "HEAD", "/manifests/2.0")

        assert old_world.delete("1.0") is Method.REPLACEMENT

        assert old_world.has(image)
        assert shown_index(old_world.database)[APP].keys() == {"2.0"}

    def test_where_a_tag_is_not_answered_the_others_are_looked_at(self, old_world: World) -> None:
        image, _other = old_world.image("2.0"), old_world.image("1.0")
        old_world.pusher.retag(APP, "2.0", "unheard")
        old_world.proxy.refuse = refuses(500, "HEAD", "/manifests/1.0")

        with pytest.raises(MoreLeadsToIt, match="unheard"):
            old_world.deleter.delete_manifest("jane", APP, Digest(image["digest"]))

    def test_a_registry_that_ends_while_it_is_looked_through_changes_nothing(self, old_world: World) -> None:
        image, other = old_world.image("1.0"), old_world.image("2.0")
        ended: list[str] = []

        def ends(request: Request) -> Response | None:
            if request.path.endswith("/manifests/2.0"):
                ended.append(request.path)
            return Response("no", 503) if ended else None

        old_world.proxy.refuse = ends
        with pytest.raises(RegistryUnavailable):
            old_world.delete("1.0")

        assert old_world.real() == {"1.0": image["digest"], "2.0": other["digest"]}

    def test_a_manifest_to_which_more_leads_than_is_known_is_not_deleted(self, old_world: World) -> None:
        image, other = old_world.image("1.0"), old_world.image("2.0")
        old_world.pusher.retag(APP, "1.0", "unheard")
        self.index_of(old_world, other)

        with pytest.raises(MoreLeadsToIt, match="unheard"):
            old_world.deleter.delete_manifest("jane", APP, Digest(image["digest"]))
        with pytest.raises(MoreLeadsToIt, match="multi"):
            old_world.deleter.delete_manifest("jane", APP, Digest(other["digest"]))

        assert old_world.has(image)
        assert old_world.has(other)

    def test_and_is_deleted_when_the_repository_was_read_again(self, old_world: World) -> None:
        image = old_world.image("1.0")
        old_world.pusher.retag(APP, "1.0", "unheard")
        with pytest.raises(MoreLeadsToIt):
            old_world.deleter.delete_manifest("jane", APP, Digest(image["digest"]))

        with closing(new_fetcher(new_client(old_world.registry.url), old_world.database)) as fetcher:
            registry = new_client(old_world.registry.url)
            crawler = RepositoryCrawler(old_world.database, registry, fetcher, utc_now, Event())
            later = utc_now() + timedelta(minutes=5)
            assert repair_losses(crawler, holder="us", database=old_world.database, clock=lambda: later)
        old_world.deleter.delete_manifest("jane", APP, Digest(image["digest"]))

        assert not old_world.has(image)

    def test_a_manifest_that_was_only_not_read_yet_is_deleted_with_its_tag(self, old_world: World) -> None:
        image = old_world.pusher.image(APP, "1.0")
        old_world.tell("1.0", image, is_read=False)

        old_world.deleter.delete_manifest("jane", APP, Digest(image["digest"]))

        assert not old_world.has(image)


class TestSeveral:
    """What is deleted together in one repository is looked through once."""

    def choose(self, world: World, *names: str) -> list[ChosenTag]:
        return [ChosenTag(place.name, place.digest) for place in map(world.place, names)]

    def test_the_registry_is_asked_once_where_its_tags_are(self, old_world: World) -> None:
        names = [str(number) for number in range(10)]
        for name in names:
            old_world.image(name)
        chosen, number = self.choose(old_world, *names), old_world.place("0").repository_id
        old_world.proxy.seen.clear()

        done = delete_tags(EVERYTHING, may, number, chosen, deleter=old_world.deleter)

        assert {one.method for one in done} == {Method.DIGEST}
        assert [verb for verb, _path in old_world.proxy.seen].count("HEAD") == 2 * len(names)
        assert [path for _verb, path in old_world.proxy.seen].count(f"/v2/{APP}/tags/list") == 1

    @pytest.mark.parametrize("rest", [0, 10**9])
    def test_what_was_pushed_since_the_look_is_seen_when_that_is_old(
        self, rest: int, old_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """All is looked at again, or only what is new."""
        monkeypatch.setattr(surroundings, "REST", rest)
        image, _other = old_world.image("1.0"), old_world.image("2.0")
        old_world.image("stays")
        deleter = replace(old_world.deleter, limits=LookLimits(max_age_s=-1))
        around = deleter.surroundings_of(APP)
        deleter.delete_tag("jane", old_world.place("2.0"), around)
        old_world.pusher.retag(APP, "1.0", "new")

        assert deleter.delete_tag("jane", old_world.place("1.0"), around) is Method.REPLACEMENT

        assert old_world.has(image)

    def test_and_what_has_moved_since(self, old_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(surroundings, "REST", 0)
        image, _other = old_world.image("1.0"), old_world.image("2.0")
        old_world.image("moves")
        deleter = replace(old_world.deleter, limits=LookLimits(max_age_s=-1))
        around = deleter.surroundings_of(APP)
        deleter.delete_tag("jane", old_world.place("2.0"), around)
        old_world.pusher.retag(APP, "1.0", "moves")

        assert deleter.delete_tag("jane", old_world.place("1.0"), around) is Method.REPLACEMENT

        assert old_world.has(image)

    def test_what_went_before_needs_nothing_any_more(self, old_world: World) -> None:
        image, child = old_world.image("1.0", "latest"), old_world.image("amd")
        index = old_world.pusher.index(APP, "multi", [on(child, "linux", "amd64")])
        old_world.tell("multi", index, is_read=False)
        chosen = self.choose(old_world, "multi", "amd", "latest", "1.0")
        number = old_world.place("amd").repository_id

        done = delete_tags(EVERYTHING, may, number, chosen, deleter=old_world.deleter)

        assert [one.method for one in done] == [Method.DIGEST, Method.DIGEST, Method.REPLACEMENT, Method.DIGEST]
        assert not any(map(old_world.has, (image, child, index)))

    def test_the_registry_is_asked_once_whether_it_deletes_tags(self, old_world: World) -> None:
        names = [str(number) for number in range(10)]
        old_world.image(*names)
        chosen, number = self.choose(old_world, *names), old_world.place("0").repository_id
        old_world.proxy.seen.clear()

        told = preview_tags(EVERYTHING, may, number, chosen, deleter=old_world.deleter)

        methods = [one.plan.method for one in told if one.plan]
        # The last one has no sibling any more.
        assert methods == [*[Method.REPLACEMENT] * 9, Method.DIGEST]
        assert [verb for verb, _path in old_world.proxy.seen].count("DELETE") == 1


class TestReferrers:
    """What is about a manifest is named before that goes, and what only its digest names goes with it."""

    def about(self, world: World, image: Descriptor, suffix: str = ".sig", *, content: bytes = b"signed") -> str:
        """Put something about an image under the tag that is made of its digest."""
        tag = f"{image['digest'].replace(':', '-')}{suffix}"
        world.tell(tag, world.pusher.artifact(APP, tag, content=content))
        return tag

    def listed(self, world: World, image: Descriptor) -> tuple[str, Descriptor]:
        """Put something about an image into the index under the tag that is made of its digest."""
        subject = {name: image[name] for name in ("mediaType", "digest", "size")}
        found = world.pusher.artifact(APP, None, artifact_type="application/vnd.example", subject=subject)
        world.tell(None, found)
        tag = image["digest"].replace(":", "-")
        world.tell(tag, world.pusher.index(APP, tag, [found]))
        return tag, found

    def test_all_of_it_is_named(self, old_world: World) -> None:
        image = old_world.image("1.0")
        signature, (index, found) = self.about(old_world, image), self.listed(old_world, image)
        own = self.about(old_world, {**image, "digest": old_world.real()[signature]}, content=b"countersigned")

        plan = old_world.plan("1.0")

        told = {(one.digest, one.tag) for one in plan.referrers}
        assert told == {(old_world.real()[signature], signature), (found["digest"], None)}
        assert set(plan.referrer_tags) == {signature, index, own}
        assert plan.untagged == [found["digest"]]

    def test_tags_that_are_made_of_its_digest_go_with_it(self, world: World) -> None:
        image = world.image("1.0")
        signature = self.about(world, image)
        self.about(world, image, ".att", content=b"attested")
        self.about(world, {**image, "digest": world.real()[signature]}, content=b"countersigned")
        self.listed(world, image)

        assert world.delete("1.0") is Method.DIGEST

        assert (world.real(), shown_index(world.database), shown_repositories(world.database)) == ({}, {}, [])

    def test_and_with_a_manifest_that_is_deleted_by_its_digest(self, old_world: World) -> None:
        image, other = old_world.image("1.0", "latest"), old_world.image("2.0")
        self.about(old_world, image)
        kept = self.about(old_world, other, content=b"other")

        old_world.deleter.delete_manifest("jane", APP, Digest(image["digest"]))

        assert set(old_world.real()) == {"2.0", kept}
        assert set(shown_index(old_world.database)[APP]) == {"2.0"}

    def test_they_stay_where_that_is_wanted(self, old_world: World) -> None:
        image, other = old_world.image("1.0"), old_world.image("2.0")
        signatures = {self.about(old_world, image), self.about(old_world, other, content=b"other")}
        place = old_world.place("1.0")
        (repository,) = shown_repositories(old_world.database)
        digest = Digest(other["digest"])
        planned = plan_digest(repository, digest, database=old_world.database, keep_referrers=True)

        old_world.deleter.delete_tag("jane", place, keep_referrers=True)
        old_world.deleter.delete_manifest("jane", APP, digest, keep_referrers=True)

        assert set(old_world.real()) == set(shown_index(old_world.database)[APP]) == signatures
        assert (planned.referrer_tags, len(planned.referrers)) == ([], 1)

    def test_they_stay_as_long_as_the_image_does(self, world: World) -> None:
        image = world.image("1.0", "latest")
        signature = self.about(world, image)

        assert world.plan("latest").referrer_tags == ()
        world.delete("latest")

        assert set(world.real()) == {"1.0", signature}

    def test_what_has_another_tag_stays_under_that(self, old_world: World) -> None:
        image = old_world.image("1.0")
        signature = self.about(old_world, image)
        old_world.pusher.retag(APP, signature, "unheard")

        old_world.delete("1.0")

        assert set(old_world.real()) == {"unheard"}

    def test_one_that_is_refused_is_named(self, old_world: World) -> None:
        image, other = old_world.image("1.0"), old_world.image("2.0")
        signature = self.about(old_world, image)
        self.about(old_world, image, ".att", content=b"attested")
        old_world.proxy.refuse = refuses(405, "DELETE", old_world.real()[signature])

        with pytest.raises(ReferrersLeft) as caught:
            old_world.delete("1.0")

        left = {"2.0": other["digest"], signature: old_world.real()[signature]}
        assert set(caught.value.errors) == {signature}
        assert (old_world.real(), shown_index(old_world.database)) == (left, {APP: left})

    def test_one_of_which_the_registry_says_nothing_is_named_and_can_be_tried_again(self, old_world: World) -> None:
        image, other = old_world.image("1.0"), old_world.image("2.0")
        signature = self.about(old_world, image)
        place = old_world.place(signature)
        old_world.proxy.refuse = refuses(503, "DELETE", place.digest)

        with pytest.raises(ReferrersLeft, match=signature):
            old_world.delete("1.0")

        assert set(shown_index(old_world.database)[APP]) == {"2.0", signature}
        old_world.proxy.refuse = lambda request: None
        old_world.delete(signature)
        assert old_world.real() == {"2.0": other["digest"]}

    def test_a_registry_that_ends_then_is_asked_for_one_of_them(self, old_world: World) -> None:
        image = old_world.image("1.0")
        about = {self.about(old_world, image, suffix, content=suffix.encode()) for suffix in (".att", ".sbom", ".sig")}
        gone: list[str] = []

        def ends(request: Request) -> Response | None:
            gone.append(f"{request.method} {request.path}")
            return Response("no", 503) if f"DELETE /v2/{APP}/manifests/{image['digest']}" in gone[:-1] else None

        old_world.proxy.refuse = ends
        with pytest.raises(ReferrersLeft) as caught:
            old_world.delete("1.0")

        assert set(caught.value.errors) == about
        assert len(gone[gone.index(f"DELETE /v2/{APP}/manifests/{image['digest']}") :]) == 2

    @pytest.mark.parametrize("is_heard", [True, False])
    def test_what_is_about_something_that_stays_does_too(self, is_heard: bool, world: World) -> None:
        """One bill of materials of two images, and signed."""
        first, second = world.image("1.0"), world.image("2.0")
        shared = self.about(world, first, ".sbom")
        also = f"{second['digest'].replace(':', '-')}.sbom"
        world.pusher.retag(APP, shared, also)
        bill = world.pusher.describe(APP, shared)
        if is_heard:
            world.tell(also, bill)
        signature = self.about(world, bill, content=b"countersigned")
        if is_heard:
            assert set(world.plan("1.0").referrer_tags) == {shared}

        world.delete("1.0")

        assert set(world.real()) == {"2.0", also, signature}
        if is_heard:
            world.delete("2.0")
            assert world.real() == {}

    def test_what_is_about_something_in_an_index_that_stays_does_too(self, old_world: World) -> None:
        image = old_world.image("1.0")
        about = self.about(old_world, image)
        signed = old_world.pusher.describe(APP, about)
        old_world.tell("list", old_world.pusher.index(APP, "list", [signed]))
        signature = self.about(old_world, signed, content=b"countersigned")

        old_world.delete("1.0")

        assert set(old_world.real()) == {"list", signature}

    def test_what_would_come_back_of_them_is_counted(self, old_world: World) -> None:
        image, _other = old_world.image("1.0"), old_world.image("2.0")
        self.about(old_world, image)
        self.listed(old_world, image)

        plan = old_world.plan("1.0")
        old_world.delete("1.0")

        assert plan.is_exact
        assert plan.freed_bytes == freed(old_world)

    def test_they_are_named_with_the_last_of_several_tags(self, old_world: World) -> None:
        image = old_world.image("1.0", "latest")
        signature, number = self.about(old_world, image), old_world.place("1.0").repository_id
        chosen = [ChosenTag(place.name, place.digest) for place in map(old_world.place, ("1.0", "latest"))]

        first, last = preview_tags(EVERYTHING, may, number, chosen, deleter=old_world.deleter)
        kept = preview_tags(EVERYTHING, may, number, chosen, deleter=old_world.deleter, keep_referrers=True)
        done = delete_tags(EVERYTHING, may, number, chosen, deleter=old_world.deleter)

        plans = [one.plan for one in (first, last, kept[1]) if one.plan]
        assert [plan.referrer_tags for plan in plans] == [(), [signature], []]
        assert [plan.method for plan in plans[:2]] == [one.method for one in done]
        assert old_world.real() == {}

    def test_of_several_tags_one_whose_signature_is_refused_is_gone_and_says_so(self, old_world: World) -> None:
        image = old_world.image("1.0")
        signature, place = self.about(old_world, image), old_world.place("1.0")
        old_world.proxy.refuse = refuses(405, "DELETE", old_world.real()[signature])
        chosen = [ChosenTag(place.name, place.digest)]

        (done,) = delete_tags(EVERYTHING, may, place.repository_id, chosen, deleter=old_world.deleter)

        assert done.method is Method.DIGEST
        assert signature in (done.fault or "")

    def test_of_several_tags_one_whose_signature_is_not_answered_is_gone_and_says_so(self, old_world: World) -> None:
        old_world.image("0.9")
        image = old_world.image("1.0")
        signature, places = self.about(old_world, image), [old_world.place("0.9"), old_world.place("1.0")]
        old_world.proxy.refuse = refuses(503, "DELETE", old_world.real()[signature])
        chosen = [ChosenTag(place.name, place.digest) for place in places]

        done = delete_tags(EVERYTHING, may, places[0].repository_id, chosen, deleter=old_world.deleter)

        assert [one.method for one in done] == [Method.DIGEST, Method.DIGEST]
        assert signature in (done[1].fault or "")


class TestTooManyTags:
    """A repository is too large to be looked through before something is deleted."""

    @pytest.fixture
    def narrow(self, world: World) -> World:
        world.deleter = replace(world.deleter, limits=LookLimits(max_tags=2))
        return world

    def test_a_tag_goes_alone_and_the_preview_says_so(self, narrow: World) -> None:
        images = {tag: narrow.image(tag) for tag in ("1.0", "1.1", "1.2")}
        place = narrow.place("1.0")

        plan = preview_tag(EVERYTHING, may, place.id, deleter=narrow.deleter)
        done = narrow.deleter.delete_tag("jane", place)

        assert (plan.method, plan.is_looked_through, plan.freed_bytes) == (done, False, 0)
        assert done is not Method.DIGEST
        assert narrow.has(images["1.0"])
        # Two are left: few enough.
        plan = preview_tag(EVERYTHING, may, narrow.place("1.1").id, deleter=narrow.deleter)
        assert (plan.method, plan.is_looked_through) == (Method.DIGEST, True)

    def test_of_several_tags_too(self, narrow: World) -> None:
        for tag in ("1.0", "1.1", "1.2"):
            narrow.image(tag)
        place = narrow.place("1.0")
        chosen = [ChosenTag(place.name, place.digest)]

        (would,) = preview_tags(EVERYTHING, may, place.repository_id, chosen, deleter=narrow.deleter)
        (did,) = delete_tags(EVERYTHING, may, place.repository_id, chosen, deleter=narrow.deleter)

        assert would.plan
        assert (would.plan.method, would.plan.is_looked_through) == (did.method, False)

    def test_what_else_goes_with_a_manifest_is_not_all_known(self, narrow: World) -> None:
        images = [narrow.image(tag) for tag in ("1.0", "1.1", "1.2")]
        number = narrow.place("1.0").repository_id

        plan = preview_manifest(EVERYTHING, may, number, Digest(images[0]["digest"]), deleter=narrow.deleter)

        assert (plan.is_exact, plan.is_looked_through) == (False, False)


class TestThrowAway:
    """The trick for registries that cannot delete a tag alone."""

    def test_it_leaves_nothing_behind(self, old_world: World) -> None:
        image = old_world.image("1.0", "latest")

        assert old_world.delete("latest") is Method.REPLACEMENT

        leftover = {"mediaType": throwaway.MEDIA_TYPE, "digest": throwaway.DIGEST}
        assert not old_world.has(leftover)
        assert old_world.has(image)

    def test_a_tag_is_put_back_when_the_throw_away_cannot_be_deleted(self, old_world: World) -> None:
        image = old_world.image("1.0", "latest")
        old_world.proxy.refuse = refuses(500, "DELETE", throwaway.DIGEST)

        with pytest.raises(RegistryUnavailable):
            old_world.delete("latest")

        everything = {"1.0": image["digest"], "latest": image["digest"]}
        assert (old_world.real(), shown_index(old_world.database)) == (everything, {APP: everything})

    def test_a_deletion_that_broke_off_half_way_is_ended_by_the_next_try(self, old_world: World) -> None:
        image = old_world.image("1.0", "latest")
        Pusher(old_world.registry.url).blob(APP, throwaway.CONFIG, "any")
        put = {"Content-Type": throwaway.MEDIA_TYPE}
        url = f"{old_world.registry.url}/v2/{APP}/manifests/latest"
        requests.put(url, data=throwaway.BODY, headers=put, timeout=20).raise_for_status()

        old_world.delete("latest")

        left = {"1.0": image["digest"]}
        assert (old_world.real(), shown_index(old_world.database)) == (left, {APP: left})

    def test_what_the_registry_tells_of_it_changes_nothing_more(self, old_world: World) -> None:
        image = old_world.image("1.0", "latest")
        old_world.delete("latest")
        before = shown_index(old_world.database)
        told = [
            push("latest", throwaway.DIGEST, 10, actor="portus"),
            delete(11, digest=throwaway.DIGEST, actor="portus"),
            delete(11.1, tag="latest", actor="portus"),
        ]

        fetcher = new_fetcher(new_client(old_world.registry.url), old_world.database)
        envelopes = [envelope_for(one) for one in told]
        apply_notifications(envelopes, database=old_world.database, fetcher=fetcher, clock=utc_now)
        fetcher.close()

        assert shown_index(old_world.database) == before == {APP: {"1.0": image["digest"]}}


class TestManifest:
    """A digest goes with all its tags."""

    def test_every_tag_on_it_goes(self, old_world: World) -> None:
        image, other = old_world.image("1.0", "latest"), old_world.image("2.0")

        old_world.deleter.delete_manifest("jane", APP, Digest(image["digest"]))

        left = {"2.0": other["digest"]}
        assert (old_world.real(), shown_index(old_world.database)) == (left, {APP: left})

    def test_a_refusal_changes_nothing(self, old_world: World) -> None:
        image = old_world.image("1.0")
        old_world.proxy.refuse = refuses(405, "DELETE", "/manifests/")

        with pytest.raises(DeletionRefused, match=r"storage\.delete\.enabled"):
            old_world.deleter.delete_manifest("jane", APP, Digest(image["digest"]))

        assert shown_index(old_world.database) == {APP: {"1.0": image["digest"]}}

    def test_it_is_said_what_hangs_on_it(self, old_world: World) -> None:
        child = old_world.image("amd")
        index = old_world.pusher.index(APP, "1.0", [on(child, "linux", "amd64")])
        old_world.tell("1.0", index)
        signature = old_world.pusher.artifact(APP, None, artifact_type="application/vnd.example", subject=child)
        old_world.tell(None, signature)
        (repository,) = shown_repositories(old_world.database)

        plan = plan_digest(repository, Digest(child["digest"]), database=old_world.database)

        assert (plan.method, plan.tags) == (Method.DIGEST, ["amd"])
        assert plan.indexes == [IndexRef(Digest(index["digest"]), [Tag("1.0")])]
        assert plan.referrers == [ReferrerRef(Digest(signature["digest"]), "application/vnd.example")]

    def test_what_only_an_index_holds_is_left_without_a_name(self, old_world: World) -> None:
        tagged, shared, own = old_world.image("amd"), old_world.pusher.image(APP), old_world.pusher.image(APP)
        children = [on(tagged, "linux", "amd64"), on(shared, "linux", "arm64"), on(own, "linux", "arm")]
        index = old_world.pusher.index(APP, "1.0", children)
        other = old_world.pusher.index(APP, "2.0", [on(shared, "linux", "arm64")])
        old_world.tell("1.0", index)
        old_world.tell("2.0", other)
        (repository,) = shown_repositories(old_world.database)

        plan = plan_digest(repository, Digest(index["digest"]), database=old_world.database)

        assert plan.untagged == [own["digest"]]


def freed(world: World) -> int:
    """Return what a garbage collection gives back."""
    before = world.registry.stored_bytes
    world.registry.stop()
    world.registry.collect_garbage()
    return before - world.registry.stored_bytes


class TestFreedStorage:
    """What a preview says comes back is what a garbage collection gives back."""

    def test_of_an_index_whose_layers_are_shared(self, old_world: World) -> None:
        own, other = old_world.pusher.image(APP, layer_bytes=(4000,)), old_world.image("2.0")
        index = old_world.pusher.index(APP, "1.0", [on(own, "linux", "amd64"), on(other, "linux", "arm64")])
        old_world.tell("1.0", index)

        plan = old_world.plan("1.0")
        old_world.delete("1.0")

        assert plan.is_exact
        assert plan.freed_bytes == freed(old_world) > 4000

    def test_of_an_image_that_another_repository_has_too_is_none(self, old_world: World) -> None:
        image = old_world.image("1.0")
        old_world.pusher.copy_image(APP, "1.0", "team/copy")
        old_world.tell("copy", image, repository="team/copy")

        plan = old_world.plan("1.0")
        old_world.delete("1.0")

        assert plan.freed_bytes == freed(old_world) == 0

    def test_of_a_repository(self, old_world: World) -> None:
        old_world.image("1.0"), old_world.image("2.0", "latest"), old_world.image("kept", repository="team/kept")
        (repository,) = [row for row in shown_repositories(old_world.database) if row.full_name == APP]

        plan = plan_repository(repository, database=old_world.database)
        old_world.deleter.delete_repository("jane", APP)

        assert (plan.method, plan.tags) == (Method.REPOSITORY, ["1.0", "2.0", "latest"])
        assert plan.tags_count == 3
        assert plan.freed_bytes == freed(old_world) > 0

    def test_is_not_exact_while_a_manifest_is_not_known(self, old_world: World) -> None:
        old_world.tell("1.0", {"digest": digest_of("unknown"), "mediaType": "application/x"})

        assert not old_world.plan("1.0").is_exact


class TestRepository:
    """A repository goes as a whole."""

    def test_everything_goes(self, old_world: World) -> None:
        old_world.image("1.0", "latest"), old_world.image("2.0")

        old_world.deleter.delete_repository("jane", APP)

        assert (old_world.real(), shown_index(old_world.database)) == ({}, {})

    def test_what_is_refused_stays_and_is_named(self, old_world: World) -> None:
        kept, _gone = old_world.image("kept"), old_world.image("gone")
        old_world.proxy.refuse = refuses(403, "DELETE", kept["digest"])

        with pytest.raises(DeletionIncomplete) as caught:
            old_world.deleter.delete_repository("jane", APP)

        assert set(caught.value.errors) == {"kept"}
        left = {"kept": kept["digest"]}
        assert (old_world.real(), shown_index(old_world.database)) == (left, {APP: left})

    def test_a_registry_that_deletes_nothing_says_so(self, old_world: World) -> None:
        old_world.image("1.0")
        old_world.proxy.refuse = refuses(405, "DELETE", "/manifests/")

        with pytest.raises(DeletionRefused, match=r"storage\.delete\.enabled"):
            old_world.deleter.delete_repository("jane", APP)

    def test_what_there_is_no_time_for_is_for_the_next_request(self, old_world: World) -> None:
        old_world.image("1.0")

        with pytest.raises(DeletionUnfinished):
            old_world.deleter.delete_repository("jane", APP, budget_s=-1)

        assert set(shown_index(old_world.database)) == {APP}
