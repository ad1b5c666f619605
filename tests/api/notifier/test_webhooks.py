"""``/api/v1/webhooks``: who may see and manage them, what they are told, and what nobody is shown."""

import base64
import hmac
import json
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from werkzeug import Request, Response
from werkzeug.test import TestResponse

from services.notifier.storage.tables import webhook_deliveries
from services.notifier.usecases.webhook_deliveries import purge_old_deliveries
from shared.clock import utc_now
from shared.contracts.events import Envelope
from tests.api.notifier.conftest import NotifierFactory
from tests.support.auth import assert_problem
from tests.support.notifier import Notifier, make_webhook_settings
from tests.support.receivers import Received, receiving
from tests.support.visibility import NOBODY, AuthAnswers, subject
from tests.support.webhooks import (
    TIME,
    deliveries,
    make_deliverer,
    outcomes,
    record,
    tag_event,
    take_turns,
    wait_until_done,
    working,
)

PATH = "/webhooks"
TEAM = 7
PASSWORD, SECRET, TOKEN = "hunter2-hunter2", "correct horse battery", "header-token-1"
SECRETS = (PASSWORD, SECRET, TOKEN)


@pytest.fixture
def auth(auth: AuthAnswers) -> AuthAnswers:
    """Olga owns the team of the namespace ``team``, Vera sees it, and Sam sees nothing of it."""
    for name in ("olga", "vera", "sam"):
        auth.visibility[f"Bearer {name}"] = {**NOBODY, "subject": subject(name)}
    for name in ("olga", "vera", "administrator", "auditor"):
        auth.namespaces[f"Bearer {name}"] = {TEAM: "team"}
    auth.namespaces["Bearer jane"] = {TEAM: "team"}
    owners = "viewer may not: only owners of the team and administrators may"
    changes = {"webhook.create": owners, "webhook.manage": owners}
    for name in ("vera", "auditor"):
        auth.operations[f"Bearer {name}"] = {TEAM: changes}
    # Jane sees the namespace, which is public, and is in no team.
    auth.operations["Bearer jane"] = {TEAM: {**changes, "webhook.show": "outsider may not: only members may"}}
    return auth


def create(notifier: Notifier, url: str = "http://127.0.0.1:9/", *, as_: str = "olga", **values: Any) -> TestResponse:
    body = {"namespace_id": TEAM, "name": "ci", "url": url, "enabled": True, **values}
    return notifier.call("POST", PATH, as_=f"Bearer {as_}", json=body)


def make(notifier: Notifier, url: str = "http://127.0.0.1:9/", **values: Any) -> int:
    answer = create(notifier, url, **values)
    assert answer.status_code == 201, answer.text
    return int(answer.get_json()["id"])


def put(notifier: Notifier, hook: int, *, as_: str = "olga", path: str = "", **values: Any) -> TestResponse:
    return notifier.call("PUT", f"{PATH}/{hook}{path}", as_=f"Bearer {as_}", json=values)


def show(notifier: Notifier, hook: int, *, as_: str = "olga", path: str = "") -> Any:
    return notifier.get(f"{PATH}/{hook}{path}", as_=f"Bearer {as_}").get_json()


def send_all(notifier: Notifier) -> None:
    """Run a worker until nothing waits."""
    with working(make_deliverer(notifier.database)):
        wait_until_done(notifier.database)


# What SUSE Portus promises.


def test_168_an_enabled_webhook_is_told_of_a_push_and_a_delete(asked: Notifier) -> None:
    with receiving() as receiver:
        hook = make(asked, f"{receiver.url}/hook", username="jane", password=PASSWORD)
        headers = {"name": "X-Token", "value": TOKEN}
        assert asked.call("POST", f"{PATH}/{hook}/headers", as_="Bearer olga", json=headers).status_code == 201
        record(asked.database, tag_event("a"), tag_event("b", kind="deleted"), tag_event("c", "other/app"))
        send_all(asked)

    first, second = receiver.received
    assert (first.method, first.path, first.event["id"], second.event["id"]) == ("POST", "/hook", "a", "b")
    assert first.event["data"]["tag"] == "1.0"
    assert first.headers["content-type"] == "application/json"
    assert first.headers["x-token"] == TOKEN
    assert first.headers["authorization"] == "Basic " + base64.b64encode(f"jane:{PASSWORD}".encode()).decode()
    newest, _ = show(asked, hook, path="/deliveries")
    whole = show(asked, hook, path=f"/deliveries/{newest['uuid']}")
    assert (whole["outcome"], whole["status"], whole["attempts"], whole["fault"]) == ("delivered", 200, 1, None)
    assert json.loads(whole["request_body"]) == second.event
    assert (whole["response_body"], ["Content-Length", "6"] in whole["response_headers"]) == ("thanks", True)
    assert ["X-Token", "***"] in whole["request_headers"]
    assert ["webhook-id", whole["uuid"]] in whole["request_headers"]


def test_169_a_disabled_webhook_is_told_nothing_and_sends_again_on_demand(asked: Notifier) -> None:
    with receiving() as receiver:
        hook = make(asked, receiver.url)
        record(asked.database, tag_event("a"))
        send_all(asked)
        assert put(asked, hook, path="/enabled", enabled=False).get_json()["enabled"] is False
        record(asked.database, tag_event("b"))
        send_all(asked)
        told = receiver.events[:]
        (delivery,) = show(asked, hook, path="/deliveries")

        again = asked.call("POST", f"{PATH}/{hook}/deliveries/{delivery['uuid']}/retrigger", as_="Bearer olga")
        send_all(asked)

    assert (again.status_code, again.get_json()["outcome"]) == (202, "pending")
    assert (told, receiver.events) == (["a"], ["a", "a"])
    (delivery,) = show(asked, hook, path="/deliveries")
    assert (delivery["outcome"], delivery["attempts"]) == ("delivered", 2)


def test_a_webhook_is_disabled_until_somebody_enables_it(asked: Notifier) -> None:
    body = {"namespace_id": TEAM, "name": "ci", "url": "example.org"}

    made = asked.call("POST", PATH, as_="Bearer olga", json=body)

    assert made.headers["Location"] == f"/api/v1/webhooks/{made.get_json()['id']}"
    assert made.get_json()["enabled"] is False
    assert made.get_json()["events"] == ["push", "delete"]


@pytest.mark.parametrize("url", ["example.org", "http://example.org"])
def test_170_an_address_gets_a_scheme(asked: Notifier, url: str) -> None:
    assert create(asked, url).get_json()["url"] == "http://example.org"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "   ",
        "ftp://example.org",
        "http://jane:secret@example.org",
        "http://169.254.169.254/",
        "http://[::1]/",
        "10.0.0.1",
    ],
)
def test_170_an_address_that_may_not_be_is_refused(asked: Notifier, url: str) -> None:
    hook = make(asked)

    assert list(assert_problem(create(asked, url), 422)["errors"]) == ["url"]
    assert list(assert_problem(put(asked, hook, url=url), 422)["errors"]) == ["url"]


def add_header(notifier: Notifier, hook: int, name: str, value: str = TOKEN, *, as_: str = "olga") -> TestResponse:
    return notifier.call("POST", f"{PATH}/{hook}/headers", as_=f"Bearer {as_}", json={"name": name, "value": value})


def test_171_two_headers_with_one_name_are_refused(asked: Notifier) -> None:
    hook = make(asked)
    assert add_header(asked, hook, "X-Token").status_code == 201

    for name in ("X-Token", "x-TOKEN"):
        assert_problem(add_header(asked, hook, name), 422, "already been taken")

    assert [header["name"] for header in show(asked, hook)["headers"]] == ["X-Token"]
    assert add_header(asked, make(asked), "X-Token").status_code == 201


@pytest.mark.parametrize("name", ["Host", "content-length", "a b", "x\n"])
def test_a_header_that_is_not_theirs_is_refused(asked: Notifier, name: str) -> None:
    assert add_header(asked, make(asked), name).status_code == 422


def test_a_header_is_taken_away(asked: Notifier) -> None:
    hook = make(asked)
    header = add_header(asked, hook, "X-Token").get_json()["id"]

    assert asked.call("DELETE", f"{PATH}/{hook}/headers/{header}", as_="Bearer olga").status_code == 204
    assert_problem(asked.call("DELETE", f"{PATH}/{hook}/headers/{header}", as_="Bearer olga"), 404, "no such header")
    assert show(asked, hook)["headers"] == []


# Who may.

READING = [("GET", ""), ("GET", "/deliveries"), ("GET", "/deliveries/{uuid}")]
CHANGING = [
    ("PUT", ""),
    ("PUT", "/enabled"),
    ("POST", "/headers"),
    ("DELETE", "/headers/{header}"),
    ("POST", "/deliveries/{uuid}/retrigger"),
    ("POST", "/test"),
    ("DELETE", ""),
]
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PUT", ""): {"name": "other"},
    ("PUT", "/enabled"): {"enabled": True},
    ("POST", "/headers"): {"name": "X-A", "value": "b"},
}
CALLERS = ("olga", "vera", "jane", "sam", "auditor", "administrator", "stolen", None)


def call_all(notifier: Notifier, hook: int, method: str, path: str) -> dict[str | None, int]:
    uuid = str(deliveries(notifier.database)[0].uuid)
    header = add_header(notifier, hook, "X-Mine", as_="administrator").get_json()["id"]
    place = f"{PATH}/{hook}{path}".format(uuid=uuid, header=header)
    body = BODIES.get((method, path))
    # Whoever may comes last: some of it can be done once only.
    order = [caller for caller in CALLERS if caller not in ("olga", "administrator")]
    return {
        caller: notifier.call(method, place, as_=caller and f"Bearer {caller}", json=body).status_code
        for caller in (*order, "olga")
    }


@pytest.fixture
def hook(asked: Notifier) -> int:
    """A webhook of the team with one delivery."""
    hook = make(asked)
    record(asked.database, tag_event("a"))
    return hook


@pytest.mark.parametrize(("method", "path"), READING)
def test_members_see_a_webhook_and_others_do_not_learn_of_it(
    asked: Notifier, hook: int, method: str, path: str
) -> None:
    assert call_all(asked, hook, method, path) == {
        "olga": 200,
        "vera": 200,
        "auditor": 200,
        "jane": 404,
        "sam": 404,
        "stolen": 401,
        None: 401,
    }


@pytest.mark.parametrize(("method", "path"), CHANGING)
def test_172_owners_change_a_webhook_and_other_members_do_not(
    asked: Notifier, hook: int, method: str, path: str
) -> None:
    found = call_all(asked, hook, method, path)

    assert found.pop("olga") < 300
    assert found == {"vera": 403, "auditor": 403, "jane": 404, "sam": 404, "stolen": 401, None: 401}


@pytest.mark.parametrize(
    ("caller", "status"), [("olga", 201), ("administrator", 201), ("vera", 403), ("jane", 403), ("sam", 404)]
)
def test_172_owners_make_webhooks(asked: Notifier, caller: str, status: int) -> None:
    assert create(asked, as_=caller).status_code == status


@pytest.mark.parametrize(
    ("caller", "status"), [("olga", 200), ("administrator", 200), ("vera", 200), ("jane", 403), ("sam", 404)]
)
def test_members_list_webhooks(asked: Notifier, caller: str, status: int) -> None:
    make(asked)
    answer = asked.get(f"{PATH}?namespace_id={TEAM}", as_=f"Bearer {caller}")

    assert answer.status_code == status
    if status == 200:
        assert [hook["name"] for hook in answer.get_json()] == ["ci"]


def test_172_each_right_is_asked_for_by_itself(asked: Notifier, auth: AuthAnswers) -> None:
    """Where making is switched off, owners still change; and the other way round."""
    hook = make(asked)
    auth.operations["Bearer olga"] = {TEAM: {"webhook.create": "only administrators may here"}}
    assert (create(asked).status_code, put(asked, hook, name="a").status_code) == (403, 200)
    assert asked.call("DELETE", f"{PATH}/{hook}", as_="Bearer olga").status_code == 403
    assert (show(asked, hook)["updatable"], show(asked, hook)["destroyable"]) == (True, False)

    auth.operations["Bearer olga"] = {TEAM: {"webhook.manage": "only administrators may here"}}
    assert_problem(put(asked, hook, name="b"), 403, "only administrators may here")
    assert asked.call("DELETE", f"{PATH}/{hook}", as_="Bearer olga").status_code == 204


def test_one_that_is_hidden_looks_like_one_that_is_missing(asked: Notifier, hook: int) -> None:
    def answers(number: int) -> list[tuple[int, Any]]:
        paths = [(method, path) for method, path in (*READING, *CHANGING) if "{" not in path]
        calls = [
            asked.call(method, f"{PATH}/{number}{path}", as_="Bearer sam", json=BODIES.get((method, path)))
            for method, path in paths
        ]
        return [(call.status_code, call.get_json(force=True)["detail"]) for call in calls]

    assert answers(hook) == answers(9999)


def test_the_installation_has_webhooks_of_the_administrators(asked: Notifier) -> None:
    hook = make(asked, as_="administrator", namespace_id=None)

    assert create(asked, namespace_id=None).status_code == 403
    assert asked.get(PATH, as_="Bearer olga").status_code == 403
    assert asked.get(f"{PATH}/{hook}", as_="Bearer olga").status_code == 404
    assert put(asked, hook, name="mine").status_code == 404
    assert [one["id"] for one in asked.get(PATH).get_json()] == [hook]
    assert asked.get(f"{PATH}?namespace_id={TEAM}").get_json() == []


def test_when_auth_is_away_nothing_is_shown_or_done(make_notifier: NotifierFactory, broker: Any) -> None:
    alone = make_notifier(broker, auth_url="http://127.0.0.1:9")

    for answer in (alone.get(PATH), alone.get(f"{PATH}/1"), create(alone)):
        assert answer.status_code == 503


# What nobody is shown.


def test_passwords_secrets_and_headers_are_in_no_answer_and_no_log_line(
    asked: Notifier, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """[VULN] SUSE Portus sent the password to everybody who could see the webhook."""
    texts = []
    with receiving(lambda _: Response("no", 500)) as receiver:
        made = create(asked, receiver.url, username="jane", password=PASSWORD, secret=SECRET)
        hook = made.get_json()["id"]
        texts.append(made.text)
        add_header(asked, hook, "X-Token")
        record(asked.database, tag_event("a"))
        send_all_failing(asked)
    uuid = deliveries(asked.database)[0].uuid
    for caller in ("vera", "auditor", "olga"):
        as_ = f"Bearer {caller}"
        for path in (f"{PATH}?namespace_id={TEAM}", f"{PATH}/{hook}", f"{PATH}/{hook}/deliveries"):
            texts.append(asked.get(path, as_=as_).text.replace(TOKEN, "" if caller == "olga" else TOKEN))
        texts.append(asked.get(f"{PATH}/{hook}/deliveries/{uuid}", as_=as_).text)
    texts.append(put(asked, hook, password=PASSWORD, secret=SECRET, name="b").text.replace(TOKEN, ""))
    texts.append(json.dumps(asked.get("/events").get_json()))
    said = capfd.readouterr()
    texts += [said.out, said.err, caplog.text]

    assert "webhooks.attempted" in said.out + said.err + caplog.text
    for text in texts:
        assert not any(secret in text for secret in SECRETS)
    assert (made.get_json()["has_password"], made.get_json()["has_secret"]) == (True, True)
    assert show(asked, hook, as_="olga")["headers"][0]["value"] == TOKEN
    assert show(asked, hook, as_="vera")["headers"][0]["value"] == "***"


def test_a_receiver_that_sends_back_what_it_got_gives_nothing_away(asked: Notifier) -> None:
    """What was answered is for those who may change the webhook; what was sent, where it is secret, for nobody."""

    def echo(request: Request) -> Response:
        password = request.authorization.password if request.authorization else ""
        return Response(f"{request.headers}\n{password}", headers={"X-Echo": request.headers["X-Token"]})

    with receiving(echo) as receiver:
        hook = make(asked, receiver.url, username="jane", password=PASSWORD)
        add_header(asked, hook, "X-Token")
        record(asked.database, tag_event("a"))
        send_all(asked)

    path = f"{PATH}/{hook}/deliveries/{deliveries(asked.database)[0].uuid}"
    owners, viewers = (asked.get(path, as_=f"Bearer {name}") for name in ("olga", "vera"))
    basic = base64.b64encode(f"jane:{PASSWORD}".encode()).decode()
    assert "X-Echo" in owners.text
    assert not any(secret in owners.text for secret in (*SECRETS, basic))
    assert (viewers.get_json()["response_headers"], viewers.get_json()["response_body"]) == (None, None)


def test_the_query_of_an_address_is_for_those_who_may_change_it(asked: Notifier) -> None:
    """It holds the secret of many receivers."""
    hook = make(asked, "https://chat.example.org/in?token=geheim")

    assert show(asked, hook)["url"].endswith("?token=geheim")
    assert "geheim" not in str(show(asked, hook, as_="vera"))
    for caller in ("vera", "auditor"):
        listed = asked.get(f"{PATH}?namespace_id={TEAM}&q=geheim", as_=f"Bearer {caller}")
        assert listed.get_json() == []


def test_a_webhook_whose_namespace_s_number_is_another_one_s_by_now_is_nobody_s(
    asked: Notifier, auth: AuthAnswers
) -> None:
    hook = make(asked)
    auth.namespaces["Bearer olga"] = {TEAM: "another"}

    assert asked.get(f"{PATH}/{hook}", as_="Bearer olga").status_code == 404
    assert asked.get(f"{PATH}?namespace_id={TEAM}", as_="Bearer olga").get_json() == []


# When a namespace goes to another team.

QUERY = "https://ci.example.org/in/geheim?token=geheim"
PAUSED = "The namespace went to another team: whoever gives its address anew takes it over."


def hand_over(notifier: Notifier, auth: AuthAnswers, *, told: bool = True) -> None:
    """Give the namespace to Nina's team; Olga is in it no more."""
    auth.visibility["Bearer nina"] = {**NOBODY, "subject": subject("nina")}
    auth.namespaces["Bearer nina"] = auth.namespaces.pop("Bearer olga")
    auth.teams[TEAM] = 2
    data = {"name": "team", "team": "new", "previous_team": "old", "namespace_id": TEAM, "team_id": 2}
    if told:
        record(notifier.database, Envelope("moved", "/auth", "auth.namespace.transferred.v1", utc_now(), data))


@pytest.fixture
def theirs(asked: Notifier) -> int:
    """A webhook of Olga's team that was told of something, and answered."""
    with receiving(lambda _: Response("geheim", headers={"X-Said": "geheim"})) as receiver:
        hook = make(asked, receiver.url, username="jane", password=PASSWORD, secret=SECRET)
        add_header(asked, hook, "X-Token")
        record(asked.database, tag_event("a"))
        send_all(asked)
    put(asked, hook, url=QUERY, password=PASSWORD)
    return hook


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told of it yet"])
def test_new_owners_of_a_namespace_see_nothing_secret_of_the_webhooks_before_them(
    asked: Notifier, auth: AuthAnswers, theirs: int, told: bool
) -> None:
    hand_over(asked, auth, told=told)

    seen = show(asked, theirs, as_="nina")
    uuid = deliveries(asked.database)[0].uuid
    paths = (f"{PATH}/{theirs}", f"{PATH}?namespace_id={TEAM}", f"{PATH}/{theirs}/deliveries/{uuid}")
    for caller in ("nina", "administrator"):
        for text in (asked.get(path, as_=f"Bearer {caller}").text for path in paths):
            assert not any(secret in text for secret in (*SECRETS, "geheim"))

    assert (seen["paused"], seen["enabled"], seen["url"]) == (PAUSED, False, "https://ci.example.org:443/")
    assert (seen["updatable"], seen["destroyable"]) == (True, True)


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told of it yet"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "", {"name": "mine", "enabled": True}),
        ("PUT", "/enabled", {"enabled": True}),
        ("POST", "/headers", {"name": "X-A", "value": "b"}),
        ("POST", "/test", None),
        ("POST", "/deliveries/{uuid}/retrigger", None),
    ],
)
def test_nothing_is_done_to_a_webhook_before_its_namespace_s_new_owners_have_taken_it_over(
    asked: Notifier, auth: AuthAnswers, theirs: int, told: bool, method: str, path: str, body: Any
) -> None:
    hand_over(asked, auth, told=told)
    uuid = deliveries(asked.database)[0].uuid

    answer = asked.call(method, f"{PATH}/{theirs}{path}".format(uuid=uuid), as_="Bearer nina", json=body)

    assert_problem(answer, 409, PAUSED)
    assert set(outcomes(asked.database)) == {"delivered"}


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told of it yet"])
def test_new_owners_take_a_webhook_over_with_an_address_of_their_own(
    asked: Notifier, auth: AuthAnswers, theirs: int, told: bool
) -> None:
    hand_over(asked, auth, told=told)
    with receiving() as receiver:
        taken = put(asked, theirs, as_="nina", url=receiver.url, secret=SECRET, enabled=True).get_json()
        assert (taken["paused"], taken["enabled"], taken["headers"]) == (None, True, [])
        assert (taken["has_password"], taken["has_secret"]) == (False, True)
        record(asked.database, tag_event("b"))
        send_all(asked)

    (got,) = receiver.received
    assert "x-token" not in got.headers
    former, later = deliveries(asked.database)
    assert "geheim" not in asked.get(f"{PATH}/{theirs}/deliveries/{former.uuid}", as_="Bearer nina").text
    assert show(asked, theirs, as_="nina", path=f"/deliveries/{later.uuid}")["response_body"] == "thanks"
    assert add_header(asked, theirs, "X-Mine", as_="nina").status_code == 201


def test_new_owners_delete_the_webhooks_before_them(asked: Notifier, auth: AuthAnswers, theirs: int) -> None:
    hand_over(asked, auth)

    assert asked.call("DELETE", f"{PATH}/{theirs}", as_="Bearer nina").status_code == 204


def test_whoever_makes_a_webhook_while_the_namespace_goes_to_another_team_makes_none(
    asked: Notifier, auth: AuthAnswers
) -> None:
    """What auth said a moment ago is not so any more."""
    hand_over(asked, auth)
    auth.namespaces["Bearer olga"], auth.teams[TEAM] = {TEAM: "team"}, 1

    assert_problem(create(asked), 404, "no such namespace")
    auth.teams[TEAM] = 2
    assert create(asked, as_="nina").status_code == 201


def send_all_failing(notifier: Notifier) -> None:
    take_turns(make_deliverer(notifier.database))


def test_secrets_are_not_in_the_database_as_they_are(asked: Notifier) -> None:
    hook = make(asked, username="jane", password=PASSWORD, secret=SECRET)
    add_header(asked, hook, "X-Token")
    asked.database.dispose()

    file = Path(asked.settings.database_url.reveal().removeprefix("sqlite:///"))
    stored = b"".join(part.read_bytes() for part in file.parent.glob(f"{file.name}*"))

    assert b"http://127.0.0.1:9/" in stored
    assert not any(secret.encode() in stored for secret in SECRETS)


def test_a_password_goes_when_the_address_leads_elsewhere(asked: Notifier) -> None:
    """Whoever may change a webhook must not be able to have its password sent to themselves."""
    hook = make(asked, "https://ci.example.org/a", username="jane", password=PASSWORD, secret=SECRET)

    assert put(asked, hook, url="https://ci.example.org:443/b").get_json()["has_password"] is True
    changed = put(asked, hook, url="https://evil.example.org/b").get_json()

    assert (changed["has_password"], changed["has_secret"]) == (False, True)
    again = put(asked, hook, url="http://other.example.org", password=PASSWORD).get_json()
    assert again["has_password"] is True


def test_what_is_not_named_stays_and_nothing_takes_a_password_away(asked: Notifier) -> None:
    hook = make(asked, username="jane", password=PASSWORD, secret=SECRET)

    assert put(asked, hook, name="other").get_json()["has_password"] is True
    assert put(asked, hook, password=None, secret="").get_json()["has_password"] is False
    assert show(asked, hook)["has_secret"] is False
    assert show(asked, hook)["name"] == "other"


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""},
        {"name": "a\x00"},
        {"name": "x" * 256},
        {"request_method": "DELETE"},
        {"content_type": "text/plain"},
        {"username": "a:b"},
        {"secret": "short"},
        {"password": "a\nb"},
        {"events": []},
        {"events": ["pull"]},
        {"repositories": [""]},
        {"tags": ["x"] * 21},
        {"enabled": "perhaps"},
        {"colour": "red"},
        {"namespace_id": "team"},
    ],
    ids=str,
)
def test_a_value_that_may_not_be_is_told(asked: Notifier, values: dict[str, Any]) -> None:
    assert_problem(create(asked, **values), 422)
    assert asked.get(f"{PATH}?namespace_id={TEAM}").get_json() == []


@pytest.mark.parametrize("missing", ["name", "url", "namespace_id"])
def test_what_is_missing_is_told(asked: Notifier, missing: str) -> None:
    """[BUG] A webhook without a name was an error of the server."""
    body = {"namespace_id": TEAM, "name": "ci", "url": "example.org"}
    del body[missing]

    assert_problem(asked.call("POST", PATH, as_="Bearer olga", json=body), 400, missing)


def test_a_change_of_what_somebody_else_changed_is_refused(asked: Notifier) -> None:
    hook = make(asked)
    seen = asked.get(f"{PATH}/{hook}", as_="Bearer olga").headers["ETag"]
    put(asked, hook, name="other")

    headers = {"Authorization": "Bearer olga", "If-Match": seen}
    answer = asked.client.put(f"/api/v1{PATH}/{hook}", json={"name": "mine"}, headers=headers)

    assert answer.status_code == 412


# What is sent.


def received(notifier: Notifier, **values: Any) -> Received:
    with receiving() as receiver:
        make(notifier, receiver.url, **values)
        record(notifier.database, tag_event("a"))
        send_all(notifier)
    (got,) = receiver.received
    return got


def test_a_form_holds_the_event(asked: Notifier) -> None:
    """[BUG] Only the header said so."""
    got = received(asked, content_type="application/x-www-form-urlencoded")

    (payload,) = parse_qs(got.body.decode())["payload"]
    assert (got.headers["content-type"], json.loads(payload)["id"]) == ("application/x-www-form-urlencoded", "a")


def test_what_is_sent_is_signed(asked: Notifier) -> None:
    """[W14] Nobody could tell who had sent it."""
    got = received(asked, secret=SECRET)

    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    expected = base64.b64encode(hmac.digest(SECRET.encode(), signed, sha256)).decode()
    assert got.headers["webhook-signature"] == f"v1,{expected}"


def test_a_get_is_sent_where_it_is_wanted(asked: Notifier) -> None:
    assert received(asked, request_method="GET").method == "GET"


def test_a_user_without_a_password_is_not_sent(asked: Notifier) -> None:
    assert "authorization" not in received(asked, username="jane").headers


def test_the_machine_itself_is_not_reached_unless_that_is_allowed(
    make_notifier: NotifierFactory, broker: Any, auth_url: str
) -> None:
    """[VULN] SUSE Portus sent anything anywhere."""
    webhooks = make_webhook_settings(allowed_networks=())
    strict = make_notifier(broker, auth_url=auth_url, webhooks=webhooks)

    with receiving() as receiver:
        assert list(assert_problem(create(strict, receiver.url), 422)["errors"]) == ["url"]

    assert receiver.received == []


def test_a_test_sends_an_event_that_means_nothing(asked: Notifier) -> None:
    with receiving() as receiver:
        hook = make(asked, receiver.url, enabled=False)
        answer = asked.call("POST", f"{PATH}/{hook}/test", as_="Bearer olga")
        send_all(asked)

    (got,) = receiver.received
    assert answer.status_code == 202
    assert (got.event["type"], got.event["data"]) == ("notifier.webhook.pinged.v1", {"webhook_id": hook, "name": "ci"})
    (delivery,) = show(asked, hook, path="/deliveries")
    assert (delivery["uuid"], delivery["outcome"]) == (answer.get_json()["uuid"], "delivered")


def test_what_was_asked_for_is_sent_once(asked: Notifier) -> None:
    with receiving(lambda _: Response("no", 500)) as receiver:
        hook = make(asked, receiver.url)
        asked.call("POST", f"{PATH}/{hook}/test", as_="Bearer olga")
        send_all(asked)

    assert outcomes(asked.database) == ["failed"]
    assert len(receiver.received) == 1


def test_deliveries_are_walked_by_key_and_narrowed(asked: Notifier) -> None:
    hook = make(asked)
    record(asked.database, *(tag_event(f"event-{number}") for number in range(5)))
    with asked.database.write() as connection:
        done = webhook_deliveries.update().where(webhook_deliveries.c.event_id == "event-3")
        connection.execute(done.values(outcome="failed", next_try_at=None))

    first = asked.get(f"{PATH}/{hook}/deliveries?per_page=2", as_="Bearer vera")
    following = first.headers["Link"].partition("<")[2].partition(">")[0].removeprefix("/api/v1")
    second = asked.get(following, as_="Bearer vera")
    failed = asked.get(f"{PATH}/{hook}/deliveries?outcome=failed", as_="Bearer vera")

    assert [one["event_id"] for one in (*first.get_json(), *second.get_json())] == [
        "event-4",
        "event-3",
        "event-2",
        "event-1",
    ]
    assert [one["event_id"] for one in failed.get_json()] == ["event-3"]
    assert "request_body" not in first.get_json()[0]
    assert {(one["repository"], one["tag"]) for one in first.get_json()} == {("team/app", "1.0")}


def test_a_delivery_of_another_webhook_is_not_found(asked: Notifier) -> None:
    make(asked)
    record(asked.database, tag_event("a"))
    other, uuid = make(asked), deliveries(asked.database)[0].uuid

    for method, path in (("GET", ""), ("POST", "/retrigger")):
        answer = asked.call(method, f"{PATH}/{other}/deliveries/{uuid}{path}", as_="Bearer olga")
        assert_problem(answer, 404, "no such delivery")
    assert outcomes(asked.database) == ["pending"]


def test_a_webhook_goes_with_all_that_is_its_own(asked: Notifier) -> None:
    hook = make(asked)
    add_header(asked, hook, "X-Token")
    record(asked.database, tag_event("a"))

    assert asked.call("DELETE", f"{PATH}/{hook}", as_="Bearer olga").status_code == 204

    assert asked.get(f"{PATH}/{hook}").status_code == 404
    assert asked.get(f"{PATH}?namespace_id={TEAM}").get_json() == []
    purge_old_deliveries(database=asked.database, clock=utc_now, keep_for=timedelta(days=1))
    assert deliveries(asked.database) == []


def test_a_namespace_that_ended_meanwhile_gets_no_webhook(asked: Notifier) -> None:
    """Its name may be given to others, and they would be told on."""
    data = {"name": "team", "team": "t", "namespace_id": TEAM}
    record(asked.database, Envelope("before", "/auth", "auth.namespace.deleted.v1", TIME, data))
    assert create(asked).status_code == 201, "that was another of the same name"
    record(asked.database, Envelope("gone", "/auth", "auth.namespace.deleted.v1", utc_now(), data))

    assert_problem(create(asked), 404, "no such namespace")
    assert create(asked, as_="administrator", namespace_id=None).status_code == 201


def test_there_is_a_limit(asked: Notifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notifier.usecases.webhooks.MAX_WEBHOOKS", 2)
    monkeypatch.setattr("services.notifier.usecases.webhooks.MAX_HEADERS", 1)
    hook = make(asked)
    make(asked)
    add_header(asked, hook, "X-A")

    assert_problem(create(asked), 422, "2 webhooks already")
    assert_problem(add_header(asked, hook, "X-B"), 422, "1 headers already")


def test_what_was_done_stands_in_the_log_without_what_is_secret(asked: Notifier) -> None:
    hook = make(asked, "http://127.0.0.1:9/hook?token=abc", password=PASSWORD)
    put(asked, hook, name="other", enabled=True, password="another-password")
    put(asked, hook, enabled=True)
    add_header(asked, hook, "X-Token")
    put(asked, hook, path="/enabled", enabled=False)
    asked.call("DELETE", f"{PATH}/{hook}", as_="Bearer olga")

    said = {"actor": "olga", "webhook_id": hook, "url": "http://127.0.0.1:9/hook", "namespace": "team"}
    changed = {**said, "name": "other", "enabled": True}
    assert [(event["type"], event["data"]) for event in asked.get("/events").get_json()] == [
        ("notifier.webhook.created.v1", {**said, "name": "ci"}),
        ("notifier.webhook.changed.v1", {**changed, "changed": "name, password"}),
        ("notifier.webhook.changed.v1", {**changed, "changed": "header X-Token"}),
        ("notifier.webhook.changed.v1", {**changed, "changed": "enabled", "enabled": False}),
        ("notifier.webhook.deleted.v1", {**said, "name": "other"}),
    ]
    assert asked.get("/events", as_="Bearer olga").get_json() == []


def test_what_waits_is_counted_for_whoever_watches(asked: Notifier) -> None:
    make(asked, "http://127.0.0.1:9/")
    record(asked.database, *(tag_event(f"event-{number}") for number in range(3)))
    send_all_failing(asked)

    page = asked.client.get("/metrics").text

    assert 'portus_notifier_webhook_deliveries{state="due"} 2.0' in page
    assert 'portus_notifier_webhook_deliveries{state="later"} 1.0' in page
