"""Retention on a real registry: what goes is gone there too, and what is needed stays."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest
from werkzeug import Response

from services.catalog.domain.retention import TOO_LARGE
from services.catalog.storage.leases import take_lease
from services.catalog.storage.retention import (
    OUTCOMES,
    RUNS,
    OutcomeRow,
    RunRow,
    find_environment_rule,
    list_outcomes,
    list_runs,
)
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.delete_content import ContentDeleter
from services.catalog.usecases.registry import RegistryUnavailable
from services.catalog.usecases.retention import (
    ENVIRONMENT_RULE,
    NewRule,
    RetentionDesk,
    RuleInvalid,
    keep_environment_rule,
)
from services.catalog.usecases.retry_fetches import retry_fetches
from services.catalog.usecases.run_retention import LEASE, LEASE_TTL, look_at, run_retention
from services.catalog.usecases.surroundings import WITHIN_A_REQUEST, LookLimits
from shared.api.paging import ListRequest, PageRequest
from shared.clock import utc_now
from shared.database import Database
from shared.oci.names import RepositoryName
from shared.visibility.answers import Caller, Visibility
from tests.storage.catalog.snapshots import shown_index
from tests.support.catalog_clients import new_client
from tests.support.images import Pusher, on
from tests.support.registry_proxy import RegistryProxy, refuses
from tests.support.serving import serving
from tests.support.waiting import wait_until

ROOT = Visibility(everything=True, caller=Caller("root", "person", administrator=True))
Run = Callable[..., RunRow]


@pytest.fixture
def desk(database: Database) -> RetentionDesk:
    return RetentionDesk(ROOT, lambda repository, actions: {}, database, utc_now, 1000)


@pytest.fixture
def run(database: Database, proxy: RegistryProxy, desk: RetentionDesk) -> Run:
    """A function that lets a rule run some days from now, and returns what came of it."""

    def run(terms: dict[str, Any], *, namespace: str | None = None, days: float = 0, name: str = "rule") -> RunRow:
        rule = desk.add_rule(NewRule(name, namespace, True, 24, terms))
        later = replace(desk, clock=lambda: utc_now() + timedelta(days=days))
        later.request_run(rule.id)
        go_on(database, proxy, days=days)
        return runs(database)[0]

    return run


def go_on(database: Database, proxy: RegistryProxy, *, days: float = 0, limits: LookLimits = WITHIN_A_REQUEST) -> bool:
    def clock() -> datetime:
        return utc_now() + timedelta(days=days)

    with serving(proxy.app()) as url:
        deleter = ContentDeleter(database, new_client(url), clock, limits)
        return run_retention(deleter, holder="us", stop=Event(), database=database, clock=clock)


def runs(database: Database) -> list[RunRow]:
    with database.read() as connection:
        return list(list_runs(connection, ListRequest(PageRequest(), RUNS.order), namespaces=None).rows)


def outcomes(database: Database, run: RunRow) -> list[OutcomeRow]:
    with database.read() as connection:
        return list(list_outcomes(connection, run.id, ListRequest(PageRequest(per_page=100), OUTCOMES.order)).rows)


def test_what_is_not_among_the_newest_goes(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, run: Run
) -> None:
    for name in ("team/app", "team/web"):
        for tag in ("1.0.0", "1.1.0", "1.2.0"):
            pusher.image(name, tag)
        crawler.crawl(RepositoryName(name))

    done = run({"keep_newest": 1, "newest": "version"})

    assert shown_index(database).keys() == {"team/app", "team/web"}
    assert [sorted(tags) for tags in shown_index(database).values()] == [["1.2.0"], ["1.2.0"]]
    assert sorted(crawler.registry.list_tags(RepositoryName("team/app")).tags) == ["1.2.0"]
    assert (done.repositories, done.kept, done.deleted, done.failed) == (2, 2, 4, 0)
    assert {one.reason for one in outcomes(database, done)} == {"not among the newest 1"}


def test_case_179_a_digest_that_a_kept_tag_or_index_needs_stays(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, run: Run
) -> None:
    """On 2.8, where a digest goes with all its tags."""
    shared = pusher.image("team/app", "ci-1")
    pusher.retag("team/app", "ci-1", "stable")
    child = pusher.image("team/app", "ci-2")
    pusher.index("team/app", "multi", [on(child, "linux", "amd64")])
    pusher.image("team/app", "ci-3")
    crawler.crawl(RepositoryName("team/app"))

    done = run({"keep_newest": 0, "tags": ["ci-*"]})

    assert done.deleted == 3
    assert sorted(shown_index(database)["team/app"]) == ["multi", "stable"]
    for reference in ("stable", shared["digest"], child["digest"], "multi"):
        assert pusher.read("team/app", reference)


def test_a_label_of_its_images_protects_an_index(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, run: Run
) -> None:
    kept = {"Labels": {"keep": "yes"}}
    platforms = [
        on(pusher.image("team/app", architecture=one, config=kept), "linux", one) for one in ("amd64", "arm64")
    ]
    pusher.index("team/app", "multi", platforms)
    pusher.image("team/app", "single", config=kept)
    pusher.image("team/app", "plain")
    crawler.crawl(RepositoryName("team/app"))

    done = run({"keep_newest": 0, "except_labels": {"keep": None}})

    assert (done.kept, done.deleted) == (2, 1)
    assert sorted(crawler.registry.list_tags(RepositoryName("team/app")).tags) == ["multi", "single"]


def test_what_is_not_read_yet_stays_until_it_is(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, proxy: RegistryProxy, run: Run, desk: RetentionDesk
) -> None:
    child = pusher.image("team/app")
    pusher.index("team/app", "multi", [on(child, "linux", "amd64")])
    proxy.refuse = lambda request: Response("no", 503) if child["digest"] in request.path else None
    crawler.crawl(RepositoryName("team/app"))

    waits = run({"keep_newest": 0, "except_labels": {"keep": None}})

    assert (waits.kept, waits.deleted) == (1, 0)
    proxy.refuse = lambda request: None
    retry_fetches(database=database, fetcher=crawler.fetcher, clock=lambda: utc_now() + timedelta(days=1))
    desk.request_run(waits.rule_id)
    go_on(database, proxy)
    assert (runs(database)[0].deleted, shown_index(database)) == (1, {})


def test_a_tag_or_index_of_which_nothing_was_heard_keeps_what_it_needs(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, run: Run
) -> None:
    for tag in ("ci-1", "ci-2", "ci-3", "stable"):
        pusher.image("team/app", tag)
    crawler.crawl(RepositoryName("team/app"))
    pusher.retag("team/app", "ci-1", "stable")
    child = pusher.describe("team/app", "ci-2")
    pusher.index("team/app", "multi", [on(child, "linux", "amd64")])

    done = run({"keep_newest": 0, "tags": ["ci-*"]})

    assert done.deleted == 3
    assert sorted(crawler.registry.list_tags(RepositoryName("team/app")).tags) == ["multi", "stable"]
    for reference in ("stable", "multi", child["digest"]):
        assert pusher.read("team/app", reference)


def test_what_is_about_an_image_goes_with_it_or_stays(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, run: Run
) -> None:
    signatures = {}
    for tag in ("old", "new"):
        image = pusher.image("team/app", tag)
        signatures[tag] = image["digest"].replace(":", "-") + ".sig"
        pusher.artifact("team/app", signatures[tag], content=tag.encode())
    crawler.crawl(RepositoryName("team/app"))

    done = run({"keep_newest": 0, "except_tags": ["new"]})

    assert (done.deleted, done.kept) == (1, 1)
    assert set(crawler.registry.list_tags(RepositoryName("team/app")).tags) == {"new", signatures["new"]}
    assert set(shown_index(database)["team/app"]) == {"new"}


def test_a_repository_is_looked_through_once_in_a_run(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, proxy: RegistryProxy, run: Run
) -> None:
    for number in range(12):
        pusher.image("team/app", f"ci-{number}")
    crawler.crawl(RepositoryName("team/app"))
    proxy.seen.clear()

    done = run({"keep_newest": 2})

    assert done.deleted == 10
    # Each of the twelve for the look, and each of the ten before it goes.
    assert [verb for verb, _path in proxy.seen].count("HEAD") == 22
    assert [path for _verb, path in proxy.seen].count("/v2/team/app/tags/list") == 1


def test_only_what_is_old_and_in_the_namespace_goes(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, run: Run
) -> None:
    for name in ("team/app", "other/app", "top"):
        pusher.image(name, "1.0")
        crawler.crawl(RepositoryName(name))

    young = run({"older_than_days": 30}, namespace="team", days=20)
    old = run({"older_than_days": 30}, namespace="team", days=31, name="again")

    assert (young.deleted, old.deleted) == (0, 1)
    assert list(shown_index(database)) == ["other/app", "top"]
    assert run({"keep_newest": 0}, namespace="", name="global").deleted == 1
    assert list(shown_index(database)) == ["other/app"]


def test_a_refusal_is_reported_and_tried_again_by_the_next_run(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, proxy: RegistryProxy, run: Run, desk: RetentionDesk
) -> None:
    pusher.image("team/app", "1.0")
    crawler.crawl(RepositoryName("team/app"))
    proxy.refuse = lambda request: Response("{}", 405) if request.method == "DELETE" else None

    refused = run({"keep_newest": 0})

    assert (refused.deleted, refused.failed) == (0, 1)
    assert "storage.delete.enabled" in (outcomes(database, refused)[0].fault or "")
    assert list(shown_index(database)) == ["team/app"]
    proxy.refuse = lambda request: None
    desk.request_run(refused.rule_id)
    go_on(database, proxy)
    assert (runs(database)[0].deleted, shown_index(database)) == (1, {})


def test_a_registry_that_refuses_everything_ends_the_run(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, proxy: RegistryProxy, run: Run
) -> None:
    for number in range(25):
        pusher.image("team/app", str(number))
    crawler.crawl(RepositoryName("team/app"))
    proxy.refuse = lambda request: Response("{}", 405) if request.method == "DELETE" else None

    refused = run({"keep_newest": 0})

    assert refused.failed == 20
    assert "20 deletions were refused" in (refused.fault or "")
    assert refused.finished_at is not None


def test_a_registry_that_is_away_is_waited_for(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, proxy: RegistryProxy, run: Run
) -> None:
    for name in ("team/app", "team/web"):
        pusher.image(name, "1.0")
        crawler.crawl(RepositoryName(name))
    ended: list[str] = []

    def ends(request: Any) -> Response | None:
        ended.extend(part for part in ("team/web",) if part in request.path)
        return Response("no", 503) if ended else None

    proxy.refuse = ends

    with pytest.raises(RegistryUnavailable):
        run({"keep_newest": 0})

    (broken_off,) = runs(database)
    assert (broken_off.position, broken_off.deleted, broken_off.finished_at) == ("team/app", 1, None)
    proxy.refuse = lambda request: None
    assert go_on(database, proxy)
    (done,) = runs(database)
    assert (done.deleted, done.fault, shown_index(database)) == (2, None, {})


def test_one_tag_without_an_answer_holds_up_nothing_else(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, proxy: RegistryProxy, run: Run
) -> None:
    for name, tag in (("team/app", "a"), ("team/app", "old"), ("team/app", "z"), ("team/web", "1.0")):
        pusher.image(name, tag)
        crawler.crawl(RepositoryName(name))
    proxy.refuse = refuses(500, "HEAD", "/team/app/manifests/old")

    done = run({"keep_newest": 0})

    assert (done.repositories, done.deleted, done.failed) == (2, 3, 1)
    assert done.finished_at is not None
    assert "team/app" in (done.fault or "")
    assert [one.tag for one in outcomes(database, done) if one.fault] == ["old"]
    assert shown_index(database).keys() == {"team/app"}
    assert crawler.registry.list_tags(RepositoryName("team/web")).tags == []


def test_a_repository_that_cannot_be_read_is_left_soon(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, proxy: RegistryProxy, run: Run
) -> None:
    for name, tag in [*(("team/app", str(number)) for number in range(7)), ("team/web", "1.0")]:
        pusher.image(name, tag)
        crawler.crawl(RepositoryName(name))
    proxy.refuse = lambda request: Response("no", 500) if "/team/app/" in request.path else None

    done = run({"keep_newest": 0})

    assert (done.repositories, done.deleted, done.failed) == (2, 1, 5)
    assert "team/app" in (done.fault or "")
    assert shown_index(database).keys() == {"team/app"}


def test_a_signature_without_an_answer_is_told_with_what_it_was_about(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, proxy: RegistryProxy, run: Run
) -> None:
    pusher.image("team/app", "new")
    signature = pusher.image("team/app", "old")["digest"].replace(":", "-") + ".sig"
    about = pusher.artifact("team/app", signature)
    crawler.crawl(RepositoryName("team/app"))
    proxy.refuse = refuses(503, "DELETE", about["digest"])

    done = run({"keep_newest": 0, "except_tags": ["new"]})

    (told,) = outcomes(database, done)
    assert signature in (told.fault or "")
    assert shown_index(database)["team/app"].keys() == {"new", signature}


def test_where_there_are_too_many_tags_each_goes_alone_and_that_is_said(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, proxy: RegistryProxy, desk: RetentionDesk
) -> None:
    images = [pusher.image("team/app", tag) for tag in ("1.0", "1.1", "1.2")]
    crawler.crawl(RepositoryName("team/app"))
    terms, desk = {"keep_newest": 0, "except_tags": ["1.2"]}, replace(desk, max_tags=2)

    foretold = desk.preview(None, terms)
    rule = desk.add_rule(NewRule("rule", None, True, 24, terms))
    desk.request_run(rule.id)
    go_on(database, proxy, limits=LookLimits(max_tags=2))

    alone = f"not among the newest 0, {TOO_LARGE}"
    assert [one.verdict.reason for one in foretold.verdicts] == [alone, alone, "its name is excepted"]
    assert [one.reason for one in outcomes(database, runs(database)[0])] == [alone, alone]
    assert [bool(pusher.read("team/app", image["digest"])) for image in images] == [True, True, True]


@pytest.fixture
def left(database: Database, pusher: Pusher, crawler: RepositoryCrawler, proxy: RegistryProxy, run: Run) -> str:
    """A signature that could not be deleted with its image."""
    pusher.image("team/app", "new")
    signature: str = pusher.image("team/app", "old")["digest"].replace(":", "-") + ".sig"
    about = pusher.artifact("team/app", signature)
    crawler.crawl(RepositoryName("team/app"))
    pusher.copy_image("team/app", "old", "other/app")
    proxy.refuse = refuses(503, "DELETE", about["digest"])
    run({"keep_newest": 0, "tags": ["old"]})
    return signature


def test_a_signature_that_was_left_is_tried_again_by_every_next_run(
    database: Database, crawler: RepositoryCrawler, proxy: RegistryProxy, desk: RetentionDesk, left: str
) -> None:
    rule = runs(database)[0].rule_id
    desk.request_run(rule)
    go_on(database, proxy)
    refused = runs(database)[0]
    (told,) = outcomes(database, refused)
    assert (told.tag, told.reason) == (left, "about an image that an earlier run has deleted")
    assert (refused.failed, refused.kept, bool(told.fault)) == (1, 1, True)

    proxy.refuse = lambda request: None
    for _ in range(2):
        desk.request_run(rule)
        go_on(database, proxy)

    last, before = runs(database)[:2]
    assert [(one.deleted, one.failed) for one in (before, last)] == [(1, 0), (0, 0)]
    assert crawler.registry.list_tags(RepositoryName("team/app")).tags == ["new"]


def test_a_signature_stays_whose_image_was_pushed_again(
    database: Database,
    pusher: Pusher,
    crawler: RepositoryCrawler,
    proxy: RegistryProxy,
    desk: RetentionDesk,
    left: str,
) -> None:
    proxy.refuse = lambda request: None
    image = pusher.manifest("team/app", "again", pusher.read("other/app", "old"))

    def is_seen() -> bool:
        # A crawl sees by the registry's clock, to the second: what was deleted in the same one is not back yet.
        crawler.crawl(RepositoryName("team/app"))
        return bool(shown_index(database)["team/app"].get("again") == image["digest"])

    wait_until(is_seen, what=lambda: "the image that was pushed again")

    for _ in range(2):
        desk.request_run(runs(database)[0].rule_id)
        go_on(database, proxy)
        assert set(crawler.registry.list_tags(RepositoryName("team/app")).tags) == {"new", "again", left}


@pytest.mark.parametrize(("rate", "tags"), [(0, 20_000), (100, 20_000), (10, 3000), (1, 300)])
def test_a_look_is_begun_where_it_can_be_ended_while_the_lease_is_ours(rate: int, tags: int) -> None:
    limits = look_at(rate)

    assert limits.max_tags == tags
    assert tags <= (rate or 10**6) * limits.budget_s
    assert limits.budget_s < LEASE_TTL.total_seconds()


def test_a_rule_runs_when_it_is_due(database: Database, proxy: RegistryProxy, desk: RetentionDesk) -> None:
    desk.add_rule(NewRule("rule", None, True, 24, {"keep_newest": 1}))
    desk.add_rule(NewRule("off", None, False, 1, {"keep_newest": 1}))

    assert not go_on(database, proxy, days=0.9)
    assert go_on(database, proxy, days=1.1)
    assert not go_on(database, proxy, days=1.2)
    assert [one.requested_by for one in runs(database)] == [None]


def test_portus_s_garbage_collector_is_a_rule_of_the_environment(database: Database, desk: RetentionDesk) -> None:
    terms = {"older_than_days": 30, "unpulled_days": 30, "keep_newest": 5, "tag_pattern": "^ci"}
    keep_environment_rule(terms, database=database, clock=utc_now)
    keep_environment_rule({**terms, "keep_newest": 6}, database=database, clock=utc_now)

    with database.read() as connection:
        rule = find_environment_rule(connection)
    assert rule is not None
    assert (rule.namespace, rule.created_by, rule.terms) == (None, "", {**terms, "keep_newest": 6})
    with pytest.raises(RuleInvalid):
        desk.delete_rule(rule.id)
    keep_environment_rule(None, database=database, clock=utc_now)
    with database.read() as connection:
        assert find_environment_rule(connection) is None


def test_nobody_s_rule_has_the_name_of_the_environment_s(database: Database, desk: RetentionDesk) -> None:
    theirs = desk.add_rule(NewRule("mine", "team", True, 24, {"keep_newest": 1}))

    with pytest.raises(RuleInvalid):
        desk.add_rule(NewRule(ENVIRONMENT_RULE, "team", True, 24, {"keep_newest": 1}))
    with pytest.raises(RuleInvalid):
        desk.change_rule(
            theirs.id,
            lambda known: NewRule(ENVIRONMENT_RULE, "team", True, 24, {"keep_newest": 1}),
            expected=lambda known: None,
        )
    keep_environment_rule({"keep_newest": 6}, database=database, clock=utc_now)
    keep_environment_rule(None, database=database, clock=utc_now)

    assert desk.get_rule(theirs.id) == theirs


def test_what_is_tried_again_after_an_outage_is_counted_once(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, proxy: RegistryProxy, run: Run
) -> None:
    for tag in ("a", "b", "c", "stays"):
        pusher.image("team/app", tag)
    crawler.crawl(RepositoryName("team/app"))
    seen: list[str] = []

    def refuse(request: Any) -> Response | None:
        if request.method == "DELETE":
            seen.append(request.path)
        if len(seen) >= 3:
            return Response("no", 503)
        if request.method != "DELETE":
            return None
        return Response("{}", 405) if len(seen) == 1 else None

    proxy.refuse = refuse
    with pytest.raises(RegistryUnavailable):
        run({"keep_newest": 0, "except_tags": ["stays"]})
    (broken_off,) = runs(database)
    assert (broken_off.repositories, broken_off.kept, broken_off.deleted, broken_off.failed) == (0, 0, 1, 1)
    proxy.refuse = lambda request: None
    assert go_on(database, proxy)

    (done,) = runs(database)
    assert (done.repositories, done.kept, done.deleted, done.failed) == (1, 1, 3, 0)
    assert len(outcomes(database, done)) == 3


def test_a_run_whose_rule_goes_ends_before_its_next_deletion(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, proxy: RegistryProxy, run: Run, desk: RetentionDesk
) -> None:
    for tag in ("a", "b", "c"):
        pusher.image("team/app", tag)
    crawler.crawl(RepositoryName("team/app"))

    def delete_the_rule(request: Any) -> None:
        if request.method == "DELETE":
            for one in runs(database):
                desk.delete_rule(one.rule_id)

    proxy.refuse = delete_the_rule
    rule = desk.add_rule(NewRule("rule", None, True, 24, {"keep_newest": 0}))
    desk.request_run(rule.id)
    go_on(database, proxy)

    assert len(shown_index(database)["team/app"]) == 2
    assert runs(database) == []


@pytest.mark.parametrize("change", [{"enabled": False}, {"terms": {"keep_newest": 0, "except_tags": ["*"]}}], ids=str)
def test_a_run_whose_rule_changes_ends_before_its_next_deletion(
    change: dict[str, Any],
    database: Database,
    pusher: Pusher,
    crawler: RepositoryCrawler,
    proxy: RegistryProxy,
    desk: RetentionDesk,
) -> None:
    """Somebody who sees the wrong tags go mends the rule, and does not wait for the end of the run."""
    for tag in ("a", "b", "c"):
        pusher.image("team/app", tag)
    crawler.crawl(RepositoryName("team/app"))
    wanted = NewRule("rule", None, True, 24, {"keep_newest": 0})
    rule = desk.add_rule(wanted)

    def change_the_rule(request: Any) -> None:
        if request.method == "DELETE":
            desk.change_rule(rule.id, lambda _known: replace(wanted, **change), expected=lambda _known: None)

    proxy.refuse = change_the_rule
    desk.request_run(rule.id)
    go_on(database, proxy)

    assert len(shown_index(database)["team/app"]) == 2
    (ended,) = runs(database)
    assert (ended.deleted, ended.finished_at is not None) == (1, True)
    assert "changed" in (ended.fault or "")


def test_a_rule_that_is_off_runs_when_somebody_asks(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, proxy: RegistryProxy, desk: RetentionDesk
) -> None:
    pusher.image("team/app", "a")
    crawler.crawl(RepositoryName("team/app"))
    rule = desk.add_rule(NewRule("rule", None, False, 24, {"keep_newest": 0}))

    desk.request_run(rule.id)
    go_on(database, proxy)

    assert (runs(database)[0].deleted, shown_index(database)) == (1, {})


def test_a_due_run_that_was_interrupted_does_not_go_on_once_its_rule_is_off(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, proxy: RegistryProxy, desk: RetentionDesk
) -> None:
    pusher.image("team/app", "a")
    crawler.crawl(RepositoryName("team/app"))
    wanted = NewRule("rule", None, True, 24, {"keep_newest": 0})
    rule = desk.add_rule(wanted)
    proxy.refuse = lambda request: Response("", 503)
    with pytest.raises(RegistryUnavailable):
        go_on(database, proxy, days=2)
    desk.change_rule(rule.id, lambda _known: replace(wanted, enabled=False), expected=lambda _known: None)

    proxy.refuse = lambda request: None
    go_on(database, proxy, days=2)

    (ended,) = runs(database)
    assert (ended.deleted, ended.finished_at is not None) == (0, True)
    assert list(shown_index(database)) == ["team/app"]


def test_a_worker_that_was_taken_for_dead_deletes_no_more(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, proxy: RegistryProxy, desk: RetentionDesk
) -> None:
    for tag in ("a", "b", "c"):
        pusher.image("team/app", tag)
    crawler.crawl(RepositoryName("team/app"))

    def another_takes_over(request: Any) -> None:
        if request.method == "DELETE":
            later = utc_now() + timedelta(hours=1)
            with database.write() as connection:
                take_lease(connection, LEASE, "another", now=later, ttl=timedelta(hours=2))

    proxy.refuse = another_takes_over
    rule = desk.add_rule(NewRule("rule", None, True, 24, {"keep_newest": 0}))
    desk.request_run(rule.id)
    go_on(database, proxy)

    assert len(shown_index(database)["team/app"]) == 2
    (left,) = runs(database)
    assert (left.deleted, left.finished_at) == (1, None)
