"""What people do with a repository in the portal: look back, compare, describe, talk, delete."""

import re

import pytest

from services.auth.domain.teams import Role
from tests.pages.conftest import Browser, House
from tests.support.images import Pusher

APP = "/r/docks/crane"
ATTACK = "<script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1)) **bold**"


@pytest.fixture
def stock(stocked: tuple[House, Pusher]) -> tuple[House, Pusher]:
    """Jane owns docks, kate looks at it; two tags on one image, one on another, one moved on."""
    house, pusher = stocked
    house.auth.make_user("kate")
    team = house.auth.make_team("harbour", owner=house.auth.make_user("jane"), kate=Role.VIEWER)
    house.auth.make_namespace("docks", team=team)
    pusher.image("docks/crane", "1.0")
    pusher.retag("docks/crane", "1.0", "stable")
    pusher.image("docks/crane", "2.0")
    house.crawl("docks/crane")
    return house, pusher


@pytest.fixture
def jane(stock: tuple[House, Pusher]) -> Browser:
    return stock[0].sign_in("jane")


def boxes(page: str) -> dict[str, str]:
    """Return what the boxes of the tag table hold, by tag."""
    return {value.partition("@")[0]: value for value in re.findall(r'type="checkbox" name="tag" value="([^"]+)"', page)}


def test_chosen_tags_are_deleted_after_what_goes_with_them_was_shown(jane: Browser) -> None:
    chosen = boxes(jane.read(APP))
    assert set(chosen) == {"1.0", "2.0", "stable"}
    preview = f"{APP}/-/tag-deletion?tag={chosen['1.0']}&tag={chosen['2.0']}"

    asked = jane.read(preview)
    assert "Delete 2 tags?" in asked
    assert "The image stays under: stable" in asked
    assert "garbage collection gives back" in asked
    assert set(boxes(jane.read(APP))) == {"1.0", "2.0", "stable"}
    done = jane.client.post(
        f"{APP}/-/tag-deletion",
        data={"csrf_token": re.findall(r'csrf_token" value="([^"]+)', asked)[0], "tag": [chosen["1.0"], chosen["2.0"]]},
    )

    assert "2 tags are deleted" in jane.follow(done)
    assert set(boxes(jane.read(APP))) == {"stable"}


@pytest.mark.parametrize("keep", [False, True])
def test_a_signature_goes_with_its_image_unless_it_is_to_stay(
    stock: tuple[House, Pusher], jane: Browser, keep: bool
) -> None:
    house, pusher = stock
    signature = pusher.describe("docks/crane", "2.0")["digest"].replace(":", "-") + ".sig"
    pusher.artifact("docks/crane", signature)
    house.crawl("docks/crane")
    chosen = boxes(jane.read(APP))
    assert signature not in chosen
    page = f"{APP}/-/tag-deletion?tag={chosen['2.0']}"

    asked = jane.read(page)
    assert f"With the image goes 1 tag that is about it: {signature}" in asked
    assert 'name="keep_referrers"' in asked
    assert "left over" not in asked
    assert 'name="keep_referrers"' not in jane.read(f"{APP}/-/tag-deletion?tag={chosen['1.0']}")
    answer = jane.send(page, f"{APP}/-/tag-deletion", tag=chosen["2.0"], **({"keep_referrers": "yes"} if keep else {}))

    assert "1 tag is deleted" in jane.follow(answer)
    assert set(boxes(jane.read(APP))) == {"1.0", "stable"} | ({signature} if keep else set())


def test_a_tag_that_was_moved_meanwhile_stays_and_says_so(stock: tuple[House, Pusher], jane: Browser) -> None:
    house, pusher = stock
    chosen = boxes(jane.read(APP))
    pusher.retag("docks/crane", "2.0", "1.0")
    house.crawl("docks/crane")

    answer = jane.send(f"{APP}/-/settings", f"{APP}/-/tag-deletion", tag=chosen["1.0"])

    assert answer.status_code == 422
    assert "points at something else by now" in answer.text
    assert "1.0" in boxes(jane.read(APP))


def test_who_may_not_delete_sees_no_boxes_and_deletes_nothing(stock: tuple[House, Pusher], jane: Browser) -> None:
    kate = stock[0].sign_in("kate")
    chosen = boxes(jane.read(APP))

    assert boxes(kate.read(APP)) == {}
    for page, offer in ((f"{APP}/-/settings", "Delete the repository"), (f"{APP}/-/tags/1.0", "Delete this tag")):
        assert offer in jane.read(page)
        assert offer not in kate.read(page)
    assert kate.send(f"{APP}/-/settings", f"{APP}/-/tag-deletion", tag=chosen["1.0"]).status_code == 403
    assert len(boxes(jane.read(APP))) == 3


def test_a_repository_goes_after_its_name_was_typed(jane: Browser) -> None:
    page = f"{APP}/-/deletion"

    assert "3 tags: 1.0, 2.0, stable" in jane.read(page)
    assert jane.send(page, page, typed="crane").status_code == 422
    assert "is deleted" in jane.follow(jane.send(page, page, typed="docks/crane"))
    assert jane.get(APP).status_code == 404


def test_two_tags_are_compared(jane: Browser) -> None:
    page = jane.read(f"{APP}/-/compare/1.0...2.0")

    assert "Compare 1.0 with 2.0" in page
    assert "Added (2)" in page
    assert "Removed (2)" in page
    assert "Both are the same" in jane.read(f"{APP}/-/compare/1.0...stable")
    assert jane.get(f"{APP}/-/compare/1.0").status_code == 404
    assert jane.get(f"{APP}/-/compare/1.0...no-such-tag").status_code == 404
    assert jane.get(f"{APP}/-/compare?before=1.0&after=2.0").location == f"{APP}/-/compare/1.0...2.0"


def test_a_comparison_does_not_show_what_looks_secret(stock: tuple[House, Pusher], jane: Browser) -> None:
    house, pusher = stock
    for tag, value in (("old", "harbour-old"), ("new", "harbour-new")):
        config = {"Env": [f"DB_PASSWORD={value}"], "Cmd": ["serve", f"--token={value}"], "Labels": {"api_key": value}}
        pusher.image("docks/crane", tag, config=config)
    house.crawl("docks/crane")

    page = jane.read(f"{APP}/-/compare/old...new")

    assert "DB_PASSWORD" in page
    assert "api_key" in page
    assert "harbour-" not in page


def test_a_description_is_markdown_that_does_no_harm(jane: Browser) -> None:
    settings = f"{APP}/-/settings"

    page = jane.follow(jane.send(settings, settings, description=f"# Crane\n\n{ATTACK}"))

    assert "<h3>Crane</h3>" in page
    assert "<strong>bold</strong>" in page
    assert "<script>alert" not in page
    assert "<img" not in page
    assert 'href="javascript' not in page


def test_people_talk_below_a_repository(stock: tuple[House, Pusher], jane: Browser) -> None:
    comments = f"{APP}/-/comments"
    kate = stock[0].sign_in("kate")

    page = kate.follow(kate.send(comments, comments, body=ATTACK))
    assert "<strong>bold</strong>" in page
    assert "<script>alert" not in page
    assert kate.send(comments, comments, body="").status_code == 422
    of_deletion = rf"{comments}/\d+/delete"
    assert "kate" in jane.read(comments)
    # Jane owns the repository, and neither wrote it nor is an administrator.
    assert not re.search(of_deletion, jane.read(comments))
    assert re.search(of_deletion, stock[0].sign_in("admin").read(comments))
    gone = re.search(of_deletion, page)
    assert gone
    assert "Nobody has said anything" in kate.follow(kate.send(comments, gone[0]))


def test_a_star_is_put_on_and_taken_off(jane: Browser) -> None:
    starred = jane.follow(jane.send(APP, f"{APP}/-/star", starred="yes"))
    assert 'aria-pressed="true"' in re.findall(r'<button type="submit" class="star"[^>]*>', starred)[0]

    taken = jane.follow(jane.send(APP, f"{APP}/-/star"))
    assert 'aria-pressed="false"' in re.findall(r'<button type="submit" class="star"[^>]*>', taken)[0]


def test_the_past_and_what_has_no_tag_are_shown(stock: tuple[House, Pusher], jane: Browser) -> None:
    house, pusher = stock
    pusher.retag("docks/crane", "1.0", "2.0")
    house.crawl("docks/crane")

    past = jane.read(f"{APP}/-/history")
    assert "seen by a crawl" in past
    assert "2.0" in past
    assert "stable" not in jane.read(f"{APP}/-/history?q=2")
    assert "/-/digests/sha256:" in jane.read(f"{APP}/-/untagged")


def test_anonymous_people_see_the_parts_of_a_public_repository_and_change_nothing(stock: tuple[House, Pusher]) -> None:
    house, _pusher = stock
    jane, nobody = house.sign_in("jane"), house.browser()
    settings = "/namespaces/docks/settings"
    jane.follow(jane.send(settings, settings, description="", visibility="public", team="harbour"))

    for part in ("", "/-/untagged", "/-/history", "/-/comments", "/-/compare/1.0...2.0"):
        assert nobody.get(APP + part).status_code == 200
    assert nobody.get(f"{APP}/-/settings").status_code == 303
    assert nobody.get(f"{APP}/-/deletion").status_code == 303
    assert boxes(nobody.read(APP)) == {}


def tags_of(page: str) -> list[str]:
    """Return the names in the tag table, from top to bottom."""
    return re.findall(r'class="tag-name"[^>]*title="([^"]+)"', page)


def test_tags_are_sorted_and_narrowed_in_the_address(stock: tuple[House, Pusher], jane: Browser) -> None:
    house, pusher = stock
    pusher.image("docks/crane", "10.0", architecture="arm64", layer_bytes=(90_000,))
    house.crawl("docks/crane")

    assert tags_of(jane.read(f"{APP}?sort=version"))[:3] == ["10.0", "2.0", "1.0"]
    assert tags_of(jane.read(f"{APP}?sort=largest"))[0] == "10.0"
    assert tags_of(jane.read(f"{APP}?sort=name")) == ["1.0", "10.0", "2.0", "stable"]
    assert tags_of(jane.read(f"{APP}?platform=linux/arm64")) == ["10.0"]
    assert "is for windows/amd64" in jane.read(f"{APP}?platform=windows/amd64")
    assert len(tags_of(jane.read(f"{APP}?sort=no-such-order"))) == 4
    assert '<option value="version" selected' in jane.read(f"{APP}?sort=version")


def test_images_stand_once_with_all_their_tags(jane: Browser) -> None:
    page = jane.read(f"{APP}/-/digests")

    assert len(re.findall(r'class="lead-cell"', page)) == 2
    assert re.search(r">1\.0</a>.*>stable</a>|>stable</a>.*>1\.0</a>", page)


def test_a_tag_that_moved_or_must_not_move_is_marked(stock: tuple[House, Pusher], jane: Browser) -> None:
    house, _pusher = stock
    house.push("docks/crane", "2.0", by="olga")
    admin = house.sign_in("admin")
    admin.send("/admin/retention", "/admin/retention/immutable", tags="1.*", namespace="*", repositories="")

    rows = {tag: row for row in jane.read(APP).split("<tr")[2:] for tag in tags_of(row)}

    assert "must not move" in rows["1.0"]
    assert "moved before" in rows["2.0"]
    assert "must not move" not in rows["2.0"]


def test_activity_and_access_of_a_repository(stock: tuple[House, Pusher], jane: Browser) -> None:
    house, _pusher = stock
    house.push("docks/crane", "3.0", by="olga")

    assert "pushes in 30 days" in jane.read(f"{APP}/-/activity")
    access = jane.read(f"{APP}/-/access")
    assert "Who can push" in access
    assert "kate" in access
    assert "Who can push" not in house.sign_in("kate").read(f"{APP}/-/access")
    house.auth.make_user("stranger")
    stranger = house.sign_in("stranger")
    for part in ("digests", "activity", "access"):
        assert stranger.get(f"{APP}/-/{part}").status_code == 404


def test_a_configuration_is_shown_as_it_lies_there_on_demand(jane: Browser) -> None:
    assert "&#34;architecture&#34;" not in jane.read(f"{APP}/-/tags/1.0")

    assert "&#34;architecture&#34;" in jane.read(f"{APP}/-/tags/1.0?show=config")


def test_an_artifact_is_compared_with_another_from_its_own_page(jane: Browser) -> None:
    page = jane.read(f"{APP}/-/tags/2.0")
    assert f'action="{APP}/-/compare"' in page
    assert 'name="after" value="2.0"' in page

    answer = jane.get(f"{APP}/-/compare?before=1.0&after=2.0")
    wrong = jane.get(f"{APP}/-/compare?before=no+tag&after=2.0")

    assert answer.location == f"{APP}/-/compare/1.0...2.0"
    assert "“no tag” is neither a tag nor a digest" in jane.follow(wrong)
    assert jane.get(f"{APP}/-/compare?before=&after=2.0").status_code == 303


def test_what_is_empty_in_the_registry_is_listed_on_a_page_of_its_own(
    stock: tuple[House, Pusher], jane: Browser
) -> None:
    house, _ = stock
    assert "No repository is empty" in jane.read("/ghosts")
    house.find_ghost("docks/barge")
    house.find_ghost("secret/barge")

    page = jane.read("/ghosts")

    assert "barge" in page
    assert "secret" not in page
    assert "barge" not in jane.read("/repositories")
    assert 'href="/ghosts"' in jane.read("/repositories")
