"""What keeps the pages safe: headers, CSRF, and what happens when something fails."""

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from services.web.pages.routes import ROUTES
from tests.api.web.conftest import Browser, BuildApp, MovableClock
from tests.support.portal_peers import PASSWORD, Peers, make_tag

PATHS = ("/explore", "/sign-in", "/r/no/such", "/no-such-page", "/repositories?page=x", "/static/portus.css")
SOMETHING = {r"<any\((\w+).*?>": r"\1", "<int:[a-z]+>": "7", "<uuid:[a-z]+>": str(UUID(int=7))}


def _filled(path: str) -> str:
    for kind, value in SOMETHING.items():
        path = re.sub(kind, value, path)
    return path


FORMS = tuple(_filled(route.path) for route in ROUTES if route.method == "POST")


def directives(answer: TestResponse) -> dict[str, str]:
    policy = answer.headers["Content-Security-Policy"]
    return dict(part.split(" ", 1) for part in policy.split("; "))


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_confines_the_page(jane: Browser, path: str) -> None:
    answer = jane.get(path)

    policy = directives(answer)
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert all(value in ("'self'", "'none'") for value in policy.values())
    assert policy["form-action"] == "'self'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_pages_are_kept_out_of_every_cache_and_files_are_not(jane: Browser) -> None:
    page = jane.get("/repositories")
    stylesheets = re.findall(r'href="(/[^"]+\.css\?v=[0-9a-f]{12})"', page.text)

    assert page.headers["Cache-Control"] == "no-store"
    assert len(stylesheets) == 2
    assert all("max-age=31536000" in jane.get(path).headers["Cache-Control"] for path in stylesheets)


def test_bootstrap_comes_from_our_own_host(browser: Browser) -> None:
    answer = browser.get("/bootstrap.css")

    assert answer.status_code == 200
    assert b"Bootstrap  v5.3" in answer.data[:200]
    # What our policy would not load is not asked for, whichever stylesheet a browser reads first.
    assert b"data:" not in answer.data
    assert b".form-select" in answer.data


@pytest.mark.parametrize("path", FORMS)
def test_every_form_is_refused_without_its_token(jane: Browser, path: str) -> None:
    answer = jane.client.post(path, data={"username": "jane", "password": PASSWORD, "theme": "dark"})

    assert answer.status_code == 400
    assert "This form was open for too long" in answer.text
    assert "Set-Cookie" not in answer.headers or "portus_theme" not in answer.headers["Set-Cookie"]


def test_refusal_of_a_form_names_its_request(jane: Browser) -> None:
    answer = jane.client.post("/sign-in", data={})

    assert answer.headers["X-Request-Id"]
    assert answer.headers["X-Request-Id"] in answer.text


def test_token_of_another_browser_is_refused(browser: Browser, build_app: BuildApp) -> None:
    stranger = Browser(build_app().test_client())
    token = stranger.get("/sign-in").text.split('name="csrf_token" value="')[1].split('"')[0]
    browser.get("/sign-in")

    answer = browser.client.post("/sign-in", data={"csrf_token": token, "username": "jane", "password": PASSWORD})

    assert answer.status_code == 400


@pytest.mark.parametrize(("part", "title"), [("auth", "Signing in is away"), ("catalog", "The catalogue is away")])
def test_part_that_is_away_is_named(jane: Browser, peers: Peers, clock: MovableClock, part: str, title: str) -> None:
    peers.away.add(part)
    clock.pass_s(300)

    answer = jane.get("/repositories?page=2")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert title in answer.text
    assert 'href="/repositories?page=2">Try again' in answer.text


def test_part_that_is_away_is_named_when_another_fails_for_its_sake(jane: Browser, peers: Peers) -> None:
    peers.away.add("auth")

    answer = jane.get("/repositories")

    assert answer.status_code == 503
    assert "POST /api/v1/sessions/refresh" not in peers.requests
    assert "Signing in is away" in answer.text


def test_peer_that_nobody_listens_for_is_away_too(build_app: BuildApp, free_port: Callable[[], int]) -> None:
    browser = Browser(build_app(auth_url=f"http://127.0.0.1:{free_port()}").test_client())

    assert browser.get("/sign-in").status_code == 503


@pytest.mark.parametrize("part", ["auth", "catalog"])
def test_peer_that_talks_nonsense_is_named(jane: Browser, peers: Peers, clock: MovableClock, part: str) -> None:
    peers.broken.add(part)
    clock.pass_s(300)

    answer = jane.get("/repositories")

    assert answer.status_code == 502
    assert f"The service {part} failed" in answer.text


def test_error_page_carries_the_request_id(jane: Browser) -> None:
    answer = jane.get("/no-such-page", headers={"X-Request-Id": "a-request-of-mine"})

    assert answer.status_code == 404
    assert "a-request-of-mine" in answer.text
    assert answer.headers["X-Request-Id"] == "a-request-of-mine"


def _fail() -> str:
    raise KeyError("the password is hunter2")


def test_defect_of_ours_shows_no_internals(build_app: BuildApp) -> None:
    app: Flask = build_app()
    app.add_url_rule("/broken", "broken", _fail)

    answer = app.test_client().get("/broken")

    assert answer.status_code == 500
    assert "Something went wrong here" in answer.text
    assert "hunter2" not in answer.text


def test_wrong_verb_names_the_right_one(browser: Browser) -> None:
    answer = browser.get("/sign-out")

    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_theme_is_remembered_and_comes_back_to_its_page(browser: Browser) -> None:
    answer = browser.send("/explore", "/look", theme="dark", next="/explore?q=a")

    assert answer.location == "/explore?q=a"
    assert 'data-theme="dark"' in browser.get("/explore").text


@pytest.mark.parametrize("fields", [{"theme": "neon"}, {"runtime": "rm -rf /"}], ids=["theme", "runtime"])
def test_look_that_does_not_exist_is_refused(browser: Browser, fields: dict[str, str]) -> None:
    answer = browser.send("/explore", "/look", **fields)

    assert answer.status_code == 400
    assert "choose one of" in answer.text


def test_cookie_with_a_look_that_does_not_exist_is_ignored(browser: Browser) -> None:
    browser.client.set_cookie("portus_theme", '"><script>')

    assert 'data-theme="system"' in browser.get("/explore").text


def test_ready_when_both_peers_answer(browser: Browser) -> None:
    assert browser.get("/readyz").json == {"status": "ready", "faults": {}}


def test_not_ready_says_which_peer_and_what_to_do(build_app: BuildApp, free_port: Callable[[], int]) -> None:
    client = build_app(catalog_url=f"http://127.0.0.1:{free_port()}").test_client()

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json
    assert list(answer.json["faults"]) == ["catalog"]
    assert "PORTUS_CATALOG_URL" in answer.json["faults"]["catalog"]


def test_peers_are_asked_for_their_pulse_once_a_second(browser: Browser, peers: Peers, clock: MovableClock) -> None:
    for seconds in (0, 0.5, 0.6):
        clock.pass_s(seconds)
        browser.get("/readyz")

    assert peers.requests.count("GET /healthz") == 4


def test_request_id_is_passed_on_to_the_peers(jane: Browser, peers: Peers) -> None:
    peers.add("team/app", make_tag())

    answer = jane.get("/repositories", headers={"X-Request-Id": "from-the-front"})

    assert answer.headers["X-Request-Id"] == "from-the-front"
