"""An index is scanned by the images that it lists."""

from datetime import timedelta

import pytest

from services.catalog.domain.scans import DEFAULT_SCANNER, ScanState
from services.catalog.storage.pending import drop_pending
from services.catalog.storage.scan_planning import ask_again
from services.catalog.storage.scan_queries import LEFT_OUT, WAITING, find_scan
from shared.oci.names import Digest
from tests.support.images import on
from tests.support.scan_house import APP, OTHER, PERIOD, House
from tests.support.scanner_adapter import vulnerability


@pytest.fixture
def index(house: House) -> dict[str, Digest]:
    """An index of two images, with something that is about one of them."""
    pusher = house.pusher()
    amd, arm = pusher.image(APP), pusher.image(APP, architecture="arm64")
    attestation = pusher.artifact(APP, None, config_type="application/vnd.oci.image.config.v1+json")
    about = {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    entries = [on(amd, "linux", "amd64"), on(arm, "linux", "arm64"), {**attestation, **about}]
    both = pusher.index(APP, "1.0", entries)
    for one in (amd, arm, attestation):
        house.pushed(None, one)
    found = {"amd": amd, "arm": arm, "attestation": attestation, "index": both}
    house.pushed("1.0", both)
    return {name: Digest(one["digest"]) for name, one in found.items()}


def test_an_index_has_what_its_images_have(house: House, index: dict[str, Digest]) -> None:
    shared = vulnerability("CVE-1", "Medium")
    house.adapter.findings |= {
        index["amd"]: [shared],
        index["arm"]: [shared, vulnerability("CVE-2", "Critical")],
    }

    house.work()

    scan = house.scan(index["index"])
    assert (scan.state, scan.severity, scan.total) == (ScanState.DONE, "Critical", 2)
    assert house.found(index["index"]) == ["CVE-2", "CVE-1"]
    assert set(house.adapter.digests) == {index["amd"], index["arm"]}
    assert [one["digest"] for one in house.told()] == [index["index"]]


def test_an_index_has_what_images_have_that_were_scanned_at_one_moment(house: House, index: dict[str, Digest]) -> None:
    house.adapter.findings |= {index["amd"]: [vulnerability("CVE-1")], index["arm"]: [vulnerability("CVE-2")]}
    house.frozen = house.clock()

    house.work()

    assert house.found(index["index"]) == ["CVE-1", "CVE-2"]


def test_an_index_is_not_done_while_an_image_of_it_is_not(house: House, index: dict[str, Digest]) -> None:
    house.plan()
    scanner = house.scanner()
    while house.scan(index["arm"]).state is not ScanState.DONE and house.scan(index["amd"]).state is not (
        ScanState.DONE
    ):
        scanner.scan_next(0, "worker")
    scanner.scan_next(0, "worker")

    assert house.scan(index["index"]).state is not ScanState.DONE
    house.work()
    assert house.scan(index["index"]).state is ScanState.DONE


def test_an_index_fails_with_an_image_and_says_which(house: House, index: dict[str, Digest]) -> None:
    house.adapter.report = b"nonsense"

    house.work()

    scan = house.scan(index["index"])
    assert scan.state is ScanState.FAILED
    assert (scan.reason or "").startswith("linux/a")


def test_an_index_follows_its_images(house: House, index: dict[str, Digest]) -> None:
    house.work()
    assert house.scan(index["index"]).total == 0
    house.adapter.findings[index["arm"]] = [vulnerability("CVE-3", "High")]

    house.ahead += PERIOD
    house.work()

    assert (house.scan(index["index"]).severity, house.found(index["index"])) == ("High", ["CVE-3"])


def test_images_of_an_index_that_is_gone_are_dropped(house: House, index: dict[str, Digest]) -> None:
    house.work()
    assert house.count_rows()[0] == 3

    house.deleted(tag="1.0")
    house.plan()
    house.plan()

    assert house.count_rows()[0] == 0


def test_before_anything_is_planned_is_known_what_will_be_scanned(house: House, index: dict[str, Digest]) -> None:
    """What would never be scanned does not wait."""
    index["untagged"] = house.pushed(None, house.pusher().image(APP))
    scanned = {"index", "amd", "arm"}

    with house.database.read() as connection:
        before = {name: find_scan(connection, digest) for name, digest in index.items()}
    house.work()

    assert before == {name: WAITING if name in scanned else LEFT_OUT for name in index}
    with house.database.read() as connection:
        after = {name: find_scan(connection, digest).state for name, digest in index.items()}
    assert after == {name: ScanState.DONE if name in scanned else ScanState.UNSUPPORTED for name in index}


def test_asking_for_an_index_asks_for_its_images(house: House, index: dict[str, Digest]) -> None:
    house.work()

    with house.database.write() as connection:
        assert ask_again(connection, DEFAULT_SCANNER, [index["index"]], now=house.clock()) == 3
    house.work()

    assert len(house.adapter.digests) == 4
    assert house.scan(index["index"]).state is ScanState.DONE


def test_an_index_of_what_cannot_be_scanned_cannot_be_either(house: House) -> None:
    """[BUG] of SUSE Portus 8.3: a list was scanned again each round."""
    pusher = house.pusher()
    odd = pusher.artifact(APP, None)
    index = pusher.index(APP, "odd", [odd])
    house.pushed(None, odd)
    digest = house.pushed("odd", index)

    house.work()

    assert house.scan(digest).state is ScanState.UNSUPPORTED
    assert house.adapter.digests == []


def make_sparse(house: House) -> dict[str, Digest]:
    """Return an index of two images of which the registry has one, and what it lists."""
    pusher = house.pusher()
    amd, arm = pusher.image(APP), pusher.image(APP, architecture="arm64")
    index = pusher.index(APP, "1.0", [on(amd, "linux", "amd64"), on(arm, "linux", "arm64")])
    house.lose(arm["digest"])
    house.pushed("1.0", index)
    return {name: Digest(one["digest"]) for name, one in {"amd": amd, "arm": arm, "index": index}.items()}


def test_an_index_waits_for_an_image_that_may_still_come_and_for_no_other(house: House) -> None:
    found = make_sparse(house)
    house.work()
    assert house.scan(found["index"]).state is ScanState.WORKING

    with house.database.write() as connection:
        drop_pending(connection, [found["arm"]])
    house.ahead += timedelta(hours=1)
    house.work()

    assert (house.scan(found["index"]).state, house.scan(found["index"]).reason) == (ScanState.DONE, None)
    assert (house.adapter.digests, house.count_rows()[0]) == ([found["amd"]], 2)


def test_asking_for_an_index_asks_for_those_images_only_that_can_be_had(house: House) -> None:
    found = make_sparse(house)
    with house.database.write() as connection:
        drop_pending(connection, [found["arm"]])

        assert ask_again(connection, DEFAULT_SCANNER, [found["index"]], now=house.clock()) == 2


def test_an_image_is_scanned_where_it_was_pushed_and_not_where_an_index_lists_it(house: House) -> None:
    pusher = house.pusher()
    image = pusher.image(APP, "amd")
    house.copy("amd", image, OTHER)
    index = pusher.index(APP, "1.0", [on(image, "linux", "amd64")])
    house.lose(image["digest"])

    digest = house.pushed("1.0", index)
    house.work()

    assert house.scan(digest).state is ScanState.DONE
    assert [scan["artifact"]["repository"] for scan in house.adapter.scans.values()] == [OTHER]


def test_an_image_of_a_platform_is_scanned_whatever_its_annotations_say(house: House) -> None:
    pusher = house.pusher()
    image = pusher.image(APP)
    hidden = {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    index = pusher.index(APP, "1.0", [{**on(image, "linux", "amd64"), **hidden}])
    house.pushed(None, image)
    house.adapter.findings[""] = [vulnerability("CVE-1", "Critical")]

    digest = house.pushed("1.0", index)
    house.work()
    with house.database.write() as connection:
        asked = ask_again(connection, DEFAULT_SCANNER, [digest], now=house.clock())

    assert (house.found(digest), asked) == (["CVE-1"], 2)


def test_an_index_says_which_platform_its_result_says_nothing_about(house: House) -> None:
    pusher = house.pusher()
    read, unread = pusher.image(APP), pusher.image(APP, architecture="arm64", docker=True)
    # Without its platform it would be no loss, so it is listed like that, too.
    index = pusher.index(APP, "1.0", [on(read, "linux", "amd64"), on(unread, "linux", "arm64"), unread])
    for one in (read, unread):
        house.pushed(None, one)
    house.adapter.consumes = [read["mediaType"]]

    digest = house.pushed("1.0", index)
    house.work()

    scan = house.scan(digest)
    assert (scan.state, scan.total) == (ScanState.DONE, 0)
    assert scan.reason == f"linux/arm64 was not scanned: The scanner does not read {unread['mediaType']}."
