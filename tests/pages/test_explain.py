"""What a token would hold, asked before anybody needs one."""

from tests.pages.conftest import House

SIMULATE = "/explain/-/simulate"


def test_a_token_is_simulated_for_oneself(house: House) -> None:
    house.auth.make_user("jane")
    house.auth.make_user("kate")
    jane = house.sign_in("jane")

    own = jane.read(f"{SIMULATE}?scopes=repository:jane/app:pull,push")
    both = jane.read(f"{SIMULATE}?scopes=repository:jane/app:pull%0D%0Arepository:kate/app:push")

    assert "<code>repository:jane/app:pull,push</code>" in own
    assert "<code>repository:jane/app:pull</code>" in both
    assert "<code>repository:kate/app:push</code>" not in both
    assert "refused" in both


def test_only_those_who_may_ask_ask_for_others(house: House) -> None:
    house.auth.make_user("jane")
    house.auth.make_user("kate")
    asked = f"{SIMULATE}?scopes=repository:kate/app:push&username=kate"

    assert "<code>repository:kate/app:push</code>" in house.sign_in("admin").read(asked)
    refused = house.sign_in("jane").read(asked)
    assert 'role="alert"' in refused
    assert "<code>repository:kate" not in refused


def test_what_is_no_scope_says_so(house: House) -> None:
    house.auth.make_user("jane")
    jane = house.sign_in("jane")

    for wrong in ("%00", "a%20b", "repository:A!:pull", "x" * 5000):
        page = jane.read(f"{SIMULATE}?scopes={wrong}")
        assert "Traceback" not in page
    assert "The token would hold" not in jane.read(SIMULATE)
    assert house.browser().get(SIMULATE).status_code == 303
