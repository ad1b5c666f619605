"""Check-then-write holds when several do it at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from services.auth.domain.errors import AuthFault
from services.auth.domain.teams import Role
from services.auth.storage.teams import list_members
from services.auth.usecases.members import remove_member
from services.auth.usecases.people import NewPerson, ensure_administrator
from shared.api.paging import ListRequest
from shared.config import Secret
from tests.support.auth import PASSWORD, ROOT, AuthService, actor_of


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """Run all calls at the same time; a fault is a result."""

    def outcome(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except AuthFault as fault:
            return fault

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(outcome, calls))


def test_only_one_becomes_the_first_administrator(auth: AuthService) -> None:
    def make(name: str) -> Any:
        person = NewPerson(name, Secret(PASSWORD), administrator=True)
        return ensure_administrator(
            ROOT, person, database=auth.database, clock=auth.clock, passwords=auth.services.passwords
        )

    made = at_once([lambda name=f"admin{number}": make(name) for number in range(6)])  # type: ignore[misc]

    assert len([user for user in made if user]) == 1


def test_names_that_become_one_namespace_get_different_ones(auth: AuthService) -> None:
    names = ["a!b", "a?b", "a#b", "a$b", "a&b", "a~b"]

    made = at_once([lambda name=name: auth.make_user(name, email=None) for name in names])  # type: ignore[misc]

    assert {user.namespace.name for user in made} == {"a_b", "a_b0", "a_b1", "a_b2", "a_b3", "a_b4"}


def test_one_name_is_given_once(auth: AuthService) -> None:
    made = at_once([lambda: auth.make_user("jane")] * 6)

    assert len([one for one in made if not isinstance(one, AuthFault)]) == 1


def test_two_owners_cannot_remove_each_other(auth: AuthService) -> None:
    jane, john = auth.make_user("jane"), auth.make_user("john")
    team = auth.make_team(owner=jane, john=Role.OWNER)
    with auth.database.read() as connection:
        members = list_members(connection, team.id, ListRequest()).rows

    at_once(
        [
            lambda member=member, remover=remover: remove_member(  # type: ignore[misc]
                actor_of(remover), team.id, member.id, database=auth.database, clock=auth.clock
            )
            for member, remover in zip(members, (john, jane), strict=True)
        ]
    )

    with auth.database.read() as connection:
        assert len(list_members(connection, team.id, ListRequest()).rows) == 1
