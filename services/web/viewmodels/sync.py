"""How the index follows the registry, in words."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import url_for
from flask_babel import gettext, lazy_gettext, ngettext

from services.web.clients.catalog import Freshness
from services.web.clients.peer import Part
from services.web.clients.sync import Crawl, Drift, Letter, LossWindow
from services.web.viewmodels.numbers import present_count
from services.web.viewmodels.said import say
from services.web.viewmodels.tables import Action, Cell, Column, Row, Table
from services.web.viewmodels.times import present_duration, present_time

DRIFT_KINDS = {
    "missing_tag": lazy_gettext("missing tag"),
    "phantom_tag": lazy_gettext("phantom tag"),
    "digest_differs": lazy_gettext("digest differs"),
    "dangling_tag": lazy_gettext("dangling tag"),
    "ghost_repository": lazy_gettext("ghost repository"),
    "unlisted_repository": lazy_gettext("unlisted repository"),
    "orphan_namespace": lazy_gettext("orphan namespace"),
    "unverified_repository": lazy_gettext("unverified repository"),
}

_GHOST = "ghost_repository"

STATES = {
    "open": lazy_gettext("open"),
    "repaired": lazy_gettext("repaired"),
    "removed": lazy_gettext("removed"),
    "resolved": lazy_gettext("resolved"),
}

_LOSSES = {
    "restart": lazy_gettext("the registry was restarted"),
    "gap": lazy_gettext("fewer events came than the registry counted"),
    "silent_push": lazy_gettext("a token to push was issued, and no push was seen"),
}

_CRAWL_KINDS = {
    "first": lazy_gettext("the first one"),
    "round": lazy_gettext("a light round"),
    "full": lazy_gettext("a full one"),
}


def present_numbers(
    freshness: Freshness, drift: Part, windows: Sequence[LossWindow], now: datetime
) -> list[tuple[str, str]]:
    """Return what matters first: each number with what it is."""
    moments = [moment for moment in (freshness.indexed_at, freshness.crawled_at) if moment]
    age = present_duration(max(timedelta(0), now - max(moments))) if moments else gettext("never")
    differences = f"{len(drift.rows)}+" if drift.following else str(len(drift.rows))
    return [
        (gettext("since the index was confirmed"), age),
        (gettext("manifests waiting"), str(freshness.waiting)),
        (gettext("open differences"), differences),
        (gettext("open loss windows"), str(sum(window.open for window in windows))),
    ]


def present_crawls(crawls: Sequence[Crawl], now: datetime) -> Table:
    """Turn crawls into a table."""
    return Table(
        columns=(
            Column(gettext("Crawl")),
            Column(gettext("Repositories"), "number"),
            Column(gettext("Tags"), "number"),
            Column(gettext("Differences"), "number"),
            Column(gettext("Took"), "moment"),
            Column(gettext("Began"), "moment"),
        ),
        rows=[
            Row(
                (
                    Cell(str(_CRAWL_KINDS.get(one.kind, one.kind)), note=one.fault or one.requested_by or ""),
                    Cell(present_count(one.repositories)),
                    Cell(present_count(one.tags)),
                    Cell(present_count(one.drift), note=_mended(one)),
                    Cell(_took(one)),
                    Cell(moment=present_time(one.started_at, now)),
                )
            )
            for one in crawls
        ],
        empty=gettext("No crawls yet"),
    )


def present_drift(differences: Sequence[Drift], now: datetime) -> Table:
    """Turn differences into a table."""
    return Table(
        columns=(
            Column(gettext("Where")),
            Column(gettext("What"), "phrase"),
            Column(gettext("Why, and what helps"), "phrase"),
            Column(gettext("State"), "phrase"),
            Column(gettext("First seen"), "moment"),
        ),
        rows=[
            Row(
                (
                    Cell(_place(one), link=_page_of(one)),
                    Cell(str(DRIFT_KINDS.get(one.kind, one.kind))),
                    Cell(say(one.cause_text), note=say(one.remedy)),
                    Cell(str(STATES.get(one.state, one.state)), badge="pending" if one.state == "open" else "kind"),
                    Cell(moment=present_time(one.first_seen_at, now)),
                )
            )
            for one in differences
        ],
        empty=gettext("Index and registry agree"),
        hint=gettext("Every crawl compares them; what differs stands here with its cause."),
    )


def _page_of(one: Drift) -> str | None:
    # What is empty has no page.
    is_shown = one.repository and one.kind != _GHOST
    return url_for("repository", name=one.repository) if is_shown else None


def present_windows(windows: Sequence[LossWindow], now: datetime) -> Table:
    """Turn loss windows into a table."""
    return Table(
        columns=(
            Column(gettext("Registry")),
            Column(gettext("Why"), "phrase"),
            Column(gettext("Concerns"), "phrase"),
            Column(gettext("State"), "phrase"),
            Column(gettext("Since"), "moment"),
        ),
        rows=[
            Row(
                (
                    Cell(one.registry),
                    Cell(str(_LOSSES.get(one.reason, one.reason))),
                    Cell(_concerns(one), note=_missing(one)),
                    Cell(
                        gettext("open") if one.open else gettext("closed"), badge="pending" if one.open else "allowed"
                    ),
                    Cell(moment=present_time(one.since, now)),
                )
            )
            for one in windows
        ],
        empty=gettext("No event was lost"),
        hint=gettext("When a registry restarts or a count does not add up, the time in question stands here."),
    )


def present_letters(letters: Sequence[Letter], now: datetime) -> Table:
    """Turn dead letters into a table."""
    columns = (Column(gettext("About")), Column(gettext("Why"), "phrase"), Column(gettext("When"), "moment"))
    return Table(
        columns,
        rows=[
            Row(
                (
                    Cell(one.subject or one.type or str(one.id), note=one.queue),
                    Cell(one.reason, note=gettext("tried %(count)s times", count=one.deaths)),
                    Cell(moment=present_time(one.at, now)),
                ),
                _actions("dead-letters", one, one.subject or str(one.id)),
            )
            for one in letters
        ],
        empty=gettext("No dead letters"),
        hint=gettext("Messages that could not be handled after several tries stand here."),
    )


def present_quarantine(events: Sequence[Letter], now: datetime) -> Table:
    """Turn events that could not be read into a table."""
    columns = (Column(gettext("Event")), Column(gettext("Why"), "phrase"), Column(gettext("When"), "moment"))
    return Table(
        columns,
        rows=[
            Row(
                (Cell(one.event_id), Cell(one.reason), Cell(moment=present_time(one.at, now))),
                _actions("quarantine", one, one.event_id),
            )
            for one in events
        ],
        empty=gettext("Nothing in quarantine"),
        hint=gettext("Events of a registry that could not be read stand here."),
    )


def _actions(box: str, letter: Letter, about: str) -> tuple[Action, ...]:
    return (
        Action(gettext("Again"), url_for("replay_letter", box=box, number=letter.id), about),
        Action(gettext("Throw away"), url_for("drop_letter", box=box, number=letter.id), about, danger=True),
    )


def _place(one: Drift) -> str:
    if one.repository:
        return f"{one.repository}:{one.tag}" if one.tag else one.repository
    return one.namespace or ""


def _mended(one: Crawl) -> str:
    parts = []
    if one.repaired:
        parts.append(gettext("%(count)s repaired", count=one.repaired))
    if one.removed:
        parts.append(gettext("%(count)s removed", count=one.removed))
    if one.failures:
        parts.append(gettext("%(count)s failed", count=one.failures))
    return ", ".join(parts)


def _took(one: Crawl) -> str:
    if one.finished_at is None:
        return gettext("under way")
    return present_duration(timedelta(seconds=one.duration_s)) if one.duration_s else "0 s"


def _concerns(one: LossWindow) -> str:
    if one.everything:
        return gettext("everything")
    return ngettext("%(num)d repository", "%(num)d repositories", one.repositories_count)


def _missing(one: LossWindow) -> str:
    counts = {"missing": one.missing, "repaired": one.repaired, "left": one.left_open}
    return gettext("%(missing)s missing, %(repaired)s repaired, %(left)s left open", **counts)
