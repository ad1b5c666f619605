"""What administrators look at, in tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext, lazy_gettext, ngettext

from services.web.clients.administration import Account, AccountDeletion, AuditEntry, DecisionRow, Setting
from services.web.viewmodels.said import say
from services.web.viewmodels.tables import Cell, Column, Row, Table
from services.web.viewmodels.times import present_time

VERDICTS = {
    "granted": lazy_gettext("granted"),
    "partial": lazy_gettext("granted in part"),
    "refused": lazy_gettext("refused"),
    "login": lazy_gettext("login"),
    "unauthenticated": lazy_gettext("wrong credentials"),
}

FIELDS_SHOWN = 5
VALUE_LENGTH = 60

_KIND_OF_BADGE = {"granted": "allowed", "login": "allowed", "refused": "refused", "unauthenticated": "refused"}

_SOURCES = {
    "environment": lazy_gettext("environment"),
    "file": lazy_gettext("file"),
    "default": lazy_gettext("default"),
}


def present_people(accounts: Sequence[Account], now: datetime) -> Table:
    """Turn accounts into a table."""
    return Table(
        columns=(
            Column(gettext("Person")),
            Column(gettext("Mail"), "phrase"),
            Column(gettext("Role"), "phrase"),
            Column(gettext("Signed in"), "moment"),
        ),
        rows=[
            Row(
                (
                    Cell(
                        account.username,
                        link=url_for("admin_person", username=account.username),
                        note=account.display_name or "",
                    ),
                    Cell(account.email or ""),
                    Cell(_role(account), badge=None if account.enabled else "pending"),
                    Cell(moment=present_time(account.last_sign_in_at, now)),
                )
            )
            for account in accounts
        ],
        empty=gettext("Nobody matches"),
    )


def present_audit(entries: Sequence[AuditEntry], now: datetime) -> Table:
    """Turn what was done into a table."""
    return Table(
        columns=(
            Column(gettext("What")),
            Column(gettext("To what"), "phrase"),
            Column(gettext("Who"), "phrase"),
            Column(gettext("From")),
            Column(gettext("When"), "moment"),
        ),
        rows=[
            Row(
                (
                    Cell(entry.action, note=_difference(entry.before, entry.after)),
                    Cell(entry.target, link=_page_of(entry), note=entry.target_type),
                    Cell(entry.actor),
                    Cell(entry.address),
                    Cell(moment=present_time(entry.at, now)),
                )
            )
            for entry in entries
        ],
        empty=gettext("Nothing was done that matches"),
    )


def present_decisions(decisions: Sequence[DecisionRow], now: datetime) -> Table:
    """Turn token requests into a table."""
    return Table(
        columns=(
            Column(gettext("Who")),
            Column(gettext("Wanted"), "phrase"),
            Column(gettext("Verdict"), "phrase"),
            Column(gettext("From")),
            Column(gettext("When"), "moment"),
        ),
        rows=[
            Row(
                (
                    Cell(
                        one.username or gettext("somebody without a login"),
                        link=url_for("decision", decision_id=one.id),
                        note=one.client[:60],
                    ),
                    Cell(" ".join(filter(None, (one.action, one.repository)))),
                    Cell(
                        str(VERDICTS.get(one.verdict, one.verdict)),
                        badge=_KIND_OF_BADGE.get(one.verdict, "kind"),
                        note=say(one.reason),
                    ),
                    Cell(one.address),
                    Cell(moment=present_time(one.at, now)),
                )
            )
            for one in decisions
        ],
        empty=gettext("No request matches"),
        hint=gettext("Every docker login, pull and push leaves a record here."),
    )


def present_settings(settings: Sequence[Setting]) -> Table:
    """Turn settings into a table."""
    return Table(
        columns=(
            Column(gettext("Setting")),
            Column(gettext("Value"), "phrase"),
            Column(gettext("From"), "phrase"),
        ),
        rows=[
            Row(
                (
                    Cell(one.name, note=one.old_name or ""),
                    Cell("" if one.value is None else str(one.value)),
                    Cell(str(_SOURCES.get(one.source, one.source))),
                )
            )
            for one in settings
        ],
        empty=gettext("No settings"),
    )


def present_belongings(found: AccountDeletion) -> list[str]:
    """Say what goes with an account."""
    return [
        ngettext("%(num)d token", "%(num)d tokens", found.tokens),
        ngettext("%(num)d session", "%(num)d sessions", found.sessions),
        ngettext("%(num)d grant", "%(num)d grants", found.grants),
        ngettext("membership in %(num)d team", "membership in %(num)d teams", found.teams_count),
    ]


def present_personal_images(found: AccountDeletion) -> str:
    """Say how much lies in the personal namespace of an account."""
    if found.repositories is None or found.tags is None:
        return gettext("images: how many is not known now, the catalogue is away")
    repositories = ngettext("%(num)d repository", "%(num)d repositories", found.repositories)
    tags = ngettext("%(num)d tag", "%(num)d tags", found.tags)
    return gettext("%(repositories)s with %(tags)s", repositories=repositories, tags=tags)


def _page_of(entry: AuditEntry) -> str | None:
    """Return the page of what was changed; it may have gone since, or have another name."""
    if entry.action.endswith(".deleted") or not entry.target:
        return None
    match entry.target_type:
        case "user":
            return url_for("admin_person", username=entry.target)
        case "team":
            return url_for("team", name=entry.target)
        case "namespace":
            return url_for("namespace", name=entry.target)
        case _:
            return None


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Say which fields changed, from what to what."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    said = [f"{name}: {_change(before.get(name), after.get(name))}" for name in names[:FIELDS_SHOWN]]
    return "; ".join([*said, *(["…"] if len(names) > FIELDS_SHOWN else [])])


def _change(before: object, after: object) -> str:
    return _short(after) if before is None else f"{_short(before)} → {_short(after)}"


def _short(value: object) -> str:
    if value is None:
        return "–"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= VALUE_LENGTH else f"{text[:VALUE_LENGTH]}…"


def _role(account: Account) -> str:
    if not account.enabled:
        return gettext("switched off")
    if account.admin:
        return gettext("Administrator")
    if account.auditor:
        return gettext("Auditor")
    return gettext("bot") if account.bot else ""
