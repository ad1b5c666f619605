"""Who can is who may: the list of those who can says of everybody what a decision says of each."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.auth.domain.decisions import DeletePolicy, Policy, PushPolicy, decide
from services.auth.domain.namespaces import namespace_of
from services.auth.domain.registries import FIRST_REGISTRY_ID
from services.auth.domain.subjects import ANONYMOUS, Subject, SubjectKind
from services.auth.storage.facts import find_facts
from services.auth.usecases.explain import Inquiry
from services.auth.usecases.who_can import Place, WhoCan, list_who_can
from tests.support.auth import SERVICE, AuthService, subject_of
from tests.support.one_connection import OneConnection
from tests.support.worlds import REPOSITORIES, World, populate, robot_in, worlds


@pytest.fixture
def people(auth: AuthService) -> dict[str, Subject]:
    auth.make_user("admin", administrator=True)
    names = ("jane", "kim", "stranger")
    return {name: subject_of(auth.make_user(name)) for name in names}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    world=worlds(),
    repository=st.sampled_from(REPOSITORIES),
    action=st.sampled_from(["pull", "push", "delete", "*"]),
    policy=st.builds(Policy, st.sampled_from(PushPolicy), st.sampled_from(DeletePolicy)),
)
def test_may_and_who_may_agree(
    auth: AuthService, people: dict[str, Subject], world: World, repository: str, action: str, policy: Policy
) -> None:
    with auth.database.engine.connect() as connection:
        ids = {name: subject.user_id or 0 for name, subject in people.items()}
        populated = populate(connection, world, ids, now=auth.clock())
        subjects = [ANONYMOUS, *people.values(), robot_in(world, populated)]
        inquiry = Inquiry(OneConnection(connection), auth.clock, policy, SERVICE)

        listed = everybody_who_can(repository, action, inquiry)

        for subject in subjects:
            facts = find_facts(
                connection, subject, [namespace_of(repository)], registry_id=FIRST_REGISTRY_ID, now=auth.clock()
            )
            may = decide(subject, action, "repository", repository, facts.get(namespace_of(repository)), policy).allowed
            assert may is is_among(subject, listed), (subject, may)
        connection.rollback()


def everybody_who_can(repository: str, action: str, inquiry: Inquiry) -> list[WhoCan]:
    """Walk the whole list in the smallest parts."""
    admin = Subject(SubjectKind.PERSON, "admin", 1, administrator=True)
    parts: list[WhoCan] = []
    place: Place | None = Place()
    while place is not None:
        part = list_who_can(
            admin, repository=repository, action=action, service=None, place=place, limit=1, inquiry=inquiry
        )
        parts.append(part)
        place = part.next_place
    return parts


def is_among(subject: Subject, listed: list[WhoCan]) -> bool:
    named = any(holder.subject.username == subject.username for part in listed for holder in part.holders)
    by_all = listed[0].everybody or (subject.kind is SubjectKind.PERSON and listed[0].signed_in)
    return by_all or named
