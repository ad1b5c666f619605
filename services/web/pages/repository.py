"""``/r/<name>``: one repository: its tags, what lies there without one, its past, what people say of it."""

from dataclasses import replace
from typing import Any

from flask import Response, flash, request, url_for
from flask_babel import gettext, lazy_gettext
from marshmallow import Schema, fields, validate
from werkzeug.wrappers import Response as AnyResponse

from services.web.clients.catalog import Repository, TagFilter
from services.web.clients.errors import RequestRefused
from services.web.clients.sessions import Visitor
from services.web.pages.explain import find_holders
from services.web.pages.frames import ask_freshness, chosen_runtime, render
from services.web.pages.inputs import (
    CheckedForm,
    ListQuery,
    load_after,
    load_change,
    load_form,
    load_list_query,
    longest,
)
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.pages.visitors import find_visitor, require_visitor
from services.web.viewmodels.charts import draw_days
from services.web.viewmodels.commands import push_commands
from services.web.viewmodels.content import present_comments, present_untagged, present_writes
from services.web.viewmodels.markdown import render_markdown
from services.web.viewmodels.names import present_name
from services.web.viewmodels.paging import present_paging
from services.web.viewmodels.sizes import present_size
from services.web.viewmodels.tags import SORT_NAMES, SORTS, newest_pull, present_groups, present_tags
from services.web.viewmodels.times import present_time
from shared.oci.names import parse_repository_name

MAX_DESCRIPTION_LENGTH = 64 * 1024
MAX_COMMENT_LENGTH = 10_000
MAX_PLATFORM_LENGTH = 100
TAGS_OF_DIGEST = 12
"""So many tags of one digest are shown together."""
DAYS = 30
COMMON_PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7", "windows/amd64")
"""What is offered where a platform is typed."""


class DescriptionForm(Schema):
    """What a repository says about itself."""

    description = fields.String(validate=longest(MAX_DESCRIPTION_LENGTH))


class CommentForm(Schema):
    """What somebody has to say."""

    body = fields.String(
        validate=(
            validate.Length(min=1, error=lazy_gettext("Write something.")),
            longest(MAX_COMMENT_LENGTH),
        )
    )


def show_repository(portal: Portal, name: str) -> Response:
    """Show a repository's tags."""
    query = load_list_query()
    chosen = load_tag_filter(query)
    visitor, repository = find_repository(portal, name)
    try:
        page = portal.catalog.list_tags(visitor, repository.id, chosen, query.page)
    except RequestRefused as refusal:
        # Such as more tags than are sorted by version.
        flash(refusal.detail)
        chosen = replace(chosen, sort=None)
        page = portal.catalog.list_tags(visitor, repository.id, chosen, query.page)
    ask_freshness(portal, visitor)
    now, runtime, host = portal.clock(), chosen_runtime(portal), repository.registry_host or portal.registry_host
    tags = present_tags(repository, page.rows, host=host, runtime=runtime, now=now)
    username = visitor.person.username if visitor.person else None
    return show_part(
        portal,
        "repository.html",
        visitor,
        repository,
        query=query,
        tags=tags,
        platform=chosen.platform or "",
        sort=request.args.get("sort", "") if chosen.sort else "",
        sorts=SORT_NAMES.items(),
        platforms=COMMON_PLATFORMS,
        pager=present_paging(page),
        pull=newest_pull(tags),
        push=push_commands(host, username=username, repository=repository.full_name, runtime=runtime),
        about=render_markdown(repository.description or ""),
    )


def show_digests(portal: Portal, name: str) -> Response:
    """Show a repository's images, each once, with the tags that lead to it."""
    query = load_list_query()
    visitor, repository = find_repository(portal, name)
    page = portal.catalog.list_digests(visitor, repository.id, query.page)
    ask_freshness(portal, visitor)
    host, runtime = repository.registry_host or portal.registry_host, chosen_runtime(portal)
    return show_part(
        portal,
        "repository_digests.html",
        visitor,
        repository,
        groups=present_groups(repository, page.rows, host=host, runtime=runtime, now=portal.clock()),
        shown=TAGS_OF_DIGEST,
        pager=present_paging(page),
    )


def show_activity(portal: Portal, name: str) -> Response:
    """Show how much is pushed to a repository and pulled from it."""
    visitor, repository = find_repository(portal, name)
    days = portal.statistics.list_days(visitor, repository.id, days=DAYS)
    return show_part(
        portal,
        "repository_activity.html",
        visitor,
        repository,
        days=draw_days(days),
        pulls=sum(day.pulls for day in days),
        pushes=sum(day.pushes for day in days),
    )


def show_access(portal: Portal, name: str) -> Response:
    """Show what somebody may do to a repository and, to those who may ask, who else can."""
    require_visitor(portal)
    visitor, repository = find_repository(portal, name)
    explanation = portal.rights.explain(visitor, repository.full_name)
    return show_part(
        portal,
        "repository_access.html",
        visitor,
        repository,
        rights=explanation.allowed,
        explanation=explanation,
        holders=find_holders(portal, visitor, repository.full_name),
    )


def show_untagged(portal: Portal, name: str) -> Response:
    """Show what lies in a repository without a tag."""
    visitor, repository = find_repository(portal, name)
    part = portal.content.list_untagged(visitor, repository.id, load_after())
    ask_freshness(portal, visitor)
    return show_part(
        portal,
        "repository_untagged.html",
        visitor,
        repository,
        rows=present_untagged(part.rows, portal.clock()),
        following=part.following,
    )


def show_writes(portal: Portal, name: str) -> Response:
    """Show what happened to a repository's tags."""
    query = load_list_query()
    visitor, repository = find_repository(portal, name)
    part = portal.content.list_writes(visitor, repository.id, load_after(), tag=query.q)
    ask_freshness(portal, visitor)
    return show_part(
        portal,
        "repository_history.html",
        visitor,
        repository,
        query=query,
        rows=present_writes(part.rows, portal.clock()),
        following=part.following,
    )


def show_comments(portal: Portal, name: str) -> Response:
    """Show what people say of a repository."""
    return _comments(portal, name, CheckedForm({}))


def add_comment(portal: Portal, name: str) -> AnyResponse:
    """Write something under a repository."""
    require_visitor(portal)
    form = load_form(CommentForm())
    if not form.faults:
        visitor, repository = find_repository(portal, name)
        try:
            portal.content.add_comment(visitor, repository.id, form.values["body"])
            return see_other(url_for("repository_comments", name=name))
        except RequestRefused as refusal:
            form = form.refused(refusal)
    return _comments(portal, name, form, status=422)


def delete_comment(portal: Portal, name: str, number: int) -> AnyResponse:
    """Take a comment away."""
    require_visitor(portal)
    visitor, repository = find_repository(portal, name)
    portal.content.delete_comment(visitor, repository.id, number)
    flash(gettext("The comment is gone."))
    return see_other(url_for("repository_comments", name=name))


def show_settings(portal: Portal, name: str) -> Response:
    """Show what may be changed of a repository."""
    require_visitor(portal)
    visitor, repository = find_repository(portal, name)
    form = CheckedForm.editing({"description": repository.description or ""})
    return _settings(portal, visitor, repository, form)


def change_settings(portal: Portal, name: str) -> AnyResponse:
    """Change what a repository says about itself."""
    require_visitor(portal)
    visitor, repository = find_repository(portal, name)
    form = load_change(DescriptionForm(), {"description": repository.description or ""})
    if not form.faults:
        try:
            portal.content.describe(visitor, repository.id, form.values["description"])
            flash(gettext("The description is changed."))
            return see_other(url_for("repository", name=name))
        except RequestRefused as refusal:
            form = form.refused(refusal)
    return _settings(portal, visitor, repository, form, status=422)


def star(portal: Portal, name: str) -> AnyResponse:
    """Put a star on a repository, or take it away."""
    require_visitor(portal)
    visitor, repository = find_repository(portal, name)
    portal.content.star(visitor, repository.id, starred=request.form.get("starred") == "yes")
    return see_other(url_for("repository", name=name))


def load_tag_filter(query: ListQuery) -> TagFilter:
    """Read which tags are wanted, cut at its limits, and in which order; an order that is none is the usual one."""
    platform = request.args.get("platform", "").strip()[:MAX_PLATFORM_LENGTH]
    return TagFilter(query.q or None, platform or None, SORTS.get(request.args.get("sort", "")))


def find_repository(portal: Portal, name: str) -> tuple[Visitor, Repository]:
    """Return who is looking, and the repository of the address.

    Raises:
        NotFound: it does not exist, or they may not see it.
    """
    visitor = find_visitor(portal)
    return visitor, portal.catalog.get_repository(visitor, parse_repository_name(name))


def show_part(
    portal: Portal,
    template: str,
    visitor: Visitor,
    repository: Repository,
    *,
    rights: frozenset[str] | None = None,
    status: int = 200,
    **context: Any,
) -> Response:
    """Render a part of a repository into what stands around each of them.

    Args:
        rights: what the visitor may do to it, where that is known already.
    """
    return render(
        portal,
        template,
        status=status,
        name=present_name(repository.full_name),
        repository=repository,
        rights=portal.rights.find_rights(visitor, repository.full_name) if rights is None else rights,
        size=present_size(repository.size_bytes),
        updated=present_time(repository.updated_at, portal.clock()),
        **context,
    )


def _settings(
    portal: Portal, visitor: Visitor, repository: Repository, form: CheckedForm, *, status: int = 200
) -> Response:
    comparing = CheckedForm({})
    return show_part(
        portal, "repository_settings.html", visitor, repository, form=form, comparing=comparing, status=status
    )


def _comments(portal: Portal, name: str, form: CheckedForm, *, status: int = 200) -> Response:
    visitor, repository = find_repository(portal, name)
    page = portal.content.list_comments(visitor, repository.id, load_list_query().page)
    return show_part(
        portal,
        "repository_comments.html",
        visitor,
        repository,
        status=status,
        comments=present_comments(page.rows, portal.clock()),
        pager=present_paging(page),
        form=form,
    )
