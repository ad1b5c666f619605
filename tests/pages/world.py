"""A house in which something happened, and the addresses of all pages that somebody reads in it."""

from datetime import timedelta

from services.auth.domain.teams import Role
from services.catalog.domain.scans import Finding, Severity
from services.notifier.storage.tables import webhook_deliveries
from services.notifier.usecases.deliver import Answer
from shared.clock import utc_now
from tests.pages.conftest import Browser, House
from tests.support.auth import INTERNAL_SECRET
from tests.support.images import Pusher, on
from tests.support.webhooks import make_deliverer, record, tag_event, take_turns

APP = "/r/docks/crane"
DELIVERY = "5f0f9d34-0c1e-4e0b-9f3e-6b1a1c6f6f01"
OTHER_DELIVERY = "5f0f9d34-0c1e-4e0b-9f3e-6b1a1c6f6f02"
PAGES = {
    "home": "/",
    "explain": "/explain?repository=docks/crane&who_can=yes",
    "simulate": "/explain/-/simulate?scopes=repository:docks/crane:pull,push",
    "forgotten": "/forgotten",
    "explore": "/explore",
    "search": "/search?q=crane",
    "repositories": "/repositories",
    "ghosts": "/ghosts",
    "repository": APP,
    "repository_digests": f"{APP}/-/digests",
    "repository_activity": f"{APP}/-/activity",
    "repository_access": f"{APP}/-/access",
    "repository_untagged": f"{APP}/-/untagged",
    "repository_history": f"{APP}/-/history",
    "repository_comments": f"{APP}/-/comments",
    "repository_settings": f"{APP}/-/settings",
    "repository_deletion": f"{APP}/-/deletion",
    "tag_deletion": f"{APP}/-/tag-deletion?tag=2.0@{{digest}}",
    "compare": f"{APP}/-/compare/1.0...2.0",
    "tag": f"{APP}/-/tags/2.0",
    "digest": f"{APP}/-/digests/{{digest}}",
    "vulnerabilities": f"{APP}/-/vulnerabilities/{{digest}}",
    "history": f"{APP}/-/history/2.0",
    "restore": f"{APP}/-/history/2.0/restore/{{digest}}",
    "me": "/me",
    "me_password": "/me/password",
    "me_tokens": "/me/tokens",
    "me_sessions": "/me/sessions",
    "disabling": "/me/off",
    "namespaces": "/namespaces",
    "new_namespace": "/namespaces/-/new",
    "namespace": "/namespaces/docks",
    "namespace_access": "/namespaces/docks/access",
    "namespace_robots": "/namespaces/docks/robots",
    "new_robot": "/namespaces/docks/robots/new",
    "namespace_robot": "/namespaces/docks/robots/1",
    "robot_deletion": "/namespaces/docks/robots/1/deletion",
    "namespace_webhooks_list": "/namespaces/docks/webhooks",
    "namespace_webhooks_new": "/namespaces/docks/webhooks/new",
    "namespace_webhooks_show": "/namespaces/docks/webhooks/1",
    "namespace_webhooks_settings": "/namespaces/docks/webhooks/1/settings",
    "namespace_webhooks_delivery": f"/namespaces/docks/webhooks/1/deliveries/{DELIVERY}",
    "namespace_webhooks_deletion": "/namespaces/docks/webhooks/1/deletion",
    "admin_webhooks_list": "/admin/webhooks",
    "admin_webhooks_new": "/admin/webhooks/new",
    "admin_webhooks_show": "/admin/webhooks/3",
    "admin_webhooks_settings": "/admin/webhooks/3/settings",
    "admin_webhooks_delivery": f"/admin/webhooks/3/deliveries/{OTHER_DELIVERY}",
    "admin_webhooks_deletion": "/admin/webhooks/3/deletion",
    "namespace_settings": "/namespaces/docks/settings",
    "namespace_deletion": "/namespaces/docks/deletion",
    "teams": "/teams",
    "new_team": "/teams/-/new",
    "team": "/teams/harbour",
    "team_namespaces": "/teams/harbour/-/namespaces",
    "team_settings": "/teams/harbour/-/settings",
    "team_deletion": "/teams/harbour/-/deletion",
    "admin": "/admin",
    "admin_people": "/admin/people",
    "new_admin_person": "/admin/people/-/new",
    "admin_person": "/admin/people/jane",
    "admin_credentials": "/admin/people/jane/credentials",
    "admin_person_deletion": "/admin/people/kate/deletion",
    "admin_activities": "/admin/activities",
    "admin_decisions": "/admin/decisions",
    "admin_registries": "/admin/registries",
    "new_admin_registry": "/admin/registries/-/new",
    "admin_registry": "/admin/registries/1",
    "admin_registry_deletion": "/admin/registries/1/deletion",
    "admin_settings": "/admin/settings",
    "admin_retention": "/admin/retention",
    "new_admin_retention": "/admin/retention/new",
    "admin_retention_runs": "/admin/retention/runs",
    "admin_retention_run": "/admin/retention/runs/1",
    "admin_retention_overwrites": "/admin/retention/overwrites",
    "admin_sync": "/admin/sync",
    "admin_crawls": "/admin/sync/crawls",
    "admin_windows": "/admin/sync/loss-windows",
    "admin_drift": "/admin/sync/drift",
    "admin_letters": "/admin/sync/dead-letters",
    "help": "/help",
}
"""One address for each page that somebody reads."""

ELSEWHERE = {"sign_in", "sign_up", "setup", "decision", "choose_comparison", "admin_activities_file", "suggestions"}
"""Tested on their own: for people who are not signed in, or no page."""


def furnish(house: House, pusher: Pusher) -> str:
    """Let something happen in a house, and return a digest that lies in it."""
    house.auth.make_user("jane", display_name="Jane Harbourmaster", administrator=True)
    for name in ("kate", "olga"):
        house.auth.make_user(name)
    house.auth.make_user("walter")
    house.auth.make_user("anna", auditor=True)
    team = house.auth.make_team("harbour", owner=house.auth.make_user("otto"), kate=Role.VIEWER, olga=Role.CONTRIBUTOR)
    house.auth.make_namespace("docks", team=team)
    first = pusher.image("docks/crane", "1.0", layer_bytes=(4000, 900))
    arm = pusher.image("docks/crane", "arm", architecture="arm64", layer_bytes=(9000, 300, 2000))
    shown = pusher.image(
        "docks/crane",
        "2.0",
        layer_bytes=(9000, 300, 2000),
        config={"Env": ["PATH=/usr/bin", "DB_PASSWORD=harbour"], "Labels": {"maintainer": "olga"}, "User": "65532"},
        annotations={"org.opencontainers.image.source": "https://example.org/crane"},
    )
    pusher.index("docks/crane", "multi", [on(first, "linux", "amd64"), on(arm, "linux", "arm64")])
    pusher.retag("docks/crane", "2.0", "latest")
    house.crawl("docks/crane")
    house.find_ghost("docks/barge")
    house.push("docks/tug", "1.0", "1.1", by="olga")
    house.auth.get_token("repository:docks/crane:push", user="kate")
    house.auth.write_notes()
    house.quarantine("event-1", "{}", "it names no repository")
    house.scan(
        str(shown["digest"]),
        make_finding("CVE-2024-3094", "xz-utils", Severity.CRITICAL, "Malicious code was found in the tarballs of xz."),
        make_finding("CVE-2023-4911", "libc6", Severity.HIGH, "A buffer overflow in the dynamic loader of GNU C."),
        make_finding("CVE-2011-3374", "apt", Severity.LOW, "apt-key does not validate keys.", fix_version=""),
    )
    _fill(house)
    return str(shown["digest"])


def make_finding(
    name: str, package: str, severity: Severity, description: str = "", *, fix_version: str = "5.6.2"
) -> Finding:
    """Return a vulnerability, with a page on it."""
    links = (f"https://example.org/{name}",)
    return Finding(name, package, "5.6.1", fix_version, severity, description, links, cvss_score=7.5)


def _fill(house: House) -> None:
    jane = house.sign_in("jane")
    settings = "/namespaces/docks/settings"
    jane.follow(jane.send(settings, settings, description="What lifts", visibility="public", team="harbour"))
    jane.follow(jane.send(settings, "/namespaces/docks/freezes", reason="Moving house", repository="docks/tug"))
    access = "/namespaces/docks/access"
    grant = {
        "kind": "user",
        "who": "walter",
        "pattern": "docks/cr*",
        "until": (utc_now() + timedelta(days=90)).date().isoformat(),
        "reason": "helps",
    }
    jane.follow(jane.send(access, access, **grant, actions="pull"))
    robot = "/namespaces/docks/robots/new"
    jane.send(robot, robot, name="ci", description="Builds", pattern="", until="", addresses="", actions="push")
    _tell_webhooks(house, jane)
    jane.send("/me/tokens", "/me/tokens", application="laptop", days="7", namespaces="", actions="pull")
    about = "# Crane\n\nLifts *containers* from ship to quay.\n\n```\ndocker run crane\n```"
    jane.follow(jane.send(f"{APP}/-/settings", f"{APP}/-/settings", description=about))
    jane.follow(jane.send(f"{APP}/-/comments", f"{APP}/-/comments", body="Works **well** here."))
    jane.follow(jane.send(APP, f"{APP}/-/star", starred="yes"))
    rule = {"name": "few", "namespace": "*", "keep_newest": "5", "newest": "version", "tags": "*", "every_hours": "24"}
    blank = {"older_than_days": "90", "unpulled_days": "", "repositories": "", "except_tags": "latest", "seen": "yes"}
    jane.follow(jane.send("/admin/retention/new", "/admin/retention/new", **rule, **blank))
    jane.follow(jane.send("/admin/retention", "/admin/retention/1/run"))
    jane.follow(jane.send("/admin/retention", "/admin/retention/immutable", tags="v*", namespace="*", repositories=""))
    jane.follow(jane.send("/admin/sync", "/admin/sync/crawls", kind="full"))


def _tell_webhooks(house: House, jane: Browser) -> None:
    """Make two webhooks; the first took a push, was away for a deletion, and is to be told of another push."""
    page, hook = "/namespaces/docks/webhooks/new", "/namespaces/docks/webhooks/1"
    given = {"name": "ci", "url": "https://ci.example.org/hooks/portus", "push": "yes", "delete": "yes"}
    how = {"request_method": "POST", "content_type": "application/json", "enabled": "yes"}
    jane.follow(jane.send(page, page, **given, **how, username="jane", password="harbour-master", tags="v* latest"))
    off = {**given, **how, "name": "chat", "url": "https://chat.example.org/in", "enabled": ""}
    jane.follow(jane.send(page, page, **off, repositories="docks/crane*"))
    jane.follow(jane.send(hook, f"{hook}/headers", name="X-Team", value="harbour"))
    answers = [
        Answer(200, headers=[("Content-Type", "text/plain")], body="queued"),
        Answer(0, "It refuses the connection."),
    ]
    database = house.notifier.database
    deliverer = make_deliverer(database, send=lambda _: answers.pop(0), secret=INTERNAL_SECRET)
    record(database, tag_event("push-1", "docks/crane", tag="latest"))
    with database.write() as connection:
        connection.execute(webhook_deliveries.update().values(uuid=DELIVERY))
    take_turns(deliverer)
    record(database, tag_event("delete-1", "docks/crane", kind="deleted", tag="v1"))
    take_turns(deliverer)
    _tell_installation(house, jane)
    record(database, tag_event("push-2", "docks/crane", tag="v2"))


def _tell_installation(house: House, jane: Browser) -> None:
    """Make a webhook of the whole installation that took a push to another namespace."""
    page = "/admin/webhooks/new"
    given = {"name": "archive", "url": "https://archive.example.org/portus", "push": "yes", "overwritten": "yes"}
    how = {"request_method": "POST", "content_type": "application/json", "enabled": "yes"}
    jane.follow(jane.send(page, page, **given, **how, repositories="wharf/* docks/crane"))
    database = house.notifier.database
    record(database, tag_event("push-3", "wharf/barge", tag="3.1"))
    with database.write() as connection:
        mine = webhook_deliveries.update().where(webhook_deliveries.c.event_id == "push-3")
        connection.execute(mine.values(uuid=OTHER_DELIVERY))
    answer = Answer(202, headers=[("Content-Type", "application/json")], body='{"kept": true}')
    # Others that are tried again meanwhile are not taken again.
    away = Answer(0, "It refuses the connection.")
    sends = {given["url"]: answer}
    take_turns(make_deliverer(database, send=lambda one: sends.get(one.url, away), secret=INTERNAL_SECRET))
