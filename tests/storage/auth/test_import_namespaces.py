"""Taking over namespaces that hold images already: the plan is shown, and carried out as a whole or not."""

import io

import pytest

from services.auth.domain.actors import COMMAND_LINE
from services.auth.usecases.import_namespaces import (
    Entry,
    PlanRefused,
    Step,
    carry_out_import,
    plan_import,
    read_plan,
)
from tests.support.auth import AuthService


@pytest.fixture
def world(auth: AuthService) -> AuthService:
    auth.make_user("root", administrator=True)
    jane = auth.make_user("jane")
    auth.make_namespace("there", team=auth.make_team("blue", owner=jane))
    return auth


def names(auth: AuthService) -> list[str]:
    found = auth.call("GET", "/api/v1/namespaces?per_page=100", user="root").get_json()
    return sorted(row["name"] for row in found if row["team"]["name"] == "blue")


PLAN = [Entry("one", "blue"), Entry("there", "blue"), Entry("two", "blue")]


def test_a_plan_is_shown_and_changes_nothing(world: AuthService) -> None:
    planned = plan_import(COMMAND_LINE, PLAN, database=world.database)

    assert [one.step for one in planned] == [Step.MAKE, Step.THERE, Step.MAKE]
    assert names(world) == ["there"]


def test_a_plan_is_carried_out_and_may_be_used_again(world: AuthService) -> None:
    carry_out_import(COMMAND_LINE, PLAN, database=world.database, clock=world.clock)
    again = carry_out_import(COMMAND_LINE, PLAN, database=world.database, clock=world.clock)

    assert names(world) == ["one", "there", "two"]
    assert {one.step for one in again} == {Step.THERE}
    made = world.call("GET", "/api/v1/audit?action=namespace.created", user="root").get_json()
    assert {"one", "two"} <= {entry["target"]["name"] for entry in made}
    assert world.access("repository:one/app:pull,push", user="jane") == ["repository:one/app:pull,push"]


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (Entry("three", "nobody"), "there is no team 'nobody'"),
        (Entry("Three", "blue"), "lower-case"),
        (Entry("a/b", "blue"), "lower-case"),
        (Entry("one", "blue"), "named twice"),
    ],
)
def test_a_plan_with_a_fault_is_carried_out_in_no_part(world: AuthService, wrong: Entry, fault: str) -> None:
    with pytest.raises(PlanRefused, match="nothing was made") as refused:
        carry_out_import(COMMAND_LINE, [*PLAN, wrong], database=world.database, clock=world.clock)

    assert [one.fault for one in refused.value.planned if one.fault and fault in one.fault]
    assert names(world) == ["there"]


def test_a_plan_is_read_from_lines() -> None:
    text = "# namespace,team\n\none, blue\n two,red team \n"

    assert read_plan(io.StringIO(text)) == [Entry("one", "blue"), Entry("two", "red team")]


@pytest.mark.parametrize("line", ["one", "one,", ",blue", "one,blue,x"])
def test_a_line_that_is_none_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        read_plan(io.StringIO(f"zero,blue\n{line}\n"))
