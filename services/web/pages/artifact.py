"""``/r/<name>/-/tags/<tag>`` and ``/-/digests/<digest>``: one artifact."""

from flask import Response, request

from services.web.clients.artifacts import Artifact, ReferrerEntry
from services.web.clients.catalog import Repository
from services.web.clients.errors import NotFound, PeerAway, PeerBroken, RequestRefused
from services.web.clients.sessions import Visitor
from services.web.pages.frames import ask_freshness, chosen_runtime, render
from services.web.pages.inputs import load_list_query
from services.web.pages.portal import Portal
from services.web.pages.visitors import find_visitor
from services.web.viewmodels.artifacts import pull_tool
from services.web.viewmodels.commands import PullCommand, pull_command
from services.web.viewmodels.manifests import present_artifact, present_referrers
from services.web.viewmodels.names import present_name
from services.web.viewmodels.paging import present_paging
from services.web.viewmodels.scans import present_scan
from shared.api.paging import Page, PageRequest
from shared.oci.names import parse_digest, parse_repository_name, parse_tag

RAW = ("raw", "config")
"""What of an artifact is shown as the registry has it."""
MAX_RAW_LENGTH = 256 * 1024
"""Most characters of a manifest on a page; the API gives larger ones."""


def show_tag(portal: Portal, name: str, tag: str) -> Response:
    """Show what a tag points at."""
    return _show(portal, name, parse_tag(tag), tag=tag)


def show_digest(portal: Portal, name: str, digest: str) -> Response:
    """Show an artifact by its digest."""
    return _show(portal, name, parse_digest(digest), tag=None)


def _show(portal: Portal, name: str, reference: str, *, tag: str | None) -> Response:
    full_name = parse_repository_name(name)
    query = load_list_query()
    visitor = find_visitor(portal)
    repository = portal.catalog.get_repository(visitor, full_name)
    artifact = portal.artifacts.get(visitor, repository.id, reference)
    referrers = _find_referrers(portal, visitor, repository, artifact, query.page)
    ask_freshness(portal, visitor)
    now = portal.clock()
    shown = request.args.get("show")
    return render(
        portal,
        "artifact.html",
        name=present_name(full_name),
        tag=tag,
        repository=repository,
        reference=reference,
        artifact=present_artifact(artifact, now, reveal=shown == "secrets"),
        scan=present_scan(artifact.scan, now),
        revealed=shown == "secrets",
        referrers=present_referrers(referrers.rows, now) if referrers else None,
        pager=present_paging(referrers) if referrers else None,
        raw_asked=shown if shown in RAW else None,
        raw=_find_raw(portal, visitor, repository, artifact, shown) if shown in RAW else None,
        pull=_pull(portal, repository, artifact, tag),
    )


def _find_referrers(
    portal: Portal, visitor: Visitor, repository: Repository, artifact: Artifact, page: PageRequest
) -> Page[ReferrerEntry] | None:
    """Return what is about it; ``None`` when that cannot be told now, which takes nothing from the rest."""
    if not artifact.referrers:
        return Page([], 0, page)
    try:
        return portal.artifacts.list_referrers(visitor, repository.id, artifact.digest, page)
    except (PeerAway, PeerBroken):
        return None


def _find_raw(portal: Portal, visitor: Visitor, repository: Repository, artifact: Artifact, which: str) -> str | None:
    """Return the text of a manifest or its configuration; ``None`` when the registry does not give it now."""
    fetch = portal.artifacts.fetch_raw if which == "raw" else portal.artifacts.fetch_raw_config
    try:
        raw = fetch(visitor, repository.id, artifact.digest)
    except (PeerAway, PeerBroken, NotFound, RequestRefused):
        return None
    return raw.decode("utf-8", "replace")[:MAX_RAW_LENGTH]


def _pull(portal: Portal, repository: Repository, artifact: Artifact, tag: str | None) -> PullCommand | None:
    if tag is None:
        return None
    host = repository.registry_host or portal.registry_host
    tool = pull_tool(artifact.media_type, artifact.artifact_type)
    return pull_command(host, repository.full_name, tag, runtime=chosen_runtime(portal), tool=tool)
