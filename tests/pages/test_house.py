"""The portal shows what the real services know."""

from tests.pages.conftest import House


def test_a_person_sees_their_own_repository_and_nobody_else_does(house: House) -> None:
    house.auth.make_user("jane")
    house.auth.make_user("kate")
    house.push("jane/app", "1.0", by="jane")

    assert "jane/app" in house.sign_in("jane").read("/repositories")
    assert "jane/app" not in house.sign_in("kate").read("/repositories")
