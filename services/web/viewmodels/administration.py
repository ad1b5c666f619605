"""What administrators look at, in tables."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from flask import url_for
from flask_babel import gettext, lazy_gettext

from services.web.clients.administration import Account, AuditEntry, DecisionRow, Registry, Setting
from services.web.viewmodels.tables import Cell, Column, Row, Table
from services.web.viewmodels.times import present_time

VERDICTS = {
    "granted": lazy_gettext("granted"),
    "partial": lazy_gettext("granted in part"),
    "refused": lazy_gettext("refused"),
    "login": lazy_gettext("login"),
    "unauthenticated": lazy_gettext("wrong credentials"),
}

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
                    Cell(entry.action),
                    Cell(entry.target, note=entry.target_type),
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
                        note=one.reason,
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


def present_registries(registries: Sequence[Registry], checked: Mapping[int, Iterable[str]]) -> Table:
    """Turn registries into a table.

    Args:
        checked: what is wrong with those that were asked, by id.
    """
    return Table(
        columns=(
            Column(gettext("Registry")),
            Column(gettext("Address"), "phrase"),
            Column(gettext("Service"), "phrase"),
            Column(gettext("State"), "phrase"),
        ),
        rows=[
            Row(
                (
                    Cell(one.name),
                    Cell(one.external_hostname or one.hostname, note=one.hostname if one.external_hostname else ""),
                    Cell(one.service, code=True),
                    _state(checked.get(one.id)),
                )
            )
            for one in registries
        ],
        empty=gettext("No registries"),
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


def _role(account: Account) -> str:
    if not account.enabled:
        return gettext("switched off")
    if account.admin:
        return gettext("Administrator")
    if account.auditor:
        return gettext("Auditor")
    return gettext("bot") if account.bot else ""


def _state(faults: Iterable[str] | None) -> Cell:
    if faults is None:
        return Cell(gettext("not checked"))
    said = "; ".join(faults)
    return Cell(said, badge="refused") if said else Cell(gettext("reached"), badge="allowed")
