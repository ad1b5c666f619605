"""What the services say is shown in the reader's language: all that they say of rights and of differences."""

import ast
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from flask import g

from services.auth.domain.decisions import DeletePolicy, Policy, PushPolicy, Standing
from services.auth.domain.explanations import Question, explain
from services.auth.domain.grants import Freeze, Grant
from services.auth.domain.management import Operation
from services.auth.domain.namespaces import NamespaceFacts, Visibility
from services.auth.domain.patterns import EVERYTHING
from services.auth.domain.subjects import Narrowing, Subject, SubjectKind
from services.auth.domain.teams import Role
from services.catalog.domain.drift import Cause, Kind, State, explain_cause, remedy_of
from services.catalog.domain.labels import Labels
from services.catalog.domain.retention import Candidate, Rule, judge
from services.notifier.domain.webhooks import InvalidWebhook, check_url
from services.web.clients.retention import Overwrite
from services.web.viewmodels.retention import present_overwrites
from services.web.viewmodels.said import say, say_all
from shared.oci.names import Tag
from tests.architecture.tree import ROOT
from tests.pages.conftest import Browser, House
from tests.support.catalog import digest_of

SERVICES = ("auth", "catalog", "notifier")
PULL = frozenset({"pull"})
SUBJECTS = (
    Subject(SubjectKind.ANONYMOUS),
    Subject(SubjectKind.PERSON, "jane", user_id=1),
    Subject(SubjectKind.PERSON, "jane", user_id=1, administrator=True),
    Subject(SubjectKind.PERSON, "jane", user_id=1, auditor=True),
    Subject(SubjectKind.PERSON, "jane", user_id=1, narrowing=Narrowing(actions=PULL)),
    Subject(SubjectKind.PERSON, "jane", user_id=1, narrowing=Narrowing(namespaces=frozenset({"other"}))),
    Subject(SubjectKind.ROBOT, "robot", robot_id=1),
)


def questions() -> Iterator[Question]:
    """Ask about everybody, in every role, under every policy."""
    grants = ((), (Grant(1, EVERYTHING, PULL),), (Grant(1, EVERYTHING, PULL, through="harbour"),))
    freezes = ((), (Freeze("Moving house"),), (Freeze("Moving house", "docks/app"),))
    places: list[NamespaceFacts | None] = [
        NamespaceFacts(
            "docks", visibility, role, is_own=own, team="harbour", is_personal=own, grants=granted, freezes=ice
        )
        for visibility, role, own, granted, ice in product(Visibility, (None, *Role), (False, True), grants, freezes)
    ]
    policies = [Policy(push=push, delete=delete) for push, delete in product(PushPolicy, DeletePolicy)]
    for subject, action, place, policy in product(SUBJECTS, ("pull", "push", "delete"), [None, *places], policies):
        yield Question(subject, action, "docks/app", place, policy)


@pytest.fixture(scope="module")
def sentences() -> set[str]:
    """Everything that an explanation can say."""
    said: set[str] = set()
    for explanation in map(explain, questions()):
        said.add(explanation.decision.reason)
        for remedy in explanation.remedies:
            said |= {remedy.change, *map(str, remedy.givers)}
    return said


def test_every_explanation_is_said_in_german(house: House, sentences: set[str]) -> None:
    assert len(sentences) > 40
    with house.portal.test_request_context():
        g.language = "de"
        assert {text for text in sentences if say(text) == text} == set()
        g.language = "en"
        assert {text for text in sentences if say(text) != text} == set()


def test_every_difference_is_said_in_german(house: House) -> None:
    said = {*map(explain_cause, Cause), *(remedy_of(kind, state) for kind in Kind for state in State)}

    with house.portal.test_request_context():
        g.language = "de"
        assert {text for text in said if say(text) == text} == set()


def verdicts() -> Iterator[str]:
    """Everything that a retention rule can say of a tag."""
    now, day = datetime(2026, 11, 28, tzinfo=UTC), timedelta(days=1)
    labels: tuple[Collection[Labels] | None, ...] = (None, [frozenset({("team", "a")})], [frozenset({("keep", "b")})])
    rules = (
        Rule(keep_newest=1),
        Rule(older_than=day),
        Rule(older_than=2 * day, unpulled_for=2 * day),
        Rule(unpulled_for=day),
        Rule(keep_newest=0, older_than=day, unpulled_for=day),
        Rule(keep_newest=1, tags=["v*"]),
        Rule(keep_newest=1, except_tags=["ci-*"]),
        Rule(keep_newest=0, labels={"team": "a"}, except_labels={"keep": None}),
        Rule(keep_newest=0, except_labels={"keep": None}),
    )
    for rule, pushed, pulled, images in product(rules, (0, 1, 40), (None, 0, 1, 40), labels):
        pulled_at = None if pulled is None else now - pulled * day
        tags = (
            Candidate(Tag(name), digest_of(name), now - pushed * day, pulled_at, images) for name in ("ci-1", "ci-2")
        )
        yield from (verdict.reason for verdict in judge(rule, tags, now=now))


def test_every_verdict_of_retention_is_said_in_german(house: House) -> None:
    said = set(verdicts())

    assert len(said) > 20
    with house.portal.test_request_context():
        g.language = "de"
        english = {part for text in said for part in text.split(", ") if say(part) == part}
        assert english == set()
        assert say_all("not among the newest 3, 40 days old, never pulled") == (
            "nicht unter den neuesten 3, 40 Tage alt, nie gezogen"
        )


def test_why_events_may_be_lost_is_said_in_german(house: House) -> None:
    house.auth.make_user("root", administrator=True)
    house.open_loss_window()

    page = german(house, "root").read("/admin/sync/loss-windows")

    assert "die Registry wurde neu gestartet" in page


def test_a_tag_that_was_not_put_back_says_why_in_german(house: House) -> None:
    fault = "It cannot be restored: the registry no longer has all that it is made of."
    one = Overwrite(7, "docks/app", "v1", "jane", None, "failed", fault)
    with house.portal.test_request_context():
        g.language = "de"
        note = present_overwrites([one], datetime.now(UTC)).rows[0].cells[2].note
    assert note == "Es kann nicht wiederhergestellt werden: Die Registry hat nicht mehr alles, woraus es besteht."


def test_names_stay_as_they_are(house: House) -> None:
    with house.portal.test_request_context():
        g.language = "de"
        assert say("Become a viewer of the team 'an auditor'.") == "Betrachter im Team „an auditor“ werden."
        assert say("Get a grant of push on docks/app.") == "Eine Freigabe für push auf docks/app bekommen."
        assert say("the namespace is frozen: <b>%(x)s & %s</b>") == "der Namensraum ist eingefroren: <b>%(x)s & %s</b>"
        assert say("what nobody knows %d") == "what nobody knows %d"
        assert say("x" * 100_000) == "x" * 100_000


def german(house: House, username: str) -> Browser:
    browser = house.sign_in(username)
    browser.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de"
    return browser


def test_a_german_page_explains_in_german(house: House) -> None:
    house.auth.make_user("kate")
    team = house.auth.make_team("harbour", owner=house.auth.make_user("jane"), kate=Role.VIEWER)
    house.auth.make_namespace("docks", team=team)

    page = german(house, "kate").read("/explain?repository=docks/app")

    assert "ein Betrachter des Teams darf nicht: nur Mitwirkende und Eigentümer" in page
    assert "Mitwirkender im Team „harbour“ werden." in page
    assert "may not" not in page


def test_faults_of_fields_are_told_in_german(house: House) -> None:
    house.auth.make_user("jane")
    house.auth.make_team("harbour", owner=house.auth.make_user("kate"))
    jane = german(house, "jane")

    page = jane.send("/teams/-/new", "/teams/-/new", name="harbour", description="").text

    assert "ist schon vergeben" in page


def test_whatever_a_service_refuses_is_said_in_german(house: House) -> None:
    """Looked for in the code of the services, so that a new sentence is not forgotten."""
    said = set(refusals())

    assert len(said) > 70
    with house.portal.test_request_context():
        g.language = "de"
        assert sorted(text for text in said if say(text) == text) == []


@pytest.mark.parametrize("url", ["", "x" * 3000, "ä", "http://[", "ftp://a", "a@b", "http://a\\b", "a#b"])
def test_whatever_is_no_address_of_a_webhook_is_said_in_german(house: House, url: str) -> None:
    with pytest.raises(InvalidWebhook) as refused:
        check_url(url)

    ((fault,),) = refused.value.errors.values()
    with house.portal.test_request_context():
        g.language = "de"
        assert say(fault) != fault


def test_whatever_becomes_of_a_delivery_is_said_in_german(house: House) -> None:
    faults = ["It answered 500.", "It answered 302. Redirects are not followed: enter the address that it leads to."]

    with house.portal.test_request_context():
        g.language = "de"
        assert [say(fault) for fault in faults] == [
            "Die Antwort war 500.",
            "Die Antwort war 302. Weiterleitungen wird nicht gefolgt: die Adresse eintragen, zu der sie führt.",
        ]


def test_whatever_may_not_be_managed_is_said_in_german(house: House) -> None:
    said = {f"You may not {operation.phrase}: {Standing.VIEWER} may not: only people may." for operation in Operation}

    with house.portal.test_request_context():
        g.language = "de"
        spoken = {say(text) for text in said}
    assert len(spoken) == len(Operation)
    assert all("ein Betrachter des Teams darf nicht: nur Menschen dürfen." in text for text in spoken)
    assert not any(operation.phrase in text for text in spoken for operation in Operation)


def refusals() -> Iterator[str]:
    """Yield every sentence with which a use case refuses, a 7 in the place of what is put in."""
    for path in (path for service in SERVICES for path in (ROOT / "services" / service).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                if node.func.id in ("Forbidden", "NotAllowed", "Unreachable"):
                    yield from _texts(node.args[0])
                elif node.func.id == "RuleInvalid" and len(node.args) == 2:
                    yield from _texts(node.args[1])
                elif node.func.id in ("Invalid", "InvalidWebhook") and isinstance(node.args[0], ast.Dict):
                    for faults in node.args[0].values:
                        yield from (text for one in getattr(faults, "elts", ()) for text in _texts(one))


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)
