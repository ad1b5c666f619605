import pytest

from services.auth.domain.accounts import UserChange, check_password, check_user_change, check_username
from services.auth.domain.errors import Forbidden, Invalid
from services.auth.domain.namespaces import Visibility, check_namespace_name, check_visibility, personal_namespace_name
from services.auth.domain.subjects import person
from services.auth.domain.teams import Role, check_removal, check_role_change, effective_role, first_free_name
from shared.oci.names import is_name_component

ADMIN = person(1, "admin", administrator=True)


@pytest.mark.parametrize("name", ["jane", "Jane.Doe", "john-doe", "!lol!name", "a", "x" * 128, "me@example.org", "9"])
def test_usernames_may_hold_any_visible_character_but_a_colon(name: str) -> None:
    check_username(name)


@pytest.mark.parametrize(
    "name", ["", "x" * 129, "a:b", "a b", "a\n", "\x00a", "jané", "…", "portus", "Portus", "PORTUS", "!!!", "._-"]
)
def test_other_usernames_are_refused(name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_username(name)

    assert list(refusal.value.errors) == ["username"]


@pytest.mark.parametrize("length", [8, 128])
def test_passwords_within_the_limits_are_accepted(length: int) -> None:
    check_password("x" * length)


@pytest.mark.parametrize("length", [0, 7, 129])
def test_passwords_beyond_the_limits_are_refused(length: int) -> None:
    with pytest.raises(Invalid, match="not usable"):
        check_password("x" * length)


@pytest.mark.parametrize(
    ("username", "namespace"),
    [
        ("john-doe", "john-doe"),
        ("Miquel.Sabate", "miquel.sabate"),
        ("!lol!name", "lol_name"),
        ("___name_-aa__", "name_aa"),
        ("_ma._.n", "ma_n"),
        ("me@example.org", "me_example.org"),
        ("!!!", ""),
    ],
)
def test_the_personal_namespace_is_named_after_the_person(username: str, namespace: str) -> None:
    assert personal_namespace_name(username) == namespace
    assert not namespace or is_name_component(namespace)


def test_a_taken_name_gets_the_first_free_suffix() -> None:
    assert first_free_name("jane", []) == "jane"
    assert first_free_name("jane", ["jane", "jane0"]) == "jane1"
    assert first_free_name("jane", ["jane", *(f"jane{number}" for number in range(1000))]) is None


@pytest.mark.parametrize("name", ["a", "a__b", "a---b", "a.b", "x" * 255])
def test_namespace_names_follow_the_distribution_grammar(name: str) -> None:
    check_namespace_name(name)


@pytest.mark.parametrize("name", ["", "A", "a\\b", "a/b", "-a", "a_", "a..b", "a___b", "x" * 256, "a\n"])
def test_other_namespace_names_are_refused(name: str) -> None:
    with pytest.raises(Invalid):
        check_namespace_name(name)


def test_the_global_namespace_may_not_be_private() -> None:
    check_visibility("", Visibility.PROTECTED)
    check_visibility("team", Visibility.PRIVATE)
    with pytest.raises(Invalid):
        check_visibility("", Visibility.PRIVATE)


def test_an_administrator_joins_as_owner() -> None:
    assert effective_role(Role.VIEWER, administrator=True) is Role.OWNER
    assert effective_role(Role.VIEWER, administrator=False) is Role.VIEWER


@pytest.mark.parametrize(
    ("current", "asked", "administrator", "other_owners", "fine"),
    [
        pytest.param(Role.OWNER, Role.VIEWER, False, 0, False, id="the only owner"),
        pytest.param(Role.OWNER, Role.VIEWER, False, 1, True, id="one of two owners"),
        pytest.param(Role.OWNER, Role.OWNER, False, 0, True, id="an owner stays one"),
        pytest.param(Role.VIEWER, Role.CONTRIBUTOR, False, 1, True, id="a promotion"),
        pytest.param(Role.OWNER, Role.CONTRIBUTOR, True, 3, False, id="an administrator"),
    ],
)
def test_a_team_keeps_an_owner_and_its_administrators(
    current: Role, asked: Role, administrator: bool, other_owners: int, fine: bool
) -> None:
    try:
        check_role_change(current, asked, administrator=administrator, other_owners=other_owners)
    except Invalid:
        assert not fine
    else:
        assert fine


def test_the_only_owner_is_not_removed() -> None:
    check_removal(Role.OWNER, other_owners=1)
    check_removal(Role.VIEWER, other_owners=0)
    with pytest.raises(Invalid):
        check_removal(Role.OWNER, other_owners=0)


def test_nobody_takes_the_right_from_themselves() -> None:
    with pytest.raises(Forbidden):
        check_user_change(ADMIN, 1, UserChange(administrator=False), other_administrators=5)
    check_user_change(ADMIN, 2, UserChange(administrator=False), other_administrators=1)


@pytest.mark.parametrize("change", [UserChange(enabled=False), UserChange(administrator=False)])
def test_the_last_administrator_stays(change: UserChange) -> None:
    other_admin = person(9, "other", administrator=True)

    with pytest.raises(Invalid):
        check_user_change(other_admin, 1, change, other_administrators=0)
