"""Robot accounts: names, and from where they may be used."""

import pytest

from services.auth.domain.accounts import MAX_USERNAME_LENGTH
from services.auth.domain.errors import Invalid
from services.auth.domain.robots import (
    MAX_ALLOWED_ADDRESSES,
    MAX_ROBOT_NAME_LENGTH,
    check_robot_name,
    is_allowed_from,
    is_robot_username,
    parse_networks,
    robot_username,
)


def test_a_username_tells_what_a_robot_belongs_to() -> None:
    assert robot_username("ci") == "robot+ci"
    assert robot_username("ci", namespace="team-a") == "robot+team-a/ci"
    assert robot_username("ci", team="The Platform") == "robot+@the-platform/ci"
    assert robot_username("ci", team="チーム") == "robot+@team/ci"


def test_homes_that_are_called_alike_are_told_apart() -> None:
    assert robot_username("ci", team="The Platform", suffix=7) == "robot+@the-platform-7/ci"
    assert robot_username("ci", namespace="", suffix=1) == "robot+global-1/ci"


@pytest.mark.parametrize("home", [{"namespace": "n" * 255}, {"team": "t" * 255}])
@pytest.mark.parametrize("suffix", [None, 2**31 - 1])
def test_a_username_is_no_longer_than_a_person_s(home: dict[str, str], suffix: int | None) -> None:
    username = robot_username("x" * MAX_ROBOT_NAME_LENGTH, suffix=suffix, **home)

    assert len(username) <= MAX_USERNAME_LENGTH
    assert username.endswith("/" + "x" * MAX_ROBOT_NAME_LENGTH)


def test_no_person_takes_a_robots_name() -> None:
    assert is_robot_username("Robot+x")
    assert not is_robot_username("robotnik")


@pytest.mark.parametrize("name", ["", "CI", "a b", "-a", "a/b", "x" * (MAX_ROBOT_NAME_LENGTH + 1)])
def test_a_name_that_will_not_do(name: str) -> None:
    with pytest.raises(Invalid):
        check_robot_name(name)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("10.2.0.1", False),
        ("2001:db8::1", True),
        ("192.0.2.7", True),
        ("", False),
        ("not an address", False),
    ],
)
def test_from_where_a_robot_may_be_used(address: str, allowed: bool) -> None:
    networks = parse_networks(["10.1.0.0/16", "2001:db8::/32", "192.0.2.7"])

    assert is_allowed_from(networks, address) is allowed


def test_without_a_list_every_address_is_welcome_and_with_an_empty_one_none() -> None:
    assert is_allowed_from(None, "10.1.2.3")
    assert not is_allowed_from((), "10.1.2.3")


@pytest.mark.parametrize("texts", [[], ["10.0.0.0/33"], ["x"], ["10.0.0.1"] * (MAX_ALLOWED_ADDRESSES + 1)])
def test_a_list_that_will_not_do(texts: list[str]) -> None:
    with pytest.raises(Invalid):
        parse_networks(texts)
