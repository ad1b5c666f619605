"""What the portal says of vulnerabilities, and who has them looked for."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from services.catalog.domain.scans import DEFAULT_SCANNER, ScanState, Severity
from services.catalog.storage.scan_planning import enlist
from services.catalog.storage.scan_queries import find_scans
from services.catalog.storage.scans import claim_scan, put_off
from shared.clock import utc_now
from shared.oci.names import Digest
from tests.pages.conftest import Browser, House
from tests.pages.world import make_finding
from tests.support.catalog import digest_of

APP = "/r/docks/crane"
DIGEST = digest_of("docks/crane:1.0")
FOUND = f"{APP}/-/vulnerabilities/{DIGEST}"


@pytest.fixture
def stock(house: House) -> House:
    """A house with a tag that nobody has scanned, an administrator, and a viewer."""
    house.auth.make_user("jane", administrator=True)
    house.auth.make_namespace("docks", team=house.auth.make_team("harbour", owner=house.auth.make_user("kate")))
    house.push("docks/crane", "1.0")
    return house


@pytest.fixture
def jane(stock: House) -> Browser:
    return stock.sign_in("jane")


def stamps(page: str) -> list[str]:
    """Return what a page's badges of scans say."""
    return [re.sub("<[^>]+>", "", one).strip() for one in re.findall(r"stamp-scan-[^>]+>(.*?)</(?:span|a)>", page)]


def end(house: House, state: ScanState, reason: str) -> None:
    """Let a scan end without a report, of whatever is due then."""
    now = utc_now() + timedelta(days=2)
    with house.index.write() as connection:
        enlist(connection, DEFAULT_SCANNER, [(DIGEST, now)])
        claim = claim_scan(connection, DEFAULT_SCANNER, run="us", now=now, until=now)
        assert claim is not None
        put_off(connection, claim, state, reason, due_at=now, now=now)


def test_what_waits_is_pending(jane: Browser) -> None:
    assert stamps(jane.read(APP)) == ["Pending"]
    assert stamps(jane.read(f"{APP}/-/tags/1.0")) == ["Pending"]


def test_the_worst_stands_in_the_list_and_all_of_it_on_the_page(stock: House, jane: Browser) -> None:
    stock.scan(DIGEST, make_finding("CVE-1", "zlib", Severity.LOW), make_finding("CVE-2", "curl", Severity.CRITICAL))

    assert stamps(jane.read(APP)) == ["1 critical"]
    page = jane.read(f"{APP}/-/tags/1.0")
    assert stamps(page) == ["1 critical", "1 low"]
    assert "Trivy 0.57.1" in page
    assert f'href="{FOUND.replace(":", "%3A")}"' in page or f'href="{FOUND}"' in page


def test_what_was_found_is_listed_the_worst_first_with_its_mend(stock: House, jane: Browser) -> None:
    stock.scan(DIGEST, make_finding("CVE-1", "zlib", Severity.LOW), make_finding("CVE-2", "curl", Severity.CRITICAL))

    page = jane.read(FOUND)

    assert page.index("CVE-2") < page.index("CVE-1")
    assert 'href="https://example.org/CVE-2" rel="noopener noreferrer nofollow"' in page
    assert "5.6.2" in page


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("severity=Low", {"CVE-1"}),
        ("severity=Nonsense", {"CVE-1", "CVE-2"}),
        ("fixable=true", {"CVE-2"}),
        ("severity=High", set()),
    ],
)
def test_what_was_found_is_narrowed(stock: House, jane: Browser, query: str, names: set[str]) -> None:
    found = [make_finding("CVE-1", "zlib", Severity.LOW, fix_version=""), make_finding("CVE-2", "a", Severity.MEDIUM)]
    stock.scan(DIGEST, *found)

    assert set(re.findall(r">(CVE-\d)<", jane.read(f"{FOUND}?{query}"))) == names


def test_long_lists_go_on_elsewhere(stock: House, jane: Browser) -> None:
    stock.scan(DIGEST, *(make_finding(f"CVE-{n:02}", "zlib", Severity.LOW) for n in range(60)))

    onward = re.search(r'rel="next" href="([^"]+)"', jane.read(FOUND))

    assert onward
    assert re.findall(r">(CVE-\d+)<", jane.read(onward[1])) == [f"CVE-{n}" for n in range(50, 60)]


def test_nothing_found_is_passed(stock: House, jane: Browser) -> None:
    stock.scan(DIGEST)

    assert stamps(jane.read(APP)) == ["Passed"]
    assert stamps(jane.read(FOUND)) == ["Passed"]


def test_what_leaves_a_platform_out_is_not_passed(stock: House, jane: Browser) -> None:
    stock.scan(DIGEST, left_out="linux/arm64 was not scanned: The manifest has no layers.")

    assert stamps(jane.read(APP)) == ["Partly scanned"]
    assert stamps(jane.read(FOUND)) == ["Partly scanned"]
    german = jane.client.get(f"{APP}/-/tags/1.0", headers={"Accept-Language": "de"}).text
    assert stamps(german) == ["Teilweise geprüft"]
    assert "linux/arm64 wurde nicht geprüft: Das Manifest hat keine Schichten." in german


@pytest.mark.parametrize("is_known", [False, True], ids=["never scanned", "nothing found before"])
def test_176_what_failed_is_never_passed(stock: House, jane: Browser, is_known: bool) -> None:
    """Case 176: not even when nothing was found before."""
    if is_known:
        stock.scan(DIGEST)

    end(stock, ScanState.FAILED, "The scanner does not answer (connection refused).")

    assert stamps(jane.read(APP)) == ["Scan failed"]
    assert "The scanner does not answer" in jane.read(f"{APP}/-/tags/1.0")


def test_176_what_waits_for_a_scanner_that_is_away_is_pending_and_says_why(stock: House, jane: Browser) -> None:
    end(stock, ScanState.NONE, "The scanner does not answer (connection refused).")

    assert stamps(jane.read(APP)) == ["Pending"]
    assert "The scanner does not answer" in jane.read(f"{APP}/-/tags/1.0")


def test_a_failure_hides_nothing_that_was_found(stock: House, jane: Browser) -> None:
    stock.scan(DIGEST, make_finding("CVE-1", "zlib", Severity.HIGH))

    end(stock, ScanState.FAILED, "The scanner's report cannot be read.")

    assert stamps(jane.read(APP)) == ["1 high"]
    page = jane.read(f"{APP}/-/tags/1.0")
    assert "(the newer scan is not done)" in page
    assert "report cannot be read" in page


def test_what_cannot_be_scanned_says_why(stock: House, jane: Browser) -> None:
    end(stock, ScanState.UNSUPPORTED, "This is no image.")

    assert stamps(jane.read(APP)) == ["Not scanned"]
    assert "This is no image." in jane.read(f"{APP}/-/tags/1.0")


def test_reasons_are_said_in_the_readers_language(stock: House, jane: Browser) -> None:
    end(stock, ScanState.FAILED, "The scanner's report cannot be read.")

    page = jane.client.get(f"{APP}/-/tags/1.0", headers={"Accept-Language": "de"}).text

    assert "Der Bericht des Scanners kann nicht gelesen werden." in page


def test_administrators_have_it_scanned_anew(stock: House, jane: Browser) -> None:
    stock.scan(DIGEST)

    page = jane.follow(jane.send(FOUND, f"{FOUND}/scan"))

    assert "It is scanned anew" in page
    with stock.index.read() as connection:
        assert find_scans(connection, [DIGEST])[Digest(DIGEST)].state is ScanState.NONE


def test_nobody_else_does(stock: House) -> None:
    stock.scan(DIGEST)
    kate = stock.sign_in("kate")
    assert "Scan anew" not in kate.read(FOUND)

    answer = kate.send(f"{APP}/-/settings", f"{FOUND}/scan")

    assert answer.status_code == 403
    with stock.index.read() as connection:
        assert find_scans(connection, [DIGEST])[Digest(DIGEST)].state is ScanState.DONE


def test_without_a_scanner_no_page_speaks_of_one(make_house: Callable[..., Any]) -> None:
    house: House = make_house(scans=False)
    house.auth.make_user("jane", administrator=True)
    house.push("docks/crane", "1.0")
    jane = house.sign_in("jane")

    pages = jane.read(APP) + jane.read(f"{APP}/-/tags/1.0")

    assert stamps(pages) == []
    assert "Vulnerabilities" not in pages
    assert ">Scan<" not in pages
    assert jane.get(FOUND).status_code == 404
