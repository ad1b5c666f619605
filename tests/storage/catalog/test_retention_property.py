"""Whatever a rule says: what a kept tag or index needs is not deleted, on a real registry 2.8."""

from threading import Event
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.delete_content import ContentDeleter
from services.catalog.usecases.retention import NewRule, RetentionDesk
from services.catalog.usecases.run_retention import run_retention
from shared.clock import utc_now
from shared.database import Database
from shared.oci.names import RepositoryName
from shared.visibility.answers import Caller, Visibility
from tests.support.catalog_clients import new_client
from tests.support.images import Pusher, on
from tests.support.registry_proxy import RegistryProxy
from tests.support.serving import serving
from tests.support.stack import new_name

ROOT = Visibility(everything=True, caller=Caller("root", "person", administrator=True))

TAGS = ("ci-1", "ci-2", "v1", "v2")
KINDS = st.sampled_from(["image-a", "image-b", "index-of-a", "index-of-both"])
WORLDS = st.dictionaries(st.sampled_from(TAGS), KINDS, min_size=1)
UNHEARD = st.dictionaries(st.sampled_from((*TAGS, "new")), KINDS, max_size=2)
"""Pushes of which the index hears nothing."""
RULES = st.fixed_dictionaries(
    {"keep_newest": st.integers(0, 2), "tags": st.sampled_from([["*"], ["ci-*"], ["v*"]])},
    optional={"except_tags": st.lists(st.sampled_from(TAGS), max_size=2)},
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=WORLDS, unheard=UNHEARD, terms=RULES)
def test_what_a_kept_tag_needs_is_there_after_any_run(
    database: Database,
    pusher: Pusher,
    crawler: RepositoryCrawler,
    proxy: RegistryProxy,
    world: dict[str, str],
    unheard: dict[str, str],
    terms: dict[str, Any],
) -> None:
    namespace = new_name("team")
    name = RepositoryName(f"{namespace}/app")
    children = {image: pusher.image(name) for image in ("image-a", "image-b")}

    def put(pushes: dict[str, str]) -> None:
        for tag, kind in pushes.items():
            if kind in children:
                pusher.retag(name, children[kind]["digest"], tag)
            else:
                of = list(children) if kind == "index-of-both" else ["image-a"]
                pusher.index(name, tag, [on(children[image], "linux", "amd64") for image in of])

    put(world)
    crawler.crawl(name)
    put(unheard)
    desk = RetentionDesk(ROOT, lambda repository, actions: {}, database, utc_now, 1000)
    rule = desk.add_rule(NewRule(new_name("rule"), namespace, True, 24, terms))
    judged = [one.verdict for one in desk.preview(namespace, terms).verdicts if one.verdict.goes]
    # A tag that is elsewhere by now stays.
    going = {one.tag for one in judged if crawler.registry.find_digest(name, one.tag) == one.digest}
    desk.request_run(rule.id)

    with serving(proxy.app()) as url:
        deleter = ContentDeleter(database, new_client(url), utc_now)
        assert run_retention(deleter, holder="us", stop=Event(), database=database, clock=utc_now)

    left = set(crawler.registry.list_tags(name).tags)
    assert left == {*world, *unheard} - going
    for tag in left:
        for child in pusher.read(name, tag).get("manifests", []):
            assert pusher.read(name, child["digest"])
