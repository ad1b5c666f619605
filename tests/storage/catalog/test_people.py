"""What people write beside repositories, on both databases."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.catalog.storage.people import COMMENTS, CommentRow
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.describe_repository import (
    comment,
    describe,
    reword,
    show_comments,
    star,
    toggle_star,
    unstar,
    withdraw,
)
from services.catalog.usecases.empty_repository import RepositoryEmptier
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from services.catalog.usecases.not_found import CommentNotFound, RepositoryNotFound
from services.catalog.usecases.placed import FindPlaces
from services.catalog.usecases.rights import NotAllowed
from shared.api.etags import anything
from shared.api.paging import ListRequest, PageRequest
from shared.clock import utc_now
from shared.database import Database
from shared.oci.names import RepositoryName
from shared.visibility.answers import Caller, Permission, RepositoryPlace, Visibility
from tests.conftest import RegistryFactory
from tests.storage.catalog.snapshots import shown_repositories
from tests.support.catalog import NOON, digest_of, envelope_for, push
from tests.support.catalog_clients import new_client
from tests.support.images import Pusher


def seen_by(username: str, *, kind: str = "person", administrator: bool = False) -> Visibility:
    return Visibility(namespaces=("team",), caller=Caller(username, kind, administrator))


JANE, JOE = seen_by("jane"), seen_by("joe")
ADMIN = seen_by("admin", administrator=True)
STRANGER = Visibility(caller=Caller("stranger", "person"))
ANONYMOUS, ROBOT = Visibility(namespaces=("team",)), seen_by("robot+ci", kind="robot")


@pytest.fixture(autouse=True)
def filled(database: Database, no_registry: ManifestFetcher) -> None:
    """A repository that Jane and Joe see."""
    told = [envelope_for(push("1.0", digest_of("x"), 1, repository="team/app"))]
    apply_notifications(told, database=database, fetcher=no_registry, clock=utc_now)


def permissions(*, allowed: bool = True) -> Callable[..., Mapping[str, Permission]]:
    return lambda _repository, actions: {action: Permission(allowed, "because") for action in actions}


def places(*actions: str, namespace_id: int | None = 7) -> FindPlaces:
    place = RepositoryPlace(namespace_id, frozenset(actions))
    return lambda repositories, _actions: dict.fromkeys(repositories, place)


NOWHERE = places(namespace_id=None)


def say(database: Database, who: Visibility, body: str = "hello", *, at: float = 0) -> CommentRow:
    return comment(who, 1, body, database=database, clock=lambda: NOON.replace(second=int(at)))


def said(database: Database, who: Visibility = JANE, **filters: str) -> list[tuple[str, str]]:
    request = ListRequest(PageRequest(per_page=100), COMMENTS.order, filters)
    return [(row.author, row.body) for row in show_comments(who, 1, request, database=database).rows]


def describe_it(database: Database, who: Visibility, text: str, *, allowed: bool = True) -> str | None:
    rights = permissions(allowed=allowed)
    return describe(who, rights, NOWHERE, 1, text, expected=anything, database=database).description


class TestDescription:
    """One text for everybody."""

    def test_is_replaced_and_taken_away(self, database: Database) -> None:
        assert describe_it(database, JANE, " # Web\n\nours ") == "# Web\n\nours"
        assert shown_repositories(database, JOE)[0].description == "# Web\n\nours"
        assert describe_it(database, JANE, "  ") is None

    def test_is_written_by_those_who_may(self, database: Database) -> None:
        with pytest.raises(NotAllowed, match="because"):
            describe_it(database, JANE, "x", allowed=False)
        with pytest.raises(RepositoryNotFound):
            describe_it(database, STRANGER, "x")

    def test_is_found_by_a_part(self, database: Database) -> None:
        describe_it(database, JANE, "The payments service")

        assert [row.full_name for row in shown_repositories(database, JANE, q="PAYMENTS")] == ["team/app"]


class TestStars:
    """One star a person, counted."""

    def test_are_given_once_and_taken_back(self, database: Database) -> None:
        twice = [star(JANE, NOWHERE, 1, database=database, clock=utc_now) for _ in range(2)]
        joe = star(JOE, NOWHERE, 1, database=database, clock=utc_now)

        assert [(row.stars, row.starred) for row in (*twice, joe)] == [(1, True), (1, True), (2, True)]
        for _ in range(2):
            back = unstar(JANE, NOWHERE, 1, database=database)
            assert (back.stars, back.starred) == (1, False)

    def test_are_answered_with_what_the_caller_may(self, database: Database) -> None:
        starred = star(JANE, places("delete"), 1, database=database, clock=utc_now)
        unstarred = unstar(JANE, places("pull"), 1, database=database)

        assert (starred.namespace_id, starred.destroyable) == (7, True)
        assert (unstarred.namespace_id, unstarred.destroyable) == (7, False)

    def test_are_toggled_as_in_portus(self, database: Database) -> None:
        """Case 117 of the acceptance list."""
        rows = [toggle_star(JANE, NOWHERE, 1, database=database, clock=utc_now) for _ in range(3)]

        assert [(row.stars, row.starred) for row in rows] == [(1, True), (0, False), (1, True)]

    def test_are_the_callers_own(self, database: Database) -> None:
        star(JANE, NOWHERE, 1, database=database, clock=utc_now)

        assert [(row.stars, row.starred) for row in shown_repositories(database, JOE)] == [(1, False)]
        assert [row.starred for row in shown_repositories(database, JANE, starred=True)] == [True]
        assert (
            shown_repositories(database, JOE, starred=True)
            == shown_repositories(database, ANONYMOUS, starred=True)
            == []
        )

    @pytest.mark.parametrize("who", [ANONYMOUS, ROBOT])
    def test_are_for_people(self, who: Visibility, database: Database) -> None:
        with pytest.raises(NotAllowed):
            star(who, NOWHERE, 1, database=database, clock=utc_now)

    def test_of_what_is_hidden_are_none(self, database: Database) -> None:
        """Case 121 of the acceptance list: nobody learns anything of a private repository by starring it."""
        for change in (star, toggle_star):
            with pytest.raises(RepositoryNotFound):
                change(STRANGER, NOWHERE, 1, database=database, clock=utc_now)

    def test_of_many_at_once_are_all_counted(self, database: Database) -> None:
        people = [seen_by(f"person-{number}") for number in range(12)]

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda who: star(who, NOWHERE, 1, database=database, clock=utc_now), people))

        assert shown_repositories(database, JANE)[0].stars == 12


class TestComments:
    """Case 115 of the acceptance list: who sees it may comment."""

    def test_are_listed_newest_first(self, database: Database) -> None:
        say(database, JANE, "first", at=1)
        say(database, JOE, "second", at=2)

        assert said(database) == [("joe", "second"), ("jane", "first")]
        assert said(database, author="jane") == said(database, q="FIRST") == [("jane", "first")]

    @pytest.mark.parametrize("who", [ANONYMOUS, ROBOT])
    def test_are_by_people(self, who: Visibility, database: Database) -> None:
        with pytest.raises(NotAllowed):
            say(database, who)

    def test_on_what_is_hidden_are_neither_written_nor_read(self, database: Database) -> None:
        for attempt in (say, said):
            with pytest.raises(RepositoryNotFound):
                attempt(database, STRANGER)

    def test_are_changed_by_their_author_alone(self, database: Database) -> None:
        number = say(database, JANE).id

        changed = reword(JANE, 1, number, "changed", database=database, clock=lambda: NOON.replace(second=9))

        assert (changed.body, changed.updated_at > changed.created_at) == ("changed", True)
        for other in (JOE, ADMIN):
            with pytest.raises(NotAllowed):
                reword(other, 1, number, "x", database=database, clock=utc_now)

    def test_say_who_may_delete_them(self, database: Database) -> None:
        say(database, JANE)
        request = ListRequest(PageRequest(), COMMENTS.order)

        shown = {
            who: show_comments(who, 1, request, database=database).rows[0].destroyable
            for who in (JANE, JOE, ADMIN, ANONYMOUS, ROBOT)
        }

        assert shown == {JANE: True, JOE: False, ADMIN: True, ANONYMOUS: False, ROBOT: False}

    @pytest.mark.parametrize("who", [JANE, ADMIN])
    def test_are_deleted_by_their_author_and_administrators(self, who: Visibility, database: Database) -> None:
        number = say(database, JANE).id
        with pytest.raises(NotAllowed):
            withdraw(JOE, 1, number, database=database)

        withdraw(who, 1, number, database=database)

        assert said(database) == []
        with pytest.raises(CommentNotFound):
            withdraw(who, 1, number, database=database)

    def test_of_another_repository_are_not_found(self, database: Database, no_registry: ManifestFetcher) -> None:
        told = [envelope_for(push("1.0", digest_of("x"), 1, id="other", repository="team/other"))]
        apply_notifications(told, database=database, fetcher=no_registry, clock=utc_now)
        number = say(database, JANE).id

        with pytest.raises(CommentNotFound):
            withdraw(JANE, 2, number, database=database)


def test_nothing_of_it_is_left_for_whoever_pushes_to_the_name_again(
    database: Database, registry_factory: RegistryFactory, no_registry: ManifestFetcher
) -> None:
    registry = registry_factory()
    say(database, JANE)
    star(JANE, NOWHERE, 1, database=database, clock=utc_now)
    describe_it(database, JANE, "ours")
    Pusher(registry.url).image("team/app", "1.0")

    emptier = RepositoryEmptier(database, new_client(registry.url), utc_now)
    emptier.empty(RepositoryName("team/app"), actor="jane", until_s=float("inf"))
    again = envelope_for(push("2.0", digest_of("y"), (utc_now() - NOON).total_seconds() + 60, repository="team/app"))
    apply_notifications([again], database=database, fetcher=no_registry, clock=utc_now)

    (row,) = shown_repositories(database, JANE)
    assert (row.description, row.stars, row.starred, said(database)) == (None, 0, False, [])
