"""``/r/<name>``: one repository and its tags."""

from flask import Response

from services.web.pages.frames import ask_freshness, chosen_runtime, render
from services.web.pages.inputs import load_list_query
from services.web.pages.portal import Portal
from services.web.pages.visitors import find_visitor
from services.web.viewmodels.commands import push_commands
from services.web.viewmodels.names import present_name
from services.web.viewmodels.paging import present_paging
from services.web.viewmodels.sizes import present_size
from services.web.viewmodels.tags import newest_pull, present_tags
from services.web.viewmodels.times import present_time
from shared.oci.names import parse_repository_name


def show_repository(portal: Portal, name: str) -> Response:
    """Show a repository's tags, newest push first."""
    full_name = parse_repository_name(name)
    query = load_list_query()
    visitor = find_visitor(portal)
    repository = portal.catalog.get_repository(visitor, full_name)
    page = portal.catalog.list_tags(visitor, repository.id, query.q or None, query.page)
    ask_freshness(portal, visitor)
    now, runtime, host = portal.clock(), chosen_runtime(portal), repository.registry_host or portal.registry_host
    tags = present_tags(repository, page.rows, host=host, runtime=runtime, now=now)
    username = visitor.person.username if visitor.person else None
    return render(
        portal,
        "repository.html",
        name=present_name(full_name),
        repository=repository,
        size=present_size(repository.size_bytes),
        updated=present_time(repository.updated_at, now),
        query=query,
        tags=tags,
        pager=present_paging(page),
        pull=newest_pull(tags),
        push=push_commands(host, username=username, repository=full_name, runtime=runtime),
    )
