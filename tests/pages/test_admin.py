"""The administration: for administrators, for auditors to read, and for nobody else."""

import re

import pytest
from sqlalchemy import insert

from services.catalog.domain.losses import Reason, Suspicion
from services.catalog.storage.immutability_tables import overwrites
from services.catalog.storage.loss_windows import note_crawled, open_window
from services.catalog.storage.retention_tables import rules
from services.web.pages.routes import ADMINISTRATION, SYNC
from shared.clock import utc_now
from tests.pages.conftest import Browser, House, token_of
from tests.support.auth import PASSWORD
from tests.support.catalog import digest_of
from tests.support.images import Pusher

FAILED = {
    "rule_id": 1,
    "repository": "jane/app",
    "tag": "v1",
    "previous_digest": digest_of("a"),
    "digest": digest_of("b"),
    "at": utc_now(),
    "noticed_at": utc_now(),
    "state": "failed",
    "fault": "the registry did not answer",
    "attempts": 180,
}

PAGES = [
    route.path.replace("<username>", "jane").replace("<int:number>", "1").replace("<any(csv, json):form>", "csv")
    for route in (*ADMINISTRATION, *SYNC)
    if route.method == "GET" and "runs/<" not in route.path
]


@pytest.fixture
def admin(house: House) -> Browser:
    house.auth.make_user("jane")
    return house.sign_in("admin")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there_for_administrators_and_no_one_else(house: House, path: str) -> None:
    house.auth.make_user("jane")
    house.auth.make_user("walter", auditor=True)

    assert house.sign_in("admin").get(path).status_code == 200
    assert house.sign_in("walter").get(path).status_code == 200
    assert house.sign_in("jane").get(path).status_code == 403
    assert house.browser().get(path).status_code == 303


def test_an_account_is_made_changed_and_switched_off(house: House, admin: Browser) -> None:
    new = "/admin/people/-/new"
    page = "/admin/people/olga"

    wrong = admin.send(
        new, new, kind="person", username="", display_name="", email="olga@example.org", password="short"
    )
    assert wrong.status_code == 422
    assert 'id="username-fault"' in wrong.text
    admin.follow(
        admin.send(
            new, new, kind="person", username="olga", display_name="Olga", email="olga@example.org", password=PASSWORD
        )
    )
    assert "olga" in admin.read("/admin/people?q=olga")
    admin.follow(admin.send(page, page, display_name="Olga", email="olga@example.org", auditor="yes", enabled="yes"))
    assert house.sign_in("olga").get("/admin/people").status_code == 200
    admin.follow(admin.send(page, page, display_name="Olga", email="olga@example.org"))

    assert house.browser().send("/sign-in", "/sign-in", username="olga", password=PASSWORD).status_code == 401


def test_an_auditor_changes_nothing(house: House) -> None:
    house.auth.make_user("jane")
    house.auth.make_user("walter", auditor=True)
    walter, page = house.sign_in("walter"), "/admin/people/jane"

    assert walter.send(page, page, display_name="x", email="x@example.org", admin="yes").status_code == 403
    assert walter.send("/admin/sync", "/admin/sync/crawls", kind="full").status_code == 403


def test_a_person_goes_when_it_is_settled_what_becomes_of_the_rest(house: House, admin: Browser) -> None:
    page = "/admin/people/jane/deletion"
    house.push("jane/app", "1.0")

    asked = admin.read(page)
    assert "1 repository with 1 tag" in asked
    assert admin.send(page, page, typed="kate", namespace="delete").status_code == 422
    undecided = admin.send(page, page, typed="jane", namespace="team", new_team="")
    assert undecided.status_code == 422
    assert 'role="alert"' in undecided.text
    house.auth.make_team("harbour", owner=house.auth.make_user("kate"))
    admin.follow(admin.send(page, page, typed="jane", namespace="team", new_team="harbour"))

    assert admin.get("/admin/people/jane").status_code == 404
    assert "jane" in house.sign_in("kate").read("/namespaces")


def test_the_last_administrator_cannot_be_taken_away(admin: Browser) -> None:
    page = "/admin/people/admin"

    answer = admin.send(page, page, display_name="", email="admin@example.org", enabled="yes")

    assert answer.status_code == 403
    assert "You cannot take the administrator" in answer.text
    assert admin.get("/admin/people").status_code == 200
    own = "/admin/people/admin/deletion"
    assert "the last enabled administrator cannot be deleted" in admin.get(own).text


def test_what_somebody_else_changed_meanwhile_stays(house: House, admin: Browser) -> None:
    page = "/admin/people/jane"
    jane = {"was_display_name": "", "was_email": "jane@example.org", "was_enabled": "yes", "was_admin": ""}
    as_opened = {**jane, "display_name": "", "email": "jane@example.org", "enabled": "yes"}
    admin.follow(admin.send(page, page, **{**as_opened, "display_name": "Jane"}))

    admin.follow(admin.send(page, page, **as_opened, auditor="yes"))
    both = admin.send(page, page, **{**as_opened, "display_name": "Janet"})

    assert both.status_code == 422
    assert "Somebody has changed this to “Jane” meanwhile" in both.text
    again = dict(re.findall(r'name="(was_\w+)" value="([^"]*)"', both.text))
    assert again["was_display_name"] == "Jane"
    assert again["was_auditor"] == "yes"
    admin.follow(admin.send(page, page, **{**as_opened, **again, "display_name": "Janet", "auditor": "yes"}))
    assert 'value="Janet"' in admin.read(page)


def test_a_bot_is_made_without_a_password(admin: Browser) -> None:
    new = "/admin/people/-/new"

    assert admin.send(new, new, kind="person", username="ci", email="", password="").status_code == 422
    admin.follow(admin.send(new, new, kind="bot", username="ci", email="", password="", auditor="yes"))

    assert "bot" in admin.read("/admin/people/ci")


def test_administrators_end_what_somebody_is_signed_in_with(house: House, admin: Browser) -> None:
    jane, page = house.sign_in("jane"), "/admin/people/jane/credentials"
    jane.send("/me/tokens", "/me/tokens", application="laptop", days="30", actions="pull")
    house.auth.get_token("repository:jane/app:pull", user="jane", query={"offline_token": "true"})
    shown = admin.read(page)
    assert "laptop" in shown

    for part in ("tokens", "logins", "sessions"):
        action = re.search(rf'action="(/admin/people/jane/{part}/[^"]+)"', shown)
        assert action, part
        admin.follow(admin.send(page, action[1]))

    assert "No tokens" in admin.read(page)
    assert jane.get("/me").status_code == 303


def test_auditors_see_no_buttons(stocked: tuple[House, Pusher]) -> None:
    house, _pusher = stocked
    house.auth.make_user("jane")
    house.auth.make_user("walter", auditor=True)
    walter = house.sign_in("walter")

    for path in (path for path in PAGES if not re.search(r"/new|/deletion|\.csv", path)):
        page = re.search(r"<main.*</main>", walter.read(path), re.DOTALL)
        assert page
        for form in re.findall(r'<form[^>]*method="post".*?</form>', page[0], re.DOTALL):
            assert "<button" not in form, path


def test_a_registry_is_entered_changed_and_forgotten(house: House, admin: Browser) -> None:
    new = "/admin/registries/-/new"
    fields = {"name": "second", "hostname": "second.example.org", "push_policy": "admin-only", "delete_policy": ""}

    assert admin.send(new, new, **{**fields, "token_ttl_s": "soon"}).status_code == 422
    unreachable = admin.send(new, new, **fields, token_ttl_s="")
    assert unreachable.status_code == 422
    admin.follow(admin.send(new, new, **fields, token_ttl_s="120", force="yes"))
    link = re.search(r'href="(/admin/registries/\d+)"><strong>second', admin.read("/admin/registries"))
    assert link
    page = link[1]
    assert 'value="120"' in admin.read(page)
    changed = {**fields, "push_policy": "", "token_ttl_s": "", "external_hostname": "hub.example.org"}
    admin.follow(admin.send(page, page, **changed, force="yes"))
    assert "hub.example.org" in admin.read("/admin/registries")
    assert 'value="120"' not in admin.read(page)

    assert admin.send(f"{page}/deletion", f"{page}/deletion", typed="first").status_code == 422
    admin.follow(admin.send(f"{page}/deletion", f"{page}/deletion", typed="second"))
    assert admin.get(page).status_code == 404


def test_the_first_registry_stays_while_it_has_namespaces(admin: Browser) -> None:
    name = re.search(r'name="name" type="text"[^>]*value="([^"]+)"', admin.read("/admin/registries/1"), re.DOTALL)
    assert name
    page = "/admin/registries/1/deletion"

    answer = admin.send(page, page, typed=name[1])

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_activities_say_what_changed_and_lead_there(admin: Browser) -> None:
    page = "/admin/people/jane"
    admin.follow(admin.send(page, page, display_name="Janet", email="jane@example.org", enabled="yes"))

    shown = admin.read("/admin/activities?target_name=jane&action_prefix=user.updated")

    assert "Janet" in shown
    assert 'href="/admin/people/jane"' in shown
    assert "Nothing was done" in admin.read("/admin/activities?at_until=2001-01-01")


def test_activities_are_filtered_and_handed_out_as_a_file(house: House, admin: Browser) -> None:
    house.auth.make_team("harbour", owner=house.auth.make_user("kate"))

    assert "harbour" in admin.read("/admin/activities?target_name=harbour")
    assert "Nothing was done that matches" in admin.read("/admin/activities?actor=nobody-at-all")
    assert admin.get("/admin/activities?at_from=yesterday").status_code == 400
    file = admin.get("/admin/activities.csv?target_name=harbour")
    assert file.headers["Content-Disposition"] == 'attachment; filename="activities.csv"'
    assert "harbour" in file.text


def test_decisions_are_listed_and_lead_to_their_explanation(house: House, admin: Browser) -> None:
    house.auth.get_token("repository:jane/app:push", user="jane")
    house.auth.write_notes()

    page = admin.read("/admin/decisions?username=jane")
    link = re.search(r'href="(/explain/[^"]+)"', page)

    assert link
    assert "jane" in admin.read(link[1])
    assert "No request matches" in admin.read("/admin/decisions?verdict=unauthenticated&username=jane")


def test_lists_walked_by_key_go_on(house: House, admin: Browser) -> None:
    for number in range(60):
        house.auth.get_token(f"repository:jane/app-{number}:pull", user="jane")
    house.auth.write_notes()

    older = re.search(r'rel="next" href="([^"]+)"', admin.read("/admin/decisions?username=jane"))
    assert older
    second = admin.read(older[1].replace("&amp;", "&"))

    assert "app-0<" in second or "app-0 " in second
    assert "That is all." in second


def test_what_differs_is_shown_with_its_cause(stocked: tuple[House, Pusher]) -> None:
    house, _pusher = stocked
    admin = house.sign_in("admin")

    assert "Index and registry agree" in admin.read("/admin/sync")
    assert "The crawl begins within seconds" in admin.follow(
        admin.send("/admin/sync", "/admin/sync/crawls", kind="full")
    )
    assert "a full one" in admin.read("/admin/sync/crawls")
    assert admin.send("/admin/sync", "/admin/sync/crawls", kind="wild").status_code == 400


def test_a_loss_says_what_is_left_of_it(house: House, admin: Browser) -> None:
    with house.index.write() as connection:
        window = open_window(connection, Suspicion("r", Reason.GAP, utc_now(), utc_now(), None, 5), now=utc_now())
        note_crawled(connection, window, [], repaired=3, left_open=2, now=utc_now())

    assert "5 missing, 3 repaired, 2 left open" in admin.read("/admin/sync/loss-windows")


def test_a_rule_is_shown_what_it_would_do_before_it_is_written_down(house: House, admin: Browser) -> None:
    house.push("jane/app", "1.0", "1.1", "1.2")
    page = "/admin/retention/new"
    rule = {"name": "few", "namespace": "*", "keep_newest": "1", "newest": "version", "tags": "*", "every_hours": "24"}
    blank = {"older_than_days": "", "unpulled_days": "", "repositories": "", "except_tags": ""}

    nothing = admin.send(page, page, **{**rule, **blank, "keep_newest": ""})
    assert nothing.status_code == 422
    shown = admin.send(page, page, **rule, **blank)
    assert shown.status_code == 200
    assert "2 tags go, 1 stay" in shown.text
    assert "not among the newest 1" in shown.text
    assert "No rules" in admin.read("/admin/retention")
    listed = admin.follow(admin.send(page, page, **rule, **blank, seen="yes"))
    assert "all but the newest 1" in listed
    deletion = re.search(r"/admin/retention/\d+/delete", listed)
    assert deletion
    assert "No rules" in admin.follow(admin.send("/admin/retention", deletion[0]))


def test_a_rule_says_all_that_it_asks_of_a_tag(house: House, admin: Browser) -> None:
    terms = {
        "keep_newest": 5,
        "newest": "version",
        "repositories": ["docks/*"],
        "labels": {"team": "a", "cache": None},
        "except_labels": {"keep": None},
    }
    now = utc_now()
    row = {"name": "some", "namespace": None, "terms": terms, "created_by": "root", "enabled": True, "every_hours": 24}
    with house.index.write() as connection:
        connection.execute(insert(rules).values(**row, next_run_at=now, created_at=now, updated_at=now))

    page = admin.read("/admin/retention")

    assert "all but the newest 5 by version" in page
    assert "only docks/*; only with one of the labels team=a, cache; never with one of the labels keep" in page


def test_lists_below_a_tab_say_what_they_are_and_lead_back(admin: Browser) -> None:
    for path, heading, above in (
        ("/admin/retention/runs", "Runs", "/admin/retention"),
        ("/admin/retention/overwrites", "Moved though they must not", "/admin/retention"),
        ("/admin/sync/drift", "What differs", "/admin/sync"),
        ("/admin/sync/crawls", "Crawls", "/admin/sync"),
        ("/admin/sync/loss-windows", "Loss windows", "/admin/sync"),
    ):
        page = admin.read(path)
        assert f'<h2 class="section-title">{heading}</h2>' in page
        assert f'<li class="breadcrumb-item"><a href="{above}">' in page


def test_an_empty_list_counts_nothing(admin: Browser) -> None:
    assert "0 of 0" not in admin.read("/admin/retention/runs")
    assert "0 of 0" not in admin.read("/admin/sync/dead-letters")


def test_one_is_no_many(house: House, admin: Browser) -> None:
    house.open_loss_window()

    page = re.sub(r"<[^>]+>", "", admin.read("/admin"))

    assert "2 people" in page
    assert "0 teams" in page
    assert re.search(r"1 open loss window\s", page)


def test_tags_that_must_not_move_are_named(admin: Browser) -> None:
    page = "/admin/retention"

    assert admin.send(page, "/admin/retention/immutable", tags="", namespace="").status_code == 422
    listed = admin.follow(
        admin.send(page, "/admin/retention/immutable", tags="v* r*", namespace="*", repositories="", restores="yes")
    )

    assert "v*, r*" in listed
    assert "it is put back" in listed


def test_a_tag_that_was_not_put_back_says_why_and_is_tried_again(house: House, admin: Browser) -> None:
    page = "/admin/retention"
    admin.send(page, "/admin/retention/immutable", tags="v*", namespace="*", repositories="", restores="yes")
    house.push("jane/app", "v1")
    with house.index.write() as connection:
        connection.execute(insert(overwrites).values(FAILED))

    shown = admin.read("/admin/retention/overwrites")
    assert "could not be put back" in shown
    assert "the registry did not answer" in shown
    listed = admin.follow(admin.send("/admin/retention/overwrites", "/admin/retention/overwrites/1/retry"))

    assert "to be put back" in listed
    assert "overwrites/1/retry" not in listed


def test_an_intake_that_is_away_is_told(house: House, admin: Browser) -> None:
    house.stop_notifier()

    assert "notifier) does not answer" in admin.read("/admin/sync/dead-letters")
    assert "is not known now" in admin.read("/admin")


def test_an_event_in_the_quarantine_is_thrown_away(house: House, admin: Browser) -> None:
    house.quarantine("odd-1", '{"id": "odd-1"}', "it names no repository")
    page = "/admin/sync/dead-letters"

    shown = admin.read(page)
    assert "odd-1" in shown
    assert "it names no repository" in shown
    gone = re.search(r"/admin/sync/quarantine/\d+/drop", shown)
    assert gone
    assert "Nothing in quarantine" in admin.follow(admin.send(page, gone[0]))


def test_what_a_client_says_of_itself_is_shown_and_not_obeyed(house: House, admin: Browser) -> None:
    attack = "<script>alert(1)</script>"
    house.auth.get_token("repository:jane/app:push", user="jane", environ_base={"HTTP_USER_AGENT": attack})
    house.auth.write_notes()

    assert attack not in admin.read("/admin/decisions")


def test_somebody_who_has_forgotten_their_password_gets_a_new_one(house: House, admin: Browser) -> None:
    page = "/admin/people/jane"
    before = house.sign_in("jane")
    assert "An administrator of this installation gives you a new one" in house.browser().read("/forgotten")

    assert admin.send(page, f"{page}/password", password="short").status_code == 422
    admin.follow(admin.send(page, f"{page}/password", password="another-password-of-jane"))

    assert before.get("/me").status_code == 303
    assert house.browser().send("/sign-in", "/sign-in", username="jane", password=PASSWORD).status_code == 401
    again = house.browser()
    answer = again.send("/sign-in", "/sign-in", username="jane", password="another-password-of-jane")
    assert answer.status_code == 303


def test_nobody_else_gives_passwords(house: House, admin: Browser) -> None:
    house.auth.make_user("walter", auditor=True)
    walter, page = house.sign_in("walter"), "/admin/people/jane"

    answer = walter.client.post(
        f"{page}/password", data={"csrf_token": token_of(walter.read("/me")), "password": "another-password-of-jane"}
    )

    assert answer.status_code in (403, 422)
    assert house.sign_in("jane").get("/me").status_code == 200
