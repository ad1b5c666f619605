"""The rule that lists is the rule that checks, in generated worlds and in both databases."""

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from services.auth.domain.decisions import Policy, decide
from services.auth.domain.namespaces import GLOBAL_NAMESPACE, Visibility
from services.auth.domain.subjects import ANONYMOUS, INTERNAL, Subject
from services.auth.domain.teams import Role
from services.auth.storage.credentials import find_caller
from services.auth.storage.namespaces import (
    find_namespace,
    insert_namespace,
    list_namespaces,
    update_namespace,
    visible_names,
)
from services.auth.storage.tables import namespaces
from services.auth.storage.teams import insert_member, insert_team
from shared.api.paging import ListRequest, PageRequest
from tests.support.auth import AuthService, subject_of


@dataclass(frozen=True)
class Generated:
    """One namespace of a generated world: its visibility, and Jane's role in its team."""

    visibility: Visibility
    role: Role | None


WORLDS = st.lists(st.builds(Generated, st.sampled_from(Visibility), st.none() | st.sampled_from(Role)), max_size=6)


@pytest.fixture
def subjects(auth: AuthService) -> dict[str, Subject]:
    return {
        "anonymous": ANONYMOUS,
        "jane": subject_of(auth.make_user("jane")),
        "admin": subject_of(auth.make_user("admin", administrator=True)),
        "internal": INTERNAL,
    }


def populate(connection: Connection, auth: AuthService, world: list[Generated], jane: Subject) -> None:
    assert jane.user_id is not None
    for number, one in enumerate(world):
        team_id = insert_team(connection, f"team{number}", now=auth.clock())
        insert_namespace(
            connection, f"n{number}", team_id=team_id, visibility=one.visibility, description="", now=auth.clock()
        )
        if one.role:
            insert_member(connection, team_id, jane.user_id, one.role, now=auth.clock())


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=WORLDS, caller=st.sampled_from(["anonymous", "jane", "admin", "internal"]), protected=st.booleans())
def test_check_and_list_agree(
    auth: AuthService, subjects: dict[str, Subject], world: list[Generated], caller: str, protected: bool
) -> None:
    """What the token path may pull is what every list shows; the world is rolled back afterwards."""
    subject = subjects[caller]
    with auth.database.engine.connect() as connection:
        populate(connection, auth, world, subjects["jane"])
        if protected:
            change = {"visibility": Visibility.PROTECTED.value}
            update_namespace(connection, auth.global_namespace_id, change, now=auth.clock())
        ids = {row.name: row.id for row in connection.execute(select(namespaces.c.name, namespaces.c.id))}
        facts = find_caller(connection, subject.username or None, "", ids).namespaces

        may_pull = {
            name
            for name in ids
            if decide(subject, "pull", "repository", f"{name}/x", facts.get(name), Policy()).allowed
        }

        assert set(facts) == set(ids)
        assert set(visible_names(connection, subject, limit=1000)) == may_pull
        assert {
            row.name for row in list_namespaces(connection, subject, ListRequest(PageRequest(1, 100))).rows
        } == may_pull
        assert {name for name, id_ in ids.items() if find_namespace(connection, subject, id_)} == may_pull
        connection.rollback()


def test_a_list_is_cut_where_it_says(auth: AuthService) -> None:
    jane = subject_of(auth.make_user("jane"))

    with auth.database.read() as connection:
        assert visible_names(connection, jane, limit=1) == [GLOBAL_NAMESPACE]
