"""Webhooks of the whole installation in the portal: made, changed, told, looked at, deleted; by administrators."""

import re

import pytest

from tests.pages.conftest import Browser, House, faults_of
from tests.pages.test_webhooks import FORM, send_all
from tests.support.receivers import receiving
from tests.support.webhooks import record, tag_event

LIST = "/admin/webhooks"
NEW = f"{LIST}/new"
HOOK = f"{LIST}/1"


@pytest.fixture
def root(house: House) -> Browser:
    """Root administers; Olga owns the team of ``docks``; Ada audits."""
    house.auth.make_user("root", administrator=True)
    house.auth.make_user("ada", auditor=True)
    house.auth.make_namespace("docks", team=house.auth.make_team("harbour", owner=house.auth.make_user("olga")))
    return house.sign_in("root")


def make(root: Browser, **changes: str) -> str:
    return root.follow(root.send(NEW, NEW, **{**FORM, **changes}))


def test_a_webhook_of_the_installation_is_made_and_listed(root: Browser) -> None:
    assert "No webhooks" in root.read(LIST)

    page = make(root, repositories="*/app")

    assert "The webhook ci is there." in page
    assert "http://ci.example.org/hook" in page
    listed = root.read(LIST)
    assert "*/app" in listed
    assert f'href="{HOOK}"' in listed
    assert "No webhooks" in root.read("/namespaces/docks/webhooks")


def test_what_is_wrong_is_told_beside_its_field(root: Browser) -> None:
    answer = root.send(NEW, NEW, **{**FORM, "name": ""})

    assert (answer.status_code, faults_of(answer.text)) == (422, ["Choose a name."])


def test_it_is_told_of_every_namespace_tested_and_sends_again(house: House, root: Browser) -> None:
    with receiving() as receiver:
        make(root, url=receiver.url)
        record(house.notifier.database, tag_event("a", "docks/crane"), tag_event("b", "other/app"))
        send_all(house)
        test = root.send(HOOK, f"{HOOK}/test")
        assert "A test is on its way" in root.follow(test)
        send_all(house)
        assert "sent once more" in root.follow(root.send(test.location, f"{test.location}/retrigger"))
        send_all(house)

    assert receiver.events[:2] == ["a", "b"]
    assert len(receiver.received) == 4
    page = root.read(HOOK)
    addresses = set(re.findall(rf'"({HOOK}/deliveries/[0-9a-f-]+)"', page))
    assert len(addresses) == 3
    assert "docks/crane" in page
    assert all("What is sent" in root.read(address) for address in addresses)


def test_it_is_switched_changed_and_given_headers(root: Browser) -> None:
    make(root)

    assert "told nothing" in root.follow(root.send(LIST, f"{HOOK}/switch", enabled="", **{"from": "list"}))
    assert "X-Token: abc" in root.follow(root.send(HOOK, f"{HOOK}/headers", name="X-Token", value="abc"))
    assert "X-Token: abc" not in root.follow(root.send(HOOK, f"{HOOK}/headers/1/remove"))
    changed = root.send(f"{HOOK}/settings", f"{HOOK}/settings", **{**FORM, "name": "builds"})
    assert "builds" in root.follow(changed)


def test_it_is_deleted_after_its_name_was_typed(root: Browser) -> None:
    make(root)
    page = f"{HOOK}/deletion"

    assert root.send(page, page, typed="other").status_code == 422
    assert "No webhooks" in root.follow(root.send(page, page, typed="ci"))
    assert root.get(HOOK).status_code == 404


def test_auditors_look_and_change_nothing(house: House, root: Browser) -> None:
    make(root, url="https://ci.example.org/hook?token=geheim")
    ada = house.sign_in("ada")

    page = ada.read(HOOK)
    assert "https://ci.example.org/hook" in page
    assert "geheim" not in page
    assert not any(button in page for button in ("Send a test", "Switch off", "Delete the webhook", "/headers"))
    assert NEW not in ada.read(LIST)
    assert ada.send("/me", f"{HOOK}/switch", enabled="").status_code == 403
    assert ada.send("/me", NEW, **FORM).status_code == 422
    assert root.read(LIST).count("<strong>ci</strong>") == 1


def test_others_find_nothing(house: House, root: Browser) -> None:
    make(root)
    olga = house.sign_in("olga")

    for path in (LIST, NEW, HOOK, f"{HOOK}/settings", f"{HOOK}/deletion"):
        assert olga.get(path).status_code == 403
    for path in (NEW, f"{HOOK}/settings", f"{HOOK}/test", f"{HOOK}/switch", f"{HOOK}/deletion"):
        assert olga.send("/me", path, **FORM, typed="ci").status_code == 403
    assert "ci" in root.read(LIST)


def test_a_webhook_is_found_where_it_belongs_only(house: House, root: Browser) -> None:
    """An address that names another place would lead back to it, and say that it is of it."""
    make(root)
    place = "/namespaces/docks/webhooks"
    root.follow(root.send(f"{place}/new", f"{place}/new", **FORM))

    assert [root.get(path).status_code for path in (HOOK, f"{place}/2")] == [200, 200]
    assert [root.get(path).status_code for path in (f"{LIST}/2", f"{place}/1")] == [404, 404]
