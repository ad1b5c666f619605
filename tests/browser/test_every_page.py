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

from services.web.pages.routes import ROUTES
from tests.browser.conftest import sign_in
from tests.pages.conftest import House, make_house, stocked, world
from tests.pages.world import ELSEWHERE, PAGES
from tests.support.auth import PASSWORD
from tests.support.serving import serving

__all__ = ["make_house", "stocked", "world"]

pytestmark = pytest.mark.xdist_group("chromium")

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


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
    if "<Macro" in page.inner_text("body"):
        faults.append("shows the name of a macro")
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
