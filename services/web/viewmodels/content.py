"""Deletions, comments and the past of a repository in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext, lazy_gettext, ngettext
from markupsafe import Markup

from services.web.clients.content import Comment, DeletionPlan, TagOutcome, UntaggedEntry, Write
from services.web.viewmodels.artifacts import artifact_label
from services.web.viewmodels.markdown import render_markdown
from services.web.viewmodels.names import DigestChip, present_digest
from services.web.viewmodels.sizes import present_size
from services.web.viewmodels.times import TimeText, present_time

NAMED = 20
"""Tags that are named of those which go or stay."""

_KINDS = {
    "pushed": lazy_gettext("pushed"),
    "seen": lazy_gettext("seen by a crawl"),
    "deleted": lazy_gettext("deleted"),
    "vanished": lazy_gettext("found gone by a crawl"),
}


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """What would become of a tag, or did."""

    tag: str
    value: str
    """``tag@digest``, for the form."""
    sentences: Sequence[str]
    fault: str | None
    gone: bool
    takes_referrers: bool
    """Whether tags go with it that are made of its digest."""


@dataclass(frozen=True, slots=True)
class CommentRow:
    """What somebody wrote."""

    id: int
    author: str
    body: Markup
    at: TimeText | None
    changed: bool
    destroyable: bool


@dataclass(frozen=True, slots=True)
class WriteRow:
    """Something that happened to a tag."""

    tag: str
    what: str
    digest: DigestChip | None
    actor: str | None
    at: TimeText | None


@dataclass(frozen=True, slots=True)
class UntaggedRow:
    """A manifest that no tag points at."""

    digest: DigestChip
    kind: str
    size: str | None
    pushed: TimeText | None
    pushed_by: str | None


def present_tag_outcomes(outcomes: Sequence[TagOutcome], chosen: Mapping[str, str]) -> list[OutcomeRow]:
    """Turn outcomes into rows, in their order."""
    return [
        OutcomeRow(
            tag=one.tag,
            value=f"{one.tag}@{chosen[one.tag]}",
            sentences=_sentences(one.plan, chosen) if one.plan else (),
            fault=one.fault,
            gone=one.method is not None,
            takes_referrers=bool(one.plan and one.plan.referrer_tags),
        )
        for one in outcomes
    ]


def present_plan(plan: DeletionPlan) -> list[str]:
    """Say what goes with a repository."""
    tags = ngettext("%(num)d tag", "%(num)d tags", plan.tags_count)
    named = f"{tags}: {_names(plan.tags, plan.tags_count)}" if plan.tags else tags
    return [named, _freed(plan)]


def present_comments(comments: Sequence[Comment], now: datetime) -> list[CommentRow]:
    """Turn comments into rows."""
    return [
        CommentRow(
            id=one.id,
            author=one.author,
            body=render_markdown(one.body),
            at=present_time(one.created_at, now),
            changed=one.updated_at != one.created_at,
            destroyable=one.destroyable,
        )
        for one in comments
    ]


def present_writes(writes: Sequence[Write], now: datetime) -> list[WriteRow]:
    """Turn what happened into rows."""
    return [
        WriteRow(
            tag=one.tag,
            what=str(_KINDS.get(one.kind, one.kind)),
            digest=present_digest(one.digest) if one.digest else None,
            actor=one.actor,
            at=present_time(one.written_at, now),
        )
        for one in writes
    ]


def present_untagged(entries: Sequence[UntaggedEntry], now: datetime) -> list[UntaggedRow]:
    """Turn manifests without a tag into rows."""
    return [
        UntaggedRow(
            digest=present_digest(one.digest),
            kind=artifact_label(one.media_type, one.artifact_type) or gettext("Image"),
            size=present_size(one.size_bytes),
            pushed=present_time(one.pushed_at, now),
            pushed_by=one.pushed_by,
        )
        for one in entries
    ]


def _sentences(plan: DeletionPlan, chosen: Mapping[str, str]) -> list[str]:
    stay = [tag for tag in plan.other_tags if tag not in chosen]
    said = []
    if stay:
        said.append(gettext("The image stays under: %(tags)s", tags=_names(stay)))
    if plan.method in ("tag", "replacement") and not plan.is_looked_through:
        said.append(
            gettext("The image stays: this repository has too many tags to look first for what else leads to it.")
        )
    if plan.method == "replacement":
        said.append(
            gettext("This registry cannot delete a tag alone: a throw-away manifest is put under it and deleted.")
        )
    if plan.indexes:
        tags = [tag for index in plan.indexes for tag in index.get("tags", ())]
        said.append(gettext("Indexes will lack it: %(tags)s", tags=_names(tags) or gettext("without a tag")))
    if plan.referrer_tags:
        count = len(plan.referrer_tags)
        said.append(
            ngettext(
                "With the image goes %(num)d tag that is about it: %(tags)s",
                "With the image go %(num)d tags that are about it: %(tags)s",
                count,
                tags=_names(plan.referrer_tags),
            )
        )
    if count := sum(one.get("tag") not in plan.referrer_tags for one in plan.referrers):
        said.append(ngettext("%(num)d signature is left over.", "%(num)d signatures are left over.", count))
    if plan.untagged:
        count = len(plan.untagged)
        said.append(ngettext("%(num)d part is left without a tag.", "%(num)d parts are left without a tag.", count))
    if plan.freed_bytes:
        said.append(_freed(plan))
    return said


def _freed(plan: DeletionPlan) -> str:
    size = present_size(plan.freed_bytes)
    if plan.is_exact:
        return gettext("%(size)s that the registry's garbage collection gives back", size=size)
    return gettext("at least %(size)s that the registry's garbage collection gives back", size=size)


def _names(tags: Sequence[str], count: int | None = None) -> str:
    shown = ", ".join(tags[:NAMED])
    more = (len(tags) if count is None else count) - min(NAMED, len(tags))
    return gettext("%(tags)s and %(count)s more", tags=shown, count=more) if more > 0 else shown
