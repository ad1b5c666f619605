"""Every page of the portal in front of the real services: nobody is left out, nothing is asked of other hosts.

``make screenshots`` runs this too and keeps what it sees, light, dark and narrow, in an ignored folder.

Source: WCAG 2.2 A and AA, as far as axe-core can ask a page.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from services.auth.domain.teams import Role
from services.web.pages.routes import ROUTES
from tests.browser.conftest import sign_in
from tests.pages.conftest import House, build_house, make_house, stocked
from tests.support.auth import PASSWORD
from tests.support.images import Pusher, on
from tests.support.serving import serving

__all__ = ["build_house", "make_house", "stocked"]

pytestmark = pytest.mark.xdist_group("chromium")

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

APP = "/r/docks/crane"
PAGES = {
    "home": "/",
    "explain": "/explain?repository=docks/crane&who_can=yes",
    "explore": "/explore",
    "search": "/search?q=crane",
    "repositories": "/repositories",
    "repository": APP,
    "repository_untagged": f"{APP}/-/untagged",
    "repository_history": f"{APP}/-/history",
    "repository_comments": f"{APP}/-/comments",
    "repository_settings": f"{APP}/-/settings",
    "repository_deletion": f"{APP}/-/deletion",
    "tag_deletion": f"{APP}/-/tag-deletion?tag=2.0@{{digest}}",
    "compare": f"{APP}/-/compare/1.0...2.0",
    "tag": f"{APP}/-/tags/2.0",
    "digest": f"{APP}/-/digests/{{digest}}",
    "history": f"{APP}/-/history/2.0",
    "restore": f"{APP}/-/history/2.0/restore/{{digest}}",
    "me": "/me",
    "me_password": "/me/password",
    "me_tokens": "/me/tokens",
    "me_sessions": "/me/sessions",
    "disabling": "/me/off",
    "namespaces": "/namespaces",
    "new_namespace": "/namespaces/new",
    "namespace": "/namespaces/docks",
    "namespace_access": "/namespaces/docks/access",
    "namespace_robots": "/namespaces/docks/robots",
    "new_robot": "/namespaces/docks/robots/new",
    "namespace_robot": "/namespaces/docks/robots/1",
    "robot_deletion": "/namespaces/docks/robots/1/deletion",
    "namespace_settings": "/namespaces/docks/settings",
    "namespace_deletion": "/namespaces/docks/deletion",
    "teams": "/teams",
    "new_team": "/teams/new",
    "team": "/teams/harbour",
    "team_namespaces": "/teams/harbour/-/namespaces",
    "team_settings": "/teams/harbour/-/settings",
    "team_deletion": "/teams/harbour/-/deletion",
    "admin": "/admin",
    "admin_people": "/admin/people",
    "new_admin_person": "/admin/people/-/new",
    "admin_person": "/admin/people/jane",
    "admin_person_deletion": "/admin/people/kate/deletion",
    "admin_activities": "/admin/activities",
    "admin_decisions": "/admin/decisions",
    "admin_registries": "/admin/registries",
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

ELSEWHERE = {"sign_in", "sign_up", "setup", "decision", "choose_comparison", "admin_activities_file"}
"""Tested on their own: for people who are not signed in, or no page."""


@dataclass(frozen=True)
class Mode:
    """How somebody looks at a page."""

    name: str
    width: int
    scheme: Literal["light", "dark"]


MODES = (Mode("light", 1280, "light"), Mode("dark", 1280, "dark"), Mode("narrow", 320, "light"))


@dataclass
class Seen:
    """What a look at the pages brought to light."""

    complaints: list[str]

    def look(self, context: BrowserContext, url: str, where: str) -> Page:
        """Open a page whose complaints are kept, and whose requests may go nowhere else."""
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{where}: {error}"))
        page.on(
            "console",
            lambda said: self.complaints.append(f"{where}: {said.text}") if said.type in ("error", "warning") else None,
        )
        page.on(
            "request",
            lambda asked: None if asked.url.startswith(url) else self.complaints.append(f"{where}: asks {asked.url}"),
        )
        return page


@pytest.fixture
def world(stocked: tuple[House, Pusher]) -> tuple[House, str]:
    """A house in which something happened, and a digest that lies in it."""
    house, pusher = stocked
    house.auth.make_user("jane", display_name="Jane Harbourmaster", administrator=True)
    for name in ("kate", "olga"):
        house.auth.make_user(name)
    owner = house.auth.make_user("walter", auditor=True)
    team = house.auth.make_team("harbour", owner=house.auth.make_user("otto"), kate=Role.VIEWER, olga=Role.CONTRIBUTOR)
    assert owner
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
    house.push("docks/tug", "1.0", "1.1", by="olga")
    house.auth.get_token("repository:docks/crane:push", user="kate")
    house.auth.write_notes()
    house.quarantine("event-1", "{}", "it names no repository")
    _fill(house)
    return house, str(shown["digest"])


def _fill(house: House) -> None:
    jane = house.sign_in("jane")
    settings = "/namespaces/docks/settings"
    jane.follow(jane.send(settings, settings, description="What lifts", visibility="public", team="harbour"))
    jane.follow(jane.send(settings, "/namespaces/docks/freezes", reason="Moving house", repository="docks/tug"))
    access = "/namespaces/docks/access"
    grant = {"kind": "user", "who": "walter", "pattern": "docks/cr*", "until": "2999-01-31", "reason": "helps"}
    jane.follow(jane.send(access, access, **grant, actions="pull"))
    robot = "/namespaces/docks/robots/new"
    jane.send(robot, robot, name="ci", description="Builds", pattern="", until="", addresses="", actions="push")
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


def test_every_page_that_is_read_is_looked_at() -> None:
    assert {route.name for route in ROUTES if route.method == "GET"} == {*PAGES, *ELSEWHERE}


def test_every_page_is_for_everybody_and_asks_no_other_host(chromium: Browser, world: tuple[House, str]) -> None:
    house, digest = world
    seen, folder = Seen([]), os.environ.get("SCREENSHOTS")
    with serving(house.portal) as url:
        for mode in MODES:
            for where, page in _pages(chromium, url, mode, seen, digest):
                seen.complaints += [f"{where}: {fault}" for fault in _faults(page, mode)]
                if folder:
                    page.screenshot(path=f"{folder}/{where.replace(' ', '-')}.png", full_page=True)

    assert not seen.complaints, "\n".join(dict.fromkeys(seen.complaints))


def _pages(chromium: Browser, url: str, mode: Mode, seen: Seen, digest: str) -> Iterator[tuple[str, Page]]:
    context = chromium.new_context(
        base_url=url, viewport={"width": mode.width, "height": 800}, color_scheme=mode.scheme, locale="en-GB"
    )
    page = seen.look(context, url, mode.name)
    sign_in(page, "jane", PASSWORD)
    for name, path in PAGES.items():
        answer = page.goto(path.format(digest=digest))
        if answer is None or answer.status != 200:
            seen.complaints.append(f"{name}: {answer and answer.status}")
        yield f"{name} {mode.name}", page
    context.close()


def _faults(page: Page, mode: Mode) -> list[str]:
    faults: list[str] = []
    if (excess := page.evaluate(TOO_WIDE)) > 0:
        faults.append(f"{excess} pixels too wide")
    if mode.width < MODES[0].width:
        # The same markup in the same colours: what axe asks has been answered.
        return faults
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate("rules => axe.run(document, rules)", RULES)
    for violation in found["violations"]:
        if violation["impact"] in ("serious", "critical"):
            faults.append(f"{violation['id']} {[node['html'][:160] for node in violation['nodes']][:3]}")
    return faults
