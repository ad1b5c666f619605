"""Signing in and out, and what the browser holds meanwhile."""

import pytest

from services.web.pages.cookies import SESSION
from tests.api.web.conftest import Browser, BuildApp, MovableClock
from tests.support.portal_peers import PASSWORD, Peers

REFRESH = "POST /api/v1/sessions/refresh"


def test_signing_in_leads_to_the_repositories(browser: Browser) -> None:
    answer = browser.sign_in()

    assert (answer.status_code, answer.location) == (303, "/")
    assert "Welcome, " in browser.get("/").text
    assert browser.get("/repositories").status_code == 200


@pytest.mark.parametrize(
    ("next_page", "location"),
    [
        ("/r/team/app?q=1.0", "/r/team/app?q=1.0"),
        ("https://evil.test/", "/"),
        ("//evil.test/", "/"),
        ("/\\evil.test/", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_to_the_page_that_was_wanted_and_nowhere_else(
    browser: Browser, next_page: str, location: str
) -> None:
    assert browser.sign_in(next=next_page).location == location


def test_page_for_people_asks_to_sign_in_and_comes_back(browser: Browser) -> None:
    asked = browser.get("/repositories?q=app")

    assert (asked.status_code, asked.location) == (303, "/sign-in?next=/repositories?q%3Dapp")
    assert 'name="next" value="/repositories?q=app"' in browser.get(asked.location).text


@pytest.mark.parametrize(("username", "password"), [("jane", "wrong"), ("nobody", PASSWORD)])
def test_wrong_name_or_password_is_told_alike(browser: Browser, username: str, password: str) -> None:
    answer = browser.sign_in(username, password)

    assert answer.status_code == 401
    assert "Name and password do not fit together" in answer.text
    assert browser.cookie(SESSION) is None


def test_password_is_never_sent_back(browser: Browser) -> None:
    assert "the-password-i-typed" not in browser.sign_in("jane", "the-password-i-typed").text


def test_name_is_sent_back_escaped(browser: Browser) -> None:
    answer = browser.sign_in('"><script>alert(1)</script>', "wrong")

    assert "<script>alert" not in answer.text
    assert "&#34;&gt;&lt;script&gt;" in answer.text


def test_too_many_attempts_tell_how_long_to_wait(browser: Browser, peers: Peers) -> None:
    peers.retry_after_s = 40

    answer = browser.sign_in()

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "40")
    assert "Wait 40 seconds" in answer.text


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"username": "", "password": "x"}, "Type your name."),
        ({"username": "jane", "password": ""}, "Type your password."),
        ({"username": "j" * 256, "password": "x"}, "Use at most 255 characters."),
        ({"username": "jane", "password": "x" * 1025}, "Use at most 1024 characters."),
    ],
)
def test_unusable_form_says_what_to_change_without_asking_auth(
    browser: Browser, peers: Peers, fields: dict[str, str], fault: str
) -> None:
    answer = browser.send("/sign-in", "/sign-in", **fields)

    assert answer.status_code == 422
    assert fault in answer.text
    assert "POST /api/v1/sessions" not in peers.requests


def test_form_larger_than_the_limit_is_refused(browser: Browser) -> None:
    answer = browser.send("/sign-in", "/sign-in", username="jane", password="x" * 70_000)

    assert answer.status_code == 413
    assert "more than this page takes" in answer.text


def test_auth_learns_the_address_of_the_browser_and_not_of_the_portal(browser: Browser, peers: Peers) -> None:
    page = browser.get("/sign-in").text
    csrf_token = page.split('name="csrf_token" value="')[1].split('"')[0]
    fields = {"csrf_token": csrf_token, "username": "jane", "password": PASSWORD}

    browser.client.post("/sign-in", data=fields, environ_overrides={"REMOTE_ADDR": "203.0.113.7"})

    assert peers.addresses == ["203.0.113.7"]


def test_address_named_by_a_proxy_counts_only_if_the_proxy_is_trusted(build_app: BuildApp, peers: Peers) -> None:
    for trusted in (0, 1):
        browser = Browser(build_app(trusted_proxies=trusted).test_client())
        browser.client.environ_base["HTTP_X_FORWARDED_FOR"] = "198.51.100.9"
        browser.sign_in()

    assert peers.addresses == ["127.0.0.1", "198.51.100.9"]


def test_refresh_token_lies_in_a_cookie_that_scripts_cannot_read(browser: Browser) -> None:
    cookie = next(value for value in browser.sign_in().headers.getlist("Set-Cookie") if value.startswith(SESSION))

    attributes = {part.strip() for part in cookie.split(";")[1:]}
    assert attributes == {"HttpOnly", "Path=/", "SameSite=Lax"}


def test_behind_https_every_cookie_is_secure_and_bound_to_the_host(build_app: BuildApp, peers: Peers) -> None:
    client = build_app(cookie_secure=True).test_client()
    browser = Browser(client)
    client.environ_base["wsgi.url_scheme"] = "https"
    client.environ_base["HTTP_REFERER"] = "https://localhost/sign-in"

    cookies = browser.sign_in().headers.getlist("Set-Cookie")

    assert {cookie.split("=")[0] for cookie in cookies} == {"__Host-portus_session", "__Host-portus_state"}
    assert all({"Secure", "HttpOnly"} <= {part.strip() for part in cookie.split(";")} for cookie in cookies)


def test_access_token_never_reaches_the_browser(jane: Browser) -> None:
    answers = [jane.get("/repositories"), jane.get("/explore")]

    assert not any("access-of-jane" in f"{answer.headers}{answer.text}" for answer in answers)


def test_access_token_is_asked_for_once_until_shortly_before_it_expires(
    jane: Browser, peers: Peers, clock: MovableClock
) -> None:
    for seconds in (0, 270, 20):
        clock.pass_s(seconds)
        jane.get("/repositories")

    assert peers.requests.count(REFRESH) == 1


def test_another_process_of_the_portal_asks_with_the_refresh_token(
    jane: Browser, build_app: BuildApp, peers: Peers
) -> None:
    other = Browser(build_app().test_client())
    other.client.set_cookie(SESSION, jane.cookie(SESSION) or "")

    assert other.get("/repositories").status_code == 200
    assert peers.requests.count(REFRESH) == 1


def test_session_that_was_ended_elsewhere_asks_to_sign_in_again(
    jane: Browser, peers: Peers, clock: MovableClock
) -> None:
    peers.sessions.clear()
    clock.pass_s(300)

    answer = jane.get("/repositories?page=2")

    assert answer.location == "/sign-in?next=/repositories?page%3D2"
    assert jane.cookie(SESSION) is None


def test_access_token_that_a_peer_refuses_ends_the_session_and_not_in_a_circle(jane: Browser, peers: Peers) -> None:
    peers.refused_access_tokens.add("access-of-jane")

    answer = jane.get("/repositories")

    assert answer.location == "/sign-in?next=/repositories"
    assert jane.get(answer.location).status_code == 200


def test_dead_session_does_not_keep_anybody_from_public_pages(jane: Browser, peers: Peers, clock: MovableClock) -> None:
    peers.sessions.clear()
    clock.pass_s(300)

    assert jane.get("/explore").status_code == 200
    assert jane.cookie(SESSION) is None


def test_somebody_signed_in_is_not_asked_again(jane: Browser) -> None:
    assert jane.get("/sign-in?next=/explore").location == "/explore"


def test_signing_out_ends_the_session_at_auth_and_in_the_browser(jane: Browser, peers: Peers) -> None:
    answer = jane.sign_out()

    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert peers.sessions == {}
    assert jane.cookie(SESSION) is None
    assert "You are signed out." in jane.get("/sign-in").text
    assert jane.get("/repositories").status_code == 303


def test_signing_out_while_auth_is_away_says_so(jane: Browser, peers: Peers) -> None:
    csrf_token = jane.get("/repositories").text.split('name="csrf_token" value="')[1].split('"')[0]
    peers.away.add("auth")

    jane.client.post("/sign-out", data={"csrf_token": csrf_token})

    peers.away.clear()
    assert jane.cookie(SESSION) is None
    assert "was away, so the session itself lives on" in jane.get("/sign-in").text


def test_signing_in_changes_the_csrf_secret(browser: Browser) -> None:
    before = browser.get("/sign-in").text.split('name="csrf_token" value="')[1].split('"')[0]
    browser.sign_in()

    answer = browser.client.post("/sign-out", data={"csrf_token": before})

    assert answer.status_code == 400
