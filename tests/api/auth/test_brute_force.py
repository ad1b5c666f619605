"""Guessing is slow, and nobody locks anybody else out."""

import pytest
from sqlalchemy import select

from services.auth.storage.failures import purge_failures
from services.auth.storage.tables import login_failures
from shared.api.peers import PEER_HEADER
from tests.support.auth import INTERNAL_SECRET, PASSWORD, SERVICE, AuthFactory, AuthService, assert_problem, basic

WRONG = "not the password"
HOME = "192.0.2.1"
ELSEWHERE = "198.51.100.7"


@pytest.fixture
def jane(auth: AuthService) -> AuthService:
    auth.make_user("jane")
    return auth


def ask(auth: AuthService, password: str = PASSWORD, *, user: str = "jane", address: str = HOME) -> int:
    response = auth.get_token(user=user, password=password, environ_base={"REMOTE_ADDR": address})
    return response.status_code


def guess(auth: AuthService, times: int, *, user: str = "jane", address: str = HOME) -> list[int]:
    return [ask(auth, f"guess {number}", user=user, address=address) for number in range(times)]


def test_guessing_is_slowed_down(jane: AuthService) -> None:
    answers = guess(jane, 8)

    assert answers == [401] * 5 + [429] * 3


def test_what_is_refused_unseen_says_for_how_long(jane: AuthService) -> None:
    guess(jane, 5)

    response = jane.get_token(user="jane", environ_base={"REMOTE_ADDR": HOME})

    assert response.status_code == 429
    assert response.headers["Retry-After"] == "1"
    (error,) = response.get_json()["errors"]
    assert error["code"] == "TOOMANYREQUESTS"
    assert "1 second" in error["message"]


def test_the_form_is_slowed_down_alike(jane: AuthService) -> None:
    guess(jane, 5, address="127.0.0.1")
    form = {"grant_type": "password", "username": "jane", "password": PASSWORD, "service": SERVICE}

    response = jane.client.post("/v2/token", data=form)

    assert response.status_code == 429
    assert response.headers["Retry-After"] == "1"
    assert response.get_json()["error"] == "invalid_grant"


def test_sign_in_is_slowed_down_with_the_token_endpoint(jane: AuthService) -> None:
    guess(jane, 5, address="127.0.0.1")

    response = jane.client.post("/api/v1/sessions", json={"username": "jane", "password": PASSWORD})

    assert_problem(response, 429)
    assert response.headers["Retry-After"] == "1"


def test_after_the_wait_one_more_password_is_looked_at(jane: AuthService) -> None:
    guess(jane, 7)
    jane.clock.advance(seconds=1)
    assert ask(jane, WRONG) == 401
    assert ask(jane) == 429

    jane.clock.advance(seconds=2)

    assert ask(jane) == 200


def test_a_stranger_cannot_lock_out_somebody_elsewhere(jane: AuthService) -> None:
    guess(jane, 20, address=ELSEWHERE)

    assert ask(jane, address=HOME) == 200


def test_whoever_was_let_in_from_here_a_moment_ago_passes(jane: AuthService) -> None:
    """A neighbour behind the same address guesses; the push that is under way goes on."""
    assert ask(jane) == 200
    guess(jane, 5)

    assert ask(jane) == 200


def test_the_memory_of_a_right_password_is_no_way_to_guess_quickly(jane: AuthService) -> None:
    ask(jane)
    guess(jane, 5 + 10)

    assert ask(jane) == 429


def test_the_memory_of_a_right_password_is_bound_to_its_address(jane: AuthService) -> None:
    ask(jane, address=HOME)
    guess(jane, 5, address=ELSEWHERE)

    assert ask(jane, address=ELSEWHERE) == 429


def test_the_same_wrong_password_counts_once(jane: AuthService) -> None:
    """Containerd asks by POST and again by GET; a forgotten robot asks for ever."""
    answers = [ask(jane, WRONG) for _ in range(20)]

    assert answers == [401] * 20
    assert ask(jane) == 200


def test_many_names_from_one_address_are_slowed_down(jane: AuthService) -> None:
    for number in range(50):
        assert ask(jane, WRONG, user=f"somebody{number}") == 401

    assert ask(jane, WRONG, user="somebody-else") == 429
    assert ask(jane, address=ELSEWHERE) == 200


def test_an_unknown_name_is_slowed_down_like_a_known_one(jane: AuthService) -> None:
    assert guess(jane, 8, user="nobody") == [401] * 5 + [429] * 3


def test_an_ipv6_network_is_one_address(jane: AuthService) -> None:
    answers = [ask(jane, f"guess {number}", address=f"2001:db8::{number}") for number in range(1, 9)]

    assert answers == [401] * 5 + [429] * 3


def test_a_right_password_writes_nothing(jane: AuthService) -> None:
    ask(jane)

    with jane.database.read() as connection:
        assert connection.execute(select(login_failures)).all() == []


def test_failures_are_forgotten_and_purged(jane: AuthService) -> None:
    guess(jane, 6)
    jane.clock.advance(minutes=61)

    with jane.database.write() as connection:
        purged = purge_failures(connection, now=jane.clock())

    assert purged == 2
    assert guess(jane, 4) == [401] * 4


def test_a_count_begins_anew_after_an_hour(jane: AuthService) -> None:
    guess(jane, 5)
    jane.clock.advance(minutes=61)

    assert guess(jane, 6) == [401] * 5 + [429]


def test_what_was_typed_as_a_name_is_not_stored(jane: AuthService) -> None:
    ask(jane, WRONG, user="my-secret-password")

    with jane.database.read() as connection:
        rows = connection.execute(select(login_failures)).all()
    assert rows
    assert "my-secret-password" not in repr(rows)


def test_an_address_from_a_header_is_not_believed(jane: AuthService) -> None:
    for number in range(5):
        headers = {**basic("jane", f"guess {number}"), "X-Forwarded-For": f"203.0.113.{number}"}
        jane.client.get(f"/v2/token?service={SERVICE}", headers=headers)

    assert ask(jane, address="127.0.0.1") == 429


def test_an_address_from_a_trusted_proxy_is_believed(make_auth: AuthFactory) -> None:
    auth = make_auth(trusted_proxies=1)
    auth.make_user("jane")
    statuses = []
    for number in range(6):
        # The first part is what the client made up; the last is what our proxy saw.
        headers = {**basic("jane", f"guess {number}"), "X-Forwarded-For": f"203.0.113.{number}, {ELSEWHERE}"}
        statuses.append(auth.client.get(f"/v2/token?service={SERVICE}", headers=headers).status_code)

    assert statuses == [401] * 5 + [429]
    assert ask(auth) == 200


def test_a_peer_says_for_whom_it_asks(jane: AuthService) -> None:
    """The portal signs people in: a guesser there must not slow down everybody else there."""
    peer = {PEER_HEADER: INTERNAL_SECRET}
    for number in range(6):
        body = {"username": "jane", "password": f"guess {number}"}
        guesser = jane.client.post("/api/v1/sessions", json=body, headers={**peer, "X-Forwarded-For": ELSEWHERE})

    body = {"username": "jane", "password": PASSWORD}
    other = jane.client.post("/api/v1/sessions", json=body, headers={**peer, "X-Forwarded-For": HOME})

    assert guesser.status_code == 429
    assert other.status_code == 201
