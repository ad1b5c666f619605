"""Styles, scripts and icons, all from our own host.

Bootstrap and its icons come out of the installed Bootstrap-Flask package; no file of theirs is
kept here and nothing is fetched from elsewhere.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import flask_bootstrap
from flask import Flask, Response, url_for
from flask_bootstrap import Bootstrap5

YEAR_S = 365 * 24 * 3600

ICONS = (
    "box-arrow-right",
    "box-seam",
    "check-circle",
    "check2",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "circle-half",
    "clock-history",
    "compass",
    "copy",
    "diagram-3",
    "exclamation-triangle",
    "eye",
    "file-earmark-check",
    "gear",
    "globe",
    "hourglass-split",
    "house",
    "info-circle",
    "key",
    "list",
    "list-check",
    "lock",
    "moon-stars",
    "patch-check",
    "people",
    "person-circle",
    "question-circle",
    "robot",
    "search",
    "shield-lock",
    "snow",
    "star",
    "star-fill",
    "sun",
    "terminal",
    "translate",
    "upload",
    "x-circle",
    "x-lg",
)
"""Every icon that a template may name."""

STYLES = "bootstrap_styles"
"""Name of the route of Bootstrap's stylesheet."""

_DATA_ADDRESS = re.compile(rb'url\("data:[^"]*"\)')
_PATH = re.compile(r'<path(?: fill-rule="(?P<rule>[a-z]+)")?[^>]*? d="(?P<outline>[^"]+)"')


class MissingAsset(Exception):
    """The installed Bootstrap-Flask does not hold a file or an icon that the pages need."""


@dataclass(frozen=True, slots=True)
class IconPath:
    """One ``<path>`` of a 16 by 16 icon."""

    outline: str
    fill_rule: str


def register_assets(app: Flask) -> None:
    """Serve our own files and Bootstrap's, and let templates name them.

    Raises:
        MissingAsset: the installed package lacks one.
    """
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    # Every address carries a hash of the file, so a browser may keep it for good.
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = YEAR_S
    Bootstrap5(app)
    folders = {"static": Path(app.static_folder or ""), "bootstrap.static": bootstrap_folder()}

    @cache
    def version(endpoint: str, filename: str) -> str:
        content = (folders[endpoint] / filename).read_bytes()
        return hashlib.sha256(content).hexdigest()[:12]

    def asset(filename: str, endpoint: str = "static") -> str:
        return url_for(endpoint, filename=filename, v=version(endpoint, filename))

    styles = load_styles(bootstrap_folder() / "css" / "bootstrap.min.css")
    styles_version = hashlib.sha256(styles).hexdigest()[:12]

    @app.get("/bootstrap.css", endpoint=STYLES)
    def bootstrap_styles() -> Response:
        response = Response(styles, mimetype="text/css")
        response.cache_control.public, response.cache_control.max_age = True, YEAR_S
        return response

    app.jinja_env.globals["asset"] = asset
    app.jinja_env.globals["bootstrap_styles"] = lambda: url_for(STYLES, v=styles_version)
    app.jinja_env.globals["icons"] = load_icons(bootstrap_folder() / "icons" / "bootstrap-icons.svg", ICONS)


def load_styles(sheet: Path) -> bytes:
    """Return Bootstrap's stylesheet without the pictures that it holds as ``data:`` addresses.

    Our policy does not load them, and a browser complains of each as soon as a control needs it: also of
    those that our own stylesheet takes away, when it looks before that one has arrived.

    Raises:
        MissingAsset: there is no such file.
    """
    try:
        return _DATA_ADDRESS.sub(b"none", sheet.read_bytes())
    except OSError as fault:
        raise MissingAsset(f"Bootstrap-Flask has no {sheet.name}") from fault


def bootstrap_folder() -> Path:
    """Return the folder of Bootstrap 5 inside the installed package."""
    return Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5"


def load_icons(sprite: Path, names: Iterable[str]) -> Mapping[str, tuple[IconPath, ...]]:
    """Take the outlines of some icons out of Bootstrap's sprite.

    The sprite weighs a megabyte; the outlines of these few weigh little enough to stand in every page.

    Raises:
        MissingAsset: there is no such icon.
    """
    text = sprite.read_text()
    return {name: _load_icon(text, name) for name in names}


def _load_icon(sprite: str, name: str) -> tuple[IconPath, ...]:
    _before, found, rest = sprite.partition(f' id="{name}">')
    paths = tuple(
        IconPath(match["outline"], match["rule"] or "nonzero")
        for match in _PATH.finditer(rest.partition("</symbol>")[0])
    )
    if not found or not paths:
        raise MissingAsset(f"Bootstrap-Flask has no icon named {name!r}")
    return paths
