"""Asking before something is done that takes other things with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, request

from services.web.pages.frames import render
from services.web.pages.portal import Portal

FIELD = "typed"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What is to be confirmed."""

    title: str
    lead: str
    goes: Sequence[str]
    """What it takes with it, a sentence each."""
    action: str
    """Where the form is sent."""
    button: str
    back: str
    """Where one goes who leaves it."""
    steps: Sequence[tuple[str, str | None]]
    """The way back; see ``crumbs.html``."""
    asks: Sequence[tuple[str, str, str]] = ()
    """Fields that may be filled in: name, label, and what leaving it empty means."""
    typed: str | None = None
    """What has to be typed, when it cannot be undone."""


def confirm(portal: Portal, asked: Confirmation, *, mistyped: bool = False, alarm: str = "") -> Response:
    """Ask.

    Args:
        mistyped: the name that had to be typed was another one.
        alarm: why it was not done.
    """
    status = 422 if mistyped or alarm else 200
    return render(portal, "confirm.html", status=status, asked=asked, mistyped=mistyped, alarm=alarm)


def is_typed(name: str) -> bool:
    """Tell whether the form of this request holds the name that had to be typed."""
    return request.form.get(FIELD, "").strip() == name
