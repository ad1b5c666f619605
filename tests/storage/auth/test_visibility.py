"""The rule that lists is the rule that checks, in generated worlds and in both databases."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from services.auth.domain.decisions import Policy, decide
from services.auth.domain.namespaces import GLOBAL_NAMESPACE, namespace_of
from services.auth.domain.patterns import matches
from services.auth.domain.registries import FIRST_REGISTRY_ID, FIRST_SERVICE
from services.auth.domain.subjects import ANONYMOUS, INTERNAL, Narrowing, Subject
from services.auth.domain.visibility import sight_of
from services.auth.storage.credentials import Asked, find_caller
from services.auth.storage.facts import find_facts
from services.auth.storage.namespaces import list_namespaces
from services.auth.storage.visible import list_visible
from shared.api.paging import ListRequest, PageRequest
from tests.support.auth import AuthService, subject_of
from tests.support.worlds import PEOPLE, REPOSITORIES, Populated, World, populate, robot_in, worlds

CALLERS = ("anonymous", "jane", "admin", "auditor", "internal", "robot", "narrowed to pull", "narrowed to push")


@pytest.fixture
def subjects(auth: AuthService) -> dict[str, Subject]:
    jane = subject_of(auth.make_user("jane"))
    auth.make_user("kim")
    return {
        "anonymous": ANONYMOUS,
        "jane": jane,
        "admin": subject_of(auth.make_user("admin", administrator=True)),
        "auditor": replace(subject_of(auth.make_user("auditor")), auditor=True),
        "internal": INTERNAL,
        "narrowed to pull": replace(jane, narrowing=Narrowing(frozenset({"pull"}), frozenset({"team", "ci-a"}))),
        "narrowed to push": replace(jane, narrowing=Narrowing(frozenset({"push"}))),
    }


def subject_in(world: World, populated: Populated, subjects: dict[str, Subject], caller: str) -> Subject:
    return robot_in(world, populated) if caller == "robot" else subjects[caller]


def people_of(auth: AuthService, connection: Connection) -> dict[str, int]:
    found = {name: find_caller(connection, name, "", Asked(None, (), auth.clock())).user for name in PEOPLE}
    return {name: user.id for name, user in found.items() if user}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds(), caller=st.sampled_from(CALLERS))
def test_check_and_list_agree(auth: AuthService, subjects: dict[str, Subject], world: World, caller: str) -> None:
    """What the token path may pull is what every list shows; the world is rolled back afterwards."""
    now = auth.clock()
    with auth.database.engine.connect() as connection:
        populated = populate(connection, world, people_of(auth, connection), now=now)
        subject = subject_in(world, populated, subjects, caller)
        facts = find_facts(
            connection, subject, set(map(namespace_of, REPOSITORIES)), registry_id=FIRST_REGISTRY_ID, now=now
        )
        visible = list_visible(connection, subject, registry_id=FIRST_REGISTRY_ID, now=now, limit=1000)
        listed = list_namespaces(connection, subject, ListRequest(PageRequest(1, 100)), now=now).rows

        may_pull = {
            name
            for name in REPOSITORIES
            if decide(subject, "pull", "repository", name, facts.get(namespace_of(name)), Policy()).allowed
        }
        shown = {
            name
            for name in REPOSITORIES
            if sight_of(subject).everything
            or namespace_of(name) in visible.namespaces
            or any(each.namespace == namespace_of(name) and matches(each.pattern, name) for each in visible.glimpses)
        }
        in_part = {each.namespace for each in visible.glimpses}

        assert shown == may_pull
        assert {row.name for row in listed} == set(visible.namespaces) | in_part
        connection.rollback()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds())
def test_the_token_path_reads_what_everybody_reads(
    auth: AuthService, subjects: dict[str, Subject], world: World
) -> None:
    with auth.database.engine.connect() as connection:
        populate(connection, world, people_of(auth, connection), now=auth.clock())
        names = set(map(namespace_of, REPOSITORIES))
        asked = Asked(FIRST_SERVICE, names, auth.clock())

        record = find_caller(connection, "jane", "", asked)

        facts = find_facts(connection, subjects["jane"], names, registry_id=FIRST_REGISTRY_ID, now=auth.clock())
        assert {name: _ordered(one) for name, one in record.namespaces.items()} == {
            name: _ordered(one) for name, one in facts.items()
        }
        connection.rollback()


def _ordered(facts: object) -> object:
    return replace(facts, grants=tuple(sorted(facts.grants, key=lambda grant: grant.id)))  # type: ignore[type-var,attr-defined]


def test_a_list_is_cut_where_it_says(auth: AuthService) -> None:
    jane = subject_of(auth.make_user("jane"))

    with auth.database.read() as connection:
        visible = list_visible(connection, jane, registry_id=FIRST_REGISTRY_ID, now=auth.clock(), limit=1)

    assert visible.namespaces == (GLOBAL_NAMESPACE,)
