"""The look as far as it can be measured: contrast, and nothing inline or from elsewhere.

Source: WCAG 2.2, 1.4.3 and 1.4.11, "relative luminance".
"""

import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[3] / "services" / "web"
TEXT_CONTRAST = 4.5
EDGE_CONTRAST = 3.0

_TOKEN = re.compile(r"--(?P<name>[a-z-]+): light-dark\((?P<light>#[0-9A-F]{6}), (?P<dark>#[0-9A-F]{6})\);")
_STYLESHEET = (WEB / "static" / "portus.css").read_text()
TOKENS = {match["name"]: (match["light"], match["dark"]) for match in _TOKEN.finditer(_STYLESHEET)}

TEXTS = ("text", "muted", "primary", "danger", "warning", "success")
GROUNDS = ("page", "card", "well", "hover")


def _luminance(color: str) -> float:
    channels = (int(color[index : index + 2], 16) / 255 for index in (1, 3, 5))
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", TEXTS)
def test_text_can_be_read_on_every_ground(text: str, ground: str, theme: int) -> None:
    assert contrast(TOKENS[text][theme], TOKENS[ground][theme]) >= TEXT_CONTRAST


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), [("on-primary", "primary"), ("accent", "page"), ("accent", "card")])
def test_text_can_be_read_on_its_one_ground(text: str, ground: str, theme: int) -> None:
    assert contrast(TOKENS[text][theme], TOKENS[ground][theme]) >= TEXT_CONTRAST


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
def test_edges_of_fields_and_buttons_can_be_seen(ground: str, theme: int) -> None:
    assert contrast(TOKENS["edge"][theme], TOKENS[ground][theme]) >= EDGE_CONTRAST


@pytest.mark.parametrize(
    ("token", "light", "dark"),
    [
        ("page", "#F6F8FA", "#0E1620"),
        ("card", "#FFFFFF", "#152130"),
        ("line", "#D5DDE5", "#2A3A4C"),
        ("text", "#17212B", "#E6EDF3"),
        ("muted", "#55636F", "#9FB0C0"),
        ("primary", "#0B6B75", "#5CC8CF"),
        ("accent", "#B4541A", "#F2A365"),
        ("danger", "#B42318", "#FF8A80"),
        ("warning", "#8A5300", "#F2B84B"),
        ("success", "#1A7337", "#6FCF97"),
    ],
)
def test_token_is_the_one_of_the_design(token: str, light: str, dark: str) -> None:
    assert TOKENS[token] == (light, dark)


def test_colours_are_named_once_and_used_by_name() -> None:
    rules = _STYLESHEET.partition("}")[2]

    assert not re.findall(r"#[0-9A-Fa-f]{3,8}\b", rules)


@pytest.mark.parametrize("template", sorted(WEB.rglob("templates/**/*.*")), ids=lambda path: path.name)
def test_template_holds_nothing_inline_and_nothing_unescaped(template: Path) -> None:
    markup = template.read_text()

    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:", markup)
    assert not re.search(r"\|\s*safe|autoescape|Markup", markup)


@pytest.mark.parametrize(
    "file", sorted([*WEB.rglob("templates/**/*.*"), *WEB.rglob("static/*.*")]), ids=lambda p: p.name
)
def test_nothing_comes_from_another_host(file: Path) -> None:
    addresses = set(re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]+[^\s\"']*", file.read_text()))

    assert addresses <= {"http://www.w3.org/2000/svg"}
