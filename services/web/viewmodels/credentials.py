"""Somebody's tokens, sessions and logins, in tables for administrators."""

from datetime import datetime

from flask import url_for
from flask_babel import gettext, ngettext

from services.web.clients.me import BrowserSession, Login, Token
from services.web.viewmodels.tables import Action, Cell, Column, Row, Table
from services.web.viewmodels.times import present_moment, present_time
from shared.api.paging import Page


def present_tokens_of(page: Page[Token], username: str, now: datetime) -> Table:
    """Turn somebody's application tokens into a table."""
    return Table(
        columns=(
            Column(gettext("Token")),
            Column(gettext("May"), "phrase"),
            Column(gettext("Last used"), "moment"),
            Column(gettext("Until"), "moment"),
        ),
        rows=[
            Row(
                (
                    Cell(one.application, note=", ".join(one.namespaces or ())),
                    Cell(", ".join(one.actions or ()) or gettext("all that they may")),
                    Cell(moment=present_time(one.last_used_at, now), note=one.last_used_address or ""),
                    Cell(gettext("over"), badge="pending") if one.expired else _until(one.expires_at, now),
                ),
                [
                    Action(
                        gettext("End it"),
                        url_for("revoke_admin_person_token", username=username, number=one.id),
                        one.application,
                        danger=True,
                    )
                ],
            )
            for one in page.rows
        ],
        empty=gettext("No tokens"),
        more=_more(page),
    )


def present_sessions_of(page: Page[BrowserSession], username: str, now: datetime) -> Table:
    """Turn the browsers in which somebody is signed in into a table."""
    return Table(
        columns=(
            Column(gettext("From")),
            Column(gettext("Since"), "moment"),
            Column(gettext("Last used"), "moment"),
        ),
        rows=[
            Row(
                (
                    Cell(one.address or gettext("unknown address"), note=one.user_agent[:100]),
                    Cell(moment=present_time(one.created_at, now)),
                    Cell(moment=present_time(one.last_used_at, now)),
                ),
                [
                    Action(
                        gettext("Sign out"),
                        url_for("end_admin_person_session", username=username, key=one.id),
                        one.address,
                    )
                ],
            )
            for one in page.rows
        ],
        empty=gettext("Signed in nowhere"),
        more=_more(page),
    )


def present_logins_of(page: Page[Login], username: str, now: datetime) -> Table:
    """Turn the logins of somebody's clients into a table."""
    return Table(
        columns=(
            Column(gettext("From")),
            Column(gettext("With"), "phrase"),
            Column(gettext("Last used"), "moment"),
            Column(gettext("Until"), "moment"),
        ),
        rows=[
            Row(
                (
                    Cell(one.address or gettext("unknown address"), note=one.client_id),
                    Cell(one.credential),
                    Cell(moment=present_time(one.last_used_at, now)),
                    _until(one.expires_at, now),
                ),
                [
                    Action(
                        gettext("End it"),
                        url_for("end_admin_person_login", username=username, number=one.id),
                        f"{one.client_id} {one.address}",
                    )
                ],
            )
            for one in page.rows
        ],
        empty=gettext("No machine is logged in with this name"),
        more=_more(page),
    )


def _until(moment: datetime | None, now: datetime) -> Cell:
    return Cell(moment=present_moment(moment, now)) if moment else Cell(gettext("open"))


def _more(page: Page[Token] | Page[BrowserSession] | Page[Login]) -> str:
    left = page.total - len(page.rows)
    return ngettext("%(num)d more", "%(num)d more", left) if left > 0 else ""
